"""Files of a home that may be removed once they are old: what they are, and which of them are that old.

The books are none of these, and neither is anything that proves what was done: the audit, the ledger, orders,
plans, the certificates of halts. A file's age is that of its last change.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from data.home import (
    backups_folder,
    books_file,
    exports_folder,
    log_file,
    recordings_folder,
    replays_folder,
)
from data.migrating import copies_beside
from data.vocabulary import Prunable

BACKUPS_KEPT = 3
"""The newest backups are kept, however old they are."""

_BACKUP = re.compile(r"tradedesk-\d{8}T\d{6}Z(-\d+)?\.zip")


class OldFile(Struct, frozen=True):
    """A file that may be removed."""

    kind: Prunable
    path: Path
    bytes: int
    changed_at: datetime


def old_files(home: Path, before: Mapping[Prunable, datetime]) -> list[OldFile]:
    """The files of each kind that were last changed before its moment, the oldest first. Raises `OSError`."""
    found = [
        one
        for kind, moment in before.items()
        for one in (_replayed(home, moment) if kind is Prunable.REPLAYS else _files(home, kind))
        if one.changed_at < moment
    ]
    return sorted(found, key=lambda one: (one.changed_at, one.path))


def remove(home: Path, old: OldFile) -> bool:
    """Remove a file unless it has changed since, and its folder where that is empty then.

    Returns whether it was removed. Raises `OSError`.
    """
    try:
        if _seen(old.kind, old.path) != old:
            return False
        old.path.unlink()
    except FileNotFoundError:
        return False
    tops = {Prunable.EXPORTS: exports_folder(home), Prunable.REPLAYS: replays_folder(home)}
    if (top := tops.get(old.kind)) is not None:
        for folder in old.path.parents:
            if folder == top or any(folder.iterdir()):
                break
            folder.rmdir()
    return True


def _replayed(home: Path, moment: datetime) -> Iterator[OldFile]:
    """The files of replays' homes in none of which anything was changed since; one that plays writes."""
    top = replays_folder(home)
    for one in sorted(top.iterdir()) if top.is_dir() else ():
        if one.is_symlink() or not one.is_dir():
            continue
        there = [path for path in one.rglob("*") if path.is_file() and not path.is_symlink()]
        seen = [_seen(Prunable.REPLAYS, path) for path in there]
        if all(file.changed_at < moment for file in seen):
            yield from seen


def _files(home: Path, kind: Prunable) -> Iterator[OldFile]:
    return (_seen(kind, path) for path in _paths(home, kind) if path.is_file() and not path.is_symlink())


def _paths(home: Path, kind: Prunable) -> list[Path]:
    match kind:
        case Prunable.EXPORTS:
            return list(exports_folder(home).rglob("*"))
        case Prunable.BACKUPS:
            named = [one for one in backups_folder(home).glob("*.zip") if _BACKUP.fullmatch(one.name)]
            return sorted(named, key=lambda one: one.name)[:-BACKUPS_KEPT]
        case Prunable.COPIES:
            return copies_beside(books_file(home))
        case Prunable.RECORDINGS:
            return list(recordings_folder(home).glob("*.prices"))
        case Prunable.LOGS:
            return list(log_file(home).parent.glob(f"{log_file(home).name}.*"))
        case Prunable.DELIVERIES | Prunable.REPLAYS:  # no files; whole homes
            return []


def _seen(kind: Prunable, path: Path) -> OldFile:
    found = path.lstat()
    return OldFile(kind, path, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))
