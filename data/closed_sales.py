"""Shares sold out of a lot, as stored. Apart from the repository, since short reads fill the same rows."""

from dataclasses import dataclass
from datetime import date, datetime

from data.vocabulary import Product


@dataclass(frozen=True, slots=True)
class ClosedSale:
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
