"""Which index a share is of, its sector and the size of its company: dated lists, with their sources."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from importlib.resources import files

from msgspec import Struct
from pydantic import BaseModel, ConfigDict

from data.csvfiles import nearest
from data.errors import BadInput
from data.reference.instruments import Instrument
from data.reference.seed import universe

LONG = 14
"""Letters from which on a class is called by its short word."""


class _NamedClass(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    also: tuple[str, ...] = ()


class _ListedClass(_NamedClass):
    as_of: date
    source: str
    symbols: str


class _ClassLists(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    index: tuple[_ListedClass, ...]
    cap: tuple[_ListedClass, ...]
    sector: tuple[_NamedClass, ...]


class ShareClass(Struct, frozen=True):
    """One class of shares: its name, the words it may be called by, and from when and whom its list is.

    `word` is what to type for it.
    """

    name: str
    word: str
    words: frozenset[str]
    as_of: date | None = None
    source: str = ""
    symbols: frozenset[str] = frozenset()


class Classes:
    """The lists. Shares are looked up under their NSE symbol, or where that is not theirs by their ISIN."""

    def __init__(self, file: _ClassLists) -> None:
        self.indices = tuple(_share_class(one, one.as_of, one.source, one.symbols) for one in file.index)
        self.caps = tuple(_share_class(one, one.as_of, one.source, one.symbols) for one in file.cap)
        self.sectors = tuple(_share_class(one) for one in file.sector)
        listed = [row.instrument for row in universe()]
        self._symbol_of_isin = {one.isin: one.tradingsymbol for one in listed if one.isin}
        self._sector_of = {one.tradingsymbol: one.sector for one in listed if one.sector}
        self._cap_of = {symbol: cap.name for cap in self.caps for symbol in cap.symbols}

    def indices_of(self, instrument: Instrument) -> list[str]:
        """The indices whose list has a share."""
        symbol = self._symbol(instrument)
        return [one.name for one in self.indices if symbol in one.symbols]

    def cap_of(self, instrument: Instrument) -> str | None:
        """The size of a share's company by AMFI: large, mid or small; None where it is not known."""
        return self._cap_of.get(self._symbol(instrument))

    def sector_of(self, instrument: Instrument) -> str | None:
        """A share's sector, its own where it has one; None where it is not known."""
        return instrument.sector or self._sector_of.get(self._symbol(instrument))

    def _symbol(self, instrument: Instrument) -> str:
        if instrument.isin:
            return self._symbol_of_isin.get(instrument.isin, instrument.tradingsymbol)
        return instrument.tradingsymbol if instrument.exchange == "NSE" else ""


def class_of(word: str, what: str, among: Sequence[ShareClass]) -> ShareClass:
    """The class that a word means: a whole name, a short word, or what begins just one of them.

    Raises `BadInput`, whose field is `what`, with the words that there are.
    """
    wanted = _plain(word)
    exact = [one for one in among if wanted in one.words]
    begun = [one for one in among if wanted and any(name.startswith(wanted) for name in one.words)]
    found = exact or begun
    if len(found) == 1:
        return found[0]
    if found:
        raise BadInput(what, word, f"it may be {' or '.join(one.word for one in found)}")
    raise BadInput(what, word, nearest(wanted, [one.word for one in among]))


def _share_class(
    one: _NamedClass, as_of: date | None = None, source: str = "", symbols: str = ""
) -> ShareClass:
    words = [_plain(word) for word in (one.name, *one.also)]
    word = words[1] if len(words[0]) > LONG and len(words) > 1 else words[0]
    return ShareClass(one.name, word, frozenset(words), as_of, source, frozenset(symbols.split()))


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.casefold())


def sources(used: Iterable[ShareClass]) -> list[str]:
    """From when and whom the lists of these classes are."""
    told = {f"{one.source}, as of {one.as_of:%d %b %Y}": None for one in used if one.as_of is not None}
    return list(told)


@cache
def classes() -> Classes:
    """The lists of the package, read once."""
    text = (files("data.reference.seed") / "classes.toml").read_text(encoding="utf-8")
    return Classes(_ClassLists.model_validate(tomllib.loads(text)))
