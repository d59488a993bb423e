"""A desk whose time moves only when nothing is left to do, so that how long things take is the clock's alone.

One run may then be compared with another however busy the machine is.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import ManualClock
from data.reference.phases import load_calendar
from data.reference.seed import universe
from engine.desk import Desk
from tests.books import empty_books
from tests.desks import START, WAITS
from tests.faults.scenery import PINNED, opening_price, roster
from tests.resting import quiet
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk

TICK_S = 2**-7
"""Every wait ends at a multiple of this, which adds up exactly: what threads were given at one tick is done
before the next, so that it costs none of this clock's time."""


class StageClock(ManualClock):
    """A clock moved by hand whose time-outs are of its own time too."""

    def __init__(self) -> None:
        super().__init__(START)
        self._limits: set[asyncio.Task[None]] = set()

    async def sleep(self, seconds: float) -> None:
        """Wait until the first tick at which `seconds` have passed."""
        await super().sleep(math.ceil(seconds / TICK_S) * TICK_S)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        """Give the block `seconds` of this clock."""
        limit = asyncio.timeout(None)
        task = asyncio.ensure_future(self._end(limit, seconds))
        self._limits.add(task)
        task.add_done_callback(self._limits.discard)
        return limit

    async def _end(self, limit: asyncio.Timeout, seconds: float) -> None:
        await self.sleep(seconds)
        with suppress(RuntimeError):  # the block has ended long ago
            limit.reschedule(asyncio.get_running_loop().time())

    async def step(self) -> None:
        """Move time on to the tick at which the next wait ends."""
        next_s = self._sleepers[0][0] if self._sleepers else 0.0
        await self.advance(max(TICK_S, next_s - self._elapsed))

    def run_on(self) -> None:
        """Let time go by itself from now on."""

        async def run() -> None:
            while True:
                await self.step()

        self._limits.add(asyncio.ensure_future(run()))

    def stop(self) -> None:
        """Let no time go by any more."""
        for limit in self._limits:
            limit.cancel()


@asynccontextmanager
async def staged_desk(home: Path, clients: int) -> AsyncIterator[Desk]:
    """A desk with so many clients with money, at an exchange in memory whose prices stand still."""
    clock = StageClock()
    exchange = PaperExchange(None, clock, load_calendar())
    listings = universe()
    exchange.list_instruments(listings)
    for symbol in PINNED:
        exchange.pin(symbol, opening_price(symbol))
    try:
        async with compose_desk(
            empty_books(home),
            clock=clock,
            settings=Settings(trader="tester"),
            waits=WAITS,
            exchange=exchange,
            latency=(0.0, 0.0),
            seed=7,
        ) as desk:
            await desk.market.store_instruments([row.instrument for row in listings], "test")
            await desk.clients.add(roster(clients))
            try:
                yield desk
            finally:
                clock.run_on()  # closing waits for calls, and they for time
    finally:
        clock.stop()


async def play(desk: Desk, happened: Callable[[], object], most_s: float) -> float:
    """Let time go on until something has happened; returns how many seconds that took.

    Raises `TimeoutError` once `most_s` of the clock have passed.
    """
    clock = desk.clock
    assert isinstance(clock, StageClock)
    began = clock.monotonic()
    await quiet()
    while not happened():
        if clock.monotonic() - began > most_s:
            raise TimeoutError(f"it has not happened after {most_s:g} s of the clock")
        await clock.step()
        await quiet()
    return clock.monotonic() - began
