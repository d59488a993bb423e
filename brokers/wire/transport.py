"""How a client's calls reach a broker: from which address of this machine, once, and with a last look.

Resolving the name, connecting, a proxy's tunnel and the TLS handshake can take seconds, in which a halt or a
price's move may come. So that look is taken when the connection stands and nothing of the request has been
written. aiohttp makes a change or a deletion again where a kept connection breaks under it; that second try
is stopped here, since a broker may take each send for one of its own.
"""

import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.connector import Connection

from brokers.contract import nothing_keeps_it_back
from brokers.wire.access import AccountRoute

AGENT = "tradedesk"
"""Gateways, Upstox's for one, are reported to turn away the names that libraries give themselves."""

IDLE_S = 60.0
"""For how long a connection waits for its next call."""


@dataclass(slots=True)
class Departure:
    """A request on its way: the look before its bytes leave, whether it is sent `once`, whether it `left`."""

    last_look: Callable[[], str] = nothing_keeps_it_back
    once: bool = False
    left: bool = False


_DEPARTING: ContextVar[Departure | None] = ContextVar("departing", default=None)


@contextmanager
def departing(one: Departure) -> Generator[None]:
    """Have the one request that this task makes inside leave as this says."""
    token = _DEPARTING.set(one)
    try:
        yield
    finally:
        _DEPARTING.reset(token)


class HeldBack(aiohttp.ClientError):
    """A request of which nothing was written, as its last look did not let it leave."""


class SentOnce(aiohttp.ClientError):
    """A request that was written once, on a connection that broke; it is not written again."""


class LookingConnector(aiohttp.TCPConnector):
    """Takes a request's last look when its connection stands, and counts that it leaves then."""

    async def connect(self, *args: Any, **options: Any) -> Connection:
        """A connection for one request. Raises `HeldBack` and `SentOnce`."""
        connection = await super().connect(*args, **options)
        one = _DEPARTING.get()
        if one is None:
            return connection
        if one.once and one.left:
            connection.release()
            raise SentOnce
        if kept_back := one.last_look():
            connection.release()  # it stands and is unused: the order's next try finds it
            raise HeldBack(kept_back)
        one.left = True
        return connection


class WaysOut:
    """The HTTP sessions of a desk, one for each address of this machine that calls leave by.

    Neither a proxy nor a .netrc of this machine redirects a call, and no cookie is kept.
    """

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, socket.AddressFamily], aiohttp.ClientSession] = {}

    def session(self, route: AccountRoute | None = None) -> aiohttp.ClientSession:
        """The session for calls by this way; without one for what needs no client's way."""
        place = ("", socket.AF_UNSPEC) if route is None else (route.local_address, _family(route))
        session = self._sessions.get(place)
        if session is None:
            address, family = place
            connector = LookingConnector(
                limit=0,
                family=family,
                local_addr=(address, 0) if address else None,
                keepalive_timeout=IDLE_S,
            )
            session = self._sessions[place] = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return session

    async def close(self) -> None:
        """Close every connection; each is made anew when a call comes."""
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()


def _family(route: AccountRoute) -> socket.AddressFamily:
    """IPv4 where nothing else is said: IPv6 is often not the address that is registered at a broker."""
    if route.proxy or route.bind_address:
        return socket.AF_UNSPEC
    return socket.AF_INET6 if route.ip_version == 6 else socket.AF_INET
