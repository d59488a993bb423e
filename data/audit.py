"""The audit chain: SHA-256 over each row's content and the hash before it, in the order of commit."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text

GENESIS = "0" * 64
"""The hash before the first row."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What a unit of work tells the audit; the writer numbers and hashes it just before the commit."""

    action: str
    actor: str
    client_id: int | None = None
    order_id: int | None = None
    plan_number: int | None = None
    run_number: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


def row_hash(
    previous: str,
    seq: int,
    at: datetime,
    actor: str,
    action: str,
    subjects: tuple[int | None, int | None, int | None, int | None],
    details: str,
) -> str:
    """The hash of one row; `subjects` are client, order, plan and run."""
    content = "\x1f".join(
        (previous, str(seq), at.isoformat(), actor, action, ",".join(map(str, subjects)), details)
    )
    return hashlib.sha256(content.encode()).hexdigest()


def chain(
    entries: Iterable[AuditEntry], head: str, last_seq: int, at: datetime
) -> tuple[list[dict[str, Any]], str]:
    """Number and hash `entries` behind row `last_seq` with hash `head`; gives the rows and the head after."""
    rows: list[dict[str, Any]] = []
    for entry in entries:
        last_seq += 1
        details = json.dumps(entry.details, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        subjects = (entry.client_id, entry.order_id, entry.plan_number, entry.run_number)
        digest = row_hash(head, last_seq, at, entry.actor, entry.action, subjects, details)
        rows.append(
            {
                "seq": last_seq,
                "at": at,
                "actor": entry.actor,
                "action": entry.action,
                "client_id": entry.client_id,
                "order_id": entry.order_id,
                "plan_number": entry.plan_number,
                "run_number": entry.run_number,
                "details": details,
                "previous": head,
                "hash": digest,
            }
        )
        head = digest
    return rows, head


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a verification found; `bad_seq` is the first row that does not follow from those before it."""

    ok: bool
    rows: int
    head: str
    bad_seq: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as it lies in the file, words as text; `at` is None where no time can be read from it."""

    seq: int
    at: datetime | None
    actor: str
    action: str
    client_id: int | None
    order_id: int | None
    plan_number: int | None
    run_number: int | None
    details: str
    previous: str
    hash: str


# As bytes: a damaged time or text that is no UTF-8 must be found at its row, not end the reading.
_STORED = text(
    "SELECT seq, CAST(at AS BLOB), CAST(actor AS BLOB), CAST(action AS BLOB), client_id, order_id,"
    " plan_number, run_number, CAST(details AS BLOB), CAST(previous AS BLOB), CAST(hash AS BLOB)"
    " FROM audit WHERE seq >= :since ORDER BY seq"
)


def stored_rows(connection: Connection, since: int = 0) -> Iterator[StoredRow]:
    """The audit rows from number `since` on, as stored, for `verify` and `verify_tail`.

    Nothing that a tamperer may have written makes it fail.
    """
    for row in connection.execute(_STORED, {"since": since}).yield_per(1000):
        seq, at, actor, action, client, order, plan, run, details, previous, digest = row
        yield StoredRow(
            seq,
            _moment(_word(at)),
            _word(actor),
            _word(action),
            client,
            order,
            plan,
            run,
            _word(details),
            _word(previous),
            _word(digest),
        )


def _word(stored: bytes | None) -> str:
    return "" if stored is None else stored.decode("utf-8", "replace")


def _moment(stored: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(stored)
    except ValueError:
        return None
    written = at.isoformat(" ", "microseconds")
    return at.replace(tzinfo=UTC) if written == stored else None


def verify(rows: Iterable[StoredRow], expected_head: str | None = None) -> AuditReport:
    """Recompute a chain from its rows in order of `seq`.

    `expected_head` is a head kept outside (it may be that of any row, since the chain has grown on): the
    owner of a file can rewrite a whole chain, only an outside head shows that.
    """
    head, count, seen_expected = GENESIS, 0, expected_head is None or expected_head == GENESIS
    for row in rows:
        count += 1
        if fault := _fault(row, count, head):
            return AuditReport(False, count, head, count, fault)
        head = row.hash
        seen_expected = seen_expected or head == expected_head
    if not seen_expected:
        return AuditReport(False, count, head, None, "the given head is not in this chain")
    return AuditReport(True, count, head, None, f"{count} rows verified")


def verify_tail(rows: Iterable[StoredRow], seq: int, head: str) -> AuditReport:
    """Recompute a chain from row `seq` on, which had hash `head` when it was last verified.

    `rows` begin with that row; what stands before it is not looked at. The report counts the rows after it.
    """
    rest, last = iter(rows), seq
    if seq:
        known = next(rest, None)
        if known is None or known.seq != seq:
            return AuditReport(False, 0, head, seq, f"row {seq} is missing, which was there before")
        if known.hash != head or _fault(known, seq, known.previous):
            return AuditReport(False, 0, head, seq, f"row {seq} is not what it was when it was last verified")
    for row in rest:
        last += 1
        if fault := _fault(row, last, head):
            return AuditReport(False, last - seq, head, last, fault)
        head = row.hash
    return AuditReport(True, last - seq, head, None, f"{last - seq} rows verified after row {seq}")


def _fault(row: StoredRow, seq: int, head: str) -> str:
    """What is wrong with a row that is to be number `seq` behind hash `head`; empty if nothing is."""
    if row.seq != seq:
        return f"row {seq} is missing"
    if row.at is None:
        return f"row {seq} has no readable time"
    subjects = (row.client_id, row.order_id, row.plan_number, row.run_number)
    computed = row_hash(row.previous, row.seq, row.at, row.actor, row.action, subjects, row.details)
    if row.previous != head or row.hash != computed:
        return f"row {seq} does not follow from row {seq - 1}"
    return ""
