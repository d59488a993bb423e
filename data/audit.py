"""The audit chain: SHA-256 over each row's content and the hash before it, in the order of commit."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

GENESIS = "0" * 64
"""The hash before the first row."""

HEAD_DIFFERS = "AUDIT_HEAD_DIFFERS"
"""The action of a row that says: what was written here before was not what had been written last."""

BREAK = "AUDIT_BREAK"
"""The action of a row by which a trader accepted what was found wrong before it, with a reason."""

DISTRUSTED = "BOOKS_DISTRUSTED"
"""The action of a row that tells what stops trading from then on, until it is accepted or found mended."""

TRUSTED = "BOOKS_TRUSTED"
"""The action of a row that says: nothing is left of what stopped trading."""

JUDGED = f"action IN ('{BREAK}', '{DISTRUSTED}', '{TRUSTED}')"
"""The rows that say whether trading is stopped, as SQL; an index of them asks for these very words."""


class Head(NamedTuple):
    """The number and hash of a row of the chain."""

    seq: int
    hash: str


class Details(dict[str, Any]):
    """What a row of the audit tells beside the numbers of what it is about; it stands as JSON text."""

    @classmethod
    def of_text(cls, text: str) -> "Details":
        """The details of a stored row. Raises `ValueError` for what is no JSON, `TypeError` for no object."""
        return cls(json.loads(text))

    def text(self) -> str:
        """What stands in the row."""
        return json.dumps(self)


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
    via: str = ""


def row_hash(
    previous: str,
    seq: int,
    at: datetime,
    actor: str,
    action: str,
    subjects: tuple[int | None, int | None, int | None, int | None],
    details: str,
    proof: str = "",
    via: str = "",
) -> str:
    """The hash of one row; `subjects` are client, order, plan and run."""
    return _hash(previous, seq, at.isoformat(), actor, action, subjects, details, proof, via)


def _hash(
    previous: str,
    seq: int,
    at: str,
    actor: str,
    action: str,
    subjects: tuple[int | None, int | None, int | None, int | None],
    details: str,
    proof: str,
    via: str,
) -> str:
    client, order, plan, run = subjects
    content = (
        f"{previous}\x1f{seq}\x1f{at}\x1f{actor}\x1f{action}\x1f{client},{order},{plan},{run}\x1f{details}"
    )
    # Rows of versions that knew neither keep their hashes.
    if via:
        content += f"\x1e{via}"
    if proof:
        content += f"\x1f{proof}"
    return hashlib.sha256(content.encode()).hexdigest()


COLUMNS = (
    "seq",
    "at",
    "actor",
    "action",
    "client_id",
    "order_id",
    "plan_number",
    "run_number",
    "details",
    "via",
    "proof",
    "previous",
    "hash",
)
"""The columns of the cells that `chain` returns."""

_DETAILS = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def chain(
    entries: Sequence[AuditEntry], head: str, last_seq: int, at: datetime, proofs: Sequence[str]
) -> tuple[list[tuple[Any, ...]], str]:
    """Number and hash `entries`, each with its proofs, behind row `last_seq` with hash `head`.

    Returns the cells of each row, which are of `COLUMNS`, and the head after.
    """
    rows: list[tuple[Any, ...]] = []
    encode, moment = _DETAILS.encode, at.isoformat()
    for seq, (entry, proof) in enumerate(zip(entries, proofs, strict=True), last_seq + 1):
        details = encode(entry.details)
        subjects = (entry.client_id, entry.order_id, entry.plan_number, entry.run_number)
        digest = _hash(head, seq, moment, entry.actor, entry.action, subjects, details, proof, entry.via)
        rows.append((seq, at, entry.actor, entry.action, *subjects, details, entry.via, proof, head, digest))
        head = digest
    return rows, head
