"""What a broker calls those of the desk's instruments that the desk calls otherwise."""

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from brokers.contract import BrokerRows
from data.records import replace
from data.reference.instruments import BrokerListing


class _Named(Protocol):
    """A request or a row of a book, which names an instrument."""

    @property
    def exchange(self) -> str: ...
    @property
    def tradingsymbol(self) -> str: ...


Named = TypeVar("Named", bound=_Named)


class BrokerSymbols:
    """A broker's own symbol of what the desk asks for, and the desk's own of what it tells."""

    def __init__(self) -> None:
        self._theirs: Mapping[str, str] = {}
        self._ours: Mapping[str, str] = {}

    def learn(self, listings: Iterable[BrokerListing]) -> None:
        """Take what the broker lists of the desk's instruments in place of what was known."""
        keys = {one.key: f"{one.key.partition(':')[0]}:{one.symbol}" for one in listings}
        self._theirs = {ours: theirs for ours, theirs in keys.items() if ours != theirs}
        self._ours = {theirs: ours for ours, theirs in self._theirs.items()}

    def key_there(self, key: str) -> str:
        """The broker's `EXCHANGE:SYMBOL` of one of the desk's."""
        return self._theirs.get(key, key)

    def key_here(self, key: str) -> str:
        """The desk's `EXCHANGE:SYMBOL` of one of the broker's."""
        return self._ours.get(key, key)

    def asked(self, one: Named) -> Named:
        """What the desk asks for under the broker's symbol."""
        return _renamed(one, self._theirs)

    def told(self, one: Named) -> Named:
        """What the broker tells under the desk's symbol."""
        return _renamed(one, self._ours)

    def told_rows(self, book: BrokerRows[Named]) -> BrokerRows[Named]:
        """A broker's book under the desk's symbols."""
        return replace(book, taken=tuple(map(self.told, book.taken))) if self._ours else book


def _renamed(one: Named, names: Mapping[str, str]) -> Named:
    key = names.get(f"{one.exchange}:{one.tradingsymbol}")
    return one if key is None else replace(one, tradingsymbol=key.partition(":")[2])
