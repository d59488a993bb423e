"""Commands that an open app carries out for others: what each did is kept in the same commit, under its id.

An id stands once. Whoever finds it taken by another, or closed, does nothing under it.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import select, update

from data.audit import AuditAction, AuditEntry
from data.errors import TradedeskError
from data.tables.books import AskedCommand
from data.tables.columns import table

if TYPE_CHECKING:
    from data.writing.unit import Unit

T = TypeVar("T")

Did = Mapping[str, list[int]]
"""Numbers of what a command made: `plans`, `runs`, `orders`, `halts`."""

MOST_ORDERS = 100
"""Orders that are kept by number; the run or the halt says which they are where there are more."""


class CommandKnown(TradedeskError):  # noqa: N818 - reads as a state
    """The id stands already, closed or with what was `did` under it; nothing was done now."""

    def __init__(self, request_id: str, did: Did) -> None:
        done = ", ".join(f"{kind} {', '.join(map(str, numbers))}" for kind, numbers in did.items() if numbers)
        super().__init__(f"the command {request_id} was asked for before ({done or 'nothing was done'})")
        self.did = did


class Asked:
    """One command that was asked for, as the task that does it knows it."""

    def __init__(self, request_id: str, command: str, actor: str) -> None:
        self.request_id = request_id
        self.did: Did = {}
        """What is committed of it."""
        self.on_kept: Callable[[Did], None] = lambda did: None
        """Told after each commit."""
        self.command = command
        self.actor = actor
        self.owner = secrets.token_hex(8)
        """Whose row it is; one that another keeps under the same id has another."""
        self._task = asyncio.current_task()
        self._doing: Did = {}

    def is_here(self) -> bool:
        """Whether this task does it, and not one that it began."""
        return asyncio.current_task() is self._task

    def kept_by(self, unit_of_work: "Callable[[Unit], T]") -> "Callable[[Unit], T]":
        """The unit with the row of this command; raises `CommandKnown`, undone, where it may not."""

        def with_row(unit: "Unit") -> T:
            result = unit_of_work(unit)
            self._keep(unit)
            return result

        return with_row

    def _keep(self, unit: "Unit") -> None:
        asked = table(AskedCommand)
        same = asked.c.request_id == self.request_id
        row = unit.connection.execute(
            select(asked.c.owner, asked.c.closed_at, asked.c.did).where(same)
        ).first()
        if row is None:
            self._doing = _joined({}, unit.entries)
            values = {"command": self.command, "actor": self.actor, "owner": self.owner, "at": unit.now}
            unit.insert(AskedCommand, [{"request_id": self.request_id, **values, "did": self._doing}])
        elif row.owner != self.owner or row.closed_at is not None:
            raise CommandKnown(self.request_id, row.did)
        else:
            self._doing = _joined(row.did, unit.entries)
            unit.connection.execute(update(asked).where(same).values(did=self._doing))

    def committed(self, done: "asyncio.Future[T]") -> None:
        """Take over what was committed; on the loop, before whoever wrote resumes."""
        if not done.cancelled() and done.exception() is None:
            self.did = self._doing
            self.on_kept(self.did)


def _joined(before: Did, entries: list[AuditEntry]) -> Did:
    """What stands with what these rows of the audit tell."""
    found = {kind: set(before.get(kind, ())) for kind in ("plans", "runs", "orders", "halts")}
    for entry in entries:
        if entry.plan_number is not None:
            found["plans"].add(entry.plan_number)
        if entry.run_number is not None:
            found["runs"].add(entry.run_number)
        if entry.action == AuditAction.HALT_FIRED:
            found["halts"].add(int(entry.details["halt"]))
        if entry.order_id is not None and len(found["orders"]) < MOST_ORDERS:
            found["orders"].add(entry.order_id)
    return {kind: sorted(numbers) for kind, numbers in found.items() if numbers}


asked_now: ContextVar[Asked | None] = ContextVar("asked_now", default=None)
"""The command under way in this context, which tasks begun by it inherit."""


def asked_here() -> Asked | None:
    """The command that this very task does; None in tasks that it began, whose work is the desk's own."""
    asked = asked_now.get()
    return asked if asked is not None and asked.is_here() else None
