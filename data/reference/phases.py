"""Trading days and market phases, from dated tables.

The tables stand in `seed/calendar.toml`; an override file of the same form adds late changes. Nothing is
guessed: a date outside the listed years has the phase UNKNOWN and no next trading day.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from data.clock import IST
from data.errors import BadInput
from data.records import replace
from data.vocabulary import PhaseKind

_DAY = timedelta(days=1)

LONGEST_SETTLEMENT = timedelta(days=20)
"""No trading day of the exchanges has settled later than that."""


class CalendarNotLoaded(BadInput):
    """The calendar does not reach the asked date, and dates are not guessed."""

    def __init__(self, on: date, what: str = "calendar") -> None:
        super().__init__("date", on.isoformat(), f"{on.year} {what} not loaded")


class Phase(Struct, frozen=True):
    """What an instrument's market is doing at a moment.

    `ends_at` (aware UTC) and `next_kind` tell the next change, `None` where it is not known. `may_close`
    marks the last minutes of a phase that the exchange ends at a random instant: it counts as open until
    `ends_at`, though it may be over already.
    """

    kind: PhaseKind
    ends_at: datetime | None
    next_kind: PhaseKind | None
    may_close: bool = False


_UNKNOWN = Phase(PhaseKind.UNKNOWN, None, None)


# --- the file -----------------------------------------------------------------------------------------


class _PhaseModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Span(_PhaseModel):
    kind: PhaseKind
    start: time
    end: time
    may_close_from: time | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "_Span":
        middle = self.may_close_from or self.start
        if not self.start <= middle < self.end:
            raise ValueError(f"times must rise: {self.start}, {middle}, {self.end}")
        return self


class _Regime(_PhaseModel):
    effective_from: date
    effective_to: date | None = None
    fno: tuple[str, ...]
    cash: tuple[str, ...]
    source: str


class _Intraday(_PhaseModel):
    effective_from: date
    effective_to: date | None = None
    before_closing_auction: int = Field(ge=0)
    before_close: int = Field(ge=0)
    source: str


class _Year(_PhaseModel):
    year: int
    source: str
    author: str = ""
    holidays: dict[date, str]
    settlement_holidays: dict[date, str] | None = None


class _Holiday(_PhaseModel):
    date: date
    name: str
    source: str
    author: str = ""


class _Session(_PhaseModel):
    date: date
    name: str
    source: str
    author: str = ""
    hours: tuple[_Span, ...] = ()


class _File(_PhaseModel):
    parts: dict[str, tuple[_Span, ...]] = {}
    regime: tuple[_Regime, ...] = ()
    intraday: tuple[_Intraday, ...] = ()
    year: tuple[_Year, ...] = ()
    holiday: tuple[_Holiday, ...] = ()
    session: tuple[_Session, ...] = ()


def load_calendar(override: Path | None = None) -> "Calendar":
    """The exchanges' calendar, with the changes of an override file laid over it.

    The override may add a year, a holiday (which ends a session of that date), a session (which ends a
    holiday, or changes a day's hours), parts, regimes and intraday ends (which go before the built-in ones).
    Raises `BadInput` for a file that does not keep the form, `OSError` where it cannot be read.
    """
    calendar = Calendar()
    calendar.lay_over(_built_in())
    if override is not None:
        calendar.lay_over(_parsed(override.read_bytes(), override.name))
    return calendar


@cache
def _built_in() -> _File:
    return _parsed((files("data.reference.seed") / "calendar.toml").read_bytes(), "calendar.toml")


def _parsed(raw: bytes, name: str) -> _File:
    try:
        return _File.model_validate(tomllib.loads(raw.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise BadInput("calendar", name, f"save the file as UTF-8 (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise BadInput("calendar", name, f"the file must be TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"calendar {name}: {where}", first["input"], first["msg"]) from None


# --- the calendar -------------------------------------------------------------------------------------


class Calendar:
    """Trading days, settlement days and phases of NSE and BSE equity. Made by `load_calendar`."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[_Span, ...]] = {}
        self._regimes: list[_Regime] = []
        self._intraday: list[_Intraday] = []
        self._years: dict[int, _Year] = {}
        self._holidays: set[date] = set()
        self._sessions: dict[date, _Session] = {}
        self._days: dict[tuple[date, bool], tuple[list[datetime], list[Phase]]] = {}

    def lay_over(self, file: _File) -> None:
        """Take a parsed file's rows; they win over those taken before."""
        self._days.clear()
        self._parts.update(file.parts)
        self._regimes[:0] = file.regime
        self._intraday[:0] = file.intraday
        for regime in file.regime:
            for part in (*regime.fno, *regime.cash):
                if part not in self._parts:
                    raise BadInput("calendar regime", part, f"name one of the parts {', '.join(self._parts)}")
            _check_rising(self._spans_of(regime.fno), "regime")
            _check_rising(self._spans_of(regime.cash), "regime")
        for year in file.year:
            strays = [
                day for day in (*year.holidays, *(year.settlement_holidays or ())) if day.year != year.year
            ]
            if strays:
                raise BadInput(
                    "calendar year", strays[0].isoformat(), f"only dates of {year.year} belong here"
                )
            self._years[year.year] = year
            self._holidays = {day for day in self._holidays if day.year != year.year} | set(year.holidays)
        for holiday in file.holiday:
            self._holidays.add(holiday.date)
            self._sessions.pop(holiday.date, None)
        for session in file.session:
            _check_rising(session.hours, f"session {session.date}")
            self._sessions[session.date] = session

    def is_trading_day(self, day: date) -> bool:
        """Whether the exchanges trade on `day`, special sessions included. Raises `CalendarNotLoaded`."""
        self._covering_year(day)
        return day in self._sessions or (day.weekday() < 5 and day not in self._holidays)

    def next_trading_day(self, day: date) -> date:
        """The first trading day after `day`. Raises `CalendarNotLoaded` where the calendar ends before."""
        day += _DAY
        while not self.is_trading_day(day):
            day += _DAY
        return day

    def previous_trading_day(self, day: date) -> date:
        """The last trading day before `day`. Raises `CalendarNotLoaded` where the calendar begins after."""
        day -= _DAY
        while not self.is_trading_day(day):
            day -= _DAY
        return day

    def settlement_day(self, day: date) -> date:
        """When trades of `day` settle (T+1).

        Settlement needs an ordinary working day of the exchange and the banks: weekend and muhurat sessions
        do not settle, nor do settlement holidays that trade. Raises `CalendarNotLoaded` where the trading
        or settlement holidays of that year are not known.
        """
        day += _DAY
        while True:
            year = self._covering_year(day)
            if day.weekday() < 5 and day not in self._holidays:
                if year.settlement_holidays is None:
                    raise CalendarNotLoaded(day, "settlement calendar")
                if day not in year.settlement_holidays:
                    return day
            day += _DAY

    def session_begin(self, day: date) -> datetime:
        """When the first phase of `day` begins, aware UTC; 09:00 in India on an ordinary day.

        Raises as `session_open`.
        """
        return _utc(day, min(self._spans(day, fno=fno)[0].start for fno in (False, True)))

    def session_open(self, day: date) -> datetime:
        """When continuous trading first opens on `day`, aware UTC; 09:15 in India on an ordinary day.

        Raises `CalendarNotLoaded`, or `BadInput` where `day` is no trading day.
        """
        spans = self._spans(day, fno=False)
        return _utc(
            day, next((span.start for span in spans if span.kind is PhaseKind.CONTINUOUS), spans[0].start)
        )

    def session_close(self, day: date) -> datetime:
        """When the last phase of `day` ends, aware UTC. Raises as `session_open`."""
        return _utc(day, max(self._spans(day, fno=fno)[-1].end for fno in (False, True)))

    def intraday_end(self, day: date, fno: bool) -> datetime:
        """When brokers end intraday buying (MIS) on `day` and sell what is open, aware UTC.

        It stands a while before the end of continuous trading, longer where a closing auction follows. Raises
        as `session_open`.
        """
        spans = self._spans(day, fno)
        last = max((n for n, span in enumerate(spans) if span.kind is PhaseKind.CONTINUOUS), default=-1)
        rule = _on(self._intraday, day)
        if rule is None:
            raise CalendarNotLoaded(day, "intraday end")
        auction = any(span.kind is PhaseKind.AUCTION_ENTRY for span in spans[last + 1 :])
        minutes = rule.before_closing_auction if auction else rule.before_close
        return _utc(day, spans[last].end) - timedelta(minutes=minutes)

    def awaited_day(self, at: datetime) -> date | None:
        """The trading day whose session has not begun at the aware time `at`; None while one is on.

        From a session's first phase to its last it is on, its pauses included. Raises `CalendarNotLoaded`.
        """
        day = at.astimezone(IST).date()
        if not self.is_trading_day(day):
            return self.next_trading_day(day)
        if at < self.session_begin(day):
            return day
        return None if at < self.session_close(day) else self.next_trading_day(day)

    def phase(self, at: datetime, fno: bool) -> Phase:
        """The phase at the aware time `at` of an instrument with (`fno`) or without live derivatives."""
        if at.tzinfo is None:
            raise BadInput("at", at, "give an aware time")
        day = at.astimezone(IST).date()
        known = self._days.get((day, fno))
        if known is None:
            known = self._days[day, fno] = self._phases_of(day, fno)
        starts, phases = known
        return phases[bisect_right(starts, at) - 1]

    def _covering_year(self, day: date) -> _Year:
        year = self._years.get(day.year)
        if year is None:
            raise CalendarNotLoaded(day)
        return year

    def _spans(self, day: date, fno: bool) -> Sequence[_Span]:
        """The phases of a trading day. Raises `CalendarNotLoaded`, or `BadInput` for another day."""
        if not self.is_trading_day(day):
            raise BadInput("date", day.isoformat(), "the exchanges do not trade on this day")
        session = self._sessions.get(day)
        if session is not None and session.hours:
            return session.hours
        regime = _on(self._regimes, day)
        if regime is None:
            raise CalendarNotLoaded(day, "market hours")
        return self._spans_of(regime.fno if fno else regime.cash)

    def _spans_of(self, parts: Iterable[str]) -> list[_Span]:
        return [span for part in parts for span in self._parts[part]]

    def _phases_of(self, day: date, fno: bool) -> tuple[list[datetime], list[Phase]]:
        """The changes of a calendar day, from midnight in India, and the phase each begins."""
        midnight = _utc(day, time())
        try:
            spans = self._spans(day, fno) if self.is_trading_day(day) else ()
        except CalendarNotLoaded:
            return [midnight], [_UNKNOWN]
        following = self._first_phase_after(day, fno)
        starts: list[datetime] = []
        phases: list[Phase] = []
        free_from = midnight
        for index, span in enumerate(spans):
            start, end = _utc(day, span.start), _utc(day, span.end)
            if free_from < start:
                starts.append(free_from)
                phases.append(Phase(PhaseKind.CLOSED, start, span.kind))
            joined = index + 1 < len(spans) and spans[index + 1].start == span.end
            phase = Phase(span.kind, end, spans[index + 1].kind if joined else PhaseKind.CLOSED)
            starts.append(start)
            phases.append(phase)
            if span.may_close_from is not None:
                starts.append(_utc(day, span.may_close_from))
                phases.append(replace(phase, may_close=True))
            free_from = end
        starts.append(free_from)
        phases.append(Phase(PhaseKind.CLOSED, *following))
        return starts, phases

    def _first_phase_after(self, day: date, fno: bool) -> tuple[datetime | None, PhaseKind | None]:
        try:
            following = self.next_trading_day(day)
            first = self._spans(following, fno)[0]
        except CalendarNotLoaded:
            return None, None
        return _utc(following, first.start), first.kind


_DatedT = TypeVar("_DatedT", _Regime, _Intraday)


def _on(rows: Iterable[_DatedT], day: date) -> _DatedT | None:
    """The first row that holds on `day`."""
    for row in rows:
        if row.effective_from <= day and (row.effective_to is None or day <= row.effective_to):
            return row
    return None


def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, IST).astimezone(UTC)


def _check_rising(spans: Sequence[_Span], where: str) -> None:
    for earlier, later in pairwise(spans):
        if later.start < earlier.end:
            raise BadInput(
                f"calendar {where}", later.start.isoformat(), f"must not begin before {earlier.end}"
            )
