"""What a desk and the signing service say to each other: one line of JSON each way, and the end."""

from datetime import datetime

import msgspec
from msgspec import Struct

from data.sign_in.tokens import TokenClaims

LONGEST_LINE = 16 * 1024
"""Bytes of a line; a longer one ends the connection."""

SLOW_S = 5.0
"""Seconds that the service waits for what it is asked."""

ANSWER_S = 15.0
"""Seconds that a desk waits for the answer: a hash, and two commits that may wait for a halt."""


class ReadyAsked(Struct, frozen=True, tag="ready", forbid_unknown_fields=True):
    """Whether the service is there, with its key."""


class SignInAsked(Struct, frozen=True, tag="sign_in", forbid_unknown_fields=True):
    """Sign somebody in."""

    name: str
    password: str
    place: str


class RenewAsked(Struct, frozen=True, tag="renew", forbid_unknown_fields=True):
    """Another token in place of one that ends."""

    refresh: str


class PasswordAsked(Struct, frozen=True, tag="password", forbid_unknown_fields=True):
    """Whether a password is that of who has signed in."""

    name: str
    sign_in: str
    password: str
    place: str


AskedOfService = ReadyAsked | SignInAsked | RenewAsked | PasswordAsked


class SignedInTold(Struct, frozen=True, tag="signed_in"):
    """Somebody is signed in."""

    token: str
    refresh: str
    claims: TokenClaims
    until: datetime


class TokenTold(Struct, frozen=True, tag="token"):
    """Another token."""

    token: str


class AnswerTold(Struct, frozen=True, tag="answer"):
    """A plain yes or no."""

    yes: bool


class RefusedTold(Struct, frozen=True, tag="refused"):
    """A name and a password that are not of one person, or one has to wait so many seconds."""

    wait_s: int


class NobodyTold(Struct, frozen=True, tag="nobody"):
    """A refresh token that renews nothing, and why."""

    why: str


class BadInputTold(Struct, frozen=True, tag="bad_input"):
    """What cannot be taken. The value is never told: it may be a password."""

    field: str
    expected: str


class TroubleTold(Struct, frozen=True, tag="trouble"):
    """The service is there and cannot do it now."""

    why: str


ToldByService = SignedInTold | TokenTold | AnswerTold | RefusedTold | NobodyTold | BadInputTold | TroubleTold

_asked = msgspec.json.Decoder(AskedOfService)
_told = msgspec.json.Decoder(ToldByService)


def encoded(line: AskedOfService | ToldByService) -> bytes:
    """A line as it crosses."""
    return msgspec.json.encode(line) + b"\n"


def asked_in(line: bytes) -> AskedOfService:
    """What is asked. Raises `ValueError` for what is not of the protocol."""
    return _asked.decode(_whole(line))


def told_in(line: bytes) -> ToldByService:
    """What is told. Raises `ValueError` for what is not of the protocol."""
    return _told.decode(_whole(line))


def _whole(line: bytes) -> bytes:
    if not line.endswith(b"\n"):
        raise ValueError("the line is not whole")
    return line
