"""Closed round trips, made of the sales out of single lots."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct

from data.closed_sales import ClosedSale, NotedDay
from data.money import half_up
from data.vocabulary import Product


class Transaction(Struct, frozen=True):
    """A closed round trip of one sell order and day bought: what was paid, received and kept, in paise.

    `charges_paise` are those of both sides as they were booked at fill, in proportion to the shares sold;
    `note_charges_paise` what they are by both days' contract notes. A note's difference is of a day, and is
    shared out over the day's trades by what was booked.
    """

    client_id: int
    order_id: int
    tradingsymbol: str
    product: Product
    quantity: int
    cost_paise: int
    proceeds_paise: int
    charges_paise: int
    note_charges_paise: int
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
        """Profit after charges, by the contract notes."""
        return self.pnl_paise - self.note_charges_paise


def round_trips(sales: Iterable[ClosedSale], noted: Iterable[NotedDay]) -> list[Transaction]:
    """One round trip of the sales of each order out of shares of the same day, in the order of the first.

    `noted` are the days whose contract notes differ from what was booked.
    """
    days = {(one.client_id, one.trading_date): one for one in noted}
    trips: dict[tuple[int, date], list[ClosedSale]] = defaultdict(list)
    for sale in sales:
        trips[sale.order_id, sale.opened_on].append(sale)
    return [_transaction(pieces, days) for pieces in trips.values()]


def _beyond(day: NotedDay | None, booked: int) -> int:
    """The share of a day's difference that falls on so much of what was booked on it."""
    return half_up(booked * day.beyond_paise, day.booked_paise) if day and day.booked_paise else 0


def _transaction(rows: Sequence[ClosedSale], days: Mapping[tuple[int, date], NotedDay]) -> Transaction:
    first = rows[0]
    booked, bought = sum(row.charges_paise for row in rows), sum(row.lot_charges_paise for row in rows)
    beyond = _beyond(days.get((first.client_id, first.opened_on)), bought)
    beyond += _beyond(days.get((first.client_id, first.trading_date)), booked - bought)
    return Transaction(
        client_id=first.client_id,
        order_id=first.order_id,
        tradingsymbol=first.tradingsymbol,
        product=first.product,
        quantity=sum(row.quantity for row in rows),
        cost_paise=sum(row.cost_paise for row in rows),
        proceeds_paise=sum(row.proceeds_paise for row in rows),
        charges_paise=booked,
        note_charges_paise=booked + beyond,
        opened_on=first.opened_on,
        closed_at=max(row.closed_at for row in rows),
    )
