"""The line that asks for an intent that came about by keys: reading it makes the same intent again."""

from collections.abc import Sequence

from data.errors import BadInput
from data.vocabulary import Drift, PerClient
from engine.colon.asked import AskedBasket, AskedOrders
from engine.colon.grammar import parse
from engine.colon.known import Known
from engine.colon.whom import words_for
from engine.colon.wishes import IN_ORDER
from engine.planning.entry.leg_words import typed_size, typed_symbol, words_of_legs
from engine.planning.intent import Intent, Leg, LineChange, product_from

LONGEST_LINE = 2000
"""Characters of the longest line that is typed or kept; what takes more has a number to be called by."""


def line_of(intent: Intent, known: Known) -> str | None:
    """The line that asks for this intent; None where none does, such as for the orders of a file.

    It is held against its own reading, so that what is shown plans the same.
    """
    if intent.listed:
        return None
    words = _basket_words(intent, known) if intent.further else _order_words(intent, known)
    line = " ".join(words)
    try:
        read = parse(line, known)
    except BadInput:
        return None
    same = isinstance(read, AskedOrders | AskedBasket) and read.intent == intent
    return line if same else None


def _order_words(intent: Intent, known: Known) -> list[str]:
    leg = intent.legs[0]
    words = [intent.side.value.casefold(), typed_symbol(intent.key), typed_size(leg)]
    if intent.product is not product_from(None, intent.side) and intent.product is not None:
        words.append(intent.product.value)
    words += _prices(leg)
    return [
        *words,
        *words_for(intent.selection, known),
        *_changes(intent.line_changes, known),
        *_terms(intent),
    ]


def _basket_words(intent: Intent, known: Known) -> list[str]:
    words = ["basket", words_of_legs(intent.legs), *words_for(intent.selection, known)]
    return [*words, *([IN_ORDER] if intent.per_client is PerClient.IN_ORDER else []), *_terms(intent)]


def _prices(leg: Leg) -> list[str]:
    prices = (("@", leg.limit_paise), ("t:", leg.trigger_paise))
    return [f"{sign}{rupees_word(paise)}" for sign, paise in prices if paise is not None]


def rupees_word(paise: int) -> str:
    """A price as it is typed: `1500`, `1500.50`."""
    return str(paise // 100) if paise % 100 == 0 else f"{paise // 100}.{paise % 100:02d}"


def _changes(changes: Sequence[LineChange], known: Known) -> list[str]:
    words: list[str] = []
    for change in changes:
        code = known.clients.get(change.client_id).code
        if change.quantity is not None:
            words.append(f"{code}={change.quantity}")
        if change.product is not None:
            words.append(f"{code}={change.product.value}")
    return words


def _terms(intent: Intent) -> list[str]:
    words = [] if intent.standing == "DAY" else [intent.standing]
    if intent.drift is Drift.NONE:
        words.append("drift:none")
    return [*words, *(["again"] if intent.again else [])]
