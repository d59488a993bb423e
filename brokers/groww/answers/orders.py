"""Orders and trades as Groww answers them."""

from collections.abc import Callable
from datetime import UTC, datetime, time

from brokers.contract import BrokerOrder, BrokerRows, BrokerStatus, BrokerTrade, PassedOver
from brokers.groww.answers.rows import ORDER_TYPES, GrowwRow
from brokers.groww.statuses import TRIGGER_PENDING, status_of, status_word
from data.clock import IST
from data.vocabulary import OrderType, Side, Validity

KeyOf = Callable[[str, str], str]
"""The desk's `EXCHANGE:SYMBOL` of Groww's exchange and symbol."""


def order_of(row: GrowwRow, user_id: str, key_of: KeyOf, as_of: datetime) -> BrokerOrder:
    """An order of the book. Raises `BrokerError`.

    One that is said to be executed while some of it remains is alive: whether Groww says so of a part is not
    documented. Without any time it counts as from the day's beginning, older than any word that has one.
    """
    exchange, _, symbol = key_of(row.text("exchange"), row.text("trading_symbol")).partition(":")
    stamps = [at for name in ("created_at", "exchange_time") if (at := row.moment_or_none(name))]
    placed_at = stamps[0] if stamps else datetime.combine(as_of.astimezone(IST), time(), IST).astimezone(UTC)
    quantity, filled = row.count("quantity"), row.count_or_zero("filled_quantity")
    text = row.text("order_status")
    status = status_of(text)
    if status is BrokerStatus.COMPLETE and (row.count_or_zero("remaining_quantity") or filled < quantity):
        status = BrokerStatus.OPEN
    reference = row.words("order_reference_id")
    return BrokerOrder(
        broker_order_id=row.text("groww_order_id"),
        user_id=user_id,
        tags=(reference,) if reference else (),
        exchange=exchange,
        tradingsymbol=symbol,
        side=row.word("transaction_type", Side),
        product=row.product,
        order_type=kind_of(row),
        quantity=quantity,
        filled_quantity=filled,
        average_price_paise=row.paise_or_zero("average_fill_price") if filled else 0,
        status=status,
        status_text=text,
        placed_at=placed_at,
        updated_at=max(stamps, default=placed_at),
        price_paise=row.paise_or_zero("price") or None,
        trigger_paise=row.paise_or_zero("trigger_price") or None,
        message=row.words("remark"),
        trigger_pending=status_word(text) == TRIGGER_PENDING,
        validity=Validity.IOC if row.words("validity") == "IOC" else Validity.DAY,
    )


def kind_of(row: GrowwRow) -> OrderType:
    """How an order is priced. Raises `BrokerError`."""
    found = ORDER_TYPES.get(row.text("order_type"))
    if found is None:
        raise row.wrong("order_type", f"one of {', '.join(ORDER_TYPES)}")
    return found


def orders_of(answer: object, user_id: str, key_of: KeyOf, as_of: datetime) -> BrokerRows[BrokerOrder]:
    """The orders of a book; of an id that stands twice, as a page may show it again, the last row."""
    passed_over: dict[str, PassedOver] = {}

    def take(row: GrowwRow) -> BrokerOrder | None:
        if row.traded_here:
            return order_of(row, user_id, key_of, as_of)
        if row.may_live:
            passed_over[row.order_id] = row.passed_over
        return None

    orders, unread = GrowwRow.taken("order", answer, take)
    by_id = {order.broker_order_id: order for order in orders}
    return BrokerRows(tuple(by_id.values()), tuple(unread), tuple(passed_over.values()))


def trades_of(answer: object, user_id: str, key_of: KeyOf) -> BrokerRows[BrokerTrade]:
    """The fills of one order."""

    def take(row: GrowwRow) -> BrokerTrade | None:
        return _trade(row, user_id, key_of) if row.traded_here else None

    trades, unread = GrowwRow.taken("trade", answer, take)
    return BrokerRows(tuple(trades), tuple(unread))


def _trade(row: GrowwRow, user_id: str, key_of: KeyOf) -> BrokerTrade:
    exchange, _, symbol = key_of(row.text("exchange"), row.text("trading_symbol")).partition(":")
    traded_at = row.moment_or_none("trade_date_time") or row.moment("created_at")
    return BrokerTrade(
        # The exchange's own number is what contract notes show, and puts fills of one moment in order.
        trade_id=row.words("exchange_trade_id") or row.text("groww_trade_id"),
        broker_order_id=row.text("groww_order_id"),
        user_id=user_id,
        exchange=exchange,
        tradingsymbol=symbol,
        side=row.word("transaction_type", Side),
        product=row.product,
        quantity=row.count("quantity"),
        price_paise=row.paise("price"),
        trading_date=traded_at.astimezone(IST).date(),
        traded_at=traded_at,
    )
