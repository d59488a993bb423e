"""The menu of faults that a broker can be rehearsed with, and how a trader types it."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from data.errors import BadInput
from data.money import count_from_text, decimal_from_text
from data.records import replace

PLACING = (
    "drop_answer",
    "late_answer",
    "late_8s",
    "late_90s",
    "never_placed",
    "timeout_text",
    "html",
    "empty_id",
    "refused",
    "exchange_reject",
)
"""How a placement may go wrong; at most one of them strikes."""

CANCELLING = ("cancel_lost", "cancel_refused_then_done", "fill_during_cancel")
"""How a cancel may go wrong; at most one of them strikes."""

UPDATES = ("duplicate_update", "reorder_update", "lose_update", "update_flood", "trade_before_order")
"""What may happen to an order update; at most one of them does."""

BOOK_READS = ("failed_read", "stale_book", "truncated_book")
"""How a read of the order book may go wrong; the other reads know the first of them."""

CALLS = ("session_death", "throttle")
"""What any call of a client may set off."""

ALONE = ("trades_late", "overfill", "resurrect", "deaf")
"""Faults that are drawn for themselves: the first three for an order, the last for a client."""

TOGETHER = MappingProxyType(
    {
        "placing": PLACING,
        "cancelling": CANCELLING,
        "update": UPDATES,
        "book": BOOK_READS,
        "read": BOOK_READS[:1],
        "call": CALLS,
    }
)
"""Faults that share one draw."""

SHARES = tuple(dict.fromkeys((*PLACING, *CANCELLING, *UPDATES, *BOOK_READS, *CALLS, *ALONE)))
"""Every fault that is given as a share."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong how often: a share from 0 to 1 for each fault, and how long the slow ones take.

    The shares of faults that exclude each other may come to 1 together. Raises `BadInput`.
    """

    drop_answer: float = 0.0
    """The order is placed and the answer lost: ambiguous at once."""
    late_answer: float = 0.0
    """The order is placed; its answer comes after `late_answer_s`, when the caller has given up."""
    late_8s: float = 0.0
    """Ambiguous at once; the order is placed 8 s later."""
    late_90s: float = 0.0
    """Ambiguous at once; the order is placed 90 s later, as has been seen."""
    never_placed: float = 0.0
    """Ambiguous, and the order is never placed."""
    timeout_text: float = 0.0
    """The order is placed, and refused in words that a broker uses when it does not know: ambiguous."""
    html: float = 0.0
    """A page for humans instead of an answer: ambiguous, and placed in every other case."""
    empty_id: float = 0.0
    """The order is placed, and the answer names no id: ambiguous."""
    refused: float = 0.0
    """A definite rejection by the broker's risk checks; nothing is placed."""
    exchange_reject: float = 0.0
    """Accepted, and rejected by the exchange a moment later."""

    cancel_lost: float = 0.0
    """The cancel is lost on its way: ambiguous, and not done."""
    cancel_refused_then_done: float = 0.0
    """The cancel is refused as the order is being processed, and done half a second later."""
    fill_during_cancel: float = 0.0
    """The cancel takes a second, in which the order may fill."""

    duplicate_update: float = 0.0
    """An order update comes twice."""
    reorder_update: float = 0.0
    """An order update comes after the one that follows it."""
    lose_update: float = 0.0
    """An order update never comes; a read finds what it would have said."""
    update_flood: float = 0.0
    """An order update comes 20 times."""
    trade_before_order: float = 0.0
    """An update tells trades of an order that it calls untouched and that the book shows 2 s later."""

    failed_read: float = 0.0
    """A read of a client's account fails."""
    stale_book: float = 0.0
    """The order book comes without the orders of the last 5 s."""
    truncated_book: float = 0.0
    """The last page of the order book, a third of its rows, is missing."""
    trades_late: float = 0.0
    """The trades of an order appear 3 s after its status told of them."""

    session_death: float = 0.0
    """The client's session is over from this call on, until it signs in or is revived."""
    throttle: float = 0.0
    """Every call of the client is turned away for `throttle_s`."""
    deaf: float = 0.0
    """The share of clients whose calls reach nobody and are never answered."""

    overfill: float = 0.0
    """A complete order trades one share more."""
    resurrect: float = 0.0
    """A cancelled order lives again."""

    deaf_clients: frozenset[str] = frozenset()
    """User ids that are deaf in any case."""
    clock_skew_s: float = 0.0
    """The broker's stamps on orders are off by this many seconds, either way."""
    late_answer_s: float = 12.0
    """Must be longer than callers wait."""
    throttle_s: float = 10.0
    seed: int = 0
    """The same seed strikes the same calls of each client."""

    def __post_init__(self) -> None:
        """Refuse shares that cannot be."""
        for name in SHARES:
            if not 0 <= self.share(name) <= 1:
                raise BadInput(f"fault {name}", self.share(name), "give a share from 0 to 1, such as 0.05")
        for name in _SECONDS:
            if not 0 <= getattr(self, name) <= 3600:
                raise BadInput(f"fault {name}", getattr(self, name), "give seconds from 0 to 3600")
        for names in TOGETHER.values():
            total = sum(Decimal(repr(self.share(name))) for name in names)
            if total > 1:
                words = " + ".join(name for name in names if self.share(name))
                raise BadInput("faults", words, f"they are {total} together; make them 1 at most")

    def share(self, name: str) -> float:
        """The share of the fault called `name`."""
        return getattr(self, name)


_SECONDS = ("clock_skew_s", "late_answer_s", "throttle_s")

_ANSWERS = Faults(
    drop_answer=0.05,
    late_answer=0.02,
    late_8s=0.03,
    late_90s=0.01,
    never_placed=0.02,
    timeout_text=0.02,
    html=0.02,
    empty_id=0.01,
)
_STREAM = Faults(
    duplicate_update=0.1,
    reorder_update=0.1,
    lose_update=0.1,
    update_flood=0.02,
    trade_before_order=0.05,
    trades_late=0.1,
    clock_skew_s=2.0,
)

PRESETS: Mapping[str, Faults] = MappingProxyType(
    {
        "answers": _ANSWERS,
        "stream": _STREAM,
        "storm": replace(
            _STREAM,
            **{name: _ANSWERS.share(name) for name in PLACING if _ANSWERS.share(name)},
            refused=0.02,
            exchange_reject=0.02,
            cancel_lost=0.1,
            cancel_refused_then_done=0.1,
            fill_during_cancel=0.1,
            failed_read=0.05,
            stale_book=0.05,
            truncated_book=0.02,
            throttle=0.005,
            overfill=0.005,
            resurrect=0.02,
        ),
    }
)
"""Named mixtures: `answers` doubts placements, `stream` spoils updates, `storm` does a little of everything
that passes by itself (no dead sessions, no deaf clients)."""


def faults_from_text(text: str) -> Faults:
    """A preset's name, or `name=value` by commas, or a preset with changes: `storm,late_8s=0.1,seed=7`.

    `deaf_clients` takes codes joined by `+`. Raises `BadInput` naming what is wrong and the nearest name.
    """
    parts = [part.strip() for part in text.split(",")]
    base = Faults()
    if "=" not in parts[0]:
        base = _preset(parts.pop(0))
    values: dict[str, Any] = {}
    for part in parts:
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals:
            expected = "a preset comes first" if name in PRESETS else "give name=value, such as late_8s=0.02"
            raise BadInput("faults", part, expected)
        if name not in _NAMES:
            raise BadInput("faults", name, _nearest(name, _NAMES))
        if name in values:
            raise BadInput(f"fault {name}", value, "it is given twice")
        values[name] = _value(name, value)
    return replace(base, **values)


def _preset(name: str) -> Faults:
    if name not in PRESETS:
        known = _nearest(name, (*PRESETS, *_NAMES))
        raise BadInput("faults", name, f"{known}; give a preset or name=value, such as storm or late_8s=0.02")
    return PRESETS[name]


def _nearest(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"


def _value(name: str, text: str) -> object:
    if name == "deaf_clients":
        return frozenset(code.strip().upper() for code in text.split("+") if code.strip())
    if name == "seed":
        return count_from_text(text, "fault seed")
    expected = "give seconds, such as 2" if name in _SECONDS else "give a share from 0 to 1, such as 0.05"
    return float(decimal_from_text(text, f"fault {name}", expected))


_NAMES = tuple(field.name for field in fields(Faults))
