"""External sales, booked as orders of ours: a broker that sells intraday shares out, a client's phone."""

from collections import Counter
from collections.abc import Sequence

from brokers.contract import BrokerOrder
from data.audit import AuditAction, AuditEntry
from data.clock import IST
from data.money import BPS, grouped
from data.repositories.accounts.balances import bought_today, code_of
from data.store import Unit
from data.vocabulary import OrderState, Product, Side
from engine.booking.facts import Seen
from engine.booking.order import ShareKey, WorkingOrder
from engine.booking.states import born
from engine.booking.stored import ORDERS
from engine.events import TapeLine
from engine.news import ExternalBooked


def book_external(unit: Unit, seen: Sequence[Seen], actor: str) -> dict[tuple[int, str], int]:
    """Make orders of ours of external sales in intraday shares that this desk bought today.

    Such a sale ends a position whose every share is in our books, so that its trades can be booked like those
    of our own; any other external order stays a difference for the trader. `seen` are orders that are not
    ours. Returns the new orders' numbers by client and broker's id.
    """
    found: dict[tuple[int, str], int] = {}
    taken: Counter[ShareKey] = Counter()
    for fact in seen:
        order, name = fact.order, (fact.client_id, fact.order.broker_order_id)
        if name in found or order.product is not Product.MIS or order.side is not Side.SELL:
            continue
        bought = _bought_today(unit, fact) if order.filled_quantity else None
        if bought is None:
            continue
        wanted = taken[bought.share] + order.filled_quantity
        if bought_today(unit, *bought.share) >= wanted:
            taken[bought.share] = wanted
            found[name] = _insert(unit, bought, order, actor)
    return found


def _bought_today(unit: Unit, fact: Seen) -> WorkingOrder | None:
    """Our newest purchase of these shares today; none where a sale of ours may be this very order."""
    order, day = fact.order, fact.order.placed_at.astimezone(IST).date()
    ours = ORDERS.of_symbol(
        unit, fact.client_id, order.exchange, order.tradingsymbol, order.product.value, day
    )
    doubtful = (OrderState.SENDING, OrderState.UNKNOWN)
    if any(one.side == Side.SELL and one.state in doubtful for one in ours):
        return None
    return next((one for one in ours if one.side == Side.BUY and one.filled_quantity), None)


def _insert(unit: Unit, bought: WorkingOrder, order: BrokerOrder, actor: str) -> int:
    """Write the order that the broker has, as one of the client's who bought these shares."""
    average = order.average_price_paise
    booked_external = WorkingOrder(
        id=unit.take_ids("order", 1)[0],
        client_id=bought.client_id,
        run_number=None,
        plan_number=None,
        broker=bought.broker,
        exchange=bought.exchange,
        tradingsymbol=bought.tradingsymbol,
        security=bought.security,
        side=order.side,
        product=bought.product,
        order_type=order.order_type,
        validity=order.validity,
        quantity=order.quantity,
        limit_paise=order.price_paise,
        trigger_paise=order.trigger_paise,
        reserve_price_paise=average if order.price_paise is None else order.price_paise,
        margin_bps=BPS,
        policy=bought.policy,
        state=born(external=True),
        reason_text=order.message,
        broker_order_id=order.broker_order_id,
        instance_id=bought.instance_id,
        trading_date=bought.trading_date,
        created_at=unit.now,
        updated_at=unit.now,
    )
    ORDERS.insert(unit, [booked_external])
    code = code_of(unit, bought.client_id)
    what = f"{order.side.value} {grouped(order.quantity)} {order.tradingsymbol} {order.product.value}"
    unit.audit(
        AuditEntry(
            AuditAction.ORDER_TAKEN_IN,
            actor,
            client_id=bought.client_id,
            order_id=booked_external.id,
            details={"broker_order_id": order.broker_order_id, "order": what},
        )
    )
    unit.publish(TapeLine(unit.now, ExternalBooked(code, what, average)))
    return booked_external.id
