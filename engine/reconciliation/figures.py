"""What a broker says a client has: its order book, then money and shares, and the order book behind them."""

import logging

from brokers.contract import BrokerHolding, BrokerRows
from data.records import replace
from engine.book.kept import Kept
from engine.booking.states import Flag
from engine.booking.unread import HOLDINGS, keep_unread
from engine.events import OwedChanged
from engine.execution.day_end import end_left_over, left_over
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.reconciliation.differences import Theirs, authorised_shares, owed_shares
from engine.timing import Timing

log = logging.getLogger(__name__)


class FiguresRead:
    """Reads what is compared; a read that fails changes nothing."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, venues: Venues, workers: Workers
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._workers = workers

    async def read(self, client_id: int) -> Theirs | None:
        """Read everything that is compared; None where something could not be read."""
        began = self._timing.wall.now()
        if not await self._workers.watcher.read(client_id):
            return None
        await self._end_left_over(client_id)
        try:
            broker, account = self._connections.broker_of(client_id)
            async with self._timing.wall.timeout(self._timing.waits.read_timeout_s):
                holdings = await broker.holdings(account)
                funds = await broker.funds(account)
        except Exception as problem:  # whatever it was, nothing is known, and nothing changes
            self._read_ended(client_id, problem)
            return None
        self._read_ended(client_id, None)
        self._kept.book.authorised[client_id] = authorised_shares(holdings, self._market_data.index)
        self._take_owed(client_id, holdings)
        await self._workers.recorder.flush()
        await keep_unread(
            self._kept, self._timing.market, self._engine.actor, client_id, {HOLDINGS: holdings.unread}
        )
        return Theirs(funds, holdings, began)

    async def bracketed(self, client_id: int, theirs: Theirs) -> Theirs | None:
        """Read the order book behind money and shares; None where it cannot be read.

        They are several calls, and an order may have traded between two of them. While one lives, the book is
        given the time within which it has to show that.
        """
        book, watcher, wall = self._kept.book, self._workers.watcher, self._timing.wall
        if book.live & book.orders_of_client.get(client_id, set()):
            await wall.sleep(self._timing.waits.quiet_s)
        moment = wall.monotonic()
        while await watcher.read(client_id):
            if watcher.read_since(client_id, moment):  # and is not one that was under way already
                return replace(theirs, bracketed=True)
        return None

    def _read_ended(self, client_id: int, problem: Exception | None) -> None:
        what, now = f"the figures of client {client_id}", self._timing.wall.now()
        self._connections.read_ended(log, client_id, what, problem, now)

    def _take_owed(self, client_id: int, holdings: BrokerRows[BrokerHolding]) -> None:
        """Know what a client owes, and tell where that is something else than before."""
        owed, book = owed_shares(holdings, self._market_data.index), self._kept.book
        if owed != book.owed.get(client_id, ()):
            book.owed[client_id] = owed
            self._kept.bus.publish([OwedChanged(client_id)])

    async def _end_left_over(self, client_id: int) -> None:
        """End a client's orders of the days before, now that its order book of today has been read.

        A broker holds no money for them, so that neither may we before both are compared.
        """
        book = self._kept.book
        live = book.live & book.orders_of_client.get(client_id, set())
        left = {
            order_id
            for order_id in left_over(self._kept.book, self._timing, live)
            if Flag.NEEDS_HUMAN.value not in book.orders[order_id].flags
        }
        if left:
            await end_left_over(self._kept.store, self._timing, self._engine.actor, left)
