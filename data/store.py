"""The store: one SQLite file, one writer thread with group commit, readers of their own.

A unit of work is a synchronous function of a `Unit`. All units that have queued up run inside one
`BEGIN IMMEDIATE`, each under its own savepoint, and are committed once; callers resume only after that
commit, when what they changed has been read back for the projection. The cost of each way of writing
was measured: savepoints on the async path are some sixty times slower.
"""

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from data.acting import Actor, acting, acting_now
from data.audit import AuditEntry
from data.clock import Clock
from data.engines.driver import run
from data.engines.sqlite import (
    data_version,
    first_damage,
    read_file,
    reader_engine,
    shared_reader,
    take_write_lock,
    waiting,
    why_unwritable,
    writer_engine,
)
from data.errors import StoreBusy, StoreClosed, StoreError, StoreFailed, StoreUnread, StoreUnwritable
from data.proving.noted import AcceptedRows
from data.proving.proofs import Proofs
from data.vocabulary import Via
from data.writing.asked import asked_here
from data.writing.audit_writer import AuditWriter
from data.writing.changes import Touched, Vector, changes_since, newest, write_changes
from data.writing.condition import as_conditioned
from data.writing.unit import Unit

T = TypeVar("T")

log = logging.getLogger(__name__)

LOCK_WAIT_S = 10.0
"""How long the writer tries for another process's lock before its units fail."""

READERS = 3
"""Connections on which the event loop reads."""

POLL_S = 0.15
"""How often an idle writer looks whether another process has written."""


@dataclass(slots=True)
class _Job(Generic[T]):
    unit: Callable[[Unit], T]
    future: asyncio.Future[T]
    actor: Actor | None = None


Projector = Callable[[Connection, Touched], object]
"""Reads what was touched, on the writer's thread, right after the commit."""

Deliver = Callable[[object, Sequence[object], bool], None]
"""Takes a projection, the committed events and whether another process wrote them, on the event loop."""


class Store:
    """One database file as this process uses it."""

    def __init__(self, path: Path, clock: Clock, unwritable: str = "") -> None:
        """Use the file at `path`; `unwritable` says why nothing may be written to it, empty where it may."""
        self.path = path
        self._clock = clock
        self._unwritable = unwritable
        self.via: Via | None = None
        """By which way the home's own trader comes."""
        self._queue: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reader: AsyncEngine | None = None
        self._glance: Connection | None = None
        self._glancing = threading.Lock()
        self._projector: Projector = lambda connection, touched: None
        self._deliver: Deliver = lambda projection, events, by_others: None
        self._data_version = -1
        self._seen: Vector = {}
        self.desk = 0
        """Under which engine's number this process says what it changed; 0 before it has one."""
        self._closed = False
        self._unread = False
        self.trouble: str | None = unwritable or None
        self.trouble_since: datetime | None = clock.now() if unwritable else None
        self.commits = 0

    def project(self, projector: Projector, deliver: Deliver) -> None:
        """Set what is read back after each commit, and where it goes. Call before `open`."""
        self._projector, self._deliver = projector, deliver

    async def open(self) -> None:
        """Start the writer. The schema must stand already."""
        self._loop = asyncio.get_running_loop()
        self._reader = reader_engine(self.path, READERS)
        self._thread = threading.Thread(target=self._write_forever, name="store-writer", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Run what is queued, then stop."""
        self._closed = True
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        if self._reader is not None:
            await self._reader.dispose()
        with self._glancing:
            if self._glance is not None:
                self._glance.close()
                self._glance = None

    def reader(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A read-only connection that never waits for the writer."""
        assert self._reader is not None, "the store is not open"
        return self._reader.connect()

    async def read_aside(self, work: Callable[[Connection], T]) -> T:
        """Run long reading work on a thread and a read-only connection of its own, beside the event loop.

        Raises what the work raised.
        """
        return await asyncio.to_thread(read_file, self.path, work)

    def glance(self, work: Callable[[Connection], T]) -> T:
        """Do a short read at once on whichever thread asks, by a read-only connection of its own.

        Raises what the work raised, `DBAPIError` among it.
        """
        with self._glancing:
            if self._glance is None:
                self._glance = shared_reader(self.path)
            return work(self._glance)

    async def quick_check(self) -> str:
        """What SQLite finds wrong first as it walks the file's pages; empty if nothing."""

        def walk(connection: Connection) -> str:
            return first_damage(connection, lambda: self._closed)  # closing does not wait for it

        try:
            return await self.read_aside(walk)
        except DBAPIError as problem:
            return str(problem.orig)

    async def write(self, unit: Callable[[Unit], T]) -> T:
        """Run a unit of work and return its result once it is durable.

        Cancelling the caller does not cancel the unit. Raises what the unit raised, or `StoreError`.
        """
        return await self.submit(unit)

    def submit(self, unit: Callable[[Unit], T]) -> "asyncio.Future[T]":
        """Queue a unit; its future has what `write` returns or raises. A command under way keeps its row."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._closed:
            future.set_exception(StoreClosed("the store is closed" if self.trouble is None else self.trouble))
        elif self._unwritable:
            future.set_exception(StoreUnwritable(self._unwritable))
        else:
            unit = as_conditioned(unit)
            if (asked := asked_here()) is not None:
                unit = asked.kept_by(unit)
                future.add_done_callback(asked.committed)
            self._queue.put(_Job(unit, future, acting_now()))
        return future

    # --- the writer's thread ---

    def _write_forever(self) -> None:
        jobs: list[_Job[Any]] = []
        engine = writer_engine(self.path)
        try:
            with engine.connect() as connection:
                with waiting(connection, LOCK_WAIT_S):  # another's first connection may hold the file
                    self._data_version = data_version(connection)
                    self._seen = newest(connection)
                    audit = AuditWriter(connection)
                open_for_work = True
                while open_for_work:
                    jobs, open_for_work = self._drain()
                    if jobs:
                        self._run(connection, audit, jobs)
                        time.sleep(0.001)  # lets another process have the lock
                    else:
                        audit.forget()
                    if open_for_work:  # after work too: a writer may never be idle
                        self._notice_others(connection)
        except BaseException as problem:  # nobody may wait for a writer that has ended
            log.exception("the store's writer has ended")
            self._note_trouble(f"the store's writer has ended: {problem}")
            self._closed = True
            self._fail(jobs, StoreClosed(str(self.trouble)))
            self._call(self._fail_queued)
        finally:
            engine.dispose()

    def _fail_queued(self) -> None:
        """Fail what came in before the writer's end was known; on the loop, where callers queue."""
        with contextlib.suppress(queue.Empty):
            while True:
                job = self._queue.get_nowait()
                if job is not None:
                    self._fail([job], StoreClosed(str(self.trouble)))

    def _drain(self) -> tuple[list[_Job[Any]], bool]:
        try:
            job = self._queue.get(timeout=POLL_S)
        except queue.Empty:
            return [], True
        jobs: list[_Job[Any]] = []
        while job is not None:
            jobs.append(job)
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return jobs, True
        return jobs, False

    def _run(self, connection: Connection, audit: AuditWriter, jobs: list[_Job[Any]]) -> None:
        results: list[tuple[_Job[Any], Any, BaseException | None]] = []
        events: list[object] = []
        entries: list[AuditEntry] = []
        touched, proven, accepted = Touched(), Proofs(), list[AcceptedRows]()
        try:
            begin_immediate(connection)
            version, others, seen = self._others(connection)
            audit.begin(version)
            now = self._clock.now()
            for job in jobs:
                via = self.via if job.actor is None else job.actor.via
                unit = Unit(connection, now, audit, via)
                run(connection, "SAVEPOINT unit")
                try:
                    with acting(job.actor):
                        result = job.unit(unit)
                except DBAPIError as problem:
                    if why_unwritable(problem):
                        raise
                    run(connection, "ROLLBACK TO unit")
                    failed = problem if isinstance(problem, _OF_THE_UNIT) else _failed(problem)
                    results.append((job, None, failed))
                except BaseException as problem:
                    run(connection, "ROLLBACK TO unit")
                    results.append((job, None, problem))
                else:
                    events += unit.events
                    entries += unit.entries
                    accepted += unit.accepted
                    for name, rows in unit.proven.items():
                        proven.setdefault(name, {}).update(rows)
                    touched.merge(unit.touched)
                    results.append((job, result, None))
                run(connection, "RELEASE unit")
            audit.append(Unit(connection, now), entries, proven, accepted)
            if touched.topics():
                seen[self.desk] = write_changes(connection, self.desk, touched, now)
            run(connection, "COMMIT")
        except Exception as problem:
            audit.forget()
            self._give_up(connection, jobs, problem)
            return
        self.commits += 1
        self.trouble = self.trouble_since = None
        self._data_version, self._seen = version, seen
        by_others = bool(others)
        try:
            touched.merge(others)
            projection = self._read_back(connection, touched)
        except Exception as problem:
            log.exception("what was committed could not be read back")
            error = StoreUnread(f"it was kept, but could not be read back: {problem}")
            self.hand_over([(job, None, failed or error) for job, _, failed in results], None, events, False)
            return
        self.hand_over(results, projection, events, by_others)

    def _others(self, connection: Connection) -> tuple[int, Touched, Vector]:
        """The file's version, what others changed since it was last looked at, and how far that is."""
        version = data_version(connection)
        if version == self._data_version:
            return version, Touched(), dict(self._seen)
        return version, *changes_since(connection, self._seen)

    def _read_back(self, connection: Connection, touched: Touched) -> object:
        """The projection of what was touched, and of everything after one that failed."""
        touched.everything = touched.everything or touched.unread or self._unread
        if not touched:
            return None
        self._unread = True
        projection = self._projector(connection, touched)
        self._unread = False
        return projection

    def _give_up(self, connection: Connection, jobs: list[_Job[Any]], problem: Exception) -> None:
        with contextlib.suppress(DBAPIError):  # SQLite rolls back by itself when the disk is full
            run(connection, "ROLLBACK")
        error: Exception
        if isinstance(problem, StoreError):
            error = problem
        elif isinstance(problem, DBAPIError) and (words := why_unwritable(problem)):
            log.warning("the commit failed: %s", problem.orig)
            self._note_trouble(words)
            error = StoreUnwritable(words)
        else:
            error = StoreError(f"the commit failed: {problem}")
        self._fail(jobs, error)

    def _note_trouble(self, words: str) -> None:
        """Keep why nothing can be written, and since when; no words keep what is known."""
        if words:
            self.trouble = words
            self.trouble_since = self.trouble_since or self._clock.now()

    def _fail(self, jobs: list[_Job[Any]], error: Exception) -> None:
        self.hand_over([(job, None, error) for job in jobs], None, [], False)

    def _notice_others(self, connection: Connection) -> None:
        try:
            if data_version(connection) == self._data_version:
                return
            self._data_version, touched, self._seen = self._others(connection)
            projection = self._read_back(connection, touched)
        except Exception as problem:
            log.exception("what another process wrote could not be read")
            if isinstance(problem, DBAPIError):
                self._note_trouble(why_unwritable(problem))
            return
        if projection is not None:
            self.hand_over([], projection, [], True)

    def hand_over(
        self,
        results: list[tuple[_Job[Any], Any, BaseException | None]],
        projection: object,
        events: list[object],
        by_others: bool,
    ) -> None:
        """Have the loop tell what a batch came to, and resume its callers; called in the writer's thread."""

        def resume() -> None:
            untold: StoreError | None = None
            try:
                if projection is not None or events:
                    self._deliver(projection, events, by_others)
            except Exception as problem:
                log.exception("what was committed could not be told")
                self._unread = True
                untold = StoreUnread(f"it was kept, but could not be told: {problem}")
            for job, result, problem in results:
                if job.future.done():
                    continue  # its caller was cancelled; the unit stands
                failed = problem or untold
                if failed is None:
                    job.future.set_result(result)
                elif isinstance(failed, StopIteration):  # a future refuses it
                    job.future.set_exception(StoreError(f"the unit failed: {failed!r}"))
                else:
                    job.future.set_exception(failed)

        self._call(resume)

    def _call(self, function: Callable[[], None]) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is waiting any more
            self._loop.call_soon_threadsafe(function)


def begin_immediate(connection: Connection) -> None:
    """Take the write lock. Raises `StoreBusy` where another process holds it for too long."""
    if not take_write_lock(connection, LOCK_WAIT_S):
        raise StoreBusy(f"another process has held the database for {LOCK_WAIT_S:g} s")


_OF_THE_UNIT = (IntegrityError, DataError, ProgrammingError, InterfaceError)
"""What the database says of a unit's own statements and values; all else speaks of the database."""


def _failed(problem: DBAPIError) -> StoreFailed:
    failed = StoreFailed(str(problem.orig))
    failed.__cause__ = problem
    return failed
