"""How a call to Kite ended, in the contract's four words or as the error of a read.

Proven not placed are: what never left this machine, and what Kite itself turned down in JSON with a status
that it gives before its order management is asked (400, 403, 428; 429 is its gateway's). Everything else may
have been taken (Kite Connect documentation, exceptions; its staff's answers on timed out orders).
"""

import re

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
from brokers.wire.outcomes import GATEWAY
from data.vocabulary import RefusalCode

SESSION_EXPIRED = "session_expired"
"""Code of a refusal because Kite does not take the client's token any more."""

ROUTE = RefusalCode.ROUTE.value
"""Code of a refusal because calls may not leave this way, such as from an address that is not registered."""

AUTHORISATION = "authorisation"
"""Code of a refusal because the client must first authorise the shares at the depository."""

RATE_LIMIT = "rate_limit"
"""Code of a read that Kite turned away for coming too soon after others."""

BAD_INPUT = "InputException"
"""Code of a read that Kite refused for what it asks."""

NO_PERMISSION = "PermissionException"
"""Code of a read that the client's api key does not carry, such as prices with a key of the free plan."""

_DOUBTFUL_TYPES = frozenset({"", "NetworkException", "DataException"})
"""Kite says these where it does not know itself what has become of an order, or says no type at all."""

_DOUBTFUL_WORDS = ("timed out", "time out", "timeout", "check the order book", "no response")
_CAPPED_WORDS = "maximum allowed order"
"""Of the day's orders and the 25 changes of one: final whatever the status, and never tried again."""

_ADDRESS_WORDS = re.compile(
    r"\bno ips? configured\b|\bip\b.{0,60}\bnot allowed\b|\bnot allowed\b.{0,20}\bip\b"
)
"""Of an address that is not on the client's list; Kite says so under several error types, 400 or 403."""

_UNSETTLED_WORDS = "being processed"


class Failure(Struct, frozen=True):
    """A call without a usable answer.

    `sent` is False only where it is proven that no byte of the request left. `status` is the real HTTP
    status, 0 without an answer; `error_type` and `words` are the broker's own, empty unless it answered
    with its JSON envelope; `why` says in our words what happened. `refusal` is the code of what this adapter
    itself would not send. `renewed` says that another sign-in has replaced the token it was made with, and
    `kept_back` that the order's last look kept it back.
    """

    why: str
    sent: bool = True
    status: int = 0
    error_type: str = ""
    words: str = ""
    refusal: str = ""
    renewed: bool = False
    kept_back: bool = False

    @property
    def token_refused(self) -> bool:
        """Whether there is no token, or Kite said that it is no longer good."""
        return self.refusal == SESSION_EXPIRED or (self.status == 403 and self.error_type == "TokenException")

    @property
    def session_lost(self) -> bool:
        """Whether the client is signed out for all that is known."""
        return self.token_refused and not self.renewed

    @property
    def unsettled(self) -> bool:
        """Whether Kite would not touch the order as it has ended already or is still on its way."""
        return self.status == 400 and _UNSETTLED_WORDS in self.words.lower()

    @property
    def capped(self) -> bool:
        """Whether Kite takes no more: no order of the client's today, or no change of this order."""
        return _CAPPED_WORDS in self.words.lower()

    @property
    def wrong_address(self) -> bool:
        """Whether Kite refused the call for the address that it came from."""
        return self.status in (400, 403) and _ADDRESS_WORDS.search(self.words.lower()) is not None

    @property
    def text(self) -> str:
        """The broker's own words, or ours where it said nothing."""
        return self.words or self.why


def write_outcome(answer: str | Failure) -> Outcome:
    """The word for a place, modify or cancel call that gave an order id or failed."""
    if not isinstance(answer, Failure):
        return Accepted(answer)
    if answer.refusal:
        return Refused(answer.refusal, answer.text)
    if not answer.sent or (answer.status == 429 and not answer.capped):
        return NotSent(answer.text)
    if _is_refusal(answer):
        return Refused(_code(answer), answer.text)
    return Ambiguous(answer.text)


def read_error(failure: Failure) -> BrokerError:
    """The exception for a read that failed."""
    if failure.session_lost:
        return SessionExpired(failure.text, failure.error_type or failure.refusal)
    if failure.status == 429:
        return TurnedAway(failure.text, RATE_LIMIT)
    if not failure.refusal and (not failure.status or failure.status >= GATEWAY):
        return NoAnswer(failure.text, failure.error_type)
    return BrokerError(failure.text, failure.error_type or failure.refusal)


def _is_refusal(failure: Failure) -> bool:
    if failure.capped or failure.wrong_address:
        return True
    words = failure.words.lower()
    match failure.status:
        case 400:
            if failure.unsettled or any(doubt in words for doubt in _DOUBTFUL_WORDS):
                return False
            return failure.error_type not in _DOUBTFUL_TYPES
        case 403:
            return failure.error_type in ("TokenException", "PermissionException", "PermissionError")
        case 404 | 405 | 410:
            return failure.error_type not in _DOUBTFUL_TYPES
        case 428:
            return bool(failure.words)
        case _:
            return False


def _code(failure: Failure) -> str:
    if failure.token_refused:
        return SESSION_EXPIRED
    if failure.wrong_address or (failure.status == 403 and not failure.capped):
        return ROUTE
    if failure.status == 428:
        return AUTHORISATION
    return failure.error_type
