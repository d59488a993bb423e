"""What the app does about a screen that fails: it is made anew, and what stays is said and logged."""

from __future__ import annotations

import logging

from textual.worker import WorkerFailed

from data.clock import Clock
from screens.frame.fault import FaultScreen
from screens.frame.routes import WorkspaceName
from tradedesk.app.shell import ShellApp
from tradedesk.app.workspaces import make_workspaces_anew

log = logging.getLogger(__name__)

FAULT = "fault"
"""The mode with the screen that stands in for a workspace that failed twice."""

TWICE_S = 5.0
"""A workspace made anew that fails again within this many seconds is not made anew at once."""


class Mending:
    """Keeps an app with an open desk going, whatever its screens fail of."""

    def __init__(self, app: ShellApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._under_way = False
        self._mended_at = float("-inf")
        self.complained = ""
        """What was said last of a screen that could not be painted."""
        self.faults: list[str] = []
        """What screens failed of, one line a fault that the app caught."""

    def painting_failed(self, problem: Exception) -> None:
        """A figure that cannot be painted must not take F9 down with it: said once, logged, gone on."""
        words = f"this screen could not be painted ({problem}); the log says more"
        if words != self.complained:
            self.complained = words
            log.exception(words)
            self._app.say(words, "error")

    def failed(self, error: Exception) -> None:
        """Log what nobody caught, and make the screens anew.

        The log's traceback shows no local variables, which may be clients'.
        """
        cause = error.error if isinstance(error, WorkerFailed) else error
        words = f"{type(cause).__name__}: {cause}"
        if words not in self.faults[-1:]:
            log.error("a screen failed", exc_info=cause)
        self.faults.append(words)
        if not self._under_way and self._app.current_mode != FAULT:
            self._under_way = True
            self._app.call_later(self._mend)

    def _mend(self) -> None:
        """Make every workspace anew, since Textual stops the parts of a screen that fail.

        What was typed, answers and open dialogs are gone with the old ones: who was typing begins again.
        """
        self._under_way = False
        app = self._app
        mode, now = app.current_mode, self._clock.monotonic()
        twice = now - self._mended_at < TWICE_S
        self._mended_at = now
        app.switch_mode(FAULT)
        make_workspaces_anew(app)
        if twice and isinstance(app.screen, FaultScreen):
            app.screen.call_later(app.screen.show, WorkspaceName(mode), self.faults[-1])
        else:
            app.switch_mode(mode)
            app.say(
                f"the {mode} screen failed and was made anew ({self.faults[-1]}); what was typed is gone, "
                "orders are as they were; the log says more",
                "error",
            )
