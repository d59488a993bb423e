"""Groww's sign-in: a session is made by a key and what is stored with it, and no browser is led anywhere.

A key with TOTP takes a code that its secret makes anew each half minute (RFC 6238, SHA-1, six digits); a key
with approval takes a checksum of its secret, on a day on which the client has approved it on Groww's page of
keys. A client may also give a code, or an access token that Groww's page made (Groww Trading API
documentation, authentication). Whether a key with TOTP has to be approved each day too is told in two ways:
where Groww refuses it, its page is named.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, time

from msgspec import Struct

from brokers.contract import HIDDEN, SignInField, SignInForm
from brokers.meter import CallKind
from brokers.wire.calls import Call
from data.clock import IST
from data.errors import BadInput

SESSION_END = time(6, 0, tzinfo=IST)
"""When a day's access tokens end (Groww Trading API documentation, authentication)."""

TOKEN_PATH = "/v1/token/api/access"

APPROVAL = "approval:"
"""What stands before the secret of a key that its client approves each day; any other secret is one of
TOTP."""

_STEP_S = 30
_CODE = re.compile(r"\d{6}")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,4096}")
_ASKED = (
    "leave it empty where the key's secret is stored, else give the code of six digits or an access token"
)


class StoredSecret(Struct, frozen=True):
    """What is stored with a key: the secret of its TOTP as bytes, or that of an `approval` key as text."""

    totp: bytes = b""
    approval: str = ""


def secret_of(stored: str) -> StoredSecret:
    """What was stored with a key. Raises `BadInput`, whose message shows none of it.

    The secret of a TOTP is base32 as Groww's page shows it, in groups or not, or the `otpauth:` address
    of its picture.
    """
    given = stored.strip()
    if given.startswith(APPROVAL):
        if secret := given.removeprefix(APPROVAL).strip():
            return StoredSecret(approval=secret)
        raise BadInput("api_secret", HIDDEN, f"give the secret after {APPROVAL}")
    if given.lower().startswith("otpauth:"):
        found = re.search(r"[?&]secret=([A-Za-z2-7=]+)", given)
        given = found.group(1) if found else ""
    text = re.sub(r"[\s=-]", "", given).upper()
    try:
        totp = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        totp = b""
    if len(totp) < 10:
        words = f"give the TOTP's secret (letters and 2 to 7), or {APPROVAL}SECRET for a key approved daily"
        raise BadInput("api_secret", HIDDEN, words)
    return StoredSecret(totp=totp)


def code_of(totp: bytes, at: datetime) -> str:
    """The six digits that a TOTP's secret makes at an aware time."""
    step = int(at.timestamp()) // _STEP_S
    digest = hmac.new(totp, step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 1_000_000:06d}"


def is_code(text: str) -> bool:
    """Whether what was given is a code of a TOTP, rather than an access token."""
    return _CODE.fullmatch(text) is not None


def mint_by_code(api_key: str, code: str) -> Call:
    """The call that makes a session of a key by a code."""
    return _mint(api_key, {"key_type": "totp", "totp": code}, code)


def mint_by_approval(api_key: str, secret: str, at: datetime) -> Call:
    """The call that makes a session of a key that was approved today, at an aware time."""
    stamp = int(at.timestamp())
    checksum = hashlib.sha256(f"{secret}{stamp}".encode()).hexdigest()
    return _mint(
        api_key, {"key_type": "approval", "checksum": checksum, "timestamp": stamp}, checksum, secret
    )


def _mint(api_key: str, body: Mapping[str, object], *hidden: str) -> Call:
    return Call(
        CallKind.SIGN_IN,
        "POST",
        TOKEN_PATH,
        body=body,
        token=api_key,
        once=True,
        bare=True,
        hidden=hidden,
    )


def _read(given: Mapping[str, str]) -> str:
    text = given["code"].strip()
    if text and not is_code(text) and _TOKEN.fullmatch(text) is None:
        raise BadInput("code", HIDDEN, _ASKED)
    return text


FORM = SignInForm(
    (SignInField("code", "nothing where the key's secret is stored; else a code or an access token"),),
    _read,
    session_end=SESSION_END,
)
"""What signing in at Groww asks for."""
