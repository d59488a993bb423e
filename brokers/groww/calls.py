"""Calls to Groww: its envelope, and its budgets of reads."""

from collections.abc import Callable, Mapping
from typing import cast

from brokers.contract import BrokerAccount
from brokers.groww.roots import GrowwRoots
from brokers.wire.access import AccountAccess
from brokers.wire.calls import Call, CallWaits, HttpCalls
from brokers.wire.outcomes import UNAUTHORISED, CallFailure
from brokers.wire.rows import plain
from data.clock import Clock

PROFILE = "/v1/user/detail"

IN_DOUBT = frozenset({"GA000", "GA003", "GA007"})
"""Codes of what may have been done, whatever the status: an error inside, a service that does not answer
now, and an order whose reference Groww has already."""

_NOT_AUTHORISED = "GA005"

READ_WINDOWS = ((1.0, 16, 0), (60.0, 450, 0))
"""Status, books and margins have 20 calls a second and 500 a minute, an account each and all of these
together (Groww Trading API documentation, rate limits); the rest is a margin for what gathers on the way."""

LIVE_WINDOWS = ((1.0, 8, 0), (60.0, 270, 0))
"""Live data has 10 calls a second and 300 a minute, an account each and all of its routes together."""

_ADDRESS_WORDS = ("static ip", "ip address", "ip is not", "whitelisted ip", "unregistered ip")
"""What a refusal says that is about the address; its text and status are not documented."""


class GrowwCalls(HttpCalls):
    """Makes calls of every account at Groww."""

    broker = "Groww"
    profile = PROFILE
    headers: Mapping[str, str] = {"X-API-VERSION": "1.0"}  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(
        self,
        access: AccountAccess,
        roots: GrowwRoots,
        clock: Clock,
        waits: CallWaits,
        on_session_lost: Callable[[BrokerAccount], None],
    ) -> None:
        super().__init__(access, clock, waits, on_session_lost)
        self.roots = roots

    def root(self, call: Call) -> str:
        """All calls go to one host."""
        return self.roots.rest

    def data_of(
        self, status: int, told: Mapping[str, object], call: Call, hidden: tuple[str | None, ...]
    ) -> object | CallFailure:
        """The payload of an answer, or what its status and the broker's words in it come to.

        An answer that says of itself that it failed is none, whatever its status.
        """
        if 200 <= status < 300:
            if told and call.bare and told.get("status") != "FAILURE":
                return told
            if told.get("status") == "SUCCESS" and told.get("payload") is not None:
                return told["payload"]
        error = told.get("error")
        fields = cast("Mapping[str, object]", error if isinstance(error, Mapping) else {})
        code, words = fields.get("code"), fields.get("displayMessage") or fields.get("message")
        code = plain(code, hidden) if isinstance(code, str) else ""
        words = plain(words, hidden) if isinstance(words, str) else ""
        refused = 400 <= status < 500
        by_address = refused and any(one in words.lower() for one in _ADDRESS_WORDS)
        if refused and code == _NOT_AUTHORISED and not by_address:
            status = UNAUTHORISED  # which statuses go with which codes is not documented
        return CallFailure(
            f"no usable answer from Groww (status {status})",
            status=status,
            code=code,
            words=words,
            wrong_address=by_address,
        )
