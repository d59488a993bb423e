"""Which address a call is seen as that leaves by a client's own way out."""

import json
import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from brokers.contract import BrokerError

LONGEST_ANSWER = 1_000
"""Bytes of an answer that are read: an address is short."""

WAIT_S = 8.0
"""How long a service may take; whoever waits for this one waits a little longer."""


class WayOut(Protocol):
    """What of a client's route decides by which address calls leave."""

    @property
    def proxy(self) -> str:
        """`http://host:port`, or empty."""
        ...

    @property
    def bind_address(self) -> str:
        """An address of this machine, or empty."""
        ...

    @property
    def egress_ip(self) -> str:
        """The address that the broker has on its list, or empty."""
        ...


class EchoService:
    """A service at `url` that answers with the address a call came from, as plain text or as JSON's `ip`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.name = urlsplit(url).hostname or url

    async def seen(self, route: WayOut) -> str:
        """The address that it sees, in its usual form. Raises `BrokerError` where it tells none."""
        import aiohttp  # takes a while to import, for the few who name a service

        local = route.bind_address
        version = ip_address(local or route.egress_ip).version if local or route.egress_ip else 0
        # A way straight out is that of the address on the broker's list; through a proxy the proxy decides.
        family = {4: socket.AF_INET, 6: socket.AF_INET6}.get(0 if route.proxy else version, socket.AF_UNSPEC)
        connector = aiohttp.TCPConnector(local_addr=(local, 0) if local else None, family=family)
        by = route.proxy or local or "this machine"
        try:
            timeout = aiohttp.ClientTimeout(total=WAIT_S)
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.get(self._url, proxy=route.proxy or None, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise BrokerError(f"{self.name} answered {answer.status} by {by}")
                return _address(await answer.content.read(LONGEST_ANSWER), self.name)
        except (TimeoutError, aiohttp.ClientError, OSError) as problem:
            raise BrokerError(f"{self.name} cannot be reached by {by} ({type(problem).__name__})") from None


def _address(answer: bytes, name: str) -> str:
    text = answer.decode("ascii", "replace").strip()
    with suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["ip"])
    try:
        return str(ip_address(text))
    except ValueError:
        raise BrokerError(f"{name} told no address") from None
