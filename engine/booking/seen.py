"""What the broker says of an order, applied to the books: its number, its trades, its terms, its status."""

from datetime import timedelta

from brokers.contract import BrokerOrder, BrokerStatus
from data.audit import AuditAction
from data.repositories.trading.requests import RequestEnd
from data.vocabulary import OrderState
from engine.booking.changes import adopt_terms
from engine.booking.facts import Seen
from engine.booking.order import IN_DOUBT, WorkingOrder
from engine.booking.states import EVENT_OF_STATUS, Flag, OrderEvent
from engine.booking.working_set import WorkingSet

BOOK_LAG = timedelta(seconds=10)
"""Order books have been seen five seconds behind, and stamps two seconds off; what a read begun that long
after the last change says, counts whatever its stamp."""

_ACTION_OF_STATE = {
    OrderState.FILLED: AuditAction.ORDER_FILLED,
    OrderState.CANCELLED: AuditAction.ORDER_CANCELLED,
    OrderState.REJECTED: AuditAction.ORDER_REJECTED,
    OrderState.EXPIRED: AuditAction.ORDER_EXPIRED,
    OrderState.DENIED: AuditAction.ORDER_DENIED,
    OrderState.NOT_RECEIVED: AuditAction.ORDER_NOT_RECEIVED,
}

_LIVE_MOVES = frozenset(
    {
        OrderState.RESERVED,
        OrderState.SENDING,
        OrderState.UNKNOWN,
        OrderState.NOT_RECEIVED,
        OrderState.DENIED,
    }
)
"""States that any live word of the broker ends."""

NEVER_LEFT = frozenset({OrderState.NOT_RECEIVED, OrderState.DENIED})
"""Ends of orders that the broker was taken never to have had; a word of it proves otherwise."""

_TOLD_ENDS = frozenset({OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED})
"""Ends that the broker told or answered: only a word with a later stamp brings such an order back, since
updates overtake each other."""


def adopt_number(books: WorkingSet, order: WorkingOrder, broker_order_id: str) -> None:
    """Take the broker's id in; a second id under the same tag is flagged for a human."""
    known = order.broker_order_id
    if known is None:
        order.broker_order_id = broker_order_id
        order.touch()
        books.audit(AuditAction.ORDER_ACCEPTED, order, broker_order_id=broker_order_id, tag=order.tag)
    elif known != broker_order_id:
        order.flag(Flag.DUPLICATE_TAG)
        order.flag(Flag.NEEDS_HUMAN)


def apply_seen(books: WorkingSet, order: WorkingOrder, fact: Seen, requests: list[RequestEnd]) -> bool:
    """Book one word of the broker; returns whether its trades must be read before the order can end."""
    seen = fact.order
    adopt_number(books, order, seen.broker_order_id)
    for trade in fact.trades:
        books.fill(order, trade)
    if order.broker_order_id != seen.broker_order_id:
        return False  # a second order under our tag: its trades are ours, its status is not this order's
    told_before = order.told_at
    settled = fact.read_at is not None and fact.read_at >= order.updated_at + BOOK_LAG
    later = told_before is None or seen.updated_at > told_before or settled
    stale = not later and seen.updated_at != told_before
    if not stale:
        if later and seen.updated_at != told_before:
            order.told_at = seen.updated_at
            order.touch()
        requests += adopt_terms(books, order, seen, settled)
    if seen.status is BrokerStatus.UNRECOGNISED:
        order.flag(Flag.UNRECOGNISED_STATUS)
    event = EVENT_OF_STATUS[seen.status]
    filled = seen.filled_quantity
    if event is OrderEvent.SEEN_FILLED:
        filled = max(filled, seen.quantity)  # complete is a claim about quantity, whatever it says of it
    if stale:
        return order.filled_quantity < filled  # a later word has told what the order is
    if event is not OrderEvent.SEEN_LIVE and order.filled_quantity < filled:
        if not order.ended:
            order.apply(OrderEvent.SEEN_LIVE)
            order.status(f"{seen.status_text}, waiting for trades")
            doubt_ended(order)
        return True
    _follow(books, order, seen, event, later)
    return order.filled_quantity < filled


def _follow(
    books: WorkingSet, order: WorkingOrder, seen: BrokerOrder, event: OrderEvent, later: bool
) -> None:
    """Have an order's state follow the broker's status, all trades up to it being booked."""
    before = order.state
    live = event is OrderEvent.SEEN_LIVE
    if live:
        _live(books, order, seen, later)
    else:
        order.apply(event)
    if seen.status_text != order.sub_status and not (order.ended and live):
        order.status(seen.status_text)
    if order.state == before:
        return
    doubt_ended(order)
    if order.ended:
        _note_end(books, order, seen)


def _live(books: WorkingSet, order: WorkingOrder, seen: BrokerOrder, later: bool) -> None:
    """Book that the broker says an order is live; `later` that nothing booked of it is newer."""
    before = order.state
    resurrected = before in _TOLD_ENDS and later
    if before in _LIVE_MOVES or resurrected:
        order.apply(OrderEvent.SEEN_LIVE)
    if before in NEVER_LEFT or resurrected:
        note_resurrected(books, order, before)
    if min(order.filled_quantity, seen.filled_quantity) >= order.quantity:
        # The row itself counts them all: beside an older row, newer trades may be a larger order's.
        order.apply(OrderEvent.SEEN_FILLED)


def note_resurrected(books: WorkingSet, order: WorkingOrder, before: OrderState) -> None:
    """Block again for an order that is live after its end, as far as the client's money and shares go."""
    books.audit(AuditAction.ORDER_RESURRECTED, order, broker_order_id=order.broker_order_id, before=before)
    books.block_again(order)


def doubt_ended(order: WorkingOrder) -> None:
    """Take the trader's attention off an order whose fate the broker has told."""
    if order.reason_code == IN_DOUBT and order.state != OrderState.UNKNOWN:
        order.unflag(Flag.NEEDS_HUMAN)
        order.say("", "")


def _note_end(books: WorkingSet, order: WorkingOrder, seen: BrokerOrder) -> None:
    state = order.state
    if seen.message and state is not OrderState.FILLED:
        order.say(order.reason_code, seen.message)
    freed = books.release(order, f"status:{seen.broker_order_id}:{seen.status_text}")
    books.audit(
        _ACTION_OF_STATE[state],
        order,
        broker_order_id=seen.broker_order_id,
        filled_quantity=order.filled_quantity,
        released_paise=freed,
        message=seen.message,
    )
