"""What the halts that stand mean for the orders of a plan."""

from collections.abc import Collection, Sequence

from data.vocabulary import HaltStrength
from engine.book.halt_scope import HaltView, covering, strength_of
from engine.book.views import ClientView

REDUCE_ONLY = "REDUCE ONLY"
"""A halt that lets orders leave which make their client's position smaller."""


def halted_words(halts: Collection[HaltView], clients: Sequence[ClientView], key: str) -> str:
    """What halts mean for orders of these clients in an instrument: `REDUCE ONLY`, `3 of 50 HALTED`.

    Empty where none is over any of them. A halt of the whole desk has everything sent refused.
    """
    if any(halt.stops_desk for halt in halts):
        return "DESK HALTED, sending is refused"
    over = [strength_of(covering(halts, client, key)) for client in clients]
    told = ((HaltStrength.ALL, "HALTED"), (HaltStrength.REDUCE, REDUCE_ONLY))
    found = [(over.count(strength), words) for strength, words in told]
    return ", ".join(
        words if count == len(clients) else f"{count} of {len(clients)} {words}"
        for count, words in found
        if count
    )
