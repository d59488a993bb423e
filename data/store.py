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
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from data.acting import acting_now
from data.clock import Clock
from data.durations import Durations
from data.engines.database import Database
from data.engines.fates import Fate, fate_of, is_of_server
from data.engines.shared.gate import GateMode
from data.engines.sqlite import SqliteFile
from data.errors import (
    StoreAway,
    StoreClosed,
    StoreError,
    StoreUnread,
    StoreUnwritable,
)
from data.leasing.owning import AloneAtHome, Owning
from data.vocabulary import Via
from data.writing.asked import asked_here
from data.writing.batch import Batch, QueuedUnit, Result
from data.writing.changes import Touched
from data.writing.condition import as_conditioned
from data.writing.unit import Unit
from data.writing.writer import TRIES, Writer

if TYPE_CHECKING:
    from data.leasing.leases import Leases

T = TypeVar("T")

log = logging.getLogger(__name__)

READERS = 3
"""Connections on which the event loop reads."""

POLL_S = 0.15
"""How often an idle writer looks whether another process has written, unless `Store.poll_s` is set."""

_LOOK = object()
"""Among queued units: look at once."""

Projector = Callable[[Connection, Touched], object]
"""Reads what was touched, on the writer's thread, right after the commit."""

Deliver = Callable[[object, Sequence[object], bool], None]
"""Takes a projection, the committed events and whether another process wrote them, on the event loop."""

Committed = Callable[[int, int, Collection[str]], None]
"""Hears of each commit, on the loop: the engine's number, its newest row of changes, and their topics."""


class Store:
    """One database as this process uses it."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        unwritable: str = "",
        database: Database | None = None,
        leases: "Leases | None" = None,
        beside: Owning | None = None,
    ) -> None:
        """Use the file at `path`, or the `database` that stands in its place.

        `unwritable` says why nothing may be written to it. With `leases` the clients are shared out among
        several desks; `beside` is what a process goes by there that is none of them.
        """
        self.path = path
        self.leases = leases
        self.owning: Owning = leases or beside or AloneAtHome(path.parent)
        """Who of the engines lives, and for which clients this one may write and send."""
        if leases is not None:
            leases.glance = self.glance
        self.database: Database = database or SqliteFile(path)
        self.on_server = not isinstance(self.database, SqliteFile)
        self._clock = clock
        self._unwritable = unwritable
        self.via: Via | None = None
        """By which way the home's own trader comes."""
        self._queue = queue.SimpleQueue[object]()
        self._to_look, self.poll_s = False, POLL_S
        self.committed: Committed | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reader: AsyncEngine | None = None
        self._glance: Connection | None = None
        self._glancing = threading.Lock()
        self._projector: Projector = lambda connection, touched: None
        self._deliver: Deliver = lambda projection, events, by_others: None
        self.desk = 0  # under which engine's number this process says what it changed, once it has one
        self._writer = Writer(self.database, clock, self)
        self._closed = self._unread = False
        self.trouble: str | None = unwritable or None
        self.trouble_since: datetime | None = clock.now() if unwritable else None
        self.commits = 0
        self.times = Durations(clock.monotonic)
        """What batches took, from their first unit to what was read back."""

    def project(self, projector: Projector, deliver: Deliver) -> None:
        """Set what is read back after each commit, and where it goes. Call before `open`."""
        self._projector, self._deliver = projector, deliver

    async def open(self) -> None:
        """Start the writer. The schema must stand already."""
        self._loop = asyncio.get_running_loop()
        self._reader = self.database.reader(READERS)
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
        """A read-only connection that never waits for the writer. Raises `StoreAway` without its server."""
        assert self._reader is not None, "the store is not open"
        return _told_away(self._reader) if self.on_server else self._reader.connect()

    async def read_aside(self, work: Callable[[Connection], T]) -> T:
        """Run long reading work on a thread and a read-only connection of its own, beside the event loop.

        Raises what the work raised, or `StoreAway`.
        """
        try:
            return await asyncio.to_thread(self.database.read, work)
        except DBAPIError as problem:
            raise (_away(problem) if is_of_server(problem) else problem) from problem

    def glance(self, work: Callable[[Connection], T]) -> T:
        """Do a short read at once on whichever thread asks, by a read-only connection of its own.

        Raises what the work raised, `DBAPIError` among it.
        """
        with self._glancing:
            try:
                return self._glance_once(work)
            except DBAPIError:
                if self._glance is not None:
                    raise
                return self._glance_once(work)

    def _glance_once(self, work: Callable[[Connection], T]) -> T:
        """The same; a connection that is found lost is known no more."""
        if self._glance is None:
            self._glance = self.database.shared_reader()
        try:
            return work(self._glance)
        except DBAPIError as problem:
            if fate_of(self._glance, problem) is Fate.LOST:
                self._glance = None
            raise

    async def quick_check(self) -> str:
        """What SQLite finds wrong first as it walks the file's pages; empty if nothing."""

        def walk(connection: Connection) -> str:
            return self.database.first_damage(connection, lambda: self._closed)  # closing does not wait

        try:
            return await self.read_aside(walk)
        except DBAPIError as problem:
            return str(problem.orig)

    async def write(self, unit: Callable[[Unit], T], gate: GateMode = GateMode.SHARED) -> T:
        """Run a unit of work and return its result once it is durable.

        Cancelling the caller does not cancel the unit. Raises what the unit raised, or `StoreError`.
        """
        return await self.submit(unit, gate)

    def submit(self, unit: Callable[[Unit], T], gate: GateMode = GateMode.SHARED) -> "asyncio.Future[T]":
        """Queue a unit; its future has what `write` returns or raises. A command under way keeps its row."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._closed:
            future.set_exception(StoreClosed("the store is closed" if self.trouble is None else self.trouble))
        elif self._unwritable:
            future.set_exception(StoreUnwritable(self._unwritable))
        else:
            unit = as_conditioned(self.owning.held_to(unit))
            if (asked := asked_here()) is not None:
                unit = asked.kept_by(unit)
                future.add_done_callback(asked.committed)
            self._queue.put(QueuedUnit(unit, future, acting_now(), gate))
        return future

    def waiting(self) -> int:
        """Units that wait for the writer."""
        return self._queue.qsize()

    def look(self, desk: int = 0, seq: int = 0) -> None:
        """Have the writer look at once what others wrote; not where a `desk`'s row of changes was read."""
        if not self._to_look and not (desk and self._writer.seen(desk) >= seq):
            self._to_look = True
            self._queue.put(_LOOK)

    # --- the writer's thread ---

    def _write_forever(self) -> None:
        jobs: list[QueuedUnit[Any]] = []
        writer = self._writer
        try:
            writer.open()
            open_for_work = True
            while open_for_work:
                jobs, open_for_work = self._drain()
                if jobs:
                    began = self._clock.monotonic()
                    writer.write(jobs)
                    self.times.note(self._clock.monotonic() - began)
                    time.sleep(0.001)  # lets another process have the lock
                elif writer.link.stands:
                    writer.link.audit.forget()
                if open_for_work and writer.reconnected():  # after work too: a writer may never be idle
                    self._notice_others()
        except BaseException as problem:  # nobody may wait for a writer that has ended
            log.exception("the store's writer has ended")
            self.note_trouble(f"the store's writer has ended: {problem}")
            self._closed = True
            self.fail(jobs, StoreClosed(str(self.trouble)))
            self._call(self._fail_queued)
        finally:
            writer.close()

    def _fail_queued(self) -> None:
        """Fail what came in before the writer's end was known; on the loop, where callers queue."""
        with contextlib.suppress(queue.Empty):
            while True:
                job = self._queue.get_nowait()
                if isinstance(job, QueuedUnit):
                    self.fail([cast("QueuedUnit[Any]", job)], StoreClosed(str(self.trouble)))

    def _drain(self) -> tuple[list[QueuedUnit[Any]], bool]:
        try:
            job = self._queue.get(timeout=self.poll_s)
        except queue.Empty:
            return [], True
        jobs: list[QueuedUnit[Any]] = []
        while job is not None:
            if isinstance(job, QueuedUnit):
                jobs.append(cast("QueuedUnit[Any]", job))
            else:
                self._to_look = False  # first: what is committed from here on is looked for again
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return jobs, True
        return jobs, False

    def kept(self, batch: Batch) -> None:
        """Tell what a batch came to that is committed."""
        self.commits += 1
        self.answered()
        self._tell_commit(batch)
        by_others = bool(batch.others)
        batch.touched.merge(batch.others)
        projection, problem = self._read_back(batch.touched)
        if problem is None:
            self.hand_over(batch.results, projection, batch.events, by_others)
            return
        error = StoreUnread(f"it was kept, but could not be read back: {problem}")
        results = [(job, None, why or error) for job, _, why in batch.results]
        self.hand_over(results, None, batch.events, False)

    def _tell_commit(self, batch: Batch) -> None:
        """Tell of a commit before it is read back here: others wait for that."""
        if (told := self.committed) is not None and (topics := batch.touched.topics()):
            desk = self.desk
            self._call(lambda: told(desk, batch.seen.get(desk, 0), tuple(topics)))

    def _read_back(self, touched: Touched) -> tuple[object, Exception | None]:
        """The projection of what was touched, after one that failed of everything; or why there is none."""
        touched.everything = touched.everything or touched.unread or self._unread
        if not touched:
            return None, None
        left = TRIES
        while True:
            try:
                projection = self._projector(self._writer.link.connection, touched)
            except Exception as problem:
                left -= 1
                if left and self._writer.may_be_read_again(problem):
                    continue
                log.exception("what was committed could not be read back")
                self._unread = True
                return None, problem
            self._unread = False
            return projection, None

    def answered(self) -> None:
        """Know of no trouble any more: the database has taken something, or answers again."""
        self.trouble = self.trouble_since = None

    def is_patient(self) -> bool:
        """Whether a server that was lost is waited for: not where it is known to be away, or at the end."""
        return not self._closed and self.trouble is None

    def note_trouble(self, words: str) -> None:
        """Keep why nothing can be written, and since when; no words keep what is known."""
        if words:
            self.trouble = words
            self.trouble_since = self.trouble_since or self._clock.now()

    def fail(self, jobs: list[QueuedUnit[Any]], error: Exception) -> None:
        """Tell callers what kept their units from being kept."""
        self.hand_over([(job, None, error) for job in jobs], None, [], False)

    def _notice_others(self) -> None:
        try:
            touched = self._writer.changed_by_others()
        except Exception as problem:
            log.exception("what another process wrote could not be read")
            if isinstance(problem, DBAPIError):
                self.note_trouble(self.database.why_unwritable(problem))
            return
        projection, _ = (None, None) if touched is None else self._read_back(touched)
        if projection is not None:
            self.hand_over([], projection, [], True)

    def hand_over(
        self,
        results: list[Result],
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
                why = problem or untold
                if why is None:
                    job.future.set_result(result)
                elif isinstance(why, StopIteration):  # a future refuses it
                    job.future.set_exception(StoreError(f"the unit failed: {why!r}"))
                else:
                    job.future.set_exception(why)

        self._call(resume)

    def _call(self, function: Callable[[], None]) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is waiting any more
            self._loop.call_soon_threadsafe(function)


@asynccontextmanager
async def _told_away(reader: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    try:
        async with reader.connect() as connection:
            yield connection
    except DBAPIError as problem:
        raise (_away(problem) if is_of_server(problem) else problem) from problem


def _away(problem: DBAPIError) -> StoreAway:
    said = str(problem.orig).strip().splitlines() or [""]
    return StoreAway(f"the server of the books does not answer ({said[0]})")
