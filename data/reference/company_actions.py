"""What a company's action does to a share, read of the exchange's words: how many it becomes, what it pays.

A bonus of a for b makes b shares a + b; a split from a face value of x to one of y, or of `1:5`, makes one
share x / y, or five. Words that say two things, or not clearly one, say nothing: a person has to look.
"""

import re
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from data.vocabulary import CorporateAction

_RATIO = re.compile(r"(\d+)\s*:\s*(\d+)")
_FACE = re.compile(r"(?:rs|re|inr|₹)\.?\s*(\d+(?:\.\d+)?)", re.IGNORECASE)
_A_SHARE = re.compile(
    r"(?:rs|re|inr|₹)\.?\s*(\d+(?:\.\d+)?)(?:\s*/-)?\s*(?:per|a)\s+(?:equity\s+)?(?:sh|unit)", re.IGNORECASE
)
_APART = (("bonus",), ("dividend",), ("rights",), ("split", "sub-division", "face value"), ("merger",))
"""Words of which those of two rows in one purpose say two things."""
_FEWER = ("consolidat", "reverse")

MICROS = 1_000_000
"""Parts of a rupee in which dividends are kept: trusts pay fractions of a paisa a unit."""


class ActionTerms(Struct, frozen=True):
    """How many shares one becomes, and what it pays in millionths of a rupee.

    Of a merger, `shares` are those of the other company for one of this.
    """

    shares: Fraction = Fraction(1)
    micros: int = 0

    def paise(self, shares: int) -> int:
        """What so many shares are paid; a part of a paisa is left off."""
        return shares * self.micros * 100 // MICROS


def terms_of(kind: CorporateAction, purpose: str) -> ActionTerms | None:
    """What an action does; None where its words do not say it, or nothing of its kind can be said."""
    told = purpose.casefold()
    if sum(any(word in told for word in words) for words in _APART) > 1:
        return None
    match kind:
        case CorporateAction.BONUS:
            ratio = _ratio(purpose)
            return None if ratio is None else ActionTerms(1 + ratio)
        case CorporateAction.MERGER:
            ratio = _ratio(purpose)
            return None if ratio is None else ActionTerms(ratio)
        case CorporateAction.SPLIT:
            shares = _split(purpose)
            return None if shares is None else ActionTerms(shares)
        case CorporateAction.DIVIDEND:
            micros = _micros(purpose)
            return None if micros is None else ActionTerms(micros=micros)
        case CorporateAction.ISIN_CHANGE:
            return ActionTerms()
        case _:
            return None


def shares_of_one(kind: CorporateAction, purpose: str) -> Fraction | None:
    """How many shares of the same company one becomes: 1 where it changes none; None where none is said."""
    if kind in (CorporateAction.BONUS, CorporateAction.SPLIT):
        terms = terms_of(kind, purpose)
        return None if terms is None else terms.shares
    # What a demerger takes out of a price no announcement says: closes before it are another share's.
    return None if kind is CorporateAction.DEMERGER else Fraction(1)


def _ratio(purpose: str) -> Fraction | None:
    """`1:2` as a half; None of none, or of several."""
    found = _RATIO.findall(purpose)
    given, held = (int(found[0][0]), int(found[0][1])) if len(found) == 1 else (0, 0)
    return Fraction(given, held) if given and held else None


def _split(purpose: str) -> Fraction | None:
    """How many shares one becomes: fewer than one only where the words say consolidation."""
    faces = [Fraction(face) for face in _FACE.findall(purpose)]
    if len(faces) == 2 and all(faces):
        return faces[0] / faces[1]
    ratio = _ratio(purpose)
    if ratio is None or faces:
        return None
    more = max(ratio, 1 / ratio)  # `1:5` and `5:1` both say that one becomes five
    return 1 / more if any(word in purpose.casefold() for word in _FEWER) else more


def _micros(purpose: str) -> int | None:
    """All that is paid a share; None where an amount is named that may be something else."""
    every, a_share = _FACE.findall(purpose), _A_SHARE.findall(purpose)
    if len(every) == 1:
        a_share = every
    if not every or len(every) != len(a_share):
        return None
    micros = sum((Decimal(one) * MICROS for one in a_share), Decimal(0))
    return int(micros) if micros > 0 and micros == int(micros) else None
