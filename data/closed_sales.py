"""Shares sold out of a lot, as stored. Apart from the repository, since short reads fill the same rows."""

from datetime import date, datetime

from msgspec import Struct

from data.vocabulary import Product


class ClosedSale(Struct, frozen=True):
    """Shares of one lot that one fill sold; money in paise."""

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
