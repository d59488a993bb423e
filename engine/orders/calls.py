"""How a call to a broker ends when no answer comes: what became of it is then unknown, never assumed."""

import logging
from collections.abc import Awaitable

from brokers.contract import Ambiguous, Outcome
from engine.rules import Waits

log = logging.getLogger(__name__)

NO_ANSWER = "no answer"
"""How a time-out's reason begins."""

NOT_SERVED = "nothing here reaches the client's broker"
"""Why a client's account cannot be asked at all."""


def no_answer(waits: Waits) -> str:
    """A time-out's reason, with the time that was given."""
    return f"{NO_ANSWER} within {waits.send_timeout_s:g} s"


async def outcome_of(call: Awaitable[Outcome], what: str, silence: str) -> Outcome:
    """How a call ended that is given its time by a time-out of its own.

    `silence` is the reason where it ran out of time, `what` names the call in the log where it failed.
    """
    try:
        return await call
    except TimeoutError:
        return Ambiguous(silence)
    except Exception:
        log.exception("the adapter failed on %s", what)
        return Ambiguous("the adapter failed; the log says how")
