"""Keeping this desk's home: backups made while it is at work, and what is old of it removed."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.home import backups_folder
from data.keeping.backups import Backup, back_up
from data.keeping.looked import BooksSeen
from data.keeping.pruning import OldFile, old_files, remove
from data.keeping.restoring import try_backup
from data.repositories.alerting.outbox import count_old_deliveries, remove_old_deliveries
from data.store import Unit
from data.vocabulary import Prunable
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.timing import Timing


class Prune(Struct, frozen=True):
    """What may be removed: files, and ended deliveries of alerts from before a moment.

    `before` names the moment of each kind that is looked for; a kind that is kept for ever is not in it.
    """

    before: Mapping[Prunable, datetime]
    files: tuple[OldFile, ...] = ()
    deliveries: int = 0

    @property
    def bytes(self) -> int:
        """What the files take up."""
        return sum(one.bytes for one in self.files)

    def __bool__(self) -> bool:
        """Whether there is anything to remove."""
        return bool(self.files or self.deliveries)


class HomeKeeping:
    """Makes backups of this desk's home and removes what is old of it; both are told in the audit."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, keep_days: Mapping[Prunable, int]
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._keep_days = keep_days

    async def back_up(self, folder: Path | None = None, with_secrets: bool = False) -> Backup:
        """Copy the home into one file of a folder, the home's own unless one is named, and try the copy.

        Trading goes on meanwhile. Raises `BadInput` where no whole copy could be made, `StoreError` where it
        was made and the audit could not take it.
        """
        to = (folder or backups_folder(self._kept.home)).expanduser().absolute()
        at = self._timing.wall.now()
        books = self._kept.store.database
        copy = partial(back_up, self._kept.home, to, at, with_secrets=with_secrets, books=books)
        made = await asyncio.to_thread(copy)
        details = {
            "file": str(made.file),
            "sha256": made.sha256,
            "audit_rows": made.manifest.audit_rows,
            "audit_head": made.manifest.audit_head,
            "with_secrets": made.manifest.with_secrets,
        }
        await self._tell(AuditEntry(AuditAction.BACKUP_MADE, self._engine.actor, details=details))
        return made

    async def check_backup(self, file: Path | None = None) -> tuple[Path, BooksSeen]:
        """Put a backup back for a trial, this home's newest unless one is named, and look at its books.

        Returns it with what was seen; nothing of it stays. Raises `BadInput` for none, or a damaged one.
        """
        folder = backups_folder(self._kept.home)
        newest = max(folder.glob("tradedesk-*.zip"), key=lambda one: one.name, default=None)
        chosen = file or newest
        if chosen is None:
            raise BadInput("backup", str(folder), "there is none yet: `tradedesk backup` makes one")
        return chosen, await asyncio.to_thread(try_backup, chosen, self._kept.home, self._timing.wall)

    async def find_old(self, days: int | None = None, kinds: Collection[Prunable] = ()) -> Prune:
        """What is older than so many days, or than the settings keep each kind for; nothing is removed.

        `kinds` are all kinds unless some are named. Raises `BadInput`.
        """
        if days is not None and not 1 <= days <= 36_500:
            raise BadInput("older-than", days, "give 1 to 36,500 days")
        now, before = self._timing.wall.now(), dict[Prunable, datetime]()
        for kind in kinds or Prunable:
            if kept := days or self._keep_days.get(kind, 0):
                before[kind] = now - timedelta(days=kept)
        deliveries = 0
        if (moment := before.get(Prunable.DELIVERIES)) is not None:
            async with self._kept.store.reader() as reader:
                deliveries = await count_old_deliveries(reader, moment)
        try:
            files = await asyncio.to_thread(old_files, self._kept.home, before)
        except OSError as problem:
            expected = f"it cannot be looked into: {problem.strerror}; nothing was removed"
            raise BadInput("home", str(problem.filename), expected) from problem
        return Prune(before, tuple(files), deliveries)

    async def remove(self, old: Prune) -> Prune:
        """Remove what was found, but for files that have changed since; returns what was removed.

        Raises `BadInput` where the system lets one not be removed; those before it are gone then.
        """
        removed = list[OldFile]()
        try:
            for one in old.files:
                if await asyncio.to_thread(remove, self._kept.home, one):
                    removed.append(one)
        except OSError as problem:
            expected = f"it cannot be removed: {problem.strerror}; {len(removed)} files were"
            raise BadInput("file", str(problem.filename), expected) from problem
        finally:
            made = await self._tell_removed(old, removed)
        return made

    async def _tell_removed(self, old: Prune, removed: list[OldFile]) -> Prune:
        moment, deliveries = old.before.get(Prunable.DELIVERIES), 0
        counts = {kind.value: sum(one.kind is kind for one in removed) for kind in old.before}
        before = {kind.value: at.isoformat() for kind, at in old.before.items()}

        def unit_of_work(unit: Unit) -> None:
            nonlocal deliveries
            deliveries = remove_old_deliveries(unit, moment) if moment is not None and old.deliveries else 0
            details = {"before": before, "removed": {**counts, Prunable.DELIVERIES.value: deliveries}}
            unit.audit(AuditEntry(AuditAction.HOME_PRUNED, self._engine.actor, details=details))

        await self._engine.write_signed_on(unit_of_work)
        return Prune(old.before, tuple(removed), deliveries)

    async def _tell(self, entry: AuditEntry) -> None:
        def unit_of_work(unit: Unit) -> None:
            unit.audit(entry)

        await self._engine.write_signed_on(unit_of_work)
