"""F9 F9 in every place, what counts as two presses, and the certificate with its typed way back."""

import asyncio

import pytest
from textual.widgets import Input, Static

from brokers.contract import BrokerAccount, BrokerError
from data.vocabulary import HaltScope, HaltStrength, OrderState, Product, Right, Role, SizingKind
from engine.book.halt_file import write_halt_file
from engine.guards.asked import GuardWish
from engine.halt.certificate import Certificate
from engine.halt.halts import Halts
from engine.refusals import NotOfRole
from engine.words.formats import rupees
from screens.desk.screen import DeskScreen
from screens.desk.search import FindCard
from screens.frame.cards.confirm import QuitCard
from screens.halt.screen import CertificateScreen
from tests.desks import Wire, buy, carry_out, disk
from tests.screens.bench import MORNING, Bench, opened
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import toasts_shown
from widgets.statusstrip import StatusStrip

PLACES = {
    "the desk": (),
    "a filter line": ("f",),
    "search, in its field": ("/",),
    "help": ("question_mark",),
    "the quit question": ("q",),
    "the command line": ("colon",),
    "the palette": ("ctrl+p",),
    "a frozen screen": ("z",),
}


OTHER_PLACES = [place for place in PLACES if place not in ("the desk", "search, in its field")]
"""Where only the long proofs press it: in each place test_everywhere presses it and its twin."""


def halts(bench: Bench) -> int:
    return len(bench.desk.halt.active())


def ground(bench: Bench) -> str:
    """What the strip's colour says, on the screen the app would show it on."""
    screens = [screen for screen in bench.app.screen_stack if screen.query(StatusStrip)]
    return screens[-1].query_one(StatusStrip).mode


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ("the desk", "f9"),
        ("search, in its field", "f9"),
        ("the desk", "ctrl+g"),
        ("search, in its field", "ctrl+g"),
        *(pytest.param(place, "f9", marks=pytest.mark.proof) for place in OTHER_PLACES),
    ],
)
async def test_two_presses_halt_from_everywhere(place: str, key: str) -> None:
    async with opened() as bench:
        for way in PLACES[place]:
            await bench.keys(way)
        await bench.keys(key)
        assert ground(bench) == "armed"
        assert halts(bench) == 0
        await bench.keys(key)
        await bench.until(lambda: halts(bench) == 1)
        assert isinstance(bench.screen, CertificateScreen)
        assert ground(bench) == "halted"


async def test_the_certificate_takes_f9_too() -> None:
    async with opened() as bench:
        for number in (1, 2):
            await bench.f9()
            await bench.f9()
            await bench.until(lambda number=number: f"HALT {number} " in bench.text)
        assert halts(bench) == 2
        assert isinstance(bench.screen, CertificateScreen)
        assert len([s for s in bench.app.screen_stack if isinstance(s, CertificateScreen)]) == 1
        assert "HALT 2" in bench.text


async def test_armed_says_what_a_second_press_would_do() -> None:
    async with opened() as bench:
        await bench.rest_orders("AM1042", "CB0002", "MI1001", "JK1041")
        await bench.f9()
        line = bench.lines()[0]
        for words in (
            "F9 AGAIN CANCELS ALL AND HALTS",
            "Esc stands down",
            "3 live 0 unsent 0 unknown",
            "3 clients",
        ):
            assert words in line


async def test_presses_closer_than_a_hand_can_make_only_arm() -> None:
    async with opened() as bench:
        await bench.f9(later=0.05)
        await bench.f9()
        assert halts(bench) == 0
        assert ground(bench) == "armed"
        await bench.f9()
        await bench.until(lambda: halts(bench) == 1)


async def test_a_held_key_never_fires() -> None:
    """Terminals wait half a second before they repeat, so the second press looks like a real one."""
    async with opened() as bench:
        await bench.keys("f9", apart=0.5)
        await bench.clock.advance(0.5)
        for _ in range(60):
            await bench.keys("f9", apart=0.033)
            await bench.clock.advance(0.033)
        await bench.clock.advance(1)
        assert halts(bench) == 0


async def test_esc_stands_down_and_closes_nothing() -> None:
    async with opened() as bench:
        await bench.keys("/")
        await bench.f9()
        await bench.keys("escape")
        assert ground(bench) == "paper"
        assert isinstance(bench.card, FindCard), "the first Esc only stands down"
        await bench.f9()
        assert halts(bench) == 0, "standing down forgets the first press"
        await bench.keys("escape", "escape")
        assert isinstance(bench.screen, DeskScreen)


async def test_esc_between_the_second_press_and_its_firing_still_stands_down() -> None:
    async with opened() as bench:
        await bench.f9()
        await bench.keys("f9", "escape", apart=0.2)
        await bench.clock.advance(1)
        assert halts(bench) == 0


async def test_arming_lapses() -> None:
    async with opened() as bench:
        await bench.f9()
        await bench.clock.advance(3.1)
        bench.at += 3.1
        await bench.settle()
        assert ground(bench) == "paper"
        await bench.f9()
        assert halts(bench) == 0
        assert ground(bench) == "armed"


async def test_only_the_typed_word_resumes() -> None:
    async with opened() as bench:
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: "HALTED" in bench.lines()[0])
        await bench.type("yes")
        await bench.keys("enter")
        assert bench.desk.halt.active()
        await bench.type("Resume")
        await bench.keys("enter")
        await bench.until(lambda: halts(bench) == 0)
        assert isinstance(bench.screen, DeskScreen)
        assert ground(bench) == "paper"


async def test_a_resumed_halt_s_certificate_takes_no_word() -> None:
    async with opened() as bench:
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: halts(bench) == 1)
        await bench.type("resume")
        await bench.keys("enter")
        await bench.until(lambda: halts(bench) == 0)
        bench.app.open_certificate()
        await bench.settle()
        assert "This halt has been resumed." in bench.text
        await bench.type("no")
        await bench.pass_time(0.5)
        await bench.keys("enter")
        assert not any("stays halted" in toast for toast in toasts_shown(bench.app))
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: halts(bench) == 1)
        await bench.type("resume")
        await bench.pass_time(0.5)
        await bench.keys("enter")
        await bench.until(lambda: halts(bench) == 0)


async def test_the_word_pasted_or_run_into_enter_does_not_resume() -> None:
    async with opened() as bench:
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: halts(bench) == 1)
        await bench.keys(*"resume", "enter", apart=0.0001)
        assert bench.desk.halt.active(), "Enter came in the same breath as the word"
        assert bench.screen.query_one(Input).value == "resume"


async def test_staying_halted_keeps_the_strip_and_the_way_back() -> None:
    async with opened() as bench:
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: halts(bench) == 1)
        await bench.keys("escape")
        assert isinstance(bench.screen, DeskScreen)
        assert "HALTED" in bench.lines()[0]
        assert ":resume" in bench.lines()[0]
        await bench.keys("colon")
        await bench.type("resume")
        await bench.keys("enter")
        assert isinstance(bench.screen, CertificateScreen)


async def test_the_certificate_tells_what_became_of_every_order() -> None:
    async with opened() as bench:
        orders = await bench.rest_orders("AM1042", "MI1001", "JK1041")
        blocked = sum(bench.desk.orders.get(order).blocked_paise for order in orders)
        await bench.f9()
        await bench.f9()
        assert isinstance(bench.screen, CertificateScreen)
        await bench.until(lambda: "3 cancelled" in bench.text)
        assert all(bench.desk.orders.get(order).state is OrderState.CANCELLED for order in orders)
        summary = str(bench.screen.query_one("#summary", Static).content)
        assert "3 cancelled 0 filled meanwhile 0 refused 0 unknown" in summary
        assert "clients read · ENDED: all were read, nothing is live" in " ".join(summary.split())
        assert f"released ₹{rupees(blocked)} of ₹{rupees(blocked)}" in summary
        assert [line for line in bench.lines() if "AM1042 Aarav Mehta" in line]


async def test_a_second_halt_s_certificate_never_shows_the_first_one_s_figures() -> None:
    async with opened() as bench:
        await bench.rest_orders("AM1042")
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: "HALT 1 " in bench.text)
        await bench.keys("f9", apart=0.3)
        await bench.keys("f9", apart=0.3)
        await bench.clock.advance(0.09)
        assert "HALT 1 " not in str(bench.screen.query_one("#summary", Static).content)
        await bench.until(lambda: "HALT 2 " in bench.text)


async def test_no_question_but_the_certificate_opens_by_itself() -> None:
    async with opened() as bench:
        await bench.keys("q")
        await bench.f9()
        assert isinstance(bench.card, QuitCard)
        await bench.f9()
        await bench.keys("escape")
        assert isinstance(bench.card, QuitCard), "what was open is still there under the certificate"


async def test_a_halt_that_could_not_be_written_says_so_and_what_the_brokers_took() -> None:
    async with opened() as bench:
        ready = [client.code for client in bench.desk.clients.all() if not client.gate]
        total = len(await bench.rest_orders(*ready))
        await disk(bench.desk, full=True)
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: "COULD NOT BE WRITTEN" in bench.text)
        assert "the disk is full" in bench.text
        said = " ".join(bench.text.replace("│", " ").split())
        assert "The HALT file stands: nothing is sent." in said
        assert f"The brokers took {total} of {total} cancels;" in said
        assert "F9 F9 repeats it" in said
        for words in ("There has been no such halt", "no order was live"):
            assert words not in bench.text
        assert "HALTED" in bench.lines()[0]
        await disk(bench.desk, full=False)
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: "HALT 1 " in bench.text or "HALT 2 " in bench.text)
        assert "COULD NOT BE WRITTEN" not in bench.text


async def test_a_halt_file_alone_halts_the_app_and_the_typed_word_ends_it() -> None:
    async with opened() as bench:
        write_halt_file(bench.desk.home / "HALT", "night desk", MORNING)
        await bench.settle()
        assert "HALTED" in bench.lines()[0]
        assert "by night desk" in bench.lines()[0]
        await bench.keys("colon")
        await bench.type("resume")
        await bench.keys("enter")
        assert "the books know no halt of it" in bench.text
        await bench.type("resume")
        await bench.keys("enter")
        await bench.until(lambda: halts(bench) == 0)
        assert not (bench.desk.home / "HALT").exists()
        assert isinstance(bench.screen, DeskScreen)
        assert ground(bench) == "paper"


async def test_the_certificate_names_who_was_not_read_and_what_is_left_to_do() -> None:
    async with opened() as bench:
        wire = Wire(bench.desk)
        client = bench.desk.clients.find("AM1042")

        async def unread(account: BrokerAccount) -> None:
            if account.client_id == client.id:
                raise BrokerError("HTTP 502 Bad Gateway")

        wire.on_read = unread
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: "NOT READ AM1042 Aarav Mehta: HTTP 502 Bad Gateway" in bench.text)
        assert "to cancel there all the same: WhatsApp" in bench.text
        assert "1 unreachable" in bench.text
        assert "not signed in at the halt" in bench.text
        wire.on_read = None
        await bench.until(lambda: "NOT READ" not in bench.text)


async def test_a_halt_of_one_client_leaves_the_rest_of_the_strip() -> None:
    async with opened(size=(120, 40)) as bench:

        async def fire(scope: HaltScope, value: str = "", strength: HaltStrength = HaltStrength.ALL) -> None:
            firing = asyncio.create_task(bench.desk.halt.fire("tester", scope, value, strength))
            await bench.until(firing.done)
            await bench.pass_time(0.3)

        await fire(HaltScope.CLIENT, "1", HaltStrength.REDUCE)
        assert ground(bench) == "paper"
        assert "MI1001 REDUCE ONLY" in bench.lines()[0]
        assert "continuous" in bench.lines()[0]
        await fire(HaltScope.EVERYTHING)
        await fire(HaltScope.CLIENT, "15")
        assert ground(bench) == "halted", "the halt of everything is told, though one of a client came later"
        assert "REDUC" not in bench.lines()[0]


async def test_a_guard_s_halt_takes_no_word_here_and_says_what_ends_it() -> None:
    async with opened() as bench:
        desk, priya = bench.desk, 15
        bought = buy("TCS", SizingKind.FIXED_QUANTITY, 80, priya, product=Product.MIS)
        await carry_out(desk, bought)
        await desk.guards.set(GuardWish(HaltScope.CLIENT, str(priya), loss_bps=200))
        exchange_of(desk).pin("TCS", 2_300_00, 2_490_00)
        await bench.until(lambda: halts(bench) == 1)
        await bench.keys("colon")
        await bench.type("resume 1")
        await bench.keys("enter")
        assert "The guard of PS1015, mis, fired it" in bench.text
        assert "armed again: :guard, then r" in bench.text
        assert not bench.screen.query_one("#answer").display


async def test_one_other_key_behind_the_first_halts_every_desk_where_several_share_the_books(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened() as bench:
        await bench.f9()
        await bench.keys("ctrl+f")
        assert halts(bench) == 0, "a desk that has its books alone has no firm"
        fired = list[bool]()
        fire = Halts.fire_now

        def noted(self: Halts, by: str, firm: bool = False) -> "asyncio.Task[Certificate]":
            fired.append(firm)
            return fire(self, by, firm)

        monkeypatch.setattr(Halts, "fire_now", noted)
        monkeypatch.setattr(Halts, "shared", True)
        await bench.f9()
        assert "F9 AGAIN: MINE" in bench.text
        assert "ctrl+f THE FIRM" in bench.text
        await bench.keys("ctrl+f")
        await bench.until(lambda: halts(bench) == 1)
        assert fired == [True]
        assert isinstance(bench.screen, CertificateScreen)

        refusal = NotOfRole("asha", Right.HALT_FIRM, Role.TRADER, (Role.ADMIN,))
        refused = {Right.HALT_FIRM: refusal}
        monkeypatch.setattr(bench.app, "refusal_of", refused.get)
        await bench.f9()
        await bench.keys("ctrl+f")
        await bench.until(lambda: halts(bench) == 2)
        assert fired == [True, False], "who may not halt the firm has their own halted"
        assert any("you may not halt the firm" in said for said in toasts_shown(bench.app))
