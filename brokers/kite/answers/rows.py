"""Kite's rows as the contract's shapes (Kite Connect documentation; its mocks where the two differ).

Numbers arrive as floats with binary noise and go through their shortest text into paise. A field that is
missing, null or of another type raises `BrokerError` naming the row and the field; in a book such a row is
kept as unread and hides no other. Rows of segments and products that the desk does not trade are passed over:
a client's own derivatives must not hide its shares.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import TypeVar, cast

from brokers.contract import (
    BrokerError,
    BrokerStatus,
    UnreadRow,
)
from brokers.kite.outcomes import plain
from brokers.kite.statuses import status_of
from data.clock import IST
from data.money import BPS
from data.reference.instruments import EXCHANGES
from data.vocabulary import Product

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
