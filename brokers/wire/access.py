"""Whose key, token and way out a call uses.

The composition root implements `AccountAccess` over the client files and the vault; an adapter keeps no
secret beyond the clients that it has built.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from brokers.contract import BrokerAccount, BrokerError, BrokerProfile
from data.errors import BadInput

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AccountRoute:
    """How one client's calls leave: the api key, and a proxy (`http://host:port`) or a local address, or "".

    A proxy's address may carry a password, so it stays out of the text form. `ip_version` is that of the
    address that the broker has on its list, 4 or 6, which calls that go straight out must leave by; 0 where
    it is not known or the proxy or the local address decides.
    """

    api_key: str
    proxy: str = field(default="", repr=False)
    bind_address: str = ""
    ip_version: int = 0

    @property
    def local_address(self) -> str:
        """Which address of this machine connections begin at; any of one kind, or "" where the system
        chooses."""
        return self.bind_address or {4: "0.0.0.0", 6: "::"}.get(self.ip_version, "")


class AccountAccess(Protocol):
    """Keys, routes and tokens by account.

    A route is told from memory, on the event loop too; tokens and secrets may block and are asked for in
    worker threads.
    """

    def route(self, account: BrokerAccount) -> AccountRoute:
        """How this client's calls leave. Raises `BrokerError` where the client has no route."""
        ...

    def token(self, account: BrokerAccount) -> str | None:
        """Today's access token; None if the client has not signed in."""
        ...

    def newest_token(self, account: BrokerAccount) -> str | None:
        """The same looked up anew, should another process have made one."""
        ...

    def secret(self, api_key: str) -> str | None:
        """The api secret that belongs to a key."""
        ...

    def keep_token(self, account: BrokerAccount, token: str) -> None:
        """Store the token of a fresh login in place of the old one."""
        ...

    def drop_token(self, account: BrokerAccount) -> None:
        """Forget a client's token."""
        ...


CLOSED_CODE = "closed"
"""Code of what is not asked any more, since the adapter is closed."""


async def signed_in(
    accounts: Iterable[BrokerAccount],
    session: Callable[[BrokerAccount], Awaitable[tuple[AccountRoute, str | None]]],
) -> dict[BrokerAccount, tuple[AccountRoute, str]]:
    """The way out and the token of each that is signed in; nobody is once the adapter is closed."""
    found: dict[BrokerAccount, tuple[AccountRoute, str]] = {}
    for account in accounts:
        try:
            route, token = await session(account)
        except BrokerError as error:
            if error.code == CLOSED_CODE:
                return {}
            log.warning("%s is not followed: %s", account.user_id, error)
            continue
        if token:
            found[account] = (route, token)
    return found


class FollowsTokens(Protocol):
    """A stream that brings prices by one session and order updates by each."""

    def follow(
        self,
        feed: BrokerAccount | None,
        heard: Collection[BrokerAccount],
        tokens: Mapping[BrokerAccount, str],
    ) -> None:
        """Take prices by the session of `feed`, and the updates of those `heard`."""
        ...


async def follow_signed_in(
    stream: FollowsTokens,
    accounts: Iterable[BrokerAccount],
    heard: Collection[BrokerAccount] | None,
    session: Callable[[BrokerAccount], Awaitable[tuple[AccountRoute, str | None]]],
) -> BrokerAccount | None:
    """Have a stream follow those of these accounts that are signed in; returns the first, who has the prices.

    Where `heard` is given, updates come of those accounts alone, and no prices.
    """
    tokens = {account: token for account, (_, token) in (await signed_in(accounts, session)).items()}
    first = next(iter(tokens), None)
    stream.follow(
        first if heard is None else None,
        [one for one in tokens if heard is None or one in heard],
        tokens,
    )
    return first


def users_own(account: BrokerAccount, profile: BrokerProfile) -> BrokerProfile:
    """A session's profile. Raises `BrokerError` with code `other_user` where it is not this account's."""
    if profile.user_id.casefold() != account.user_id.casefold():
        words = f"This is the session of {profile.user_id}; sign in as {account.user_id}."
        raise BrokerError(words, "other_user")
    return profile


def loopback_place(base_url: str, field: str) -> str:
    """The `host:port` of a stand-in on this machine, at an address such as `http://127.0.0.1:8100`.

    Orders and tokens must not be sent to any other host by a slip in a setting, so it is taken on a loopback
    address only, and without a path, which clients would drop. `localhost` stands for 127.0.0.1, so that one
    stand-in has one name. Raises `BadInput` naming the `field`.
    """
    expected = "give a loopback address without a path, such as http://127.0.0.1:8100"
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise BadInput(field, base_url, expected) from None
    plain = parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme != "http" or not plain or not port or not is_loopback(parts.hostname):
        raise BadInput(field, base_url, expected)
    return f"127.0.0.1:{port}" if parts.hostname == "localhost" else parts.netloc


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
