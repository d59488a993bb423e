"""The shapes of the calendar: a day with its phases, and an imported year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import date, datetime, time

    from data.vocabulary import DayKind, PhaseKind
    from engine.desk import Desk


class SpanShape(Struct, frozen=True):
    """A phase; from `may_close_from` on the exchange ends it at a moment drawn by lot."""

    kind: PhaseKind
    start: datetime
    end: datetime
    may_close_from: datetime | None


class IntradayShape(Struct, frozen=True):
    """When a broker ends intraday buying and sells out; one that is not verified may be another time."""

    broker: str
    at: datetime
    verified: bool
    source: str


class AfterMarketShape(Struct, frozen=True):
    """From when until when (of the next day, in India) a broker takes orders for the next session."""

    broker: str
    opens: time
    closes: time
    verified: bool
    source: str


class HoursShape(Struct, frozen=True):
    """The phases of shares with (`fno`) or without live derivatives at an exchange."""

    exchange: str
    fno: bool
    phases: list[SpanShape]
    intraday: list[IntradayShape]


class OwnRowShape(Struct, frozen=True):
    """A row of the home's own calendar files."""

    file: str
    table: str
    what: str
    source: str
    author: str


class CalendarShape(Struct, frozen=True):
    """A day of the exchanges; `settles_on` and `trading_next` are null where they are not known."""

    day: date
    kind: DayKind
    name: str
    settles: bool | None
    settlement_name: str
    settles_on: date | None
    trading_next: date | None
    source: str
    author: str
    hours_source: str
    hours_author: str
    hours: list[HoursShape]
    after_market: list[AfterMarketShape]
    missing_year: int | None
    own_rows: list[OwnRowShape]


def calendar_shape(desk: Desk, day: date) -> CalendarShape:
    """The day in that shape."""
    found = desk.calendar.day(day)
    told = found.told
    return CalendarShape(
        told.day,
        told.kind,
        told.name,
        told.settles,
        told.settlement_name,
        found.settles_on,
        found.trading_next,
        told.source,
        told.author,
        found.hours_source,
        found.hours_author,
        [
            HoursShape(
                one.exchange,
                one.fno,
                [SpanShape(span.kind, span.start, span.end, span.may_close_from) for span in one.spans],
                [IntradayShape(end.broker, end.at, end.verified, end.source) for end in one.intraday],
            )
            for one in found.hours
        ],
        [
            AfterMarketShape(one.broker, one.opens, one.closes, one.verified, one.source)
            for one in found.after_market
        ],
        desk.calendar.missing_year,
        [
            OwnRowShape(row.file, row.table, row.what, row.source, row.author)
            for row in desk.calendar.own_rows
        ],
    )
