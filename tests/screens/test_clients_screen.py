"""The morning gate on the screen: who lacks what, waivers with a reason, signing in one after another."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.events import Paste
from textual.widgets import Static

from brokers.contract import BrokerAccount, OrderRequest, Outcome, Refused
from data.clock import SystemClock
from data.vocabulary import (
    ClientStatus,
    Demat,
    DeskKind,
    GateColour,
    GateItem,
    RouteKind,
    SessionState,
    SizingKind,
)
from engine.access.routes import NewRoute
from engine.desk import Desk
from screens.clients.page import ClientScreen
from screens.clients.screen import ClientsScreen
from screens.clients.sign_in import SignInScreen
from screens.clients.sign_in_round import minutes
from tests.desks import buy
from tests.further import further
from tests.screens.bench import BenchClock, run
from tests.screens.papers import PaperBench, opened_on_paper
from tests.signing import START, SigningBroker, signing_desk
from tradedesk.app.application import TradedeskApp
from widgets.livegrid import LiveGrid
from widgets.tokenfield import TokenField

SIX = ("C1", "C2", "C3", "C4", "C5", "C6")


class SigningBench(PaperBench):
    """A bench over a desk whose broker asks for a sign-in."""

    broker: SigningBroker
    copied: list[str]

    @property
    def desk(self) -> Any:
        return self.app.desk

    @property
    def rows(self) -> list[str]:
        grid = self.screen.query_one(LiveGrid)
        return [self.desk.clients.get(key).code for key in grid.shown_keys]

    def row(self, words: str) -> list[str]:
        """A client's line on the screen, as words."""
        bare = (line.lstrip("│ ▸•") for line in self.lines())
        return next(line for line in bare if line.startswith(f"{words} ")).split()

    async def paste(self, text: str) -> None:
        """Paste into whatever has the focus and press Enter."""
        self.app.post_message(Paste(text))
        await self.settle()
        await self.keys("enter")

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(2_000):
            await self.settle()
            if holds():
                return
            await SystemClock().sleep(0.005)
        raise AssertionError("it did not come to that")


@asynccontextmanager
async def opened_to_sign_in(
    home: Path, *codes: str, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[SigningBench]:
    clock = BenchClock(START)
    brokers: list[SigningBroker] = []

    @asynccontextmanager
    async def factory() -> AsyncIterator[Desk]:
        async with signing_desk(home, *codes, kind=DeskKind.APP, clock=clock) as (desk, broker):
            brokers.append(broker)
            yield desk

    app = TradedeskApp(factory, clock=clock, frames_per_second=0)
    async with run(app, size) as pilot:
        bench = SigningBench(app, pilot, clock)
        bench.broker, bench.copied = brokers[0], []
        app.copy_to_clipboard = bench.copied.append  # type: ignore[method-assign]
        await bench.settle()
        yield bench


def own(number: int, **more: Any) -> NewRoute:
    own = {"egress_ip": f"203.0.113.{number}", "bind_address": f"10.0.0.{number}"}
    more = {**own, "consent": f"paper {number}", "demat": Demat.DDPI, **more}
    return NewRoute(RouteKind.OWN, "abcd1234", **more)


async def with_routes(bench: SigningBench) -> None:
    """C1 ready, C2 kept out by amber consent, C3 has no route, C4 no session, C5 inactive, C6 amber."""
    desk = bench.desk
    day = desk.market_clock.trading_day
    for number in (1, 2, 3, 6):
        await desk.sessions.sign_in(number, f"for-U{number}")
    for number in (1, 2, 4, 5, 6):
        until = day + timedelta(days=3 if number == 2 else 90)
        demat = Demat.UNKNOWN if number == 6 else Demat.DDPI
        await desk.routes.set(number, own(number, consent_until=until, mtf_enabled=True, demat=demat))
    await desk.clients.set_status(5, ClientStatus.INACTIVE, "vacation")
    await desk.reconcile.ensure([1, 2, 3, 6])
    await bench.keys("7")
    assert isinstance(bench.screen, ClientsScreen)


def agrees(bench: SigningBench) -> bool:
    """Whether title, strip and gate count alike."""
    counts = bench.desk.gate.counts()
    gate = f"gate {counts.ready}/{len(bench.desk.clients.all())}"
    words = [gate, f"red {counts.red}", f"amber {counts.amber}", f"not active {counts.out}"]
    return gate in bench.lines()[0] and " · ".join(words) in bench.lines()[1]


@pytest.mark.parametrize("size", further([(80, 24), (120, 40)]))
async def test_red_stands_first_with_the_words_of_the_cursors_client(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened_to_sign_in(tmp_path, *SIX, size=size) as bench:
        await with_routes(bench)
        assert bench.rows == ["C2", "C3", "C4", "C6", "C1", "C5"]
        assert agrees(bench), bench.text
        assert bench.row("C2")[3:8] == ["RED", "09:15", "own", "A", "3d"]
        assert bench.row("C3")[3:6] == ["RED", "09:15", "RED"]
        assert bench.row("C6")[3:8] == ["amber", "09:15", "own", "90d", "amber"]
        assert bench.row("C1")[3:7] == ["09:15", "own", "90d", "DDPI"]
        assert "consent ends on 21 Nov 2026" in bench.text
        await bench.keys("j")
        assert "no route: `tradedesk routes" in bench.text
        assert bench.row("C5")[3] == "inact"
        await bench.keys("u")
        assert bench.rows == ["C2", "C3", "C4", "C6"]
        assert "needs me" in bench.lines()[1]
        await bench.keys("escape", "f")
        await bench.type("consent")
        await bench.keys("enter")
        assert bench.rows == ["C2", "C3"]
        await bench.keys("escape")
        assert len(bench.rows) == 6
        await bench.keys("enter")
        assert isinstance(bench.screen, ClientScreen)


async def test_an_amber_item_is_waived_with_a_reason_and_red_is_not(tmp_path: Path) -> None:
    async with opened_to_sign_in(tmp_path, *SIX) as bench:
        await with_routes(bench)
        await bench.desk.routes.set(
            2, own(2, demat=Demat.NONE, consent_until=None, egress_ip="", bind_address="")
        )
        await bench.settle()
        grid = bench.screen.query_one(LiveGrid)
        grid.move_cursor(4)
        await bench.keys("d")
        assert any("C4: red cannot be waived: session: not signed in" in told for told in bench.toasts)
        grid.move_cursor(2)
        await bench.keys("d")
        assert "WAIVE for 18 Nov C2" in bench.text
        assert "‹route›" in bench.text
        await bench.keys("right")
        assert "‹DDPI›" in bench.text
        await bench.keys("left", "enter", "enter")
        assert any("say why it may pass" in told for told in bench.toasts)
        await bench.type("ok")
        await bench.keys("enter")
        await bench.type("waive")
        await bench.keys("enter")
        await bench.until(lambda: any("5 characters" in told for told in bench.toasts))
        await bench.type(" till noon")
        await bench.keys("escape")
        assert bench.desk.clients.get(2).gate is not None, "Esc keeps it"
        await bench.keys("d", "enter")
        await bench.type("static ip ordered")
        await bench.keys("enter")
        await bench.type("yes")
        await bench.keys("enter")
        assert bench.desk.clients.get(2).gate is not None, "another word waives nothing"
        await bench.type("waive")
        await bench.keys("enter")
        await bench.until(lambda: "waived" in bench.row("C2"))
        assert bench.desk.clients.get(2).gate is None
        assert bench.screen.focused is grid
        assert agrees(bench), bench.text
        assert (
            "waived today: static ip ordered" in bench.screen.query_one("#gate-detail", Static).content.plain
        )
        row = (await bench.desk.audit.rows(client_id=2))[-1]
        assert (row.action, row.details["item"], row.details["reason"]) == (
            "CLIENT_GATE_WAIVED",
            "route",
            "static ip ordered",
        )


@pytest.mark.parametrize("size", further([(80, 24), (120, 40)]))
async def test_a_route_that_the_broker_refuses_turns_red_at_once_and_r_tries_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with opened_to_sign_in(tmp_path, "C1", "C2", size=size) as bench:
        desk = bench.desk
        for number in (1, 2):
            await desk.sessions.sign_in(number, f"for-U{number}")
            await desk.routes.set(number, own(number))
        await desk.reconcile.ensure([1, 2])
        await bench.keys("7")
        assert "gate 2/2 · red 0" in bench.lines()[1]
        place = bench.broker.place

        async def placed(account: BrokerAccount, request: OrderRequest) -> Outcome:
            if account.user_id == "U1":
                return Refused("route", "Orders are not allowed from [203.0.113.1].")
            return await place(account, request)

        monkeypatch.setattr(bench.broker, "place", placed)
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        await desk.runs.start(plan, plan.digest)
        await bench.until(lambda: bench.row("C1")[3] == "RED")
        assert bench.row("C1")[3:6] == ["RED", "09:15", "R"]
        assert bench.row("C2")[3] != "RED"
        bench.screen.query_one(LiveGrid).to_top()
        await bench.settle()
        assert "gate 1/2 · red 1" in bench.lines()[1]
        detail = bench.screen.query_one("#gate-detail", Static).content.plain
        assert "refused 18 Nov 09:15: Orders are not allowed from [203.0.113.1]; put 203.0.113.1" in detail
        assert detail.rstrip().endswith("r retries the route")
        await bench.keys("d")
        assert any(told.endswith("(r retries the route)") for told in bench.toasts)
        await bench.keys("r")
        await bench.until(lambda: bench.row("C1")[3] != "RED")
        assert isinstance(bench.screen, ClientsScreen)
        assert "C1: the next order shows whether the broker takes this route" in bench.toasts
        assert desk.clients.get(1).gate is None
        await bench.keys("r")
        assert any("nobody is due to sign in" in told for told in bench.toasts)


async def test_one_after_another_signs_in_and_no_token_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with opened_to_sign_in(tmp_path, "C1", "C2", "C3", "C4") as bench:
        await bench.keys("7", "r")
        assert isinstance(bench.screen, SignInScreen)
        await bench.until(lambda: len(bench.copied) == 1)
        assert bench.copied == ["https://broker.example/login?user=U1"]
        assert " red 4 · 0:00 gone · next C2 after this" in bench.text
        assert "C1 Client C1  U1" in bench.text
        bench.clock.shift(20)
        bench.app.post_message(Paste("http://127.0.0.1/?status=success&\n request_token=for-U1\n"))
        await bench.settle()
        assert "for-U1" not in bench.text
        assert "•••" in bench.text
        await bench.keys("enter")
        await bench.until(lambda: bench.desk.clients.get(1).session is SessionState.OK)
        await bench.until(lambda: " red 3 · 0:20 gone · about 1:00 left" in bench.text)
        assert "Sign in 1/4 ─" in bench.text
        assert bench.copied[-1].endswith("user=U2")
        await bench.keys("enter")
        await bench.until(lambda: "link copied again" in bench.text)
        assert [url[-2:] for url in bench.copied] == ["U1", "U2", "U2"]
        await bench.paste("http://127.0.0.1/?status=success")
        await bench.until(lambda: len(bench.copied) == 4)
        assert "not taken: it has no request_token; copy the address" in bench.text
        assert "still C2, link copied again" in bench.text
        assert bench.copied[-1].endswith("user=U2")
        await bench.paste("for-U1")
        await bench.until(lambda: "not taken: it was given for C1 already · still C2" in bench.text)
        await bench.paste("for-U3")
        await bench.until(lambda: "it belongs to user U3, client C3, not to C2" in bench.text)
        assert "refused 1" in bench.text
        await bench.keys("right_curly_bracket")
        assert bench.screen.query_one(TokenField).value == ""
        await bench.until(lambda: bench.copied[-1].endswith("user=U4"))
        await bench.keys("escape")
        assert isinstance(bench.screen, ClientsScreen)
        assert "sign-in 1/4, r goes on" in bench.lines()[1]
        await bench.keys("r")
        await bench.until(lambda: len(bench.copied) == 8)
        await bench.paste("wrong-token-of-nobody")
        await bench.until(lambda: "everybody had a turn, 3 are left" in bench.text)
        top = bench.screen.query_one("#results").region.y + 1
        rows = (line.lstrip("│ ▸").split()[:2] for line in bench.lines()[top:])
        results = [row for row in rows if row and row[0].startswith("C")]
        assert results.pop()[0] == "C4:", "the reason of the cursor's row in full"
        assert results == [["C4", "RED"], ["C2", "RED"], ["C3", "skipped"], ["C1", "ok"]]
        assert "Token (hidden) is invalid" in bench.text
        await bench.keys("r")
        for user in ("U2", "U3", "U4"):
            await bench.until(lambda user=user: bench.copied[-1].endswith(user))
            await bench.until(lambda: bench.screen.shown is not None)
            await bench.paste(f"for-{user}")
        await bench.until(lambda: "everybody is signed in" in bench.text)
        assert bench.desk.sessions.due() == []
        assert bench.broker.exchanged == [
            "for-U1",
            "for-U3",
            "wrong-token-of-nobody",
            "for-U2",
            "for-U3",
            "for-U4",
        ]
        await bench.keys("escape")
        assert "RED" in bench.row("C1")[3:4], "signed in, but without a route"
        said = "\n".join([bench.text, caplog.text, *bench.toasts])
        for token in ("for-U", "wrong-token"):
            assert token not in said
            assert token not in repr(bench.app.clipboard)


async def test_a_client_without_a_link_is_passed_over_and_its_reason_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brokers.contract import BrokerError

    async with opened_to_sign_in(tmp_path, "C1", "C2", size=(80, 24)) as bench:
        real = bench.broker.login_url

        async def login_url(account: BrokerAccount, state: str = "") -> str:
            if account.user_id == "U1":
                raise BrokerError("no api key for U1")
            return await real(account)

        monkeypatch.setattr(bench.broker, "login_url", login_url)
        await bench.keys("7", "r")
        await bench.until(lambda: len(bench.copied) == 1)
        assert "no link: no api key for U1" in bench.text
        await bench.keys("escape", "colon")
        await bench.type("sign in c2")
        await bench.keys("enter")
        await bench.until(lambda: len(bench.copied) == 2)
        assert "Sign in 0/1" in bench.text


async def test_on_paper_all_is_green_and_nothing_needs_signing_in(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await bench.desk.reconcile.ensure([client.id for client in bench.desk.clients.all()])
        await bench.keys("7")
        assert isinstance(bench.screen, ClientsScreen)
        assert "gate 47/50" in bench.lines()[0]
        assert "gate 47/50 · red 1" in bench.lines()[1]
        gate = bench.desk.gate
        paper = {i.value for row in gate.rows() for i in GateItem if row.check(i).colour is GateColour.RED}
        assert paper == {"session"}, "the demonstration's one expired session"
        row = bench.row("AM1042")
        assert not {"ready", "paper", "RED", "amber"} & set(row), "what is ready says nothing"
        await bench.keys("r")
        await bench.until(lambda: "gate 48/50" in bench.lines()[1])
        assert any("nothing needs signing in here: DR0044" in told for told in bench.toasts)
        assert isinstance(bench.screen, ClientsScreen)
        await bench.keys("r")
        assert "nothing needs signing in on this desk" in bench.toasts


@pytest.mark.parametrize("size", further([(80, 24), (120, 40)]))
async def test_an_empty_roster_shows_an_empty_gate(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened_to_sign_in(tmp_path, size=size) as bench:
        await bench.keys("7")
        assert "no client here" in bench.text
        assert "gate 0/0" in bench.text
        await bench.keys("r", "d", "u", "enter", "escape")
        assert isinstance(bench.screen, ClientsScreen)


def test_spans_read_as_minutes() -> None:
    assert [minutes(s) for s in (0, 200.9, 640, 3_725)] == ["0:00", "3:20", "10:40", "1:02:05"]


async def test_braces_turn_the_group_whose_clients_alone_are_shown_and_exported(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("7")
        grid = bench.screen.query_one("#gate", LiveGrid)
        groups = bench.desk.clients.groups()
        for name in groups:
            await bench.keys("right_curly_bracket")
            assert f"group {name}" in bench.text
            assert set(grid.shown_keys) == set(bench.desk.groups.find(name).client_ids)
            assert bench.screen.here().group == name
        await bench.keys("right_curly_bracket")
        assert len(grid.shown_keys) == 50
        await bench.keys("left_curly_bracket")
        assert f"group {groups[-1]}" in bench.text
        await bench.keys("enter")
        await bench.until(lambda: isinstance(bench.screen, ClientScreen))
        among = [bench.screen.here().client_id]
        for _ in range(len(bench.desk.groups.find(groups[-1]).client_ids) - 1):
            await bench.keys("right_curly_bracket")
            among.append(bench.screen.here().client_id)
        assert set(among) == set(bench.desk.groups.find(groups[-1]).client_ids)
        await bench.keys("escape", "escape")
        assert len(grid.shown_keys) == 50
