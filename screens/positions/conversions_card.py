"""Converting several positions: what each takes, one typed answer, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from data.vocabulary import ConversionState
from engine.conversion.views import answer_of
from engine.words import formats
from engine.words.formats import MASK
from engine.words.forms import wrong_answer
from engine.words.refusals import ONLY_SHOWS
from engine.words.trading.conversions import end_words, ends_words, several_words
from screens.frame.dock import Card
from widgets.answerfield import AnswerField
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column, LiveGrid

if TYPE_CHECKING:
    from engine.conversion.views import ConversionEnd, ConversionProspect

MOST_ROWS = 12
"""Lines of it at most; more positions scroll."""


class ConversionsCard(Card[None]):
    """A line a position; the words convert those that can be, and each line then says what it came to."""

    TITLE_WORDS = "Conversions"

    def __init__(self, wanted: Sequence[ConversionProspect]) -> None:
        super().__init__()
        self._wanted = dict(enumerate(wanted))
        self._ends: dict[tuple[int, str], ConversionEnd] = {}
        self._asked = False
        self._outcome = ""
        self.rows = min(MOST_ROWS, len(wanted) + 3)

    def compose(self) -> ComposeResult:
        """The positions, and the line for the words."""
        yield LiveGrid(
            [
                Column("code", "code", 7, lambda one: one.code),
                Column("symbol", "symbol", 11, lambda one: one.tradingsymbol),
                Column("quantity", "qty", 7, lambda one: formats.quantity(one.quantity), "right"),
                Column("loan", "repays", 12, lambda one: self._rupees(one.loan_paise), "right"),
                Column(
                    "cash", "cash", 12, lambda one: self._rupees(one.available_paise), "right", priority=1
                ),
                Column("said", "", 34, self._said, style=self._style, flex=True, most=LINE_CELLS),
            ],
            monotonic=self.shell.monotonic,
            markable=False,
        )
        words = f"{self.desk.mode}  type  {answer_of(self._positions)}  and Enter:"
        words = ONLY_SHOWS if self.desk.looks_only else words
        yield AnswerField(words, monotonic=self.shell.monotonic)

    @property
    def _positions(self) -> list[ConversionProspect]:
        return list(self._wanted.values())

    def _rupees(self, paise: int) -> str:
        return MASK if self.shell.privacy else formats.rupees(paise)

    def _said(self, one: ConversionProspect) -> str:
        end = self._ends.get((one.client_id, one.key))
        if end is not None:
            return f" {end_words(end)}"
        return f" CANNOT: {one.why_not}" if one.why_not else " asking the broker" if self._asked else ""

    def _style(self, one: ConversionProspect) -> str | None:
        end = self._ends.get((one.client_id, one.key))
        if end is None:
            return "warn" if one.why_not else None
        return None if end.view is not None and end.view.state is ConversionState.DONE else "warn"

    def title(self) -> str:
        """What it takes, and how it came out."""
        return self._outcome or several_words(self._positions)

    def begin(self) -> None:
        """In the line for the words; in the rows where none can go."""
        self.query_one(LiveGrid).set_rows(self._wanted)
        going = any(not one.why_not for one in self._positions)
        self.query_one(AnswerField).display = going
        (self.query_one(AnswerField) if going else self.query_one(LiveGrid)).focus()

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """The words have them converted, once; other words change nothing."""
        event.stop()
        event.field.clear()
        if self._asked:
            return
        if " ".join(event.text.casefold().split()) != answer_of(self._positions):
            words = wrong_answer(answer_of(self._positions), "nothing has been converted")
            self.shell.say(words, "warning")
            return
        self._asked = True
        self.query_one(LiveGrid).focus()
        self.query_one(AnswerField).display = False
        self.carry_out(self._convert())

    async def _convert(self) -> None:
        ends = await self.desk.several_conversions.convert(self._positions, self._told)
        self._outcome = f"converted: {ends_words(ends)}"
        self.shell.say(self._outcome)

    def _told(self, end: ConversionEnd) -> None:
        self._ends[end.wanted.client_id, end.wanted.key] = end
        if self.is_attached:
            self.query_one(LiveGrid).apply(set(self._wanted))
