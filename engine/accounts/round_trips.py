"""Closed round trips, made of the sales out of single lots."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from msgspec import Struct

from data.closed_sales import ClosedSale
from data.money import half_up
from data.vocabulary import Product


class Transaction(Struct, frozen=True):
    """A closed round trip of one sell order and day bought: what was paid, received and kept, in paise.

    `charges_paise` are those of both sides, in proportion to the shares sold.
    """

    client_id: int
    order_id: int
    tradingsymbol: str
    product: Product
    quantity: int
    cost_paise: int
    proceeds_paise: int
    charges_paise: int
    opened_on: date
    closed_at: datetime

    @property
    def buy_price_paise(self) -> int:
        """Average buy price, half-up."""
        return half_up(self.cost_paise, self.quantity)

    @property
    def sell_price_paise(self) -> int:
        """Average sell price, half-up."""
        return half_up(self.proceeds_paise, self.quantity)

    @property
    def pnl_paise(self) -> int:
        """Profit before charges."""
        return self.proceeds_paise - self.cost_paise

    @property
    def net_paise(self) -> int:
        """Profit after charges."""
        return self.pnl_paise - self.charges_paise


def round_trips(sales: Iterable[ClosedSale]) -> list[Transaction]:
    """One round trip of the sales of each order out of shares of the same day, in the order of the first."""
    trips: dict[tuple[int, date], list[ClosedSale]] = defaultdict(list)
    for sale in sales:
        trips[sale.order_id, sale.opened_on].append(sale)
    return [_transaction(pieces) for pieces in trips.values()]


def _transaction(rows: Sequence[ClosedSale]) -> Transaction:
    first = rows[0]
    return Transaction(
        client_id=first.client_id,
        order_id=first.order_id,
        tradingsymbol=first.tradingsymbol,
        product=first.product,
        quantity=sum(row.quantity for row in rows),
        cost_paise=sum(row.cost_paise for row in rows),
        proceeds_paise=sum(row.proceeds_paise for row in rows),
        charges_paise=sum(row.charges_paise for row in rows),
        opened_on=first.opened_on,
        closed_at=max(row.closed_at for row in rows),
    )
