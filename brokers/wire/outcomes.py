"""How a call over HTTP ended, in the contract's four words or as the error of a read.

The family of the HTTP status and the route decide it; brokers' own codes choose words only, since they are
neither listed in full nor kept to. Proven not placed are what never left this machine and what was turned
down with a status that stands for a refusal; 429 comes from the gateway, before any order is looked at.
Everything else may have been taken, and a second send may be a second order.
"""

from msgspec import Struct

from brokers.contract import (
    Accepted,
    Ambiguous,
    BrokerError,
    NoAnswer,
    NotSent,
    Outcome,
    Refused,
    SessionExpired,
    TurnedAway,
)
from data.vocabulary import RefusalCode

SESSION_EXPIRED = "session_expired"
"""Code of a refusal because the broker does not take the client's token any more."""

ROUTE = RefusalCode.ROUTE.value
"""Code of a refusal because calls may not leave this way, such as from an address that is not registered."""

RATE_LIMIT = "rate_limit"
"""Code of a read that was turned away for coming too soon after others."""

NOT_OPEN = "service_closed"
"""Code of a read of a service that is closed at this hour, such as funds between midnight and 05:30."""

BAD_INPUT = "bad_input"
"""Code of a read that was refused for what it asks."""

NOT_LISTED = "not_listed"
"""Code of an order that was not sent, of what the broker does not list."""

NOT_PROTECTED = "not_protected"
"""Code of an order at the market's price that was not sent, since it has no market protection."""

TURNED_AWAY = 429
UNAUTHORISED = 401
_CLOSED = 423

GATEWAY = 500
"""From which status on what stands before a broker's own service speaks for it."""

_REFUSING = frozenset({400, 401, 403, 404, 405, 406, 411, 413, 414, 415, 421, 422, 423, 428, 431, 451})
"""Statuses that say that what was asked is not done. Time-outs (408, 499) and conflicts (409) do not."""


class CallFailure(Struct, frozen=True):
    """A call without a usable answer.

    `sent` is False only where it is proven that no byte of the request left. `status` is the HTTP status, 0
    without an answer; `code` and `words` are the broker's own, empty where it gave none; `why` says in our
    words what happened. `refusal` is the code of what the adapter itself would not send, `kept_back` that
    the order's last look kept it back. `lost` says that a read of the profile was turned down with the same
    token, `holds` that one was answered, `wrong_address` that the call was refused for where it came from.
    """

    why: str
    sent: bool = True
    status: int = 0
    code: str = ""
    words: str = ""
    refusal: str = ""
    kept_back: bool = False
    lost: bool = False
    holds: bool = False
    wrong_address: bool = False

    @property
    def session_lost(self) -> bool:
        """Whether the client is signed out for all that is known."""
        return self.lost or self.refusal == SESSION_EXPIRED

    @property
    def text(self) -> str:
        """The broker's own words with its code, or ours where it said nothing."""
        if not self.words:
            return self.why
        return f"{self.words} ({self.code})" if self.code else self.words


def write_outcome(answer: str | CallFailure) -> Outcome:
    """The word for a write that named an order (or none, of those that name none) or failed."""
    if not isinstance(answer, CallFailure):
        return Accepted(answer)
    if answer.refusal:
        return Refused(answer.refusal, answer.text)
    if not answer.sent or answer.status == TURNED_AWAY:
        return NotSent(answer.text)
    if answer.status not in _REFUSING:
        return Ambiguous(answer.text)
    if answer.lost:
        return Refused(SESSION_EXPIRED, answer.text)
    if answer.status == UNAUTHORISED and answer.holds:
        words = "the session holds, for its profile can be read: look at the address registered at the broker"
        return Refused(ROUTE, f"{answer.text}; {words}")
    if answer.wrong_address:
        return Refused(ROUTE, answer.text)
    return Refused(answer.code or f"HTTP {answer.status}", answer.text)


def asked_outcome(answer: object | CallFailure, broker_order_id: str = "") -> Outcome:
    """The word for what names no order of its own: a change, a cancel, whatever is acknowledged."""
    return write_outcome(answer if isinstance(answer, CallFailure) else broker_order_id)


def read_error(failure: CallFailure) -> BrokerError:
    """The exception for a read that failed."""
    if failure.session_lost:
        return SessionExpired(failure.text, failure.code or failure.refusal)
    if not failure.refusal and (not failure.status or failure.status >= GATEWAY):
        return NoAnswer(failure.text, failure.code)
    if failure.status == TURNED_AWAY:
        return TurnedAway(failure.text, RATE_LIMIT)
    by_status = {_CLOSED: NOT_OPEN, 400: BAD_INPUT, 404: BAD_INPUT, 422: BAD_INPUT}
    return BrokerError(failure.text, by_status.get(failure.status, failure.code or failure.refusal))
