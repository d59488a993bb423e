"""Which Kite calls go to."""

from urllib.parse import urlsplit

from msgspec import Struct

from brokers.wire.access import is_loopback, loopback_place


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
        return is_loopback(urlsplit(self.rest).hostname)


def kite_roots(base_url: str | None) -> KiteRoots:
    """Zerodha's own roots, or those of a stand-in at `base_url`, such as `http://127.0.0.1:8100`.

    Raises `BadInput` for any address but one of this machine without a path.
    """
    if base_url is None:
        return KiteRoots()
    place = loopback_place(base_url, "kite base url")
    return KiteRoots(f"http://{place}", f"http://{place}/connect/login", f"ws://{place}")
