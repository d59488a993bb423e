"""Orders and trades as Upstox's JSON rows (documentation, "order book", "trades", "portfolio stream").

Prices are numbers in rupees, ids are text, times Indian without a zone; statuses are in lower case.
"""

from datetime import datetime

from brokers.contract import BrokerTrade
from brokers.simulators.exchange.prices import Listing
from brokers.simulators.serving.answers import Row, rupees, stamp
from brokers.simulators.serving.orders.entries import CANCELLED, REJECTED, UPDATE, Entry, exchange_order_id
from brokers.simulators.upstox.forms import PRODUCT_CODES
from brokers.simulators.upstox.keys import instrument_key
from brokers.simulators.upstox.switches import ISO, UpstoxSwitches
from data.clock import IST
from data.vocabulary import OrderType

_NOT_IN_HISTORY = frozenset({"guid", "pending_quantity", "status_message_raw", "order_ref_id"})
_NOT_IN_UPDATES = frozenset({"tradingsymbol"})
_AFTER_MARKET = "after market order"


class UpstoxWording:
    """How the books tell an order in Upstox's words."""

    id_prefix = ""
    id_digits = 15
    status_field = "status"
    unheard_of = "awaiting depository"

    def __init__(self, switches: UpstoxSwitches) -> None:
        self._switches = switches

    def tells_every_step(self) -> bool:
        """As switched."""
        return self._switches.every_step

    def order_row(self, entry: Entry, listing: Listing | None) -> Row:
        """A row of the order book."""
        return order_row(entry, "" if listing is None else instrument_key(listing.instrument), self._switches)

    def history_row(self, entry: Entry, row: Row) -> Row:
        """One state of an order's history."""
        return {name: value for name, value in row.items() if name not in _NOT_IN_HISTORY}

    def update_row(self, entry: Entry, row: Row, event: str) -> Row:
        """An order's message on the portfolio stream, which carries its status as it stands."""
        told = {name: value for name, value in row.items() if name not in _NOT_IN_UPDATES}
        told |= {"update_type": "order", "user_id": entry.user_id, "instrument_key": row["instrument_token"]}
        if event != UPDATE:
            told["status"] = status_word(event, entry, self._switches)
        if self._switches.twin_names:
            told["userId"] = entry.user_id
        else:
            del told["instrument_token"]
        return told


def status_word(status: str, entry: Entry, switches: UpstoxSwitches) -> str:
    """An order's status as Upstox spells it."""
    word = status.lower().replace("amo", _AFTER_MARKET)
    if status == CANCELLED and entry.request.after_market and not entry.exchange_id:
        word = f"{word} {_AFTER_MARKET}"
    return word.capitalize() if switches.capital_statuses else word


def order_time(moment: datetime, switches: UpstoxSwitches) -> str:
    """A time of an order as switched."""
    if switches.order_times == ISO:
        return stamp(moment)
    return moment.astimezone(IST).strftime("%d-%b-%Y %H:%M:%S")


def order_row(entry: Entry, key: str, switches: UpstoxSwitches) -> Row:
    """A row of the order book."""
    request, order = entry.request, entry.order
    quantity = request.quantity if order is None else order.quantity
    filled = 0 if order is None else order.filled_quantity
    ended = entry.status in (CANCELLED, REJECTED)
    kind, price, trigger = request.order_type, request.price_paise, request.trigger_paise
    if order is not None and switches.protected_as_limit:
        kind, price, trigger = order.order_type, order.price_paise, order.trigger_paise
    elif order is not None and kind in (OrderType.LIMIT, OrderType.SL):
        price, trigger = order.price_paise, order.trigger_paise
    nothing = None if switches.null_numbers else 0
    return {
        "exchange": request.exchange,
        "product": PRODUCT_CODES[request.product],
        "price": rupees(price) if price else nothing,
        "quantity": quantity,
        "status": status_word(entry.status, entry, switches),
        "guid": None,
        "tag": request.tag or None,
        "instrument_token": key,
        "placed_by": entry.user_id,
        "trading_symbol": request.tradingsymbol,
        "tradingsymbol": request.tradingsymbol,
        "order_type": kind.value,
        "validity": request.validity.value,
        "trigger_price": rupees(trigger) if trigger else nothing,
        "disclosed_quantity": request.disclosed_quantity,
        "transaction_type": request.side.value,
        "average_price": rupees(order.average_price_paise) if order and filled else nothing,
        "filled_quantity": filled,
        "pending_quantity": 0 if ended else quantity - filled,
        "status_message": entry.message or None,
        "status_message_raw": entry.raw_message or None,
        "exchange_order_id": None if order is None else exchange_order_id(entry),
        "parent_order_id": None,
        "order_id": entry.order_id,
        "variety": "SIMPLE",
        "order_timestamp": order_time(entry.requested_at, switches),
        "exchange_timestamp": None if order is None else order_time(order.updated_at, switches),
        "is_amo": entry.variety == "amo",
        "order_request_id": str(1 + entry.modifications),
        "order_ref_id": f"GTW{entry.order_id}",
    }


def trade_row(entry: Entry, trade: BrokerTrade, key: str, switches: UpstoxSwitches) -> Row:
    """A row of the trade book."""
    return {
        "exchange": trade.exchange,
        "product": PRODUCT_CODES[trade.product],
        "trading_symbol": trade.tradingsymbol,
        "tradingsymbol": trade.tradingsymbol,
        "instrument_token": key,
        "order_type": entry.request.order_type.value,
        "transaction_type": trade.side.value,
        "quantity": trade.quantity,
        "exchange_order_id": exchange_order_id(entry),
        "order_id": entry.order_id,
        "exchange_timestamp": order_time(trade.traded_at, switches),
        "average_price": rupees(trade.price_paise),
        "trade_id": trade.trade_id,
        "order_ref_id": f"GTW{entry.order_id}",
        "order_timestamp": order_time(entry.placed_at, switches),
    }
