"""A file of the exchange before it is taken: what it would change, or each of its rows that is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import BindingType

from data.csvfiles import FileProblem
from data.errors import TradedeskError, quoted
from data.records import replace
from engine.words.formats import counted
from engine.words.refusals import refusal_words
from screens.frame.commands import COMMANDS, binding
from screens.frame.dock import Card
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic

ROWS = 12
"""Lines of the card; more scroll."""

Reads = Callable[[bool], Awaitable[Sequence[str]]]
"""Reads the file, or takes it; with True without its wrong rows. Returns what it changes, in lines."""


class TakeLine(Struct, frozen=True):
    """A line of what would change."""

    words: str


class TakeCard(Card[None]):
    """Nothing is written before Enter. With wrong rows nothing is taken, or by `u` all others."""

    TITLE_WORDS = "A file of the exchange on its way in"
    BINDINGS: ClassVar[list[BindingType]] = [
        binding(replace(COMMANDS["needs_me"], action="leave_out", words="leave out"))
    ]

    def __init__(self, what: str, path: Path, look: Reads, take: Reads, *, leaves_out: bool = False) -> None:
        """`leaves_out` says whether it can be taken without its wrong rows."""
        super().__init__()
        self.rows = ROWS
        self._what, self._path, self._look, self._take = what, path, look, take
        self._leaves_out, self._valid = leaves_out, False
        self._wrong = 0
        self._ready = False

    def compose(self) -> ComposeResult:
        """The lines and the keys."""
        changes = [Column("words", "what it would change", 60, lambda one: one.words, flex=True, most=200)]
        wrong = [
            Column("row", "row", 5, lambda one: str(one.row), "right", style=lambda _: "warn"),
            Column("field", "field", 9, lambda one: one.field),
            Column("value", "is", 16, lambda one: quoted(one.value)),
            Column("right", "would be right", 30, lambda one: one.expected, flex=True, most=200),
        ]
        for of, columns in (("changes", changes), ("wrong", wrong)):
            yield LiveGrid(columns, monotonic=self.shell.monotonic, markable=False, hint="reading …", id=of)
        yield SteadyStatic(classes="keys -always", id="take-keys")

    def title(self) -> str:
        """Which file, and whether it can be taken."""
        wrong = f" · {counted(self._wrong, 'row')} wrong, nothing is taken" if self._wrong else ""
        return f"{self._what} from {self._path.name}{wrong}"

    def begin(self) -> None:
        """In the lines, and read."""
        self._show("changes", ())
        self._begin()

    def _show(self, of: str, rows: Sequence[object]) -> None:
        for grid in self.query(LiveGrid):
            grid.display = grid.id == of
        grid = self.query_one(f"#{of}", LiveGrid)
        grid.set_rows(dict(enumerate(rows)))
        grid.focus()

    def _begin(self) -> None:
        self.run_worker(self._read(), group="take", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        self._ready, self._wrong = False, 0
        try:
            rows: Sequence[object] = [TakeLine(words) for words in await self._look(self._valid)]
            self._ready = True
        except FileProblem as problem:
            rows, self._wrong = problem.problems, len(problem.problems)
        except (TradedeskError, OSError) as problem:
            rows = [TakeLine(_words_of(problem))]
        if not self.is_attached:
            return
        self.refresh_bindings()
        self._show("wrong" if self._wrong else "changes", rows)
        leave = "u leaves the wrong rows out   " if self._wrong and self._leaves_out else ""
        enter = "Enter takes it   " if self._ready else ""
        self.query_one("#take-keys", SteadyStatic).update(f"{enter}{leave}Esc leaves all as it is")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Wrong rows are left out where that can be."""
        return action != "leave_out" or (self._leaves_out and self._wrong > 0)

    def action_leave_out(self) -> None:
        """Look at it without the rows that are wrong."""
        self._valid = True
        self._begin()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """Take it as it was looked at."""
        event.stop()
        if self._ready:
            self._ready = False
            self.host.carry_out(self._taken())

    async def _taken(self) -> None:
        try:
            lines = await self._take(self._valid)
        except (TradedeskError, OSError) as problem:
            self.shell.say(f"{self._path.name}: {_words_of(problem)}", "warning")
        else:
            self.shell.say(f"taken: {'; '.join(lines)}")
        self.close()


def _words_of(problem: Exception) -> str:
    if isinstance(problem, OSError):
        return problem.strerror or "it cannot be read"
    return refusal_words(problem)
