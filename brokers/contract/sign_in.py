"""Signing a client in at its broker."""

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Protocol

from msgspec import Struct

from brokers.contract.account import BrokerAccount
from data.vocabulary import Demat

HIDDEN = "(hidden)"
"""Stands for a secret in messages: none is ever shown."""


class SignInField(Struct, frozen=True):
    """One thing that a sign-in asks for. A `secret` one is shown nowhere while it is typed or after."""

    name: str
    label: str
    secret: bool = True


def _no_state(address: str) -> str | None:
    return None


class SignInForm(Struct, frozen=True):
    """What a client's sign-in asks for, one field after another, and when the session that it becomes ends.

    `read` makes of what was typed, by the fields' names, the token that `SignIn.exchange_token` takes; it
    raises `BadInput`, whose message shows no secret. `state_of` finds in an address where a browser was sent
    the state that `SignIn.login_url` was given. A session made before `session_end`, a time of day of an
    aware time zone, ends then; None where it does not end by the clock.
    """

    fields: tuple[SignInField, ...]
    read: Callable[[Mapping[str, str]], str]
    state_of: Callable[[str], str | None] = _no_state
    session_end: time | None = None


class BrokerProfile(Struct, frozen=True):
    """Whose session this is, and by what right its shares are sold, where the broker tells that.

    `session_ends` is when the session is over by the broker's own word; None where it does not say so.
    """

    user_id: str
    user_name: str
    broker: str
    demat: Demat = Demat.UNKNOWN
    session_ends: datetime | None = None


class SignIn(Protocol):
    """How a client's session is made and looked at."""

    async def login_url(self, account: BrokerAccount, state: str = "") -> str:
        """Where the client signs in; empty where nothing is asked of it.

        A `state` comes back as that parameter of the redirected address.
        """
        ...

    async def exchange_token(self, account: BrokerAccount, request_token: str) -> BrokerProfile:
        """Turn what the form came to into a session. Raises `BrokerError`."""
        ...

    async def profile(self, account: BrokerAccount) -> BrokerProfile:
        """Whose session this is. Raises `SessionExpired`."""
        ...
