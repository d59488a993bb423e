"""A list of clients before it is taken: its columns, its rows as they would be, the typed answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from data.errors import TradedeskError
from data.records import replace
from data.vocabulary import ImportDoes
from engine.words.forms import wrong_answer
from engine.words.imports import (
    answer_words,
    counts_words,
    known_words,
    line_words,
    missing_words,
    name_in_answer,
    report_words,
)
from engine.words.refusals import refusal_words
from screens.frame.commands import COMMANDS, binding, bindings
from screens.frame.pane import Pane
from screens.frame.shell import Table
from screens.frame.workspace import Dialog
from screens.importing.column_card import CODES, ColumnCard
from screens.importing.rows import ColumnRow, column_columns, column_rows, line_columns
from widgets.answerfield import AnswerField
from widgets.livegrid import LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.accounts.importing import ImportLine, ImportPlan


WIDE = 110
"""Cells from which there is room to say how the columns are named."""


class ImportScreen(Dialog[None]):
    """Nothing is written before the answer. Enter on a column says what it is; `u` shows refused rows."""

    CSS_PATH = Path(__file__).with_name("importing.tcss")
    AUTO_FOCUS = "#columns"
    TITLE_WORDS = "A list of clients on its way in"
    BINDINGS: ClassVar[list[BindingType]] = [
        binding(replace(COMMANDS["needs_me"], action="needs_here", words="refused")),
        *bindings("copy", "file"),
    ]

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._said: dict[str, str] = {}
        self._plan: ImportPlan | None = None
        self._columns: dict[int, ColumnRow] = {}
        self._lines: dict[int, ImportLine] = {}
        self._only_refused = False
        self._reading = True
        self._shown = False
        """Whether all that is painted into is there."""

    def compose_body(self) -> ComposeResult:
        """The columns, the rows, the words of one row, the answer."""
        masked = lambda: self.shell.privacy  # noqa: E731 - asked for each cell
        with Pane("columns-pane", hint="Enter what a column is  Tab rows"):
            yield LiveGrid(
                column_columns(masked),
                monotonic=self.shell.monotonic,
                markable=False,
                hint="reading …",
                id="columns",
            )
        with Pane("rows-pane", hint="u refused rows  t to file  Tab the answer"):
            yield LiveGrid(
                line_columns(self._told, masked),
                monotonic=self.shell.monotonic,
                markable=False,
                hint="reading …",
                id="rows",
            )
            yield SteadyStatic(id="row-words")
        yield AnswerField("reading …", monotonic=self.shell.monotonic, id="answer")

    def _told(self, line: ImportLine) -> str:
        before = None if line.client_id is None else self.desk.clients.get(line.client_id)
        fresh = None if self._plan is None else self._plan.rows.by_row.get(line.row)
        return line_words(line, before, fresh, self.desk.next_trading_day)

    def on_mount(self) -> None:
        """Read the file, once there is something to show it in."""
        self.query_one("#answer").display = False
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._shown = True
        self._look()

    # Reading

    def _look(self) -> None:
        """Read it by what was said, beside the screen; what is asked for later takes the place of this."""
        self._reading = True
        self._paint()
        self.run_worker(self._read(), exclusive=True, exit_on_error=False, group="import")

    async def _read(self) -> None:
        try:
            plan = await self.desk.importing.look(self._path, self._said or None)
        except (TradedeskError, OSError) as problem:
            words = (
                problem.strerror or "it cannot be read"
                if isinstance(problem, OSError)
                else refusal_words(problem)
            )
            self.shell.say(f"{self._path.name}: {words}", "warning")
            if self._plan is None:
                self.dismiss(None)
            self._reading = False
            return
        self._plan, self._reading = plan, False
        if self.is_mounted:
            self._columns = dict(enumerate(column_rows(plan)))
            self.query_one("#columns", LiveGrid).set_rows(self._columns)
            self._show_lines()

    def _show_lines(self) -> None:
        plan = self._plan
        lines = () if plan is None else plan.lines
        shown = (one for one in lines if not self._only_refused or one.does is ImportDoes.REFUSED)
        self._lines = {line.row: line for line in shown}
        grid = self.query_one("#rows", LiveGrid)
        grid.hint = "no row is refused" if self._only_refused else "no row yet: say what the columns are"
        grid.set_rows(self._lines)
        self._paint()

    # Painting

    def redraw(self) -> None:
        """All that was read, anew."""
        if self._shown:
            for grid in self.query(LiveGrid):
                grid.apply(set(grid.shown_keys))
            self._paint()

    def _paint(self) -> None:
        plan, reading = self._plan, ["reading …"] if self._reading else []
        panes = self.query_one("#columns-pane", Pane), self.query_one("#rows-pane", Pane)
        title = f"IMPORT {self._path.name}"
        panes[0].set_title(title, reading if plan is None else [*reading, *known_words(plan)])
        only = ["refused alone"] if self._only_refused else []
        panes[1].set_title("Rows", [*only, *([] if plan is None else counts_words(plan))])
        self._paint_row()
        field = self.query_one(AnswerField)
        field.display = plan is not None
        if plan is not None:
            answer = answer_words(plan)
            named = " (behind it: as NAME, for the columns)" if self.size.width >= WIDE else ""
            field.set_label(f"type  {answer}  and Enter{named}:" if answer else missing_words(plan))
        self.refresh_bindings()

    def _paint_row(self) -> None:
        """What the row under the cursor changes or what is against it, as far as three lines go."""
        key = self.query_one("#rows", LiveGrid).cursor_key
        line = self._lines.get(key) if isinstance(key, int) else None
        hidden = line is None or (self.shell.privacy and not line.problems)
        words = "" if hidden or line is None else f"row {line.row}: {self._told(line)}"
        told = self.query_one("#row-words", SteadyStatic)
        told.display = bool(words)
        told.update(Content(plain(words)))

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Rows of the file with what they would do, or its columns."""
        key = grid.cursor_key if isinstance(grid.cursor_key, int) else -1
        if grid.id == "rows":
            return Table("import", tuple(grid.columns), tuple(self._lines.values()), self._lines.get(key))
        return Table("columns", tuple(grid.columns), tuple(self._columns.values()), self._columns.get(key))

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """The words below are those of the row."""
        if self._shown:
            self._paint_row()

    # What it is told

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """Say what a column is."""
        row = self._columns.get(event.key) if isinstance(event.key, int) else None
        if self._plan is None or row is None or event.grid.id != "columns":
            return
        asked = {one.field for one in self._plan.problems if "zeros in front" in one.expected}
        numbers = bool(asked & set(row.fields) & set(CODES))
        self.open_card(ColumnCard(row, self._plan.headers, numbers), self._said_of_column)

    def _said_of_column(self, said: dict[str, str] | None) -> None:
        if said is not None and self._plan is not None:
            self._said = {**self._said, **said}
            self._look()

    def action_needs_here(self) -> None:
        """Only the rows that are refused, or all again."""
        self._only_refused = not self._only_refused
        self._show_lines()
        self.query_one("#rows", LiveGrid).to_top()

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """The words take it; other words take nothing."""
        event.stop()
        typed = " ".join(event.text.split())
        event.field.clear()
        plan = self._plan
        if plan is None or self._reading:
            return
        answer = answer_words(plan)
        name = name_in_answer(typed, answer)
        if not answer or name is None:
            told = missing_words(plan) if not answer else wrong_answer(answer, "nothing was taken")
            self.shell.say(told, "warning")
            return
        self._reading = True
        self._paint()
        self.carry_out(self.before_further_keys(self._take(plan, name)))

    async def _take(self, plan: ImportPlan, name: str) -> None:
        try:
            report = await self.desk.importing.carry_out(plan, without_refused=True, map_name=name)
        except TradedeskError as problem:
            self.shell.say(f"nothing was taken: {refusal_words(problem)}", "error")
            self._look()
            return
        self.shell.say(report_words(plan, report, name))
        self.dismiss(None)
