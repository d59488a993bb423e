"""What rests at brokers beside orders, at a halt: GTTs and alerts, listed, and deleted where wanted."""

import asyncio
from collections.abc import Collection
from datetime import datetime

from msgspec import Struct

from brokers.connections import Connections, Readers
from brokers.contract import Accepted, Conditional, KeepsConditionals
from data.clock import Clock
from data.records import replace
from engine.book.book import Book
from engine.execution.sending.unanswered import outcome_of
from engine.halt.certificate import Certificate, CertificateConditional
from engine.rules import READERS, Rules
from engine.timing import Timing

READS = 2
"""Reads that the conditionals of one client take at least: GTTs and alerts."""


class ConditionalsRead(Struct, frozen=True):
    """What GTTs and alerts were found, of whom none could be read, and when that was."""

    found: tuple[CertificateConditional, ...]
    unread: frozenset[int]
    at: datetime

    def over(self, made: Certificate, book: Book) -> Certificate:
        """The certificate with these beside what it has already."""
        codes = tuple(sorted(book.clients[one].code for one in self.unread))
        known = (*made.conditionals, *self.found)
        return replace(made, conditionals=known, conditionals_unread=codes, conditionals_at=self.at)


def keeping(connections: Connections, client_ids: Collection[int]) -> frozenset[int]:
    """Those of these clients whose brokers keep GTTs or alerts."""
    return frozenset(
        one
        for one in client_ids
        if connections.serves(one) and isinstance(connections.broker_of(one)[0], KeepsConditionals)
    )


async def look_at_conditionals(
    book: Book, timing: Timing, connections: Connections, rules: Rules, client_ids: Collection[int]
) -> ConditionalsRead:
    """The active GTTs and alerts of these clients, deleted where the rules say so; and who could not be read.

    Only what places orders is deleted: an alert that merely tells its client something harms nobody. A broker
    may take dozens of calls for one client. Nobody waits longer than `Waits.halt_deadline_s` for all of them:
    whoever has no answer by then is not read.
    """
    readers = Readers(book.carrier_of, READERS)

    async def one(client_id: int) -> list[CertificateConditional]:
        broker, account = connections.broker_of(client_id)
        assert isinstance(broker, KeepsConditionals)
        async with readers.of(client_id), timing.wall.timeout(timing.waits.read_timeout_s):
            rows = await broker.conditionals(account)
        made = [await _ended(book, timing.wall, connections, rules, client_id, row) for row in rows]
        odd = [_certified(book, client_id, "", "", row.words, "unread") for row in rows.unread]
        return [*made, *odd]

    looks = {asyncio.create_task(one(client_id)): client_id for client_id in keeping(connections, client_ids)}
    await _within(timing, looks)
    at = timing.wall.now()
    # Whatever a read that failed ended with, nothing is known of that client's.
    read = {task: client_id for task, client_id in looks.items() if _is_read(task)}
    found = (row for task in sorted(read, key=read.__getitem__) for row in task.result())
    return ConditionalsRead(tuple(found), frozenset(looks.values()) - frozenset(read.values()), at)


async def _within(timing: Timing, looks: Collection["asyncio.Task[list[CertificateConditional]]"]) -> None:
    """Wait for all of these, and give up what takes longer than a halt is followed for."""
    if not looks:
        return
    patience = asyncio.create_task(timing.wall.sleep(timing.waits.halt_deadline_s))
    all_ended = asyncio.gather(*looks, return_exceptions=True)
    try:
        await asyncio.wait({all_ended, patience}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        patience.cancel()
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)


def _is_read(look: "asyncio.Task[list[CertificateConditional]]") -> bool:
    return not look.cancelled() and look.exception() is None


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
