"""The audit as stored: searched by what its rows are about, and up to where it was found good."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Generic, TypeVar

from msgspec import Struct
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.audit import BREAK, SEALED, TRUSTED, AuditAction, Details, Head
from data.repositories.base import Change, On, Query, Rows, given, named_as
from data.tables.audit import Audit, AuditHead
from data.tables.columns import table

Row = TypeVar("Row")


LOOKED_THROUGH = 200_000
"""Rows in which a day's are looked for, so that a long history costs nothing."""


class AuditRows(Generic[Row]):
    """Rows of the audit as objects of one class."""

    def __init__(self, row: type[Row]) -> None:
        rows = self._rows = Rows(Audit, row)
        self._conditions = {
            "action": rows.c.action == given("action"),
            "client_id": rows.c.client_id == given("client_id"),
            "order_id": rows.c.order_id == given("order_id"),
            "run_number": rows.c.run_number == given("run_number"),
            "since": rows.c.at >= given("since"),
        }
        self._queries: dict[frozenset[str], Query[Row]] = {}

    async def newest(
        self,
        reader: AsyncConnection,
        limit: int,
        action: str | None = None,
        client_id: int | None = None,
        order_id: int | None = None,
        since: datetime | None = None,
        run_number: int | None = None,
    ) -> list[Row]:
        """The newest rows that match what is named, so many of them, oldest first."""
        about = {"client_id": client_id, "order_id": order_id, "run_number": run_number}
        asked = {"action": action, "since": since, **about}
        values = {name: value for name, value in asked.items() if value is not None}
        return (await self._matching(frozenset(values)).read(reader, **values, limit=limit))[::-1]

    async def of_actions(
        self, reader: AsyncConnection, actions: Collection[AuditAction], limit: int, behind: int
    ) -> list[Row]:
        """The newest rows of these actions behind a row, among the last `LOOKED_THROUGH`, oldest first."""
        rows = self._rows
        query = (
            select(*rows.columns())
            .where(
                rows.c.seq > select(func.max(rows.c.seq)).scalar_subquery() - LOOKED_THROUGH,
                rows.c.action.in_(sorted(actions)),
                rows.c.seq > given("behind"),
            )
            .order_by(rows.c.seq.desc())
            .limit(given("limit"))
        )
        return (await Query(rows.row, query).read(reader, behind=behind, limit=limit))[::-1]

    def _matching(self, names: frozenset[str]) -> Query[Row]:
        """One statement for each set of conditions, so that its own index serves it."""
        if names not in self._queries:
            rows = self._rows
            query = select(*rows.columns()).where(*(self._conditions[name] for name in sorted(names)))
            newest = query.order_by(rows.c.seq.desc()).limit(given("limit"))
            self._queries[names] = Query(rows.row, newest)
        return self._queries[names]


class FrozenPlan(Struct, frozen=True):
    """When a plan was frozen, and what the audit tells of it."""

    at: datetime
    plan_number: int
    details: Details


_AUDIT = table(Audit)
_NEWEST_FROZEN = Query(
    FrozenPlan,
    select(*named_as(FrozenPlan, _AUDIT))
    .where(_AUDIT.c.action == AuditAction.PLAN_FROZEN.value, _AUDIT.c.at >= given("since"))
    .order_by(_AUDIT.c.seq.desc())
    .limit(given("most")),
)


def _or_none_yet(seq: int | None) -> int:
    return seq or 0


_LAST_JUDGED = Query(
    _or_none_yet, select(func.max(_AUDIT.c.seq)).where(_AUDIT.c.action.in_((BREAK, TRUSTED)))
)


def _same(at: datetime) -> datetime:
    return at


_LAST_TOLD = Query(_same, select(_AUDIT.c.at).order_by(_AUDIT.c.seq.desc()).limit(1))


async def plans_frozen_since(reader: AsyncConnection, since: datetime, most: int) -> list[FrozenPlan]:
    """The plans that were frozen since a moment, so many of them at most, the newest first."""
    return await _NEWEST_FROZEN.read(reader, since=since, most=most)


async def last_judged(reader: AsyncConnection) -> int:
    """The newest row by which something wrong was accepted or found mended; 0 where there is none."""
    return (await _LAST_JUDGED.read(reader))[0]


class ChaseRow(Struct, frozen=True):
    """A row that tells that chases of its details' orders began, or that the one of `order_id` ended."""

    seq: int
    at: datetime
    action: AuditAction
    order_id: int | None
    details: Details


_CHASES = Query(
    ChaseRow,
    select(*named_as(ChaseRow, _AUDIT))
    .where(
        _AUDIT.c.seq > select(func.max(_AUDIT.c.seq)).scalar_subquery() - LOOKED_THROUGH,
        _AUDIT.c.seq > given("after"),
        _AUDIT.c.action.in_((AuditAction.CHASE_STARTED.value, AuditAction.CHASE_ENDED.value)),
    )
    .order_by(_AUDIT.c.seq),
)


_NEWEST_ROW = Query(int, select(func.coalesce(func.max(_AUDIT.c.seq), 0)))


def newest_row(on: On) -> int:
    """The number of the newest row; 0 where there is none."""
    return _NEWEST_ROW.all(on)[0]


def chases_told(on: On, after: int) -> list[ChaseRow]:
    """What the last `LOOKED_THROUGH` rows tell of chases behind row `after`, oldest first."""
    return _CHASES.all(on, after=after)


# --- heads --------------------------------------------------------------------------------------------------

VERIFIED = "verified"
"""The rows of `audit_head` that say up to which row each chain was last found good."""


class VerifiedHead(Struct, frozen=True):
    """The row up to which a chain was found good, when and by whom, where that was kept."""

    name: str
    chain: int
    seq: int
    hash: str
    at: datetime | None = None
    actor: str = ""


_HEADS = Rows(AuditHead, VerifiedHead)
_HEADS_NAMED = _HEADS.query(_HEADS.c.name == given("name"), order_by=[_HEADS.c.chain])
_FORGET_HEAD = Change(
    delete(_HEADS.table).where(_HEADS.c.name == given("name"), _HEADS.c.chain == given("chain"))
)


def last_told(on: On) -> datetime | None:
    """When the newest row was written; None where there is none yet."""
    return _LAST_TOLD.first(on)


def verified_heads(on: On) -> dict[int, Head]:
    """The row up to which each chain was found good and its hash; none of one of which none is kept."""
    found = _HEADS_NAMED.all(on, name=VERIFIED)
    return {one.chain: Head(int(one.seq), str(one.hash)) for one in found if one.seq}


def who_verified(on: On) -> VerifiedHead | None:
    """The same of the first chain with when and by whom; None where it was never found good."""
    found = _HEADS_NAMED.first(on, name=VERIFIED)
    return found if found is not None and found.chain == 0 else None


def keep_verified_heads(on: On, heads: Mapping[int, Head], at: datetime, actor: str) -> None:
    """Keep the row up to which each chain was found good, in place of the one before.

    Where another process has come further with one, that stays.
    """
    before = verified_heads(on)
    for chain, head in heads.items():
        if chain not in before or before[chain].seq <= head.seq:
            _FORGET_HEAD.run(on, name=VERIFIED, chain=chain)
            _HEADS.insert(on, [VerifiedHead(VERIFIED, chain, head.seq, head.hash, at, actor)])


class ChainSeal(Struct, frozen=True):
    """When chains were sealed, and what the row tells of them."""

    at: datetime
    details: Details


_NEWEST_SEAL = Query(
    ChainSeal,
    select(*named_as(ChainSeal, _AUDIT))
    .where(_AUDIT.c.action == SEALED.value)
    .order_by(_AUDIT.c.seq.desc())
    .limit(1),
)


def newest_seal(on: On) -> ChainSeal | None:
    """The newest seal; None before the first."""
    return _NEWEST_SEAL.first(on)
