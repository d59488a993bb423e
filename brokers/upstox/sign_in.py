"""Upstox's sign-in: a page of its own, which sends the browser to an address with a code in it."""

from collections.abc import Mapping, Sequence
from datetime import time

from brokers.contract import SignInField, SignInForm
from brokers.wire.redirects import Redirected, state_of
from data.clock import IST

SESSION_END = time(3, 30, tzinfo=IST)
"""When access tokens end, whenever they were made (Upstox API documentation, authentication)."""


def _problem_of(found: Mapping[str, Sequence[str]]) -> str:
    """Of an address without a code."""
    told = found.get("error_description") or found.get("error") or [""]
    return "" if any(found.get("code", ())) else told[0]


_CODE = Redirected("code", "code", "code", "[A-Za-z0-9._~-]", 256, _problem_of)


def code_of(text: str) -> str:
    """The authorization code in what was pasted. Raises `BadInput`."""
    return _CODE.read(text)


def _read(given: Mapping[str, str]) -> str:
    return code_of(given["code"])


FORM = SignInForm((SignInField("code", "the code or the whole address"),), _read, state_of, SESSION_END)
"""What signing in at Upstox asks for."""
