"""The round of a halt: every client's books read until nothing lives there, whoever sent it."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from brokers.connections import Readers
from brokers.contract import Accepted
from data.repositories.trading.halts import keep_met
from data.store import StoreError, Unit
from data.vocabulary import HaltScope, OrderState
from engine.book.halt_scope import HaltView
from engine.book.kept import Kept
from engine.book.views import OrderView
from engine.execution.changes.cancels import CancelsAsked, ask
from engine.execution.workers import Workers
from engine.halt.broker_books import BrokerBooks
from engine.halt.certificate import (
    CertificateExternal,
    CertificatePassedOver,
    CertificateRow,
    CertificateUnread,
)
from engine.halt.reach import HaltReach, external
from engine.halt.sweep import Before
from engine.market.venues import Venues
from engine.rules import READERS
from engine.timing import Timing

log = logging.getLogger(__name__)


class Round:
    """Reads each client after the halt and after its own last cancel, and cancels what it finds live.

    One that cannot be read is read again, at growing intervals, until `close`.
    """

    def __init__(
        self, kept: Kept, timing: Timing, venues: Venues, workers: Workers, halt: HaltView, before: Before
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._canceller = workers.canceller
        self._watcher = workers.watcher
        self._readers = Readers(kept.book.carrier_of, READERS)
        self.reach = HaltReach(kept, timing, venues, workers, halt, before)
        self.books = BrokerBooks(self.reach, timing, self._readers)
        self._odd_met: set[tuple[int, str]] = set()
        self._ahead_met: set[int] = set()
        self._tasks: dict[int, asyncio.Task[None]] = {}

    # --- reading ---

    async def go_on(self, seconds: float) -> None:
        """Read every client that is not settled, until all are, but no longer than this."""
        for client_id in self.reach.clients:
            under_way = self._tasks.get(client_id)
            going_on = under_way is not None and not under_way.done()
            if not going_on and (not self.is_settled(client_id) or self._odd(client_id)):
                self._tasks[client_id] = asyncio.create_task(self._until_settled(client_id))
        going = [task for task in self._tasks.values() if not task.done()]
        if going:
            patience = asyncio.create_task(self._timing.wall.sleep(seconds))
            everyone = asyncio.create_task(_all(going))
            try:
                await asyncio.wait({everyone, patience}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                everyone.cancel()
                patience.cancel()

    def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks.values():
            task.cancel()

    async def _until_settled(self, client_id: int) -> None:
        waits, clock = self._timing.waits, self._timing.wall
        await self._canceller.first_answers(client_id, waits.cancel_repeat_s)
        pause = waits.halt_readback_s
        while True:
            if client_id in self.reach.of_client:
                await self._read(client_id)
            else:
                async with self._readers.of(client_id):
                    await self._read(client_id)
            if self.is_settled(client_id):
                return
            await clock.sleep(pause)
            pause = min(pause * 2, waits.live_poll_s)

    async def _read(self, client_id: int) -> None:
        """Read a client's books and cancel what is live there and was not asked to end yet."""
        await self._watcher.read(client_id)
        await self._cancel_late(client_id)
        theirs = {
            name: order
            for name, order in self._kept.book.external_orders.get(client_id, {}).items()
            if self.reach.covers_theirs(client_id, order)
        }
        self.reach.met |= {(client_id, name): order for name, order in theirs.items()}
        odd = () if self.reach.halt.scope is HaltScope.SYMBOL else self._odd(client_id)
        names = [*theirs, *(name for name in odd if name and (client_id, name) not in self._odd_met)]
        self._odd_met |= {(client_id, name) for name in odd}
        if names:
            await asyncio.gather(*(self._canceller.cancel_external(client_id, name) for name in names))
            await self._watcher.read(client_id)

    async def _cancel_late(self, client_id: int) -> None:
        """Cancel orders of this desk that have come to live after the halt, and count them in it."""
        if not self.reach.stands:
            return
        late = [o for o in self.reach.live_here(client_id) if not self._canceller.is_cancelling(o.id)]
        if late:
            try:
                asked = await self._kept.store.write(lambda unit: self._ask(unit, late))
            except StoreError as problem:  # asked for again at the next read
                log.error("cancels of orders that came back could not be written: %s", problem)
                await self._canceller.without_store([order.id for order in late])
                return
            for order in late:
                self.reach.count(order)
            self.reach.before.unsent_freed += len(asked.freed)
            self._canceller.carry_out(asked.requests)
            await self._canceller.first_answers(client_id, self._timing.waits.cancel_repeat_s)
            await self._watcher.read(client_id)
        ahead = [o for o in self.reach.live_there(client_id) if o.id not in self._ahead_met]
        self._ahead_met |= {order.id for order in ahead}
        calls = [
            self._canceller.cancel_external(client_id, o.broker_order_id) for o in ahead if o.broker_order_id
        ]
        ends = await asyncio.gather(*calls)
        for order, end in zip(ahead, ends, strict=True):
            if isinstance(end, Accepted):
                self.reach.count(order)
        if ahead:
            await self._watcher.read(client_id)

    def _ask(self, unit: Unit, late: Sequence[OrderView]) -> CancelsAsked:
        """Ask for their cancels, and keep in the halt's row that they are of it."""
        number, before = self.reach.halt.number, self.reach.before
        asked = ask(unit, [order.id for order in late], f"halt {number}", self.reach.halt.by, number)
        orders = {order.id: order.blocked_paise for order in late} | before.orders
        available = {
            order.client_id: self.reach.available(order.client_id) for order in late
        } | before.available
        now = Before(orders, available, before.unsent_freed + len(asked.freed))
        keep_met(unit, number, now.to_json())
        return asked

    def _odd(self, client_id: int) -> set[str]:
        """The ids in rows that could not be read of orders that may live; empty text where a row has none."""
        return {row.broker_order_id for row in self._watcher.odd_rows(client_id) if row.may_live}

    # --- what it has come to ---

    def is_read(self, client_id: int) -> bool:
        """Whether a client's books were read after the halt and after its own last cancel."""
        since = max(self.reach.began, self._canceller.ended_at.get(client_id, self.reach.began))
        return self._watcher.read_since(client_id, since)

    def is_settled(self, client_id: int) -> bool:
        """Whether a client has been read and nothing of it lives in the halt's scope but in odd rows."""
        odd = {row.broker_order_id for row in self._watcher.odd_rows(client_id)}
        ours = any(order.broker_order_id not in odd for order in self.reach.live_here(client_id))
        ours = ours or bool(self.reach.live_there(client_id))
        theirs = any(owner == client_id and self._lives(owner, name) for owner, name in self.reach.met)
        return self.is_read(client_id) and not ours and not theirs

    def is_quiet(self) -> bool:
        """Whether every client is settled: what is left are odd rows, which no reading here ends."""
        return all(self.is_settled(client_id) for client_id in self.reach.clients)

    def is_ended(self) -> bool:
        """Whether every client is settled and no odd row is left that may be of a live order."""
        odd = any(self._odd(client_id) for client_id in self.reach.clients)
        return self.is_quiet() and not odd and not self.reach.lost()

    def unread_rows(self) -> tuple[CertificateRow, ...]:
        """The rows that could not be read in the order books that were."""
        return tuple(
            CertificateRow(
                client_id, self.reach.code(client_id), row.words, row.broker_order_id, row.may_live
            )
            for client_id in self.reach.clients
            for row in self._watcher.odd_rows(client_id)
        )

    def only_doubt(self) -> bool:
        """Whether nothing that is left can be ended by reading on here.

        Left then are orders whose sends are in doubt, and clients for whom something is missing here that
        their broker must be asked with.
        """
        doubt = (OrderState.SENDING, OrderState.UNKNOWN)
        for client_id in self.reach.clients:
            if self.is_settled(client_id) or self._watcher.was_not_asked(client_id):
                continue
            live = self.reach.live_here(client_id)
            doubtful = all(o.state in doubt and o.broker_order_id is None for o in live)
            doubtful = doubtful and not self.reach.live_there(client_id)
            strange = any(owner == client_id and self._lives(owner, name) for owner, name in self.reach.met)
            if not self.is_read(client_id) or not doubtful or strange:
                return False
        return True

    def unread(self, final: bool) -> tuple[CertificateUnread, ...]:
        """The clients who were not read, with the broker's words; a final word leaves none without."""
        tried = self.reach.tried_of()
        return tuple(self.reach.unread(c, tried[c], final) for c in self.reach.clients if not self.is_read(c))

    def _lives(self, client_id: int, name: str) -> bool:
        return name in self._kept.book.external_orders.get(client_id, {})

    def passed_over(self) -> tuple[CertificatePassedOver, ...]:
        """Live orders of these clients that the desk does not trade and no cancel here touches."""
        return tuple(
            self.reach.passed_over(c, one) for c in self.reach.clients for one in self._watcher.passed_over(c)
        )

    def external(self) -> tuple[CertificateExternal, ...]:
        """What has become of each order met that this desk had not sent."""
        return tuple(external(one, order, self._lives(*one)) for one, order in sorted(self.reach.met.items()))


async def _all(tasks: "Iterable[asyncio.Task[None]]") -> None:
    await asyncio.wait(list(tasks))
