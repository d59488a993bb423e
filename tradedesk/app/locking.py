"""Who sits at the app's desk: the screen is locked while nobody does, after a while of nothing, and by a key.

A home without people has nobody to ask, and is never locked.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from data.clock import Clock
from data.errors import BadInput, StoreError
from data.vocabulary import Right, Via
from engine.refusals import Forbidden, Refusal, SigningAway, SignInRefused
from engine.words.formats import counted
from engine.words.refusals import refusal_words
from screens.frame.lock import LockScreen
from screens.frame.routes import WorkspaceName
from tradedesk.app.workspaces import make_workspaces_anew

if TYPE_CHECKING:
    from tradedesk.app.lockable import LockableApp

log = logging.getLogger(__name__)

LOCKED = "locked"
"""The mode with the locked screen."""

TRY_EVERY_S = 1.0
"""How often it looks whether somebody has signed in by another process."""

RENEW_EVERY_S, RENEW_AGAIN_S = 60.0, 5.0
"""How often the app looks whether its token is half over, and how soon again after it was not renewed."""

ARMED = "F9 AGAIN CANCELS ALL AND HALTS · Esc stands down"
F9_WORKS = "F9 F9 cancels all and halts, locked or not"
NO_F9 = "F9 is not for who sat here: sign in as somebody who may halt"
NOT_NOW = "not while orders are being sent, F9 is armed or the desk is halted"
NOBODY = "nobody signs in here, so that nothing can be locked: `tradedesk people add` changes that"


class Locking:
    """The lock of one app, and the sign-in of whoever opens it."""

    def __init__(self, app: LockableApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self.locked = False
        self._asks_for_password = False
        """Whether the password opens it even for who sat there and still may."""
        self._away = ""
        """Why the signing service does not answer, where it does not."""
        self._was_open = False
        """Whether a desk of this app was seen by anybody yet."""
        self._seen_by = ""
        self._touched = clock.monotonic()
        self._looked = clock.monotonic()
        self._tried = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def screen(self) -> LockScreen | None:
        """The locked screen, where that is what is seen."""
        return self._app.screen if isinstance(self._app.screen, LockScreen) else None

    def touched(self) -> None:
        """Somebody is there."""
        self._touched = self._clock.monotonic()

    def frame(self) -> None:
        """Lock where whoever sat here no longer may, or did nothing for long; renew the token in time."""
        who = self._app.desk.who
        if not who.asked:
            return
        now = self._clock.monotonic()
        trouble = who.trouble()
        if trouble and now - self._tried > TRY_EVERY_S:
            self._tried = now  # the token of who signs in elsewhere is written after the sign-in itself
            self._taken_up(trouble)
        if not self.locked:
            idle = now - self._touched > 60 * self._app.preferences.lock_after_min
            if idle and self._app.preferences.lock_after_min and self._may_lock():
                self.lock(f"locked after {self._app.preferences.lock_after_min} minutes of nothing", True)
        elif (screen := self.screen) is not None:
            halted = "HALTED: nothing is sent" if self._app.desk.halt_stands() else ""
            of_f9 = NO_F9 if self._app.refusal_of(Right.HALT) else F9_WORKS
            screen.say_state(ARMED if self._app.is_armed else halted or of_f9)
        if now - self._looked > (RENEW_AGAIN_S if trouble or self._away else RENEW_EVERY_S):
            self._looked = now
            self._hold(self._renew())

    def begin(self) -> bool:
        """Whether the desk may be shown at once; else the screen is locked until somebody signs in."""
        who = self._app.desk.who
        if not who.asked or not who.trouble():
            self._was_open, self._seen_by = True, self._app.desk.actor
            self._app.runs_looked_for()
            self._app.call_later(self._own_page)  # behind the workspace that comes up first
            return True
        self.lock("sign in" if who.seat is None else f"sign in again: {who.trouble()}")
        return False

    def ask(self) -> None:
        """Lock by the key, where that may be."""
        if not self._app.desk.who.asked:
            self._app.say(NOBODY)
        elif not self._may_lock():
            self._app.say(NOT_NOW, "warning")
        else:
            self.lock("locked", True)

    def say(self, words: str) -> None:
        """Say something at the locked screen."""
        if (screen := self.screen) is not None:
            screen.say(words)

    def sign_out(self) -> None:
        """End the sign-in of who sits here; nothing of the desk is seen from then on."""
        if self._app.desk.who.asked:
            self._hold(self._leave())
        else:
            self._app.say(NOBODY)

    async def _leave(self) -> None:
        from tradedesk.compose.seats import forget_token

        desk = self._app.desk
        try:
            await desk.signing.sign_out()
            forget_token(desk.home)
        except (StoreError, OSError) as problem:
            self._app.say(str(problem), "error")

    def _may_lock(self) -> bool:
        desk = self._app.desk
        return not (desk.is_sending() or self._app.is_armed or desk.halt_stands())

    def lock(self, why: str, asks_for_password: bool = False) -> None:
        """Have nothing of the desk be seen. Who sits here stays signed in as long as their sign-in stands."""
        self.locked = True
        self._asks_for_password = self._asks_for_password or asks_for_password
        self._app.switch_mode(LOCKED)
        if (screen := self.screen) is not None:
            screen.show(why, self._seen_by)
        if self._app.desk.who.trouble():
            self._make_anew()

    def people_changed(self) -> None:
        """Somebody may have signed in or out in another process, by the same token file."""
        if self._app.desk.who.asked and self._app.desk.who.trouble():
            self._taken_up(self._app.desk.who.trouble())

    def _taken_up(self, trouble: str) -> None:
        """Go on as whoever the token file names; without anybody lock."""
        from tradedesk.compose.seats import take_seat

        desk, before = self._app.desk, self._app.desk.who.seat
        take_seat(desk)
        now = desk.who.seat
        if not desk.who.trouble():
            same = before is not None and now is not None and before.sign_in == now.sign_in
            if same and self._asks_for_password:
                return  # whoever sat there still may, and has locked it
            if self.locked or desk.actor != self._seen_by:
                self._open()
            return
        if now is None and desk.signing.by_service:
            desk.who.seat = before  # so that it says why, and they go on once their token is renewed
        if not self.locked:
            self.lock(f"{trouble}: {self._away}" if self._away else trouble)

    def forbidden(self, refusal: Forbidden) -> None:
        """Say what was refused, and make the screens anew, of which one has failed of it."""
        self._app.say(refusal_words(refusal), "warning")
        mode = self._app.current_mode
        self._make_anew()
        if not self.locked:
            self._app.switch_mode(mode)

    def answered(self, name: str, password: str) -> None:
        """Look at a name and a password, beside the screen's own queue."""
        self._hold(self._look(name, password))

    async def _look(self, name: str, password: str) -> None:
        from tradedesk.compose.seats import keep_token, take_seat, where_from

        desk, screen = self._app.desk, self.screen
        try:
            if not desk.who.trouble() and name.casefold() == desk.actor.casefold():
                right = await desk.signing.is_password_of(desk.who.actor, password, where_from())
                if not right:
                    raise SignInRefused
            else:
                made = await desk.signing.sign_in(name, password, where_from(), Via.APP)
                keep_token(desk.home, made.token, made.refresh)
                take_seat(desk)
        except (Refusal, BadInput, StoreError, OSError) as problem:
            if screen is not None:
                screen.say(refusal_words(problem))
            return
        self._open()

    def _open(self) -> None:
        """Show the desk to who sits there; to somebody else than before all screens are made anew."""
        desk, app = self._app.desk, self._app
        somebody_else = desk.actor != self._seen_by
        self.locked, self._asks_for_password, self._seen_by = False, False, desk.actor
        self.touched()
        if somebody_else and self._was_open:
            self._make_anew()
        app.runs_looked_for()
        self._was_open = True
        app.switch_mode(app.preferences.workspace)
        self._own_page()
        app.paint_strip()

    def _own_page(self) -> None:
        """Have a client see the one page that is theirs."""
        if self._app.of_one_page and not self.locked:
            self._app.switch_mode(WorkspaceName.CLIENTS)
            for client in self._app.desk.clients.all():
                self._app.open_client(client.id)

    def _make_anew(self) -> None:
        """Forget every workspace: what it shows was somebody else's to see. The locked screen is up then."""
        self._app.switch_mode(LOCKED)
        self._app.draft_forgotten()
        make_workspaces_anew(self._app)

    async def _renew(self) -> None:
        from tradedesk.compose.seats import renew_seat

        try:
            renewed = await renew_seat(self._app.desk)
            self._away = ""
            if renewed and self.locked and not (self._asks_for_password or self._app.desk.who.trouble()):
                self._open()
        except SigningAway as problem:
            if not self._away:
                self._app.say(f"{refusal_words(problem)}; {self._goes_on()}", "warning")
            self._away = problem.why
        except (Refusal, BadInput, StoreError, OSError) as problem:
            log.warning("the token could not be renewed: %s", problem)

    def _goes_on(self) -> str:
        """For how long who sits here goes on without another token."""
        seat = self._app.desk.who.seat
        until = None if seat is None else seat.token_until
        left = 0 if until is None else max(0, round((until - self._clock.now()).total_seconds() / 60))
        return f"you go on for {counted(left, 'minute')}"

    async def settled(self) -> None:
        """Wait until every answer was looked at."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    def _hold(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
