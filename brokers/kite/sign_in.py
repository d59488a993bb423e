"""Kite's sign-in: a page of its own, which sends the browser to an address with a request token in it."""

import re
from collections.abc import Mapping
from datetime import time
from urllib.parse import parse_qs, urlsplit

from brokers.contract import HIDDEN, SignInField, SignInForm
from data.clock import IST
from data.errors import BadInput

SESSION_END = time(6, 0, tzinfo=IST)
"""When a day's access tokens end (Kite Connect documentation, user, login flow)."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{4,128}")
_EXPECTED = "paste the request token, or the whole address the browser was sent to"


def request_token(text: str) -> str:
    """The request token in what was pasted: itself, or the redirected address. Raises `BadInput`.

    Messages name what is missing and never show a token.
    """
    given = text.strip().strip("\"'<>")
    if not given:
        raise BadInput("token", "", _EXPECTED)
    if _TOKEN.fullmatch(given):
        return given
    if "=" not in given and "/" not in given:
        raise BadInput("token", HIDDEN, f"a request token has 4 to 128 letters and digits; {_EXPECTED}")
    address = urlsplit(given)
    shown = (
        f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}" if address.netloc else HIDDEN
    )
    found = parse_qs(address.query or address.fragment or given, keep_blank_values=True)
    status = (found.get("status") or [""])[0]
    tokens = found.get("request_token") or []
    if status and status != "success":
        raise BadInput(
            "address", shown, f"it says that the sign-in ended with {status[:40]!r}; sign in again"
        )
    if not tokens or not tokens[0]:
        raise BadInput("address", shown, "it has no request_token; copy the address after the sign-in")
    if len(set(tokens)) > 1 or _TOKEN.fullmatch(tokens[0]) is None:
        raise BadInput("address", shown, "its request_token is not one token; copy the address again")
    return tokens[0]


def state_of(address: str) -> str | None:
    """The state that a redirected address carries; None for a token alone, or an address without one."""
    found = parse_qs(urlsplit(address.strip()).query).get("state")
    return found[0] if found else None


def _read(given: Mapping[str, str]) -> str:
    return request_token(given["request_token"])


FORM = SignInForm(
    (SignInField("request_token", "the token or the whole address"),), _read, state_of, SESSION_END
)
"""What signing in at Kite asks for."""
