"""The page of the desk's health: what waits and what room is left, and what each broker's calls take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.book.watched.health_views import CallHealth, ConnectionHealth, HealthView
from engine.words.health import connection_words, desk_lines, ms, rest_words, share
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

LOOK_EVERY_S = 1.0
"""Seconds between two looks."""

SLOW_MS = 1_000
"""From which a call's time is marked."""

MANY_BPS = 500
"""From which a share of failures is marked."""


class HealthRow(Struct, frozen=True):
    """A connection as a whole, one kind of its calls, or what of it is left alone."""

    connection: ConnectionHealth
    call: CallHealth | None = None
    rests: str = ""


class HealthScreen(Workspace):
    """How the desk fares now."""

    CSS_PATH = Path(__file__).with_name("health.tcss")
    AUTO_FOCUS = "#calls"
    TITLE_WORDS = "Health"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("close")]

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, HealthRow] = {}
        self._looked_at = float("-inf")

    def compose_body(self) -> ComposeResult:
        """The desk's figures above, calls below."""
        with Pane("desk-pane"):
            yield SteadyStatic(id="health-desk")
        with Pane("calls-pane"):
            yield LiveGrid(
                [
                    Column("what", "call", 14, _what, style=_style, flex=True, most=60),
                    Column("calls", "calls", 6, _figure(lambda one: str(one.calls)), "right"),
                    Column("p50", "p50", 8, _figure(lambda one: ms(one.p50_ms)), "right", priority=3),
                    Column("p95", "p95", 8, _figure(lambda one: ms(one.p95_ms)), "right"),
                    Column("p99", "p99", 8, _figure(lambda one: ms(one.p99_ms)), "right"),
                    Column("failed", "failed", 7, _figure(lambda one: str(one.failed)), "right"),
                    Column("share", "share", 7, _figure(lambda one: share(one.errors_bps)), "right"),
                    Column("refused", "refused", 8, _figure(_refused), "right", priority=2),
                ],
                monotonic=self.shell.monotonic,
                markable=False,
                hint="no call to a broker yet",
                id="calls",
            )

    def on_mount(self) -> None:
        """Look at once."""
        self._look()

    def on_frame(self) -> None:
        """Look once a second."""
        if self.shell.monotonic() - self._looked_at >= LOOK_EVERY_S:
            self._look()

    def redraw(self) -> None:
        """Everything anew."""
        if self.is_mounted:
            self._look()

    def _look(self) -> None:
        self._looked_at = self.shell.monotonic()
        found = self.desk.health.look()
        lines = [f"{name:<12} {words}" for name, words in desk_lines(found)]
        self.query_one("#health-desk", SteadyStatic).update(Content("\n".join(map(plain, lines))))
        up = int(found.up_s)
        self.query_one("#desk-pane", Pane).set_title("Desk", [f"open for {up // 3600}:{up // 60 % 60:02d} h"])
        self._show_calls(found)

    def _show_calls(self, found: HealthView) -> None:
        rows: dict[str, HealthRow] = {}
        for one in found.connections:
            rows[one.name] = HealthRow(one, one.all_calls)
            rows |= {f"{one.name} {call.call}": HealthRow(one, call) for call in one.calls}
            rows |= {
                f"{one.name} {rest.what}": HealthRow(one, rests=rest_words(rest)) for rest in one.resting
            }
        grid = self.query_one("#calls", LiveGrid)
        same = list(rows) == list(self._rows)
        self._rows.clear()
        self._rows.update(rows)
        if not same:
            grid.set_rows(self._rows)
        grid.apply(set(rows))
        self.query_one("#calls-pane", Pane).set_title("Brokers' calls", ["of the last 5 minutes"])

    def here(self) -> Here:
        """Nothing that commands work on."""
        return Here()

    def table_of(self, grid: LiveGrid) -> Table | None:
        """The calls."""
        return Table("health", tuple(grid.columns), tuple(self._rows.values()), None)

    def action_close(self) -> None:
        """Back to where it was opened."""
        self.dismiss(None)


def _what(row: HealthRow) -> str:
    if row.rests:
        return f"  {row.rests}"
    if row.call is None or row.call is row.connection.all_calls:
        return connection_words(row.connection)
    return f"  {row.call.call}"


def _figure(words: Callable[[CallHealth], str]) -> Callable[[HealthRow], str]:
    return lambda row: "" if row.call is None else words(row.call)


def _refused(call: CallHealth) -> str:
    return str(call.refused)


def _style(row: HealthRow) -> str | None:
    call = row.call
    if row.rests or row.connection.trouble:
        return "warn"
    if call is None:
        return "dim"
    slow = (call.p95_ms or 0) >= SLOW_MS or (call.errors_bps or 0) >= MANY_BPS
    return "warn" if slow else "strong" if call is row.connection.all_calls else None
