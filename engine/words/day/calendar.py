"""A day of the exchanges in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.vocabulary import DayKind
from engine.words import formats
from engine.words.market import PHASES, end_words

if TYPE_CHECKING:
    from datetime import date, datetime

    from data.reference.phases import DayTold, IntradayEnd, PhaseSpan
    from engine.market.hours.calendars import DayHours, DayPlan, YearImport

_KINDS = {
    DayKind.TRADING: "trading day",
    DayKind.SPECIAL: "special session",
    DayKind.HOLIDAY: "holiday",
    DayKind.WEEKEND: "weekend",
    DayKind.UNKNOWN: "not known",
}


def missing_words(year: int) -> str:
    """That the next year's calendar is not loaded."""
    return f"{year} calendar not loaded"


def day_lines(found: DayPlan) -> list[str]:
    """What is known of a day: a line of what it is, its phases by class, and what settles when."""
    told = found.told
    if told.kind is DayKind.UNKNOWN:
        return [f"{_dated(told.day)}: {missing_words(told.day.year)}, `tradedesk calendar import FILE`"]
    lines = [f"{_dated(told.day)}: {day_words(told)}"]
    for title, hours in _alike(found.hours):
        lines.append(f"  {title}")
        lines += [f"    {span_words(span)}" for span in hours.spans]
        lines.append(f"    MIS ends {', '.join(intraday_words(one) for one in hours.intraday)}")
    if found.hours:
        lines.append(f"  hours: {_told_by(found.hours_source, found.hours_author)}")
        lines.append(f"  {_settling(found)}")
    for one in found.after_market:
        checked = "" if one.verified else " unverified"
        lines.append(f"  AMO {one.broker} {one.opens:%H:%M} to {one.closes:%H:%M} of the next day{checked}")
    if found.trading_next is not None:
        lines.append(f"  next trading day {_dated(found.trading_next)}")
    return lines


def day_words(told: DayTold) -> str:
    """What a day is, and who says so: `holiday, Guru Nanak Jayanti (NSE holiday list 2026)`."""
    name = f", {told.name}" if told.name else ""
    by = f" ({_told_by(told.source, told.author)})" if told.name or told.author else ""
    return f"{_KINDS[told.kind]}{name}{by}"


def span_words(span: PhaseSpan) -> str:
    """`15:25-15:30 auction, limit only, ends at random from 15:28 on`."""
    random = "" if span.may_close_from is None else f", ends at random from {_clock(span.may_close_from)} on"
    return f"{_clock(span.start)}-{_clock(span.end)} {PHASES[span.kind][0]}{random}"


def intraday_words(one: IntradayEnd) -> str:
    """`zerodha 15:20`, `groww 15:10 unverified`."""
    return f"{one.broker or 'brokers'} {end_words(one)}"


def imported_words(made: YearImport) -> list[str]:
    """What became of an exchange's list."""
    what = "settlement holidays" if made.settlement else "holidays"
    lines = [f"{made.year}: {made.holidays} {what}, {len(made.came)} new, {len(made.gone)} gone"]
    lines += [f"  + {_dated(day)}" for day in made.came if made.gone or len(made.came) <= MOST_NAMED]
    lines += [f"  - {_dated(day)}" for day in made.gone]
    return lines + [f"  left out: {words}" for words in made.left]


MOST_NAMED = 5
"""So many days that are new in a list are named; of a whole year their number is enough."""


def _alike(hours: tuple[DayHours, ...]) -> list[tuple[str, DayHours]]:
    """The classes of shares, those under one title that have the same phases at both exchanges."""
    titles: dict[tuple[object, ...], tuple[list[str], DayHours]] = {}
    for one in hours:
        named, _ = titles.setdefault((one.spans, one.intraday), ([], one))
        named.append(f"{one.exchange} {'F&O shares' if one.fno else 'other shares'}")
    return [(", ".join(named), one) for named, one in titles.values()]


def _settling(found: DayPlan) -> str:
    if found.settles_on is None:
        return "settlement not known: the year's settlement holidays are not loaded"
    own = f", {found.told.settlement_name} settles nothing" if found.told.settlement_name else ""
    return f"trades settle on {_dated(found.settles_on)}{own}"


def _told_by(source: str, author: str) -> str:
    return f"{source}, put there by {author}" if author else source


def _clock(at: datetime) -> str:
    return formats.time_of_day(at)[:5]


def _dated(day: date) -> str:
    return f"{day:%a %d %b %Y}"
