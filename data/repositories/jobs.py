"""Jobs as they are stored. Each change of one says in what state it has to be, and returns whether it was."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field
from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Query, Rows, given
from data.tables.firm.jobs import JobRecord
from data.vocabulary import JobKind, JobState

MOST_LISTED = 200
"""Jobs that are listed."""


class Job(Struct, frozen=True):
    """A job: what is to be done, who asked for it, how far it is, and what came of it."""

    number: int
    kind: JobKind
    key: str
    args: Mapping[str, Any]
    state: JobState
    asked_by: str
    asked_at: datetime
    due_at: datetime
    attempts: int = 0
    claimed_by: int = 0
    claimed_until: datetime | None = None
    ended_at: datetime | None = None
    result: Mapping[str, Any] = field(default_factory=dict[str, Any])
    problem: str = ""


_ROWS = Rows(JobRecord, Job)
_C = _ROWS.c
_OPEN = _C.ended_at.is_(None)
_QUEUED, _RUNNING = _C.state == JobState.QUEUED.value, _C.state == JobState.RUNNING.value
_CLAIMABLE = or_(and_(_QUEUED, _C.due_at <= given("at")), and_(_RUNNING, _C.claimed_until <= given("at")))
_LATEST = Query(Job, select(*_ROWS.columns()).order_by(_C.number.desc()).limit(MOST_LISTED))
_DUE = _ROWS.query(_OPEN, _CLAIMABLE, order_by=[_C.due_at, _C.number])
_NUMBERED = _ROWS.query(_C.number == given("number"))
_KEYED = _ROWS.query(_C.key == given("key"))
_CLAIM = Change(
    update(_ROWS.table)
    .where(_C.number == given("number"), _OPEN, _CLAIMABLE)
    .values(
        state=JobState.RUNNING.value,
        attempts=_C.attempts + 1,
        claimed_by=given("by"),
        claimed_until=given("until"),
    )
)
_REKEY = Change(update(_ROWS.table).where(_C.number == given("number")).values(key=given("key")))
_MINE = (
    _C.number == given("number"),
    _RUNNING,
    _C.claimed_by == given("by"),
    _C.attempts == given("attempt"),
)
_HELD = _ROWS.query(*_MINE)
_RENEW = Change(update(_ROWS.table).where(*_MINE).values(claimed_until=given("until")))
_ENDED = {"claimed_until": None, "ended_at": given("at"), "problem": given("problem")}
_END = Change(
    update(_ROWS.table).where(*_MINE).values(state=given("state"), result=given("result"), **_ENDED)
)
_AGAIN = Change(
    update(_ROWS.table)
    .where(*_MINE)
    .values(
        state=JobState.QUEUED.value,
        due_at=given("due"),
        claimed_until=None,
        problem=given("problem"),
    )
)
_CANCEL = Change(
    update(_ROWS.table)
    .where(_C.number == given("number"), _QUEUED)
    .values(state=JobState.CANCELLED.value, **_ENDED)
)
_RETRY = Change(
    update(_ROWS.table)
    .where(
        _C.number == given("number"),
        _C.state.in_((JobState.FAILED.value, JobState.CANCELLED.value)),
    )
    .values(
        state=JobState.QUEUED.value,
        asked_by=given("by"),
        attempts=0,
        due_at=given("at"),
        claimed_by=0,
        claimed_until=None,
        ended_at=None,
        problem="",
    )
)


async def read_jobs(reader: AsyncConnection) -> list[Job]:
    """The latest jobs, the newest first."""
    return await _LATEST.read(reader)


async def read_due(reader: AsyncConnection, at: datetime) -> list[Job]:
    """What may be claimed at a moment, in the order in which it was due."""
    return await _DUE.read(reader, at=at)


async def read_job(reader: AsyncConnection, number: int) -> Job | None:
    """A job by its number."""
    return next(iter(await _NUMBERED.read(reader, number=number)), None)


def job_numbered(on: On, number: int) -> Job | None:
    """The same within a unit."""
    return _NUMBERED.first(on, number=number)


def job_keyed(on: On, key: str) -> Job | None:
    """The job of a key."""
    return _KEYED.first(on, key=key)


def add_job(on: On, job: Job) -> None:
    """Keep a job."""
    _ROWS.insert(on, [job])


def give_key_up(on: On, job: Job) -> None:
    """Have an ended job stand under another key, so that the same can be asked for anew."""
    _REKEY.run(on, number=job.number, key=f"{job.key}-{job.number}")


def claim_job(on: On, number: int, by: int, at: datetime, until: datetime) -> Job | None:
    """Have an engine do a job until then; returns the job as its attempt, None where another has it."""
    return (
        _NUMBERED.first(on, number=number)
        if _CLAIM.run(on, number=number, by=by, at=at, until=until)
        else None
    )


def is_held(on: On, job: Job) -> bool:
    """Whether a job is still claimed as this very attempt of it."""
    return _HELD.first(on, **_attempt(job)) is not None


def renew_claim(on: On, job: Job, until: datetime) -> bool:
    """Have the claim last until then; returns whether it stood."""
    return bool(_RENEW.run(on, until=until, **_attempt(job)))


def end_job(
    on: On, job: Job, state: JobState, at: datetime, result: Mapping[str, Any], problem: str = ""
) -> bool:
    """End a job that is claimed as this attempt; returns whether it still was."""
    values = {"state": state.value, "result": dict(result), "at": at, "problem": problem}
    return bool(_END.run(on, **values, **_attempt(job)))


def queue_again(on: On, job: Job, due: datetime, problem: str) -> bool:
    """Have a job that is claimed as this attempt wait for another; returns whether it still was."""
    return bool(_AGAIN.run(on, due=due, problem=problem, **_attempt(job)))


def cancel_job(on: On, number: int, at: datetime) -> bool:
    """Take back a job that waits; returns whether it did."""
    return bool(_CANCEL.run(on, number=number, at=at, problem=""))


def retry_job(on: On, number: int, at: datetime, by: str) -> bool:
    """Have a job that failed or was taken back wait once more, for whoever asks; returns whether it had."""
    return bool(_RETRY.run(on, number=number, at=at, by=by))


def _attempt(job: Job) -> dict[str, int]:
    return {"number": job.number, "by": job.claimed_by, "attempt": job.attempts}
