"""Verifying the audit: its chains recomputed, against the heads kept beside them, seals and heads outside."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from data.audit import BREAK, GENESIS, HEAD_DIFFERS, SEALED, Head
from data.engines.driver import words
from data.proving.seals import Seals
from data.proving.stored_audit import StoredRow, word
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
    last one of the first chain, `heads` of each chain's.
    """

    ok: bool
    rows: int
    head: str
    bad_seq: int | None = None
    message: str = ""
    last_seq: int = 0
    found: tuple[str, ...] = ()
    breaks: tuple[AuditBreak, ...] = ()
    heads: Mapping[int, Head] = {}

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


def accepted(connection: Connection) -> set[str]:
    """The words of all that was found wrong and accepted by a trader."""
    query = f"SELECT {words(connection).bytes_of('details')} FROM audit WHERE action = ?"
    found: set[str] = set()
    for details in connection.exec_driver_sql(query, (BREAK,)).scalars():
        found |= _found_words(word(details))
    return found


def _found_words(details: str) -> set[str]:
    try:
        return {str(words) for words in json.loads(details)["found"]}
    except (ValueError, LookupError, TypeError):
        return set()


def verify(
    rows: Iterable[StoredRow],
    kept: Mapping[int, Head],
    outside: Outside = NOTHING_OUTSIDE,
    others: Iterable[str] = (),
) -> AuditReport:
    """Recompute all chains from their rows in order of `seq`.

    `kept` are the heads that the last commits left beside them, `others` is what else speaks against the
    audit, in words. A head outside may be that of any row, since the chain has grown on: the owner of a file
    can rewrite whole chains and the heads beside them, only an outside head shows that.
    """
    walk = ChainWalk({}, outside)
    walk.go(rows)
    walk.end(kept)
    of = f" of {len(walk.lasts)} chains" if len(walk.lasts) > 1 else ""
    return walk.report(others, f"{walk.count} rows{of} verified")


def verify_tail(
    rows: Iterable[StoredRow],
    verified: Mapping[int, Head],
    kept: Mapping[int, Head],
    outside: Outside = NOTHING_OUTSIDE,
    known: Collection[str] = (),
) -> AuditReport:
    """Recompute each chain from the row on up to which it was last found good.

    `rows` begin with those rows; what stands before them is not looked at. The report counts the rows after.
    `known` is what was found wrong and accepted.
    """
    walk = ChainWalk(verified, outside)
    walk.accepted |= set(known)
    walk.go(rows)
    walk.end(kept)
    first = verified[0].seq if 0 in verified else 0
    return walk.report((), f"{walk.count} rows verified after row {first}")


class ChainWalk:
    """One way along all chains; after a fault it goes on from the row as it stands, so that all are told.

    It begins behind the rows `starts`, of which each chain's comes first.
    """

    def __init__(self, starts: Mapping[int, Head], outside: Outside) -> None:
        self.lasts = dict(starts)
        """The newest row of each chain so far."""
        self.count = 0
        self.bad_seq: int | None = None
        self.accepted: set[str] = set()
        self._starts = {chain: head for chain, head in starts.items() if head.seq}
        self._seals = Seals(starts)
        self._outside = outside
        self._faults: list[str] = []
        self._gaps: list[str] = []
        """Where writers went long without a seal: no fault of a row, since one that is slow leaves it."""
        self._more, self._digest = 0, hashlib.sha256()
        self._breaks: list[AuditBreak] = []
        self._seen = outside.given in (None, GENESIS)

    def fault(self, seq: int | None, words: str) -> None:
        """Keep what is wrong, and from which row on."""
        if self.bad_seq is None:
            self.bad_seq = seq
        if len(self._faults) < MOST:
            self._faults.append(words)
        else:
            self._more += 1
            self._digest.update(words.encode())

    def go(self, rows: Iterable[StoredRow]) -> None:
        """Go along rows in the order of their numbers."""
        for row in rows:
            if row.chain in self._starts and self._is_start(row, self._starts.pop(row.chain)):
                continue
            self.count += 1
            self._step(row)
            self.lasts[row.chain] = Head(row.seq, row.hash)
            self._seen = self._seen or row.hash == self._outside.given
        for start in self._starts.values():
            self._gone(start)

    def _is_start(self, row: StoredRow, start: Head) -> bool:
        """Whether a chain's first row is the one that was verified before, be it as it was or not."""
        if row.seq != start.seq:
            self._gone(start)
            return False
        computed = row.computed()
        if row.hash != start.hash or row.hash != computed:
            words = f"row {row.seq} is not what it was when it was last verified (it is {computed[:8]})"
            self.fault(row.seq, words)
        return True

    def _gone(self, start: Head) -> None:
        self.fault(start.seq, f"row {start.seq} is missing, which was there before")

    def _step(self, row: StoredRow) -> None:
        last, alone = self.lasts.get(row.chain, _BEGINNING), not (row.chain or self._others())
        computed = row.computed()
        follows = row.hash == computed and row.previous == last.hash
        cut = not follows or row.action == HEAD_DIFFERS
        if row.seq != last.seq + 1 and cut and (last.seq or not row.chain):
            words = missing_words(last.seq + 1, row.seq - 1)
            if not alone:
                words = f"rows of chain {row.chain} are missing between row {last.seq} and row {row.seq}"
            self.fault(last.seq + 1, words)
        if row.at is None:
            self.fault(row.seq, f"row {row.seq} has no readable time")
        elif not follows:
            number = row.seq - 1 if alone else last.seq
            before = f"row {number}" if number else "the beginning"
            self.fault(row.seq, f"row {row.seq} does not follow from {before} (it is {computed[:8]})")
        elsewhere = self._outside.heads.get(row.seq)
        if elsewhere is not None and elsewhere != row.hash:
            self.fault(
                row.seq, f"row {row.seq} ({row.hash[:8]}) is not the one kept outside ({elsewhere[:8]})"
            )
        if row.chain:
            self._gaps += self._seals.passed(row)
        if row.action == HEAD_DIFFERS:
            self._differed(row)
        elif row.hash == computed and row.action == BREAK:
            self._accept(row)
        elif row.hash == computed and row.action == SEALED:
            self._tell(row, self._seals.sealed(row))

    def _others(self) -> bool:
        """Whether there are chains beside the first."""
        return bool(self.lasts.keys() - {0})

    def _tell(self, row: StoredRow, found: Iterable[str]) -> None:
        for one in found:
            self.fault(row.seq, one)

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

    def end(self, kept: Mapping[int, Head]) -> None:
        """Compare each chain's end with the head kept beside it, and the first's with those kept outside."""
        for chain in sorted({0, *self.lasts, *kept}):
            last, head = self.lasts.get(chain, _BEGINNING), kept.get(chain)
            if head == last:
                continue
            if head is not None and head.seq > last.seq and not chain:
                self.fault(last.seq + 1, missing_words(last.seq + 1, head.seq))
            self.fault(None, differs_words(head, last) + (f" of chain {chain}" if chain else ""))
        last = self.lasts.get(0, _BEGINNING)
        beyond = max((seq for seq in self._outside.heads if seq > last.seq), default=None)
        if beyond is not None:
            self.fault(None, f"the audit ends at row {last.seq}, a head of row {beyond} is kept outside")
        if self._outside.trouble:
            self.fault(None, self._outside.trouble)
        if not self._seen:
            self.fault(None, "the given head is not in this chain")

    def report(self, others: Iterable[str], good: str) -> AuditReport:
        """What was found on the way, with `others`; `good` are the words where that is nothing."""
        faults = [*self._faults, *others]
        if self._more:
            faults.append(f"and {self._more} more ({self._digest.hexdigest()[:8]})")
        found = tuple(words for words in faults if words not in self.accepted)
        message = good
        if found:
            message = found[0] + (f", and {len(found) - 1} more" if len(found) > 1 else "")
        if self._gaps:
            message += f"; {self._gaps[0]}" + (f", and {len(self._gaps) - 1} more" if self._gaps[1:] else "")
        if self._breaks:
            rows = ", ".join(str(one.seq) for one in self._breaks)
            message += f"; broken before, and accepted in row {rows}"
        first = self.lasts.get(0, _BEGINNING)
        return AuditReport(
            not found,
            self.count,
            first.hash,
            self.bad_seq if found else None,
            message,
            first.seq,
            found,
            tuple(self._breaks),
            self.lasts,
        )


_BEGINNING = Head(0, GENESIS)


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
