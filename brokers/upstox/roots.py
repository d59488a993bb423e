"""Where Upstox's interfaces are: its own, or a stand-in's on this machine."""

from urllib.parse import urlsplit

from msgspec import Struct

from brokers.wire.access import is_loopback, loopback_place


class UpstoxRoots(Struct, frozen=True):
    """Hosts of ordinary calls, of placing, modifying and cancelling orders, and of the instruments' file.

    The sign-in page is under `rest` too, and both sockets are where its authorize routes say. `redirect` is
    the address that the apps have registered for the end of a sign-in. Where one `looks_only`, nothing is
    built that could send, modify, convert or cancel there. Upstox API documentation, introduction.
    """

    rest: str = "https://api.upstox.com"
    orders: str = "https://api-hft.upstox.com"
    instruments: str = "https://assets.upstox.com"
    redirect: str = "http://127.0.0.1/"
    looks_only: bool = False

    @property
    def is_local(self) -> bool:
        """Whether this is a stand-in on this machine."""
        return is_loopback(urlsplit(self.rest).hostname)


def upstox_roots(base_url: str | None) -> UpstoxRoots:
    """Upstox's own roots, or those of a stand-in at `base_url`, such as `http://127.0.0.1:8200`.

    Raises `BadInput` for any address but one of this machine without a path.
    """
    if base_url is None:
        return UpstoxRoots()
    place = f"http://{loopback_place(base_url, 'upstox base url')}"
    return UpstoxRoots(rest=place, orders=place, instruments=place)
