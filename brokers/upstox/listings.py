"""Upstox's keys of instruments, such as `NSE_EQ|INE002A01018`, and what the desk calls them.

Orders, books and prices all go by the key. It holds the ISIN of a share, so a company's new symbol leaves it
as it is. The symbol of a row is used only where nothing is known of its key.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from data.reference.instruments import BrokerListing

Lister: TypeAlias = Callable[[Collection[str]], Sequence[BrokerListing]]
"""Says how Upstox lists instruments, by the desk's keys or by Upstox's."""


class UpstoxListings:
    """Upstox's key of what the desk asks for, and the desk's of what Upstox tells."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._by_key: Lister = lambda keys: ()
        self._by_token: Lister = lambda tokens: ()

    def learn(self, by_key: Lister, by_token: Lister) -> None:
        """Ask the desk's own list anew for each instrument from now on."""
        self._tokens.clear()
        self._keys.clear()
        self._by_key, self._by_token = by_key, by_token

    def tokens(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Upstox's keys of these of the desk's; what it does not list is missing."""
        wanted = list(dict.fromkeys(keys))
        self._take(self._by_key([key for key in wanted if key not in self._tokens]))
        return {key: token for key in wanted if (token := self._tokens.get(key))}

    def key(self, token: str, exchange: str, symbol: str) -> str:
        """The desk's `EXCHANGE:SYMBOL` of what a row names by Upstox's key, exchange and symbol."""
        if token not in self._keys:
            self._take(self._by_token([token]))
        return self._keys.get(token) or f"{exchange}:{symbol.removesuffix('-EQ')}"

    def told(self, rows: Iterable[tuple[str, str]]) -> None:
        """Take what the instruments' file lists, by key and token, where the desk has not said otherwise."""
        for key, token in rows:
            self._tokens.setdefault(key, token)
            self._keys.setdefault(token, key)

    def _take(self, found: Iterable[BrokerListing]) -> None:
        for one in found:
            if one.token:
                self._tokens[one.key] = one.token
                self._keys[one.token] = one.key
