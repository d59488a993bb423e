"""Several desks on one database, each with a home and clients of its own, over one exchange."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import Clock, ManualClock
from data.engines.driver import fetch, run
from data.engines.shared.leases import leased_to
from data.leasing.leases import Leases
from data.reference.phases import load_calendar
from data.vocabulary import DeskKind
from data.writing.unit import Unit
from engine.desk import Desk
from tests.books import database_of
from tests.desks import MISSION_PINS, START, WAITS
from tradedesk.compose.brokers.paper import exchange_of, prepare_demo
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

CHANGED = (
    "WITH changed AS (SELECT o.client_id FROM noted n JOIN orders o ON o.id = CAST(n.keys[1] AS BIGINT)"
    " WHERE n.name IN ('orders', 'attempt', 'request') UNION SELECT t.client_id FROM noted n"
    " JOIN txn t ON t.id = CAST(n.keys[1] AS BIGINT) WHERE n.name = 'txn')"
    " SELECT client_id FROM changed"
)
"""Whose orders, attempts, requests and money a batch has changed, as its triggers have noted."""


def note_strays(leases: Leases) -> list[str]:
    """What units change from now on of clients that they hold by no lease, but for what is anybody's."""
    strays, held_to = list[str](), leases.held_to

    def watched(work: Callable[[Unit], Any]) -> Callable[[Unit], Any]:
        inner = held_to(work)

        def unit_of_work(unit: Unit) -> Any:
            before = {int(client_id) for (client_id,) in fetch(unit.connection, CHANGED)}
            result = inner(unit)
            changed = {int(client_id) for (client_id,) in fetch(unit.connection, CHANGED)} - before
            if not unit.of_anybody:
                mine = leased_to(unit, leases.instance_id)
                strays.extend(f"{work}: {one}" for one in sorted(changed - mine))
            return result

        return unit_of_work

    leases.held_to = watched
    return strays


class Firm:
    """A database, an exchange and a clock that several desks share."""

    def __init__(self, folder: Path, address: str, redis: str = "", clock: Clock | None = None) -> None:
        """`clock` is moved by hand unless one is given; `redis` is needed for jobs and hints alone."""
        self.folder, self.address, self.redis = folder, address, redis
        self.clock = ManualClock(START)
        self._by = clock or self.clock

    @asynccontextmanager
    async def desk(
        self, name: str, clients: str, kind: DeskKind = DeskKind.SCRIPT, seed: int = 7, **more: Any
    ) -> AsyncIterator[Desk]:
        """The desk of this name, whose home is its own; `more` are further settings."""
        settings = Settings(
            trader=name, database_url=self.address, desk_clients=clients, redis_url=self.redis, **more
        )
        async with compose_desk(
            self.folder / name,
            kind,
            clock=self._by,
            settings=settings,
            waits=WAITS,
            exchange=PaperExchange(self.folder / "venue.db", self._by, load_calendar()),
            latency=(0.0, 0.0),
            seed=seed,
        ) as desk:
            if (leases := seam(desk).store.leases) is None:
                assert kind is DeskKind.WORKER
                yield desk
                return
            strays = note_strays(leases)
            yield desk
        assert strays == [], "a unit has changed what is another desk's"

    async def make(self) -> None:
        """Lay the demonstration's clients into the books, and let go of them."""
        async with self.desk("maker", "free") as desk:
            await prepare_demo(desk, shares=False)
            for symbol, (last, previous) in MISSION_PINS.items():
                exchange_of(desk).pin(symbol, last, previous)

    def write(self, statement: str, *cells: object) -> None:
        """Write to the books behind the desks' backs, as time or another machine would."""
        engine = database_of(self.folder).writer()
        try:
            with engine.connect() as connection:
                run(connection, statement, cells)
        finally:
            engine.dispose()

    def run_out(self, instance_id: int) -> None:
        """Have the leases of an engine be over, as if it had not been heard of for long."""
        self.write("UPDATE lease_beat SET until_ms = 0 WHERE instance_id = ?", instance_id)
