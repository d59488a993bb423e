"""What a conversion says before it is asked for, and of what became of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from data.clock import IST
from data.money import amount_words, grouped
from data.vocabulary import ConversionState
from engine.words.formats import counted
from engine.words.refusals import refusal_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.conversion.views import ConversionEnd, ConversionProspect, ConversionView

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
    if one.why_not:
        return f"CANNOT {what}: {one.why_not} · {cash}{until}"
    return f"{what}: {cash}{until}"


def ended_words(one: ConversionView) -> str:
    """What became of a conversion."""
    of = f"{grouped(one.quantity)} {one.tradingsymbol}"
    what = f"conversion {one.number}: {of} {one.from_product} to {one.to_product}"
    detail = f": {one.detail}" if one.detail else ""
    return f"{what} {_ENDED[one.state]}{detail}"


def several_words(wanted: Sequence[ConversionProspect]) -> str:
    """What converting several takes: how many of whom, what is repaid, and how many cannot go."""
    going = [one for one in wanted if not one.why_not]
    clients = len({one.client_id for one in going})
    products = f"{wanted[0].from_product} to {wanted[0].to_product}" if wanted else ""
    repaid = amount_words(sum(one.loan_paise for one in going))
    left = f" · {len(wanted) - len(going)} cannot go" if len(going) < len(wanted) else ""
    what = f"{counted(len(going), 'position')} of {counted(clients, 'client')}"
    return f"convert {what}, {products}: repays ₹{repaid}{left}"


def end_words(end: ConversionEnd) -> str:
    """What one of several came to."""
    if end.view is None:
        return f"not asked for: {refusal_words(end.refusal)}" if end.refusal is not None else "not asked for"
    return f"{_ENDED[end.view.state]}{f': {end.view.detail}' if end.view.detail else ''}"


def ends_words(ends: Sequence[ConversionEnd]) -> str:
    """How several came out: `3 done, 1 not done`."""
    states = Counter(end.view.state if end.view is not None else ConversionState.REFUSED for end in ends)
    counts = ((ConversionState.DONE, "done"), (ConversionState.REFUSED, "not done"))
    words = [f"{states[state]} {word}" for state, word in counts if states[state]]
    doubt = states[ConversionState.UNKNOWN] + states[ConversionState.REQUESTED]
    return ", ".join([*words, *([f"{doubt} in doubt"] if doubt else [])]) or "none"
