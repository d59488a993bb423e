"""The form of a calendar file: the exchanges' days, hours and cut-offs, in dated rows with their source.

The program's own stands in `seed/calendar.toml`. A home's own files have the same form; for each of their
rows somebody answers by name (`author`).
"""

import tomllib
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from data.clock import IST
from data.errors import BadInput
from data.vocabulary import PhaseKind

EXCHANGES = ("NSE", "BSE")
"""The exchanges whose days are known."""

ClassWord = Literal["fno", "cash"]
"""Shares with live derivatives, which have a closing auction, and those without."""


class CalendarRow(BaseModel):
    """A row of a calendar file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dated(CalendarRow):
    """A row with the days on which it holds, where it is from, and in a home's own file who put it there."""

    effective_from: date
    effective_to: date | None = None
    source: str = Field(min_length=1)
    author: str = ""

    def holds_on(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


class Span(CalendarRow):
    """A phase of a day; between `may_close_from` and `end` the exchange ends it at a moment drawn by lot."""

    kind: PhaseKind
    start: time
    end: time
    may_close_from: time | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "Span":
        middle = self.may_close_from or self.start
        if not self.start <= middle < self.end:
            raise ValueError(f"times must rise: {self.start}, {middle}, {self.end}")
        return self


class Regime(Dated):
    """The parts that make an ordinary day of shares with (`fno`) and without (`cash`) live derivatives."""

    exchanges: tuple[str, ...] = EXCHANGES
    fno: tuple[str, ...]
    cash: tuple[str, ...]


class AuctionRules(Dated):
    """What the closing auction takes over: prices within `band_bps` of its reference, `disclosed` or not."""

    band_bps: int = Field(gt=0)
    disclosed: bool


class IntradayRow(Dated):
    """When a broker ends intraday buying (MIS) and sells out; one that is not `verified` may be another."""

    broker: str
    classes: tuple[ClassWord, ...]
    at: time
    verified: bool


class IntradayInSession(Dated):
    """How many minutes before the end of a session with hours of its own brokers do that."""

    before_close: int = Field(ge=0)


class AfterMarketRow(Dated):
    """From when and until when a broker takes orders for the next session (AMO), where that is known."""

    broker: str
    opens: time
    closes: time
    verified: bool


class HaltTerms(CalendarRow):
    """What the market-wide breaker does for a move that comes before a time of the day, in minutes.

    `halt` None is for the rest of the day, 0 for no halt.
    """

    before: time
    halt: int | None = None
    pre_open: int = 0

    @property
    def halts(self) -> bool:
        """Whether the market is halted at all."""
        return self.halt != 0

    def times(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """Until when the market is halted, and when it trades again; None for the rest of the day."""
        if self.halt is None:
            return None, None
        until = now + timedelta(minutes=self.halt)
        return until, until + timedelta(minutes=self.pre_open)


class BreakerLevel(CalendarRow):
    """A level of the market-wide breaker: how far an index has moved, and the terms by the time of day."""

    move_bps: int = Field(gt=0)
    terms: tuple[HaltTerms, ...] = Field(min_length=1)

    def terms_at(self, now: datetime) -> HaltTerms:
        """What it does at a market time; after the last time of the table as the last row says."""
        at = now.astimezone(IST).time()
        return next((one for one in self.terms if at < one.before), self.terms[-1])


class Breaker(Dated):
    """The market-wide breaker: the indices it goes by, from which move on to warn, and its levels."""

    indices: tuple[str, ...]
    warn_bps: int = Field(gt=0)
    level: tuple[BreakerLevel, ...]

    def reached(self, moved_bps: int) -> BreakerLevel | None:
        """The highest level that a move, up or down, has reached; None where it has none."""
        found = [one for one in self.level if one.move_bps <= abs(moved_bps)]
        return found[-1] if found else None


class Year(CalendarRow):
    """The exchanges' holidays of a year, and those on which they trade and nothing settles."""

    year: int
    source: str = Field(min_length=1)
    author: str = ""
    holidays: dict[date, str]
    settlement_holidays: dict[date, str] | None = None


class Holiday(CalendarRow):
    """A holiday that was told late."""

    date: date
    name: str
    source: str = Field(min_length=1)
    author: str = ""
    exchanges: tuple[str, ...] = EXCHANGES


class Session(CalendarRow):
    """A session on a weekend or a holiday, or a day with hours of its own."""

    date: date
    name: str
    source: str = Field(min_length=1)
    author: str = ""
    exchanges: tuple[str, ...] = EXCHANGES
    hours: tuple[Span, ...] = ()


class CalendarFile(CalendarRow):
    """A whole file."""

    parts: dict[str, tuple[Span, ...]] = {}
    regime: tuple[Regime, ...] = ()
    auction: tuple[AuctionRules, ...] = ()
    intraday: tuple[IntradayRow, ...] = ()
    intraday_in_session: tuple[IntradayInSession, ...] = ()
    after_market: tuple[AfterMarketRow, ...] = ()
    breaker: tuple[Breaker, ...] = ()
    year: tuple[Year, ...] = ()
    holiday: tuple[Holiday, ...] = ()
    session: tuple[Session, ...] = ()

    def dated(self) -> Iterable[tuple[str, Dated | Year | Holiday | Session]]:
        """Every row that has a source, with the name of its table."""
        for name in type(self).model_fields:
            if name != "parts":
                for row in getattr(self, name):
                    yield name, row


@cache
def built_in() -> CalendarFile:
    """The program's own file."""
    return _parsed((files("data.reference.seed") / "calendar.toml").read_bytes(), "calendar.toml")


def read_own(path: Path) -> CalendarFile:
    """A home's own file, in which each row says who answers for it.

    Raises `BadInput` for a file that does not keep the form, `OSError` where it cannot be read.
    """
    found = _parsed(path.read_bytes(), path.name)
    for table, row in found.dated():
        if not row.author.strip():
            raise BadInput(f"calendar {path.name}: {table}.author", row.author, "say who put this row there")
    return found


def _parsed(raw: bytes, name: str) -> CalendarFile:
    try:
        return CalendarFile.model_validate(tomllib.loads(raw.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise BadInput("calendar", name, f"save the file as UTF-8 (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise BadInput("calendar", name, f"the file must be TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"calendar {name}: {where}", first["input"], first["msg"]) from None
