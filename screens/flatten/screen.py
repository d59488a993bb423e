"""A flatten on one screen: what it would send, the typed answer, how it goes, and its certificate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from data.errors import TradedeskError
from data.vocabulary import FlattenWhat, HaltScope
from engine.events import Event, FlattenChanged
from engine.words import formats
from engine.words.forms import wrong_answer
from engine.words.market import end_words
from engine.words.refusals import ONLY_SHOWS, refusal_words
from engine.words.trading.flattens import (
    absent_words,
    beside_words,
    carry_on_answer,
    counts_words,
    prospect_counts,
    scope_words,
    title_words,
    worth_words,
)
from screens.flatten.rows import FlattenRow, columns, problems_first, row_of_line, row_of_position
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.times import market_time
from screens.frame.workspace import Dialog, Table
from widgets.answerfield import AnswerField
from widgets.livegrid import LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.flatten.views import FlattenProspect, FlattenView

SHOWN_ABSENT = 5
"""Clients named of those whom nobody could ask."""


class FlattenScreen(Dialog[None]):
    """What a flatten would do until it is confirmed, then the same frame while it goes and as certificate.

    Leaving it ends nothing: the desk goes on, and the tape opens it again.
    """

    CSS_PATH = Path(__file__).with_name("flatten.tcss")
    AUTO_FOCUS = "AnswerField Input"
    TITLE_WORDS = "Flatten"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("copy", "file")]

    def __init__(
        self,
        scope: HaltScope = HaltScope.EVERYTHING,
        value: str = "",
        what: FlattenWhat = FlattenWhat.MIS,
        number: int | None = None,
    ) -> None:
        """With a number the flatten of that number, else one that is still to be confirmed."""
        super().__init__()
        self._scope, self._value, self._what = scope, value, what
        self._number = number
        self._prospect: FlattenProspect | None = None
        self._view: FlattenView | None = None
        self._rows: dict[int, FlattenRow] = {}
        self._reading = self._stale = False
        self._trouble = ""

    def compose_body(self) -> ComposeResult:
        """The summary, a line a position, what holds, and the answer."""
        with Pane("flatten-pane", hint="t to file  c copy  Esc back"):
            yield SteadyStatic(id="summary")
            yield LiveGrid(
                columns(lambda: self.shell.privacy),
                monotonic=self.shell.monotonic,
                markable=False,
                hint="no position; Esc goes back",
                id="lines",
            )
            yield SteadyStatic(id="state")
            yield AnswerField("reading positions …", monotonic=self.shell.monotonic, id="answer")

    def on_mount(self) -> None:
        """Read the positions, or follow the flatten that was asked for."""
        self.listen(self._desk_event)
        self.query_one("#answer").display = False
        self._read_again()
        self.redraw()

    def _desk_event(self, event: Event) -> None:
        if isinstance(event, FlattenChanged) and event.number == self._number:
            self._read_again()

    def _read_again(self) -> None:
        """Bring the figures up to date beside the screen, by one reading at a time."""
        self._stale = True
        if not self._reading:
            self._reading = True
            self.carry_out(self._read())

    async def _read(self) -> None:
        try:
            while self._stale:
                self._stale = False
                await self._read_once()
                self.redraw()
        except TradedeskError as problem:
            self._trouble = refusal_words(problem)
            self.redraw()
        finally:
            self._reading = False

    async def _read_once(self) -> None:
        if self._number is None:
            self._prospect = await self.desk.flatten.prospect(self._scope, self._value, self._what)
        else:
            self._view = await self.desk.flatten.view(self._number)

    def redraw(self) -> None:
        """The flatten as it was read last."""
        if not self.is_mounted:
            return
        pane = self.query_one(Pane)
        if (view := self._view) is not None:
            rows = [row_of_line(line) for line in view.lines]
            whom = self._of_whom(view.scope, view.value)
            pane.set_title(title_words(view.what, whom, view.number), [counts_words(view)])
            head, state = self._view_words(view)
        elif (found := self._prospect) is not None:
            rows = [row_of_position(one) for one in found.positions]
            whom = self._of_whom(found.scope, found.value)
            pane.set_title(title_words(found.what, whom), prospect_counts(found))
            head, state = self._prospect_words(found)
        else:
            rows, state = [], ""
            pane.set_title(title_words(self._what, self._of_whom(self._scope, self._value)))
            head = self._trouble or "reading the brokers' positions …"
        for where, words in (("#summary", head), ("#state", state)):
            lines = "\n".join(map(plain, words.split("\n")))
            self.query_one(where, SteadyStatic).update(Content(lines))
        self._rows = dict(enumerate(problems_first(rows)))
        self.query_one(LiveGrid).set_rows(self._rows)
        self._show_answer()

    def _of_whom(self, scope: HaltScope, value: str) -> str:
        named = self.desk.clients.get(int(value)).code if scope is HaltScope.CLIENT else value
        return scope_words(scope, named)

    def _prospect_words(self, found: FlattenProspect) -> tuple[str, str]:
        ends = ", ".join(map(end_words, found.intraday_ends))
        now = formats.time_of_day(self.desk.market.now())
        times = f" · brokers sell intraday out from {ends}" if ends else ""
        halted = "\nthe desk is halted: this passes the halt, F9 F9 stops it" if self._halted else ""
        below = "\n".join(
            filter(None, (beside_words(found), absent_words(found.not_signed_in, SHOWN_ABSENT)))
        )
        return f"{worth_words(found)} · now {now}{times}{halted}", self._trouble or below

    @property
    def _halted(self) -> bool:
        return bool(self.desk.halt.active())

    def _view_words(self, view: FlattenView) -> tuple[str, str]:
        begun = f"{market_time(self.desk, view.at)} by {view.by}"
        if view.ended_at is not None:
            certified = f"{begun} · certified {market_time(self.desk, view.ended_at)} · nothing of it lives"
            return certified, absent_words(view.not_signed_in, SHOWN_ABSENT)
        ended = "" if view.carried else "it STANDS STILL: the program that carried it out has ended"
        return f"{begun} · F9 F9 stops it", self._trouble or ended

    @property
    def _answer(self) -> str:
        """What is typed to begin it, or to carry on one that stands still; empty where nothing is."""
        found, view = self._prospect, self._view
        if self._number is None:
            return found.answer if found is not None and found.sent > 0 else ""
        stands = view is not None and view.ended_at is None and not view.carried
        return carry_on_answer(view) if view is not None and stands else ""

    def _show_answer(self) -> None:
        field, answer = self.query_one(AnswerField), self._answer
        if answer and not field.display:
            self.call_after_refresh(field.focus)
        field.display = bool(answer)
        if answer:
            asked = f"{self.desk.mode}  type  {answer}  and Enter:"
            field.set_label(ONLY_SHOWS if self.desk.looks_only else asked)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """A line a position."""
        row = self._rows.get(grid.cursor_key) if isinstance(grid.cursor_key, int) else None
        return Table("flatten", tuple(grid.columns), tuple(self._rows.values()), row)

    def table(self) -> Table | None:
        """The positions, wherever the focus is."""
        return self.table_of(self.query_one(LiveGrid)) if self.is_mounted else None

    async def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """The words begin it; other words begin nothing."""
        event.field.clear()
        answer = self._answer
        if not answer:
            return
        if " ".join(event.text.casefold().split()) != answer:
            self.shell.say(wrong_answer(answer, "nothing was sent"), "refused")
        elif self._number is not None:
            self.carry_out(self._carry_on(self._number))
        elif self._prospect is not None:
            self.carry_out(self._start(self._prospect))

    async def _carry_on(self, number: int) -> None:
        try:
            await self.desk.flatten.carry_on(number)
        except TradedeskError as problem:
            self.shell.say(f"flatten: {refusal_words(problem)}", "error")
        self.query_one(LiveGrid).focus()
        self._read_again()

    async def _start(self, found: FlattenProspect) -> None:
        try:
            number = await self.desk.flatten.start(self._scope, self._value, self._what, found.sent)
        except TradedeskError as problem:
            self.shell.say(f"flatten: {refusal_words(problem)}", "error")
            self._read_again()
            return
        self._number, self._trouble = number, ""
        self.query_one(LiveGrid).focus()
        self._read_again()
