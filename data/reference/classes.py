"""Which index a share is of, its sector and the size of its company: dated lists, with their sources.

The lists are the package's; a home's own file has those of indices that were imported, which stand in place
of the package's where they are not older.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache, partial
from importlib.resources import files
from pathlib import Path

from msgspec import Struct
from pydantic import BaseModel, ConfigDict

from data.csvfiles import nearest
from data.errors import BadInput, shortened
from data.records import replace
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
    isins: str = ""


class _OwnLists(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    index: tuple[_ListedClass, ...] = ()


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
    isins: frozenset[str] = frozenset()


class Classes:
    """The lists. Shares are looked up under their NSE symbol, or where that is not theirs by their ISIN."""

    def __init__(self, file: _ClassLists) -> None:
        self.indices = tuple(map(_listed_class, file.index))
        self.caps = tuple(map(_listed_class, file.cap))
        self.sectors = tuple(_share_class(one) for one in file.sector)
        listed = [row.instrument for row in universe()]
        self._symbol_of_isin = {one.isin: one.tradingsymbol for one in listed if one.isin}
        self._sector_of = {one.tradingsymbol: one.sector for one in listed if one.sector}
        self._cap_of = {symbol: cap.name for cap in self.caps for symbol in cap.symbols}

    def indices_of(self, instrument: Instrument) -> list[str]:
        """The indices whose list has a share."""
        symbol = self._symbol(instrument)
        isin = instrument.isin
        return [one.name for one in self.indices if symbol in one.symbols or (isin and isin in one.isins)]

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
    wanted = plain_word(word)
    exact = [one for one in among if wanted in one.words]
    begun = [one for one in among if wanted and any(name.startswith(wanted) for name in one.words)]
    found = exact or begun
    if len(found) == 1:
        return found[0]
    if found:
        raise BadInput(what, word, f"it may be {' or '.join(one.word for one in found)}")
    raise BadInput(what, word, nearest(wanted, [one.word for one in among]))


def _share_class(one: _NamedClass) -> ShareClass:
    words = [plain_word(word) for word in (one.name, *one.also)]
    word = words[1] if len(words[0]) > LONG and len(words) > 1 else words[0]
    return ShareClass(one.name, word, frozenset(words))


def _listed_class(one: _ListedClass) -> ShareClass:
    symbols, isins = frozenset(one.symbols.split()), frozenset(one.isins.split())
    return replace(_share_class(one), as_of=one.as_of, source=one.source, symbols=symbols, isins=isins)


def plain_word(word: str) -> str:
    """A word as classes are compared by: its small letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", word.casefold())


def sources(used: Iterable[ShareClass]) -> list[str]:
    """From when and whom the lists of these classes are."""
    told = {f"{one.source}, as of {one.as_of:%d %b %Y}": None for one in used if one.as_of is not None}
    return list(told)


@cache
def _package_lists() -> _ClassLists:
    text = (files("data.reference.seed") / "classes.toml").read_text(encoding="utf-8")
    return _ClassLists.model_validate(tomllib.loads(text))


@cache
def classes() -> Classes:
    """The lists of the package, read once."""
    return Classes(_package_lists())


def _own_lists(path: Path) -> dict[str, _ListedClass]:
    """The indices of a home's own file by their plain names; none where there is no file.

    Raises `BadInput` for a file that cannot be read.
    """
    try:
        found = _OwnLists.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:  # of toml, of its text and of its values
        words = shortened(" ".join(str(problem).split()))
        raise BadInput("file", str(path), f"mend or remove it: {words}") from problem
    return {plain_word(one.name): one for one in found.index}


def classes_with(path: Path) -> Classes:
    """The lists of the package with those of a home's own file. Raises `BadInput` for one that is no such."""
    package = _package_lists()
    own = _own_lists(path)
    if not own:
        return classes()
    known = {plain_word(one.name): one for one in package.index}
    newer = {name: one for name, one in own.items() if name not in known or one.as_of >= known[name].as_of}
    return Classes(package.model_copy(update={"index": tuple((known | newer).values())}))


def text_with_index(path: Path, made: ShareClass) -> str:
    """The text of a home's own file once it has this list in place of one of its name.

    Raises `BadInput` for a file that cannot be read.
    """
    own = _own_lists(path)
    name = plain_word(made.name)
    also = [one.also for one in (*own.values(), *_package_lists().index) if plain_word(one.name) == name]
    assert made.as_of is not None, "a list has its day"
    own[name] = _ListedClass(
        name=made.name,
        also=also[0] if also else (),
        as_of=made.as_of,
        source=made.source,
        symbols=" ".join(sorted(made.symbols)),
        isins=" ".join(sorted(made.isins)),
    )
    return "\n".join(_toml_of(one) for one in own.values())


def _toml_of(one: _ListedClass) -> str:
    """A list as it stands in the file; the strings of JSON are such of TOML."""
    words = partial(json.dumps, ensure_ascii=False)
    return (
        f"[[index]]\nname = {words(one.name)}\nalso = {words(one.also)}\nas_of = {one.as_of.isoformat()}\n"
        f"source = {words(one.source)}\nsymbols = {words(one.symbols)}\nisins = {words(one.isins)}\n"
    )
