"""How much of what a client may use is used: its money, its margin loan, and its largest holding."""

from collections.abc import Sequence

from msgspec import Struct

from data.money import BPS, half_up
from engine.accounts.valuation import Valuation
from engine.book.views import FundsView, HoldingView


class Used(Struct, frozen=True):
    """A part of a whole, in paise, and in basis points of it."""

    used_paise: int
    whole_paise: int

    @property
    def bps(self) -> int:
        """The part in basis points."""
        return half_up(self.used_paise * BPS, self.whole_paise)


class ClientLimits(Struct, frozen=True):
    """What of a client's limits is used; None where there is none.

    `money` is what is blocked of all its cash, `mtf` what is lent of its limit, `largest` its largest
    holding's part of the portfolio, over all products, under the symbol `largest_symbol`.
    """

    money: Used | None
    mtf: Used | None
    largest: Used | None
    largest_symbol: str = ""


def client_limits(funds: FundsView, holdings: Sequence[HoldingView], valuation: Valuation) -> ClientLimits:
    """The limits of the client whose funds and holdings these are."""
    cash = funds.available_paise + funds.blocked_paise
    worth: dict[str, int] = {}
    for holding in holdings:
        if holding.quantity:
            value = valuation.holding(holding).value_paise
            worth[holding.tradingsymbol] = worth.get(holding.tradingsymbol, 0) + value
    symbol = max(worth, key=lambda one: worth[one], default="")
    portfolio = valuation.client(funds.client_id).portfolio_paise
    return ClientLimits(
        money=Used(funds.blocked_paise, cash) if cash > 0 else None,
        mtf=Used(funds.mtf_used_paise, funds.mtf_limit_paise) if funds.mtf_limit_paise > 0 else None,
        largest=Used(worth[symbol], portfolio) if symbol and portfolio > 0 else None,
        largest_symbol=symbol,
    )
