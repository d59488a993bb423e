"""What was done in the app today and changed nothing, as the lines that would do the same."""

from __future__ import annotations

from collections import deque
from datetime import date
from typing import TYPE_CHECKING

from screens.frame.routes import View, WorkspaceName

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.review.commanded import LoggedCommand

MOST_NOTED = 300
"""Lines that are kept; the oldest go first."""

_OF_VIEWS = {
    View.NEEDS_ME: "needs-me",
    View.TRADES: "trades",
    View.ELSEWHERE: "elsewhere",
    View.DEPTH: "depth",
    View.SIGN_IN: "sign in",
}


class NotedLines:
    """Kept for the trading day, in memory alone: what changed something stands in the audit."""

    def __init__(self) -> None:
        self.lines: deque[LoggedCommand] = deque(maxlen=MOST_NOTED)
        self._day: date | None = None

    def take(self, desk: Desk, line: str) -> None:
        """Keep a line; the same one again says nothing more."""
        from engine.review.commanded import LoggedCommand

        today = desk.market_clock.trading_day
        if today != self._day:
            self.lines.clear()
            self._day = today
        if not self.lines or self.lines[-1].command != line:
            noted = LoggedCommand(desk.clock.now(), desk.actor, desk.kind.value, line, changed=False)
            self.lines.append(noted)


def line_of_workspace(name: WorkspaceName, view: View | None) -> str:
    """The line that opens a workspace at one of its views."""
    return name.value if view is None else _OF_VIEWS.get(view, name.value)
