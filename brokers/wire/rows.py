"""Rows of brokers' answers, read field by field into the contract's units.

Numbers arrive as floats with binary noise and go through their shortest text into paise. A field that is
missing, null or of another type raises `BrokerError` naming the row and the field; in a book such a row is
kept as unread and hides no other.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import ClassVar, Self, TypeVar, cast

from brokers.contract import BrokerError, BrokerStatus, PassedOver, UnreadRow
from data.clock import IST
from data.csvfiles import control_character
from data.money import BPS

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

STAMP = "%Y-%m-%d %H:%M:%S"
_LONGEST_WORDS = 500

MAY_LIVE = (BrokerStatus.OPEN, BrokerStatus.UNRECOGNISED)
"""Statuses of an order that trades, or may for all that is known."""


class AnswerRow(ABC):
    """One JSON object of an answer, read field by field. `name` is for messages, such as `order row 3`.

    Each adapter makes it its own by its `broker`'s name and words for an order's status.
    """

    broker: ClassVar[str]

    @staticmethod
    @abstractmethod
    def status_of(text: str) -> BrokerStatus:
        """The contract's word for the broker's status of an order."""

    def __init__(self, name: str, fields: object) -> None:
        if not isinstance(fields, Mapping):
            raise BrokerError(
                f"{self.broker}: {name} must be an object, not {type(fields).__name__}", "bad_row"
            )
        self.name = name
        self.fields = cast("Mapping[str, object]", fields)

    def get(self, field: str) -> object:
        """A field as it came; None if it is missing."""
        return self.fields.get(field)

    def wrong(self, field: str, expected: str) -> BrokerError:
        """The error for a field that is not as expected."""
        given = plain(repr(self.fields.get(field)))[:60] if field in self.fields else "missing"
        return BrokerError(f"{self.broker}: {self.name}, {field}: {given}; it must be {expected}", "bad_row")

    def child(self, field: str) -> Self:
        """An object inside the row."""
        value = self.fields.get(field)
        if not isinstance(value, Mapping):
            raise self.wrong(field, "an object")
        return type(self)(f"{self.name}, {field}", cast("object", value))

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

    def count_or_zero(self, field: str) -> int:
        """A whole number, zero or more; 0 if missing or null."""
        return 0 if self.fields.get(field) is None else self.count(field)

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
        """A time of the exchange; None if missing, null, or the time of day alone that trades carry.

        None too for the year 1, which is how some servers write that there is no time.
        """
        value = self.fields.get(field)
        if isinstance(value, str):
            value = self.stamp(value)
        if not isinstance(value, datetime) or value.year == 1:
            return None
        return (value if value.tzinfo else value.replace(tzinfo=IST)).astimezone(UTC)

    def stamp(self, text: str) -> datetime | None:
        """A time of the exchange as text; None for text that is none."""
        try:
            return datetime.strptime(text, STAMP).replace(tzinfo=IST)
        except ValueError:
            return None

    @property
    def symbol(self) -> str:
        """The broker's symbol of the instrument, or empty."""
        return self.words("tradingsymbol")

    @property
    def order_id(self) -> str:
        """The broker's id of an order, or empty."""
        return self.words("order_id")

    @property
    def status(self) -> str:
        """The broker's word for how an order stands, or empty."""
        return self.words("status")

    @property
    def may_live(self) -> bool:
        """Whether an order's row does not say that the order has ended."""
        return self.status_of(self.status) in MAY_LIVE

    @property
    def what(self) -> str:
        """Where and in which product an order trades, such as `NFO NRML`."""
        return f"{self.words('exchange')} {self.words('product')}"

    def unread(self, words: str) -> UnreadRow:
        """It as a row that could not be taken, with what can be read of an order in it."""
        text = f"{self.symbol}: {words}" if self.symbol else words
        return UnreadRow(text, self.order_id, self.may_live)

    @property
    def passed_over(self) -> PassedOver:
        """It as an order of what the desk does not trade."""
        quantity = self.get("quantity")
        return PassedOver(
            broker_order_id=self.order_id,
            what=self.what,
            tradingsymbol=self.symbol,
            side=self.words("transaction_type"),
            quantity=int(quantity) if isinstance(quantity, int | float) else 0,
        )

    @classmethod
    def rows(cls, name: str, answer: object) -> list[Self]:
        """The rows of an answer that must be a list."""
        return [cls(f"{name} row {number}", fields) for number, fields in cls._listed(name, answer)]

    @classmethod
    def taken(
        cls, name: str, answer: object, take: Callable[[Self], T | None]
    ) -> tuple[list[T], list[UnreadRow]]:
        """What `take` makes of each row of an answer, and the rows that it could make nothing of.

        Raises `BrokerError` where the answer is no list: then nothing of the book is known.
        """
        found: list[T] = []
        unread: list[UnreadRow] = []
        for number, fields in cls._listed(name, answer):
            try:
                one = take(cls(f"{name} row {number}", fields))
            except BrokerError as error:
                words = str(error).removeprefix(f"{cls.broker}: ")
                odd = cls("row", cast("object", fields)) if isinstance(fields, Mapping) else None
                unread.append(odd.unread(words) if odd else UnreadRow(words, may_live=True))
            else:
                if one is not None:
                    found.append(one)
        return found, unread

    @classmethod
    def _listed(cls, name: str, answer: object) -> Iterator[tuple[int, object]]:
        if not isinstance(answer, list):
            words = f"{cls.broker}: the {name} rows must be a list, not {type(answer).__name__}"
            raise BrokerError(words, "bad_row")
        return enumerate(cast("list[object]", answer), start=1)


_LAST_MS = 4_102_444_800_000


def moment_of_millis(millis: int) -> datetime | None:
    """Milliseconds since 1970 as aware UTC; None where there are none, or none of this century."""
    return datetime.fromtimestamp(millis / 1000, UTC) if 0 < millis < _LAST_MS else None


def to_paise(rupees: Decimal) -> int:
    """Rupees to the nearest paisa, half away from zero."""
    return int((rupees * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def rupees(paise: int | None) -> float | int:
    """Paise as the JSON number that is sent: its shortest text is the exact amount."""
    return 0 if not paise else paise // 100 if paise % 100 == 0 else paise / 100


def rupees_text(paise: int) -> str:
    """Paise as the exact decimal that is sent, such as `100.50`."""
    return f"{paise // 100}.{paise % 100:02d}"


def percent_text(bps: int) -> str:
    """Basis points as the percentage that is sent, such as `2` or `2.5`."""
    return f"{Decimal(bps) * 100 / BPS:f}"


def plain(text: object, secrets: tuple[str | None, ...] = ()) -> str:
    """A broker's words on one line, without control characters and without any of `secrets`."""
    words = str(text)
    for secret in secrets:
        if secret:
            words = words.replace(secret, "***")
    shown = "".join(" " if one.isspace() else one for one in words)
    shown = "".join(one for one in shown if control_character(one) is None)
    return " ".join(shown.split())[:_LONGEST_WORDS]
