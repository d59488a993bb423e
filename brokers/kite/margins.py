"""Kite's margin calculation of one buy (Kite Connect documentation, margins).

It counts the account's positions and open orders in, so what a buy takes may be less than its share, or more.
"""

from collections.abc import Mapping

from msgspec import Struct

from brokers.contract import BrokerError
from brokers.kite.answers.rows import rows
from brokers.kite.statuses import REGULAR
from data.money import BPS, ceil_div
from data.reference.instruments import Instrument
from data.vocabulary import OrderType, Product, Side

LEAST_BPS = 1_000
"""No broker lends more than nine tenths: value at risk and the extreme loss margin take more (SEBI). Less
means that positions or open orders of the account were counted in, which is no other client's margin."""

WORTH_PAISE = 1_00_000_00
"""About what the buy is worth that is asked for: enough that a paisa is far less than a basis point."""


class MarginBuy(Struct, frozen=True):
    """A buy of whole lots that is never placed, worth about a lakh rupees at its limit."""

    instrument: Instrument
    product: Product
    price_paise: int

    @property
    def quantity(self) -> int:
        """Shares: at least one lot."""
        lot = self.instrument.lot_size
        return max(1, WORTH_PAISE // (self.price_paise * lot)) * lot

    @property
    def fields(self) -> Mapping[str, object]:
        """It as it is sent."""
        return {
            "exchange": self.instrument.exchange,
            "tradingsymbol": self.instrument.tradingsymbol,
            "transaction_type": Side.BUY.value,
            "variety": REGULAR,
            "product": self.product.value,
            "order_type": OrderType.LIMIT.value,
            "quantity": self.quantity,
            "price": self.price_paise / 100,  # Kite wants a JSON number here
            "trigger_price": 0,
        }

    def own_bps(self, answer: object) -> int:
        """The client's own share in basis points, the whole value at most. Raises `BrokerError`."""
        listed = rows("margin", answer)
        if len(listed) != 1:
            raise BrokerError(f"Kite: the margin of one order came in {len(listed)} rows", "bad_row")
        row = listed[0]
        total = row.paise("total")
        if row.text("type") != "equity":
            raise row.wrong("type", "equity")
        least = self.quantity * self.price_paise * LEAST_BPS // BPS
        if total < least:
            raise row.wrong("total", f"at least {least / 100:.2f}, a tenth of the value")
        # A paisa less, since the broker may have rounded up: an even share must not become the next one.
        return min(BPS, ceil_div((total - 1) * BPS, self.quantity * self.price_paise))
