"""What is held of a modify before it is asked for: its terms, its worth, and the limits over its client."""

from msgspec import Struct

from brokers.contract import OrderChange
from data.errors import BadInput
from data.money import band_words
from data.store import Unit
from data.vocabulary import OrderType, Reason, Side
from engine.book.book import Book
from engine.book.people_views import People
from engine.book.views import OrderView
from engine.booking.order import WorkingOrder
from engine.booking.working_set import WorkingSet
from engine.execution.sending.limiting import AtDoor, ChangedTo, ClaimLimits
from engine.market.market_data import MarketData
from engine.planning.confirming import check_rule, weighed_change
from engine.planning.intent import check_lots, check_price
from engine.refusals import (
    ChangeBeyondLimit,
    NeedsApproval,
)
from engine.timing import Timing


class ModifyWish(Struct, frozen=True):
    """What a modify asks for and why, with the reason typed to go beyond soft limits, if one was."""

    change: OrderChange
    why: str
    override: str = ""


def raised(order: WorkingOrder) -> tuple[int, int]:
    """What a modify would have an order be worth, and by how much more than it is; nothing for a sale."""
    if order.side is not Side.BUY or order.asked_quantity is None or order.asked_reserve_paise is None:
        return 0, 0
    worth = order.asked_quantity * order.asked_reserve_paise
    return worth, max(0, worth - order.quantity * order.reserve_price_paise)


def check_worth(unit: Unit, order_id: int, change: OrderChange, people: People, person: str) -> None:
    """Have no modify lift buys over the limit above which others confirm a plan. Raises `NeedsApproval`."""
    if people.any:
        check_rule(unit)
    if people.limit is None:
        return
    books = WorkingSet(unit, person, 0)
    books.load([order_id])
    order = books.orders[order_id]
    order.asked_quantity, order.asked_reserve_paise = check_change(order, change)
    worth, more = raised(order)
    found = weighed_change(unit, people, order.security, worth, more, person, unit.now)
    if (limit := found.limit) is not None:
        raise NeedsApproval(None, worth, limit.above_paise, limit.needed, 0, found.before_paise)


def check_limits(
    unit: Unit, order_id: int, wish: ModifyWish, at_door: AtDoor, timing: Timing, book: Book
) -> None:
    """Have no modify make a buy worth more beyond a limit, a soft one but by a reason.

    Raises `ChangeBeyondLimit`.
    """
    change = wish.change
    books = WorkingSet(unit, "", 0)
    books.load([order_id])
    order = books.orders[order_id]
    order.asked_quantity, order.asked_reserve_paise = quantity, reserve = check_change(order, change)
    limits = ClaimLimits(unit, at_door, [order], timing, book)
    if raised(order)[1] <= 0 or not limits.is_held(order):
        return
    if limits.changed:
        raise ChangeBeyondLimit(order_id, "limits were changed just now: ask again", soft=False)
    made = ChangedTo(quantity, reserve, change.price_paise or order.limit_paise)
    if (beyond := limits.beyond_if_changed(order, made, wish.override)) is not None:
        soft = beyond.reason is Reason.OVER_SOFT_LIMIT
        raise ChangeBeyondLimit(order_id, beyond.words, soft)


def check_terms(change: OrderChange, key: str, market_data: MarketData) -> None:
    """Refuse a price off the tick, a limit outside the day's band where that is known, a count off the lot.

    Raises `BadInput`.
    """
    instrument, quote = market_data.index.get(key), market_data.quotes.quote(key)
    if instrument is None:
        return
    if change.quantity is not None:
        check_lots(change.quantity, instrument)
    for name, price in (("limit", change.price_paise), ("trigger", change.trigger_paise)):
        if price is not None:
            check_price(name, price, instrument)
    limit = change.price_paise
    if limit is None or quote is None:
        return
    lower, upper = quote.lower_circuit_paise, quote.upper_circuit_paise
    if limit < lower or (upper and limit > upper):
        raise BadInput("limit", limit / 100, f"give a price within {band_words(lower, upper)}")


def check_change(order: WorkingOrder, change: OrderChange) -> tuple[int, int]:
    """The quantity and the reserve price a modify would give an order; tick, band and lot are `check_terms`'.

    Raises `BadInput` for a quantity that has traded already, a price that its type does not have, or a change
    of nothing.
    """
    kind = OrderType(order.order_type)
    if kind in (OrderType.MARKET, OrderType.SL_M) and change.price_paise is not None:
        raise BadInput("limit", change.price_paise / 100, f"a {kind.value} order has no limit price")
    if kind in (OrderType.MARKET, OrderType.LIMIT) and change.trigger_paise is not None:
        raise BadInput("trigger", change.trigger_paise / 100, f"a {kind.value} order has no trigger")
    quantity = order.quantity if change.quantity is None else change.quantity
    if quantity < 1:
        raise BadInput("quantity", quantity, "give a whole number of 1 or more")
    if quantity <= order.filled_quantity:
        raise BadInput("quantity", quantity, f"give more than the {order.filled_quantity} already traded")
    terms = (quantity, change.price_paise or order.limit_paise, change.trigger_paise or order.trigger_paise)
    if terms == (order.quantity, order.limit_paise, order.trigger_paise):
        raise BadInput("change", "nothing", "give a quantity or a price other than the order's")
    reserve = order.reserve_price_paise
    if kind is OrderType.SL_M and change.trigger_paise and order.trigger_paise:
        reserve += change.trigger_paise - order.trigger_paise  # the protected price moves with the trigger
    return quantity, change.price_paise or reserve


def check_as_shown(unit: Unit, shown: OrderView) -> None:
    """Refuse an order whose quantity, limit or trigger is another than was shown. Raises `BadInput`."""
    books = WorkingSet(unit, "", 0)
    books.load([shown.id])
    order = books.orders[shown.id]
    stands = (order.quantity, order.limit_paise, order.trigger_paise)
    if stands != (shown.quantity, shown.limit_paise, shown.trigger_paise):
        raise BadInput("order", order.id, "it was changed after it was shown; look at it again")
