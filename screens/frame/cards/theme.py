"""Choosing the colours: what is chosen is seen at once, and a theme of one's own as its file is saved."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from engine.words.program.themes import OWN_THEMES, SAMPLE, more_complaints
from screens.frame.dock import Card
from widgets.choicefield import ChoiceField
from widgets.keyline import KeyHint
from widgets.steady import SteadyStatic
from widgets.text import plain


class ThemesToChoose(Protocol):
    """The themes that there are, as far as the question needs them."""

    @property
    def names(self) -> Sequence[str]:
        """Every theme there is to choose."""
        ...

    def complaints(self, name: str | None = None) -> Sequence[str]:
        """What is wrong with the trader's files, or with one of them."""
        ...

    def read(self) -> bool:
        """Read files that were changed; whether there were any."""
        ...

    def show(self, name: str) -> None:
        """Turn to a theme."""
        ...


class ThemeCard(Card[str]):
    """Turns the themes over; closes with the one taken, or after Esc with none and the one before."""

    TITLE_WORDS = "Theme"

    def __init__(self, themes: ThemesToChoose, shown: str) -> None:
        super().__init__()
        self._themes = themes
        self._before = shown
        self.rows = 5

    def compose(self) -> ComposeResult:
        """The choice, its colours, and what is wrong with files."""
        with Horizontal(classes="row"):
            yield SteadyStatic("theme")
            yield ChoiceField(self._themes.names, self._before, id="theme")
            yield KeyHint(" ←→ shows  Enter takes  Esc as before")
        yield SteadyStatic(
            Content.assemble(*((f"{words}  ", style) for words, style in SAMPLE)), id="theme-sample"
        )
        yield SteadyStatic(OWN_THEMES, classes="keys -always")
        yield SteadyStatic(id="theme-faults")

    def title(self) -> str:
        """What is asked."""
        return "THEME: which colours?"

    @property
    def _choice(self) -> ChoiceField:
        return self.query_one(ChoiceField)

    def begin(self) -> None:
        """In the choice, with files as they are now."""
        self._choice.focus()
        self._themes.read()
        self._offer()

    def on_frame(self) -> None:
        """Follow the trader's files: what is saved in an editor beside is seen here."""
        if self._themes.read():
            self._offer()

    def _offer(self) -> None:
        choice = self._choice
        shown = choice.value
        choice.set_options(self._themes.names)
        if choice.value != shown:
            self._themes.show(choice.value)
        faults = [plain(words) for words in self._themes.complaints()]
        lines = [*faults[:1], *more_complaints(len(faults) - 1)]
        self.query_one("#theme-faults", SteadyStatic).update(Content("\n".join(lines)))

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """Show another."""
        event.stop()
        self._themes.show(event.value)
        self._offer()

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Take it."""
        event.stop()
        self.shell.after_key(partial(self.close, event.value))

    def action_close(self) -> None:
        """As it was before."""
        if self._before in self._themes.names:
            self._themes.show(self._before)
        self.close()
