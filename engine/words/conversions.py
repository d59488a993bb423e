"""What a conversion says before it is asked for, and of what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.clock import IST
from data.money import amount_words, grouped
from data.vocabulary import ConversionState

if TYPE_CHECKING:
    from engine.conversion.views import ConversionProspect, ConversionView

_ENDED = {
    ConversionState.REQUESTED: "asked for",
    ConversionState.DONE: "done",
    ConversionState.REFUSED: "not done",
    ConversionState.UNKNOWN: "in doubt: after five minutes convert again, which looks first",
}


def prospect_words(one: ConversionProspect) -> str:
    """What converting takes now, and why it cannot be done where it cannot."""
    until = "" if one.until is None else f" · until {one.until.astimezone(IST):%H:%M}"
    of = f"{grouped(one.quantity)} {one.tradingsymbol} of {one.code}"
    what = f"convert {of}, {one.from_product} to {one.to_product}"
    cash = f"repays ₹{amount_words(one.loan_paise)} of ₹{amount_words(one.available_paise)} cash"
    why = f" · CANNOT: {one.why_not}" if one.why_not else ""
    return f"{what}: {cash}{until}{why}"


def ended_words(one: ConversionView) -> str:
    """What became of a conversion."""
    of = f"{grouped(one.quantity)} {one.tradingsymbol}"
    what = f"conversion {one.number}: {of} {one.from_product} to {one.to_product}"
    detail = f": {one.detail}" if one.detail else ""
    return f"{what} {_ENDED[one.state]}{detail}"
