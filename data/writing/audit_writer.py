"""Appending to the audit: rows are numbered, hashed and carry the proofs of what their batch changed."""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from data.audit import (
    BREAK,
    COLUMNS,
    DISTRUSTED,
    GENESIS,
    HEAD_DIFFERS,
    JUDGED,
    AuditAction,
    AuditEntry,
    Head,
    chain,
)
from data.engines.dialect import Phrases
from data.engines.driver import On, fetch, run, sql, words
from data.errors import shortened
from data.json_values import json_texts
from data.proving.latest import LatestProofs
from data.proving.noted import AcceptedRows, noted_by
from data.proving.proofs import Proofs, layout_now, newest_layout, proven_tables, shared_out
from data.tables.audit import Audit, AuditHead, ProofLayout
from data.writing.at_hand import AtHand

if TYPE_CHECKING:
    from data.writing.unit import Unit

WRITTEN = "written"
"""The row of `audit_head` that names the newest row of the audit."""

_FAULTS_TOLD = 3

ITSELF = "tradedesk"
"""Who acts where no trader does."""


class AuditWriter:
    """The audit's end as one writer's connection sees it."""

    def __init__(self, connection: Connection) -> None:
        self._laid_out = False
        self._latest = LatestProofs(last_row(connection))
        self._noted = noted_by(connection)
        self.at_hand = AtHand()

    def begin(self, version: int) -> None:
        """Begin a batch: nothing is changed yet. `version` is the file's, which others' commits change."""
        self._noted.begin(version)
        self.at_hand.begin(version)

    def forget(self) -> None:
        """Look anew at every row before it changes: a batch was not kept, or there was nothing to do."""
        self._noted.forget()
        self.at_hand.forget()

    def differing(self, connection: Connection, name: str, ids: Iterable[int]) -> list[int]:
        """Which of a table's rows are not as the audit left them, but for what this transaction wrote."""
        self._latest.catch_up(connection, last_row(connection))
        return self._latest.differing(connection, self._noted, name, sorted(ids))

    def append(
        self,
        unit: "Unit",
        entries: list[AuditEntry],
        proven: Proofs | None = None,
        accepted: Sequence[AcceptedRows] = (),
    ) -> tuple[Head, Head]:
        """Write a batch's rows within its transaction; returns the heads before and after.

        `proven` are proofs of rows that whoever wrote them knows, `accepted` rows that a trader accepts.

        Where the audit's end is not the head that was kept, a row says so first: nothing that is written
        later may hide it. So does one where rows were changed that were not as the audit left them.
        """
        connection = unit.connection
        entries, proofs = list(entries), Proofs()
        before = last_row(connection)
        if any(entry.action == BREAK for entry in entries):
            self._latest.accept()
        for rows in accepted:
            self._noted.accept(connection, rows)
        for name in self.at_hand.tables():
            self.at_hand.drop_unwritten(name, self._noted.places(name))
        if self._noted:
            self._lay_out(unit)
            self._latest.catch_up(connection, before)
            proofs, differing = self._latest.renewed(connection, self._noted.take(connection, proven or {}))
            if differing:
                entries.append(AuditEntry(DISTRUSTED, ITSELF, details={"found": differing}))
            elif proofs and not entries:
                entries.append(AuditEntry(AuditAction.ROWS_CHANGED, ITSELF))
        if not entries:
            return before, before
        shared = shared_out(entries, proofs)
        kept = kept_head(connection)
        if kept != before:
            details = {"kept": None if kept is None else list(kept), "found": list(before)}
            entries.insert(0, AuditEntry(HEAD_DIFFERS, ITSELF, details=details))
            shared = {place + 1: carried for place, carried in shared.items()}
        last_seq = max(before.seq, kept.seq if kept else 0)
        texts = [""] * len(entries)
        for place, text in zip(shared, json_texts(list(shared.values()), ascii_only=True), strict=True):
            texts[place] = text
        rows, digest = chain(entries, before.hash, last_seq, unit.now, texts)
        unit.insert_cells(Audit, COLUMNS, rows)
        after = Head(last_seq + len(rows), digest)
        _keep(unit, after, kept)
        self._latest.wrote(after, proofs)
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
                "not_held": self._noted.not_noted(unit.connection, fresh),
            }
            unit.insert(ProofLayout, [row])
        else:
            self._laid_out = True


# As bytes, since a head that cannot be read must be told of and may keep nobody from writing.
_LAST = "SELECT {seq}, {hash} FROM audit ORDER BY seq DESC LIMIT 1"
_KEEP = "UPDATE audit_head SET seq = ?, hash = ? WHERE name = ?"
_KEPT = f"SELECT {{seq}}, {{hash}} FROM audit_head WHERE name = '{WRITTEN}'"


def last_row(connection: Connection) -> Head:
    """The number and hash of the newest row of the audit."""
    return _head(connection, _LAST) or Head(0, GENESIS)


def kept_head(connection: Connection) -> Head | None:
    """The head that was kept with the last commit; None where it is gone."""
    return _head(connection, _KEPT)


def _head(connection: Connection, query: str) -> Head | None:
    found = fetch(connection, _of_bytes(query, words(connection)))
    if not found:
        return None
    seq, digest = (value or b"" for value in found[0])
    return Head(int(seq) if seq.isdigit() else 0, digest.decode("utf-8", "replace"))


@cache
def _of_bytes(query: str, words: Phrases) -> str:
    return query.format(seq=words.bytes_of("seq"), hash=words.bytes_of("hash"))


def _keep(unit: "Unit", head: Head, kept: Head | None) -> None:
    if kept is None:
        unit.insert(AuditHead, [{"name": WRITTEN, "seq": head.seq, "hash": head.hash}])
    else:
        run(unit.connection, _KEEP, (head.seq, head.hash, WRITTEN))


def standing_stop(on: On) -> tuple[str, ...]:
    """What stops trading, as the audit tells; empty where nothing does.

    The newest row decides that stops it, or by which that was accepted or found mended.
    """
    connection = sql(on)
    details = words(connection).bytes_of("details")
    query = f"SELECT action, {details} AS details FROM audit WHERE {JUDGED} ORDER BY seq DESC LIMIT 1"
    row = connection.exec_driver_sql(query).first()
    if row is None or row.action != DISTRUSTED:
        return ()
    try:
        return tuple(map(str, json.loads(row.details)["found"])) or ("no words of it",)
    except (ValueError, LookupError, TypeError):
        return ("what was found cannot be read any more",)


def stop_words(found: Sequence[str]) -> str:
    """Why trading is stopped, in words for the trader, and what ends that; of many faults the first few."""
    faults = found[0].split("; ")
    left = len(faults[_FAULTS_TOLD:]) + len(found) - 1
    told = "; ".join(map(shortened, faults[:_FAULTS_TOLD])) + (f", and {left} more" if left else "")
    return (
        f"desk.db was changed by something other than tradedesk: {told}; `tradedesk doctor` says "
        "more; put a copy back, or, once you know why, `tradedesk audit accept --reason WHY` ends the stop"
    )
