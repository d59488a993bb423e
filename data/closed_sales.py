"""Shares sold out of a lot, as stored. Apart from the repository, since short reads fill the same rows."""

from datetime import date, datetime

from msgspec import Struct

from data.vocabulary import Product


class ClosedSale(Struct, frozen=True):
    """Shares of one lot that one fill sold; money in paise.

    Of `charges_paise` the lot gave up `lot_charges_paise`, the rest is the sale's.
    """

    client_id: int
    order_id: int
    tradingsymbol: str
    product: Product
    quantity: int
    cost_paise: int
    proceeds_paise: int
    charges_paise: int
    lot_charges_paise: int
    opened_on: date
    trading_date: date
    closed_at: datetime


class NotedDay(Struct, frozen=True):
    """A client's charges of a day as booked at fill, and what its contract note has beyond them; in paise."""

    client_id: int
    trading_date: date
    booked_paise: int
    beyond_paise: int
