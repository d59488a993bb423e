"""Orders and trades as Upstox answers them."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time

from brokers.contract import BrokerOrder, BrokerRows, BrokerTrade, PassedOver
from brokers.upstox.answers.rows import UpstoxRow
from brokers.upstox.statuses import TRIGGER_PENDING, status_of, status_word
from brokers.wire.rows import MAY_LIVE
from data.clock import IST
from data.vocabulary import OrderType, Side, Validity

KeyOf = Callable[[str, str, str], str]
"""The desk's `EXCHANGE:SYMBOL` of Upstox's key, exchange and symbol."""


def order_of(row: UpstoxRow, user_id: str, key_of: KeyOf, as_of: datetime) -> BrokerOrder:
    """An order of the book or of the stream.

    Both of its times may be missing while it is on its way: then it counts as from the day's beginning, older
    than any word that has one.
    """
    exchange, symbol = _named(row, key_of)
    stamps = [at for name in ("order_timestamp", "exchange_timestamp") if (at := row.moment_or_none(name))]
    placed_at = stamps[0] if stamps else datetime.combine(as_of.astimezone(IST), time(), IST).astimezone(UTC)
    filled, status = row.count_or_zero("filled_quantity"), row.text("status")
    tag = row.words("tag")
    return BrokerOrder(
        broker_order_id=row.text("order_id"),
        user_id=user_id,
        tags=(tag,) if tag else (),
        exchange=exchange,
        tradingsymbol=symbol,
        side=row.word("transaction_type", Side),
        product=row.product,
        order_type=row.word("order_type", OrderType),
        quantity=row.count("quantity"),
        filled_quantity=filled,
        average_price_paise=row.paise_or_zero("average_price") if filled else 0,
        status=status_of(status),
        status_text=status,
        placed_at=placed_at,
        updated_at=max(stamps, default=placed_at),
        price_paise=row.paise_or_zero("price") or None,
        trigger_paise=row.paise_or_zero("trigger_price") or None,
        message=row.words("status_message") or row.words("status_message_raw"),
        trigger_pending=status_word(status) == TRIGGER_PENDING,
        # An order that lives till the session's end is gone by the day's end like any other.
        validity=Validity.IOC if row.text("validity") == "IOC" else Validity.DAY,
    )


def orders_of(answer: object, user_id: str, key_of: KeyOf, as_of: datetime) -> BrokerRows[BrokerOrder]:
    """The orders of a book."""
    passed_over: list[PassedOver] = []

    def take(row: UpstoxRow) -> BrokerOrder | None:
        if row.traded_here:
            return order_of(row, user_id, key_of, as_of)
        if row.may_live:
            passed_over.append(row.passed_over)
        return None

    orders, unread = UpstoxRow.taken("order", answer, take)
    by_id = {order.broker_order_id: order for order in orders}
    return BrokerRows(tuple(by_id.values()), tuple(unread), tuple(passed_over))


def latest(orders: Iterable[BrokerOrder]) -> list[BrokerOrder]:
    """Of all states that orders have had, the one each is in: an end, or what was said last."""
    found: dict[str, BrokerOrder] = {}
    for order in orders:
        before = found.get(order.broker_order_id)
        if before is None or _standing(order) >= _standing(before):
            found[order.broker_order_id] = order
    return list(found.values())


def _standing(order: BrokerOrder) -> tuple[bool, datetime, int]:
    return order.status not in MAY_LIVE, order.updated_at, order.filled_quantity


def trades_of(answer: object, user_id: str, key_of: KeyOf) -> BrokerRows[BrokerTrade]:
    """The fills of a trade book."""

    def take(row: UpstoxRow) -> BrokerTrade | None:
        return _trade(row, user_id, key_of) if row.traded_here else None

    trades, unread = UpstoxRow.taken("trade", answer, take)
    return BrokerRows(tuple(trades), tuple(unread))


def _trade(row: UpstoxRow, user_id: str, key_of: KeyOf) -> BrokerTrade:
    exchange, symbol = _named(row, key_of)
    traded_at = row.moment_or_none("exchange_timestamp") or row.moment("order_timestamp")
    return BrokerTrade(
        trade_id=row.text("trade_id"),
        broker_order_id=row.text("order_id"),
        user_id=user_id,
        exchange=exchange,
        tradingsymbol=symbol,
        side=row.word("transaction_type", Side),
        product=row.product,
        quantity=row.count("quantity"),
        price_paise=row.paise("average_price"),
        trading_date=traded_at.astimezone(IST).date(),
        traded_at=traded_at,
    )


def _named(row: UpstoxRow, key_of: KeyOf) -> tuple[str, str]:
    """The desk's exchange and symbol of a row."""
    exchange, _, symbol = key_of(row.token, row.text("exchange"), row.symbol).partition(":")
    return exchange, symbol
