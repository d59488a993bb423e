"""Kite's rows as the contract's shapes (Kite Connect documentation; its mocks where the two differ).

Numbers arrive as floats with binary noise and go through their shortest text into paise. A field that is
missing, null or of another type raises `BrokerError` naming the row and the field; in a book such a row is
kept as unread and hides no other. Rows of segments and products that the desk does not trade are passed over:
a client's own derivatives must not hide its shares.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import TypeVar, cast

from brokers.contract import (
    BrokerError,
    BrokerFunds,
    BrokerOrder,
    BrokerProfile,
    BrokerRows,
    BrokerStatus,
    BrokerTrade,
    DepthLevel,
    PassedOver,
    Tick,
    UnreadRow,
)
from brokers.kite.outcomes import plain
from brokers.kite.statuses import AFTER_MARKET, REGULAR, WAITING_FOR_SESSION, status_of
from data.clock import IST
from data.money import BPS
from data.reference.instruments import EXCHANGES
from data.vocabulary import Demat, OrderType, Product, Side, Validity

log = logging.getLogger(__name__)

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

_STAMP = "%Y-%m-%d %H:%M:%S"
_PRODUCTS = frozenset(product.value for product in Product)


class AnswerRow:
    """One JSON object of an answer, read field by field. `name` is for messages, such as `order row 3`."""

    def __init__(self, name: str, fields: object) -> None:
        if not isinstance(fields, Mapping):
            raise BrokerError(f"Kite: {name} must be an object, not {type(fields).__name__}", "bad_row")
        self.name = name
        self.fields = cast("Mapping[str, object]", fields)

    def get(self, field: str) -> object:
        """A field as it came; None if it is missing."""
        return self.fields.get(field)

    def wrong(self, field: str, expected: str) -> BrokerError:
        """The error for a field that is not as expected."""
        given = plain(repr(self.fields.get(field)))[:60] if field in self.fields else "missing"
        return BrokerError(f"Kite: {self.name}, {field}: {given}; it must be {expected}", "bad_row")

    def child(self, field: str) -> "AnswerRow":
        """An object inside the row."""
        value = self.fields.get(field)
        if not isinstance(value, Mapping):
            raise self.wrong(field, "an object")
        return AnswerRow(f"{self.name}, {field}", cast("object", value))

    def text(self, field: str) -> str:
        """Text that is not empty, on one line."""
        value = self.fields.get(field)
        words = plain(value) if isinstance(value, str) else ""
        if not words:
            raise self.wrong(field, "text")
        return words

    def words(self, field: str) -> str:
        """Text that may be missing or null."""
        value = self.fields.get(field)
        return plain(value) if isinstance(value, str) else ""

    def whole(self, field: str) -> int:
        """A whole number."""
        value = self.fields.get(field)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(field, "a whole number")
        return value

    def count(self, field: str) -> int:
        """A whole number, zero or more."""
        value = self.whole(field)
        if value < 0:
            raise self.wrong(field, "zero or more")
        return value

    def number(self, field: str) -> Decimal:
        """A finite number."""
        value = self.fields.get(field)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(field, "a number")
        number = Decimal(str(value))
        if not number.is_finite() or abs(number) > 10**14:
            raise self.wrong(field, "a finite number")
        return number

    def paise(self, field: str) -> int:
        """Rupees, to the nearest paisa."""
        return to_paise(self.number(field))

    def paise_or_zero(self, field: str) -> int:
        """Rupees to the nearest paisa; 0 if missing or null."""
        return 0 if self.fields.get(field) is None else self.paise(field)

    def word(self, field: str, words: type[E]) -> E:
        """One of an enumeration's words."""
        value = self.fields.get(field)
        try:
            return words(value)
        except ValueError:
            raise self.wrong(field, f"one of {', '.join(words)}") from None

    def moment(self, field: str) -> datetime:
        """A time of the exchange, as the client's naive date or as text, in UTC."""
        found = self.moment_or_none(field)
        if found is None:
            raise self.wrong(field, "a time such as 2026-11-23 09:15:00")
        return found

    def moment_or_none(self, field: str) -> datetime | None:
        """A time of the exchange; None if missing, null, or the time of day alone that trades carry."""
        value = self.fields.get(field)
        if isinstance(value, str):
            try:
                value = datetime.strptime(value, _STAMP).replace(tzinfo=IST)
            except ValueError:
                return None
        if not isinstance(value, datetime):
            return None
        return (value if value.tzinfo else value.replace(tzinfo=IST)).astimezone(UTC)


def rows(name: str, answer: object) -> list[AnswerRow]:
    """The rows of an answer that must be a list."""
    if not isinstance(answer, list):
        raise BrokerError(f"Kite: the {name} rows must be a list, not {type(answer).__name__}", "bad_row")
    listed = cast("list[object]", answer)
    return [AnswerRow(f"{name} row {number}", fields) for number, fields in enumerate(listed, start=1)]


def taken(
    name: str, answer: object, take: Callable[[AnswerRow], T | None]
) -> tuple[list[T], list[UnreadRow]]:
    """What `take` makes of each row of an answer, and the rows that it could make nothing of.

    Raises `BrokerError` where the answer is no list: then nothing of the book is known.
    """
    if not isinstance(answer, list):
        raise BrokerError(f"Kite: the {name} rows must be a list, not {type(answer).__name__}", "bad_row")
    found: list[T] = []
    unread: list[UnreadRow] = []
    for number, fields in enumerate(cast("list[object]", answer), start=1):
        try:
            one = take(AnswerRow(f"{name} row {number}", fields))
        except BrokerError as error:
            unread.append(_unread(fields, error))
        else:
            if one is not None:
                found.append(one)
    return found, unread


def _unread(fields: object, error: BrokerError) -> UnreadRow:
    """An odd row, with what can be read of an order in it."""
    words = str(error).removeprefix("Kite: ")
    if not isinstance(fields, Mapping):
        return UnreadRow(words, may_live=True)
    row = AnswerRow("row", cast("object", fields))
    symbol, status = row.words("tradingsymbol"), row.words("status")
    ended = status_of(status) not in (BrokerStatus.OPEN, BrokerStatus.UNRECOGNISED)
    return UnreadRow(f"{symbol}: {words}" if symbol else words, row.words("order_id"), not ended)


def traded_here(row: AnswerRow) -> bool:
    """Whether a row is of a segment and a product that the desk trades. Raises where it does not tell."""
    return row.text("exchange") in EXCHANGES and row.text("product") in _PRODUCTS


def to_paise(rupees: Decimal) -> int:
    """Rupees to the nearest paisa, half away from zero."""
    return int((rupees * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def rupees_text(paise: int) -> str:
    """Paise as the exact decimal that is sent, such as `100.50`."""
    return f"{paise // 100}.{paise % 100:02d}"


def percent_text(bps: int) -> str:
    """Basis points as the percentage that is sent, such as `2` or `2.5`."""
    return f"{Decimal(bps) * 100 / BPS:f}"


# --- orders and trades --------------------------------------------------------------------------------


def order_of(fields: object, user_id: str = "", name: str = "order update") -> BrokerOrder:
    """An order of the book, or of a frame of the stream, which names its user itself.

    A protected market order comes as a limit order with the protected price. `placed_at` is the time of
    the last request, which is all that Kite keeps in a row.
    """
    row = AnswerRow(name, fields)
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


@dataclass(frozen=True, slots=True)
class OrderBook:
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

    def take(row: AnswerRow) -> BrokerOrder | None:
        variety, status = row.words("variety") or REGULAR, row.words("status")
        gone_on = variety == AFTER_MARKET and status not in WAITING_FOR_SESSION
        varieties[row.words("order_id")] = REGULAR if gone_on else variety
        if traded_here(row):
            row.text("variety")
            return order_of(row.fields, user_id, row.name)
        if status_of(status) in (BrokerStatus.OPEN, BrokerStatus.UNRECOGNISED):
            passed_over.append(_passed_over(row))
        return None

    orders, unread = taken("order", answer, take)
    by_id = {order.broker_order_id: order for order in orders}
    return OrderBook(BrokerRows(tuple(by_id.values()), tuple(unread), tuple(passed_over)), varieties)


def _passed_over(row: AnswerRow) -> PassedOver:
    quantity = row.get("quantity")
    return PassedOver(
        broker_order_id=row.words("order_id"),
        what=f"{row.words('exchange')} {row.words('product')}",
        tradingsymbol=row.words("tradingsymbol"),
        side=row.words("transaction_type"),
        quantity=int(quantity) if isinstance(quantity, int | float) else 0,
    )


def trades_of(answer: object, user_id: str) -> BrokerRows[BrokerTrade]:
    """The fills of a trade book."""
    trades, unread = taken("trade", answer, lambda row: _trade(row, user_id) if traded_here(row) else None)
    return BrokerRows(tuple(trades), tuple(unread))


def _tags(row: AnswerRow) -> tuple[str, ...]:
    """The order's own tag first, then the broker's; either may be missing."""
    listed = row.get("tags")
    found = [row.get("tag"), *(cast("list[object]", listed) if isinstance(listed, list) else ())]
    return tuple(dict.fromkeys(tag for tag in found if isinstance(tag, str) and tag))


def _trade(row: AnswerRow, user_id: str) -> BrokerTrade:
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


# --- account ------------------------------------------------------------------------------------------


_DEMAT_CONSENTS = {"consent": Demat.DDPI, "physical": Demat.POA, "": Demat.NONE}
"""Kite Connect documentation, user profile."""


def profile_of(answer: object) -> BrokerProfile:
    """Whose session it is. A profile without `meta` tells nothing of the demat account."""
    row = AnswerRow("profile", answer)
    told = row.child("meta").get("demat_consent") if isinstance(row.get("meta"), Mapping) else None
    demat = _DEMAT_CONSENTS.get(told, Demat.UNKNOWN) if isinstance(told, str) else Demat.UNKNOWN
    names = row.text("user_id"), row.words("user_name"), row.words("broker") or "ZERODHA"
    return BrokerProfile(*names, demat)


def funds_of(margins: object, holdings: object, as_of: datetime) -> BrokerFunds:
    """A client's money: what is free is the equity segment's live balance, what is blocked its payouts.

    `debits` also counts what today's purchases have cost, so it does not tell what open orders block. Kite
    tells no limit of the margin trading facility; the loan is what the holdings under it have cost beyond
    the client's own margin.
    """
    row = AnswerRow("margins", margins)
    loans, unread = taken("holdings", holdings, _loan)
    return BrokerFunds(
        available_paise=row.child("available").paise("live_balance"),
        blocked_paise=abs(row.child("utilised").paise("payout")),
        mtf_limit_paise=0,
        mtf_loan_paise=sum(loans),
        as_of=as_of,
        orders_blocked=False,
        loan_of_today=False,  # today's purchases are positions, which tell no margin
        loan_whole=not unread,
    )


def _loan(held: AnswerRow) -> int:
    """What is lent on one holding."""
    if not isinstance(held.get("mtf"), Mapping) or not held.child("mtf").count("quantity"):
        return 0
    mtf = held.child("mtf")
    return max(0, mtf.paise("value") - mtf.paise("initial_margin"))


# --- market -------------------------------------------------------------------------------------------


def ticks_of(answer: object, received_at: datetime) -> dict[str, Tick]:
    """Quotes by key; an index has neither depth nor circuits. An odd one is left out and logged."""
    if not isinstance(answer, Mapping):
        raise BrokerError(f"Kite: quotes must be an object, not {type(answer).__name__}", "bad_row")
    found: dict[str, Tick] = {}
    for key, fields in cast("Mapping[str, object]", answer).items():
        try:
            found[key] = _tick(key, AnswerRow(f"quote of {key}", fields), received_at)
        except BrokerError as error:
            log.warning("a quote is left out: %s", error)
    return found


def _tick(key: str, row: AnswerRow, received_at: datetime) -> Tick:
    day = row.child("ohlc")
    depth = row.child("depth") if isinstance(row.get("depth"), Mapping) else None
    bids = _levels(depth, "buy") if depth else ()
    asks = _levels(depth, "sell") if depth else ()
    return Tick(
        key=key,
        last_paise=row.paise("last_price"),
        prev_close_paise=day.paise("close"),
        open_paise=day.paise("open"),
        high_paise=day.paise("high"),
        low_paise=day.paise("low"),
        volume=0 if row.get("volume") is None else row.count("volume"),
        bid_paise=bids[0].price_paise if bids else 0,
        ask_paise=asks[0].price_paise if asks else 0,
        lower_circuit_paise=row.paise_or_zero("lower_circuit_limit"),
        upper_circuit_paise=row.paise_or_zero("upper_circuit_limit"),
        market_at=row.moment_or_none("timestamp") or row.moment_or_none("last_trade_time") or received_at,
        received_at=received_at,
        bids=bids,
        asks=asks,
    )


def _levels(depth: AnswerRow, side: str) -> tuple[DepthLevel, ...]:
    """One side of the book; a level of price 0 is none."""
    levels = [
        DepthLevel(row.paise("price"), row.count("quantity"), row.count("orders"))
        for row in rows(f"{depth.name} {side}", depth.get(side))
    ]
    return tuple(level for level in levels if level.price_paise)
