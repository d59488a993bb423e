"""F9 before the desk is open: halted at once, cancelled as soon as it is open."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from data.clock import ManualClock, SystemClock
from data.home import halt_file
from data.vocabulary import DeskKind, OrderState, SizingKind
from engine.book.halt_file import read_halt_file
from engine.desk import Desk
from screens.frame.opening import OpeningScreen
from screens.halt.screen import CertificateScreen
from tests.desks import START, buy, filed_desk
from tests.screens.bench import key_at
from tradedesk.app.application import TradedeskApp
from tradedesk.testing import shown_lines


class Opening:
    """An app whose desk opens only when it is let."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.may_open = asyncio.Event()
        self.desk: Desk | None = None
        self.clock = ManualClock(START)
        self.at = 1_000.0
        self.app = TradedeskApp(self._desk, clock=self.clock, frames_per_second=0, halt_file=halt_file(home))

    @asynccontextmanager
    async def _desk(self) -> AsyncIterator[Desk]:
        await self.may_open.wait()
        async with filed_desk(self.home, self.clock, DeskKind.APP) as desk:
            self.desk = desk
            yield desk

    async def press(self, pilot: Pilot[None], *keys: str) -> None:
        """Press keys as far apart as a hand does."""
        for key in keys:
            self.app.post_message(key_at(key, self.at))
            self.at += 0.3
            await pilot.pause()
            await self.clock.advance(0.3)
            self.app.frame()
            await pilot.pause()

    @property
    def text(self) -> str:
        """What is on the screen, without line ends."""
        return " ".join("".join(shown_lines(self.app)).split())

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let the desk work until something holds; commits happen on a thread of their own."""
        for _ in range(3_000):
            if holds():
                return
            await self.clock.advance(0.1)
            await SystemClock().sleep(0.01)
        raise AssertionError(f"it did not come to that: {self.text}")


async def test_two_presses_halt_before_the_desk_is_open_and_cancel_once_it_is(tmp_path: Path) -> None:
    async with filed_desk(tmp_path, ManualClock(START)) as desk:
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, 1, limit_paise=240000))
        await desk.runs.start(plan, plan.digest)
        await desk.settle()
        assert [order.state for order in desk.orders.all()] == [OrderState.OPEN]
    opening = Opening(tmp_path)
    async with opening.app.run_test(size=(100, 30)) as pilot:
        await opening.press(pilot, "f9")
        assert "F9 AGAIN CANCELS ALL AND HALTS" in opening.text
        assert read_halt_file(halt_file(tmp_path)) is None
        await opening.press(pilot, "f9")
        assert "HALTED" in opening.text
        told = read_halt_file(halt_file(tmp_path))
        assert told is not None
        assert told[1] == "F9 before the desk was open"
        opening.may_open.set()
        await opening.until(lambda: isinstance(opening.app.screen, CertificateScreen))
        desk = opening.app.desk
        (halt,) = desk.halt.active()
        assert halt.by == desk.actor
        await opening.until(lambda: any(one.ended for one in [desk.halt.latest()] if one is not None))
        assert [order.state for order in desk.orders.all()] == [OrderState.CANCELLED]
        await opening.app.close_desk()


async def test_one_press_or_a_press_taken_back_halts_nothing(tmp_path: Path) -> None:
    opening = Opening(tmp_path)
    async with opening.app.run_test(size=(100, 30)) as pilot:
        await opening.press(pilot, "f9", "escape", "f9")
        assert "F9 AGAIN" in opening.text
        await opening.clock.advance(3.1)
        opening.app.frame()
        await pilot.pause()
        assert "opening the desk" in opening.text
        opening.may_open.set()
        await opening.until(lambda: opening.app.desk_is_open)
        assert not halt_file(tmp_path).exists()
        assert opening.desk is not None
        assert not opening.desk.halt.active()
        await opening.app.close_desk()


async def test_a_press_before_and_one_after_the_desk_opened_are_two(tmp_path: Path) -> None:
    opening = Opening(tmp_path)
    async with opening.app.run_test(size=(100, 30)) as pilot:
        await opening.press(pilot, "f9")
        opening.may_open.set()
        while not opening.app.desk_is_open:  # no time passes for the arming
            await SystemClock().sleep(0.01)
        await opening.press(pilot, "f9")
        await opening.until(lambda: opening.desk is not None and bool(opening.desk.halt.active()))
        await opening.app.close_desk()


async def test_where_no_desk_opens_it_says_that_nothing_was_cancelled(tmp_path: Path) -> None:
    may_fail = asyncio.Event()

    @asynccontextmanager
    async def never() -> AsyncIterator[object]:
        await may_fail.wait()
        raise OSError("the disk is gone")
        yield

    clock = ManualClock(START)
    app = TradedeskApp(never, clock=clock, frames_per_second=0, halt_file=halt_file(tmp_path))
    async with app.run_test(size=(100, 30)) as pilot:
        for at in (1_000.0, 1_000.3):
            app.post_message(key_at("f9", at))
            await pilot.pause()
            await clock.advance(0.3)
        may_fail.set()
        shown = ""
        for _ in range(500):
            await pilot.pause(0.01)
            shown = " ".join("".join(shown_lines(app)).split())
            if "nothing was cancelled" in shown:
                break
        assert isinstance(app.screen, OpeningScreen)
        assert "nothing was cancelled" in shown
        assert "tradedesk cancel-all" in shown
        assert halt_file(tmp_path).exists(), "nothing is sent by anybody until the trader resumes"
