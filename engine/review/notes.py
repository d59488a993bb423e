"""Notes on clients, orders and runs: rows of the audit, so that none is changed or lost."""

from collections import Counter
from datetime import datetime

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.csvfiles import control_character
from data.errors import BadInput
from data.repositories.audit import AuditRows
from data.store import Unit
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.review.audit import AuditRow

LONGEST = 500
"""Characters of a note."""

MOST = 500
"""Notes of one subject that are shown, the newest."""

_ROWS = AuditRows(AuditRow)


class Note(Struct, frozen=True):
    """What somebody noted, when, and of what: a client, an order of it, or a run."""

    at: datetime
    by: str
    text: str
    client_id: int | None
    order_id: int | None
    run_number: int | None
    seq: int


class NoteService:
    """Notes are added and read; nothing else is done with them."""

    def __init__(self, kept: Kept, engine: ThisEngine) -> None:
        self._kept = kept
        self._engine = engine
        self._counts = Counter[tuple[str, int]]()

    async def on_client(self, client_id: int, text: str) -> None:
        """Note something on a client. Raises `BadInput`."""
        if client_id not in self._kept.book.clients:
            raise BadInput("client", client_id, "no client has this id")
        await self._keep(AuditEntry(AuditAction.NOTE_ADDED, "", client_id=client_id), text)

    async def on_order(self, order_id: int, text: str) -> None:
        """Note something on an order, and so on its client. Raises `BadInput`."""
        order = self._kept.book.orders.get(order_id)
        if order is None:
            raise BadInput("order", order_id, "the desk shows no such order")
        about = (order.client_id, order_id, order.plan_number, order.run_number)
        await self._keep(AuditEntry(AuditAction.NOTE_ADDED, "", *about), text)

    async def on_run(self, number: int, text: str) -> None:
        """Note something on a run. Raises `BadInput`."""
        run = self._kept.book.runs.get(number)
        if run is None:
            raise BadInput("run", number, "the desk shows no such run")
        about = AuditEntry(AuditAction.NOTE_ADDED, "", plan_number=run.plan_number, run_number=number)
        await self._keep(about, text)

    async def _keep(self, about: AuditEntry, text: str) -> None:
        told = " ".join(text.split())
        if not told or len(told) > LONGEST or control_character(told):
            raise BadInput("note", text, f"write 1 to {LONGEST} characters in one line")
        entry = about._replace(actor=self._engine.actor, details={"text": told})

        def unit_of_work(unit: Unit) -> None:
            unit.audit(entry)
            unit.of_anybody = True  # it is read again, and nothing of it has changed
            if entry.client_id is not None:
                unit.touched.clients.add(entry.client_id)
            if entry.order_id is not None:
                unit.touched.orders.add(entry.order_id)
            if entry.run_number is not None:
                unit.touched.runs.add(entry.run_number)

        await self._engine.write_signed_on(unit_of_work)
        await self.look()

    async def look(self) -> None:
        """Count the newest notes by what they are on, for `count`; one of another process is counted then."""
        counts = Counter[tuple[str, int]]()
        for note in await self.of():
            about = (("client", note.client_id), ("order", note.order_id), ("run", note.run_number))
            counts.update((kind, number) for kind, number in about if number is not None)
        self._counts = counts

    def count(
        self, client_id: int | None = None, order_id: int | None = None, run_number: int | None = None
    ) -> int:
        """How many notes are known on a client and its orders, on an order, or on a run and its orders."""
        about = (("order", order_id), ("run", run_number), ("client", client_id))
        return next((self._counts[kind, number] for kind, number in about if number is not None), 0)

    async def of(
        self, client_id: int | None = None, order_id: int | None = None, run_number: int | None = None
    ) -> list[Note]:
        """The newest notes on a client and its orders, on an order, on a run, or all; oldest first."""
        async with self._kept.store.reader() as reader:
            action = AuditAction.NOTE_ADDED
            rows = await _ROWS.newest(reader, MOST, action, client_id, order_id, run_number=run_number)
        return [
            Note(
                at=row.at,
                by=row.actor,
                text=str(row.details.get("text", "")),
                client_id=row.client_id,
                order_id=row.order_id,
                run_number=row.run_number,
                seq=row.seq,
            )
            for row in rows
        ]
