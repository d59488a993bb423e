"""Appending to the audit: rows are numbered, hashed and carry the proofs of what their batch changed."""

import json
from typing import TYPE_CHECKING

from sqlalchemy import Connection, update

from data.audit import GENESIS, HEAD_DIFFERS, AuditEntry, Head, chain
from data.columns import table
from data.proofs import (
    anything_changed,
    layout_now,
    newest_layout,
    proven_tables,
    shared_out,
    take_proofs,
    unproven_rows,
    watch,
)
from data.tables import Audit, AuditHead, ProofLayout

if TYPE_CHECKING:
    from data.store import Unit

WRITTEN = "written"
"""The row of `audit_head` that names the newest row of the audit."""

ITSELF = "tradedesk"
"""Who acts where no trader does."""


class AuditWriter:
    """The audit's end as one writer's connection sees it."""

    def __init__(self, connection: Connection) -> None:
        self._laid_out = False
        watch(connection)

    def append(self, unit: "Unit", entries: list[AuditEntry]) -> tuple[Head, Head]:
        """Write a batch's rows within its transaction; gives the heads before and after.

        Where the audit's end is not the head that was kept, a row says so first: nothing that is written
        later may hide it.
        """
        connection = unit.connection
        entries = list(entries)
        if changed := anything_changed(connection):
            self._lay_out(unit)
            entries = entries or [AuditEntry("ROWS_CHANGED", ITSELF)]
        if not entries:
            return (before := last_row(connection)), before
        proofs = shared_out(entries, take_proofs(connection) if changed else {})
        before, kept = last_row(connection), kept_head(connection)
        if kept != before:
            details = {"kept": None if kept is None else list(kept), "found": list(before)}
            entries.insert(0, AuditEntry(HEAD_DIFFERS, ITSELF, details=details))
            proofs.insert(0, {})
        last_seq = max(before.seq, kept.seq if kept else 0)
        texts = [json.dumps(one, separators=(",", ":")) if one else "" for one in proofs]
        rows, digest = chain(entries, before.hash, last_seq, unit.now, texts)
        unit.insert(Audit, rows)
        after = Head(last_seq + len(rows), digest)
        _keep(unit, after, kept)
        return before, after

    def _lay_out(self, unit: "Unit") -> None:
        """Write down which columns are proven from here on, where that is not what was written last."""
        if self._laid_out:
            return
        layout = layout_now()
        number, known = newest_layout(unit.connection)
        if known != layout:
            fresh = [name for name in proven_tables(layout) if name not in known]
            row = {
                "number": number + 1,
                "at": unit.now,
                "layout": layout,
                "not_held": unproven_rows(unit.connection, fresh),
            }
            unit.insert(ProofLayout, [row])
        else:
            self._laid_out = True


# As bytes, since a head that cannot be read must be told of and may keep nobody from writing.
_LAST = "SELECT CAST(seq AS BLOB), CAST(hash AS BLOB) FROM audit ORDER BY seq DESC LIMIT 1"
_KEPT = f"SELECT CAST(seq AS BLOB), CAST(hash AS BLOB) FROM audit_head WHERE name = '{WRITTEN}'"


def last_row(connection: Connection) -> Head:
    """The number and hash of the newest row of the audit."""
    return _head(connection, _LAST) or Head(0, GENESIS)


def kept_head(connection: Connection) -> Head | None:
    """The head that was kept with the last commit; None where it is gone."""
    return _head(connection, _KEPT)


def _head(connection: Connection, query: str) -> Head | None:
    row = connection.exec_driver_sql(query).first()
    if row is None:
        return None
    seq, digest = (value or b"" for value in row)
    return Head(int(seq) if seq.isdigit() else 0, digest.decode("utf-8", "replace"))


def _keep(unit: "Unit", head: Head, kept: Head | None) -> None:
    heads = table(AuditHead)
    if kept is None:
        unit.insert(AuditHead, [{"name": WRITTEN, "seq": head.seq, "hash": head.hash}])
    else:
        unit.connection.execute(
            update(heads).where(heads.c.name == WRITTEN).values(seq=head.seq, hash=head.hash)
        )
