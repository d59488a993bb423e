"""A desk whose time moves only when nothing is left to do, so that how long things take is the clock's alone.

One run may then be compared with another however busy the machine is.
"""

import asyncio
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
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import open_desk
from tradedesk.testing import seam

STEP_S = 0.05
"""How far time moves at once."""


class StageClock(ManualClock):
    """A clock moved by hand whose time-outs are of its own time too."""

    def __init__(self) -> None:
        super().__init__(START)
        self._limits: set[asyncio.Task[None]] = set()

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

    def run_on(self) -> None:
        """Let time go by itself from now on."""

        async def run() -> None:
            while True:
                await self.advance(STEP_S)

        self._limits.add(asyncio.ensure_future(run()))


@asynccontextmanager
async def staged_desk(home: Path, clients: int) -> AsyncIterator[Desk]:
    """A desk with so many clients with money, at an exchange in memory whose prices stand still."""
    clock = StageClock()
    exchange = PaperExchange(None, clock, load_calendar())
    listings = universe()
    exchange.list_instruments(listings)
    for symbol in PINNED:
        exchange.pin(symbol, opening_price(symbol))
    async with open_desk(
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


async def still(desk: Desk) -> None:
    """Return when everything that needs no time has been done."""
    rounds = 0
    while rounds < 2:
        before = desk.commits
        await seam(desk).store.write(lambda unit: None)
        for _ in range(30):
            await desk.clock.sleep(0)
        rounds = rounds + 1 if desk.commits == before + 1 else 0


async def play(desk: Desk, happened: Callable[[], object], most_s: float) -> float:
    """Let time go on until something has happened; returns how many seconds that took.

    Raises `TimeoutError` once `most_s` of the clock have passed.
    """
    clock = desk.clock
    assert isinstance(clock, StageClock)
    began = clock.monotonic()
    await still(desk)
    while not happened():
        if clock.monotonic() - began > most_s:
            raise TimeoutError(f"it has not happened after {most_s:g} s of the clock")
        await clock.advance(STEP_S)
        await still(desk)
    return clock.monotonic() - began
