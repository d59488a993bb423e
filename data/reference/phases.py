"""Trading days and market phases, from dated tables.

The tables stand in `seed/calendar.toml`; a home's own files of the same form (`files/calendar_file.py`) add
late changes and years. Nothing is guessed: a date outside the listed years has the phase UNKNOWN, and no
next trading day.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from msgspec import Struct

from data.clock import IST
from data.errors import BadInput
from data.records import replace
from data.reference.calendar_rows import CalendarNotLoaded, CalendarRows, OwnRow, on_day
from data.reference.files.calendar_file import (
    EXCHANGES,
    AfterMarketRow,
    AuctionRules,
    Breaker,
    ClassWord,
    Holiday,
    Session,
    Span,
    Year,
    built_in,
    read_own,
)
from data.vocabulary import DayKind, PhaseKind

_DAY = timedelta(days=1)

LONGEST_SETTLEMENT = timedelta(days=20)
"""No trading day of the exchanges has settled later than that."""

NEXT_YEAR_DUE = (12, 15)
"""From this month and day on the next year's list is out: the exchanges publish it in mid-December."""


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

    @property
    def continuous(self) -> bool:
        """Whether orders trade against each other as they come in."""
        return self.kind is PhaseKind.CONTINUOUS


class PhaseSpan(Struct, frozen=True):
    """A phase of a day, by aware UTC times; from `may_close_from` on it ends at a moment drawn by lot."""

    kind: PhaseKind
    start: datetime
    end: datetime
    may_close_from: datetime | None


class IntradayEnd(Struct, frozen=True):
    """When a broker ends intraday buying and sells out, aware UTC; one not `verified` may be another."""

    broker: str
    at: datetime
    verified: bool
    source: str


class DayTold(Struct, frozen=True):
    """What is known of a calendar day: `name` is of its holiday or special session.

    `settles` is None where its year's settlement holidays are not known; `settlement_name` names the holiday
    on which nothing settles. `source` and `author` are of the row that makes the day what it is.
    """

    day: date
    kind: DayKind
    name: str
    settles: bool | None
    settlement_name: str
    source: str
    author: str


_UNKNOWN = Phase(PhaseKind.UNKNOWN, None, None)


def load_calendar(*own: Path) -> "Calendar":
    """The exchanges' calendar, with a home's own files laid over it, the later over the earlier.

    They may add a year, a holiday (which ends a session of that date), a session (which ends a holiday, or
    changes a day's hours), parts, and dated rows (which go before the built-in ones).
    Raises `BadInput` for a file that does not keep the form, `OSError` where it cannot be read.
    """
    return Calendar(rows_of(*own))


def rows_of(*own: Path) -> CalendarRows:
    """The rows of such a calendar. Raises as `load_calendar`."""
    rows = CalendarRows()
    rows.lay_over(built_in())
    for path in own:
        rows.lay_over(read_own(path), path.name)
    return rows


# --- the calendar -------------------------------------------------------------------------------------


class Calendar:
    """Trading days, settlement days and phases of NSE and BSE equity. Made by `load_calendar`."""

    def __init__(self, rows: CalendarRows) -> None:
        self._rows = rows
        self._days: dict[tuple[date, bool, str], tuple[list[datetime], list[Phase]]] = {}

    @property
    def own_rows(self) -> Sequence[OwnRow]:
        """The rows of a home's own files, in the order in which they were laid over."""
        return self._rows.own_rows

    def go_by(self, rows: CalendarRows) -> None:
        """Go by other rows from now on, for all who have this calendar."""
        self._days.clear()
        self._rows = rows

    def holidays_of(self, year: int) -> tuple[Mapping[date, str], Mapping[date, str] | None]:
        """The holidays of a year, and those on which it trades and nothing settles; None where not known."""
        known = self._rows.years.get(year)
        return ({}, None) if known is None else (known.holidays, known.settlement_holidays)

    def covers(self, year: int) -> bool:
        """Whether the holidays of a year are known."""
        return self._rows.covers(year)

    @property
    def years(self) -> list[int]:
        """The years whose holidays are known."""
        return sorted(self._rows.years)

    def missing_year(self, day: date) -> int | None:
        """The year after that of `day` where its list should be out by then and is not loaded; else None."""
        due = (day.month, day.day) >= NEXT_YEAR_DUE
        return day.year + 1 if due and not self.covers(day.year + 1) else None

    def is_trading_day(self, day: date) -> bool:
        """Whether an exchange trades on `day`, special sessions included. Raises `CalendarNotLoaded`."""
        self._rows.covering_year(day)
        return any(self._rows.trades(day, exchange) for exchange in EXCHANGES)

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
            year = self._rows.covering_year(day)
            if day.weekday() < 5 and not self._rows.is_holiday(day):
                if year.settlement_holidays is None:
                    raise CalendarNotLoaded(day, "settlement calendar")
                if day not in year.settlement_holidays:
                    return day
            day += _DAY

    def session_begin(self, day: date) -> datetime:
        """When the first phase of `day` begins, aware UTC; 09:00 in India on an ordinary day.

        Raises as `session_open`.
        """
        return _utc(day, min(spans[0].start for spans in self._every_spans(day)))

    def session_open(self, day: date) -> datetime:
        """When continuous trading first opens on `day`, aware UTC; 09:15 in India on an ordinary day.

        Raises `CalendarNotLoaded`, or `BadInput` where `day` is no trading day.
        """
        every = self._every_spans(day)
        opens = [span.start for spans in every for span in spans if span.kind is PhaseKind.CONTINUOUS]
        return _utc(day, min(opens, default=every[0][0].start))

    def session_close(self, day: date) -> datetime:
        """When the last phase of `day` ends, aware UTC. Raises as `session_open`."""
        return _utc(day, max(spans[-1].end for spans in self._every_spans(day)))

    def _every_spans(self, day: date) -> list[Sequence[Span]]:
        """The phases of a trading day at each exchange that trades on it, by class."""
        trading = [one for one in EXCHANGES if self.is_trading_day(day) and self._rows.trades(day, one)]
        every = [self._rows.spans(day, fno, exchange) for exchange in trading for fno in (False, True)]
        if not every:
            raise BadInput("date", day.isoformat(), "the exchanges do not trade on this day")
        return every

    def intraday_end(self, day: date, fno: bool, broker: str = "") -> datetime:
        """When a broker, the earliest where none is named, ends intraday buying (MIS), aware UTC.

        Raises as `session_open`.
        """
        return self.intraday(day, fno, broker).at

    def intraday(self, day: date, fno: bool, broker: str = "") -> IntradayEnd:
        """When a broker ends intraday buying (MIS) on `day` and sells what is open, by the table of brokers.

        Of a broker that is not listed it is the earliest time that any publishes, not verified; in a session
        with hours of its own it stands a while before the end. Raises as `session_open`.
        """
        spans = self._every_spans(day)[1 if fno else 0]
        session = next(
            (one for x in EXCHANGES if (one := self._rows.sessions.get((day, x))) is not None), None
        )
        if session is not None and session.hours:
            rule = on_day(self._rows.in_session, day)
            if rule is None:
                raise CalendarNotLoaded(day, "intraday end")
            continuous = [span for span in spans if span.kind is PhaseKind.CONTINUOUS]
            ends = _utc(day, (continuous or spans)[-1].end)
            return IntradayEnd(broker, ends - timedelta(minutes=rule.before_close), False, rule.source)
        wanted: ClassWord = "fno" if fno else "cash"
        rows = {
            one.broker: one
            for one in reversed(self._rows.intraday)
            if wanted in one.classes and one.holds_on(day)
        }
        if not rows:
            raise CalendarNotLoaded(day, "intraday end")
        if (row := rows.get(broker)) is not None:
            return IntradayEnd(broker, _utc(day, row.at), row.verified, row.source)
        row = min(rows.values(), key=lambda one: one.at)
        return IntradayEnd(row.broker, _utc(day, row.at), False, row.source)

    def intraday_brokers(self, day: date) -> list[str]:
        """The brokers of which it is listed when they end intraday buying."""
        return sorted({one.broker for one in self._rows.intraday if one.holds_on(day)})

    def after_market(self, broker: str, day: date) -> AfterMarketRow | None:
        """From when until when a broker takes orders for the next session; None where that is not known."""
        return on_day([one for one in self._rows.after_market if one.broker == broker], day)

    def after_market_on(self, day: date) -> tuple[AfterMarketRow, ...]:
        """The brokers of whom that is known."""
        return tuple(one for one in self._rows.after_market if one.holds_on(day))

    def auction_rules(self, day: date) -> AuctionRules | None:
        """What the closing auction of `day` takes over; None where there is none."""
        return on_day(self._rows.auctions, day)

    def breaker(self, day: date) -> Breaker | None:
        """The market-wide breaker as it stands on `day`; None where it is not known."""
        return on_day(self._rows.breakers, day)

    def told(self, day: date) -> DayTold:
        """What is known of a day."""
        year = self._rows.years.get(day.year)
        if year is None:
            return DayTold(day, DayKind.UNKNOWN, "", None, "", "", "")
        sessions = [one for x in EXCHANGES if (one := self._rows.sessions.get((day, x))) is not None]
        late = [one for x in EXCHANGES if (one := self._rows.holidays.get((day, x))) is not None]
        of: Year | Holiday | Session = (sessions or late or [year])[0]
        settled = None if year.settlement_holidays is None else year.settlement_holidays.get(day, "")
        name = of.name if isinstance(of, Holiday | Session) else year.holidays.get(day, "")
        if self.is_trading_day(day):
            kind = DayKind.SPECIAL if sessions else DayKind.TRADING
        else:
            kind = DayKind.HOLIDAY if self._rows.is_holiday(day) else DayKind.WEEKEND
        settles = None if settled is None else kind is DayKind.TRADING and not settled
        return DayTold(day, kind, name, settles, settled or "", of.source, of.author)

    def spans(self, day: date, fno: bool, exchange: str = "NSE") -> list[PhaseSpan]:
        """The phases of a day in their order; empty on a day without trading. Raises `CalendarNotLoaded`."""
        if not self.is_trading_day(day) or not self._rows.trades(day, exchange):
            return []
        return [
            PhaseSpan(
                one.kind,
                _utc(day, one.start),
                _utc(day, one.end),
                None if one.may_close_from is None else _utc(day, one.may_close_from),
            )
            for one in self._rows.spans(day, fno, exchange)
        ]

    def hours_source(self, day: date, exchange: str = "NSE") -> tuple[str, str]:
        """Source and author of the hours of a trading day; empty where none are known."""
        session = self._rows.sessions.get((day, exchange))
        of = session if session is not None and session.hours else self._rows.regime_of(day, exchange)
        return ("", "") if of is None else (of.source, of.author)

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

    def phase(self, at: datetime, fno: bool, exchange: str = "NSE") -> Phase:
        """The phase at the aware time `at` of an instrument with (`fno`) or without live derivatives.

        It is by the tables alone: whether the market is halted is asked of the desk (`engine.timing`).
        """
        if at.tzinfo is None:
            raise BadInput("at", at, "give an aware time")
        day = at.astimezone(IST).date()
        known = self._days.get((day, fno, exchange))
        if known is None:
            known = self._days[day, fno, exchange] = self._phases_of(day, fno, exchange)
        starts, phases = known
        return phases[bisect_right(starts, at) - 1]

    def _phases_of(self, day: date, fno: bool, exchange: str) -> tuple[list[datetime], list[Phase]]:
        """The changes of a calendar day, from midnight in India, and the phase each begins."""
        midnight = _utc(day, time())
        try:
            trades = self.is_trading_day(day) and self._rows.trades(day, exchange)
            spans = self._rows.spans(day, fno, exchange) if trades else ()
        except CalendarNotLoaded:
            return [midnight], [_UNKNOWN]
        following = self._first_phase_after(day, fno, exchange)
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

    def _first_phase_after(
        self, day: date, fno: bool, exchange: str
    ) -> tuple[datetime | None, PhaseKind | None]:
        try:
            following = self.next_trading_day(day)
            while not self._rows.trades(following, exchange):
                following = self.next_trading_day(following)
            first = self._rows.spans(following, fno, exchange)[0]
        except CalendarNotLoaded:
            return None, None
        return _utc(following, first.start), first.kind


def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, IST).astimezone(UTC)
