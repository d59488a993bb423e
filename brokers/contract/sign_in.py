"""Signing a client in at its broker."""

from dataclasses import dataclass
from typing import Protocol

from brokers.contract.account import BrokerAccount
from data.vocabulary import Demat


@dataclass(frozen=True, slots=True)
class BrokerProfile:
    """Whose session this is, and by what right its shares are sold, where the broker tells that."""

    user_id: str
    user_name: str
    broker: str
    demat: Demat = Demat.UNKNOWN


class SignIn(Protocol):
    """How a client's session is made and looked at."""

    async def login_url(self, account: BrokerAccount, state: str = "") -> str:
        """Where the client signs in; empty if this broker needs no login.

        A `state` comes back as that parameter of the redirected address.
        """
        ...

    async def exchange_token(self, account: BrokerAccount, request_token: str) -> BrokerProfile:
        """Turn what the login returned into a session. Raises `BrokerError`."""
        ...

    async def profile(self, account: BrokerAccount) -> BrokerProfile:
        """Whose session this is. Raises `SessionExpired`."""
        ...
