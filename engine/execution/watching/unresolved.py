"""Resolving doubt: what reads of a client's order book prove of orders and modifies that are UNKNOWN.

An order is proven absent by enough complete reads that do not hold it, the first and the last of them far
enough after the send. Whatever no reading can settle goes to the trader; nothing is ever sent again here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from brokers.contract import BrokerOrder, BrokerRows
from data.clock import span_words
from data.vocabulary import OrderState
from engine.book.kept import Kept
from engine.book.views import OrderView
from engine.booking.facts import ChangeAbsent, Fact, InDoubt, ProvenAbsent
from engine.booking.states import Flag
from engine.timing import Timing


@dataclass(slots=True)
class Doubt:
    """What reads have shown so far of one order in doubt; `since` is when its call must have ended."""

    since: datetime
    reads: list[datetime] = field(default_factory=list[datetime])

    def words(self) -> str:
        """The evidence as it is stored and shown."""
        if not self.reads:
            return "no complete read of the order book yet"
        first, last = ((read - self.since).total_seconds() for read in (self.reads[0], self.reads[-1]))
        return (
            f"missing from {len(self.reads)} complete reads of the order book, "
            f"{span_words(first)} to {span_words(last)} after the call's deadline"
        )


class Resolver:
    """Gathers evidence about orders in doubt, read by read. It keeps nothing over a restart."""

    def __init__(self, kept: Kept, timing: Timing) -> None:
        self._kept = kept
        self._timing = timing
        self._orders: dict[int, Doubt] = {}
        self._changes: dict[tuple[int, int], Doubt] = {}
        self._external_seen: dict[tuple[int, str], datetime] = {}
        self._day = timing.market.trading_day

    @property
    def changes_followed(self) -> int:
        """Of how many changes that may have been lost there is evidence."""
        return len(self._changes)

    def evidence(self, order_id: int) -> str:
        """What reads have shown of an order in doubt, in words; empty before the first."""
        doubt = self._orders.get(order_id)
        return "" if doubt is None else doubt.words()

    def session_lost(self, client_id: int) -> None:
        """Start the evidence about a client anew: it must come from one valid session."""
        self._forget(client_id, set())

    def book_read(self, client_id: int, orders: BrokerRows[BrokerOrder], at: datetime) -> list[Fact]:
        """What a successful read of a client's order book, begun at `at`, says of its orders in doubt."""
        unknown = self._in_doubt(client_id)
        self._forget(client_id, {order.id for order in unknown})
        external = self._note_external(client_id, orders, at)
        if not unknown:
            return []
        complete = self._complete(client_id, orders)
        tags = {tag for order in orders for tag in order.tags}
        facts: list[Fact] = []
        for order in unknown:
            if order.tag in tags:
                continue  # the same read books it
            doubt = self._orders.setdefault(order.id, Doubt(self._deadline(order)))
            if complete and at >= doubt.since + timedelta(seconds=self._timing.waits.absent_first_s):
                doubt.reads.append(at)
            alike = [
                other
                for other in external
                if self._external_seen[client_id, other.broker_order_id]
                >= (order.sent_at or order.created_at)
                and _alike(order, other)
            ]
            facts += self._verdict(order, doubt, alike, at)
        return facts

    def _verdict(
        self, order: OrderView, doubt: Doubt, alike: Sequence[BrokerOrder], at: datetime
    ) -> list[Fact]:
        waits = self._timing.waits
        if alike:
            names = ", ".join(other.broker_order_id for other in alike)
            return [InDoubt(order.id, f"the broker has an order of the same kind without our tag: {names}")]
        proven = (
            len(doubt.reads) >= waits.absent_reads
            and doubt.reads[-1] >= doubt.since + timedelta(seconds=waits.absent_last_s)
            and order.trading_date >= self._timing.market.trading_day
        )
        if proven:
            return [ProvenAbsent(order.id, doubt.words())]
        return []

    def overdue(self, unknown: Iterable[OrderView], now: datetime) -> list[Fact]:
        """Those UNKNOWN orders whose doubt has lasted too long, whatever could be read: the trader's now."""
        late = timedelta(seconds=self._timing.waits.trader_after_s)
        return [
            InDoubt(order.id, f"{self._orders.get(order.id, Doubt(now)).words()}; the broker's app can tell")
            for order in unknown
            if now >= self._deadline(order) + late and Flag.NEEDS_HUMAN.value not in order.flags
        ]

    def changes(
        self, client_id: int, orders: Sequence[BrokerOrder], open_changes: dict[int, int], at: datetime
    ) -> list[Fact]:
        """What a read proves of modifies in doubt that it does not show; one that it shows is confirmed.

        `open_changes` maps the client's orders to the numbers of those requests; of others, which are done,
        what reads have shown is forgotten.
        """
        book = self._kept.book
        for done in [
            (order_id, number)
            for order_id, number in self._changes
            if self._is_of(order_id, client_id) and open_changes.get(order_id) != number
        ]:
            del self._changes[done]
        facts: list[Fact] = []
        seen = {order.broker_order_id for order in orders}
        waits = self._timing.waits
        for order_id, number in open_changes.items():
            order = book.orders[order_id]
            if order.broker_order_id not in seen:
                continue
            doubt = self._changes.setdefault((order_id, number), Doubt(at))
            if at >= doubt.since + timedelta(seconds=waits.absent_first_s):
                doubt.reads.append(at)
            late = doubt.since + timedelta(seconds=waits.absent_last_s)
            if len(doubt.reads) >= waits.absent_reads and doubt.reads[-1] >= late:
                facts.append(ChangeAbsent(order_id, number, doubt.words()))
        return facts

    def read_due(self, unknown: Iterable[OrderView], last_read: datetime) -> datetime | None:
        """When the book of a client with these UNKNOWN orders is read next; None where there are none."""
        waits = self._timing.waits
        moments: list[datetime] = []
        for order in unknown:
            sent = order.sent_at or order.created_at
            steps = (sent + timedelta(seconds=step) for step in waits.resolve_after_s)
            regular = last_read + timedelta(seconds=waits.live_poll_s)
            moments.append(next((step for step in steps if step > last_read), regular))
        return min(moments) if moments else None

    def _in_doubt(self, client_id: int) -> list[OrderView]:
        """A client's UNKNOWN orders."""
        book = self._kept.book
        ids = book.orders_of_client.get(client_id, set()) & book.live
        return [o for o in (book.orders[i] for i in sorted(ids)) if o.state is OrderState.UNKNOWN]

    def _deadline(self, order: OrderView) -> datetime:
        """When the call that sent an order must have ended, whatever became of it."""
        return (order.sent_at or order.created_at) + timedelta(seconds=self._timing.waits.send_timeout_s)

    def _complete(self, client_id: int, orders: BrokerRows[BrokerOrder]) -> bool:
        """Whether a read holds every order of the day that is known to be at the broker, and no odd row."""
        if orders.unread:
            return False
        book, day = self._kept.book, self._timing.market.trading_day
        known = {
            order.broker_order_id
            for order in (book.orders[i] for i in book.orders_of_client.get(client_id, ()))
            if order.broker_order_id and order.trading_date >= day
        }
        known |= {name for owner, name in self._external_seen if owner == client_id}
        return known <= {order.broker_order_id for order in orders}

    def _note_external(
        self, client_id: int, orders: Sequence[BrokerOrder], at: datetime
    ) -> list[BrokerOrder]:
        """The orders of a read that are not ours, each with the time it was first seen."""
        book, day = self._kept.book, self._timing.market.trading_day
        if day != self._day:
            self._day = day
            self._external_seen.clear()
        external = [
            order
            for order in orders
            if book.known_as(client_id, order.broker_order_id) is None
            and not any(tag in book.by_tag for tag in order.tags)
        ]
        for order in external:
            self._external_seen.setdefault((client_id, order.broker_order_id), at)
        return external

    def _forget(self, client_id: int, still: set[int]) -> None:
        for order_id in [i for i in self._orders if self._is_of(i, client_id) and i not in still]:
            del self._orders[order_id]

    def _is_of(self, order_id: int, client_id: int) -> bool:
        """Whether an order is a client's, or no longer in the book, as where another desk has its client."""
        order = self._kept.book.orders.get(order_id)
        return order is None or order.client_id == client_id


def _alike(order: OrderView, other: BrokerOrder) -> bool:
    """Whether an external order could be our order with its tag lost.

    Type, price and protection say nothing: brokers rewrite them.
    """
    return (
        f"{other.exchange}:{other.tradingsymbol}" in (order.key, order.sent_key)
        and other.side is order.side
        and other.quantity == order.quantity
    )
