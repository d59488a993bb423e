"""Questions that must be answered in words, or by `y` where it is about one order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.words.forms import wrong_answer
from screens.frame.commands import bindings
from screens.frame.workspace import Dialog
from widgets.answerfield import AnswerField
from widgets.steady import SteadyStatic
from widgets.text import plain


class WordsScreen(Dialog[bool]):
    """Asks for typed words; anything else changes nothing. Returns True once they came."""

    CSS_PATH = Path(__file__).with_name("confirm.tcss")
    AUTO_FOCUS = "AnswerField Input"
    DISCARDS_EARLY_KEYS = True
    TITLE_WORDS = "A question"

    def __init__(self, lines: Sequence[str], words: str) -> None:
        super().__init__()
        self._lines = list(lines)
        self._words = words

    def compose_body(self) -> ComposeResult:
        """What it is about, and the line for the words."""
        yield SteadyStatic(Content("\n".join(plain(line) for line in self._lines)), id="question")
        yield AnswerField(f"type  {self._words}  and Enter:", monotonic=self.shell.monotonic)
        yield SteadyStatic("Esc goes back, nothing changes", classes="hint")

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """The words, in any letter case, are the yes."""
        if " ".join(event.text.casefold().split()) == self._words:
            self.dismiss(True)
        else:
            event.field.clear()
            self.shell.say(wrong_answer(self._words, "nothing has been done"), "warning")


class YesScreen(Dialog[bool]):
    """Asks about one order: `y` is yes, Esc is no, nothing else does anything."""

    CSS_PATH = Path(__file__).with_name("confirm.tcss")
    DISCARDS_EARLY_KEYS = True
    TITLE_WORDS = "A question"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("review.yes")]

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__()
        self._lines = list(lines)

    def compose_body(self) -> ComposeResult:
        """What it is about, and the two keys."""
        yield SteadyStatic(Content("\n".join(plain(line) for line in self._lines)), id="question")
        yield SteadyStatic("y does it   Esc goes back, nothing changes", classes="hint")

    def action_yes(self) -> None:
        """Yes."""
        self.dismiss(True)


class QuitScreen(WordsScreen):
    """Quit, with what stays behind at the brokers."""

    def __init__(self) -> None:
        super().__init__([], "quit")

    def compose_body(self) -> ComposeResult:
        """What quitting does and does not do."""
        counts = self.desk.counts()
        self._lines = ["Quit tradedesk?", ""]
        if counts.live or counts.unknown:
            self._lines += [
                f"{counts.live} live orders stay at the brokers, {counts.unknown} of them unknown.",
                "They are not cancelled by quitting. From any terminal:  tradedesk cancel-all",
            ]
        else:
            self._lines.append("No order is live. Nothing is lost: the next start shows this desk again.")
        yield from super().compose_body()
