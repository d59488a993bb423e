"""A halt by the brokers' own books alone: cancelled and read back where nothing can be written."""

import asyncio
from collections.abc import Collection, Sequence

from msgspec import Struct

from brokers.connections import Readers
from brokers.contract import Accepted, BrokerOrder, BrokerRows, Outcome
from data.vocabulary import HaltScope
from engine.book.views import OrderView
from engine.execution.watching.book_reads import MAY_LIVE
from engine.halt.certificate import (
    CertificateExternal,
    CertificatePassedOver,
    CertificateRow,
    CertificateUnread,
)
from engine.halt.reach import HaltReach, external
from engine.halt.sweep import Sent
from engine.timing import Timing


class FromBooks(Struct, frozen=True):
    """What cancels came to that nothing could be written of.

    `others` counts live orders beside those that the desk's books have, `taken` all cancels brokers took.
    """

    taken: int
    others: int


class BrokerBooks:
    """The brokers' books of a halt's clients as last read; nothing of them is booked."""

    def __init__(self, reach: HaltReach, timing: Timing, readers: Readers) -> None:
        self._reach = reach
        self._timing = timing
        self._readers = readers
        self._canceller = reach.canceller
        self._watcher = reach.watcher
        self._read: dict[int, tuple[float, BrokerRows[BrokerOrder]]] = {}

    async def cancel_all(self) -> FromBooks:
        """Cancel what lives in the scope once, by the desk's books and by the brokers', writing nothing."""
        taken = await self._canceller.without_store(self._reach.before.orders)
        looked = await asyncio.gather(*(self._cancel_in(c, taken) for c in self._reach.clients))
        others = [end for ends in looked if ends is not None for end in ends]
        more = sum(isinstance(end, Accepted) for end in others)
        return FromBooks(len(taken) + more, len(others))

    async def _cancel_in(
        self, client_id: int, taken: Collection[tuple[int, str]]
    ) -> Sequence[Outcome] | None:
        """How cancels ended of what else a client's own book shows live; None where it cannot be read."""
        orders = await self._look(client_id)
        if orders is None:
            return None
        book = self._reach.book
        live = [one.broker_order_id for one in self._live_in(client_id)]
        ours = {name: book.known_as(client_id, name) for name in live}
        late = {name: i for name, i in ours.items() if i is not None and i not in self._reach.before.orders}
        for order_id in late.values():
            self._reach.count(book.orders[order_id])
        theirs = {
            (client_id, order.broker_order_id): order
            for order in self._live_in(client_id)
            if (client_id, order.broker_order_id) not in taken and ours[order.broker_order_id] is None
        }
        self._reach.met |= theirs
        names = [*late, *(name for _, name in theirs)]
        if self._reach.halt.scope is not HaltScope.SYMBOL:
            names += [row.broker_order_id for row in orders.unread if row.may_live and row.broker_order_id]
        return await asyncio.gather(*(self._canceller.cancel_external(client_id, name) for name in names))

    async def _look(self, client_id: int) -> BrokerRows[BrokerOrder] | None:
        """A client's own book, booked nowhere; None where it cannot be read."""
        moment = self._timing.wall.monotonic()
        async with self._readers.of(client_id):
            orders = await self._watcher.book_of(client_id)
        if orders is not None:
            self._read[client_id] = (moment, orders)
        return orders

    async def read_back(self) -> None:
        """After `cancel_all`, read the brokers' books until nothing lives there or the deadline.

        A client whose broker cannot be asked from here is not waited for.
        """
        deadline, left = self._timing.wall.monotonic() + self._reach.deadline_s(), self._reach.clients
        while True:
            await asyncio.gather(*(self._look(client_id) for client_id in left))
            left = [c for c in left if not (self._is_quiet_in_book(c) or self._watcher.was_not_asked(c))]
            if not left or self._timing.wall.monotonic() >= deadline:
                return
            await self._timing.wall.sleep(self._timing.waits.halt_readback_s)

    @property
    def orders(self) -> Collection[int]:
        """The orders of the halt."""
        return self._reach.before.orders

    @property
    def tried(self) -> set[int]:
        """Orders of which no cancel has left this machine."""
        return self._canceller.tried

    @property
    def sent(self) -> Sent:
        """When the first and the latest cancel of each order left."""
        return self._canceller.sent

    def _live_in(self, client_id: int) -> list[BrokerOrder]:
        """The orders in the halt's scope that live in a client's book as last read."""
        return [
            order
            for order in self._book_of(client_id)
            if order.status in MAY_LIVE and self._reach.covers_theirs(client_id, order)
        ]

    def _book_of(self, client_id: int) -> BrokerRows[BrokerOrder]:
        return self._read[client_id][1] if client_id in self._read else BrokerRows[BrokerOrder]()

    def _is_read_in_book(self, client_id: int) -> bool:
        """Whether a client's book was read after its own last cancel."""
        read_at = self._read[client_id][0] if client_id in self._read else float("-inf")
        return read_at >= self._canceller.ended_at.get(client_id, self._reach.began)

    def _is_quiet_in_book(self, client_id: int) -> bool:
        odd = any(row.may_live for row in self._book_of(client_id).unread)
        return self._is_read_in_book(client_id) and not self._live_in(client_id) and not odd

    def are_quiet(self) -> bool:
        """Whether every client's book was read after its last cancel and nothing lives there."""
        return (
            all(self._is_quiet_in_book(client_id) for client_id in self._reach.clients)
            and not self._reach.lost()
        )

    def in_book(self, order: OrderView) -> BrokerOrder | None:
        """One of our orders as its client's book has it; None where it was not read, or is not there."""
        if not self._is_read_in_book(order.client_id):
            return None
        for one in self._book_of(order.client_id):
            if one.broker_order_id == order.broker_order_id or (order.tag and order.tag in one.tags):
                return one
        return None

    def unread(self) -> tuple[CertificateUnread, ...]:
        """The clients whose books were not read, with the broker's words."""
        tried = self._reach.tried_of()
        return tuple(
            self._reach.unread(c, tried[c], True) for c in self._reach.clients if not self._is_read_in_book(c)
        )

    def unread_rows(self) -> tuple[CertificateRow, ...]:
        """The rows that could not be read in the books that were."""
        return tuple(
            CertificateRow(c, self._reach.code(c), row.words, row.broker_order_id, row.may_live)
            for c in self._reach.clients
            for row in self._book_of(c).unread
        )

    def passed_over(self) -> tuple[CertificatePassedOver, ...]:
        """Live orders in the books read that the desk does not trade and no cancel here touches."""
        return tuple(
            self._reach.passed_over(c, one)
            for c in self._reach.clients
            for one in self._book_of(c).passed_over
        )

    def external(self) -> tuple[CertificateExternal, ...]:
        """What has become, by the books read, of each order met that this desk had not sent."""
        live = {(c, order.broker_order_id) for c in self._reach.clients for order in self._live_in(c)}
        return tuple(external(one, order, one in live) for one, order in sorted(self._reach.met.items()))
