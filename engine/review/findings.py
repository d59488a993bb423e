"""What can be wrong with the books beside the audit, each in words that name the row and what it is."""

import hashlib
import json
from contextlib import suppress

from data.engines.looks import broken_references
from data.proving.readable import UNREADABLE, unreadable
from data.proving.rederive import differences, not_accepted
from data.proving.verifying import accepted
from data.repositories.base import Reader
from data.repositories.listings import listing_faults
from data.repositories.trading.plans import plans_as_bytes
from data.schema import schema_faults, table_faults
from data.writing.counters import counter_faults
from engine.planning.plan_record import verify_record


def changed_plans(reader: Reader) -> list[str]:
    """Plans that do not have the digest under which they were confirmed."""
    found: list[str] = []
    for plan in plans_as_bytes(reader):
        if not _as_confirmed(plan.digest, plan.body):
            mark = hashlib.sha256(plan.body or b"").hexdigest()[:8]
            found.append(f"plan {plan.number} was changed since it was confirmed (it is {mark})")
    return found


def _as_confirmed(digest: bytes | None, body: bytes | None) -> bool:
    """Whether a stored body is one whose digest it is; what cannot be read is not."""
    try:
        record = json.loads(body or b"")
        return record["digest"].encode() == digest and verify_record(record)
    except UNREADABLE:
        return False


def findings(reader: Reader) -> list[str]:
    """All that is wrong and that nobody has accepted, but for what a verification of the audit finds."""
    known = accepted(reader)
    found = [*unreadable(reader), *broken_references(reader), *changed_plans(reader)]
    found += table_faults(reader)
    left = [words for words in found if words not in known]
    with suppress(*UNREADABLE):  # the values that stand in the way are named already
        left += not_accepted(differences(reader), known)
        left += [words for words in listing_faults(reader) if words not in known]
    # These are mended as they are accepted, so whoever makes them again is told of again.
    return [*left, *schema_faults(reader), *counter_faults(reader)]
