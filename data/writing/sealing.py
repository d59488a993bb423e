"""Sealing the audit's chains: whoever writes to the first names the newest row of every other in it."""

from datetime import timedelta
from typing import Any

from data.audit import SEALED, AuditEntry
from data.repositories.audit import newest_seal
from data.writing.audit_writer import ITSELF
from data.writing.unit import Unit

EVERY = timedelta(minutes=1)
"""How far apart seals are while others write."""


def seal(unit: Unit, now: bool = False) -> bool:
    """Seal the other chains, where this one is the first and they have grown; returns whether that was done.

    But for `now` not before `EVERY` has passed since the newest seal.
    """
    if unit.chain:
        return False
    ends = [[chain, *head] for chain, head in sorted(unit.chain_ends().items()) if chain and head.seq]
    if not ends:
        return False
    newest = newest_seal(unit)
    if newest is not None:
        before: Any = newest.details.get("heads")
        if before == ends or not (now or unit.now - newest.at >= EVERY):
            return False
    unit.audit(AuditEntry(SEALED, ITSELF, details={"heads": ends}))
    return True
