"""Workspace 8: the day's figures as they stand, the close as a checklist, and the key that closes it."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from data.clock import IST
from engine.words import formats
from engine.words.day.closing import (
    close_question,
    close_words,
    closed_words,
    netted_words,
    prospect_line,
    why_open_words,
)
from engine.words.formats import MASK
from engine.words.refusals import refusal_words
from screens.day.rows import close_lines, day_columns, day_record
from screens.frame.cards.confirm import WordsCard
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from widgets.livegrid import LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.close.views import ClientDay, CloseProspect, DayReport, ForTomorrow, StaysOpen

EVERY_S = 5.0
"""Seconds between two looks at the day; more where a look takes long."""

LEAP = timedelta(seconds=30)
"""The market's time moves that far between two frames only where it was put on: then the day is read anew."""

SHORT = 30
"""Lines below which a terminal has no room for every step."""

TIMES = 20
"""How many times as long as a look took the next one is waited for."""

OLD_S = 15.0
"""From which age on figures say how old they are: a look that took long is not repeated soon."""


class DayScreen(Workspace):
    """What the day has brought each client, and what its close waits for."""

    CSS_PATH = Path(__file__).with_name("day.tcss")
    AUTO_FOCUS = "#day-figures"
    TITLE_WORDS = "Day"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("day.close")]

    def __init__(self) -> None:
        super().__init__()
        self._days: dict[int, ClientDay] = {}
        self._stays: dict[int, StaysOpen] = {}
        self._report: DayReport | None = None
        self._prospect: CloseProspect | None = None
        self._tomorrow: ForTomorrow | None = None
        self._next_at = float("-inf")
        self._told_at = float("-inf")
        """When the figures that are shown were read."""
        self._aged = ""
        """Their age as the title has it."""
        self._reading = self._goes_on = False
        self._market_at: datetime | None = None
        self._leapt = False
        """Whether the market's time was put on since the look that goes on, or is next, began."""
        self._trouble = ""
        """Why the day cannot be told; figures below are of the time in their title then."""
        self._closed_words: list[str] = []
        """Which day was closed from here last; the figures below are of the next by then."""

    def compose_body(self) -> ComposeResult:
        """The close above, the clients' day below."""

        def masked() -> bool:
            return self.shell.privacy

        with Pane("day-close-pane", hint="Z closes the day"):
            yield SteadyStatic("reading the day …", id="day-close")
        with Pane("day-figures-pane", hint="Enter opens"):
            yield LiveGrid(
                day_columns(self._days, self._stays, masked),
                monotonic=self.shell.monotonic,
                markable=False,
                follows_top=True,
                hint="no client yet",
                id="day-figures",
            )

    @property
    def _grid(self) -> LiveGrid:
        return self.query_one("#day-figures", LiveGrid)

    def on_mount(self) -> None:
        """Read at once, whose day went best on top."""
        self._grid.sort_by("net", descending=True)
        self._read_soon()

    def on_frame(self) -> None:
        """Look again in a while, and at once where the market's time was put on."""
        now, before = self.desk.market_clock.now(), self._market_at
        self._market_at = now
        if before is not None and not timedelta() <= now - before < LEAP:
            self._leapt = True
        if self._leapt or self.shell.monotonic() >= self._next_at:
            self._read_soon()
        if self._report is not None and self._age != self._aged:
            self._paint_titles(self._report)

    @property
    def _age(self) -> str:
        """How old the figures are once that is worth saying; empty before."""
        seconds = self.shell.monotonic() - self._told_at
        return f" · {formats.age(seconds)} old" if seconds >= OLD_S else ""

    def _read_soon(self) -> None:
        if self._reading:
            return
        self._reading, self._leapt, self._next_at = True, False, float("inf")
        self.run_worker(self._read(), exit_on_error=False, group="day-figures")

    async def _read(self) -> None:
        began = self.shell.monotonic()
        close = self.desk.close
        try:
            self._prospect = await close.prospect()
            day = self._prospect.day
            self._report = await (close.report(day) if self._prospect.closed else close.preview(day))
            self._tomorrow = await close.tomorrow()
            self._trouble, self._told_at = "", self.shell.monotonic()
        except Exception as problem:
            self._trouble = f"the day cannot be told: {refusal_words(problem)}"
        finally:
            now = self.shell.monotonic()
            self._reading, self._next_at = False, now + max(EVERY_S, TIMES * (now - began))
        if self.is_mounted:
            self._show()
            self._grid.resort()

    def _show(self) -> None:
        report, prospect, tomorrow = self._report, self._prospect, self._tomorrow
        if self._trouble:
            self.query_one("#day-close", SteadyStatic).update(Content(plain(self._trouble)))
        if self._trouble or report is None or prospect is None or tomorrow is None:
            return
        self._stays.clear()
        self._stays.update({one.client_id: one for one in prospect.open})
        days = {one.client_id: one for one in report.clients}
        self._days.clear()
        self._days.update(days)
        if set(self._grid.shown_keys) != days.keys():
            self._grid.set_rows({client: client for client in days})
        self._grid.apply(set(days))
        lines = close_lines(prospect, tomorrow, self.size.width, self.size.height < SHORT)
        if not self.shell.privacy and (netted := netted_words(report)):
            lines.insert(1, netted)
        if self._goes_on:
            lines[0] = f"{prospect.day:%a %d %b %Y}: closing …"
        self.query_one("#day-close", SteadyStatic).update(Content("\n".join(map(plain, lines))))
        self._paint_titles(report)

    def _paint_titles(self, report: DayReport) -> None:
        risk, masked = report.risk, self.shell.privacy
        net = MASK if masked else formats.signed(risk.todays_pnl_paise)
        value = MASK if masked else formats.rupees(risk.total_value_paise)
        at = f"{self.desk.shown_at(report.at).astimezone(IST):%H:%M:%S}"
        self._aged = self._age
        stands = f"provisional, {at}{self._aged}" if report.provisional else f"closed, seal {report.seal[:8]}"
        facts = [stands, f"net {net} · {risk.profitable} up {risk.losing} down · value {value}"]
        self.query_one("#day-figures-pane", Pane).set_title(f"{report.day:%a %d %b %Y}", facts)
        self.query_one("#day-close-pane", Pane).set_title("The close", self._closed_words)

    def redraw(self) -> None:
        """Everything anew."""
        if self.is_mounted:
            self._show()

    def here(self) -> Here:
        """The client under the cursor."""
        key = self._grid.cursor_key if self.is_mounted else None
        return Here(client_id=key if isinstance(key, int) else None)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """The clients' day."""
        rows = tuple(grid.shown_keys)
        return Table(
            *("day", tuple(grid.columns), rows, grid.cursor_key),
            lambda client: day_record(self._days[client]),
        )

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page."""
        if (client_id := self.here().client_id) is not None:
            keys = [key for key in self._grid.shown_keys if isinstance(key, int)]
            self.shell.open_client(client_id, keys)

    # --- the close ---

    def close_day(self) -> None:
        """Read every client's books, ask, and close the day."""
        if not self._goes_on:
            self._close_by(self._close())

    def _close_by(self, work: Coroutine[Any, Any, None]) -> None:
        async def closing() -> None:
            try:
                await work
            except Exception as problem:
                self.shell.say(refusal_words(problem), "warning")
            finally:
                self._goes_on = False
                self._next_at = float("-inf")

        self._goes_on = True
        self.carry_out(closing())

    async def _close(self) -> None:
        close = self.desk.close
        prospect = await close.prospect()
        if not (prospect.closed or prospect.begins_at or prospect.done):
            self.shell.say("reading every client's books at its broker …")
            prospect = await close.look(prospect.day)
            self.open_card(self._question(prospect), lambda yes: self._answered(prospect, yes))
            return
        await self._carry_out(prospect)

    def _question(self, prospect: CloseProspect) -> WordsCard:
        told = [f"{one.code} stays open: {why_open_words(one)}" for one in prospect.open[:8]]
        more = len(prospect.open) - len(told)
        lines = [*told, *([f"and {more} more"] if more else []), "Esc goes back, nothing is closed"]
        return WordsCard(close_question(prospect), lines, close_words(prospect))

    def _answered(self, prospect: CloseProspect, yes: bool | None) -> None:
        if yes:
            self._close_by(self._carry_out(prospect))

    async def _carry_out(self, prospect: CloseProspect) -> None:
        report = await self.desk.close.close(prospect.day, prospect.closing)
        self._closed_words = closed_words(report)
        self.shell.say(prospect_line(await self.desk.close.prospect(report.day)))
