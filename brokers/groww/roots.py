"""Where Groww's interfaces are: its own, or a stand-in's on this machine."""

from urllib.parse import urlsplit

from msgspec import Struct

from brokers.wire.access import is_loopback, loopback_place


class GrowwRoots(Struct, frozen=True):
    """Hosts of calls, of the instruments' file and of the feed, and the page where a client sees its keys.

    Where one `looks_only`, nothing is built that could send, modify or cancel there. Groww Trading API
    documentation, introduction and instruments; the feed's is that of its official client.
    """

    rest: str = "https://api.groww.in"
    instruments: str = "https://growwapi-assets.groww.in"
    feed: str = "wss://socket-api.groww.in"
    keys_page: str = "https://groww.in/trade-api/api-keys"
    looks_only: bool = False

    @property
    def is_local(self) -> bool:
        """Whether this is a stand-in on this machine."""
        return is_loopback(urlsplit(self.rest).hostname)


def groww_roots(base_url: str | None) -> GrowwRoots:
    """Groww's own roots, or those of a stand-in at `base_url`, such as `http://127.0.0.1:8300`.

    Raises `BadInput` for any address but one of this machine without a path.
    """
    if base_url is None:
        return GrowwRoots()
    place = loopback_place(base_url, "groww base url")
    return GrowwRoots(
        rest=f"http://{place}",
        instruments=f"http://{place}",
        feed=f"ws://{place}",
        keys_page=f"http://{place}/trade-api/api-keys",
    )
