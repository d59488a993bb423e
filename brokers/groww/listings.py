"""What Groww calls the desk's instruments, and what of the desk's its rows name.

Orders, books and quotes go by exchange and trading symbol, prices of the feed by the exchange's number. Both
stand in the token under which the desk keeps a listing: `CASH|2885|RELIANCE`, or `IDX|NIFTY|NIFTY`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from brokers.wire.symbols import BrokerSymbols
from data.reference.instruments import BrokerListing

Lister: TypeAlias = Callable[[Collection[str]], Sequence[BrokerListing]]
"""Says how Groww lists instruments, by the desk's keys."""

INDEX = "IDX"
"""The kind of an index; a share's is its segment."""


class Listed(Struct, frozen=True):
    """An instrument at Groww: its exchange, its number there, and its trading symbol."""

    exchange: str
    kind: str
    number: str
    symbol: str

    @property
    def token(self) -> str:
        """Under which the desk keeps it."""
        return f"{self.kind}|{self.number}|{self.symbol}"

    @property
    def quoted(self) -> str:
        """As calls of many prices name it: `NSE_RELIANCE`."""
        return f"{self.exchange}_{self.symbol}"

    @property
    def is_index(self) -> bool:
        """Whether it is an index, of which there is a value and no book."""
        return self.kind == INDEX


def listed_of(exchange: str, token: str | None) -> Listed | None:
    """What a token says; None for one that is not of this form."""
    kind, _, rest = (token or "").partition("|")
    number, _, symbol = rest.partition("|")
    return Listed(exchange, kind, number, symbol) if number and symbol else None


class GrowwListings:
    """What Groww calls what the desk asks for, and the desk's name of what Groww tells."""

    def __init__(self) -> None:
        self._listed: dict[str, Listed] = {}
        self._symbols = BrokerSymbols()
        self._by_key: Lister = lambda keys: ()

    def learn(self, by_key: Lister, otherwise: Iterable[BrokerListing]) -> None:
        """Ask the desk's own list anew for each instrument; `otherwise` are those that Groww names
        otherwise."""
        self._listed.clear()
        self._by_key = by_key
        self._symbols.learn(otherwise)

    def of(self, keys: Iterable[str]) -> Mapping[str, Listed]:
        """What Groww calls these; what it does not list is missing."""
        wanted = list(dict.fromkeys(keys))
        for one in self._by_key([key for key in wanted if key not in self._listed]):
            if (found := listed_of(one.key.partition(":")[0], one.token)) is not None:
                self._listed[one.key] = found
        return {key: found for key in wanted if (found := self._listed.get(key))}

    def key(self, exchange: str, symbol: str) -> str:
        """The desk's `EXCHANGE:SYMBOL` of what a row names."""
        return self._symbols.key_here(f"{exchange}:{symbol}")

    def key_of_share(self, symbol: str) -> str:
        """The same of a row that names no exchange: that of NSE, or of BSE where it is listed there alone."""
        both = [self.key(exchange, symbol) for exchange in ("NSE", "BSE")]
        return next(iter(self.of(both)), both[0])

    def told(self, rows: Iterable[tuple[str, Listed]]) -> None:
        """Take what the instruments' file lists, by key, where the desk has not said otherwise."""
        for key, one in rows:
            self._listed.setdefault(key, one)
