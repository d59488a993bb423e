"""The command line: a line in the dock, with what may stand in it, what it would do, and lines of before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from data.errors import BadInput
from data.records import replace
from engine.colon.asked import Asked, AskedOrders
from engine.colon.completing import Completion, common_beginning, completed, completions
from engine.colon.grammar import parse
from engine.colon.known import Known
from engine.colon.splitting import words_of
from engine.colon.writing import LONGEST_LINE
from engine.words.colon import asked_words, problem_words
from engine.words.formats import MASK
from engine.words.line_forms import FORMS
from engine.words.trading.plans import figures_line, skipped_words
from screens.frame.cards.history import keep_line, read_history
from screens.frame.dock import Card
from widgets.keyline import KeyHint
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import clip, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS = "Tab completes  ↑↓ typed before  Enter opens and sends nothing by itself  Esc closes"

LISTED = 4
"""Completions seen at once."""

WORD_CELLS = 22
"""Cells of a completion's word, before what it is."""


class _Turn(Struct, frozen=True):
    """Completions that Tab goes through, from the line as it was typed."""

    typed: str
    offered: Sequence[Completion]
    place: int

    @property
    def line(self) -> str:
        """What stands in the line at this turn."""
        return completed(self.typed, self.offered[self.place].word)


class NextWords(SteadyStatic):
    """The words that may stand next, a line each."""

    @dataclass
    class Clicked(Message):
        """A click on one of its lines."""

        line: int

    def on_click(self, event: events.Click) -> None:
        """It is chosen as Tab does it."""
        event.stop()
        self.post_message(self.Clicked(event.y))


class CommandLineCard(Card[Asked]):
    """One line; Enter closes with what it asks for, and what is wrong with it is said here."""

    TITLE_WORDS = "Command line"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete(1)", "complete", key_display="Tab", id="line.complete"),
        Binding("shift+tab", "complete(-1)", "complete", show=False, id="line.complete_back"),
        Binding("up", "recall(-1)", "typed before", key_display="↑", id="line.before"),
        Binding("down", "recall(1)", "typed after", show=False, id="line.after"),
    ]

    def __init__(self, text: str = "") -> None:
        """With this in the line already."""
        super().__init__()
        self._text = text
        self.rows = 3 + LISTED
        self._history: list[str] = []
        self._place = 0
        """The line of the history that stands in the field; behind the last is what was typed."""
        self._unsent = ""
        self._known: Known | None = None
        self._turn: _Turn | None = None
        self._changed = True
        self._looking = False
        self._looked_at = ""
        self._first_offered = 0

    def compose(self) -> ComposeResult:
        """The line, what it would do, and the words that may stand next."""
        with Horizontal(classes="row"):
            yield SteadyStatic(":", id="colon")
            line = SteadyInput(
                self._text, compact=True, select_on_focus=False, max_length=LONGEST_LINE, id="line"
            )
            line.enter_words = "open"
            yield line
        yield SteadyStatic(id="would")
        yield SteadyStatic(id="figures")
        yield NextWords(id="offered")
        yield KeyHint(KEYS, classes="keys")

    def title(self) -> str:
        """What it is."""
        return "COMMAND"

    @property
    def _field(self) -> Input:
        return self.query_one("#line", Input)

    def on_mount(self) -> None:
        """Read what was typed before, and what has a name, beside the first frame."""
        self._history = read_history(self.desk.home)
        self._place = len(self._history)
        self._known = self.shell.known()
        self.run_worker(self._read(), exit_on_error=False)
        self._show()

    def begin(self) -> None:
        """In the line, behind what stands there."""
        self.screen.set_focus(self._field)
        self._field.cursor_position = len(self._field.value)

    async def _read(self) -> None:
        await self.desk.market.read_names()
        await self._known_by_name()
        self._changed = True

    async def _known_by_name(self) -> Known:
        """What the words can name, saved baskets and models too."""
        known = self._known or self.shell.known()
        if not known.names.baskets and not known.names.models:
            baskets = await self.desk.baskets.all()
            models = [one.name for one in await self.desk.models.all()]
            names = replace(known.names, baskets=baskets, models=models)
            known = self._known = replace(known, names=names)
        return known

    # What the trader does

    def on_input_changed(self, event: Input.Changed) -> None:
        """What may stand next follows what is typed."""
        event.stop()
        if self._turn is not None and event.value != self._turn.line:
            self._turn = None
        self._changed = True
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with what the line asks for, or say what is wrong with it; keys typed ahead wait."""
        event.stop()
        if line := event.value.strip().removeprefix(":").strip():
            self.run_worker(self.before_further_keys(self._submit(line)), exit_on_error=False)

    async def _submit(self, line: str) -> None:
        try:
            asked = parse(line, await self._known_by_name())
        except (BadInput, LookupError) as problem:
            self._say(problem_words(problem), wrong=True)
            return
        if not self.is_attached:
            return
        keep_line(self.desk.home, line)
        self.close(asked)

    def action_complete(self, step: int) -> None:
        """Go on as all completions do; then take one after the other."""
        if self._turn is not None:
            turn = self._turn
            self._take_turn(replace(turn, place=(turn.place + step) % len(turn.offered)))
            return
        line, offered = self._field.value, self._offered()
        if not offered:
            return
        shared = common_beginning(offered, line)
        if len(offered) > 1 and shared is not None:
            self._put(completed(line, shared).rstrip())
        else:
            self._take_turn(_Turn(line, offered, 0 if step > 0 else len(offered) - 1))

    def on_next_words_clicked(self, event: NextWords.Clicked) -> None:
        """Take the completion that was clicked."""
        event.stop()
        turn = self._turn or _Turn(self._field.value, self._offered(), 0)
        place = self._first_offered + event.line
        if place < len(turn.offered):
            self._take_turn(replace(turn, place=place))

    def _take_turn(self, turn: _Turn) -> None:
        self._turn = turn if len(turn.offered) > 1 else None
        self._put(turn.line)

    def action_recall(self, step: int) -> None:
        """A line typed before, in the place of what stands there."""
        if not 0 <= self._place + step <= len(self._history):
            return
        if self._place == len(self._history):
            self._unsent = self._field.value
        self._place += step
        self._put([*self._history, self._unsent][self._place])

    def _put(self, text: str) -> None:
        self._field.value = text
        self._field.cursor_position = len(text)

    # Showing

    def _offered(self) -> Sequence[Completion]:
        if self._known is None:
            return ()
        return completions(self._field.value, self._known)

    def _show(self) -> None:
        """The words that may stand next, the one taken by Tab marked."""
        turn = self._turn
        offered, marked = (turn.offered, turn.place) if turn is not None else (self._offered(), None)
        first = 0 if marked is None else max(0, min(marked - 1, len(offered) - LISTED))
        self._first_offered = first
        lines: list[Content] = []
        for place, one in enumerate(offered[first : first + LISTED], start=first):
            says = one.says or "   ".join(FORMS.get(one.word, ()))
            here = place == marked
            head = f"{'▸' if here else ' '}{plain(one.word):<{WORD_CELLS}} "
            style = "reverse" if here else ""
            lines.append(Content.assemble((head, style), (clip(plain(says), 60), "dim")))
        self.query_one("#offered", SteadyStatic).update(Content("\n").join(lines))

    def on_frame(self) -> None:
        """What the line would do, once something of it has changed."""
        if self._changed and self._known is not None:
            self._changed = False
            self._preview(self._known)

    def _preview(self, known: Known) -> None:
        line = self._field.value
        words = words_of(line)
        if not words:
            self._say("")
            return
        try:
            asked = parse(line, known)
        except (BadInput, LookupError) as problem:
            self._say(problem_words(problem))
            return
        self._say(asked_words(asked, known.select), ready=True, figures=isinstance(asked, AskedOrders))
        if isinstance(asked, AskedOrders) and not self._looking:
            self._looking = True
            self.run_worker(self._look(line, asked), exit_on_error=False)

    async def _look(self, line: str, asked: AskedOrders) -> None:
        """What the order would come to at the price now."""
        try:
            plan = await self.desk.plans.preview(asked.intent)
        except BadInput as problem:
            words = problem_words(problem)
        else:
            brief = self.size.width < 100
            words = f"at the price now: {figures_line(plan, brief, MASK if self.shell.privacy else '')}"
            words = f"{words} · {skipped_words(plan, brief)}" if plan.skipped_lines else words
        finally:
            self._looking = False
        if not self.is_attached:
            return
        if self._field.value == line:
            self.query_one("#figures", SteadyStatic).update(Content(plain(words)))
        else:
            self._changed = True

    def _say(self, words: str, wrong: bool = False, ready: bool = False, figures: bool = False) -> None:
        would = self.query_one("#would", SteadyStatic)
        would.set_class(wrong, "-wrong")
        would.set_class(ready, "-ready")
        would.update(Content(plain(words)))
        if not figures:
            self.query_one("#figures", SteadyStatic).update(Content(""))
