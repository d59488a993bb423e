"""What a paper exchange is opened with: instruments, accounts and shares."""

from datetime import date
from typing import Protocol

from msgspec import Struct

from data.reference.instruments import BrokerInstrument
from data.vocabulary import Product


class ListedInstrument(Protocol):
    """An instrument with the figures its first day starts from, in paise."""

    @property
    def instrument(self) -> BrokerInstrument: ...  # noqa: D102
    @property
    def last_paise(self) -> int: ...  # noqa: D102
    @property
    def open_paise(self) -> int: ...  # noqa: D102
    @property
    def high_paise(self) -> int: ...  # noqa: D102
    @property
    def low_paise(self) -> int: ...  # noqa: D102
    @property
    def volume(self) -> int: ...  # noqa: D102


class AccountOpening(Struct, frozen=True):
    """A client's account as it starts: cash to trade with, the loan it may draw, money blocked besides.

    `rates` names the broker whose charges apply.
    """

    user_id: str
    cash_paise: int
    mtf_limit_paise: int = 0
    hold_paise: int = 0
    rates: str = "paper"


class HoldingOpening(Struct, frozen=True):
    """Shares that a client starts with, and what they cost together; `loan_paise` of it is lent (MTF).

    `bought_on` is the trading date of shares that have not settled.
    """

    user_id: str
    key: str
    quantity: int
    cost_paise: int
    product: Product = Product.CNC
    loan_paise: int = 0
    bought_on: date | None = None
