"""Writers of a rehearsal: engines without screens at an exchange in memory, several a process.

    python -m tradedesk.rehearsal.writers FOLDER DATABASE FIRST BEHIND CLIENTS

Each plans, reserves, sends and books for clients of its own as fast as its books take it: the desk's own
units on the firm's kind of server, and nothing of a broker's time.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from data.clock import SystemClock
from data.engines.counting import StatementCounts
from data.records import replace
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import DeskKind, Product, Side, SizingKind
from engine.desk import Desk
from engine.planning.intent import Intent, Selection, Sizing
from engine.refusals import Refusal
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.rehearsal.lines import answer_lines
from tradedesk.rehearsal.people import CASH_PAISE, clients_of_firm, group_of, user_of

PAPER = "paper"
KEY = "NSE:INFY"
BOOKED_S = 60.0
LATE_S = 0.2


@asynccontextmanager
async def writer(folder: Path, database: str, clients: str, exchange: PaperExchange) -> AsyncIterator[Desk]:
    """An engine of a home of its own, with these clients."""
    settings = Settings(trader=clients.removeprefix("g:"), database_url=database, desk_clients=clients)
    home = folder / settings.trader
    async with compose_desk(
        home, DeskKind.APP, settings=settings, exchange=exchange, latency=(0.0, 0.0)
    ) as desk:
        yield desk


async def make_writers(folder: Path, database: str, writers: int, each: int) -> None:
    """Lay the clients of so many writers into empty books."""
    async with writer(folder, database, "free", _exchange(range(0))) as desk:
        await desk.market.store_instruments([row.instrument for row in universe()], "rehearsal")
        await desk.clients.add([replace(one, broker=PAPER) for one in clients_of_firm(writers, each)])


def _exchange(clients: range) -> PaperExchange:
    made = PaperExchange(None, SystemClock(), load_calendar(), seed=clients.start)
    made.list_instruments(universe())
    made.open_accounts(AccountOpening(user_of(number), CASH_PAISE) for number in clients)
    return made


class Writers:
    """What is asked of those of a process."""

    def __init__(self, desks: list[Desk]) -> None:
        self._desks = desks
        self._counts = StatementCounts()
        self._clock = SystemClock()

    async def write(self, seconds: float) -> object:
        """Write for so long; tells how many orders were booked, in how many commits and statements."""
        self._counts.begin_again()
        until = self._clock.monotonic() + seconds
        orders = sum(await asyncio.gather(*(self._write(desk, until) for desk in self._desks)))
        took = self._clock.monotonic() - until + seconds
        return {
            "orders": orders,
            "seconds": took,
            "commits": self._counts.commits,
            "statements": self._counts.statements,
        }

    async def _write(self, desk: Desk, until: float) -> int:
        orders = 0
        while self._clock.monotonic() < until:
            plan = await desk.plans.freeze(
                Intent(
                    side=Side.BUY,
                    key=KEY,
                    sizing=Sizing(SizingKind.FIXED_QUANTITY, 1),
                    product=Product.CNC,
                    selection=Selection(),
                    again=True,
                )
            )
            try:
                run = await desk.runs.start(plan, plan.digest)
            except Refusal:  # a price that came late on a machine that has much to do
                await self._clock.sleep(LATE_S)
                continue
            await desk.runs.settled(run.number, BOOKED_S)
            orders += len(run.order_ids)
        return orders


async def _serve(folder: Path, database: str, writers: range, each: int) -> None:
    exchange = _exchange(range(1 + (writers.start - 1) * each, 1 + (writers.stop - 1) * each))
    async with AsyncExitStack() as stack:
        desks = [
            await stack.enter_async_context(writer(folder, database, f"g:{group_of(one)}", exchange))
            for one in writers
        ]
        await answer_lines({"write": Writers(desks).write})


if __name__ == "__main__":
    first, behind, each = map(int, sys.argv[3:6])
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2], range(first, behind), each))
