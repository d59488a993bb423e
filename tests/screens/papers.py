"""The app over the demonstration desk: a clock moved by hand, pinned prices, no latency."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from textual.worker import Worker

from data.clock import ManualClock, SystemClock
from engine.desk import Desk
from tests.desks import paper_desk
from tests.resting import rest
from tests.screens.bench import Bench
from tradedesk.app.application import TradedeskApp
from tradedesk.compose.paper import exchange_of
from tradedesk.compose.settings import Settings
from tradedesk.testing import toasts_shown

ENDLESS = {"catch"}
"""Workers that wait for what the trader does elsewhere."""


class PaperBench(Bench):
    """A bench whose desk is a real one on the paper exchange."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._waiting_for_turn: set[Worker[object]] = set()

    @property
    def toasts(self) -> list[str]:
        return toasts_shown(self.app)

    async def settle(self) -> None:
        """Let everything come to rest: keys, workers, the desk's thread, and a frame after them."""
        await super().settle()
        while await self._worked():
            await super().settle()
        await super().settle()

    async def _worked(self) -> bool:
        """Wait for what needs the desk's thread; returns whether there was any such work."""
        waited = False
        for worker in list(self.app.workers):
            if worker.is_finished or worker.group in ENDLESS:
                continue
            if worker.group == "follow":
                waited = await self._price_read(worker) or waited
            else:
                waited = True
                await self._finish(worker.name or worker.group, lambda worker=worker: worker.is_finished)
        if self.app.desk_is_open:
            settled = asyncio.ensure_future(self.desk.settle())
            await rest()
            if not settled.done():
                waited = True
                await self._finish("the desk", settled.done)
        return waited

    async def _finish(self, what: str, done: Callable[[], bool]) -> None:
        """Wait for what needs the desk's thread, however slow the machine is."""
        for _ in range(15_000):
            await rest()
            if done():
                return
            await SystemClock().sleep(0.002)
        raise AssertionError(f"{what} did not come to rest")

    async def _price_read(self, worker: Worker[object]) -> bool:
        """Wait for a read of prices, unless it waits for its turn of the second, which the clock gives."""
        for _ in range(50 if worker in self._waiting_for_turn else 1_000):
            await rest()
            if worker.is_finished:
                self._waiting_for_turn.discard(worker)
                return True
            await SystemClock().sleep(0.002)
        self._waiting_for_turn.add(worker)
        return False

    async def pass_time(self, seconds: float) -> None:
        """Move the clock on, with the feed beating along."""
        await self.clock.advance(seconds)
        await self.settle()

    async def pin(self, symbol: str, last_paise: int) -> None:
        """Move a pinned price and let the desk hear of it."""
        exchange_of(self.desk).pin(symbol, last_paise, 239520)
        await self.desk.market.fetch({f"NSE:{symbol}"})
        await self.settle()

    def client(self, code: str) -> int:
        return self.desk.clients.find(code).id


@asynccontextmanager
async def opened_on_paper(
    home: Path, size: tuple[int, int] = (120, 40), settings: Settings | None = None, **named: Any
) -> AsyncIterator[PaperBench]:
    """The app with the demonstration desk open, at rest on the Desk screen."""

    @asynccontextmanager
    async def desk() -> AsyncIterator[Desk]:
        context: AbstractAsyncContextManager[Desk] = paper_desk(home, kind="app", settings=settings, **named)
        async with context as opened:
            app.clock = opened.clock
            yield opened

    app = TradedeskApp(desk, prepare=lambda: settings, frames_per_second=0)
    async with app.run_test(size=size) as pilot:
        for _ in range(2_000):
            await pilot.pause()
            if app.desk_is_open and app.screen.is_mounted:
                break
            await SystemClock().sleep(0.01)
        clock = app.clock
        assert isinstance(clock, ManualClock)
        bench = PaperBench(app, pilot, clock)
        await bench.settle()
        yield bench
