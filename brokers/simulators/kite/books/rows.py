"""Orders and trades as Kite's JSON rows, with the quirks that its own samples show.

A protected market order stands as a limit order with system tags; `tags` is absent where there are none;
a cancelled order counts its rest as pending and as cancelled; the exchange's id and times are null until
the order is open. Prices are numbers in rupees, times text in Indian time.
"""

from brokers.contract import BrokerTrade
from brokers.simulators.exchange.prices import Listing
from brokers.simulators.serving.answers import Row, rupees, stamp
from brokers.simulators.serving.orders.entries import CANCELLED, FINAL, REJECTED, Entry, exchange_order_id
from data.reference.instruments import BrokerInstrument
from data.vocabulary import OrderType

_NOT_IN_HISTORY = frozenset(
    {"account_id", "status_message_raw", "tags", "meta", "guid", "exchange_update_timestamp"}
)
_NOT_IN_UPDATES = frozenset({"modified", "tags"})


def kite_token(instrument: BrokerInstrument) -> int:
    """An instrument's token as Kite tells it, a number; 0 where it has none."""
    return int(instrument.token or 0)


class KiteWording:
    """How the books tell an order in Kite's words."""

    id_prefix = ""
    id_digits = 19
    status_field = "status"
    unheard_of = "AWAITING DEPOSITORY"

    def tells_every_step(self) -> bool:
        """Kite announces fills, ends, modifications and triggers alone."""
        return False

    def order_row(self, entry: Entry, listing: Listing | None) -> Row:
        """A row of the order book."""
        return order_row(entry, 0 if listing is None else kite_token(listing.instrument))

    def history_row(self, entry: Entry, row: Row) -> Row:
        """One state of an order's history."""
        return history_row(entry, row)

    def update_row(self, entry: Entry, row: Row, event: str) -> Row:
        """What the socket carries of a change."""
        return update_row(entry, row, event)


def order_row(entry: Entry, token: int) -> Row:
    """A row of the order book."""
    request, order = entry.request, entry.order
    quantity = request.quantity if order is None else order.quantity
    filled = 0 if order is None else order.filled_quantity
    rest = 0 if entry.status == REJECTED else max(0, quantity - filled)
    if order is None:
        kind, price, trigger = request.order_type, request.price_paise, request.trigger_paise
        price = 0 if kind in (OrderType.MARKET, OrderType.SL_M) else price
    else:
        kind, price, trigger = order.order_type, order.price_paise, order.trigger_paise
    tags = [request.tag] if request.tag else []
    if order is not None:
        tags += [tag for tag in order.tags if tag != request.tag]
    at_exchange = None if order is None else stamp(order.updated_at)
    row: Row = {
        "account_id": entry.user_id,
        "placed_by": entry.user_id,
        "order_id": entry.order_id,
        "exchange_order_id": None if order is None else exchange_order_id(entry),
        "parent_order_id": None,
        "status": entry.status,
        "status_message": entry.message or None,
        "status_message_raw": entry.raw_message or None,
        "order_timestamp": stamp(entry.requested_at),
        "exchange_update_timestamp": at_exchange,
        "exchange_timestamp": at_exchange,
        "variety": entry.variety,
        "modified": entry.modifications > 0,
        "exchange": request.exchange,
        "tradingsymbol": request.tradingsymbol,
        "instrument_token": token,
        "order_type": kind.value,
        "transaction_type": request.side.value,
        "validity": request.validity.value,
        "validity_ttl": 0,
        "product": request.product.value,
        "quantity": quantity,
        "disclosed_quantity": 0,
        "price": rupees(price or 0),
        "trigger_price": rupees(trigger or 0),
        "average_price": rupees(0 if order is None else order.average_price_paise),
        "filled_quantity": filled,
        "pending_quantity": rest,
        "cancelled_quantity": rest if entry.status == CANCELLED else 0,
        "market_protection": 0,
        "meta": {},
        "tag": request.tag or None,
        "guid": None,
    }
    if tags:
        row["tags"] = tags
    return row


def history_row(entry: Entry, row: Row) -> Row:
    """One state of an order's history; the first of them does not name the instrument."""
    kept = {name: value for name, value in row.items() if name not in _NOT_IN_HISTORY}
    if not entry.history:
        kept["instrument_token"] = 1
    return kept


def update_row(entry: Entry, row: Row, event: str) -> Row:
    """What the socket carries of a change; `event` stands in the place of the status."""
    kept = {name: value for name, value in row.items() if name not in _NOT_IN_UPDATES}
    unfilled = 0 if entry.status in FINAL else row["pending_quantity"]
    return {
        **kept,
        "status": event,
        "user_id": entry.user_id,
        "app_id": 0,
        "checksum": "",
        "unfilled_quantity": unfilled,
    }


def trade_row(entry: Entry, trade: BrokerTrade, token: int) -> Row:
    """A row of the trade book; `order_timestamp` is a time of day alone."""
    at = stamp(trade.traded_at)
    return {
        "trade_id": trade.trade_id,
        "order_id": entry.order_id,
        "exchange": trade.exchange,
        "tradingsymbol": trade.tradingsymbol,
        "instrument_token": token,
        "product": trade.product.value,
        "average_price": rupees(trade.price_paise),
        "quantity": trade.quantity,
        "exchange_order_id": exchange_order_id(entry),
        "transaction_type": trade.side.value,
        "fill_timestamp": at,
        "order_timestamp": stamp(entry.placed_at)[11:],
        "exchange_timestamp": at,
    }
