"""Questions that must be answered in words, or by `y` where it is about one order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.words.formats import counted
from engine.words.forms import wrong_answer
from screens.frame.commands import bindings
from screens.frame.dock import Card, wrapped_rows
from widgets.answerfield import AnswerField
from widgets.keyline import KeyHint
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.book.counts import DeskCounts


class QuestionCard(Card[bool]):
    """Says what it is about, in lines under a title. Returns True for a yes, nothing after Esc."""

    DISCARDS_EARLY_KEYS = True
    TITLE_WORDS = "A question"

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._lines = list(lines)

    def rows_at(self, width: int) -> int:
        """Its lines, and the one that is answered."""
        return wrapped_rows(self._lines, width) + 1

    def compose(self) -> ComposeResult:
        """What it is about."""
        yield SteadyStatic(Content("\n".join(plain(line) for line in self._lines)), id="question")

    def title(self) -> str:
        """What is asked."""
        return self._title


class WordsCard(QuestionCard):
    """Asks for typed words; anything else changes nothing."""

    def __init__(self, title: str, lines: Sequence[str], words: str) -> None:
        super().__init__(title, lines)
        self._words = words

    def compose(self) -> ComposeResult:
        """What it is about, and the line for the words."""
        yield from super().compose()
        yield AnswerField(f"type  {self._words}  and Enter:", monotonic=self.shell.monotonic)

    def begin(self) -> None:
        """In the line for the words."""
        self.query_one(AnswerField).focus()

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """The words, in any letter case, are the yes."""
        event.stop()
        if " ".join(event.text.casefold().split()) == self._words:
            self.close(True)
        else:
            event.field.clear()
            self.shell.say(wrong_answer(self._words, "nothing has been done"), "refused")


class YesCard(QuestionCard):
    """Asks about one order: `y` does what `does` says, Esc does not, and nothing else does anything."""

    ONLY_YES = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("review.yes", "close")]

    def __init__(self, title: str, lines: Sequence[str], does: str) -> None:
        super().__init__(title, lines)
        self._does = does

    def compose(self) -> ComposeResult:
        """What it is about, and the two keys."""
        yield from super().compose()
        yield KeyHint(f"y {self._does}   Esc back, nothing changes", classes="keys -always")

    def action_yes(self) -> None:
        """Yes."""
        self.close(True)


class QuitCard(WordsCard):
    """Quit, with what stays behind at the brokers; takes `quit` and no other word."""

    def __init__(self, counts: DeskCounts, chases: int) -> None:
        if counts.live or counts.unknown:
            stay = counted(counts.live, "live order", "stay")
            lines = [
                f"{stay} at the brokers, {counts.unknown} of them unknown.",
                "They are not cancelled by quitting. From any terminal:  tradedesk cancel-all",
            ]
        else:
            lines = ["No order is live. Nothing is lost: the next start shows this desk again."]
        if chases:
            stay = "stays at its limit" if chases == 1 else "stay at their limits"
            lines.append(f"{chases} of them {stay}: no chase goes on without tradedesk.")
        super().__init__("QUIT tradedesk?", [*lines, "Esc goes back, nothing changes"], "quit")
