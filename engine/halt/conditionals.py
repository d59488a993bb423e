"""What rests at brokers beside orders, at a halt: GTTs and alerts, listed, and deleted where wanted."""

import asyncio
from collections.abc import Sequence

from brokers.connections import Connections
from brokers.contract import Accepted, Conditional, KeepsConditionals
from data.clock import Clock
from engine.book.book import Book
from engine.execution.sending.unanswered import outcome_of
from engine.halt.certificate import CertificateConditional
from engine.rules import READERS, Rules
from engine.timing import Timing

READS = 2
"""Reads that the conditionals of one client take: GTTs and alerts."""


async def look_at_conditionals(
    book: Book, timing: Timing, connections: Connections, rules: Rules, client_ids: Sequence[int]
) -> tuple[tuple[CertificateConditional, ...], tuple[str, ...]]:
    """The active GTTs and alerts of these clients, deleted where the rules say so; and who could not be read.

    Only what places orders is deleted: an alert that merely tells its client something harms nobody.
    """
    readers = asyncio.Semaphore(READERS)

    async def one(client_id: int) -> list[CertificateConditional] | None:
        if not connections.serves(client_id):
            return []
        broker, account = connections.broker_of(client_id)
        if not isinstance(broker, KeepsConditionals):
            return []
        async with readers:
            try:
                async with timing.wall.timeout(timing.waits.read_timeout_s):
                    rows = await broker.conditionals(account)
            except Exception:  # whatever it was, nothing is known of them
                return None
        made = [await _ended(book, timing.wall, connections, rules, client_id, row) for row in rows]
        odd = [_certified(book, client_id, "", "", row.words, "unread") for row in rows.unread]
        return [*made, *odd]

    found = await asyncio.gather(*(one(client_id) for client_id in client_ids))
    unread = [c for c, rows in zip(client_ids, found, strict=True) if rows is None]
    codes = tuple(sorted(book.clients[client_id].code for client_id in unread))
    return tuple(row for rows in found for row in rows or ()), codes


async def _ended(
    book: Book, clock: Clock, connections: Connections, rules: Rules, client_id: int, row: Conditional
) -> CertificateConditional:
    """One conditional and what became of it."""
    result = "active"
    broker, account = connections.broker_of(client_id)
    if rules.halt_deletes_conditionals and row.places_orders and isinstance(broker, KeepsConditionals):
        lane, clock = connections.lane(client_id), clock
        while (wait := lane.wait_s(clock.now(), cancel=True)) > 0:
            await clock.sleep(wait)
        lane.take(clock.now(), cancel=True)
        outcome = await outcome_of(broker.delete_conditional(account, row), "a deletion", "no answer")
        result = "deleted" if isinstance(outcome, Accepted) else f"active, not deleted: {outcome}"
    return _certified(book, client_id, row.kind.value, row.number, row.what, result)


def _certified(
    book: Book, client_id: int, kind: str, number: str, what: str, result: str
) -> CertificateConditional:
    code = book.clients[client_id].code
    return CertificateConditional(client_id, code, kind, number, what, result)
