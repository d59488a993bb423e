"""F9: when a press arms, when a second one fires, and what that does before and after the desk is open."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.clock import Clock
from data.vocabulary import Right
from engine.book.halt_file import write_halt_file
from engine.words.refusals import f9_looks_words, refusal_words
from screens.frame.opening import OPENING, OpeningScreen

if TYPE_CHECKING:
    from engine.halt.certificate import Certificate
    from tradedesk.app.lockable import LockableApp

HELD_S = 0.08
"""Presses closer together than this are one held key. A fast hand needs at least 100 ms."""

FIRM_KEY = "ctrl+f"
"""The key that halts every desk after a first F9: none that is typed into a field."""

ARMED_S = 3.0
"""How long a first press stays armed."""

EARLY_F9 = "F9 F9 halts from now on"
HALTED_EARLY = (
    "HALTED: nothing is sent.\nWhat is live is cancelled as soon as the desk is open; it is being opened…"
)
NOT_CANCELLED = (
    "The HALT file stands, so that nothing is sent; but nothing was cancelled: "
    "`tradedesk cancel-all` does from another terminal."
)
"""What the opening screen says of F9: before it is pressed, after it was, and where no desk opened then."""


OWN_INSTEAD = "you may not halt the firm: this desk is halted, and its orders are cancelled"
"""Said to who pressed the key of the firm and has no right to it."""


class Arming:
    """The two presses of cancel-all.

    `at` is when the terminal delivered a key, `now` the program's monotonic clock, both in seconds. A press
    while armed fires only once `HELD_S` have gone by without another one: terminals repeat a held key after
    a pause that looks like a second press, and only what follows tells them apart.
    """

    def __init__(self) -> None:
        self._last = float("-inf")
        self._armed_until = float("-inf")
        self._second: float | None = None

    def press(self, at: float, now: float) -> bool:
        """Take one press; whether it may fire if `settle` finds it alone `HELD_S` later."""
        held = at - self._last < HELD_S
        self._last = at
        armed = self.armed(now)
        self._second = at if armed and not held else None
        if not armed or held:
            self._armed_until = now + ARMED_S
        return self._second is not None

    def settle(self, at: float) -> bool:
        """Whether the press made at `at` was a second one and stayed alone. Disarms if so."""
        fires = self._second is not None and self._second == at == self._last
        if fires:
            self.stand_down()
        return fires

    def armed(self, now: float) -> bool:
        """Whether the next press may fire."""
        return self._second is not None or now < self._armed_until

    def waits_for_second(self, now: float) -> bool:
        """Whether one press was made and no second: anything else the trader does takes that one back."""
        return self._second is None and self.armed(now)

    def seconds_left(self, now: float) -> int:
        """Whole seconds until it stands down by itself, at least 1 while armed."""
        return max(1, round(self._armed_until - now)) if self.armed(now) else 0

    def stand_down(self) -> None:
        """Forget the presses made so far."""
        self._armed_until = float("-inf")
        self._second = None


class Halting:
    """F9 of one app: it halts and cancels all once the desk is open, and writes the HALT file before that.

    Without a `file` it has no use before.
    """

    def __init__(self, app: LockableApp, clock: Clock, file: Path | None) -> None:
        self._app = app
        self._clock = clock
        self.file = file
        self.was_early = False
        """Whether it halted before the desk was open; what is live is cancelled when it is."""
        self._arming = Arming()
        self._was_armed = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def armed(self) -> bool:
        """Whether the next press may fire."""
        return self._arming.armed(self._clock.monotonic())

    @property
    def seconds_left(self) -> int:
        """Whole seconds until it stands down by itself, 0 where it is not armed."""
        return self._arming.seconds_left(self._clock.monotonic())

    def lapsed(self) -> bool:
        """Whether it has stood down since this was asked last."""
        lapsed = self._was_armed and not self.armed
        self._was_armed = self.armed
        return lapsed

    def takes(self, key: str, at: float) -> bool:
        """Whether a key is of the halt's; then it is dealt with. `at` is when the terminal delivered it."""
        if key in ("f9", "ctrl+g"):
            self.press(at)
        elif key == FIRM_KEY and self.offers_firm:
            self.press_firm()
        elif key == "escape" and self.armed:
            self.stand_down()
        else:
            return False
        return True

    def press(self, at: float) -> None:
        """Take one press, which the terminal delivered at `at`."""
        if not (self._app.desk_is_open or self._is_early):
            words = "no desk is open here; `tradedesk cancel-all` works from another terminal"
            self._app.say(words, "warning")
            return
        if self._app.desk_is_open and self._app.desk.looks_only:
            self._app.say(f9_looks_words(self._app.desk.orders.external_count()), "warning")
            return
        if self._app.desk_is_open and self._app.is_refused("halt.fire_now", Right.HALT):
            return
        if self._arming.press(at, self._clock.monotonic()):
            self._hold_task(self._settle(at))
        self._repaint()

    async def _settle(self, at: float) -> None:
        """Fire unless the press turns out to be a held key."""
        await self._clock.sleep(HELD_S)
        if not self._arming.settle(at):
            return
        if self._app.desk_is_open:
            self.show(self.cancel_all())
        elif self._is_early and self.file is not None:
            write_halt_file(self.file, "F9 before the desk was open", self._clock.now())
            self.was_early = True
            self._app.paint_strip()

    def cancel_all(self, firm: bool = False) -> int:
        """Halt and cancel all that this desk has, or of every desk; returns the number before the halt's."""
        desk = self._app.desk
        known = desk.halt.latest()
        numbers = [halt.number for halt in desk.halt.active()]
        firing = desk.halt.fire_now(desk.actor, firm)
        firing.add_done_callback(self._ended)
        return max([known.number if known is not None else 0, *numbers])

    def show(self, after: int) -> None:
        """Show the certificate of the first halt whose number comes after this one."""
        self._repaint()
        if self._app.shows_desk:
            self._app.open_certificate(after=after)

    def _ended(self, firing: asyncio.Task[Certificate]) -> None:
        """A halt that could not be written says so; the cancels went out all the same."""
        if not firing.cancelled() and (problem := firing.exception()) is not None:
            self._app.say(f"cancel-all: {refusal_words(problem)}", "error")

    @property
    def _is_early(self) -> bool:
        """Whether a desk is on its way, so that there is something to halt."""
        return self.file is not None and self._app.is_opening

    def say_opening(self) -> None:
        """Say on the opening screen what F9 has done, or would do."""
        if not self._is_early or not isinstance(screen := self._app.screen, OpeningScreen):
            return
        if self.was_early:
            screen.say(HALTED_EARLY)
        elif self.armed:
            screen.say("F9 AGAIN CANCELS ALL AND HALTS\n\nEsc stands down")
        else:
            screen.say(f"{OPENING}\n\n{EARLY_F9}")

    def forget(self) -> None:
        """Forget the presses made so far, and paint nothing."""
        self._arming.stand_down()

    def stand_down(self) -> None:
        """Forget the first press."""
        self.forget()
        self._repaint()

    def other_input(self) -> None:
        """Whoever does something else after the first press did not mean a second one."""
        if self._arming.waits_for_second(self._clock.monotonic()):
            self.stand_down()

    def _repaint(self) -> None:
        self._app.paint_strip()
        self._app.refresh_bindings()

    # --- several desks ---

    @property
    def offers_firm(self) -> bool:
        """Whether one more key would halt every desk: a first press was made, and others share the books."""
        waits = self._arming.waits_for_second(self._clock.monotonic())
        return waits and self._app.desk_is_open and self._app.desk.halt.shared

    def press_firm(self) -> None:
        """Halt every desk; who may not is told so, and has their own halted, as by a second press of F9."""
        firm = not self._app.is_refused("halt.fire_now", Right.HALT_FIRM)
        self.forget()
        self.show(self.cancel_all(firm))
        if not firm:
            self._app.say(OWN_INSTEAD, "warning")

    def _hold_task(self, work: Any) -> None:
        """Run something beside the message queue; a screen that blocks does not hold it up."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
