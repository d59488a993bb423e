"""How a call to a broker ends when no answer comes: what became of it is then unknown, never assumed."""

import logging
import threading
from collections.abc import Awaitable, Callable

from brokers.contract import Ambiguous, NotSent, Outcome
from engine.rules import Waits

log = logging.getLogger(__name__)

NO_ANSWER = "no answer"
"""How a time-out's reason begins."""

GIVEN_UP = "its call was given up before anything left"
"""Why an order is kept back whose call ran out of time before its last look."""

NOT_SERVED = "nothing here reaches the client's broker"
"""Why a client's account cannot be asked at all."""


def no_answer(waits: Waits) -> str:
    """A time-out's reason, with the time that was given."""
    return f"{NO_ANSWER} within {waits.send_timeout_s:g} s"


class LastLook:
    """An order's last look, which also tells whether its bytes may have left.

    Asked by the thread that makes the call; who gives the call up closes it, so that a thread that comes to
    it later sends nothing.
    """

    def __init__(self, kept_back: Callable[[], str]) -> None:
        self._kept_back = kept_back
        self._lock = threading.Lock()
        self._closed = self._passed = False

    def __call__(self) -> str:
        """Why the order must not leave; empty where it may, and then it counts as gone."""
        with self._lock:
            if self._closed:
                return GIVEN_UP
            why = self._kept_back()
            self._passed = self._passed or not why
            return why

    def close(self) -> bool:
        """Let nothing leave from here on; returns whether something may have left before."""
        with self._lock:
            self._closed = True
            return self._passed


async def outcome_of(
    call: Awaitable[Outcome], what: str, silence: str, last_look: LastLook | None = None
) -> Outcome:
    """How a call ended that is given its time by a time-out of its own.

    `silence` is the reason where it ran out of time, `what` names the call in the log where it failed. One
    that ended before its `last_look` was passed has proven not to have left.
    """
    try:
        return await call
    except TimeoutError:
        why = silence
    except Exception:
        log.exception("the adapter failed on %s", what)
        why = "the adapter failed; the log says how"
    if last_look is not None and not last_look.close():
        return NotSent(f"{why}, before anything left")
    return Ambiguous(why)
