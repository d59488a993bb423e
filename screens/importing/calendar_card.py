"""A day of the exchanges' calendar: what it is, its phases by class of share, whose changes it has."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.words.day.calendar import day_lines, imported_words, missing_words
from screens.frame.commands import bindings
from screens.frame.dock import Card, DockHost
from screens.importing.take_card import TakeCard
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic

ROWS = 16
"""Lines of the card; more scroll."""

KEYS = "{ the day before  } the day after   :calendar import FILE [settlement]   Esc back"


class CalendarLine(Struct, frozen=True):
    """A line of what is known of a day."""

    words: str
    warns: bool = False


class CalendarCard(Card[None]):
    """One day; braces go to the days beside it."""

    TITLE_WORDS = "The exchanges' calendar"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("previous", "next")]

    def __init__(self, day: date) -> None:
        super().__init__()
        self.rows = ROWS
        self._day = day

    def compose(self) -> ComposeResult:
        """The lines and the keys."""
        style = lambda one: "warn" if one.warns else None  # noqa: E731 - of a column
        yield LiveGrid(
            [Column("words", "", 60, lambda one: one.words, flex=True, most=200, style=style)],
            monotonic=self.shell.monotonic,
            markable=False,
            hint="nothing is known of it",
            id="calendar",
        )
        yield SteadyStatic(Content(KEYS), classes="keys -always")

    def title(self) -> str:
        """Which day."""
        return f"CALENDAR · {self._day:%a %d %b %Y}"

    def begin(self) -> None:
        """In the lines."""
        self._fill()
        self.query_one(LiveGrid).focus()

    def _fill(self) -> None:
        calendar = self.desk.calendar
        lines = [CalendarLine(words) for words in day_lines(calendar.day(self._day))]
        lines += [
            CalendarLine(f"{row.file}: {row.table} {row.what} ({row.source}), by {row.author}")
            for row in calendar.own_rows
        ]
        if (missing := calendar.missing_year) is not None:
            take = f"{missing_words(missing)}: :calendar import FILE takes the exchange's list"
            lines.insert(0, CalendarLine(take, warns=True))
        self.query_one(LiveGrid).set_rows(dict(enumerate(lines)))

    def action_step(self, by: int) -> None:
        """The day before, or after."""
        self._day += timedelta(days=by)
        self._fill()


def take_year(host: DockHost[Any], path: Path, *, settlement: bool) -> None:
    """Open what taking an exchange's list of a year would change; Enter takes it."""
    calendar = host.desk.calendar

    async def look(valid: bool) -> list[str]:
        return imported_words(await calendar.look(path, settlement=settlement, valid=valid))

    async def take(valid: bool) -> list[str]:
        return imported_words(await calendar.take(path, settlement=settlement, valid=valid))

    what = "DAYS THAT DO NOT SETTLE" if settlement else "HOLIDAYS of a year"
    host.open_card(TakeCard(what, path, look, take, leaves_out=True))
