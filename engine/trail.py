"""The audit as the desk reads it: searched, and verified against itself and an outside head."""

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from data.audit import GENESIS, AuditReport, stored_rows, verify, verify_tail
from data.columns import table
from data.store import StoreError, Unit
from data.tables import Audit, Meta
from engine.parts import Parts

log = logging.getLogger(__name__)

VERIFIED = "audit_verified"
"""The row of `meta` that says up to which row, and with which hash there, the chain was last found good."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row of the audit, its details as values."""

    seq: int
    at: datetime
    actor: str
    action: str
    client_id: int | None
    order_id: int | None
    plan_number: int | None
    run_number: int | None
    details: dict[str, Any]
    hash: str


class Trail:
    """Searches and verifies the audit."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def rows(
        self,
        limit: int = 200,
        action: str | None = None,
        client_id: int | None = None,
        order_id: int | None = None,
        since: datetime | None = None,
    ) -> list[AuditRow]:
        """The newest rows that match, oldest first."""
        audit = table(Audit)
        query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if action is not None:
            query = query.where(audit.c.action == action.upper())
        if client_id is not None:
            query = query.where(audit.c.client_id == client_id)
        if order_id is not None:
            query = query.where(audit.c.order_id == order_id)
        if since is not None:
            query = query.where(audit.c.at >= since)
        async with self._parts.store.reader() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [
            AuditRow(
                row["seq"],
                row["at"],
                row["actor"],
                row["action"],
                row["client_id"],
                row["order_id"],
                row["plan_number"],
                row["run_number"],
                json.loads(row["details"]),
                row["hash"],
            )
            for row in reversed(rows)
        ]

    async def verify(self, head: str | None = None) -> AuditReport:
        """Recompute the whole chain; `head` is a hash kept outside that must be in it."""
        async with self._parts.store.reader() as connection:
            return await connection.run_sync(lambda sync: verify(stored_rows(sync), head))

    async def verify_tail(self) -> AuditReport:
        """Recompute the chain from the row up to which it was last found good, and keep how far that is now.

        It is quick where `verify` is thorough: rows before that one are not read again.
        """
        seq, report = await self._parts.store.read_aside(_verify_tail)
        if report.ok and report.rows:
            try:
                await self._parts.store.write(lambda unit: _keep(unit, seq + report.rows, report.head))
            except StoreError as problem:  # the rows are good all the same; they are read again next time
                log.warning("how far the audit was verified could not be kept: %s", problem)
        return report


def _verify_tail(connection: Connection) -> tuple[int, AuditReport]:
    """The row from which the chain was recomputed, and what was found."""
    seq, head = _verified(connection)
    return seq, verify_tail(stored_rows(connection, seq), seq, head)


def _verified(connection: Connection) -> tuple[int, str]:
    """The row up to which the chain was found good and its hash; the beginning where none is kept."""
    meta = table(Meta)
    kept = connection.execute(select(meta.c.value).where(meta.c.name == VERIFIED)).scalar_one_or_none()
    number, _, head = str(kept or "").partition(" ")
    return (int(number), head) if number.isdecimal() else (0, GENESIS)


def _keep(unit: Unit, seq: int, head: str) -> None:
    """Keep a good row, unless another process has come further meanwhile."""
    meta, kept = table(Meta), f"{seq} {head}"
    if _verified(unit.connection)[0] >= seq:
        return
    known = unit.connection.execute(select(meta.c.name).where(meta.c.name == VERIFIED)).first()
    if known is None:
        unit.connection.execute(insert(meta), {"name": VERIFIED, "value": kept})
    else:
        unit.connection.execute(update(meta).where(meta.c.name == VERIFIED).values(value=kept))
