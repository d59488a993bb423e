"""Returns of a course of days: time-weighted, money-weighted, drawdown. Flows count from the day's start.

* a day's return = its closing portfolio over what it began with, less 1: the close before with the day's
  flow, which is the closing portfolio without what the day brought;
* TWR = those of all days, multiplied; a day that began with nothing brings none;
* drawdown = how far the TWR index stands under its highest, and how far it ever did;
* XIRR = the yearly rate at which all that came in, and went out, comes to what is there now, by `pyxirr`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from itertools import accumulate

from msgspec import Struct

from data.money import BPS, half_up

INDEX = 10**12
"""A TWR index begins at this; it is rounded to its unit a day, far below what is shown."""

FEWEST_XIRR_DAYS = 28
"""Over less time a yearly rate says nothing: a day's 1 % would be thousands a year."""


class Day(Struct, frozen=True):
    """A day that is closed, or stands now: the portfolio at its end, what came in, and what it brought.

    `flow_paise` went out where it is below zero. `provisional` is one that has not been closed. Of what came
    by no trade `earned_paise` is in `net_pnl_paise` already.
    """

    day: date
    portfolio_paise: int
    flow_paise: int
    net_pnl_paise: int
    provisional: bool = False
    earned_paise: int = 0


class Drawdown(Struct, frozen=True):
    """How far under its highest the index stands, and stood at its worst, in basis points of that highest."""

    now_bps: int = 0
    most_bps: int = 0
    peak_on: date | None = None
    lowest_on: date | None = None


def index_of(days: Sequence[Day]) -> list[int]:
    """The TWR index at each day's end, from `INDEX` at the first one's; none of no days."""
    return list(accumulate(_ratios(days), _grown, initial=INDEX))[: len(days)]


def _ratios(days: Sequence[Day]) -> Iterator[Fraction]:
    for day in days[1:]:
        began = day.portfolio_paise - day.net_pnl_paise
        yield Fraction(day.portfolio_paise, began) if began > 0 and day.portfolio_paise > 0 else Fraction(1)


def _grown(index: int, ratio: Fraction) -> int:
    return half_up(index * ratio.numerator, ratio.denominator)


def twr_bps(days: Sequence[Day]) -> int | None:
    """The time-weighted return since the end of the first of these days, in basis points; None of one day."""
    index = index_of(days)
    return half_up((index[-1] - INDEX) * BPS, INDEX) if len(index) > 1 else None


def drawdown(days: Sequence[Day]) -> Drawdown:
    """How far these days stand, and stood, under their highest."""
    peak, peak_on, found = 0, None, Drawdown()
    for day, index in zip(days, index_of(days), strict=True):
        if index >= peak:
            peak, peak_on = index, day.day
        under = half_up((peak - index) * BPS, peak)
        lowest = (under, day.day) if under > found.most_bps else (found.most_bps, found.lowest_on)
        found = Drawdown(under, lowest[0], peak_on, lowest[1])
    return found


def drawdown_paise(nets: Iterable[int]) -> int:
    """How far what days have brought together stands under its highest, in paise; 0 before they began."""
    total = peak = 0
    for net in nets:
        total += net
        peak = max(peak, total)
    return peak - total


def flows_of(days: Sequence[Day]) -> list[tuple[date, int]]:
    """What an investor paid (below zero) and got, the first portfolio as paid and the last as got."""
    first, *rest = days
    flows = [
        (first.day, -first.portfolio_paise),
        *((one.day, -one.flow_paise) for one in rest if one.flow_paise),
    ]
    return [*flows, (days[-1].day, days[-1].portfolio_paise)]


def xirr_bps(days: Sequence[Day]) -> int | None:
    """The money-weighted yearly return in basis points; None over too little time, or where no rate fits."""
    if not days or (days[-1].day - days[0].day).days < FEWEST_XIRR_DAYS:
        return None
    from pyxirr import InvalidPaymentsError, xirr  # a report asks for it, and no start of the program

    dates, amounts = zip(*flows_of(days), strict=True)
    try:
        rate = xirr(dates, [float(one) for one in amounts])
    except InvalidPaymentsError:
        return None
    return None if rate is None else round(rate * BPS)


class Month(Struct, frozen=True):
    """What the days of a month brought: net of each day by its number, their sum, and of what percentage."""

    year: int
    month: int
    nets: dict[int, int]
    net_paise: int
    twr_bps: int | None

    def date_of(self, day: int) -> date:
        """A day of this month by its number."""
        return date(self.year, self.month, day)


def calendar_of(days: Sequence[Day]) -> list[Month]:
    """Days by month, the newest month first; a month's return counts from the last close before it."""
    months: dict[tuple[int, int], list[int]] = {}
    for at, one in enumerate(days):
        months.setdefault((one.day.year, one.day.month), []).append(at)
    return [
        Month(
            *month,
            {days[at].day.day: days[at].net_pnl_paise for at in places},
            sum(days[at].net_pnl_paise for at in places),
            twr_bps(days[max(0, places[0] - 1) : places[-1] + 1]),
        )
        for month, places in sorted(months.items(), reverse=True)
    ]
