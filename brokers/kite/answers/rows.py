"""Kite's rows (Kite Connect documentation; its mocks where the two differ).

Rows of segments and products that the desk does not trade are passed over: a client's own derivatives must
not hide its shares.
"""

from brokers.kite.statuses import status_of
from brokers.wire.rows import AnswerRow
from data.reference.instruments import EXCHANGES
from data.vocabulary import Product

_PRODUCTS = frozenset(product.value for product in Product)


class KiteRow(AnswerRow):
    """One JSON object of Kite's answers."""

    broker = "Kite"
    status_of = staticmethod(status_of)

    @property
    def traded_here(self) -> bool:
        """Whether it is of a segment and a product that the desk trades. Raises where it does not tell."""
        return self.text("exchange") in EXCHANGES and self.text("product") in _PRODUCTS
