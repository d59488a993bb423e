"""Clients' books read at their brokers by whoever has no lease on them: kept with an age, and nothing booked.

Whoever has the client takes it up: what agrees counts as compared, what differs it reads itself.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence

from brokers.connections import Readers
from brokers.contract import BrokerOrder
from data.repositories.accounts.comparisons import figures_of
from data.repositories.accounts.readings import ClientRead, keep_readings
from data.store import Unit
from data.vocabulary import ReadingSays
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.reconciliation.differences import Difference, Theirs, look
from engine.rules import READERS
from engine.timing import Timing

log = logging.getLogger(__name__)


class BooksReading:
    """Reads books for other desks, within the brokers' budgets for reads."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, venues: Venues) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._readers = Readers(kept.book.carrier_of, READERS)

    async def read(self, client_ids: Collection[int]) -> list[ClientRead]:
        """Read and keep what these clients' brokers say; of whom nothing could be read nothing is kept.

        Raises `StoreError`.
        """
        found = await asyncio.gather(*map(self._theirs, sorted(client_ids)))
        theirs = {one: read for one, read in zip(sorted(client_ids), found, strict=True) if read is not None}
        return await self._kept.store.write(lambda unit: self._keep(unit, theirs)) if theirs else []

    async def _theirs(self, client_id: int) -> Theirs | None:
        """Money and shares between two looks at the order book; bracketed where no order moved meanwhile."""
        began = self._timing.wall.now()
        try:
            async with self._readers.of(client_id):
                broker, account = self._connections.broker_of(client_id)
                async with self._timing.wall.timeout(self._timing.waits.read_timeout_s):
                    before = await broker.orders(account)
                    holdings = await broker.holdings(account)
                    funds = await broker.funds(account)
                    after = await broker.orders(account)
        except Exception as problem:  # whatever it was, nothing is known
            log.warning("the books of client %s cannot be read: %s", client_id, type(problem).__name__)
            return None
        still = not before.unread and not after.unread and self._as_booked(client_id, after)
        return Theirs(funds, holdings, began, bracketed=still and list(before) == list(after))

    def _as_booked(self, client_id: int, orders: Sequence[BrokerOrder]) -> bool:
        """Whether all that traded of our orders there is booked here."""
        book = self._kept.book
        for order in orders:
            number = book.known_as(client_id, order.broker_order_id)
            if number is not None and book.orders[number].filled_quantity != order.filled_quantity:
                return False
        return True

    def _keep(self, unit: Unit, theirs: dict[int, Theirs]) -> list[ClientRead]:
        day, index = self._timing.market.trading_day, self._market_data.index
        differ, ours = look(unit, theirs, self._timing, index), figures_of(unit, theirs)
        made = [
            ClientRead(
                client_id=one,
                trading_date=day,
                read_at=read.began,
                says=_says(read, differ[one]),
                theirs_paise=read.funds.available_paise + read.funds.blocked_paise,
                ours_paise=ours[one].available_paise + ours[one].blocked_paise,
                differences=len(differ[one] or ()),
            )
            for one, read in theirs.items()
        ]
        keep_readings(unit, made)
        return made


def _says(read: Theirs, differ: Sequence[Difference] | None) -> ReadingSays:
    if differ is None or not read.bracketed or read.holdings.unread:
        return ReadingSays.MOVING
    return ReadingSays.DIFFERS if differ else ReadingSays.AGREES
