"""The words of a search: `index:nifty50 sector:IT mtf vol>1M chg>2 price<500 cap:large` beside a text.

A word with a colon names a class of shares, one with a comparison a figure of the day, some stand alone; all
others are text that symbol or name must have. Classes by one name are alternatives: `cap:large cap:mid`, or
`cap:large,mid`; everything else must hold together.
"""

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from data.csvfiles import nearest
from data.errors import BadInput
from data.money import BPS, decimal_from_text
from data.reference.classes import Classes, ShareClass, class_of
from data.reference.instruments import EXCHANGES


class ClassKind(StrEnum):
    """What a word with a colon is about."""

    INDEX = "index"
    SECTOR = "sector"
    CAP = "cap"
    EXCHANGE = "exchange"


class Figure(StrEnum):
    """What a word with a comparison is about."""

    PRICE = "price"
    CHANGE = "chg"
    VOLUME = "vol"
    VALUE = "value"


class Trait(StrEnum):
    """A word that stands alone."""

    MTF = "mtf"
    MIS = "mis"
    FNO = "fno"


_TRAITS = frozenset(trait.value for trait in Trait)
_FIGURES: Mapping[str, Figure] = {
    **{figure.value: figure for figure in Figure},
    "ltp": Figure.PRICE,
    "change": Figure.CHANGE,
    "volume": Figure.VOLUME,
    "turnover": Figure.VALUE,
}
_UNIT_OF = {Figure.PRICE: 100, Figure.CHANGE: BPS // 100, Figure.VOLUME: 1, Figure.VALUE: 100}
"""By what a typed number is multiplied: paise, basis points, shares, paise."""
_TIMES = {"": 1, "k": 10**3, "l": 10**5, "lakh": 10**5, "m": 10**6, "cr": 10**7, "crore": 10**7, "b": 10**9}
_COMPARED: Mapping[str, Callable[[int, int], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
}
_COMPARISON = re.compile(r"([a-z]+)%?(>=|<=|=>|=<|>|<|=)(.*)", re.IGNORECASE)
_NUMBER = re.compile(r"₹?([+-]?[0-9.,]+)([a-z]*)%?", re.IGNORECASE)
_EXPECTED = {
    Figure.PRICE: "give rupees, such as price<500",
    Figure.CHANGE: "give percent, such as chg>2 or chg<-1.5",
    Figure.VOLUME: "give shares, such as vol>1M, vol>5L or vol>200k",
    Figure.VALUE: "give rupees of the day's trade, such as value>50cr",
}


class Limit(Struct, frozen=True):
    """A figure of the day and what it must be beside `value`: paise, basis points or shares."""

    figure: Figure
    sign: str
    value: int

    def holds(self, of: int) -> bool:
        """Whether a figure is so."""
        return _COMPARED[self.sign](of, self.value)


class Search(Struct, frozen=True):
    """What is searched for. Of classes one of each kind must hold, where there are any of the kind."""

    text: str
    classes: Mapping[ClassKind, tuple[ShareClass, ...]]
    exchanges: frozenset[str]
    traits: frozenset[Trait]
    limits: tuple[Limit, ...]

    @property
    def is_text(self) -> bool:
        """Whether there is no other word than text."""
        return not (self.classes or self.exchanges or self.traits or self.limits)

    @property
    def dated(self) -> list[ShareClass]:
        """The classes asked for whose lists are of a day."""
        return [one for named in self.classes.values() for one in named if one.as_of is not None]


def search_from(text: str, known: Classes) -> Search:
    """What is searched for by what was typed. Raises `BadInput` naming the word and what would be right."""
    plain: list[str] = []
    found: dict[ClassKind, list[ShareClass]] = {}
    exchanges: set[str] = set()
    traits: set[Trait] = set()
    limits: list[Limit] = []
    for word in text.split():
        name, colon, value = word.partition(":")
        if compared := _COMPARISON.fullmatch(word):
            limits.append(_limit(word, *compared.groups()))
        elif colon:
            kind = _kind(word, name)
            for each in value.split(","):
                if kind is ClassKind.EXCHANGE:
                    exchanges.add(_exchange(word, each))
                else:
                    found.setdefault(kind, []).append(_class(word, kind, each, known))
        elif word.casefold() in _TRAITS:
            traits.add(Trait(word.casefold()))
        else:
            plain.append(word)
    classes = {kind: tuple(dict.fromkeys(named)) for kind, named in found.items()}
    return Search(" ".join(plain), classes, frozenset(exchanges), frozenset(traits), tuple(limits))


def _kind(word: str, name: str) -> ClassKind:
    try:
        return ClassKind(name.casefold())
    except ValueError:
        raise BadInput(
            "search word", word, nearest(name.casefold(), [f"{kind}:" for kind in ClassKind])
        ) from None


def _class(word: str, kind: ClassKind, value: str, known: Classes) -> ShareClass:
    among = {ClassKind.INDEX: known.indices, ClassKind.SECTOR: known.sectors, ClassKind.CAP: known.caps}[kind]
    try:
        return class_of(value, kind.value, among)
    except BadInput as problem:
        raise BadInput("search word", word, problem.expected) from None


def _exchange(word: str, value: str) -> str:
    if value.upper() not in EXCHANGES:
        raise BadInput("search word", word, f"give exchange:{' or exchange:'.join(EXCHANGES)}")
    return value.upper()


def _limit(word: str, name: str, sign: str, number: str) -> Limit:
    figure = _FIGURES.get(name.casefold())
    if figure is None:
        raise BadInput("search word", word, nearest(name.casefold(), list(_FIGURES)))
    told = _NUMBER.fullmatch(number)
    times = _TIMES.get(told[2].casefold()) if told else None
    if told is None or times is None:
        raise BadInput("search word", word, _EXPECTED[figure])
    try:
        value = decimal_from_text(told[1], "search word", _EXPECTED[figure]) * times * _UNIT_OF[figure]
    except BadInput as problem:
        raise BadInput("search word", word, problem.expected) from None
    if value != value.to_integral_value() or abs(value) > Decimal(10) ** 18:
        raise BadInput("search word", word, _EXPECTED[figure])
    return Limit(figure, {"=>": ">=", "=<": "<="}.get(sign, sign), int(value))
