"""What a client holds of one stock, what of it may be sold, and what its oldest shares bring."""

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

from data.money import BPS, ceil_div, half_up
from data.reference.tax import gain_rates, gain_term
from data.vocabulary import GainTerm, RebalanceNote


class SaleTax(Struct, frozen=True):
    """How gains of a day's sales are taxed, in basis points; shares bought by `long_by` are held for long."""

    short_bps: int
    long_bps: int
    long_by: date

    def is_long(self, bought_on: date) -> bool:
        """Whether the gain of shares bought then is a long-term one."""
        return bought_on <= self.long_by

    def tax_paise(self, short_paise: int, long_paise: int) -> int:
        """Tax on these gains as if they were a year's; a loss of short holdings counts against long gains.

        Before cess, surcharge and what of long gains is exempt each year.
        """
        short, long = max(0, short_paise), max(0, long_paise + min(0, short_paise))
        return ceil_div(short * self.short_bps, BPS) + ceil_div(long * self.long_bps, BPS)


def sale_tax(on: date) -> SaleTax:
    """How sales of a day are taxed, by the dated rates. Raises `BadInput` for a day before them."""
    rates = gain_rates(on)
    days = (on - timedelta(days=back) for back in range(MOST_DAYS))
    long_by = next(day for day in days if gain_term(day, on) is GainTerm.LONG_TERM)
    return SaleTax(rates.short_term_bps, rates.long_term_bps, long_by)


MOST_DAYS = 4000
"""Within so many days every rule has shares become long-term ones."""


class HeldLot(Struct, frozen=True):
    """Shares bought on one day, with their cost in paise."""

    opened_on: date
    quantity: int
    cost_paise: int


class HeldStock(Struct, frozen=True):
    """A client's shares of one stock in its demat account, whatever product they were bought in.

    `sellable` may be sold for delivery now; `unable` says why the others may not, each with how many. Of the
    sellable `today` were bought today for `today_cost_paise`, `settled` are in the demat account; the rest is
    T1. `lots` stand oldest first.
    """

    quantity: int = 0
    sellable: int = 0
    today: int = 0
    today_cost_paise: int = 0
    settled: int = 0
    unable: tuple[tuple[RebalanceNote, int], ...] = ()
    lots: tuple[HeldLot, ...] = ()


def credited_paise(held: HeldStock, shares: int, price_paise: int, credit_bps: int) -> int:
    """How much of a sale's value is usable the same day, as the ledger books it.

    Shares of today go first and return their cost, at most what they bring; settled ones credit the broker's
    part; T1 shares nothing.
    """
    today = min(shares, held.today)
    own_cost = half_up(held.today_cost_paise * today, held.today) if today else 0
    settled = min(shares - today, held.settled)
    return min(own_cost, today * price_paise) + settled * price_paise * credit_bps // BPS


def gains_of(lots: Sequence[HeldLot], shares: int, price_paise: int, rates: SaleTax) -> tuple[int, int]:
    """The short-term and the long-term gain of selling the oldest so many shares, in paise."""
    short = long = 0
    for lot in lots:
        if shares <= 0:
            break
        part = min(shares, lot.quantity)
        shares -= part
        gain = part * price_paise - half_up(lot.cost_paise * part, lot.quantity)
        if rates.is_long(lot.opened_on):
            long += gain
        else:
            short += gain
    return short, long


def most_without_short(lots: Sequence[HeldLot], price_paise: int, rates: SaleTax) -> int:
    """How many shares may be sold before the oldest left would bring a short-term gain."""
    shares = 0
    for lot in lots:
        gains = lot.quantity * price_paise > lot.cost_paise
        if gains and not rates.is_long(lot.opened_on):
            break
        shares += lot.quantity
    return shares
