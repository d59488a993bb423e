"""A buy whose margin a broker is asked for, and the client's own share that its answer comes to.

A broker may count an account's positions and open orders in, so what a buy takes may be less than its share.
"""

from collections.abc import Awaitable, Callable, Iterable

from msgspec import Struct

from brokers.contract import BrokerError
from data.money import BPS, ceil_div
from data.reference.instruments import Instrument
from data.vocabulary import Product

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
    def least_paise(self) -> int:
        """What a broker takes of its value at the least."""
        return self.quantity * self.price_paise * LEAST_BPS // BPS

    def own_bps(self, margin_paise: int) -> int:
        """The client's own share in basis points, the whole value at most."""
        # A paisa less, since the broker may have rounded up: an even share must not become the next one.
        return min(BPS, ceil_div((margin_paise - 1) * BPS, self.quantity * self.price_paise))


async def shares_by_product(
    products: Iterable[Product], own_bps: Callable[[Product], Awaitable[int]], refused_code: str
) -> dict[Product, int | None]:
    """The client's own share of a buy by product, as `own_bps` asks the broker; None for a refused product.

    One order a call: a calculation of several has no place for the error of one of them, so one refusal
    would take the others' answers with it. Raises `BrokerError` of any code but that of a refusal.
    """
    shares = dict[Product, int | None]()
    for product in products:
        try:
            shares[product] = await own_bps(product)
        except BrokerError as refused:
            if refused.code != refused_code:
                raise
            shares[product] = None
    if None in shares.values():
        # Only what is taken for delivery was refused for its product; this raises where it is not taken.
        await own_bps(Product.CNC)
    return shares
