"""Whose key, token and way out a Kite call uses, and which Kite it goes to.

The composition root implements `KiteAccess` over the client files and the vault; this adapter keeps no
secret beyond the clients that it has built.
"""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from brokers.contract import BrokerAccount
from data.errors import BadInput


@dataclass(frozen=True, slots=True)
class KiteRoute:
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


class KiteAccess(Protocol):
    """Keys, routes and tokens by account.

    A route is told from memory, on the event loop too; tokens and secrets may block and are asked for in
    worker threads.
    """

    def route(self, account: BrokerAccount) -> KiteRoute:
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


class KiteRoots(Struct, frozen=True):
    """Where Kite's REST interface, login page and stream are.

    Where one `looks_only`, nothing is built that could send, modify, convert or cancel there.
    """

    rest: str = "https://api.kite.trade"
    login: str = "https://kite.zerodha.com/connect/login"
    stream: str = "wss://ws.kite.trade"
    looks_only: bool = False

    @property
    def is_local(self) -> bool:
        """Whether this is a stand-in on this machine."""
        return _is_loopback(urlsplit(self.rest).hostname)


def kite_roots(base_url: str | None) -> KiteRoots:
    """Zerodha's own roots, or those of a stand-in at `base_url`, such as `http://127.0.0.1:8100`.

    Orders and tokens must not be sent to any other host by a slip in a setting, so `base_url` is taken on a
    loopback address only, and without a path, which the official client would drop. `localhost` stands for
    127.0.0.1, so that one stand-in has one name. Raises `BadInput`.
    """
    if base_url is None:
        return KiteRoots()
    expected = "give a loopback address without a path, such as http://127.0.0.1:8100"
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise BadInput("kite base url", base_url, expected) from None
    plain = parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme != "http" or not plain or not port or not _is_loopback(parts.hostname):
        raise BadInput("kite base url", base_url, expected)
    place = f"127.0.0.1:{port}" if parts.hostname == "localhost" else parts.netloc
    return KiteRoots(f"http://{place}", f"http://{place}/connect/login", f"ws://{place}")


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
