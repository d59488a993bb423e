"""Calls to Upstox: its two hosts, its envelope, and its budgets of reads."""

from collections.abc import Callable, Mapping
from typing import cast

from brokers.contract import BrokerAccount
from brokers.pacing import HALF_HOUR_S
from brokers.upstox.roots import UpstoxRoots
from brokers.wire.access import AccountAccess
from brokers.wire.calls import Call, CallWaits, HttpCalls
from brokers.wire.outcomes import CallFailure
from brokers.wire.rows import plain
from data.clock import Clock

PROFILE, ADDRESSES = "/v2/user/profile", "/v2/user/ip"

READ_WINDOWS = ((1.0, 40, 0), (60.0, 450, 0), (HALF_HOUR_S, 1_900, 0))
"""Every ordinary route has 50 calls in a second, 500 in a minute and 2,000 in half an hour, a user each
(Upstox API documentation, rate limits). Whether routes share them is not said, so here all of an account's
reads do; what is kept back is a margin for what gathers on the way."""

_ADDRESS_CODES = frozenset({"UDAPI1154"})
_ADDRESS_WORDS = ("static ip", "ip address", "ip is not", "origin mismatch")


class UpstoxCalls(HttpCalls):
    """Makes calls of every account at Upstox."""

    broker = "Upstox"
    profile = PROFILE

    def __init__(
        self,
        access: AccountAccess,
        roots: UpstoxRoots,
        clock: Clock,
        waits: CallWaits,
        on_session_lost: Callable[[BrokerAccount], None],
    ) -> None:
        super().__init__(access, clock, waits, on_session_lost)
        self.roots = roots

    def root(self, call: Call) -> str:
        """Placing, modifying and cancelling have a host of their own."""
        return self.roots.orders if call.at_orders else self.roots.rest

    def data_of(
        self, status: int, told: Mapping[str, object], call: Call, hidden: tuple[str | None, ...]
    ) -> object | CallFailure:
        """The data of an answer, or what its status and the broker's words in it come to."""
        if 200 <= status < 300:
            if told and (call.bare or told.get("status") == "success"):
                return told if call.bare else told.get("data")
            return CallFailure(f"no usable answer from Upstox (status {status})", status=status)
        errors = told.get("errors")
        first = cast("list[object]", errors)[0] if isinstance(errors, list) and errors else None
        error = cast("dict[str, object]", first) if isinstance(first, dict) else {}
        code, words = error.get("error_code") or error.get("errorCode"), error.get("message")
        code = plain(code, hidden) if isinstance(code, str) else ""
        words = plain(words, hidden) if isinstance(words, str) else ""
        named = code in _ADDRESS_CODES or any(one in words.lower() for one in _ADDRESS_WORDS)
        return CallFailure(
            f"Upstox answered with status {status}",
            status=status,
            code=code,
            words=words,
            wrong_address=status == 403 and named,
        )
