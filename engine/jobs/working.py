"""Doing jobs: claimed, worked at under that claim, and ended with what they brought in one commit.

A claim runs out, so that what a dead process had is done by another. What a worker writes asks in its own
transaction whether the claim still stands: one that was frozen meanwhile changes nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

from msgspec import to_builtins

from data.acting import Actor, acting
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput, LeaseLost, NoLease, StoreError, TradedeskError
from data.repositories.jobs import (
    Job,
    claim_job,
    end_job,
    is_held,
    job_numbered,
    queue_again,
    read_job,
    renew_claim,
)
from data.store import Unit
from data.vocabulary import AlertKind, JobKind, JobState
from data.writing.condition import only_if
from engine.alert_figures import JobFigures
from engine.book.kept import Kept
from engine.events import JobsChanged
from engine.instances import ThisEngine
from engine.jobs.asked import FORMS, check_done_here, from_stored
from engine.people.rights import may, scope_ids
from engine.raising import AlertTold, raise_alert
from engine.timing import Timing

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
"""How often a job is begun before it has failed."""

AGAIN_S = (10, 60, 300, 900)
"""How long after each attempt that failed the next one is due."""

LONGEST_PROBLEM = 2000
"""Signs that are kept of why an attempt failed."""


MEANWHILE = "another has claimed it meanwhile"
"""Why a claim does not stand."""


class ClaimLost(TradedeskError):  # noqa: N818 - what came of it
    """The claim under which a job was worked at does not stand any more; nothing was written."""


class JobAtWork:
    """A job that is being done, as what does it sees it."""

    def __init__(self, job: Job, asked: Any, ends: "Callable[[Job, Mapping[str, Any], Unit], None]") -> None:
        self.job = job
        self.asked = asked
        """Its arguments, of the class of its kind."""
        self.has_ended = False
        self._ends = ends

    @contextmanager
    def ends_with(self, result: Mapping[str, Any]) -> Generator[None]:
        """Have the one commit that is made within the context end the job as well, with this result."""
        with only_if(partial(self._ends, self.job, result)):
            yield
        self.has_ended = True


Doer: TypeAlias = Callable[[JobAtWork], Awaitable[Mapping[str, Any]]]
"""Does a job; returns what it brought. Raises `BadInput` for what no other attempt would mend."""


class JobWorker:
    """Does the jobs of a desk, one at a time."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._one_at_a_time = asyncio.Lock()
        self.doers: Mapping[JobKind, Doer] = {}
        """What does the jobs of each kind; the composition sets it."""

    async def do(self, number: int) -> Job | None:
        """Do a job if nobody else has it; returns it as it is then, None where there is nothing to do.

        Raises `StoreError` where it could not even be claimed.
        """
        async with self._one_at_a_time:
            job = await self._claimed(number)
            if job is None:
                return None
            try:
                await self._done(job)
            except ClaimLost as lost:
                log.warning("job %d: %s", number, lost)
            except StoreError as problem:  # the claim runs out, and it is done again
                log.warning("what came of job %d could not be kept: %s", number, problem)
            async with self._kept.store.reader() as reader:
                return await read_job(reader, number)

    async def _claimed(self, number: int) -> Job | None:
        """The job as this engine's attempt; one that was begun too often has failed instead."""
        now = self._timing.wall.now()
        async with self._kept.store.reader() as reader:
            stored = await read_job(reader, number)
        if stored is None or stored.ended_at is not None or stored.due_at > now:
            return None
        if stored.claimed_until is not None and stored.claimed_until > now:
            return None

        def unit_of_work(unit: Unit) -> Job | None:
            job = claim_job(unit, number, self._engine.id, unit.now, self._until(unit))
            if job is not None and job.attempts > MOST_ATTEMPTS:
                self._fail(job, f"it was begun {MOST_ATTEMPTS} times, and each time its worker ended", unit)
                return None
            return job

        return await self._engine.write_signed_on(unit_of_work)

    async def _done(self, job: Job) -> None:
        """Work at it and keep what came of that. Raises `ClaimLost`, `StoreError`."""
        work = asyncio.create_task(self._worked(job))
        renewing = asyncio.create_task(self._renew(job, work))
        try:
            at_work, result = await work
        except asyncio.CancelledError:
            if not work.cancelled():
                work.cancel()
                raise
            raise ClaimLost("its claim ran out while it was worked at") from None
        except (BadInput, LeaseLost, NoLease) as problem:  # another attempt would meet the same
            await self._kept.store.write(partial(self._fail, job, str(problem)))
        except (ClaimLost, StoreError):
            raise
        except Exception as problem:
            log.exception("attempt %d of job %d failed", job.attempts, job.number)
            await self._kept.store.write(partial(self._again, job, f"{type(problem).__name__}: {problem}"))
        else:
            if not at_work.has_ended:
                await self._kept.store.write(partial(self._end, job, result))
        finally:
            renewing.cancel()

    async def _worked(self, job: Job) -> tuple[JobAtWork, Mapping[str, Any]]:
        """Do it in the name of who asked, as far as the claim stands in each transaction of it."""
        doer = self.doers.get(job.kind)
        if doer is None:
            raise BadInput("job", str(job.kind), "nothing here does jobs of this kind")
        check_done_here(job.kind, self._engine.has_everybody)
        at_work = JobAtWork(job, from_stored(job.kind, job.args), self._end)
        with acting(Actor(job.asked_by)), only_if(partial(self._require, job)):
            self._require_right(job, at_work.asked)
            return at_work, await doer(at_work)

    def _require_right(self, job: Job, asked: Any) -> None:
        """Raise `BadInput` where whoever asked may not have this done any more."""
        book, form = self._kept.book, FORMS[job.kind]
        if not book.people.any:
            return
        person = book.people.by_name.get(job.asked_by)
        if person is None or person.disabled or not may(person.role, form.right):
            raise BadInput("job", job.number, f"{job.asked_by} may not have it done any more")
        clients = form.clients(asked)
        if person.scope is None:
            return
        if clients is None or set(clients) - scope_ids(person, book.clients.values()):
            raise BadInput("job", job.number, f"it is of clients that {job.asked_by} does not see any more")

    async def _renew(self, job: Job, work: "asyncio.Task[Any]") -> None:
        """Have the claim last while it is worked at; where it is lost, the work ends."""
        while True:
            await self._timing.wall.sleep(self._timing.waits.job_claim_s / 4)
            with suppress(StoreError):  # tried again while the claim lasts
                if not await self._kept.store.write(partial(self._renewed, job)):
                    work.cancel()
                    return

    def _renewed(self, job: Job, unit: Unit) -> bool:
        return renew_claim(unit, job, self._until(unit))

    def _until(self, unit: Unit) -> datetime:
        return unit.now + timedelta(seconds=self._timing.waits.job_claim_s)

    def _require(self, job: Job, unit: Unit) -> None:
        if not is_held(unit, job):
            raise ClaimLost(MEANWHILE)

    # --- how an attempt ends ---

    def _end(self, job: Job, result: Mapping[str, Any], unit: Unit) -> None:
        if not end_job(unit, job, JobState.DONE, unit.now, result):
            raise ClaimLost(MEANWHILE)
        self._tell(unit, job, AuditAction.JOB_DONE, result=dict(result))

    def _fail(self, job: Job, problem: str, unit: Unit) -> None:
        problem = problem[:LONGEST_PROBLEM]
        if not end_job(unit, job, JobState.FAILED, unit.now, {}, problem):
            raise ClaimLost(MEANWHILE)
        self._tell(unit, job, AuditAction.JOB_FAILED, problem=problem)
        figures = JobFigures(job.number, str(job.kind), job.asked_by, problem)
        told = AlertTold(AlertKind.JOB_FAILED, str(job.number), told=to_builtins(figures))
        raise_alert(unit, told, self._timing.market.trading_day, job.asked_by, again=True)

    def _again(self, job: Job, problem: str, unit: Unit) -> None:
        if job.attempts >= MOST_ATTEMPTS:
            self._fail(job, problem, unit)
            return
        due = unit.now + timedelta(seconds=AGAIN_S[job.attempts - 1])
        if not queue_again(unit, job, due, problem[:LONGEST_PROBLEM]):
            raise ClaimLost(MEANWHILE)
        unit.publish(JobsChanged())

    def _tell(self, unit: Unit, job: Job, action: AuditAction, **more: object) -> None:
        details = {"job": job.number, "kind": str(job.kind), "attempts": job.attempts, **more}
        unit.audit(AuditEntry(action, job.asked_by, details=details))
        unit.publish(JobsChanged())


def job_of(unit: Unit, number: int) -> Job:
    """A job within a unit. Raises `BadInput` where there is none of this number."""
    found = job_numbered(unit, number)
    if found is None:
        raise BadInput("job", number, "there is no job of this number")
    return found
