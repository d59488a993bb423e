"""The margin trading facility as screens and commands see it: frozen, with typed figures, in paise."""

from datetime import date

from msgspec import Struct

from engine.mtf.ladder import Alone, Rung, Threshold


class MtfStock(Struct, frozen=True):
    """A client's shares of one stock on margin.

    `margin_bps` is the client's own part that the broker asks for it now, None where it lends on it no more.
    `alone` is its own fall to the client's nearest threshold; None where none can be reached or told.
    """

    security: str
    key: str
    tradingsymbol: str
    quantity: int
    cost_paise: int
    loan_paise: int
    last_paise: int | None
    margin_bps: int | None
    alone: Alone | None

    @property
    def own_paise(self) -> int:
        """What of their cost was the client's own."""
        return self.cost_paise - self.loan_paise

    @property
    def value_paise(self) -> int:
        """What they are worth; their cost without a price."""
        return self.cost_paise if self.last_paise is None else self.quantity * self.last_paise

    @property
    def unrealised_paise(self) -> int | None:
        """What they have gained since they were bought; None without a price."""
        return None if self.last_paise is None else self.value_paise - self.cost_paise


class MtfView(Struct, frozen=True):
    """A client on margin: what is lent and what it costs, the ladder, and its stocks by symbol.

    `cash_paise` is free cash less what is owed but for the loan, `base_paise` the capital that it came with
    and what was paid in or out since, None where that is not known. Without a price of each stock there is no
    ladder (`unpriced`). The broker's terms hold since `terms_of`, and `list_of` is the day of its list.
    """

    client_id: int
    broker: str
    limit_paise: int
    loan_paise: int
    reserved_paise: int
    cost_paise: int
    value_paise: int
    cash_paise: int
    portfolio_paise: int
    base_paise: int | None
    interest_a_day_paise: int
    terms_of: date
    list_of: date | None
    list_stale: bool
    rungs: tuple[Rung, ...]
    nearest: Rung | None
    stocks: tuple[MtfStock, ...]
    unpriced: bool

    @property
    def own_paise(self) -> int:
        """What of the cost was the client's own."""
        return self.cost_paise - self.loan_paise


class ToSell(Struct, frozen=True):
    """How many shares of a stock take a client off a threshold when they are sold; None: all do not."""

    key: str
    quantity: int | None


class Restoring(Struct, frozen=True):
    """What takes a client off a threshold: so much paid in, or shares of one stock sold at the last price.

    Charges of the sale are counted; what the market does meanwhile is not.
    """

    threshold: Threshold
    pay_in_paise: int
    sales: tuple[ToSell, ...]
