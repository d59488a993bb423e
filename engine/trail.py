"""The audit as the desk reads it: searched, and verified against itself and an outside head."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from data.audit import AuditReport, stored_rows, verify
from data.tables import Audit, table
from engine.parts import Parts


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
