"""What can be wrong with the books beside the audit, each in words that name the row and what it is."""

import hashlib
import json
from contextlib import suppress

from sqlalchemy import Connection, LargeBinary, cast, select

from data.columns import table
from data.counters import counter_faults
from data.order_tables import PlanRecord
from data.proving.readable import UNREADABLE, unreadable
from data.proving.rederive import differences, not_accepted
from data.proving.verifying import accepted
from data.schema import schema_faults, table_faults
from engine.planning.record import verify_record


def broken_references(connection: Connection) -> list[str]:
    """Rows that refer to rows which are not there."""
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return [f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there" for row in rows]


def changed_plans(connection: Connection) -> list[str]:
    """Plans that do not have the digest under which they were confirmed."""
    plans = table(PlanRecord)
    stored = select(plans.c.number, cast(plans.c.digest, LargeBinary), cast(plans.c.body, LargeBinary))
    found: list[str] = []
    for number, digest, body in connection.execute(stored).yield_per(50):
        if not _as_confirmed(digest, body):
            mark = hashlib.sha256(body or b"").hexdigest()[:8]
            found.append(f"plan {number} was changed since it was confirmed (it is {mark})")
    return found


def _as_confirmed(digest: bytes | None, body: bytes | None) -> bool:
    """Whether a stored body is one whose digest it is; what cannot be read is not."""
    try:
        record = json.loads(body or b"")
        return record["digest"].encode() == digest and verify_record(record)
    except UNREADABLE:
        return False


def findings(connection: Connection) -> list[str]:
    """All that is wrong and that nobody has accepted, but for what a verification of the audit finds."""
    known = accepted(connection)
    found = [*unreadable(connection), *broken_references(connection), *changed_plans(connection)]
    found += table_faults(connection)
    left = [words for words in found if words not in known]
    with suppress(*UNREADABLE):  # the values that stand in the way are named already
        left += not_accepted(differences(connection), known)
    # These are mended as they are accepted, so whoever makes them again is told of again.
    return [*left, *schema_faults(connection), *counter_faults(connection)]
