"""What stands against a client's trading: the gate, and books that differ from the broker's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.words.reasons import GATE_WORDS, REASON_WORDS

if TYPE_CHECKING:
    from engine.desk import Desk

DIFFER, UNREAD = "diff", "wait"
"""Five letters at most for books that differ, and for books that nobody has compared yet."""


def gate_brief(desk: Desk, client_id: int) -> str:
    """The gate in five letters; `diff` may only sell, `wait` is not compared with the broker yet."""
    reason = desk.clients.get(client_id).gate
    if reason is not None:
        return GATE_WORDS.get(reason, str(reason))
    if desk.reconcile.breaks(client_id):
        return DIFFER
    return "ok" if desk.reconcile.is_compared(client_id) else UNREAD


def gate_sentence(desk: Desk, client_id: int) -> str:
    """The gate in words."""
    reason = desk.clients.get(client_id).gate
    if reason is not None:
        return REASON_WORDS[reason]
    if desk.reconcile.breaks(client_id):
        return "books differ, only sells"
    return "ok" if desk.reconcile.is_compared(client_id) else "not compared yet"


def books_words(desk: Desk) -> list[str]:
    """How many clients' books differ or were not compared yet, for a title; nothing where all agree."""
    ready = [client.id for client in desk.clients.all() if client.gate is None]
    differ = len({one.client_id for one in desk.reconcile.breaks()}.intersection(ready))
    unread = sum(not desk.reconcile.is_compared(client_id) for client_id in ready)
    words = [f"books differ {differ}"] if differ else []
    return [*words, f"not compared {unread}"] if unread else words
