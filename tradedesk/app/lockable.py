"""An app that can be locked: what it asks of `locking.py`, and what a locked screen leaves of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual import events
from textual.worker import WorkerFailed

from data.clock import Clock
from engine.refusals import Forbidden
from screens.frame.lock import LockScreen
from tradedesk.app.halting import Halting
from tradedesk.app.locking import Locking
from tradedesk.app.mending import Mending
from tradedesk.app.shell import ShellApp

WHEN_LOCKED = frozenset({"halt_press", "stand_down"})
"""Actions of the app that a locked screen leaves."""


class LockableApp(ShellApp, inherit_bindings=False):
    """Shows its desk to whoever has signed in; `clock` times what it waits for."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.halting: Halting
        self.mending = Mending(self, clock)
        self.locking = Locking(self, clock)

    @property
    def monotonic(self) -> Callable[[], float]:
        """The program's monotonic clock."""
        return self.clock.monotonic

    @property
    def shows_desk(self) -> bool:
        """Whether whoever is at the screen may see the desk: it is open, and not locked."""
        return self._open and not self.locking.locked

    @property
    def is_armed(self) -> bool:
        """Whether the next F9 fires."""
        return self.halting.armed

    def on_lock_screen_answered(self, event: LockScreen.Answered) -> None:
        """Somebody at the locked screen says who they are."""
        self.locking.answered(event.person, event.password)

    def sign_out(self) -> None:
        """Whoever sits here leaves the desk."""
        self.locking.sign_out()

    def action_lock(self) -> None:
        """Lock the screen."""
        self.locking.ask()

    async def on_event(self, event: events.Event) -> None:
        """Know when somebody was there last."""
        if isinstance(event, (events.Key, events.MouseEvent, events.Paste)):
            self.locking.touched()
        await super().on_event(event)

    async def painted(self, given_up: asyncio.Event) -> None:
        """Wait until the screen that came up is painted, unless that is given up."""
        painted = asyncio.Event()
        self.screen.call_after_refresh(painted.set)
        waits = [asyncio.create_task(each.wait()) for each in (painted, given_up)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    def draft_forgotten(self) -> None:
        """Forget what was typed and not sent."""
        self._draft = None

    def screen_failed(self, error: Exception) -> None:
        """Make the screens anew, of which one has failed; where that was for want of a right, say so."""
        self.halting.forget()
        self.draft_forgotten()
        cause = error.error if isinstance(error, WorkerFailed) else error
        if isinstance(cause, Forbidden):
            self.call_later(self.locking.forbidden, cause)
        else:
            self.mending.failed(error)
