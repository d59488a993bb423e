"""The line behind `:` in the app: opened, understood and carried out, and what was done as such lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from data.errors import BadInput
from screens.frame.routes import WorkspaceName
from screens.frame.workspace import Framed
from tradedesk.app.typed.noted_lines import NotedLines
from tradedesk.app.veil import VeiledApp

if TYPE_CHECKING:
    from data.vocabulary import Right
    from engine.colon.asked import Asked
    from engine.colon.known import Known
    from engine.desk import Desk
    from engine.refusals import Forbidden
    from engine.review.commanded import LoggedCommand
    from tradedesk.app.shell import ShellApp


class TypedLines(VeiledApp, inherit_bindings=False):
    """Holds the desk; the app proper adds the ways to its screens."""

    def __init__(self) -> None:
        super().__init__()
        self._desk: Desk | None = None
        self._notes = NotedLines()

    @property
    def desk(self) -> Desk:
        """The open desk. Raises `RuntimeError` before it is open."""
        if self._desk is None:
            raise RuntimeError("the desk is not open yet")
        return self._desk

    def say(self, text: str, severity: str = "information") -> None:
        """One toast of plain text."""

    def run_command(self, text: str) -> None:
        """Carry out a line of the command line."""
        from tradedesk.app.typed.colon_commands import run_line

        run_line(cast("ShellApp", self), text)

    def action_close_day(self) -> None:
        """The day's figures, and its close; what cannot be closed is asked about."""
        from screens.day.screen import DayScreen

        app = cast("ShellApp", self)
        app.open_workspace(WorkspaceName.DAY)
        if isinstance(app.screen, DayScreen):
            app.screen.close_day()

    def action_run_command(self, text: str) -> None:
        """Carry out the line of what was clicked on."""
        self.run_command(text)

    @property
    def noted(self) -> Sequence[LoggedCommand]:
        """What was done here today and changed nothing, as lines, oldest first."""
        return self._notes.lines

    def sign_out(self) -> None:
        """Whoever sits here leaves the desk."""

    def note(self, line: str) -> None:
        """Keep a line that would do what was just done here and changed nothing."""
        if self._desk is not None:
            self._notes.take(self._desk, line)

    def action_log(self) -> None:
        """What was done today as commands; Enter opens the line behind `:` with one."""
        from screens.frame.cards.command_log import CommandLog

        def chosen(command: str | None) -> None:
            if command is not None:
                self.call_later(self.action_command_line, command)

        if isinstance(self.screen, Framed):
            self.screen.open_card(CommandLog(), chosen)

    def known(self) -> Known:
        """What the words of the command line can name, over the screen that is up."""
        from tradedesk.app.typed.colon_commands import known_to

        return known_to(cast("ShellApp", self))

    def refusal_of(self, right: Right | None) -> Forbidden | None:
        """Why who sits here may not do what takes a right; None where they may, or nobody is asked."""
        return None

    def keeps_from(self, key: str) -> bool:
        """Whether a key would do something here, which who sits at the desk may not."""
        return False

    def is_refused(self, what: str, right: Right | None) -> bool:
        """Whether who sits here may not do it; then they are told, and so is the audit."""
        return False

    def action_command_line(self, text: str = "") -> None:
        """The command line at the bottom of the screen that is up, with this typed already."""
        from screens.frame.cards.commandline import CommandLineCard

        if isinstance(self.screen, Framed):
            self.screen.open_card(CommandLineCard(text), self._line_typed)

    def is_of_use(self, action: str) -> bool:
        """Whether the desk's market takes an action at all: one that keeps its own time is not moved on."""
        return action != "move_clock" or self.desk.market_is_simulated

    def action_move_clock(self) -> None:
        """The command line with the simulated market's clock, which waits for what it is moved on to."""
        self.action_command_line("clock ")

    def _line_typed(self, asked: Asked | None) -> None:
        if asked is not None:
            self.call_later(self.open_asked, asked)

    def open_asked(self, asked: Asked) -> None:
        """Open what a line asks for; what is in the way is said in a toast."""
        from engine.refusals import Refusal
        from engine.words.colon import problem_words
        from engine.words.refusals import refusal_words
        from tradedesk.app.typed.colon_commands import carry_out

        try:
            carry_out(cast("ShellApp", self), asked)
        except (BadInput, LookupError) as problem:
            self.say(problem_words(problem), "warning")
        except Refusal as refusal:
            self.say(refusal_words(refusal), "warning")
