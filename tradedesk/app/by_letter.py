"""Where the next letter leads: behind `g` to a workspace, behind `;` to a pane that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from textual.screen import Screen

from screens.frame.pane import label_panes
from screens.frame.routes import View, WorkspaceName
from screens.frame.workspace import Framed
from tradedesk.app.typed.typed_lines import TypedLines
from tradedesk.app.workspaces import WORKSPACES


class LetterWait(NamedTuple):
    """What the next letter is for, on the screen where that was begun; `over` is called behind any key."""

    screen: Screen[Any]
    then: Callable[[str], None]
    over: Callable[[], None] = lambda: None


class ByLetter(TypedLines, inherit_bindings=False):
    """Begins what a letter ends; the app proper hands it the letter."""

    def __init__(self) -> None:
        super().__init__()
        self._letter_waits: LetterWait | None = None

    def open_workspace(self, name: WorkspaceName, view: View | None = None) -> None:
        """Go to a workspace."""

    def action_go(self) -> None:
        """The next letter names a workspace."""
        self._letter_waits = LetterWait(self.screen, self._gone)
        ways = "  ".join(f"{entry.letter} {entry.name}" for entry in WORKSPACES if entry.available)
        self.say(f"go to: {ways}")

    def _gone(self, letter: str) -> None:
        """Go where the letter behind `g` says; one that names no workspace is not taken for a command."""
        entry = next((entry for entry in WORKSPACES if entry.letter == letter and entry.available), None)
        if entry is not None:
            self.open_workspace(entry.name)
        else:
            ways = " ".join(entry.letter for entry in WORKSPACES if entry.available)
            self.say(f"g {letter}: no workspace; g goes to {ways}", "warning")

    def action_jump(self) -> None:
        """Label the panes; the next letter gives the pane that has it the focus."""
        screen = self.screen
        card = screen.card if isinstance(screen, Framed) else None
        panes = label_panes(screen) if card is None else {}
        if len(panes) < 2:
            self.say("there is no other pane to jump to")
            return

        def jumped(letter: str) -> None:
            if letter in panes:
                panes[letter].take_focus()
            else:
                self.say(f"; {letter}: no pane has this letter; there are {' '.join(panes)}", "warning")

        def over() -> None:
            for pane in panes.values():
                pane.set_label("")

        self._letter_waits = LetterWait(screen, jumped, over)
