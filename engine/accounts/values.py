"""What shares, clients and all of them together are worth, as screens and files show it."""

from msgspec import Struct

from data.money import BPS, half_up


class HoldingValue(Struct, frozen=True):
    """One holding at the last price; what cannot be told without one is None."""

    last_paise: int | None
    day_pnl_paise: int | None
    unrealised_paise: int | None
    pnl_bps: int | None
    value_paise: int


class HoldingsValue(Struct, frozen=True):
    """Several holdings of one stock together, in paise; `average_paise` is half up, None without shares.

    Each P&L is None while shares are held without a price; the net one of the day has its charges taken off.
    """

    quantity: int = 0
    average_paise: int | None = None
    day_pnl_paise: int | None = 0
    unrealised_paise: int | None = 0
    value_paise: int = 0
    net_day_pnl_paise: int | None = 0


class ClientValue(Struct, frozen=True):
    """What a client, or several together, own at the last price, and what today has brought and cost.

    `day_pnl_paise` is gross; what was realised today is against cost.
    """

    day_pnl_paise: int = 0
    unrealised_paise: int = 0
    realised_today_paise: int = 0
    charges_today_paise: int = 0
    interest_today_paise: int = 0
    invested_paise: int = 0
    value_paise: int = 0
    portfolio_paise: int = 0
    dividends_today_paise: int = 0

    @property
    def net_day_pnl_paise(self) -> int:
        """Day P&L and today's dividends after today's charges and interest."""
        earned = self.day_pnl_paise + self.dividends_today_paise
        return earned - self.charges_today_paise - self.interest_today_paise

    @property
    def opening_paise(self) -> int:
        """The day's opening portfolio, with what was paid in or out since."""
        return self.portfolio_paise - self.net_day_pnl_paise

    @property
    def net_day_bps(self) -> int | None:
        """Net day P&L in basis points of the opening portfolio; None where there was none."""
        return half_up(self.net_day_pnl_paise * BPS, self.opening_paise) if self.opening_paise > 0 else None
