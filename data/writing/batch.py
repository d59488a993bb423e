"""What one transaction of the writer comes to: units that have queued up, and what they left to be told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from data.acting import Actor, acting
from data.audit import AuditEntry, Head
from data.engines.shared.gate import GateMode
from data.proving.noted import AcceptedRows
from data.proving.proofs import Proofs
from data.writing.changes import Touched, Vector
from data.writing.unit import Unit

T = TypeVar("T")


@dataclass(slots=True)
class QueuedUnit(Generic[T]):
    """A unit that was queued, who waits for it, and who acts in it."""

    unit: Callable[[Unit], T]
    future: "asyncio.Future[T]"
    actor: Actor | None = None
    gate: GateMode = GateMode.SHARED


Result: TypeAlias = tuple[QueuedUnit[Any], Any, BaseException | None]
"""What a unit came to: what it returned, or what it raised."""


@dataclass(slots=True)
class Batch:
    """Nothing of it is told before its commit is known, so that it may be thrown away and made anew."""

    results: list[Result] = field(default_factory=list[Result])
    events: list[object] = field(default_factory=list[object])
    entries: list[AuditEntry] = field(default_factory=list[AuditEntry])
    touched: Touched = field(default_factory=Touched)
    proven: Proofs = field(default_factory=Proofs)
    accepted: list[AcceptedRows] = field(default_factory=list[AcceptedRows])
    others: Touched = field(default_factory=Touched)
    """What others changed since this process looked last."""
    version: int = -1
    seen: Vector = field(default_factory=Vector)
    """How far this process has seen others' changes and its own, once it is committed."""
    head: Head | None = None
    """The audit's newest row that it wrote; None where it wrote none."""
    chain: int = 0
    """The chain of that row."""
    committing: bool = False
    """Whether its commit was asked for."""
    committed: bool = False
    """Whether it was kept, where its commit was not answered."""

    def add(self, job: QueuedUnit[Any], result: Any, unit: Unit) -> None:
        """Take in what a unit leaves."""
        self.results.append((job, result, None))
        self.events += unit.events
        self.entries += unit.entries
        self.accepted += unit.accepted
        for name, rows in unit.proven.items():
            self.proven.setdefault(name, {}).update(rows)
        self.touched.merge(unit.touched)


def perform(job: QueuedUnit[T], unit: Unit) -> T:
    """Do a unit's work as whoever asked for it."""
    with acting(job.actor):
        return job.unit(unit)
