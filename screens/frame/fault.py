"""What stands in the place of a workspace that failed twice in a row."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from screens.frame.commands import bindings
from screens.frame.routes import WorkspaceName
from screens.frame.workspace import Framed
from widgets.steady import SteadyStatic
from widgets.text import plain


class FaultScreen(Framed[None]):
    """Says what failed and what still works; Enter tries the workspace again."""

    TITLE_WORDS = "A workspace that failed"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("grid.open")]

    def __init__(self) -> None:
        super().__init__()
        self._workspace: WorkspaceName | None = None

    def compose_body(self) -> ComposeResult:
        """One text; the strip above it goes on."""
        yield SteadyStatic(id="fault")

    def show(self, workspace: WorkspaceName, problem: str) -> None:
        """Say which workspace it was, and why."""
        self._workspace = workspace
        words = (
            f"The {workspace} workspace failed twice: {problem}\n\n"
            "The engine goes on: orders, runs and halts are as they were, and the log says more.\n"
            "Digits go to the other workspaces, Enter tries this one again, F9 F9 cancels all."
        )
        self.query_one("#fault", SteadyStatic).update(Content(plain(words)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to try again once something failed."""
        return self._workspace is not None if action == "open" else True

    def action_open(self) -> None:
        """Try again."""
        if self._workspace is not None:
            self.shell.open_workspace(self._workspace)
