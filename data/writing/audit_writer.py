"""Appending to the audit: rows of a chain, numbered, hashed, with proofs of what their batch changed."""

import json
from collections.abc import Iterable, Mapping, Sequence
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
    chained,
)
from data.engines.chains import next_numbers
from data.engines.dialect import UNLESS_THERE, Phrases
from data.engines.driver import On, fetch, run, sql, words
from data.errors import StoreError, shortened
from data.json_values import json_texts
from data.proving.latest import LatestProofs
from data.proving.noted import AcceptedRows, noted_by
from data.proving.proofs import Proofs, layout_now, newest_layout, proven_tables, shared_out
from data.tables.audit import Audit, AuditHead, ProofLayout
from data.writing.at_hand import AtHand

if TYPE_CHECKING:
    from data.writing.unit import Unit

WRITTEN = "written"
"""The row of `audit_head` that names the newest row of a chain."""

_FAULTS_TOLD = 3

ITSELF = "tradedesk"
"""Who acts where no trader does."""


class AuditWriter:
    """The end of a chain as the one connection sees it that writes to it."""

    def __init__(self, connection: Connection, chain: int = 0) -> None:
        self.chain = chain
        self._laid_out = False
        if chain:
            _begin_chain(connection, chain)
        self._heads: Mapping[int, Head] | None = None
        self._latest = LatestProofs(chain, last_row(connection, chain), kept_heads(connection))
        self._noted = noted_by(connection)
        self.at_hand = AtHand()

    def begin(self, version: int) -> None:
        """Begin a batch: nothing is changed yet. `version` is the file's, which others' commits change."""
        self._heads = None
        self._noted.begin(version)
        self.at_hand.begin(version)

    def forget(self) -> None:
        """Look anew at every row before it changes: a batch was not kept, or there was nothing to do."""
        self._noted.forget()
        self.at_hand.forget()

    def differing(self, connection: Connection, name: str, ids: Iterable[int]) -> list[int]:
        """Which of a table's rows are not as the audit left them, but for what this transaction wrote."""
        self._catch_up(connection, last_row(connection, self.chain))
        return self._latest.differing(connection, self._noted, name, sorted(ids))

    def heads(self, connection: Connection) -> Mapping[int, Head]:
        """Where each chain ends as this batch's transaction sees it."""
        if self._heads is None:
            self._heads = kept_heads(connection)
        return self._heads

    def _catch_up(self, connection: Connection, last: Head) -> None:
        self._latest.catch_up(connection, last, self.heads(connection))

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
        before = last_row(connection, self.chain)
        if any(entry.action == BREAK for entry in entries):
            self._latest.accept()
        for rows in accepted:
            self._noted.accept(connection, rows)
        for name in self.at_hand.tables():
            self.at_hand.drop_unwritten(name, self._noted.places(name))
        if self._noted:
            self._lay_out(unit)
            self._catch_up(connection, before)
            proofs, differing = self._latest.renewed(connection, self._noted.take(connection, proven or {}))
            if differing:
                entries.append(AuditEntry(DISTRUSTED, ITSELF, details={"found": differing}))
            elif proofs and not entries:
                entries.append(AuditEntry(AuditAction.ROWS_CHANGED, ITSELF))
        if not entries:
            return before, before
        shared = shared_out(entries, proofs)
        heads = self.heads(connection)
        kept = heads.get(self.chain)
        if kept != before:
            details = {"kept": None if kept is None else list(kept), "found": list(before)}
            entries.insert(0, AuditEntry(HEAD_DIFFERS, ITSELF, details=details))
            shared = {place + 1: carried for place, carried in shared.items()}
        highest = max([before.seq, *(head.seq for head in heads.values())])
        texts = [""] * len(entries)
        for place, text in zip(shared, json_texts(list(shared.values()), ascii_only=True), strict=True):
            texts[place] = text
        numbers = next_numbers(connection, len(entries), highest)
        rows, digest = chained(entries, before.hash, numbers, unit.now, texts, self.chain)
        if self.chain:
            unit.insert_cells(Audit, (*COLUMNS, "chain"), [(*row, self.chain) for row in rows])
        else:
            unit.insert_cells(Audit, COLUMNS, rows)
        after = Head(numbers[-1], digest)
        self._keep(unit, after, kept)
        self._latest.wrote(after, proofs)
        return before, after

    def _keep(self, unit: "Unit", head: Head, kept: Head | None) -> None:
        """Keep where the chain ends. Raises `StoreError` where another has written to it.

        In a file, which has one writer, a head that cannot be read is written over.
        """
        cells = (head.seq, head.hash, WRITTEN, self.chain)
        if kept is None:
            row = {"name": WRITTEN, "chain": self.chain, "seq": head.seq, "hash": head.hash}
            unit.insert(AuditHead, [row])
        elif unit.connection.dialect.name == "sqlite":
            run(unit.connection, _KEEP, cells)
        elif run(unit.connection, _KEEP + _AFTER, (*cells, kept.seq)) != 1:
            raise StoreError(f"another writer has written to chain {self.chain} of the audit")

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
_LAST = "SELECT {seq}, {hash} FROM audit WHERE chain = ? ORDER BY seq DESC LIMIT 1"
_KEEP = "UPDATE audit_head SET seq = ?, hash = ? WHERE name = ? AND chain = ?"
_AFTER = " AND seq = ?"
_KEPT = f"SELECT {{seq}}, {{hash}}, chain FROM audit_head WHERE name = '{WRITTEN}' AND {{numbered}}"
_BEGIN = (
    f"INSERT INTO audit_head (name, chain, seq, hash) SELECT '{WRITTEN}', ?, 0, '{GENESIS}'"
    f" WHERE NOT EXISTS (SELECT 1 FROM audit WHERE chain = ?) {UNLESS_THERE}"
)


def last_row(connection: Connection, chain: int = 0) -> Head:
    """The number and hash of the newest row of a chain."""
    found = fetch(connection, _of_bytes(_LAST, words(connection)), (chain,))
    return _head(*found[0]) if found else Head(0, GENESIS)


def kept_heads(connection: Connection) -> dict[int, Head]:
    """The head of each chain that was kept with the last commit to it; none of a chain whose head is gone."""
    found = fetch(connection, _of_bytes(_KEPT, words(connection)))
    return {int(chain): _head(seq, digest) for seq, digest, chain in found}


def _head(seq: bytes | None, digest: bytes | None) -> Head:
    number = seq or b""
    return Head(int(number) if number.isdigit() else 0, (digest or b"").decode("utf-8", "replace"))


def _begin_chain(connection: Connection, chain: int) -> None:
    """Have a chain that nobody has written to yet end before its first row."""
    run(connection, _BEGIN, (chain, chain))


@cache
def _of_bytes(query: str, words: Phrases) -> str:
    numbered = words.is_number.format("chain")
    return query.format(seq=words.bytes_of("seq"), hash=words.bytes_of("hash"), numbered=numbered)


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
