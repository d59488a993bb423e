"""A home restored from a backup: told in its audit, and halted where its brokers have gone on without it."""

import asyncio
from pathlib import Path

from data.audit import AuditAction, AuditEntry
from data.clock import Clock
from data.home import books_file, halt_file
from data.keeping.archive import Manifest
from data.keeping.looked import BooksSeen
from data.keeping.restoring import Restored, restore
from data.repositories.instances import end_engines
from data.repositories.meta import HOME, forget_facts
from data.store import Store, Unit
from data.vocabulary import ConnectionKind
from engine.book.halt_file import write_halt_file


def restore_home(file: Path, home: Path, clock: Clock, by: str) -> Restored:
    """Put a backup into an empty home, for whoever is named. It blocks, and no loop may run in its thread.

    A home that trades elsewhere than on its own paper exchange comes back halted: its orders have gone on at
    the brokers since the copy was made, and some that it holds for unsent may have been sent. Raises
    `BadInput`.
    """

    def finish(folder: Path, manifest: Manifest, seen: BooksSeen) -> None:
        entry = AuditEntry(
            AuditAction.HOME_RESTORED,
            by,
            details={
                "file": file.name,
                "made_at": manifest.made_at.isoformat(),
                "audit_rows": manifest.audit_rows,
                "audit_head": manifest.audit_head,
            },
        )
        asyncio.run(_tell(books_file(folder), clock, entry))
        if comes_back_halted(manifest):
            write_halt_file(halt_file(folder), f"{by}, restoring {file.name}", clock.now())

    return restore(file, home, clock, finish)


def comes_back_halted(manifest: Manifest) -> bool:
    """Whether a home of these connections sends nothing until somebody has typed that it may."""
    return any(kind != ConnectionKind.PAPER for kind in manifest.connections)


async def _tell(books: Path, clock: Clock, entry: AuditEntry) -> None:
    store = Store(books, clock)
    await store.open()
    try:

        def unit_of_work(unit: Unit) -> None:
            unit.audit(entry)
            forget_facts(unit, [HOME])  # of a server's books: these are another home's
            end_engines(unit, unit.now)

        await store.write(unit_of_work)
    finally:
        await store.close()
