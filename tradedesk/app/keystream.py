"""Keys in the order they were typed, one at a time, each to what is on the screen when its turn comes.

Textual hands every key to the widget focused on arrival, so that of `b505` read in one go the digits would
reach the grid that `b` is just leaving. Here a key waits until the one before it has been dealt with, what it
asked the desk for has been done, and the screen it opened has been painted. Text pasted without brackets into
a place that is no field is taken for what it is and dropped, since each of its letters would be a command.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from textual.dom import DOMNode
from textual.events import Key
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from screens.frame.dock import DockHost

PASTE_KEYS = 8
"""More printable keys than this within `PASTE_S` outside a field are a raw paste."""

PASTE_S = 0.03
"""The span in which a raw paste arrives."""

PATIENCE_FRAMES = 3
"""Frames after which a key counts as dealt with though nothing said so."""

ROUNDS = 4
"""Times word is sent behind a key: one more than the messages by which a field tells a screen of an Enter."""

HOLD_FRAMES = 10
"""Frames that keys wait for what one before them asked the desk for; then they are forgotten."""

YES = "y"
"""What sends the one order of a review, and nothing else does."""

FIRST_WAIT_S = 0.004
"""How long the first letter outside a field waits, to see whether a paste follows it. Nobody notices."""


@dataclass
class KeyStream:
    """Keys that wait for their turn, and the eye for raw pastes. Times are the terminal's."""

    waiting: deque[Key] = field(default_factory=deque)
    _recent: deque[float] = field(default_factory=deque)
    _last_key: str = ""
    _last_at: float = float("-inf")
    _pasting: bool = False

    def arrive(self, key: Key, in_field: bool) -> bool:
        """Take a key up; True when it shows that a raw paste is under way, once a paste."""
        quiet = key.time - self._last_at >= PASTE_S
        repeated = key.key == self._last_key
        self._last_at, self._last_key = key.time, key.key
        if self._pasting and not quiet:
            return False
        self._pasting = False
        typed = key.is_printable or key.key == "enter"
        # A held key that a slow line delivers in a heap is no paste: repeats do not count.
        if typed and not in_field and not repeated:
            while self._recent and key.time - self._recent[0] > PASTE_S:
                self._recent.popleft()
            self._recent.append(key.time)
            if len(self._recent) > PASTE_KEYS:
                self._recent.clear()
                self.waiting.clear()
                self._pasting = True
                return True
        self.waiting.append(key)
        return False


def _asks_for_yes(screen: Screen[Any]) -> bool:
    """Whether a review is up, whose only answer is `y`."""
    card = screen.card if isinstance(screen, DockHost) else None
    return card is not None and card.ONLY_YES


class Receiver(Protocol):
    """The app, as far as the queue needs it."""

    @property
    def screen(self) -> Screen[Any]:
        """The screen that is up."""
        ...

    @property
    def focused(self) -> Widget | None:
        """The widget that has the focus."""
        ...

    def call_next(self, callback: Any) -> None:
        """Call once the message in hand has been dealt with."""
        ...

    def call_later(self, callback: Any, *arguments: Any) -> Any:
        """Call once the messages that wait have been dealt with."""
        ...

    def say(self, text: str, severity: str = ...) -> None:
        """One toast."""
        ...

    async def deliver(self, event: Key) -> None:
        """Give a key to what is on the screen."""
        ...


class KeyQueue:
    """Delivers the keys of a stream one after the other."""

    class Done(Message):
        """Follows a key on its way up and tells, by arriving, that the key has been dealt with.

        Sent again it follows the messages that the key set off, each behind the one before.
        """

        def __init__(self, serial: int, target: DOMNode, rounds: int = ROUNDS) -> None:
            super().__init__()
            self.serial = serial
            self.target = target
            self.rounds = rounds

    def __init__(self, app: Receiver) -> None:
        self._app = app
        self._stream = KeyStream()
        self._serial = 0
        self._busy_on: Screen[Any] | None = None
        self._busy_with: Widget | None = None
        self._painting: Screen[Any] | None = None
        self._discarding = False
        self._timer: asyncio.TimerHandle | None = None
        self._sifted = 0
        self._called = False
        self._frames = 0
        self._holds: set[object] = set()
        self._held_frames = 0
        self._delivered = ""
        self._delivered_at = float("-inf")
        self._behind: list[Callable[[], object]] = []

    @property
    def idle(self) -> bool:
        """Whether every key has been dealt with and what it opened has been painted."""
        busy = self._is_busy or self._painting is not None or self._discarding or self._holds
        return not (busy or self._stream.waiting or self._called or self._timer)

    @property
    def _is_busy(self) -> bool:
        """Whether a key is being dealt with; a widget that is taken away has dealt with its own."""
        there = self._busy_with is not None and self._busy_with.is_attached
        return self._busy_on is not None and there

    def in_field(self, key: str, character: str | None = None) -> bool:
        """Whether what has the focus would take this key as text."""
        focused = self._app.focused
        return focused is not None and focused.check_consume_key(key, character or key)

    def arrive(self, key: Key) -> None:
        """Take a key from the terminal."""
        if self._discarding:
            return
        if self._stream.arrive(key, self.in_field(key.key, key.character)):
            self._sifted = 0
            self._app.say("pasted text was ignored: no field has the focus", "warning")
        self._wake()

    def go_on(self) -> None:
        """Deliver what waits for nothing: a widget may have gone, and its word on its key with it."""
        if not self._is_busy:
            self._wake()

    def _wake(self) -> None:
        """Go on if there is something to deliver and nothing to wait for."""
        waiting = self._stream.waiting
        if (
            not waiting
            or self._called
            or self._timer
            or self._is_busy
            or self._painting is not None
            or self._holds
        ):
            return
        first = waiting[0]
        if self._sifted == 0:
            if first.is_printable and not self.in_field(first.key, first.character):
                self._wait(FIRST_WAIT_S, self._sift)
                return
            self._sifted = 1
        self._called = True
        self._app.call_next(self._deliver)

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        """Go on after a while. A timer of Textual's would not do: one that begins too late never fires."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._app.call_next, then)

    def _sift(self) -> None:
        """The first key is alone, or the burst it began is given time to show what it is."""
        if len(self._stream.waiting) > 1:
            self._wait(PASTE_S, self._let_through)
        else:
            self._let_through()

    def _let_through(self) -> None:
        self._timer = None
        self._sifted = len(self._stream.waiting)
        self._wake()

    async def _deliver(self) -> None:
        self._called = False
        if not self._stream.waiting or self._is_busy or self._painting or self._holds:
            return
        key = self._stream.waiting.popleft()
        before, self._delivered = (self._delivered, self._delivered_at), key.key
        self._delivered_at = key.time
        self._sifted = max(0, self._sifted - 1)
        screen = self._app.screen
        target = self._app.focused or screen
        if key.key == YES and _asks_for_yes(screen) and not self._is_alone(key, before):
            self._app.say("y among other keys does nothing: type it alone", "warning")
            self._delivered = ""  # the next one of these keys is among others too
            self._wake()
            return
        await self._app.deliver(key)
        if key.is_forwarded and self._painting is None:
            self._serial += 1
            self._busy_on, self._busy_with, self._frames = screen, target, 0
            target.post_message(self.Done(self._serial, target))
        else:
            self._wake()

    def _is_alone(self, key: Key, before: tuple[str, float]) -> bool:
        """Whether no other key came just before or behind this one, as within a pasted word."""
        behind = ((one.key, one.time) for one in self._stream.waiting)
        near = (one for one, at in (before, *behind) if abs(key.time - at) < PASTE_S)
        return all(one == key.key for one in near)

    def done(self, message: Done) -> None:
        """A key has been dealt with, and what it set off: the next one may go."""
        message.stop()
        if message.serial != self._serial or self._busy_on is None:
            return
        again = self.Done(message.serial, message.target, message.rounds - 1)
        if again.rounds and message.target.is_attached and message.target.post_message(again):
            return
        self._is_dealt_with()

    def after(self, then: Callable[[], object]) -> None:
        """Call once the key in hand has been dealt with: for what takes away the widget that it went to.

        That one could not say any more that the key has been dealt with.
        """
        if self._busy_on is None:
            then()
        else:
            self._behind.append(then)

    def _is_dealt_with(self) -> None:
        self._busy_on = None
        behind, self._behind = self._behind, []
        for then in behind:
            then()
        self._wake()

    def hold(self, forget: bool = False) -> Callable[[], None]:
        """Keep the keys behind the one in hand until what is given is called; for a while at most.

        Enters right behind an Enter are a held key or impatience: none reaches what the first led to. With
        `forget` no key that was typed meanwhile does.
        """
        held = object()
        self._holds.add(held)
        self._held_frames = 0

        def release() -> None:
            if forget and held in self._holds:
                self._forget()
            self._holds.discard(held)
            waiting = self._stream.waiting
            while not self._holds and self._delivered == "enter" and waiting and waiting[0].key == "enter":
                waiting.popleft()
                self._sifted = max(0, self._sifted - 1)
            self._wake()

        return release

    def strayed(self, key: Key) -> bool:
        """Whether a key that came back unused belongs to another screen; if so it is delivered again."""
        if self._busy_on is None or self._app.screen is self._busy_on:
            return False
        again = Key(key.key, key.character)
        again.time = key.time
        self._busy_on = None
        self._stream.waiting.appendleft(again)
        self._sifted += 1
        self._wake()
        return True

    def screen_changed(self, screen: Screen[Any]) -> None:
        """Wait until the screen that came up has been painted, and has the focus where it wants it."""
        self._painting, self._frames = screen, 0
        # What it was asked for as it came up stands in its queue, the focus it asked for then in the app's.
        screen.call_after_refresh(screen.call_later, self._app.call_later, self._painted, screen)

    def _painted(self, screen: Screen[Any]) -> None:
        if self._painting is screen:
            self._painting = None
            self._busy_on = None
            if getattr(screen, "DISCARDS_EARLY_KEYS", False):
                self._forget()
            self._wake()

    def discard_until_painted(self, screen: Screen[Any]) -> None:
        """Forget what waits, and what comes before the next paint."""
        self._forget()
        self._discarding = True
        screen.call_after_refresh(self._take_again)

    def _take_again(self) -> None:
        self._discarding = False

    def _forget(self) -> None:
        self._stream.waiting.clear()
        self._sifted = 0

    def reset(self) -> None:
        """Begin anew with nothing waiting, as after a screen failed."""
        self._forget()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._busy_on = self._painting = None
        self._called = self._discarding = False
        self._holds.clear()

    def frame(self) -> None:
        """Let go of a key whose widget or screen went away before it could answer, and of long holds."""
        self._frames += 1
        self._held_frames += 1
        self.go_on()
        if self._holds and self._held_frames > HOLD_FRAMES:
            self._holds.clear()
            if self._stream.waiting:
                self._forget()
                self._app.say("keys typed ahead were dropped: the desk is still at what was asked", "warning")
        if self._frames > PATIENCE_FRAMES:
            self._painting = None
            self._discarding = False
            self._is_dealt_with()
