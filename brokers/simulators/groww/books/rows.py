"""Orders and trades as Groww's JSON rows (documentation, "orders"), and an order as its update.

Prices are numbers in rupees, whole ones without decimals; ids are text; times as switched.
"""

from datetime import datetime

from brokers.contract import BrokerTrade
from brokers.simulators.exchange.prices import Listing
from brokers.simulators.groww.forms import TYPE_WORDS
from brokers.simulators.groww.names import CASH, amount
from brokers.simulators.groww.switches import AS_DOCUMENTED, EPOCH, SPACED, GrowwSwitches
from brokers.simulators.serving.answers import Row, stamp
from brokers.simulators.serving.orders.entries import (
    AMO_RECEIVED,
    CANCELLED,
    COMPLETE,
    OPENING,
    RECEIVED,
    REJECTED,
    TRIGGER_PENDING,
    VALIDATING,
    Entry,
    exchange_order_id,
)
from data.clock import IST
from data.vocabulary import OrderType, Product

_WORDS = {
    RECEIVED: "NEW",
    VALIDATING: "NEW",
    OPENING: "ACKED",
    AMO_RECEIVED: "NEW",
    "MODIFY AMO REQ RECEIVED": "NEW",
    TRIGGER_PENDING: "TRIGGER_PENDING",
    "MODIFY VALIDATION PENDING": "MODIFICATION_REQUESTED",
    "MODIFY PENDING": "MODIFICATION_REQUESTED",
    "CANCEL PENDING": "CANCELLATION_REQUESTED",
    CANCELLED: "CANCELLED",
    REJECTED: "REJECTED",
}
"""Groww's words for the statuses whose word is no doubt."""


class GrowwWording:
    """How the books tell an order in Groww's words."""

    id_prefix = "GMK"
    id_digits = 15
    status_field = "order_status"
    unheard_of = "AWAITING_DEPOSITORY"

    def __init__(self, switches: GrowwSwitches) -> None:
        self._switches = switches

    def tells_every_step(self) -> bool:
        """Each status is told on the feed."""
        return True

    def order_row(self, entry: Entry, listing: Listing | None) -> Row:
        """A row of the order list."""
        return order_row(entry, self._switches)

    def history_row(self, entry: Entry, row: Row) -> Row:
        """A stage that the order has reached, as its update tells it, with the terms that it had then."""
        at = entry.requested_at if entry.order is None else entry.order.updated_at
        terms = {name: row[name] for name in ("quantity", "price")}
        return {"stage": row["order_status"], "status": entry.status, "at": at.isoformat(), **terms}

    def update_row(self, entry: Entry, row: Row, event: str) -> Row:
        """What the feed's update is made of: the row, the exchange's own number, and the stages."""
        number = exchange_order_id(entry) if entry.exchange_id else ""
        return {**row, "exchange_order_id": number, "stages": list(entry.history)}


def status_word(status: str, entry: Entry, switches: GrowwSwitches) -> str:
    """An order's status as Groww spells it."""
    if status == COMPLETE:
        return switches.filled_status
    if (known := _WORDS.get(status)) is not None:
        return known
    traded = entry.order is not None and entry.order.filled_quantity > 0
    return "EXECUTED" if traded and switches.executed_in_parts else switches.open_status


def told_time(moment: datetime, switches: GrowwSwitches) -> str | int:
    """A time of an order as switched."""
    match switches.order_times:
        case str(way) if way == AS_DOCUMENTED:
            return stamp(moment).replace(" ", "T")
        case str(way) if way == SPACED:
            return stamp(moment)
        case str(way) if way == EPOCH:
            return int(moment.timestamp() * 1_000)
        case _:
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def order_row(entry: Entry, switches: GrowwSwitches) -> Row:
    """A row of the order list."""
    request, order = entry.request, entry.order
    quantity = request.quantity if order is None else order.quantity
    filled = 0 if order is None else order.filled_quantity
    ended = entry.status in (CANCELLED, REJECTED)
    kind, price, trigger = request.order_type, request.price_paise, request.trigger_paise
    if order is not None and switches.protected_as_limit:
        kind, price, trigger = order.order_type, order.price_paise, order.trigger_paise
    elif order is not None and kind in (OrderType.LIMIT, OrderType.SL):
        price, trigger = order.price_paise, order.trigger_paise
    delivered = filled if request.product is Product.CNC else 0
    return {
        "groww_order_id": entry.order_id,
        "trading_symbol": request.tradingsymbol,
        "order_status": status_word(entry.status, entry, switches),
        "remark": entry.message,
        "quantity": quantity,
        "price": amount(price or 0),
        "trigger_price": amount(trigger or 0),
        "filled_quantity": filled,
        "remaining_quantity": 0 if ended else quantity - filled,
        "average_fill_price": amount(order.average_price_paise) if order and filled else 0,
        "deliverable_quantity": delivered,
        "amo_status": _amo_status(entry),
        "validity": request.validity.value,
        "exchange": request.exchange,
        "order_type": TYPE_WORDS[kind],
        "transaction_type": request.side.value,
        "segment": CASH,
        "product": request.product.value,
        "created_at": told_time(entry.placed_at, switches),
        "exchange_time": None if order is None else told_time(order.updated_at, switches),
        "trade_date": told_time(entry.placed_at, switches) if filled else None,
        "order_reference_id": request.tag,
    }


def _amo_status(entry: Entry) -> str:
    """Where an order that waits for the market is; `NA` of any other."""
    if entry.variety != "amo":
        return "NA"
    return "PLACED" if entry.exchange_id else "PARKED"


def status_row(row: Row) -> Row:
    """The short form of an order, which is read by its id or by its reference."""
    names = ("groww_order_id", "order_status", "remark", "filled_quantity", "order_reference_id")
    return {name: row[name] for name in names}


def trade_row(entry: Entry, trade: BrokerTrade, isin: str, switches: GrowwSwitches) -> Row:
    """A row of an order's trades."""
    at = told_time(trade.traded_at, switches)
    return {
        "price": amount(trade.price_paise),
        "isin": isin,
        "quantity": trade.quantity,
        "groww_order_id": entry.order_id,
        "groww_trade_id": f"GMKT{trade.trade_id}",
        "exchange_trade_id": trade.trade_id,
        "exchange_order_id": exchange_order_id(entry),
        "trade_status": "EXECUTED",
        "trading_symbol": trade.tradingsymbol,
        "remark": "",
        "exchange": trade.exchange,
        "segment": CASH,
        "product": trade.product.value,
        "transaction_type": trade.side.value,
        "created_at": at,
        "trade_date_time": at,
        "settlement_number": f"{trade.traded_at.astimezone(IST):%Y%j}",
    }
