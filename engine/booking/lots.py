"""Lots: the shares of one purchase, in the order in which sales take them.

The exchange nets a day's trades in the order in which they were made, so that what a sale takes depends on
when it was made and not on when we hear of it.
"""

from datetime import date, datetime
from typing import TypeAlias

from msgspec import Struct

from data.money import ceil_div
from data.vocabulary import Bucket, Product
from engine.booking.order import ShareKey

SELL_ORDER = (Bucket.TODAY, Bucket.FREE, Bucket.T1, Bucket.PLEDGED, Bucket.DUE)
"""Today's shares are sold first, since the exchange nets the day, then settled ones, then those of T1.

Shares that are due are sold by nobody but a broker that has them and was not asked again."""

TradePlace: TypeAlias = tuple[datetime, int, str]
"""Where a trade stands in the market's order."""

SalePlace: TypeAlias = tuple[bool, int, date, tuple[int, int] | tuple[int, datetime, int, str]]
"""Where a lot stands among those that a sale takes: if it came later, its bucket, day and purchase."""


class Lot(Struct, eq=False, gc=False):
    """Shares bought together; the `_left` figures shrink as they are sold. Money in paise.

    `traded_at` and `trade_id` are the trade's that bought them, None for shares of no trade of ours. Of
    shares that a conversion brought into their product, `bought_as` is the lot that they were opened as,
    and `arrived_at` the market's time as the broker was asked.
    """

    id: int
    client_id: int
    security: str
    product: Product
    bucket: Bucket
    opened_on: date
    quantity: int
    cost_paise: int
    loan_paise: int
    charges_paise: int
    quantity_left: int
    cost_left_paise: int
    loan_left_paise: int
    charges_left_paise: int
    fill_id: int | None
    bought_as: int | None
    arrived_at: datetime | None
    traded_at: datetime | None
    trade_id: str | None

    @property
    def share(self) -> ShareKey:
        """The shares that these are some of."""
        return self.client_id, self.security, self.product

    @property
    def place(self) -> TradePlace | None:
        """Where the trade that bought them stands in the market's order."""
        if self.traded_at is None or self.trade_id is None:
            return None
        return trade_order(self.traded_at, self.trade_id)

    def take(self, quantity: int) -> "Piece":
        """Take up to `quantity` shares out, with their part of cost, loan and charges."""
        left = self.quantity_left
        part = min(quantity, left)
        piece = Piece(
            lot=self,
            quantity=part,
            cost=self.cost_left_paise * part // left,
            loan=ceil_div(self.loan_left_paise * part, left),
            charges=self.charges_left_paise * part // left,
            bucket=Bucket(self.bucket),
        )
        self.put_back(-part, -piece.cost, -piece.loan, -piece.charges)
        return piece

    def put_back(self, quantity: int, cost: int, loan: int, charges: int) -> None:
        """Put shares back that a sale had taken."""
        self.quantity_left += quantity
        self.cost_left_paise += cost
        self.loan_left_paise += loan
        self.charges_left_paise += charges


class Piece(Struct, frozen=True):
    """The part of a lot that one fill sold; money in paise."""

    lot: Lot
    quantity: int
    cost: int
    loan: int
    charges: int
    bucket: Bucket


class ClosedLot(Struct, frozen=True):
    """A lot, or part of one, that a fill sold; one of negative shares takes an earlier one back. In paise."""

    id: int
    client_id: int
    security: str
    tradingsymbol: str
    product: Product
    lot_id: int
    fill_id: int
    opened_on: date
    trading_date: date
    closed_at: datetime
    quantity: int
    cost_paise: int
    proceeds_paise: int
    charges_paise: int
    lot_charges_paise: int
    loan_paise: int


def trade_order(traded_at: datetime, trade_id: str) -> TradePlace:
    """The market's order of trades: by time, then by the exchange's number."""
    return traded_at, int(trade_id) if trade_id.isdigit() else 0, trade_id


def sale_order(lot: Lot, at: TradePlace) -> SalePlace:
    """The order in which a sale made `at` takes lots, as the key of a sort.

    Shares that came later than the sale come last: its own were others, of which we have not heard yet.
    """
    bought = lot.place
    later = lot.bucket == Bucket.TODAY and bought is not None and bought > at
    later = later or (lot.arrived_at is not None and lot.arrived_at > at[0])
    # Shares of one day and bucket are sold as they were bought, whatever product they were bought in.
    as_bought = (0, lot.bought_as or lot.id) if bought is None else (1, *bought)
    return later, SELL_ORDER.index(lot.bucket), lot.opened_on, as_bought


def take_lots(lots: list[Lot], quantity: int, at: TradePlace) -> list[Piece]:
    """Take a sale of `quantity` shares made `at` from lots, which are sorted and reduced in place.

    The pieces fall short of the quantity where the lots do.
    """
    lots.sort(key=lambda lot: sale_order(lot, at))
    pieces: list[Piece] = []
    for lot in lots:
        if quantity > 0 and lot.quantity_left > 0:
            piece = lot.take(quantity)
            pieces.append(piece)
            quantity -= piece.quantity
    return pieces
