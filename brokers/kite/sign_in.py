"""Kite's sign-in: a page of its own, which sends the browser to an address with a request token in it."""

from collections.abc import Mapping, Sequence
from datetime import time

from brokers.contract import SignInField, SignInForm
from brokers.wire.redirects import Redirected, state_of
from data.clock import IST

SESSION_END = time(6, 0, tzinfo=IST)
"""When a day's access tokens end (Kite Connect documentation, user, login flow)."""


def _problem_of(found: Mapping[str, Sequence[str]]) -> str:
    status = (found.get("status") or [""])[0]
    return "" if status == "success" else status


_TOKEN = Redirected("token", "request token", "request_token", "[A-Za-z0-9_-]", 128, _problem_of)


def request_token(text: str) -> str:
    """The request token in what was pasted. Raises `BadInput`."""
    return _TOKEN.read(text)


def _read(given: Mapping[str, str]) -> str:
    return request_token(given["request_token"])


FORM = SignInForm(
    (SignInField("request_token", "the token or the whole address"),), _read, state_of, SESSION_END
)
"""What signing in at Kite asks for."""
