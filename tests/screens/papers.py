"""The app over the demonstration desk: a clock moved by hand, pinned prices, no latency."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from data.clock import ManualClock, SystemClock
from tests.desks import paper_desk
from tests.screens.bench import Bench
from tradedesk.app import TradedeskApp
from tradedesk.paper_desk import PaperDesk


class PaperBench(Bench):
    """A bench whose desk is a real one on the paper exchange."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._waits_for_clock: set[object] = set()

    @property
    def toasts(self) -> list[str]:
        return [toast.message for toast in self.app._notifications]

    async def settle(self) -> None:
        """Let everything come to rest: keys, workers, the desk's thread, and a frame after them."""
        for _ in range(3):
            await super().settle()
            for worker in list(self.app.workers):
                if worker.group in ("default", "bulk", "follow", "run-plan", "life", "client-rows"):
                    await self._finish(worker, lambda worker=worker: worker.is_finished)
            if self.app.desk_is_open:
                settled = asyncio.ensure_future(self.desk.settle())
                await self._finish(self.desk, settled.done)
                settled.cancel()
        await super().settle()

    async def _finish(self, what: object, done: Callable[[], bool]) -> None:
        """Wait for what needs the desk's thread; what has been seen to wait for the clock gets less."""
        for _ in range(50 if what in self._waits_for_clock else 1_000):
            if done():
                self._waits_for_clock.discard(what)
                return
            await SystemClock().sleep(0.002)
        self._waits_for_clock.add(what)

    async def pass_time(self, seconds: float) -> None:
        """Move the clock on, with the feed beating along."""
        await self.clock.advance(seconds)
        await self.settle()

    async def pin(self, symbol: str, last_paise: int) -> None:
        """Move a pinned price and let the desk hear of it."""
        self.desk.exchange.pin(symbol, last_paise, 239520)
        await self.desk.market.fetch({f"NSE:{symbol}"})
        await self.settle()

    def client(self, code: str) -> int:
        return self.desk.clients.find(code).id


@asynccontextmanager
async def opened_on_paper(
    home: Path, size: tuple[int, int] = (120, 40), **named: Any
) -> AsyncIterator[PaperBench]:
    """The app with the demonstration desk open, at rest on the Desk screen."""

    @asynccontextmanager
    async def desk() -> AsyncIterator[PaperDesk]:
        context: AbstractAsyncContextManager[PaperDesk] = paper_desk(home, kind="app", **named)
        async with context as opened:
            app._clock = opened.clock
            yield opened

    app = TradedeskApp(desk, frames_per_second=0)
    async with app.run_test(size=size) as pilot:
        for _ in range(500):
            await pilot.pause()
            if app.desk_is_open and app.screen.is_mounted:
                break
            await SystemClock().sleep(0.01)
        clock = app._clock
        assert isinstance(clock, ManualClock)
        bench = PaperBench(app, pilot, clock)
        await bench.settle()
        yield bench
