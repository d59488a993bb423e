"""Writers beside each other on one ledger: each a store of its own with clients that it reserves for."""

import random
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from sqlalchemy import Connection

from data.clock import Clock
from data.engines.database import Database
from data.engines.shared.gate import GateMode
from data.errors import StoreBusy
from data.ledger import Line, Transfer, post
from data.records import values_of
from data.store import Store, Unit
from data.tables.books import Client, Funds
from data.tables.market import InstrumentRecord
from data.vocabulary import Account, Side, TransferKind
from engine.days import roll_day
from engine.execution.changes.cancels import ask
from tests.bookkeeping import STOCKS, Ledger

T = TypeVar("T")

RICH_PAISE = 10_00_00_000_00
"""What each client has: enough for whatever a test or a bench reserves."""

PRICE_PAISE = 2_400_00


class Seat(Ledger):
    """A desk's own reservations and cancels, in units of a store."""

    def __init__(self, clients: Collection[int]) -> None:
        super().__init__(cast(Connection, None))
        self.clients = list(clients)
        self._unit = cast(Unit, None)
        for one in self.clients:
            self.projection.clients[one] = SimpleNamespace(
                id=one, code=f"AA{one:04}", broker="zerodha", groups=(), connection="", discretionary=True
            )

    def unit(self) -> Unit:
        return self._unit

    def within(self, unit: Unit) -> "Seat":
        """Itself in a unit of a store."""
        self._unit, self.connection = unit, unit.connection
        return self

    def buy(self, unit: Unit) -> list[int]:
        """Reserve an order for each of its clients, as one run; returns their numbers."""
        wanted = dict.fromkeys(self.clients, 1)
        return sorted(self.within(unit).release(Side.BUY, wanted, PRICE_PAISE).values())


def open_clients(unit: Unit, clients: Sequence[int]) -> None:
    """Have these clients, with money, and the stocks that they trade."""
    unit.insert(InstrumentRecord, [values_of(one) for one in STOCKS.values()])
    unit.insert(
        Client,
        [
            {
                "id": one,
                "code": f"AA{one:04}",
                "name": "A Client",
                "broker": "zerodha",
                "broker_user_id": f"ZA{one:04}",
                "status": "active",
                "session": "ok",
                "capital_paise": RICH_PAISE,
                "created_at": unit.now,
                "updated_at": unit.now,
            }
            for one in clients
        ],
    )
    unit.insert(Funds, [{"client_id": one, "mtf_limit_paise": 0} for one in clients])
    seat = Seat(clients)
    lines = [Line(Account.AVAILABLE, RICH_PAISE), Line(Account.EXTERNAL, -RICH_PAISE)]
    opened = [Transfer(one, TransferKind.OPENING, seat.day, lines, evidence="test") for one in clients]
    post(unit, opened)
    roll_day(unit, seat.day, seat.timing.calendar, "tester")


@asynccontextmanager
async def stores_beside(
    path: Path, database: Database, clock: Clock, count: int
) -> AsyncIterator[list[Store]]:
    """So many stores on one database, each of its own number."""
    async with AsyncExitStack() as stack:
        stores: list[Store] = []
        for number in range(1, count + 1):
            store = Store(path, clock, database=database)
            await store.open()
            stack.push_async_callback(store.close)
            store.desk = number
            await store.write(lambda unit: unit.chain)  # the next has the next chain
            stores.append(store)
        yield stores


async def persistent(store: Store, unit: Callable[[Unit], T], mode: GateMode) -> T:
    """Write a unit however long others keep the gate, as behind one lock a hundred do."""
    while True:
        try:
            return await store.write(unit, mode)
        except StoreBusy:
            continue


async def work(store: Store, seat: Seat, rounds: int, dice: random.Random, mode: GateMode) -> int:
    """Reserve and free so often, some orders staying reserved; returns how many commits were asked for."""
    commits = 0
    for _ in range(rounds):
        ids = await persistent(store, seat.buy, mode)
        freed = dice.sample(ids, len(ids) // 2)
        done: Any = await persistent(
            store, lambda unit, freed=freed: ask(unit, freed, "cancelled", "tester"), mode
        )
        assert sorted(done.freed) == sorted(freed)
        commits += 2
    return commits
