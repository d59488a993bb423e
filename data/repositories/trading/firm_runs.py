"""Runs over all desks as they are stored: begun in shards, each of which ends once."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Query, Rows, given
from data.tables.columns import table
from data.tables.firm.firm_runs import FirmRunRecord, FirmShardRecord
from data.tables.orders import Order, RunRecord
from data.vocabulary import LIVE_STATES, RunStatus
from data.writing.unit import Unit


class FirmRun(Struct, frozen=True):
    """A run over all desks: what was confirmed, and how many of its shards have not ended."""

    run_number: int
    digest: str
    reserve_until: datetime
    shards_left: int


class FirmShard(Struct, frozen=True):
    """One shard: whose it is, by which job it is reserved, and what came of it."""

    run_number: int
    shard: int
    job_number: int
    client_ids: Sequence[int]
    reserved: int = 0
    denied: int = 0
    problem: str = ""
    ended_at: datetime | None = None


_RUNS, _SHARDS = Rows(FirmRunRecord, FirmRun), Rows(FirmShardRecord, FirmShard)
_RUN, _ORDERS = table(RunRecord), table(Order)
_R, _S = _RUNS.c, _SHARDS.c
_OF_RUN = _RUNS.query(_R.run_number == given("run"))
_SHARD = _SHARDS.query(_S.run_number == given("run"), _S.shard == given("shard"))
_SHARDS_OF = _SHARDS.query(_S.run_number == given("run"), order_by=[_S.shard])
_OPEN_OF = _SHARDS.query(_S.run_number == given("run"), _S.ended_at.is_(None), order_by=[_S.shard])
_OVERDUE = _RUNS.query(_R.shards_left > 0, _R.reserve_until < given("at"))
_END = Change(
    update(_SHARDS.table)
    .where(_S.run_number == given("run"), _S.shard == given("shard"), _S.ended_at.is_(None))
    .values(
        reserved=given("reserved"), denied=given("denied"), problem=given("problem"), ended_at=given("at")
    )
)
_LESS = Change(
    update(_RUNS.table).where(_R.run_number == given("run")).values(shards_left=_R.shards_left - 1)
)
_GO = Change(
    update(_RUN)
    .where(_RUN.c.number == given("run"), _RUN.c.status == RunStatus.RESERVING.value)
    .values(status=RunStatus.RUNNING.value)
)
_STATUS = Query(RunStatus, select(_RUN.c.status).where(_RUN.c.number == given("run")))
_LIVE = Query(
    int,
    select(func.count())
    .select_from(_ORDERS)
    .where(
        _ORDERS.c.run_number == given("run"), _ORDERS.c.state.in_(sorted(one.value for one in LIVE_STATES))
    ),
)


def begin_shards(on: On, run: FirmRun, shards: Sequence[FirmShard]) -> None:
    """Keep a run over all desks with what is to be reserved of it."""
    _RUNS.insert(on, [run])
    _SHARDS.insert(on, shards)


def firm_run(on: On, number: int) -> FirmRun | None:
    """A run over all desks; None for any other."""
    return _OF_RUN.first(on, run=number)


def shard_of(on: On, number: int, shard: int) -> FirmShard | None:
    """One of its shards."""
    return _SHARD.first(on, run=number, shard=shard)


def open_shards(on: On, number: int) -> list[FirmShard]:
    """Its shards that have not ended."""
    return _OPEN_OF.all(on, run=number)


def overdue_runs(on: On, at: datetime) -> list[FirmRun]:
    """Runs of which something may not be reserved any more and has not ended."""
    return _OVERDUE.all(on, at=at)


async def read_overdue(reader: AsyncConnection, at: datetime) -> list[FirmRun]:
    """The same by a reader."""
    return await _OVERDUE.read(reader, at=at)


async def read_shards(reader: AsyncConnection, number: int) -> list[FirmShard]:
    """The shards of a run, in their order."""
    return await _SHARDS_OF.read(reader, run=number)


def end_shard(unit: Unit, number: int, shard: int, reserved: int, denied: int, problem: str) -> bool:
    """End a shard; returns whether it had not. With the last one the run that still reserves goes on."""
    values = {"reserved": reserved, "denied": denied, "problem": problem, "at": unit.now}
    if not _END.run(unit, run=number, shard=shard, **values):
        return False
    _LESS.run(unit, run=number)  # two that end at once meet here, and one is run again
    left = _OF_RUN.first(unit, run=number)
    if left is not None and left.shards_left == 0:
        _GO.run(unit, run=number)
    return True


def status_of(on: On, number: int) -> RunStatus | None:
    """How far a run has come; None for one that there is not."""
    return _STATUS.first(on, run=number)


def live_orders(on: On, number: int) -> int:
    """How many orders of a run live, whoever has their clients."""
    return _LIVE.first(on, run=number) or 0
