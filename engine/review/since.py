"""The doctor's looks that are bounded to what changed since a day, and what they leave out."""

from collections.abc import Callable
from datetime import date, datetime, time
from functools import partial
from pathlib import Path

from data.clock import IST
from data.proving.evidence import recompute
from data.proving.heads import heads_outside
from data.proving.readable import unreadable
from data.proving.rederive import not_accepted, unbalanced_since
from data.proving.stored_audit import first_since, heads_before, rows_from
from data.proving.verifying import accepted, first_of, verify_tail
from data.repositories.base import Reader
from data.writing.audit_writer import kept_heads

NEWEST = 100_000
"""How many of each table's newest rows are looked at for values that cannot be read."""

Look = Callable[[Reader], tuple[bool, str]]
"""One question to the database: whether the books are good by it, and words."""


def looks_since(day: date, heads: Path | None) -> dict[str, Look]:
    """The looks at what changed since a day began in India, as audit and transfers are dated.

    The last of them looks at nothing, and says what the others leave out.
    """
    start = datetime.combine(day, time(), IST)
    return {
        "values": _values,
        "transfers": partial(_transfers, start=start),
        "audit chain": partial(_chain, start=start, heads=heads),
        "proofs": partial(_proofs, start=start),
        "not looked at": partial(_left_out, day=day),
    }


def _values(reader: Reader) -> tuple[bool, str]:
    found = _not_accepted(reader, unreadable(reader, NEWEST))
    return not found, first_of(found) or f"every value can be read in each table's newest {NEWEST:,} rows"


def _transfers(reader: Reader, start: datetime) -> tuple[bool, str]:
    found = _not_accepted(reader, unbalanced_since(reader, start))
    return not found, first_of(found) or "each of these days sums to zero"


def _chain(reader: Reader, start: datetime, heads: Path | None) -> tuple[bool, str]:
    before, kept, outside = heads_before(reader, start), kept_heads(reader), heads_outside(heads)
    report = verify_tail(rows_from(reader, before), before, kept, outside)
    if not report.ok:  # what was accepted is asked for only then: it stands anywhere in the audit
        known = accepted(reader)
        report = verify_tail(rows_from(reader, before), before, kept, outside, known)
    return report.ok, f"{report.message}; head {report.head[:12]}"


def _proofs(reader: Reader, start: datetime) -> tuple[bool, str]:
    made = recompute(reader, first_since(reader, start) - 1)
    found = _not_accepted(reader, list(made.found))
    return not found, first_of(found) or f"{made.held} rows are as the audit of these days left them"


def _left_out(_reader: Reader, day: date) -> tuple[bool, str]:
    return True, (
        f"what changed before {day:%d %b %Y}; and of all days balances, references, plans, rows of which the "
        "audit does not tell, and the file as SQLite sees it: `tradedesk doctor` looks at everything"
    )


def _not_accepted(reader: Reader, found: list[str]) -> list[str]:
    return not_accepted(found, accepted(reader)) if found else []
