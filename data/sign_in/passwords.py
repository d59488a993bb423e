"""Passwords: Argon2id hashes of them, and what one has to be."""

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from data.errors import BadInput

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 12, 256
"""Characters of a password. NIST SP 800-63B asks for 8 at least and no rule of what is in it; a hash takes
as long for each byte, so that a longest one keeps a guess from costing more than itself."""


class Cost(Struct, frozen=True):
    """What a hash costs: passes, memory in KiB, lanes."""

    passes: int
    memory_kib: int
    lanes: int


RFC_9106 = Cost(passes=3, memory_kib=64 * 1024, lanes=4)
"""The second recommended option of RFC 9106, section 4, for where 2 GiB a guess are not to be had."""

_cost = RFC_9106


def set_cost(cost: Cost) -> None:
    """Have hashes cost so much from here on; tests hash cheaply."""
    global _cost
    _cost = cost
    _hasher.cache_clear()
    _nobodys.cache_clear()


def cost_now() -> Cost:
    """What a hash costs that is made now."""
    return _cost


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(_cost.passes, _cost.memory_kib, _cost.lanes)


@cache
def _nobodys() -> str:
    return _hasher().hash("nobody's")


def checked(password: str) -> str:
    """A password that may be set, as it is hashed. Raises `BadInput`, which echoes nothing of it."""
    _check_length(password)
    if len(password) < SHORTEST:
        raise BadInput("password", "(hidden)", f"give at least {SHORTEST} characters")
    if len(set(password)) < 4:
        raise BadInput("password", "(hidden)", "give one of more than three different signs")
    return as_hashed(password)


def as_hashed(password: str) -> str:
    """A password in the one form of its signs, however a keyboard composes them. Raises `BadInput`."""
    _check_length(password)
    return unicodedata.normalize("NFC", password)


def _check_length(password: str) -> None:
    if len(password) > LONGEST:
        raise BadInput("password", "(hidden)", f"give at most {LONGEST} characters")
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in password):
        raise BadInput("password", "(hidden)", "give one line of text")


def hashed(password: str) -> str:
    """The hash of a password that `checked` took, with its salt and cost in one text."""
    return _hasher().hash(password)


def is_right(stored: str, password: str) -> bool:
    """Whether a password is the one of a stored hash; an empty hash takes as long and is none's."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        right = _hasher().verify(stored or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return right and bool(stored)


def wants_rehash(stored: str) -> bool:
    """Whether a stored hash cost something else than one made now."""
    return _hasher().check_needs_rehash(stored)


def seconds_of_a_hash(monotonic: Callable[[], float]) -> float:
    """How long one hash takes on this machine, by its clock."""
    began = monotonic()
    hashed("how long is it?")
    return monotonic() - began
