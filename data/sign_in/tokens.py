"""Tokens of who is signed in: short-lived JWTs signed by Ed25519 (RFC 7519, RFC 8037).

PyJWT writes them. They are read here, by the one form that it writes ours in, since importing it would take
most of what a sign-in may add to a command (`tests/bench/bench_session.py` measures both). Tests hold that
PyJWT takes each token that is taken here, and what it refuses against this.
"""

import base64
import json
from binascii import Error as NoBase64
from collections.abc import Mapping, Set
from datetime import UTC, datetime
from typing import Any, cast

from msgspec import Struct

from data.errors import TradedeskError
from data.home import LONGEST_TOKEN

LEEWAY_S = 60
"""Seconds that a token may seem to be of the future; more says that the clock was set back."""

_ALGORITHM = "EdDSA"
_TOKEN, _REFRESH = "JWT", "refresh+jwt"
_NAMES = {"sub", "jti", "ver", "aud", "iat", "exp"}
_NAMES_OF_REFRESH = {*_NAMES, "host", "uid"}


class BadToken(TradedeskError):  # noqa: N818 - reads as a state
    """A token that says nothing of who is signed in; the message says why."""


class TokenClaims(Struct, frozen=True):
    """What a token says: who, by which sign-in, with which version of their rights, for which books."""

    person: str
    sign_in: str
    version: int
    books: str
    issued_at: datetime
    expires_at: datetime


class RefreshClaims(Struct, frozen=True):
    """What a refresh token says: whose tokens it renews, and to which user of which machine alone."""

    claims: TokenClaims
    host: str
    uid: int


def new_key() -> tuple[str, str]:
    """A key that signs: its private and its public half, in hex."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    return key.private_bytes_raw().hex(), key.public_key().public_bytes_raw().hex()


def public_half(private: str) -> str:
    """The public half of a key, in hex. Raises `ValueError` for what is no key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private))
    return key.public_key().public_bytes_raw().hex()


def signed(claims: TokenClaims, kid: str, private: str) -> str:
    """A token that says so, signed by this key."""
    return _signed(_told(claims), _TOKEN, kid, private)


def signed_refresh(refresh: RefreshClaims, kid: str, private: str) -> str:
    """A refresh token that says so, signed by this key."""
    told = {**_told(refresh.claims), "host": refresh.host, "uid": refresh.uid}
    return _signed(told, _REFRESH, kid, private)


def _told(claims: TokenClaims) -> dict[str, object]:
    return {
        "sub": claims.person,
        "jti": claims.sign_in,
        "ver": claims.version,
        "aud": claims.books,
        "iat": int(claims.issued_at.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
    }


def _signed(told: dict[str, object], kind: str, kid: str, private: str) -> str:
    import jwt
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private))
    return jwt.encode(told, key, algorithm=_ALGORITHM, headers={"kid": kid, "typ": kind})


def read(token: str, keys: Mapping[str, str], books: str, now: datetime) -> TokenClaims:
    """What a token says that one of these keys, public halves by id, has signed for these books.

    Raises `BadToken`.
    """
    return _claims(_read(token, _TOKEN, _NAMES, keys), books, now)


def read_refresh(token: str, keys: Mapping[str, str], books: str, now: datetime) -> RefreshClaims:
    """The same of a refresh token, which is no token of who is signed in, nor that a refresh token.

    Raises `BadToken`.
    """
    told = _read(token, _REFRESH, _NAMES_OF_REFRESH, keys)
    host, uid = told["host"], told["uid"]
    if not isinstance(host, str) or type(uid) is not int:
        raise BadToken("it does not say whom it is for")
    return RefreshClaims(_claims(told, books, now), host, uid)


def _read(token: str, kind: str, names: Set[str], keys: Mapping[str, str]) -> dict[str, Any]:
    """What a token of a kind says, with these names and no other, signed by one of these keys."""
    parts = token.split(".")
    if len(token) > LONGEST_TOKEN or len(parts) != 3:
        raise BadToken("it is no token")
    header, told = (_object(part) for part in parts[:2])
    kid = header.get("kid")
    if not isinstance(kid, str) or header != {"alg": _ALGORITHM, "typ": kind, "kid": kid}:
        raise BadToken("it is not signed as ours are")
    if kid not in keys:
        raise BadToken("its key is not of these books")
    _check_signature(parts, keys[kid])
    if set(told) != names:
        raise BadToken("it does not say who is signed in")
    return told


def check_clock(last: datetime | None, now: datetime) -> None:
    """Have it be no earlier than the moment at which the audit was written `last`. Raises `BadToken`.

    Else a token that has expired would be taken again by a clock that was set back.
    """
    if last is not None and (last - now).total_seconds() > LEEWAY_S:
        raise BadToken("the audit is of a time to come: the clock was set back")


def _check_signature(parts: list[str], public: str) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    try:
        key.verify(_raw(parts[2]), f"{parts[0]}.{parts[1]}".encode())
    except (InvalidSignature, ValueError) as problem:
        raise BadToken("its signature is not of a key of these books") from problem


def _raw(part: str) -> bytes:
    """The bytes of a part, where it is their one text: a decoder lets signs pass that say nothing."""
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (NoBase64, ValueError) as problem:
        raise BadToken("it is no token") from problem
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != part.encode():
        raise BadToken("it is no token")
    return raw


def _object(part: str) -> dict[str, Any]:
    try:
        found: object = json.loads(_raw(part), object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as problem:
        raise BadToken("it is no token") from problem
    if not isinstance(found, dict):
        raise BadToken("it is no token")
    return cast(dict[str, Any], found)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are each there once: of two another reader may take the other."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadToken("it is no token")
    return found


def _claims(told: Mapping[str, Any], books: str, now: datetime) -> TokenClaims:
    words = [told.get(name) for name in ("sub", "jti", "aud")]
    numbers = [told.get(name) for name in ("ver", "iat", "exp")]
    if not all(isinstance(one, str) for one in words) or not all(type(one) is int for one in numbers):
        raise BadToken("it does not say who is signed in")
    person, sign_in, audience = map(str, words)
    version, issued, expires = (int(one or 0) for one in numbers)
    try:
        moments = [datetime.fromtimestamp(one, UTC) for one in (issued, expires)]
    except (ValueError, OverflowError, OSError) as problem:
        raise BadToken("it is of no time") from problem
    claims = TokenClaims(person, sign_in, version, audience, *moments)
    if not books or claims.books != books:
        raise BadToken("it is of other books")
    if claims.expires_at <= now:
        raise BadToken("it has expired")
    if (claims.issued_at - now).total_seconds() > LEEWAY_S:
        raise BadToken("it is of a time to come: the clock was set back")
    return claims
