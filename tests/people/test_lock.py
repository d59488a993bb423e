"""The app of a home with people: locked until somebody signs in, by the key and by idleness, but F9 works."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from data.vocabulary import Role, SizingKind, Via
from engine.desk import Desk
from screens.clients.page import ClientScreen
from screens.frame.lock import LockScreen
from screens.ticket.review import ReviewCard
from tests.desks import START, buy, paper_desk, there
from tests.further import further
from tests.people.home_of_many import HERE, add_people, password, seated
from tests.screens.bench import BenchClock, run
from tests.screens.papers import PaperBench
from tradedesk.app.application import TradedeskApp
from tradedesk.app.typed.colon_commands import run_line
from tradedesk.compose.seats import forget_token, keep_token
from tradedesk.compose.settings import Settings

QTY = SizingKind.FIXED_QUANTITY
SETTINGS = Settings(trader="tester", keys="plain")


@asynccontextmanager
async def app_of_many(
    home: Path, who: str = "", settings: Settings = SETTINGS, clock: BenchClock | None = None
) -> AsyncIterator[PaperBench]:
    """The app on a home with people; `who` has signed in by its token file, which nobody has where empty."""
    clock = clock or BenchClock(START)

    @asynccontextmanager
    async def opening() -> AsyncIterator[Desk]:
        from data.vocabulary import DeskKind

        async with paper_desk(home, kind=DeskKind.APP, settings=settings, clock=clock) as desk:
            await add_people(desk)
            desk.who.seat = None
            if who:
                await by_file(desk, who)
                desk.who.seat = desk.signing.actor(_token(desk), Via.APP)
            yield desk

    app = TradedeskApp(opening, clock=clock, prepare=lambda: settings, frames_per_second=0)
    async with run(app, (120, 40)) as pilot:
        bench = PaperBench(app, pilot, clock)
        await bench.settle()
        yield bench


def _token(desk: Desk) -> str:
    from tradedesk.compose.seats import kept_token

    return kept_token(desk.home)


async def by_file(desk: Desk, name: str) -> None:
    """Have somebody sign in as another process would, and keep the token where it is looked for."""
    made = await desk.signing.sign_in(name, password(name), HERE, Via.CLI)
    keep_token(desk.home, made.token, made.refresh)


async def answer(bench: PaperBench, name: str, word: str) -> None:
    """Type a name and a password at the locked screen, and wait for what becomes of it."""
    screen = bench.app.screen
    assert isinstance(screen, LockScreen)
    bench.app.locking.answered(name, word)
    await bench.app.locking.settled()
    await bench.settle()


def is_locked(bench: PaperBench) -> bool:
    """Whether nothing of the desk is seen."""
    return isinstance(bench.app.screen, LockScreen) and bench.app.locking.locked


async def test_nobody_sees_a_desk_before_they_sign_in(tmp_path):
    async with app_of_many(tmp_path) as bench:
        assert is_locked(bench)
        assert not any("AM1042" in line for line in bench.lines())
        await answer(bench, "tara", "not her password")
        assert is_locked(bench)
        await answer(bench, "tara", password("tara"))
        assert not is_locked(bench)
        assert bench.app.desk.actor == "tara"


async def test_the_key_locks_and_the_same_password_opens(tmp_path):
    async with app_of_many(tmp_path, "tara") as bench:
        assert not is_locked(bench)
        await bench.keys("ctrl+l")
        await bench.settle()
        assert is_locked(bench)
        for key in ("1", "b", "colon", "ctrl+p", "f3"):
            await bench.keys(key)
        await bench.settle()
        assert is_locked(bench)
        await answer(bench, "tara", "not her password")
        assert is_locked(bench)
        await answer(bench, "Tara", password("tara"))
        assert not is_locked(bench)
        assert bench.app.desk.people.sign_ins_of("tara") == 1, "who unlocks is signed in already"


async def test_f9_works_locked_and_shows_nothing_of_a_client(tmp_path):
    async with app_of_many(tmp_path, "tara") as bench:
        desk = bench.app.desk
        plan = await desk.plans.freeze(buy("TCS", QTY, 1, 42, limit_paise=2400_00))
        await desk.runs.start(plan, plan.digest)
        await desk.settle()
        await bench.keys("ctrl+l")
        await bench.settle()
        assert is_locked(bench)
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: bool(desk.halt.active()))
        await bench.settle()
        assert is_locked(bench)
        assert not any("AM1042" in line for line in bench.lines())
        assert desk.halt.active()[0].by == "tara"


@pytest.mark.parametrize(("who", "works"), [("tara", True), ("uma", False), ("", True)])
async def test_the_locked_screen_says_whether_f9_works(tmp_path, who, works):
    async with app_of_many(tmp_path, who) as bench:
        await bench.keys("ctrl+l")
        await bench.settle()
        assert is_locked(bench)
        assert ("F9 F9 cancels all and halts, locked or not" in bench.text) is works
        await bench.f9()
        assert bench.app.is_armed is works


async def test_a_halted_desk_is_not_locked_by_the_key(tmp_path):
    async with app_of_many(tmp_path, "tara") as bench:
        await bench.app.desk.halt.fire("tara")
        await bench.keys("ctrl+l")
        await bench.settle()
        assert not is_locked(bench)


async def test_nothing_done_for_long_locks(tmp_path):
    settings = SETTINGS.model_copy(update={"lock_after_min": 2})
    async with app_of_many(tmp_path, "tara", settings) as bench:
        bench.clock.shift(100)
        await bench.pass_time()
        assert not is_locked(bench)
        bench.clock.shift(30)
        await bench.pass_time()
        await bench.settle()
        assert is_locked(bench)


async def test_a_sign_out_elsewhere_locks_and_a_sign_in_elsewhere_opens_as_that_person(tmp_path):
    async with app_of_many(tmp_path, "tara") as bench:
        desk = bench.app.desk
        assert await desk.signing.sign_out() == 1
        forget_token(desk.home)
        await bench.settle()
        await bench.pass_time()
        await bench.settle()
        assert is_locked(bench)
        await by_file(desk, "ravi")
        bench.clock.shift(2)
        await bench.pass_time()
        await bench.settle()
        assert not is_locked(bench)
        assert desk.actor == "ravi"
        assert {client.code for client in desk.clients.all()} == {"AM1042", "ZM1048"}
        assert not any("AM1010" in line for line in bench.lines())


async def test_whose_token_lies_there_goes_on_when_the_one_who_sat_there_is_signed_out(tmp_path):
    async with app_of_many(tmp_path, "tara") as bench:
        desk = bench.app.desk
        await by_file(desk, "ravi")
        assert desk.actor == "tara"
        await desk.signing.sign_out()
        await bench.settle()
        await bench.pass_time()
        await bench.settle()
        assert desk.actor == "ravi"
        assert not is_locked(bench)
        assert bench.app.mending.faults == []
        assert not any("AM1010" in line for line in bench.lines())


async def demoted(desk: Desk, name: str) -> None:
    """Have the admin make a trader an assistant, as from another terminal."""
    made = await desk.signing.sign_in("asha", password("asha"), HERE, Via.CLI)
    with seated(desk, desk.signing.actor(made.token, Via.CLI)):
        await desk.people.set_role(name, Role.ASSISTANT)


async def test_who_is_demoted_before_a_review_sends_nothing_and_is_told_why(tmp_path):
    async with app_of_many(tmp_path, "tara") as bench:
        desk, client = bench.app.desk, bench.client("AM1042")
        await bench.pass_time(2)
        plan = await desk.plans.freeze(buy("TCS", QTY, 1, client))
        bench.screen.open_card(ReviewCard(plan))
        await bench.settle()
        assert isinstance(bench.card, ReviewCard)
        review = bench.card
        await demoted(desk, "tara")
        review.action_yes()  # the key was under way before the app could lock
        await bench.settle()
        await bench.pass_time()
        assert is_locked(bench)
        assert "what they may do was changed" in bench.text
        assert [one for one in bench.toasts if one.startswith("not sent: ")], "and what became of the order"
        await by_file(desk, "tara")
        bench.clock.shift(2)
        await bench.pass_time()
        await bench.settle()
        assert not is_locked(bench)
        assert desk.actor == "tara"
        assert desk.orders.all() == []
        bench.screen.open_card(ReviewCard(plan))
        await bench.settle()
        await bench.keys("y")
        await bench.pass_time()
        assert bench.toasts[-1].startswith("tara is an assistant and may not send")
        assert "y sends" not in bench.text
        assert desk.orders.all() == []


async def test_a_client_comes_to_their_own_page(tmp_path):
    async with app_of_many(tmp_path) as bench:
        await answer(bench, "aarav", password("aarav"))
        await bench.settle()
        assert isinstance(bench.app.screen, ClientScreen)
        text = "\n".join(bench.lines())
        assert "AM1042" in text
        assert "ZM1048" not in text


@pytest.mark.parametrize("role", further([role for role in Role if role is not Role.CLIENT]))
async def test_what_a_role_may_not_is_said_in_the_app_and_the_desk_goes_on(tmp_path, role):
    from data.vocabulary import Right
    from engine.people.rights import may
    from tests.people.home_of_many import OF_ROLE

    tried.clear()
    async with app_of_many(tmp_path, OF_ROLE[role]) as bench:
        bench.app.call_later(_watch, bench)
        await bench.until(lambda: bool(tried))
        await bench.settle()
        kept = bench.app.desk.watchlists.names()
        assert ("Tried" in kept) == may(role, Right.KEEP_LISTS)
        assert not is_locked(bench)
        assert bench.app.mending.faults == []


tried: list[str] = []
"""Whoever has tried, by name."""


async def _watch(bench: PaperBench) -> None:
    try:
        await bench.app.desk.watchlists.make("Tried")
    finally:
        tried.append(bench.app.desk.actor)


async def test_who_leaves_by_a_typed_line_is_signed_out_everywhere(tmp_path):
    async with app_of_many(tmp_path, "tara") as bench:
        desk = bench.app.desk
        run_line(bench.app, "sign out")
        await bench.app.locking.settled()
        await bench.pass_time()
        assert is_locked(bench)
        assert _token(desk) == ""
        await answer(bench, "asha", password("asha"))
        assert desk.people.sign_ins_of("tara") == 0


async def test_a_plan_is_confirmed_by_a_typed_line(tmp_path):
    async with app_of_many(tmp_path, "asha") as bench:
        desk = bench.app.desk
        await desk.people.set_limit(1000_00, 1)
        await by_file(desk, "tara")
        maker = desk.signing.actor(_token(desk), Via.CLI)
        with desk.acting(maker):
            plan = await desk.plans.freeze(buy("TCS", QTY, 2, 42))
        run_line(bench.app, f"approve {plan.number} {plan.short_digest}")
        await bench.settle()
        state = await desk.approvals.of(there(plan.number))
        assert [one.person for one in state.given] == ["asha"]


async def test_who_has_signed_in_elsewhere_opens_what_the_key_had_locked(tmp_path):
    async with app_of_many(tmp_path, "tara") as bench:
        desk = bench.app.desk
        await bench.keys("ctrl+l")
        await bench.settle()
        await desk.signing.sign_out()
        forget_token(desk.home)
        await bench.pass_time()
        assert is_locked(bench)
        await by_file(desk, "aarav")
        bench.clock.shift(2)
        await bench.pass_time()
        await bench.settle()
        assert isinstance(bench.app.screen, ClientScreen)
