"""Closes of before a company's action, made comparable with those after it.

Closes of before an ex-date are divided by how many shares one has become. A dividend changes no close: what
is paid was part of the move.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction

from msgspec import Struct

from data.money import half_up
from data.reference.company_actions import shares_of_one
from data.vocabulary import CorporateAction


class ToldClose(Struct, frozen=True):
    """What was closed at, in paise; companies' actions up to `told_on` are in it."""

    paise: int
    told_on: date


class Action(Struct, frozen=True):
    """A company's action in the exchange's words, and the day from which on it is in the prices."""

    ex_date: date
    kind: CorporateAction
    purpose: str


def adjusted(closes: Mapping[date, ToldClose], actions: Iterable[Action]) -> dict[date, int]:
    """Closes in shares of today, in paise by day.

    Where an action does not say what it does to the shares, closes of before it that do not have it are left
    out.
    """
    said = [(one.ex_date, shares_of_one(one.kind, one.purpose)) for one in actions]
    found: dict[date, int] = {}
    for day, close in closes.items():
        factor: Fraction | None = Fraction(1)
        for ex_date, shares in said:
            if day < ex_date and close.told_on < ex_date:
                factor = None if factor is None or shares is None else factor * shares
        if factor is not None:
            found[day] = half_up(close.paise * factor.denominator, factor.numerator)
    return found
