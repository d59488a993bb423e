"""The rows of all calendar files that were laid over each other: which days trade, and with which phases."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import TypeVar

from msgspec import Struct

from data.errors import BadInput
from data.reference.files.calendar_file import (
    EXCHANGES,
    AfterMarketRow,
    AuctionRules,
    Breaker,
    CalendarFile,
    Dated,
    Holiday,
    IntradayInSession,
    IntradayRow,
    Regime,
    Session,
    Span,
    Year,
)


class CalendarNotLoaded(BadInput):
    """The calendar does not reach the asked date, and dates are not guessed."""

    def __init__(self, on: date, what: str = "calendar") -> None:
        super().__init__("date", on.isoformat(), f"{on.year} {what} not loaded")


class OwnRow(Struct, frozen=True):
    """A row of a home's own file: which table of which file, what it is of, and who answers for it."""

    file: str
    table: str
    what: str
    source: str
    author: str


class CalendarRows:
    """The tables of a calendar, the newest rows first."""

    def __init__(self) -> None:
        self.parts: dict[str, tuple[Span, ...]] = {}
        self.regimes: list[Regime] = []
        self.auctions: list[AuctionRules] = []
        self.intraday: list[IntradayRow] = []
        self.in_session: list[IntradayInSession] = []
        self.after_market: list[AfterMarketRow] = []
        self.breakers: list[Breaker] = []
        self.years: dict[int, Year] = {}
        self.holidays: dict[tuple[date, str], Holiday | None] = {}
        self.sessions: dict[tuple[date, str], Session] = {}
        self.own_rows: list[OwnRow] = []
        """The rows of a home's own files, in the order in which they were laid over."""

    def lay_over(self, file: CalendarFile, name: str = "") -> None:
        """Take a parsed file's rows; they win over those taken before. `name` is of a home's own file."""
        self.parts.update(file.parts)
        self.regimes[:0] = file.regime
        self.auctions[:0] = file.auction
        self.intraday[:0] = file.intraday
        self.in_session[:0] = file.intraday_in_session
        self.after_market[:0] = file.after_market
        self.breakers[:0] = file.breaker
        for regime in file.regime:
            for part in (*regime.fno, *regime.cash):
                if part not in self.parts:
                    raise BadInput("calendar regime", part, f"name one of the parts {', '.join(self.parts)}")
            _check_rising(self.spans_of(regime.fno), "regime")
            _check_rising(self.spans_of(regime.cash), "regime")
        for year in file.year:
            strays = [
                day for day in (*year.holidays, *(year.settlement_holidays or ())) if day.year != year.year
            ]
            if strays:
                raise BadInput(
                    "calendar year", strays[0].isoformat(), f"only dates of {year.year} belong here"
                )
            if year.settlement_holidays is None and (known := self.years.get(year.year)) is not None:
                year = year.model_copy(update={"settlement_holidays": known.settlement_holidays})
            self.years[year.year] = year
            self.holidays = {one: row for one, row in self.holidays.items() if one[0].year != year.year}
            self.holidays |= {(day, exchange): None for day in year.holidays for exchange in EXCHANGES}
        for holiday in file.holiday:
            for exchange in _checked(holiday.exchanges):
                self.holidays[holiday.date, exchange] = holiday
                self.sessions.pop((holiday.date, exchange), None)
        for session in file.session:
            _check_rising(session.hours, f"session {session.date}")
            for exchange in _checked(session.exchanges):
                self.sessions[session.date, exchange] = session
        if name:
            self.own_rows += [
                OwnRow(name, table, _what(row), row.source, row.author) for table, row in file.dated()
            ]

    def covers(self, year: int) -> bool:
        """Whether the holidays of a year are known."""
        return year in self.years

    def trades(self, day: date, exchange: str) -> bool:
        """Whether an exchange trades on a day of a year that is covered."""
        if (day, exchange) in self.sessions:
            return True
        return day.weekday() < 5 and (day, exchange) not in self.holidays

    def is_holiday(self, day: date) -> bool:
        """Whether a day is a holiday of every exchange."""
        return all((day, exchange) in self.holidays for exchange in EXCHANGES)

    def regime_of(self, day: date, exchange: str) -> Regime | None:
        """The parts of an ordinary day at an exchange; None where they are not known."""
        return on_day([one for one in self.regimes if exchange in one.exchanges], day)

    def covering_year(self, day: date) -> Year:
        """The holidays of a day's year. Raises `CalendarNotLoaded`."""
        year = self.years.get(day.year)
        if year is None:
            raise CalendarNotLoaded(day)
        return year

    def spans(self, day: date, fno: bool, exchange: str) -> Sequence[Span]:
        """The phases of a day on which the exchange trades. Raises `CalendarNotLoaded`."""
        session = self.sessions.get((day, exchange))
        if session is not None and session.hours:
            return session.hours
        regime = self.regime_of(day, exchange)
        if regime is None:
            raise CalendarNotLoaded(day, "market hours")
        return self.spans_of(regime.fno if fno else regime.cash)

    def spans_of(self, parts: Iterable[str]) -> list[Span]:
        """The phases that parts are made of."""
        return [span for part in parts for span in self.parts[part]]


DatedT = TypeVar("DatedT", bound=Dated)


def on_day(rows: Iterable[DatedT], day: date) -> DatedT | None:
    """The first row that holds on `day`."""
    return next((row for row in rows if row.holds_on(day)), None)


def _checked(exchanges: Sequence[str]) -> Sequence[str]:
    for one in exchanges:
        if one not in EXCHANGES:
            raise BadInput("calendar exchanges", one, f"name {' or '.join(EXCHANGES)}")
    return exchanges


def _what(row: Dated | Year | Holiday | Session) -> str:
    """What a row is of, as it is listed."""
    match row:
        case Year(year=year):
            return f"{year}: {len(row.holidays)} holidays"
        case Holiday() | Session():
            return f"{row.date:%d %b %Y} {row.name}"
        case _:
            until = f" to {row.effective_to:%d %b %Y}" if row.effective_to else ""
            return f"from {row.effective_from:%d %b %Y}{until}"


def _check_rising(spans: Sequence[Span], where: str) -> None:
    for earlier, later in pairwise(spans):
        if later.start < earlier.end:
            raise BadInput(
                f"calendar {where}", later.start.isoformat(), f"must not begin before {earlier.end}"
            )
