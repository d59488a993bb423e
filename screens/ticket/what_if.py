"""What an order would leave of its client, before and after; it sends nothing and takes Esc or `w`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.words.trading.what_if import what_if_rows, what_if_title
from screens.frame.commands import bindings
from screens.frame.dock import Card
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from data.vocabulary import Side
    from engine.planning.what_if import WhatIf

CELLS = (9, 14, 14)
"""Widths of what, before and after; what else is to be known has the rest."""


class WhatIfCard(Card[None]):
    """Four rows of figures."""

    TITLE_WORDS = "What if"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("plan.what_if")]

    def __init__(self, found: WhatIf) -> None:
        super().__init__()
        self._found = found

    def compose(self) -> ComposeResult:
        """Heads, then a row each."""
        rows = [("", "before", "after", "Esc or w back; nothing is sent")]
        rows += what_if_rows(self._found, self.shell.privacy)
        first, before, after = CELLS
        lines = [f"{a:<{first}}{b:>{before}}{c:>{after}}  {d}" for a, b, c, d in rows]
        yield SteadyStatic(Content("\n".join(plain(line) for line in lines)), id="what-if")

    @property
    def side(self) -> Side:
        """The side of the order."""
        return self._found.side

    def title(self) -> str:
        """Whose, and what."""
        return what_if_title(self._found, self.shell.privacy)

    def action_what_if(self) -> None:
        """Back."""
        self.close()
