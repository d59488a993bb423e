"""The strip of every open screen: the symbol whose phase it shows, and the run that goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.vocabulary import RunStatus
from screens.frame.workspace import Framed
from tradedesk.app.shell import ShellApp

if TYPE_CHECKING:
    from engine.execution.views import RunView


OWNER = "strip"
"""Under this name the levels of the indices are followed."""

ALSO_CALLED = {"NIFTY": "NIFTY 50", "BANKNIFTY": "NIFTY BANK"}
"""Other names under which indices may be set."""


class StripPainter:
    """Paints the strip of an app with an open desk."""

    def __init__(self, app: ShellApp) -> None:
        self._app = app
        self._phase_shown: str | None = None
        self._followed: list[str] = []
        self.runs_on: set[int] = set()
        """The runs that may go on."""

    def paint(self, armed_seconds: int) -> None:
        """Bring the strip of every open screen up to date; F9 stays armed for so long, 0 where it is not."""
        from screens.frame.strip import strip

        mode, segments = strip(
            self._app.desk,
            self._phase_key(),
            self._run_going_on(),
            self._indices(),
            armed_seconds=armed_seconds,
            frozen=self._app.frozen,
            privacy=self._app.privacy,
        )
        for screen in self._app.screen_stack:
            if isinstance(screen, Framed):
                screen.show_strip(mode, segments)

    def _phase_key(self) -> str | None:
        """The symbol whose phase the strip shows: the one under the cursor, else the last one."""
        for screen in reversed(self._app.screen_stack):
            if isinstance(screen, Framed) and (key := screen.here().key):
                self._phase_shown = key
                break
        return self._phase_shown

    def _indices(self) -> list[str]:
        """The keys of the indices to show, NSE's where no exchange lists one; those listed are followed."""
        index = self._app.desk.market.index
        shown: list[str] = []
        listed: list[str] = []
        for told in self._app.strip_indices:
            name = ALSO_CALLED.get(told.upper(), told.upper())
            found = index.get(f"NSE:{name}") or index.get(f"BSE:{name}")
            shown.append(f"NSE:{name}" if found is None else found.key)
            listed += [] if found is None else [found.key]
        if listed != self._followed:  # a feed that is asked for what it does not know reads its whole list
            self._followed = listed
            self._app.run_worker(self._app.desk.market.follow(listed, OWNER), exit_on_error=False)
        return shown

    def _run_going_on(self) -> RunView | None:
        """The latest run that has not ended. Those that have are not counted again in every frame."""
        for number in sorted(self.runs_on, reverse=True):
            run = self._app.desk.runs.get(number)
            if run.status in (RunStatus.RUNNING, RunStatus.PAUSED):
                return run
            self.runs_on.discard(number)
        return None
