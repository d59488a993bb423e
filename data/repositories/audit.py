"""The audit as stored: what single rows of it tell."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.columns import table
from data.repositories.base import Query, given
from data.tables import Audit


@dataclass(frozen=True, slots=True)
class FrozenPlan:
    """When a plan was frozen, and the JSON that the audit has of it."""

    at: datetime
    plan_number: int
    details: str


_AUDIT = table(Audit)
_FROZEN = Query(
    FrozenPlan,
    select(_AUDIT.c.at, _AUDIT.c.plan_number, _AUDIT.c.details)
    .where(_AUDIT.c.action == "PLAN_FROZEN", _AUDIT.c.at >= given("since"))
    .order_by(_AUDIT.c.seq.desc())
    .limit(given("most")),
)


async def plans_frozen_since(reader: AsyncConnection, since: datetime, most: int) -> list[FrozenPlan]:
    """The plans that were frozen since a moment, so many of them at most, the newest first."""
    return await _FROZEN.read(reader, since=since, most=most)
