"""A screen that fails is told, made anew, and takes neither the app nor F9 with it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.widgets import Static

from data.vocabulary import RunCount
from engine.events import TapeLine
from engine.news import BrokerSaid
from screens.bulk.form import BulkForm
from screens.desk.screen import DeskScreen
from screens.frame.fault import FaultScreen
from screens.orders.screen import OrdersScreen
from screens.ticket.card import TicketCard
from screens.ticket.review import ReviewCard
from tests.further import further
from tests.screens.bench import Bench, opened
from tests.screens.papers import opened_on_paper
from tradedesk.testing import toasts_shown
from widgets.livegrid import LiveGrid
from widgets.numberfield import NumberField


class MeantError(Exception):
    """What the tests let screens fail of."""


def fail(*_: Any, **__: Any) -> Any:
    raise MeantError("on purpose")


async def fail_later(*_: Any, **__: Any) -> None:
    fail()


@asynccontextmanager
async def failing() -> AsyncIterator[Bench]:
    async with opened() as bench:
        bench.faults_meant = True
        yield bench


async def still_works(bench: Bench) -> None:
    """The app is up on a working Desk, the trader was told, and cancel-all cancels."""
    for _ in range(20):
        await bench.settle()
    assert "MeantError: on purpose" in bench.app.mending.faults
    assert any("made anew" in toast for toast in toasts_shown(bench.app))
    assert bench.app.desk_is_open
    await bench.keys("f4")
    assert isinstance(bench.screen, DeskScreen)
    await bench.keys("tab", "j")
    assert "AM1042" in bench.text
    await bench.f9()
    await bench.f9()
    await bench.until(lambda: bench.desk.halt.latest() is not None)
    await bench.until(lambda: bench.desk.counts().live == 0)


def in_an_action(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(bench.screen.query_one("#clients", LiveGrid), "action_cursor_by", fail)
    return ["j"]


def in_a_handler_of_the_screen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(bench.app, "open_client", fail)
    return ["enter"]


def in_a_handler_of_a_widget(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    grid = bench.screen.query_one("#clients", LiveGrid)
    grid.call_later(fail)
    return []


def in_drawing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    grid = bench.screen.query_one("#clients", LiveGrid)
    monkeypatch.setattr(grid, "render_line", fail)
    return ["j"]


def in_the_app_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    bench.app.call_later(fail)
    bench.app.call_next(fail)
    return []


def in_a_worker(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    bench.screen.run_worker(fail_later())
    return []


def in_a_dialog(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(TicketCard, "action_last_price", fail)
    return ["b", "enter", "at"]


def while_a_dialog_is_built(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(TicketCard, "compose", fail)
    return ["b"]


WAYS = [
    in_an_action,
    in_a_handler_of_the_screen,
    in_a_handler_of_a_widget,
    in_drawing,
    in_the_app_itself,
    in_a_worker,
    in_a_dialog,
    while_a_dialog_is_built,
]


@pytest.mark.parametrize("way", further(WAYS, 3), ids=[way.__name__ for way in WAYS])
async def test_a_fault_leaves_the_app_up_and_f9_working(
    way: Callable[[Bench, pytest.MonkeyPatch], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with failing() as bench:
        await bench.rest_orders("AM1042")
        with monkeypatch.context() as patched:
            await bench.keys(*way(bench, patched))
        await still_works(bench)


async def test_a_workspace_that_fails_again_and_again_gives_way_to_one_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with failing() as bench:
        await bench.rest_orders("AM1042")
        with monkeypatch.context() as patched:
            patched.setattr(OrdersScreen, "on_mount", fail)
            await bench.keys("3")
            for _ in range(20):
                await bench.settle()
            assert isinstance(bench.screen, FaultScreen)
            assert "The orders workspace failed twice: MeantError: on purpose" in bench.text
            assert "F9 F9 CANCEL ALL" in bench.text
            bench.clock.shift(10)
            await bench.keys("1")
            assert isinstance(bench.screen, DeskScreen)
        await bench.keys("3")
        assert isinstance(bench.screen, OrdersScreen), "once it works again its key opens it"
        await still_works(bench)


async def test_a_fault_stands_f9_down_and_forgets_what_was_typed() -> None:
    async with failing() as bench:
        await bench.rest_orders("AM1042")
        await bench.keys("B")
        bench.screen.query_one("#value").focus()
        await bench.keys("3", "3")
        assert bench.screen.query_one("#value", NumberField).value == "33"
        await bench.f9()
        assert "AGAIN CANCELS ALL" in bench.lines()[0]
        bench.screen.query_one(BulkForm).call_later(fail)
        for _ in range(20):
            await bench.settle()
        assert "AGAIN CANCELS ALL" not in bench.lines()[0]
        assert bench.screen.query_one("#value", NumberField).value == "25"
        await bench.f9()
        assert bench.desk.halt.latest() is None, "this press is a first one"
        await bench.keys("escape")
        await still_works(bench)


async def test_a_draft_of_a_ticket_does_not_outlive_a_fault() -> None:
    async with failing() as bench:
        await bench.keys("b", "enter")
        await bench.keys("7", "escape")
        bench.screen.query_one(Static).call_later(fail)
        for _ in range(20):
            await bench.settle()
        await bench.keys("tab", "b")
        assert isinstance(bench.card, TicketCard)
        assert bench.screen.query_one("#quantity", NumberField).value == ""


async def test_an_order_whose_review_goes_away_while_it_is_sent_is_sent_whole(tmp_path: Any) -> None:
    async with opened_on_paper(tmp_path) as bench:
        bench.faults_meant = True
        await bench.keys("b", "enter")
        await bench.keys("1", "enter")
        assert isinstance(bench.card, ReviewCard)
        await bench.pilot.press("y")
        bench.screen.call_later(fail)
        for _ in range(5):
            await bench.settle()
        assert bench.app.mending.faults
        (run,) = bench.desk.runs.all()
        assert (run.counts[RunCount.FILLED], run.counts[RunCount.UNSENT]) == (1, 0)


async def test_find_is_made_anew_after_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as bench:
        bench.faults_meant = True
        await bench.keys("/")
        first = bench.screen
        with monkeypatch.context() as broken:
            broken.setattr(bench.desk.clients, "search", fail)
            await bench.keys("t")
        await bench.until(lambda: isinstance(bench.screen, DeskScreen))
        await bench.keys("/")
        await bench.keys(*"tcs")
        assert bench.screen is not first
        await bench.keys("enter")
        assert "NSE:TCS" in bench.text


async def test_news_that_come_while_a_screen_goes_away_fail_no_listener(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def tell(screen: DeskScreen) -> None:
        told.append("a screen whose widgets are gone")
        screen.desk.events.publish([TapeLine(screen.desk.market.now(), BrokerSaid("late"))])

    monkeypatch.setattr(DeskScreen, "on_unmount", tell, raising=False)
    async with opened():
        pass
    assert told
    assert [record.message for record in caplog.records if "listener" in record.message] == []
