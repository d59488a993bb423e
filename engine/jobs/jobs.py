"""Jobs as screens and commands use them: asked for, listed, taken back, and handed to whoever does them."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput, StoreError
from data.json_values import json_text
from data.repositories.base import DatabaseError
from data.repositories.jobs import (
    Job,
    add_job,
    cancel_job,
    give_key_up,
    job_keyed,
    read_due,
    read_job,
    read_jobs,
    retry_job,
)
from data.store import Unit
from data.vocabulary import JobState
from engine.book.kept import Kept
from engine.events import JobsChanged
from engine.instances import ThisEngine
from engine.jobs.asked import FORMS, JobAsked, as_stored, check_done_here, from_stored, kind_of
from engine.jobs.carrier import InlineCarrier, JobCarrier, NotCarried
from engine.jobs.working import JobWorker, job_of
from engine.people.who import WhoActs
from engine.timing import Timing

log = logging.getLogger(__name__)

MOST_LOOKS = 32
"""Looks after which at the latest a number that nobody takes is sent once more; at first it is after one."""

WATCH_S = 0.5
"""Seconds between two looks at a job that is waited for."""

LONGEST_KEY = 200
"""Signs of a key."""


class JobSent(Struct, frozen=True):
    """A job that stands now. `fresh` says that it did not before; `waits` why its number went nowhere."""

    job: Job
    fresh: bool = True
    waits: str = ""


class JobsLooked(Struct, frozen=True):
    """What a look found: numbers that were sent, how many wait, and why the rest was not sent."""

    sent: tuple[int, ...] = ()
    due: int = 0
    waits: str = ""


class Jobs:
    """The jobs of one desk."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, who: WhoActs) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._who = who
        self.worker = JobWorker(kept, timing, engine)
        self.carrier: JobCarrier = InlineCarrier()
        self.works_here = True
        """Whether this process does what is asked for in it; else workers do, to whom it is carried."""
        self._is_kept = False
        self._sent: dict[int, tuple[datetime, float]] = {}
        """When each number was last sent, and how long it is left alone from then on."""

    # --- what there is ---

    async def all(self) -> Sequence[Job]:
        """The latest jobs, the newest first; somebody with a scope of clients sees their own."""
        async with self._kept.store.reader() as reader:
            found = await read_jobs(reader)
        return [job for job in found if self._is_seen(job)]

    async def get(self, number: int) -> Job:
        """A job by its number. Raises `BadInput` where there is none, or whoever acts does not see it."""
        async with self._kept.store.reader() as reader:
            job = await read_job(reader, number)
        if job is None or not self._is_seen(job):
            raise BadInput("job", number, "there is no job of this number")
        return job

    def _is_seen(self, job: Job) -> bool:
        return self._who.scope() is None or job.asked_by == self._engine.actor

    # --- asked for ---

    async def ask(self, asked: JobAsked, key: str = "") -> JobSent:
        """Ask for a job, and have its number carried to whoever does it.

        A `key` stands once: what stands under it is returned, however far it is. Without one a job that is
        asked to do the very same and has not ended is. Raises `BadInput`, a `Forbidden`, `StoreError`.
        """
        self.require(asked)
        if len(key) > LONGEST_KEY:
            raise BadInput("key", key, f"give at most {LONGEST_KEY} signs")
        try:
            sent = await self._engine.write_signed_on(lambda unit: self._asked(unit, asked, key))
        except DatabaseError:  # another process has taken the key since it was looked for
            sent = await self._engine.write_signed_on(lambda unit: self._asked(unit, asked, key))
        return await self._carried(sent) if sent.fresh else sent

    def add(self, unit: Unit, asked: JobAsked, key: str) -> JobSent:
        """Write a job within a unit; it is carried once that is committed, by `carry`."""
        return self._asked(unit, asked, key)

    async def carry(self, sent: JobSent) -> JobSent:
        """Have the number of a job carried that was written; where it cannot be, a look does."""
        return await self._carried(sent) if sent.fresh else sent

    def require(self, asked: JobAsked) -> None:
        """Raise a `Forbidden` or `BadInput` where whoever acts may not ask for this here."""
        kind = kind_of(asked)
        if self.works_here:
            check_done_here(kind, self._engine.has_everybody)
        form = FORMS[kind]
        self._who.require(form.right)
        self._who.require_scope(form.right, form.clients(asked))

    def _asked(self, unit: Unit, asked: JobAsked, key: str) -> JobSent:
        kind, args = kind_of(asked), as_stored(asked)
        own = key or f"{kind.value}:{sha256(json_text(args).encode()).hexdigest()[:32]}"
        stands = job_keyed(unit, own)
        if stands is not None and not key and stands.ended_at is not None:
            give_key_up(unit, stands)
            stands = None
        if stands is not None:
            if (stands.kind, dict(stands.args)) != (kind, args):
                raise BadInput("key", key, f"job {stands.number} has it, and is asked to do something else")
            return JobSent(stands, fresh=False)
        (number,) = unit.take_ids("job", 1)
        job = Job(
            number=number,
            kind=kind,
            key=own,
            args=args,
            state=JobState.QUEUED,
            asked_by=self._engine.actor,
            asked_at=unit.now,
            due_at=unit.now,
        )
        add_job(unit, job)
        self._tell(unit, AuditAction.JOB_ASKED, job, args=args)
        return JobSent(job)

    async def retry(self, number: int) -> JobSent:
        """Have a job that failed or was taken back done after all, for who asks now. Raises `BadInput`."""
        job = await self.get(number)
        self.require(from_stored(job.kind, job.args))

        def unit_of_work(unit: Unit) -> Job:
            if not retry_job(unit, number, unit.now, self._engine.actor):
                state = job_of(unit, number).state
                raise BadInput("job", number, f"it is {state}: what failed or was cancelled is tried again")
            self._tell(unit, AuditAction.JOB_RETRIED, job)
            return job_of(unit, number)

        return await self._carried(JobSent(await self._engine.write_signed_on(unit_of_work)))

    async def cancel(self, number: int) -> Job:
        """Take back a job that nobody has claimed yet. Raises `BadInput`."""
        job = await self.get(number)
        self.require(from_stored(job.kind, job.args))

        def unit_of_work(unit: Unit) -> Job:
            if not cancel_job(unit, number, unit.now):
                raise BadInput(
                    "job", number, f"it is {job_of(unit, number).state}: what waits can be cancelled"
                )
            self._tell(unit, AuditAction.JOB_CANCELLED, job)
            return job_of(unit, number)

        return await self._engine.write_signed_on(unit_of_work)

    def _tell(self, unit: Unit, action: AuditAction, job: Job, **more: object) -> None:
        details = {"job": job.number, "kind": str(job.kind), **more}
        unit.audit(AuditEntry(action, self._engine.actor, details=details))
        unit.publish(JobsChanged())

    # --- carried and done ---

    async def _carried(self, sent: JobSent) -> JobSent:
        """Have its number carried; where it cannot be, the job waits for a look."""
        try:
            await self._send(sent.job)
        except NotCarried as problem:
            log.warning("job %d waits: %s", sent.job.number, problem)
            return JobSent(sent.job, sent.fresh, str(problem))
        return sent

    async def _send(self, job: Job) -> None:
        look_s = self._timing.waits.job_look_s
        _, pause = self._sent.get(job.number, (job.asked_at, look_s / 2))
        await self.carrier.send(job)
        self._sent[job.number] = self._timing.wall.now(), min(2 * pause, MOST_LOOKS * look_s)

    async def look(self) -> JobsLooked:
        """Send the numbers of jobs again that are due and that nobody has claimed, each after a while.

        Raises `StoreError` where the books cannot be read.
        """
        now = self._timing.wall.now()
        async with self._kept.store.reader() as reader:
            due = await read_due(reader, now)
        self._sent = {one.number: self._sent[one.number] for one in due if one.number in self._sent}
        sent = list[int]()
        try:
            for job in due:
                at, pause = self._sent.get(job.number, (now, 0.0))
                if at + timedelta(seconds=pause) <= now:
                    await self._send(job)
                    sent.append(job.number)
        except NotCarried as problem:
            return JobsLooked(tuple(sent), len(due), str(problem))
        return JobsLooked(tuple(sent), len(due))

    async def keep(self) -> None:
        """Do the jobs of this process, and those that others have left, for as long as the desk lives."""
        if self.works_here:
            self._is_kept = True
            await asyncio.gather(self.keep_looking(), self.work())

    async def finished(self, number: int, wait_s: float) -> Job:
        """A job once it has ended, or as it is after `wait_s`.

        Where jobs are done in the process that asks, a command does this one now. Raises `BadInput`,
        `StoreError`.
        """
        clock = self._timing.wall
        job, until = await self.get(number), clock.monotonic() + wait_s
        if self.works_here and not self._is_kept:
            await self.worker.do(number)
            return await self.get(number)
        while job.ended_at is None and clock.monotonic() < until:
            await clock.sleep(min(WATCH_S, wait_s))
            job = await self.get(number)
        return job

    async def keep_looking(self) -> None:
        """Look again and again, for as long as this is not cancelled."""
        told = ""
        while True:
            try:
                looked = await self.look()
            except StoreError as problem:
                log.warning("jobs could not be looked for: %s", problem)
            else:
                if looked.waits != told:
                    log.warning("jobs wait: %s", looked.waits or "no more")
                told = looked.waits
            await self._timing.wall.sleep(self._timing.waits.job_look_s)

    async def work(self) -> None:
        """Do what is carried here, for as long as this is not cancelled."""
        await self.carrier.work(self._tried)

    async def _tried(self, number: int) -> None:
        try:
            await self.worker.do(number)
        except StoreError as problem:
            log.warning("job %d could not be claimed: %s", number, problem)
