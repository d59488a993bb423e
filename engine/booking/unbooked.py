"""Facts that no booking takes: each kept as a row, so that its client buys nothing until it is settled."""

from collections.abc import Collection

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.repositories.accounts.breaks import KeptFact, add_fact, count_fact, settle_facts, standing_facts
from data.store import Unit
from engine.events import TapeLine
from engine.news import FactUnbooked

LONGEST = 4000
"""Characters that are kept of a fact."""


class Unbooked(Struct, frozen=True):
    """A fact as it is kept: `identity` is what it speaks of, `body` all of it; told again it is the same row.

    `code` is the client's, `subject` the order in words.
    """

    identity: str
    client_id: int | None
    order_id: int | None
    broker_order_id: str
    code: str
    subject: str
    body: str


def keep_unbooked(unit: Unit, fact: Unbooked, problem: str, actor: str) -> bool:
    """Keep a fact with what stood against booking it; one that stands already is only counted on.

    Returns whether it is a new one.
    """
    problem, body = _plain(problem)[:300], _plain(fact.body)[:LONGEST]
    if count_fact(unit, fact.identity, body, unit.now):
        return False
    number = unit.take_ids("unbooked_fact", 1)[0]
    row = KeptFact(
        id=number,
        identity=fact.identity,
        client_id=fact.client_id,
        order_id=fact.order_id,
        broker_order_id=_plain(fact.broker_order_id),
        body=body,
        problem=problem,
        at=unit.now,
        last_at=unit.now,
    )
    add_fact(unit, row)
    details = {"fact": number, "of": fact.identity, "problem": problem}
    unit.audit(
        AuditEntry(
            AuditAction.FACT_UNBOOKED,
            actor,
            client_id=fact.client_id,
            order_id=fact.order_id,
            details=details,
        )
    )
    unit.publish(TapeLine(unit.now, FactUnbooked(fact.code, fact.subject, problem)))
    if fact.client_id is not None:
        unit.touched.clients.add(fact.client_id)
    if fact.order_id is not None:
        unit.touched.orders.add(fact.order_id)
    return True


def settle_unbooked(
    unit: Unit,
    client_ids: Collection[int],
    how: str,
    actor: str,
    broker_order_ids: Collection[str] | None = None,
    order_ids: Collection[int] = (),
) -> None:
    """Close these clients' kept facts, or those of these orders alone, for the reason `how`."""
    settled: list[int] = []
    for row in standing_facts(unit, client_ids):
        named = broker_order_ids is None or row.broker_order_id in broker_order_ids
        if not named and row.order_id not in order_ids:
            continue
        settled.append(row.id)
        details = {"fact": row.id, "how": how}
        entry = AuditEntry(
            AuditAction.FACT_SETTLED,
            actor,
            client_id=row.client_id,
            order_id=row.order_id,
            details=details,
        )
        unit.audit(entry)
        unit.touched.clients.add(row.client_id)
        if row.order_id is not None:
            unit.touched.orders.add(row.order_id)
    settle_facts(unit, settled, unit.now, how)


def _plain(words: str) -> str:
    """Words that any column takes, whatever is in them: a fact may be odd for its text alone."""
    return words.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
