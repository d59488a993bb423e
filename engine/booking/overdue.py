"""Orders whose session is over: which those are, and their end where nobody has told one."""

from collections.abc import Collection
from datetime import date

from data.audit import AuditAction
from data.errors import BadInput
from data.reference.phases import Calendar
from data.store import Unit
from data.vocabulary import OrderState
from engine.booking.changes import close_requests
from engine.booking.order import WorkingOrder
from engine.booking.states import Flag, OrderEvent
from engine.booking.stored import ORDERS
from engine.booking.unread import clients_unread
from engine.booking.working_set import WorkingSet


def may_be_sent(after_market: bool, trading_date: date, day: date, awaited: date | None) -> bool:
    """Whether an order's time has not passed: its session, or for one that waits for it the time before.

    `day` is the market's trading day, `awaited` that whose session has not begun, None while one is on.
    """
    return trading_date == (awaited if after_market else day) and after_market == (awaited is not None)


def is_over(
    state: OrderState, after_market: bool, trading_date: date, day: date, awaited: date | None
) -> bool:
    """Whether a live order's time has passed: its day, or for an unsent one the time to send it."""
    if state is OrderState.RESERVED:
        return not may_be_sent(after_market, trading_date, day, awaited)
    return trading_date < day


def end_of_day(
    unit: Unit,
    day: date,
    awaited: date | None,
    calendar: Calendar,
    actor: str,
    among: Collection[int] | None = None,
) -> list[int]:
    """End orders, `among` these or all, whose session is over and whose end nobody has told.

    An order of the day cannot trade after its day, and an unsent one's plan was for that session's prices. An
    order whose send ended in doubt keeps its money blocked and is marked for a human; so is one that waited
    for a session, where the broker has said nothing of it since that began: it may wait for another. So is
    one of a client who has rows of its orders or trades unread, which may tell of it. Returns their numbers.
    """
    books = WorkingSet(unit, actor, 0)
    books.load(
        [
            order.id
            for order in ORDERS.live(unit)
            if (among is None or order.id in among)
            and is_over(order.state, order.after_market, order.trading_date, day, awaited)
        ]
    )
    over_ids, unread = list(books.orders), clients_unread(unit)
    for order in books.orders.values():
        match order.state:
            case OrderState.RESERVED:
                over = "began" if order.after_market else "ended"
                books.free_unsent(order, f"its session {over} before it was sent")
            case OrderState.OPEN if order.client_id not in unread and (
                not order.after_market or _answered_in_session(order, calendar)
            ):
                order.apply(OrderEvent.SEEN_EXPIRED)
                freed = books.release(order, f"day:{day.isoformat()}")
                filled = order.filled_quantity
                books.audit(AuditAction.ORDER_EXPIRED, order, filled_quantity=filled, released_paise=freed)
            case _:
                order.flag(Flag.NEEDS_HUMAN)
    ended = books.ended_now()
    books.flush()
    close_requests(unit, ended)
    return over_ids


def _answered_in_session(order: WorkingOrder, calendar: Calendar) -> bool:
    """Whether the broker has said anything of an order since the session began that it waited for."""
    try:
        return order.told_at is not None and order.told_at >= calendar.session_begin(order.trading_date)
    except BadInput:  # no trading day, or one that the calendar does not have
        return False
