"""The log of commands: what was done today, by keys or otherwise, as the lines that would do the same."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from engine.words.formats import MASK
from screens.frame.commands import bindings
from screens.frame.dock import Card
from screens.frame.times import market_time
from widgets.keyline import KeyHint
from widgets.livegrid import Column, LiveGrid

if TYPE_CHECKING:
    from engine.events import Event
    from engine.review.commanded import LoggedCommand

MOST = 100
"""Commands that are listed."""

SHELL = "tradedesk "
"""How a command begins that is for a shell and not for the line behind `:`."""

LINE_CELLS = 400
"""Cells that the column of the commands may have; what does not fit is cut on the screen, never in a copy."""


class CommandLog(Card[str]):
    """The newest first; `c` copies a command, Enter opens the line behind `:` with it, and sends nothing."""

    TITLE_WORDS = "Log of commands"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("copy")]

    def __init__(self) -> None:
        super().__init__()
        self.rows = 14
        self.listed: tuple[LoggedCommand, ...] = ()
        """What is listed, the newest first."""
        self._stale = True
        self._reading = False

    def compose(self) -> ComposeResult:
        """A line a command, and the keys."""
        yield LiveGrid(
            [
                Column("at", "time", 8, lambda row: self._time(row.at), style=lambda _: "dim"),
                Column("by", "by", 10, lambda row: row.actor, priority=2, style=lambda _: "dim"),
                Column("via", "via", 6, lambda row: row.via, priority=1, style=lambda _: "dim"),
                Column("command", "command", 30, self._shown, flex=True, most=LINE_CELLS, style=_style),
            ],
            monotonic=self.shell.monotonic,
            markable=False,
            hint="nothing was done yet today",
            id="logged",
        )
        yield KeyHint("Enter opens the line with it  c copies it  Esc closes", classes="keys")

    def _time(self, at: datetime) -> str:
        return market_time(self.desk, at)

    def _shown(self, row: LoggedCommand) -> str:
        return MASK if self.shell.privacy else row.command

    def title(self) -> str:
        """What it is."""
        return f"LOG of today's commands · {len(self.listed)}"

    def begin(self) -> None:
        """In the rows."""
        self.screen.set_focus(self.query_one(LiveGrid))

    def on_mount(self) -> None:
        """Read, and again whenever something was done."""
        self._unsubscribe = self.desk.events.subscribe(self._heard)
        self.on_frame()

    def on_unmount(self) -> None:
        """Listen no more."""
        self._unsubscribe()

    def _heard(self, event: Event) -> None:
        self._stale = True

    def on_frame(self) -> None:
        """Read what was done since, one reading at a time."""
        if self._stale and not self._reading:
            self._stale, self._reading = False, True
            self.run_worker(self._read(), exit_on_error=False)

    async def _read(self) -> None:
        try:
            kept = await self.desk.audit.commands(MOST)
        finally:
            self._reading = False
        if not self.is_attached:
            return
        both = sorted([*kept, *self.shell.noted], key=lambda one: one.at)[-MOST:]
        self.listed = tuple(reversed(both))
        self.query_one(LiveGrid).set_rows(dict(enumerate(self.listed)))

    @property
    def _chosen(self) -> LoggedCommand | None:
        key = self.query_one(LiveGrid).cursor_key
        return self.listed[key] if isinstance(key, int) and key < len(self.listed) else None

    def action_copy_row(self) -> None:
        """Copy the command, whole."""
        if (chosen := self._chosen) is not None:
            self.app.copy_to_clipboard(chosen.command)
            self.shell.say(f"copied: {MASK if self.shell.privacy else chosen.command[:60]}")

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """A line goes into the command line; what is for a shell is copied."""
        event.stop()
        chosen = self._chosen
        if chosen is None:
            return
        if chosen.command.startswith(SHELL):
            self.action_copy_row()
        else:
            self.close(chosen.command)


def _style(row: LoggedCommand) -> str:
    return "strong" if row.changed else ""
