"""Verifying the audit: its chain recomputed, against the head kept beside it and heads kept outside."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from data.audit import BREAK, COLUMNS, GENESIS, HEAD_DIFFERS, Head, row_hash
from data.engines.dialect import Phrases
from data.engines.driver import words
from data.proving.proofs import bytes_of
from data.records import replace

MOST = 200
"""How many faults of a chain are told one by one."""


class AuditBreak(Struct, frozen=True):
    """What was found wrong in the audit and accepted by a trader; row `seq` shows it for ever."""

    seq: int
    at: datetime | None
    actor: str
    reason: str
    found: tuple[str, ...]


class AuditReport(Struct, frozen=True):
    """What a verification found: `found` is what is wrong and was not accepted, `breaks` what was.

    `bad_seq` is the first row that does not follow from those before it; `head` and `last_seq` are of the
    last one.
    """

    ok: bool
    rows: int
    head: str
    bad_seq: int | None = None
    message: str = ""
    last_seq: int = 0
    found: tuple[str, ...] = ()
    breaks: tuple[AuditBreak, ...] = ()

    def with_more(self, found: Sequence[str]) -> "AuditReport":
        """The same with faults that no acceptance covers."""
        if not found:
            return self
        message = self.message if self.found else found[0]
        return replace(self, ok=False, found=(*self.found, *found), message=message)


class Outside(Struct, frozen=True):
    """Heads that were kept elsewhere: in a file by number, and one that the trader gave."""

    heads: Mapping[int, str]
    given: str | None = None
    trouble: str = ""


NOTHING_OUTSIDE = Outside({})


class StoredRow(Struct, frozen=True):
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
    via: str
    proof: str
    previous: str
    hash: str

    def computed(self) -> str:
        """The hash of what the row says; empty without a readable time."""
        subjects = (self.client_id, self.order_id, self.plan_number, self.run_number)
        if self.at is None:
            return ""
        return row_hash(
            self.previous,
            self.seq,
            self.at,
            self.actor,
            self.action,
            subjects,
            self.details,
            self.proof,
            self.via,
        )

    def values(self) -> Any:
        """Its details as values; None where they cannot be read."""
        try:
            return json.loads(self.details)
        except ValueError:
            return None


@cache
def _stored(words: Phrases) -> str:
    """Rows as bytes: a damaged time or text must be found at its row, not end the reading."""
    cells = ", ".join(bytes_of("audit", name, words) for name in COLUMNS[1:])
    return f"SELECT seq, {cells} FROM audit WHERE seq >= ? AND {words.is_number.format('seq')} ORDER BY seq"


def stored_rows(connection: Connection, since: int = 0) -> Iterator[StoredRow]:
    """The audit rows from number `since` on, as stored, for `verify` and `verify_tail`.

    Nothing that a tamperer may have written makes it fail.
    """
    query = _stored(words(connection))
    for row in connection.exec_driver_sql(query, (since,)).yield_per(1000):
        seq, at, actor, action, client, order, plan, run, details, via, proof, previous, digest = row
        yield StoredRow(
            seq,
            _moment(_word(at)),
            _word(actor),
            _word(action),
            _number(client),
            _number(order),
            _number(plan),
            _number(run),
            _word(details),
            _word(via),
            _word(proof),
            _word(previous),
            _word(digest),
        )


def _word(stored: bytes | None) -> str:
    return "" if stored is None else stored.decode("utf-8", "replace")


def _number(stored: bytes | None) -> int | None:
    """A subject's number; -1, which is nobody's, for what is none."""
    if stored is None:
        return None
    return int(stored) if stored.isdigit() else -1


def _moment(stored: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(stored)
    except ValueError:
        return None
    written = at.isoformat(" ", "microseconds")
    return at.replace(tzinfo=UTC) if written == stored else None


def head_before(connection: Connection, moment: datetime) -> Head:
    """The last row that is dated before a moment, and its hash; the beginning where there is none."""
    digest = words(connection).bytes_of("hash")
    query = f"SELECT seq, {digest} FROM audit WHERE at < ? ORDER BY seq DESC LIMIT 1"
    stamp = moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    row = connection.exec_driver_sql(query, (stamp,)).first()
    return Head(0, GENESIS) if row is None else Head(int(row[0]), _word(row[1]))


def accepted(connection: Connection) -> set[str]:
    """The words of all that was found wrong and accepted by a trader."""
    query = f"SELECT {words(connection).bytes_of('details')} FROM audit WHERE action = ?"
    found: set[str] = set()
    for details in connection.exec_driver_sql(query, (BREAK,)).scalars():
        found |= _found_words(_word(details))
    return found


def _found_words(details: str) -> set[str]:
    try:
        return {str(words) for words in json.loads(details)["found"]}
    except (ValueError, LookupError, TypeError):
        return set()


def verify(
    rows: Iterable[StoredRow],
    kept: Head | None,
    outside: Outside = NOTHING_OUTSIDE,
    others: Iterable[str] = (),
) -> AuditReport:
    """Recompute a chain from its rows in order of `seq`.

    `kept` is the head that the last commit left beside it, `others` is what else speaks against the audit, in
    words. A head outside may be that of any row, since the chain has grown on: the owner of a file can
    rewrite a whole chain and the head beside it, only an outside head shows that.
    """
    walk = _Walk(Head(0, GENESIS), outside)
    walk.go(rows)
    walk.end(kept)
    return walk.report(others, f"{walk.count} rows verified")


def verify_tail(
    rows: Iterable[StoredRow],
    verified: Head,
    kept: Head | None,
    outside: Outside = NOTHING_OUTSIDE,
    known: Collection[str] = (),
) -> AuditReport:
    """Recompute a chain from the row on up to which it was last found good.

    `rows` begin with that row; what stands before it is not looked at. The report counts the rows after it.
    `known` is what was found wrong and accepted.
    """
    rest, walk = iter(rows), _Walk(verified, outside)
    walk.accepted |= set(known)
    if verified.seq:
        first = next(rest, None)
        if first is None or first.seq != verified.seq:
            walk.fault(verified.seq, f"row {verified.seq} is missing, which was there before")
            rest = iter(() if first is None else (first, *rest))
        elif first.hash != verified.hash or first.hash != first.computed():
            mark = first.computed()[:8]
            walk.fault(
                verified.seq,
                f"row {verified.seq} is not what it was when it was last verified (it is {mark})",
            )
    walk.go(rest)
    walk.end(kept)
    return walk.report((), f"{walk.count} rows verified after row {verified.seq}")


class _Walk:
    """One way along a chain; after a fault it goes on from the row as it stands, so that all are told."""

    def __init__(self, start: Head, outside: Outside) -> None:
        self.last, self.count = start, 0
        self.bad_seq: int | None = None
        self.accepted: set[str] = set()
        self._outside = outside
        self._faults: list[str] = []
        self._more, self._digest = 0, hashlib.sha256()
        self._breaks: list[AuditBreak] = []
        self._seen = outside.given in (None, GENESIS)

    def fault(self, seq: int | None, words: str) -> None:
        if self.bad_seq is None:
            self.bad_seq = seq
        if len(self._faults) < MOST:
            self._faults.append(words)
        else:
            self._more += 1
            self._digest.update(words.encode())

    def go(self, rows: Iterable[StoredRow]) -> None:
        for row in rows:
            self.count += 1
            self._step(row)
            self.last = Head(row.seq, row.hash)
            self._seen = self._seen or row.hash == self._outside.given

    def _step(self, row: StoredRow) -> None:
        if row.seq != self.last.seq + 1:
            self.fault(self.last.seq + 1, missing_words(self.last.seq + 1, row.seq - 1))
        computed = row.computed()
        if row.at is None:
            self.fault(row.seq, f"row {row.seq} has no readable time")
        elif row.hash != computed or row.previous != self.last.hash:
            before = f"row {row.seq - 1}" if row.seq > 1 else "the beginning"
            self.fault(row.seq, f"row {row.seq} does not follow from {before} (it is {computed[:8]})")
        elsewhere = self._outside.heads.get(row.seq)
        if elsewhere is not None and elsewhere != row.hash:
            self.fault(
                row.seq, f"row {row.seq} ({row.hash[:8]}) is not the one kept outside ({elsewhere[:8]})"
            )
        if row.action == HEAD_DIFFERS:
            self._differed(row)
        elif row.action == BREAK and row.hash == computed:
            self._accept(row)

    def _differed(self, row: StoredRow) -> None:
        values = row.values()
        try:
            kept = None if values["kept"] is None else Head(*values["kept"])
            words = differs_words(kept, Head(*values["found"]))
        except (TypeError, LookupError, ValueError):
            words = f"row {row.seq} tells of a cut audit and cannot be read"
        self.fault(row.seq, words)

    def _accept(self, row: StoredRow) -> None:
        found = _found_words(row.details)
        try:
            reason = str(row.values()["reason"])
        except (TypeError, LookupError):
            reason = ""
        self.accepted |= found
        self._breaks.append(AuditBreak(row.seq, row.at, row.actor, reason, tuple(sorted(found))))

    def end(self, kept: Head | None) -> None:
        """Compare where the chain ends with the head kept beside it, and with those kept outside."""
        last = self.last
        if kept != last:
            if kept is not None and kept.seq > last.seq:
                self.fault(last.seq + 1, missing_words(last.seq + 1, kept.seq))
            self.fault(None, differs_words(kept, last))
        beyond = max((seq for seq in self._outside.heads if seq > last.seq), default=None)
        if beyond is not None:
            self.fault(None, f"the audit ends at row {last.seq}, a head of row {beyond} is kept outside")
        if self._outside.trouble:
            self.fault(None, self._outside.trouble)
        if not self._seen:
            self.fault(None, "the given head is not in this chain")

    def report(self, others: Iterable[str], good: str) -> AuditReport:
        faults = [*self._faults, *others]
        if self._more:
            faults.append(f"and {self._more} more ({self._digest.hexdigest()[:8]})")
        found = tuple(words for words in faults if words not in self.accepted)
        message = good
        if found:
            message = found[0] + (f", and {len(found) - 1} more" if len(found) > 1 else "")
        if self._breaks:
            rows = ", ".join(str(one.seq) for one in self._breaks)
            message += f"; broken before, and accepted in row {rows}"
        return AuditReport(
            not found,
            self.count,
            self.last.hash,
            self.bad_seq if found else None,
            message,
            self.last.seq,
            found,
            tuple(self._breaks),
        )


def missing_words(first: int, last: int) -> str:
    """Phrases for rows that are not there."""
    return f"row {first} is missing" if first >= last else f"rows {first} to {last} are missing"


def differs_words(kept: Head | None, found: Head) -> str:
    """Phrases for an end of the audit that is not the head that was kept."""
    end = f"the audit ended at row {found.seq} ({found.hash[:8]})"
    if kept is None:
        return f"{end}, and the head kept beside it was gone"
    return f"{end}, and row {kept.seq} ({kept.hash[:8]}) had been written last"


_FAULTS_NAMED = 20


def first_of(words: Sequence[str]) -> str:
    """Faults in one line, the first few of them."""
    rest = f"; and {len(words) - _FAULTS_NAMED} more" if len(words) > _FAULTS_NAMED else ""
    return "; ".join(words[:_FAULTS_NAMED]) + rest
