"""The shapes of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import datetime

    from data.repositories.jobs import Job


class JobShape(Struct, frozen=True):
    """A job: what is to be done, for whom, how far it is and what came of it.

    `waits` says why its number could not be handed to a worker just now; empty else.
    """

    number: int
    kind: str
    key: str
    state: str
    args: dict[str, Any]
    asked_by: str
    asked_at: datetime
    due_at: datetime
    attempts: int
    claimed_until: datetime | None
    ended_at: datetime | None
    result: dict[str, Any]
    problem: str
    waits: str = ""


def job_shape(job: Job, waits: str = "") -> JobShape:
    """A job as documents show it."""
    return JobShape(
        job.number,
        job.kind,
        job.key,
        job.state,
        dict(job.args),
        job.asked_by,
        job.asked_at,
        job.due_at,
        job.attempts,
        job.claimed_until,
        job.ended_at,
        dict(job.result),
        job.problem,
        waits,
    )
