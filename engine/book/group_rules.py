"""Groups by rule: `capital > 5L and broker = zerodha`, read once and asked of each client as it stands now.

A rule is comparisons joined by `and`, `or`, `not` and brackets, `and` before `or`. A word that is yes or no
stands alone (`mtf and not paused`). Money is rupees with `k`, `L` or `cr` behind, percentages are plain
numbers. Letter case says nothing. What a price moves is no field: a group would change with every tick.
"""

import difflib
import logging
import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal

from msgspec import Struct

from data.errors import BadInput
from data.money import BPS, decimal_from_text
from data.roster import StoredRule
from engine.book.views import ClientView, FundsView, HoldingView

log = logging.getLogger(__name__)

LONGEST = 300
"""Characters of a rule."""

DEEPEST = 20
"""Brackets and `not` within each other."""


class RuleSubject(Struct, frozen=True):
    """A client with its balances and shares, of whom a rule is asked."""

    client: ClientView
    funds: FundsView
    holdings: Collection[HoldingView] = ()


Holds = Callable[[RuleSubject], bool]


class ReadRule(Struct, frozen=True):
    """A rule as typed, and what asks it of a client."""

    text: str
    holds: Holds


_NUMBERS: Mapping[str, Callable[[RuleSubject], int | None]] = {
    "capital": lambda of: of.client.capital_paise,
    "cash": lambda of: of.funds.available_paise,
    "blocked": lambda of: of.funds.blocked_paise,
    "loan": lambda of: of.funds.mtf_loan_paise,
    "mtf-limit": lambda of: of.client.mtf_limit_paise,
    "mtf-used": lambda of: of.funds.mtf_used_bps,
    "multiplier": lambda of: of.client.multiplier_bps,
}
"""Fields that are numbers, in paise or basis points; None where there is nothing to compare."""

_UNITS = {name: BPS if name == "multiplier" else 100 for name in _NUMBERS}
"""What one of a typed number is in them: a rupee in paise, a percent in basis points, a whole multiplier."""

_TEXTS: Mapping[str, Callable[[RuleSubject], Collection[str]]] = {
    "broker": lambda of: (of.client.broker,),
    "code": lambda of: (of.client.code,),
    "connection": lambda of: (of.client.connection,),
    "group": lambda of: of.client.fixed_groups,
    "holds": lambda of: [one.tradingsymbol for one in of.holdings if one.quantity],
    "name": lambda of: (of.client.name,),
    "route": lambda of: (of.client.route,),
    "session": lambda of: (of.client.session.value,),
    "status": lambda of: (of.client.status.value,),
}
"""Fields that are words; of several any may be meant."""

_FLAGS: Mapping[str, Holds] = {
    "discretionary": lambda of: of.client.discretionary,
    "mtf": lambda of: of.client.mtf_limit_paise > 0,
    "paused": lambda of: of.client.paused,
    "ready": lambda of: of.client.gate is None,
}
"""Fields that are yes or no and stand alone."""

FIELDS = (*_NUMBERS, *_TEXTS, *_FLAGS)
"""Every word that a rule may ask about."""

_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}

_TOKEN = re.compile(r"""\s*(>=|<=|!=|==|[<>=()]|"[^"]*"|'[^']*'|[^\s<>=!()"']+)""")
_SCALES = {"k": 10**3, "l": 10**5, "lakh": 10**5, "m": 10**6, "cr": 10**7, "b": 10**9}
_JOINERS = ("and", "or", "not")


def rule_from(text: str) -> ReadRule:
    """A rule as typed. Raises `BadInput` with the word that cannot be taken and what would be right."""
    told = " ".join(text.split())
    if not told or len(told) > LONGEST:
        raise BadInput(
            "rule", text, f"give 1 to {LONGEST} characters, such as capital > 5L and broker = zerodha"
        )
    reading = _Reading(told)
    holds = reading.either(0)
    if (extra := reading.peek()) is not None:
        raise BadInput("rule", extra, "put and or or before it")
    return ReadRule(told, holds)


def read_rules(stored: Iterable[StoredRule]) -> dict[str, ReadRule]:
    """Stored rules by name; one that this version does not understand is true of nobody, and logged."""
    found: dict[str, ReadRule] = {}
    for one in stored:
        try:
            found[one.name] = rule_from(one.rule)
        except BadInput as problem:
            log.error("group %s is empty, its rule is not understood: %s", one.name, problem)
            found[one.name] = ReadRule(one.rule, lambda _: False)
    return found


def true_of(rules: Mapping[str, ReadRule], subject: RuleSubject) -> list[str]:
    """The names of the groups whose rule is true of a client."""
    return [name for name, rule in rules.items() if rule.holds(subject)]


class _Reading:
    """A rule's words, taken one after the other."""

    def __init__(self, text: str) -> None:
        self._words: list[str] = []
        self._at = 0
        place = 0
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise BadInput(
                    "rule", text[place:].strip()[:20], "this cannot stand in a rule; close every quote"
                )
            self._words.append(found.group(1))
            place = found.end()

    def peek(self) -> str | None:
        """The next word, None behind the last."""
        return self._words[self._at] if self._at < len(self._words) else None

    def _take(self, expected: str) -> str:
        word = self.peek()
        if word is None:
            raise BadInput("rule", self._words[-1], f"give {expected} behind it")
        self._at += 1
        return word

    def _said(self, word: str) -> bool:
        """Take a word if it is the next one."""
        if (self.peek() or "").casefold() == word:
            self._at += 1
            return True
        return False

    def either(self, depth: int) -> Holds:
        """Parts joined by `or`."""
        parts = [self._all(depth)]
        while self._said("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else lambda of: any(part(of) for part in parts)

    def _all(self, depth: int) -> Holds:
        parts = [self._one(depth)]
        while self._said("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else lambda of: all(part(of) for part in parts)

    def _one(self, depth: int) -> Holds:
        if depth > DEEPEST:
            raise BadInput(
                "rule", self.peek() or "", f"at most {DEEPEST} brackets and nots within each other"
            )
        if self._said("not"):
            inner = self._one(depth + 1)
            return lambda of: not inner(of)
        if self._said("("):
            inner = self.either(depth + 1)
            if not self._said(")"):
                raise BadInput("rule", self.peek() or "(", "close the bracket with )")
            return inner
        return self._comparison(self._take("a field"))

    def _comparison(self, word: str) -> Holds:
        name = word.casefold().replace("_", "-")
        if name in _FLAGS:
            return _FLAGS[name]
        if name not in FIELDS:
            raise BadInput("rule", word, f"{_nearest(name)}fields are {', '.join(FIELDS)}")
        sign = self._take("= or another comparison").replace("==", "=")
        if sign not in _COMPARE:
            raise BadInput("rule", sign, f"compare {name} by one of {' '.join(_COMPARE)}")
        value = self._take("what it is compared with")
        if value in _COMPARE or value in ("(", ")") or value.casefold() in _JOINERS:
            raise BadInput("rule", value, f"say what {name} is compared with; quote a word that means more")
        return _number(name, sign, value) if name in _NUMBERS else _text(name, sign, value)


def _nearest(name: str) -> str:
    close = difflib.get_close_matches(name, FIELDS, n=1)
    return f"did you mean {close[0]}? " if close else ""


def _number(name: str, sign: str, text: str) -> Holds:
    figure, compare, read = _figure(name, text), _COMPARE[sign], _NUMBERS[name]

    def holds(of: RuleSubject) -> bool:
        value = read(of)
        return value is not None and compare(value, figure)

    return holds


def _figure(name: str, text: str) -> int:
    """A typed number in what its field counts in."""
    expected = f"give {name} as a number" + (", such as 50000, 5L or 1.2cr" if _UNITS[name] == 100 else "")
    plain = text.strip("\"'").lstrip("₹").removesuffix("%")
    digits = plain.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    unit = plain[len(digits) :].casefold()
    if unit and unit not in _SCALES:
        raise BadInput("rule", text, f"{expected}; units are {', '.join(_SCALES)}")
    figure = decimal_from_text(digits, "rule", expected) * _SCALES.get(unit, 1) * _UNITS[name]
    if figure != figure.to_integral_value() or abs(figure) > Decimal(10) ** 18:
        raise BadInput("rule", text, expected)
    return int(figure)


def _text(name: str, sign: str, text: str) -> Holds:
    if sign not in ("=", "!="):
        raise BadInput("rule", sign, f"{name} is a word: compare it by = or !=")
    wanted, read = text.strip("\"'").casefold(), _TEXTS[name]
    if not wanted:
        raise BadInput("rule", text, f"say what {name} is compared with")

    def holds(of: RuleSubject) -> bool:
        return any(one.casefold() == wanted for one in read(of))

    return holds if sign == "=" else lambda of: not holds(of)
