"""Taking in sales that this desk did not send: a broker that sells intraday shares out, a client's phone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select

from brokers.contract import BrokerOrder
from data.audit import AuditEntry
from data.clock import IST
from data.columns import table
from data.money import BPS, grouped
from data.order_tables import Order
from data.reference.names import symbol_now
from data.store import Unit
from data.tables import Client, Holding
from data.vocabulary import OrderState, Product, Side
from engine.booking.facts import Seen
from engine.events import TapeLine
from engine.news import ExternalBooked


def take_in(unit: Unit, seen: Sequence[Seen], actor: str) -> dict[tuple[int, str], int]:
    """Make orders of ours of sales of elsewhere in intraday shares that this desk bought today.

    Such a sale ends a position whose every share is in our books, so that its trades can be booked like those
    of our own; any other order of elsewhere stays a difference for the trader. `seen` are orders that are not
    ours. Gives the new orders' numbers by client and broker's id.
    """
    found: dict[tuple[int, str], int] = {}
    taken: Counter[tuple[int, str]] = Counter()
    for fact in seen:
        order, name = fact.order, (fact.client_id, fact.order.broker_order_id)
        if name in found or order.product is not Product.MIS or order.side is not Side.SELL:
            continue
        bought = _bought_today(unit, fact) if order.filled_quantity else None
        if bought is None:
            continue
        share = (fact.client_id, bought["security"])
        if _holds(unit, bought, taken[share] + order.filled_quantity):
            taken[share] += order.filled_quantity
            found[name] = _insert(unit, bought, order, actor)
    return found


def _bought_today(unit: Unit, fact: Seen) -> Mapping[str, Any] | None:
    """Our newest purchase of these shares today; none where a sale of ours may be this very order."""
    orders, order = table(Order), fact.order
    ours = unit.connection.execute(
        select(orders)
        .where(
            orders.c.client_id == fact.client_id,
            orders.c.exchange == order.exchange,
            or_(orders.c.tradingsymbol == order.tradingsymbol, symbol_now() == order.tradingsymbol),
            orders.c.product == order.product.value,
            orders.c.trading_date == order.placed_at.astimezone(IST).date(),
        )
        .order_by(orders.c.id.desc())
    ).mappings()
    rows = [dict(row) for row in ours]
    doubtful = (OrderState.SENDING.value, OrderState.UNKNOWN.value)
    if any(row["side"] == Side.SELL.value and row["state"] in doubtful for row in rows):
        return None
    return next((row for row in rows if row["side"] == Side.BUY.value and row["filled_quantity"]), None)


def _holds(unit: Unit, bought: Mapping[str, Any], quantity: int) -> bool:
    holdings = table(Holding)
    held = unit.connection.execute(
        select(holdings.c.today).where(
            *(holdings.c[name] == bought[name] for name in ("client_id", "security", "product"))
        )
    ).scalar_one_or_none()
    return held is not None and held >= quantity


def _insert(unit: Unit, bought: Mapping[str, Any], order: BrokerOrder, actor: str) -> int:
    number = unit.take_ids("order", 1)[0]
    average = order.average_price_paise
    unit.insert(
        Order,
        [
            {
                **{name: bought[name] for name in _OF_THE_SHARE},
                "id": number,
                "run_number": None,
                "plan_number": None,
                "slice": 1,
                "side": order.side.value,
                "order_type": order.order_type.value,
                "validity": order.validity.value,
                "quantity": order.quantity,
                "limit_paise": order.price_paise,
                "trigger_paise": order.trigger_paise,
                "reserve_price_paise": average if order.price_paise is None else order.price_paise,
                "margin_bps": BPS,
                "state": OrderState.OPEN.value,
                "reason_text": order.message,
                "broker_order_id": order.broker_order_id,
                "created_at": unit.now,
                "updated_at": unit.now,
            }
        ],
    )
    clients = table(Client)
    code = unit.connection.execute(
        select(clients.c.code).where(clients.c.id == bought["client_id"])
    ).scalar_one()
    what = f"{order.side.value} {grouped(order.quantity)} {order.tradingsymbol} {order.product.value}"
    unit.audit(
        AuditEntry(
            "ORDER_TAKEN_IN",
            actor,
            client_id=bought["client_id"],
            order_id=number,
            details={"broker_order_id": order.broker_order_id, "order": what},
        )
    )
    unit.publish(TapeLine(unit.now, ExternalBooked(code, what, average)))
    return number


_OF_THE_SHARE = (
    "client_id",
    "broker",
    "exchange",
    "tradingsymbol",
    "security",
    "product",
    "policy",
    "instance_id",
    "trading_date",
)
