"""An app that can be locked: what it asks of `locking.py`, and what a locked screen leaves of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual import events
from textual.actions import ActionParseResult
from textual.await_complete import AwaitComplete
from textual.screen import Screen
from textual.worker import WorkerFailed

from data.clock import Clock
from data.vocabulary import Right, Role
from engine.refusals import Forbidden
from engine.words.refusals import refusal_words
from screens.frame.lock import LockScreen
from tradedesk.app.halting import Halting
from tradedesk.app.locking import Locking
from tradedesk.app.mending import Mending
from tradedesk.app.shell import ShellApp
from tradedesk.app.typed.rights import ON_OWN_PAGE, right_of_action
from widgets.livegrid import LiveGrid

if TYPE_CHECKING:
    from textual.dom import DOMNode

ONE_PAGE = "this page is all there is for a client: Tab turns it, ? has its keys, ctrl+l locks, ctrl+q leaves"

PASSED_BY = frozenset({"open", "mark", "mark_all", "invert_marks", "no_workspace", "step"})
"""What a client's keys do nothing by, and nothing is said of."""

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

    def runs_looked_for(self) -> None:
        """Find the runs that the strip may show to who sits here."""

    def draft_forgotten(self) -> None:
        """Forget what was typed and not sent."""
        self._draft = None

    # What who sits here may do

    def refusal_of(self, right: Right | None) -> Forbidden | None:
        """Why who sits here may not do what takes a right; None where they may, or nobody is asked."""
        if right is None or not self._open or not self.desk.who.asked:
            return None
        try:
            self.desk.who.require(right)
        except Forbidden as refusal:
            return refusal
        return None

    def is_refused(self, what: str, right: Right | None) -> bool:
        """Whether who sits here may not do it; then they are told, and so is the audit."""
        if (refusal := self.refusal_of(right)) is None:
            return False
        with suppress(Forbidden):
            self.desk.who.refused_soon(what, refusal)
        self.say(refusal_words(refusal), "warning")
        return True

    @property
    def of_one_page(self) -> bool:
        """Whether who sits here is a client, who has one page and nothing else."""
        person = self.desk.who.person() if self._open and self.desk.who.asked else None
        return person is not None and person.role is Role.CLIENT

    def _is_off_page(self, node: DOMNode, action: str) -> bool:
        """Whether an action leads a client away from the page that is theirs."""
        if not self.of_one_page or action in ON_OWN_PAGE:
            return False
        if not isinstance(node, Screen) and node is not self:  # a field's own keys, those of a question
            return isinstance(node, LiveGrid) and action in PASSED_BY
        from screens.clients.page import ClientScreen

        return action != "close" or isinstance(node, ClientScreen)

    def _check_action_state(self, action: str, default_namespace: DOMNode) -> bool | None:
        """As Textual does; what who sits here may not do is in no key line and in no help."""
        node, name, given = self._parse_action(action, default_namespace)
        if self._is_off_page(node, name) or self.refusal_of(right_of_action(node, name, given)):
            return False
        return super()._check_action_state(action, default_namespace)

    def keeps_from(self, key: str) -> bool:
        """Whether a key would do something here, which who sits at the desk may not."""
        return any(
            super(LockableApp, self)._check_action_state(bound.action, node) is not False
            and self._check_action_state(bound.action, node) is False
            for node, bindings in self.screen._modal_binding_chain  # noqa: SLF001 - Textual has no public one
            for bound in bindings.key_to_bindings.get(key, ())
        )

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """As Textual does; what who sits here may not do is refused in words before anything opens."""
        node, name, given = self._parse_action(action, default_namespace or self, namespaces)
        if self.locking.locked:
            return await super().run_action(action, default_namespace, namespaces)
        if self._is_off_page(node, name):
            if name not in PASSED_BY:
                self.say(ONE_PAGE, "warning")
            return True
        if node.check_action(name, given) and self.is_refused(name, right_of_action(node, name, given)):
            return True
        return await super().run_action(action, default_namespace, namespaces)

    def push_screen(self, screen: Any, *given: Any, **named: Any) -> Any:
        """As Textual does; a client has no screen besides their own page, but for what helps on it."""
        if self.of_one_page:
            from screens.clients.page import ClientScreen
            from screens.frame.help import HelpScreen

            if not isinstance(screen, ClientScreen | HelpScreen):
                self.say(ONE_PAGE, "warning")
                return AwaitComplete.nothing()
        return super().push_screen(screen, *given, **named)

    def screen_failed(self, error: Exception) -> None:
        """Make the screens anew, of which one has failed; where that was for want of a right, say so."""
        self.halting.forget()
        self.draft_forgotten()
        cause = error.error if isinstance(error, WorkerFailed) else error
        if isinstance(cause, Forbidden):
            self.call_later(self.locking.forbidden, cause)
        else:
            self.mending.failed(error)
