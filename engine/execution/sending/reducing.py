"""What may leave under a halt of strength `reduce`: orders that make a client's position smaller.

The position is read again: only one that this engine has compared with the broker since the halt, and not
long ago, is known. Of our figure and the broker's the smaller counts, and every order that may still trade
counts as if it had, whoever sent it, so that all of them together never turn a position.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from enum import Enum
from typing import TypeAlias

from data.audit import AuditAction
from data.reference.instrument_index import InstrumentIndex
from data.repositories.accounts.comparisons import last_comparisons, shares_of
from data.repositories.trading.orders import leaves_of
from data.store import Unit
from data.vocabulary import BreakKind, Product, Reason, Side
from engine.book.book import Book
from engine.book.halt_scope import HaltView
from engine.book.reading import read_breaks
from engine.booking.order import WorkingOrder
from engine.booking.states import OrderEvent
from engine.booking.working_set import WorkingSet
from engine.instances import ThisEngine
from engine.timing import Timing

Going: TypeAlias = tuple[int, str, Product, Side]
"""A client's orders in a security and product to one side."""

_UNKNOWN = (BreakKind.UNREAD, BreakKind.FACT)
"""Differences under which a position is not known: something that the broker told is not in our books."""


class Leaving(Enum):
    """What a halt of strength `reduce` says to an order."""

    MAY = "may"
    MAY_NOT = "may not"
    """It would add to the position or turn it."""
    UNREAD = "unread"
    """The position has not been read since the halt, or too long ago."""


def reduces(net: int, side: Side, quantity: int, going: int) -> bool:
    """Whether an order leaves a net position smaller and on its side, after `going` shares of others like it.

    `net` is positive where shares are held, negative where they are owed.
    """
    against = net if side is Side.SELL else -net
    return quantity <= against - going


class Reducing:
    """The positions of the clients of one claim, and what each may still send against them."""

    def __init__(
        self,
        unit: Unit,
        book: Book,
        timing: Timing,
        engine: ThisEngine,
        index: InstrumentIndex,
        client_ids: Collection[int],
    ) -> None:
        self._book, self._index = book, index
        now = timing.wall.now()
        oldest = now - timedelta(seconds=timing.waits.position_valid_s)
        day = timing.market.trading_day
        self._read_at = {
            one.client_id: one.at
            for one in last_comparisons(unit, client_ids)
            if one.instance_id == engine.id and one.trading_date == day and oldest <= one.at <= now
        }
        self._held = shares_of(unit, client_ids)
        self._breaks = read_breaks(unit, client_ids)
        self._going = Counter[Going]()
        for one in leaves_of(unit, client_ids):
            self._going[one.client_id, one.security, one.product, one.side] += one.quantity

    def look_at(self, order: WorkingOrder, halts: Sequence[HaltView]) -> Leaving:
        """Whether an order may leave under halts that are over it."""
        breaks = self._breaks.get(order.client_id, ())
        read_at = self._read_at.get(order.client_id)
        if read_at is None or any(read_at <= halt.at for halt in halts):
            return Leaving.UNREAD
        if any(one.kind in _UNKNOWN for one in breaks):
            return Leaving.UNREAD
        net, going = self._net(order), self._going[_going(order)] + self._external(order)
        return Leaving.MAY if reduces(net, order.side, order.quantity, going) else Leaving.MAY_NOT

    def take(self, order: WorkingOrder) -> None:
        """Count an order that leaves among those that may trade."""
        self._going[_going(order)] += order.quantity

    def _net(self, order: WorkingOrder) -> int:
        what = (order.security, order.product.value)
        held = self._held.get(order.client_id, ())
        ours = sum(one.quantity for one in held if (one.security, one.product) == what)
        beyond = [
            one.theirs - one.ours
            for one in self._breaks.get(order.client_id, ())
            if one.kind is BreakKind.SHARES and (one.security, one.product) == what
        ]
        return ours + min(0, *beyond) if beyond else ours

    def _external(self, order: WorkingOrder) -> int:
        """Shares that the client's external orders may still trade to the same side."""
        return sum(
            max(0, one.quantity - one.filled_quantity)
            for one in self._book.external_orders.get(order.client_id, {}).values()
            if (one.side, one.product) == (order.side, order.product)
            and self._security(f"{one.exchange}:{one.tradingsymbol}", order) == order.security
        )

    def _security(self, key: str, order: WorkingOrder) -> str:
        found = self._index.get(key)
        if found is None:
            return order.security if key == order.key else key
        return found.security


def _going(order: WorkingOrder) -> Going:
    return order.client_id, order.security, order.product, order.side


def deny(unit: Unit, orders: Collection[WorkingOrder], actor: str, reason: Reason, words: str = "") -> None:
    """End orders that may not leave for this reason, and give back what they had blocked."""
    books = WorkingSet(unit, actor, 0)
    books.load([order.id for order in orders])
    for order in books.orders.values():
        order.apply(OrderEvent.DENY)
        order.say(reason.value, words)
        freed = books.release(order, "never sent")
        told = {"why": words} if words else {}
        books.audit(AuditAction.ORDER_DENIED, order, reason=reason.value, released_paise=freed, **told)
    books.flush()
