"""The exchanges' calendar as a home has it: what a day is, who changed what of it, and imported years."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.csvfiles import FileProblem, Problem
from data.errors import BadInput
from data.home import calendar_files, calendar_years
from data.reference.files.calendar_file import EXCHANGES, AfterMarketRow
from data.reference.files.holiday_list import read_holidays, year_text
from data.reference.phases import (
    Calendar,
    DayTold,
    IntradayEnd,
    OwnRow,
    PhaseSpan,
    rows_of,
)
from data.store import Unit
from data.vocabulary import DayKind
from data.writing.whole_file import put_whole
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.timing import Timing

log = logging.getLogger(__name__)


class DayHours(Struct, frozen=True):
    """The phases of a class of shares at an exchange on a day, and when its brokers end intraday buying."""

    exchange: str
    fno: bool
    spans: tuple[PhaseSpan, ...]
    intraday: tuple[IntradayEnd, ...]


class DayPlan(Struct, frozen=True):
    """What is known of a day. `hours` are empty where it does not trade; `settles_on` None where not known.

    `after_market` are the brokers of whom it is known from when until when they take orders for the next day.

    `hours_source` and `hours_author` are of the table that its hours are from. `trading_next` is the trading
    day after it.
    """

    told: DayTold
    hours: tuple[DayHours, ...]
    hours_source: str
    hours_author: str
    settles_on: date | None
    trading_next: date | None
    after_market: tuple[AfterMarketRow, ...] = ()


class YearImport(Struct, frozen=True):
    """What became of a list: holidays of a year, and what came and went against those known before.

    `left` are the rows that were left out, in words.
    """

    year: int
    settlement: bool
    holidays: int
    came: tuple[date, ...]
    gone: tuple[date, ...]
    left: tuple[str, ...]
    file: str


class Calendars:
    """Tells of the calendar of a desk, and takes an exchange's list of a year into its home."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._stamps = _stamps_of(calendar_files(kept.home))

    @property
    def own_rows(self) -> Sequence[OwnRow]:
        """The rows of the home's own files: source, and who put each there."""
        return self._calendar.own_rows

    @property
    def missing_year(self) -> int | None:
        """The next year, where its list should be out by now and is not loaded; else None."""
        return self._calendar.missing_year(self._timing.market.trading_day)

    @property
    def _calendar(self) -> Calendar:
        return self._timing.calendar

    def day(self, day: date) -> DayPlan:
        """What is known of a day; of one whose year is not loaded that it is not."""
        told = self._calendar.told(day)
        if told.kind not in (DayKind.TRADING, DayKind.SPECIAL):
            return DayPlan(told, (), "", "", None, self._next(day))
        calendar = self._calendar
        hours = tuple(
            DayHours(exchange, fno, spans, self._intraday(day, fno))
            for exchange in EXCHANGES
            for fno in (True, False)
            if (spans := tuple(calendar.spans(day, fno, exchange)))
        )
        try:
            settles = calendar.settlement_day(day)
        except BadInput:
            settles = None
        source = calendar.hours_source(day)
        return DayPlan(told, hours, *source, settles, self._next(day), calendar.after_market_on(day))

    def _next(self, day: date) -> date | None:
        try:
            return self._calendar.next_trading_day(day)
        except BadInput:
            return None

    def _intraday(self, day: date, fno: bool) -> tuple[IntradayEnd, ...]:
        brokers = self._calendar.intraday_brokers(day)
        return tuple(self._calendar.intraday(day, fno, broker) for broker in brokers)

    async def look(self, path: Path, *, settlement: bool = False, valid: bool = False) -> YearImport:
        """What `take` would do; nothing is written. Raises as that does."""
        return (await self._read(path, "", settlement, valid))[0]

    async def take(
        self, path: Path, source: str = "", *, settlement: bool = False, valid: bool = False
    ) -> YearImport:
        """Take an exchange's list of holidays of one year, or with `settlement` of days that do not settle.

        Raises `FileProblem` naming every bad row, unless those are left out, and for a list of no year or of
        several; `BadInput` for settlement holidays of a year whose holidays are not known; `OSError` where
        a file cannot be read or written. Then nothing has changed.
        """
        imported, text = await self._read(path, source, settlement, valid)
        await self._keep(calendar_years(self._kept.home) / imported.file, text, imported, path)
        return imported

    async def _read(self, path: Path, source: str, settlement: bool, valid: bool) -> tuple[YearImport, str]:
        """What a list would change, and the file of its year as it would be."""
        listed = await asyncio.to_thread(read_holidays, path)
        years = {one.day.year for one in listed.holidays}
        if (listed.problems and not valid) or len(years) != 1:
            several = ", ".join(map(str, sorted(years)))
            stray = Problem(1, "year", several, "give the list of one year")
            raise FileProblem(path, listed.problems or [stray])
        (year,) = years
        days = {one.day: one.name for one in listed.holidays}
        known, settling = self._calendar.holidays_of(year)
        if settlement and not self._calendar.covers(year):
            raise BadInput("settlement", year, "first import the list of that year's trading holidays")
        before: Mapping[date, str] = (settling or {}) if settlement else known
        if settlement:
            # NSE's list of clearing holidays has the trading ones too.
            days = {day: name for day, name in days.items() if day not in known}
            text = year_text(year, known, days, self._source(source, path), self._engine.actor)
        else:
            text = year_text(year, days, settling, self._source(source, path), self._engine.actor)
        came, gone = tuple(sorted(days.keys() - before.keys())), tuple(sorted(before.keys() - days.keys()))
        left = tuple(map(str, listed.problems))
        return YearImport(year, settlement, len(days), came, gone, left, f"{year}.toml"), text

    def _source(self, source: str, path: Path) -> str:
        return source.strip() or f"the exchange's list, {path.name}"

    async def _keep(self, file: Path, text: str, imported: YearImport, path: Path) -> None:
        """Write the year's file once the audit has it, and go by it from now on."""

        def unit_of_work(unit: Unit) -> None:
            details = {
                "file": path.name,
                "year": imported.year,
                "settlement": imported.settlement,
                "holidays": imported.holidays,
                "came": [day.isoformat() for day in imported.came],
                "gone": [day.isoformat() for day in imported.gone],
                "left": list(imported.left),
            }
            unit.audit(AuditEntry(AuditAction.CALENDAR_IMPORTED, self._engine.actor, details=details))

        file.parent.mkdir(exist_ok=True, mode=0o700)
        await self._engine.write_signed_on(unit_of_work)
        put_whole(file, text)
        self.read_again()

    def read_again(self) -> None:
        """Go by the home's files as they are now. Raises `BadInput` or `OSError`; then by those of before."""
        files = calendar_files(self._kept.home)
        self._stamps = _stamps_of(files)
        self._calendar.go_by(rows_of(*files))

    async def keep(self) -> None:
        """Go by the home's files once another process, or somebody by hand, has changed them."""
        if _stamps_of(calendar_files(self._kept.home)) == self._stamps:
            return
        try:
            self.read_again()
        except (BadInput, OSError) as problem:
            log.error("the calendar of the home is not taken: %s", problem)


def _stamps_of(files: Collection[Path]) -> dict[str, tuple[int, int]]:
    """When each file was written last, and how long it is."""
    found: dict[str, tuple[int, int]] = {}
    for file in files:
        with suppress(OSError):
            stat = file.stat()
            found[str(file)] = (stat.st_mtime_ns, stat.st_size)
    return found
