"""Groww's rows (Groww Trading API documentation; every form where it leaves one open)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import cast

from brokers.contract import BrokerError
from brokers.groww.statuses import status_of
from brokers.wire.rows import AnswerRow, moment_of_millis
from data.clock import IST
from data.reference.instruments import EXCHANGES
from data.vocabulary import OrderType, Product

CASH, FNO = "CASH", "FNO"
"""Segments of shares, which the desk trades, and of derivatives, which it does not."""

PRODUCTS = {"CNC": Product.CNC, "MIS": Product.MIS, "MTF": Product.MTF}
"""The products that the desk trades; MTF is among Groww's constants and may be traded in its own app."""

TYPE_WORDS = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.SL: "SL",
    OrderType.SL_M: "SL_M",
}

ORDER_TYPES: Mapping[str, OrderType] = {word: kind for kind, word in TYPE_WORDS.items()}


class GrowwRow(AnswerRow):
    """One JSON object of Groww's answers."""

    broker = "Groww"
    status_of = staticmethod(status_of)

    @property
    def symbol(self) -> str:
        """The symbol, or empty."""
        return self.words("trading_symbol")

    @property
    def order_id(self) -> str:
        """The id of an order, or empty."""
        return self.words("groww_order_id")

    @property
    def status(self) -> str:
        """How an order stands, or empty."""
        return self.words("order_status")

    @property
    def what(self) -> str:
        """Where and in which product an order trades, such as `NSE FNO NRML`."""
        return f"{self.words('exchange')} {self.words('segment')} {self.words('product')}"

    @property
    def product(self) -> Product:
        """The product, once the row is known to be `traded_here`."""
        return PRODUCTS[self.text("product")]

    @property
    def traded_here(self) -> bool:
        """Whether it is of a segment and a product that the desk trades. Raises where it does not tell."""
        in_cash = self.words("segment") in ("", CASH)
        return in_cash and self.text("exchange") in EXCHANGES and self.text("product") in PRODUCTS

    def number(self, field: str) -> Decimal:
        """A finite number, which smart orders write as text."""
        value = self.get(field)
        if isinstance(value, str):
            try:
                number = Decimal(value.strip())
            except InvalidOperation:
                raise self.wrong(field, "a number") from None
            if not number.is_finite() or abs(number) > 10**14:
                raise self.wrong(field, "a finite number")
            return number
        return super().number(field)

    def number_or_zero(self, field: str) -> Decimal:
        """A finite number; 0 if missing or null."""
        return Decimal() if self.get(field) is None else self.number(field)

    def moment_or_none(self, field: str) -> datetime | None:
        """A time of the exchange, as text or in seconds or milliseconds since 1970; None where it is none."""
        value = self.get(field)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return moment_of_millis(int(value if value > 10**11 else value * 1000))
        return super().moment_or_none(field)

    def stamp(self, text: str) -> datetime | None:
        """A time as text: in India's hours unless it says otherwise; None for text that is none."""
        given = text.strip()
        if given.isdecimal():
            return moment_of_millis(int(given) if len(given) > 11 else int(given) * 1000)
        try:
            found = datetime.fromisoformat(given)
        except ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=IST)


def listed(answer: object, name: str) -> object:
    """A list inside a payload; null or a payload without anything stands for an empty one.

    Raises `BrokerError` for a payload that has other things than the list: then nothing is known of it.
    """
    if not isinstance(answer, Mapping):
        raise BrokerError(f"Groww: {name} must be in an object, not {type(answer).__name__}", "bad_row")
    row = GrowwRow("answer", cast("object", answer))
    if row.fields and name not in row.fields:
        raise row.wrong(name, "a list")
    found = row.get(name)
    return [] if found is None else found
