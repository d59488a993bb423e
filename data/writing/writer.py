"""The writer's work: batches of units on one connection, run again where others or a lost server ended them.

Whoever asked for a unit is told what it came to, or that it was not kept; never what ended a batch that can
be run again. Where a commit was not answered, the audit's end says what became of it.
"""

import logging
import time
from itertools import groupby
from operator import attrgetter
from random import Random
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from data.clock import Clock
from data.engines.database import Database
from data.engines.driver import run
from data.engines.fates import Fate
from data.engines.shared.gate import GateMode
from data.errors import RowsMoved, StoreBusy, StoreError, StoreUnsure, StoreUnwritable
from data.vocabulary import Via
from data.writing.batch import Batch, QueuedUnit, perform
from data.writing.changes import Touched, Vector, changes_since, newest, write_changes
from data.writing.failing import failed
from data.writing.id_blocks import IdBlocks
from data.writing.link import WriterLink, was_kept
from data.writing.unit import Unit

log = logging.getLogger(__name__)

LOCK_WAIT_S = 10.0
"""How long the writer tries for another process's lock before its units fail."""

TRIES = 5
"""How often a batch is run where the database asks for that; then each of its units so often alone."""

ALONE_FROM = 2
"""At which try, from 0, a batch has the gate to itself: whoever always comes second would never be done."""

RETRY_S = 0.01
"""How long it pauses before the second; before each further one twice as long, all of it by chance."""

LEADS_S = 20.0
"""How often a writer of another chain looks whether the first is free: whoever has that seals the others."""

RECONNECT_S = 0.25
"""How long it pauses between two tries for a server."""


_GATE = attrgetter("gate")


class BatchOwner(Protocol):
    """Whose batches they are, as the writer's thread needs it."""

    desk: int
    via: Via | None
    trouble: str | None

    def kept(self, batch: Batch) -> None:
        """Tell what a batch came to that is committed."""
        ...

    def fail(self, jobs: list[QueuedUnit[Any]], error: Exception) -> None:
        """Tell callers that their units were not kept."""
        ...

    def note_trouble(self, words: str) -> None:
        """Keep why nothing can be written."""
        ...

    def answered(self) -> None:
        """Know of no trouble any more."""
        ...

    def is_patient(self) -> bool:
        """Whether a server that was lost is waited for."""
        ...


class Writer:
    """Writes batches. All of it is called in one thread."""

    def __init__(self, database: Database, clock: Clock, owner: BatchOwner) -> None:
        self._database, self._clock, self._owner = database, clock, owner
        self.link = WriterLink(database)
        self._blocks = IdBlocks(database)
        self._leads_at = 0.0
        """When to look again whether it may write to the first chain."""
        self._opened = False
        self._version = -1
        self._seen: Vector = {}
        self._unsure: Batch | None = None
        """A batch of which it is not known whether it was kept."""
        self._random = Random()

    def close(self) -> None:
        """End its connections."""
        self.link.close()
        self._blocks.close()

    def open(self) -> None:
        """Connect, and see how far others have come. Raises `DBAPIError`."""
        self.link.open(LOCK_WAIT_S, self._look)

    def _look(self, connection: Connection) -> None:
        """See how far others have come, before the first batch; later all since then is still to be seen."""
        if self._opened:
            self._version = -1
            self._blocks.forget()
            return
        self._version, self._seen = self._database.version(connection), newest(connection)
        self._opened = True

    def seen(self, desk: int) -> int:
        """The newest row of a desk's changes that was read; asked from other threads too."""
        return self._seen.get(desk, 0)

    def write(self, jobs: list[QueuedUnit[Any]]) -> None:
        """Run units in batches of those that pass the gate alike, in their order."""
        for _, alike in groupby(jobs, _GATE):
            self._write(list(alike))

    def _write(self, jobs: list[QueuedUnit[Any]]) -> None:
        """Run a batch: again where the database asks for that, each unit alone where that does not help."""
        once = True
        for number in range(TRIES):
            if not self.reconnected(LOCK_WAIT_S):
                self._owner.fail(jobs, StoreUnwritable(str(self._owner.trouble)))
                return
            shared = jobs[0].gate is GateMode.SHARED
            fate = self._try(jobs, once, GateMode.ALONE if shared and number >= ALONE_FROM else jobs[0].gate)
            if fate is None:
                return
            once = once and fate is not Fate.ONCE
            time.sleep(RETRY_S * 2**number * self._random.uniform(0.5, 1.5))
        if len(jobs) == 1:
            self._owner.fail(jobs, StoreBusy(f"the database was in others' hands {TRIES} times running"))
            return
        for job in jobs:
            self._write([job])

    def _try(self, jobs: list[QueuedUnit[Any]], once: bool, gate: GateMode) -> Fate | None:
        """Run a batch; returns why it is to be run again, None where its callers are told what it came to.

        `once` says whether what may have been another's row is a reason.
        """
        batch = Batch()
        try:
            self._begin(gate)
            self._fill(batch, jobs, once)
            batch.committing = True
            run(self.link.connection, "COMMIT")
        except Exception as problem:
            fate = self.link.fate(problem)
            if fate is Fate.LOST:
                log.warning("the connection to the database was lost: %s", problem)
                self.link.drop()
                return self._true_answer(batch) if batch.committing else fate
            self.link.roll_back()
            if fate is not Fate.OWN or isinstance(problem, RowsMoved):
                return fate
            self._give_up(jobs, problem)
            return None
        self._committed(batch)
        return None

    def _fill(self, batch: Batch, jobs: list[QueuedUnit[Any]], once: bool) -> None:
        """Do all that a batch does but for its beginning and its commit."""
        connection, audit = self.link.connection, self.link.audit
        batch.version, batch.others, batch.seen = self._others(connection)
        audit.begin(batch.version)
        now = self._clock.now()
        for job in jobs:
            via = self._owner.via if job.actor is None else job.actor.via
            unit = Unit(connection, now, audit, via, self._blocks)
            run(connection, "SAVEPOINT unit")
            try:
                result = perform(job, unit)
            except BaseException as problem:
                if not self._is_own(problem, once):
                    raise
                unit.undo()
                batch.results.append((job, None, failed(problem)))
            else:
                batch.add(job, result, unit)
            run(connection, "RELEASE unit")
        before, after = audit.append(Unit(connection, now), batch.entries, batch.proven, batch.accepted)
        batch.head, batch.chain = (after if after != before else None), audit.chain
        if batch.touched.topics():
            batch.seen[self._owner.desk] = write_changes(connection, self._owner.desk, batch.touched, now)

    def _begin(self, gate: GateMode) -> None:
        """Begin a batch's transaction; what must hold of all of it is looked at here. Raises `StoreBusy`."""
        if self.link.audit.chain and time.monotonic() >= self._leads_at:
            self._leads_at = time.monotonic() + LEADS_S
            self.link.lead()
        take_turn(self._database, self.link.connection, gate)

    def _is_own(self, problem: BaseException, once: bool) -> bool:
        """Whether what ended a unit is its own, and no fate of the whole batch."""
        if isinstance(problem, RowsMoved):
            return False
        if isinstance(problem, DBAPIError) and self._database.why_unwritable(problem):
            return False
        fate = self.link.fate(problem)
        return fate is Fate.OWN or (fate is Fate.ONCE and not once)

    # --- a server that was lost ---

    def reconnected(self, patience_s: float = 0.0) -> bool:
        """Whether there is a connection, made anew where it was lost, and tried for so many seconds."""
        if self.link.stands:
            return True
        until = time.monotonic() + (patience_s if self._owner.is_patient() else 0.0)
        while True:
            try:
                self.link.open(LOCK_WAIT_S, self._look)
                self._settle_unsure()
                self._owner.answered()
                return self.link.stands
            except (DBAPIError, StoreBusy) as problem:
                self.link.drop()
                if time.monotonic() >= until:
                    self._owner.note_trouble(self._away(problem))
                    return False
            time.sleep(RECONNECT_S)

    def _away(self, problem: Exception) -> str:
        said = str(getattr(problem, "orig", problem)).strip().splitlines() or [""]
        unsure = "; whether the last commit was kept is not known yet" if self._unsure else ""
        return f"the server of the books does not answer ({said[0]}){unsure}"

    def _true_answer(self, batch: Batch) -> Fate | None:
        """What became of a batch whose commit was not answered; returns as `_try`."""
        if batch.head is None:
            return Fate.LOST  # it changes nothing that may not be changed so twice
        self._unsure = batch
        if not self.reconnected(LOCK_WAIT_S):
            told = "the server was lost before it said whether this was kept; it is looked at once it answers"
            self._owner.fail([job for job, *_ in batch.results], StoreUnsure(told))
            self._unsure.results = []
            return None
        return None if batch.committed else Fate.LOST

    def _settle_unsure(self) -> None:
        """See whether a batch was kept whose commit was not answered, and tell what it came to if so.

        Raises `DBAPIError` where the server has not decided yet.
        """
        if (batch := self._unsure) is None or batch.head is None:
            return
        batch.committed = was_kept(self.link.connection, batch.chain, batch.head)
        self._unsure = None
        if batch.committed:
            self._committed(batch)

    def _committed(self, batch: Batch) -> None:
        self._version, self._seen = batch.version, batch.seen
        self._owner.kept(batch)

    def may_be_read_again(self, problem: BaseException) -> bool:
        """Whether what met a problem outside a batch is to be read once more: on a server made anew, say."""
        fate = self.link.fate(problem)
        if fate is Fate.LOST:
            log.warning("the connection to the database was lost: %s", problem)
            self.link.drop()
            return self.reconnected(LOCK_WAIT_S)
        return fate is not Fate.OWN

    def changed_by_others(self) -> Touched | None:
        """What others have changed since this was asked last; None for nothing. Raises `DBAPIError`."""
        try:
            if self._database.version(self.link.connection) == self._version:
                return None
            self._version, touched, self._seen = self._others(self.link.connection)
        except DBAPIError as problem:
            fate = self.link.fate(problem)
            if fate is Fate.OWN:
                raise
            log.warning("what others wrote is read at the next look: %s", problem)
            if fate is Fate.LOST:
                self.link.drop()
            return None
        return touched

    def _others(self, connection: Connection) -> tuple[int, Touched, Vector]:
        """The file's version, what others changed since it was last looked at, and how far that is."""
        version = self._database.version(connection)
        if version == self._version:
            return version, Touched(), dict(self._seen)
        return version, *changes_since(connection, self._seen)

    def _give_up(self, jobs: list[QueuedUnit[Any]], problem: Exception) -> None:
        error: Exception
        if isinstance(problem, StoreError):
            error = problem
        elif isinstance(problem, DBAPIError) and (words := self._database.why_unwritable(problem)):
            log.warning("the commit failed: %s", problem.orig)
            self._owner.note_trouble(words)
            error = StoreUnwritable(words)
        else:
            error = StoreError(f"the commit failed: {problem}")
        self._owner.fail(jobs, error)


def take_turn(database: Database, connection: Connection, gate: GateMode = GateMode.ALONE) -> None:
    """Begin a transaction that writes. Raises `StoreBusy` where others keep it from that for too long."""
    if not database.begin(connection, LOCK_WAIT_S, gate):
        raise StoreBusy(f"another process has held the database for {LOCK_WAIT_S:g} s")
