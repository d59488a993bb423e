"""Instruments found by key, by what a trader types, and by part of a symbol or name."""

import difflib
import itertools
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple, Protocol

from data.errors import BadInput
from data.reference.instruments import EXCHANGES, BrokerListing, Instrument
from data.reference.listed import lists_another


class UnknownSymbol(BadInput):
    """No instrument has this symbol; the message offers the nearest ones."""


class Named(NamedTuple):
    """What of an instrument is searched."""

    exchange: str
    tradingsymbol: str
    name: str

    @property
    def key(self) -> str:
        """`EXCHANGE:SYMBOL`."""
        return f"{self.exchange}:{self.tradingsymbol}"


class Source(Protocol):
    """Where instruments are kept. Each call may come from any thread."""

    def of_key(self, key: str) -> Instrument | None:
        """The instrument of a key in capitals, whatever its own letter case."""
        ...

    def of_isin(self, isin: str) -> Sequence[Instrument]:
        """Those with this ISIN."""
        ...

    def listing(self, broker: str, key: str) -> BrokerListing | None:
        """How a broker lists the instrument of a key; None where it does not."""
        ...

    def names(self) -> Sequence[Named]:
        """What of every one is searched."""
        ...

    def every(self) -> Sequence[Instrument]:
        """All of them."""
        ...


class _InMemory:
    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._by_key = {one.key.upper(): one for one in instruments}

    def of_key(self, key: str) -> Instrument | None:
        return self._by_key.get(key)

    def of_isin(self, isin: str) -> Sequence[Instrument]:
        return [one for one in self._by_key.values() if one.isin == isin]

    def listing(self, broker: str, key: str) -> BrokerListing | None:
        found = self._by_key.get(key.upper())
        return None if found is None else BrokerListing(broker, found.key, None, found.tradingsymbol)

    def names(self) -> Sequence[Named]:
        return [Named(one.exchange, one.tradingsymbol, one.name) for one in self.every()]

    def every(self) -> Sequence[Instrument]:
        return list(self._by_key.values())


def index_of(instruments: Iterable[Instrument]) -> "InstrumentIndex":
    """An index of instruments that are at hand."""
    return InstrumentIndex(_InMemory(instruments))


class InstrumentIndex:
    """Instruments as they stood when each was first asked for, and their names as of the first search.

    `former` are the keys of today by keys of before.
    """

    def __init__(self, source: Source, former: Mapping[str, str] | None = None) -> None:
        self._source = source
        self._former = {old.upper(): now.upper() for old, now in (former or {}).items()}
        self._known: dict[str, Instrument | None] = {}
        self._of_isin: dict[str, Sequence[Instrument]] = {}
        self._listed: dict[tuple[str, str], BrokerListing | None] = {}

    def __len__(self) -> int:
        return len(self._names.found)

    def __iter__(self) -> Iterator[Instrument]:
        return iter([self._known.get(key) or one for key, one in self._every])

    @cached_property
    def _every(self) -> list[tuple[str, Instrument]]:
        return [(one.key.upper(), one) for one in sorted(self._source.every(), key=_place)]

    def get(self, key: str) -> Instrument | None:
        """The instrument that an `EXCHANGE:SYMBOL` key names, or named before; letter case aside."""
        found = self._get(key.upper())
        return found or self._get(self._former.get(key.upper(), ""))

    def _get(self, key: str) -> Instrument | None:
        if key and key not in self._known:
            self._known[key] = self._source.of_key(key)
        return self._known.get(key)

    def of_isin(self, isin: str, exchange: str) -> Instrument | None:
        """The only instrument of an exchange with this ISIN."""
        if isin not in self._of_isin:
            self._of_isin[isin] = self._source.of_isin(isin)
        found = [one for one in self._of_isin[isin] if one.exchange == exchange]
        return found[0] if len(found) == 1 else None

    def key_now(self, key: str) -> str:
        """The key of today of an instrument that a broker or an order calls by this one."""
        found = self.get(key)
        return key if found is None else found.key

    def listing(self, broker: str, key: str) -> BrokerListing | None:
        """How a broker lists the instrument of a key, which is one of now and in its own letter case.

        None where it does not; `data.reference.listed` says whether it is the same security.
        """
        if (broker, key) not in self._listed:
            self._listed[broker, key] = self._source.listing(broker, key)
        return self._listed[broker, key]

    def lists(self, broker: str, instrument: Instrument) -> bool:
        """Whether a broker lists an instrument, and not another security under its name."""
        listing = self.listing(broker, instrument.key)
        return listing is not None and not lists_another(instrument, listing)

    def put(self, instrument: Instrument) -> None:
        """Have an instrument in the place of the known one with its key and name. Raises `KeyError`."""
        key = instrument.key.upper()
        if self._get(key) is None:
            raise KeyError(key)
        self._known[key] = instrument

    def resolve(self, text: str, exchange: str | None = None) -> Instrument:
        """The instrument a trader means by `RELIANCE` or `nse:reliance`; NSE's where both exchanges have it.

        Raises `UnknownSymbol`, whose message offers the nearest symbols.
        """
        wanted = _plain(text)
        prefix, colon, symbol = wanted.partition(":")
        if colon and exchange is not None and prefix != exchange.upper():
            raise UnknownSymbol("symbol", text, f"it names another exchange than {exchange}")
        places = (prefix,) if colon else (exchange.upper(),) if exchange else EXCHANGES
        symbol = symbol if colon else wanted
        for place in places:
            found = self.get(f"{place}:{symbol}")
            if found is not None:
                return found
        near = self._near(symbol)
        expected = f"did you mean {', '.join(near)}?" if near else "no such symbol"
        if symbol and not self._names.found:
            expected = "no instruments are known yet: tradedesk instruments import FILE"
        raise UnknownSymbol("symbol", text, expected)

    def search(self, text: str, limit: int = 20, first: Iterable[str] = ()) -> list[Instrument]:
        """Instruments by symbol or name, at most `limit`.

        First the symbol itself, then symbols that begin with the text, then names with a word that begins
        with it, then any that contain it; within each those whose keys are `first`, then NSE before BSE, in
        the order of symbols.
        """
        found = (self.get(named.key) for named in self._names.search(text, limit, first))
        return [one for one in found if one is not None]

    @property
    def is_searched(self) -> bool:
        """Whether the names have been read."""
        return "_names" in self.__dict__

    def read_names(self) -> None:
        """Read what a search looks through, which may take a while; any thread may do so beforehand."""
        _ = self._names

    @cached_property
    def _names(self) -> "_Names":
        return _Names(self._source.names())

    def _near(self, symbol: str) -> list[str]:
        if not symbol:
            return []
        symbols = dict.fromkeys(one.tradingsymbol for one in self._names.found)
        # Comparing is slow; a slip of the finger seldom changes the first letter or the length much.
        alike = [name for name in symbols if name[:1] == symbol[0] and abs(len(name) - len(symbol)) <= 2]
        close = difflib.get_close_matches(symbol, alike, n=3)
        found = self._names.search(symbol, 3)
        return list(dict.fromkeys([*close, *(one.tradingsymbol for one in found)]))[:4]


class _Names:
    """Symbols and names to search through; one line an instrument, so that a kind of match is one search."""

    def __init__(self, names: Iterable[Named]) -> None:
        self.found = sorted(names, key=attrgetter("tradingsymbol"))
        self.found.sort(key=lambda one: _RANKS.get(one.exchange, len(_RANKS)))
        symbols, said = ([one[place] for one in self.found] for place in (1, 2))
        lines = list(map("\t ".join, zip(symbols, _even(said), strict=True)))
        text = "\n".join(lines).upper()
        if len(text) != sum(map(len, lines)) + max(0, len(lines) - 1):  # capitals that are longer, as of ß
            lines = [line.upper() for line in lines]
        self._text = f"\n{text}\n" if lines else "\n"
        lengths = (len(line) + 1 for line in lines[:-1])
        self._starts = list(itertools.accumulate(lengths, initial=0)) if lines else []

    @cached_property
    def _line_of(self) -> Mapping[str, int]:
        return {one.key.upper(): line for line, one in enumerate(self.found)}

    def search(self, text: str, limit: int, first: Iterable[str] = ()) -> list[Named]:
        """What `InstrumentIndex.search` finds."""
        wanted = _plain(text)
        if not wanted:
            return []
        lines = sorted({self._line_of[key.upper()] for key in first if key.upper() in self._line_of})
        found: dict[int, None] = {}
        for needle in (f"\n{wanted}\t", f"\n{wanted}", f" {wanted}", wanted):
            found.update((line, None) for line in lines if needle in self._words_of(line))
            position = self._text.find(needle)
            while position >= 0 and len(found) < limit:
                line = bisect_right(self._starts, position) - 1
                found[line] = None
                if line + 1 == len(self._starts):
                    break
                position = self._text.find(needle, self._starts[line + 1])
        return [self.found[line] for line in itertools.islice(found, limit)]

    def _words_of(self, line: int) -> str:
        """What of the searched text is one instrument's, with the ends of line around it."""
        after = self._starts[line + 1] if line + 1 < len(self._starts) else len(self._text) - 1
        return self._text[self._starts[line] : after + 1]


def renamed_to(index: InstrumentIndex, instrument: Instrument) -> str | None:
    """What an instrument, as it was read before, is called by now; None where that has not changed.

    Its own key where that names another security.
    """
    now = index.get(instrument.key)
    if now is None or (now.key == instrument.key and now.security == instrument.security):
        return None
    return now.key


def _place(one: Named | Instrument) -> tuple[int, str]:
    rank = EXCHANGES.index(one.exchange) if one.exchange in EXCHANGES else len(EXCHANGES)
    return rank, one.tradingsymbol


def _plain(text: str) -> str:
    return " ".join(text.upper().split())


_RANKS = {exchange: rank for rank, exchange in enumerate(EXCHANGES)}

_UNEVEN = re.compile(r"[^\S ]|  |(?:^|\0) | (?:\0|$)")


def _even(texts: Sequence[str]) -> Sequence[str]:
    """Texts with single blanks between their words; many are looked at as one, since few need it."""
    if not _UNEVEN.search("\0".join(texts)):
        return texts
    return [" ".join(text.split()) for text in texts]
