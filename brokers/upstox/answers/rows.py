"""Upstox's rows (Upstox API documentation; both forms where it contradicts itself)."""

from datetime import datetime

from brokers.upstox.statuses import status_of
from brokers.wire.rows import STAMP, AnswerRow
from data.clock import IST
from data.reference.instruments import EXCHANGES
from data.vocabulary import Product

PRODUCTS = {"D": Product.CNC, "I": Product.MIS, "MTF": Product.MTF}
"""The products that the desk trades; `D` in derivatives is carried forward, which it does not."""

PRODUCT_CODES = {product: code for code, product in PRODUCTS.items()}

_STAMPS = (STAMP, "%d-%b-%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
"""Its samples show a time in two forms, the third is what a later version may say."""


class UpstoxRow(AnswerRow):
    """One JSON object of Upstox's answers."""

    broker = "Upstox"
    status_of = staticmethod(status_of)

    def stamp(self, text: str) -> datetime | None:
        """A time of the exchange as text; None for text that is none."""
        for form in _STAMPS:
            try:
                return datetime.strptime(text.strip(), form).replace(tzinfo=IST)
            except ValueError:
                continue
        return None

    @property
    def symbol(self) -> str:
        """The symbol under either of its names, or empty."""
        return self.words("trading_symbol") or self.words("tradingsymbol")

    @property
    def token(self) -> str:
        """Upstox's key of the instrument under any of its names. Raises `BrokerError` where it has none."""
        return self.words("instrument_token") or self.words("instrument_key") or self.text("instrument_token")

    @property
    def product(self) -> Product:
        """The product, once the row is known to be `traded_here`."""
        return PRODUCTS[self.text("product")]

    @property
    def traded_here(self) -> bool:
        """Whether it is of a segment and a product that the desk trades. Raises where it does not tell."""
        return self.text("exchange") in EXCHANGES and self.text("product") in PRODUCTS


def listed(answer: object) -> object:
    """An answer that must be a list, in which nothing may stand for an empty one."""
    return [] if answer is None else answer
