"""What stands against a client's trading: the gate, and books that differ from the broker's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.words.reasons import GATE_WORDS, REASON_WORDS

if TYPE_CHECKING:
    from engine.book.views import BooksCounts, Readiness

DIFFER, UNREAD = "diff", "wait"
"""Five letters at most for books that differ, and for books that nobody has compared yet."""


def gate_brief(readiness: Readiness) -> str:
    """The gate in five letters; `diff` may only sell, `wait` is not compared with the broker yet."""
    if readiness.gate is not None:
        return GATE_WORDS.get(readiness.gate, str(readiness.gate))
    if readiness.differs:
        return DIFFER
    return "ok" if readiness.compared else UNREAD


def gate_sentence(readiness: Readiness) -> str:
    """The gate in words."""
    if readiness.gate is not None:
        return REASON_WORDS[readiness.gate]
    if readiness.differs:
        return "books differ, only sells"
    return "ok" if readiness.compared else "not compared yet"


def books_words(counts: BooksCounts) -> list[str]:
    """How many clients' books differ or were not compared yet, for a title; nothing where all agree."""
    words = [f"books differ {counts.differ}"] if counts.differ else []
    return [*words, f"not compared {counts.unread}"] if counts.unread else words
