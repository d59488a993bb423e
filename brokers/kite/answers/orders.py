"""Orders and trades as Kite answers them."""

from collections.abc import Mapping
from typing import cast

from msgspec import Struct

from brokers.contract import (
    BrokerOrder,
    BrokerRows,
    BrokerTrade,
    PassedOver,
)
from brokers.kite.answers.rows import KiteRow
from brokers.kite.statuses import AFTER_MARKET, REGULAR, WAITING_FOR_SESSION, status_of
from data.clock import IST
from data.vocabulary import OrderType, Product, Side, Validity


def order_of(fields: object, user_id: str = "", name: str = "order update") -> BrokerOrder:
    """An order of the book, or of a frame of the stream, which names its user itself.

    A protected market order comes as a limit order with the protected price. `placed_at` is the time of
    the last request, which is all that Kite keeps in a row.
    """
    row = KiteRow(name, fields)
    placed_at = row.moment("order_timestamp")
    stamps = (row.moment_or_none("exchange_update_timestamp"), row.moment_or_none("exchange_timestamp"))
    filled = row.count("filled_quantity")
    status = row.text("status")
    return BrokerOrder(
        broker_order_id=row.text("order_id"),
        user_id=user_id or row.text("user_id"),
        tags=_tags(row),
        exchange=row.text("exchange"),
        tradingsymbol=row.text("tradingsymbol"),
        side=row.word("transaction_type", Side),
        product=row.word("product", Product),
        order_type=row.word("order_type", OrderType),
        quantity=row.count("quantity"),
        filled_quantity=filled,
        average_price_paise=row.paise("average_price") if filled else 0,
        status=status_of(status),
        status_text=status,
        placed_at=placed_at,
        updated_at=max([placed_at, *(stamp for stamp in stamps if stamp is not None)]),
        price_paise=row.paise_or_zero("price") or None,
        trigger_paise=row.paise_or_zero("trigger_price") or None,
        message=row.words("status_message") or row.words("status_message_raw"),
        trigger_pending=status == "TRIGGER PENDING",
        # An order that lives for some minutes is gone by the day's end like any other.
        validity=Validity.IOC if row.text("validity") == "IOC" else Validity.DAY,
    )


class OrderBook(Struct, frozen=True):
    """A client's order book, and the variety that each order answers to."""

    rows: BrokerRows[BrokerOrder]
    varieties: Mapping[str, str]


def orders_of(answer: object, user_id: str) -> OrderBook:
    """The orders of a book and the varieties they answer to, odd rows' too.

    An after-market order stands as `amo` in the book all day, but once it has gone to the exchange it answers
    as a regular one (Kite's staff).
    """
    varieties: dict[str, str] = {}
    passed_over: list[PassedOver] = []

    def take(row: KiteRow) -> BrokerOrder | None:
        variety, status = row.words("variety") or REGULAR, row.words("status")
        gone_on = variety == AFTER_MARKET and status not in WAITING_FOR_SESSION
        varieties[row.words("order_id")] = REGULAR if gone_on else variety
        if row.traded_here:
            row.text("variety")
            return order_of(row.fields, user_id, row.name)
        if row.may_live:
            passed_over.append(row.passed_over)
        return None

    orders, unread = KiteRow.taken("order", answer, take)
    by_id = {order.broker_order_id: order for order in orders}
    return OrderBook(BrokerRows(tuple(by_id.values()), tuple(unread), tuple(passed_over)), varieties)


def trades_of(answer: object, user_id: str) -> BrokerRows[BrokerTrade]:
    """The fills of a trade book."""

    def take(row: KiteRow) -> BrokerTrade | None:
        return _trade(row, user_id) if row.traded_here else None

    trades, unread = KiteRow.taken("trade", answer, take)
    return BrokerRows(tuple(trades), tuple(unread))


def _tags(row: KiteRow) -> tuple[str, ...]:
    """The order's own tag first, then the broker's; either may be missing."""
    listed = row.get("tags")
    found = [row.get("tag"), *(cast("list[object]", listed) if isinstance(listed, list) else ())]
    return tuple(dict.fromkeys(tag for tag in found if isinstance(tag, str) and tag))


def _trade(row: KiteRow, user_id: str) -> BrokerTrade:
    """A fill. Its `order_timestamp` is a time of day alone, so the fill's own time dates it."""
    traded_at = row.moment_or_none("fill_timestamp") or row.moment("exchange_timestamp")
    return BrokerTrade(
        trade_id=row.text("trade_id"),
        broker_order_id=row.text("order_id"),
        user_id=user_id,
        exchange=row.text("exchange"),
        tradingsymbol=row.text("tradingsymbol"),
        side=row.word("transaction_type", Side),
        product=row.word("product", Product),
        quantity=row.count("quantity" if row.get("quantity") is not None else "filled"),
        price_paise=row.paise("average_price"),
        trading_date=traded_at.astimezone(IST).date(),
        traded_at=traded_at,
    )
