"""The shapes of backups, of a home restored, and of what is old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from data.keeping.archive import Manifest
    from data.keeping.backups import Backup
    from data.keeping.restoring import Restored
    from data.vocabulary import Prunable
    from engine.keeping.service import Prune


class BackupShape(Struct, frozen=True):
    """A backup: its file, and what its books ended with. `ok` is whether they verify."""

    ok: bool
    file: Path
    bytes: int
    sha256: str
    made_at: datetime
    schema: str
    audit_rows: int
    audit_head: str
    with_secrets: bool
    parts: list[str]
    found: list[str]


class RestoredShape(Struct, frozen=True):
    """A home put back: from when it is, and what its books ended with."""

    ok: bool
    home: Path
    made_at: datetime
    halted: bool
    audit_rows: int
    audit_head: str
    parts: list[str]
    found: list[str]


class GrantedShape(Struct, frozen=True):
    """What a role of a server was granted: a desk's work, in which these tables only grow."""

    database: str
    role: str
    append_only: list[str]


class OldFileShape(Struct, frozen=True):
    """An old file."""

    kind: Prunable
    file: Path
    bytes: int
    changed_at: datetime


class PruneShape(Struct, frozen=True):
    """What is old, or what was `removed` of it; `before` is from when on each kind is kept."""

    removed: bool
    before: dict[str, datetime]
    files: list[OldFileShape]
    deliveries: int
    bytes: int


def backup_shape(made: Backup) -> BackupShape:
    """A backup that was made."""
    held = made.manifest
    return BackupShape(
        not held.found,
        made.file,
        made.bytes,
        made.sha256,
        held.made_at,
        held.schema,
        held.audit_rows,
        held.audit_head,
        held.with_secrets,
        _names(held),
        list(held.found),
    )


class UpgradedShape(Struct, frozen=True):
    """A database on a server, and its versions before and now; none before where it was empty."""

    database: str
    before: str | None
    version: str


class CopiedShape(Struct, frozen=True):
    """A home's books on a server: how many rows by table, and what their audit ends with."""

    file: str
    database: str
    rows: int
    tables: dict[str, int]
    audit_rows: int
    audit_head: str


def restored_shape(made: Restored) -> RestoredShape:
    """A home that was restored."""
    from engine.keeping.restoring import comes_back_halted

    return RestoredShape(
        not made.seen.found,
        made.home,
        made.manifest.made_at,
        comes_back_halted(made.manifest),
        made.seen.audit_rows,
        made.seen.audit_head,
        _names(made.manifest),
        list(made.seen.found),
    )


def prune_shape(old: Prune, removed: bool) -> PruneShape:
    """What may be removed, or was."""
    return PruneShape(
        removed,
        {kind.value: at for kind, at in old.before.items()},
        [OldFileShape(one.kind, one.path, one.bytes, one.changed_at) for one in old.files],
        old.deliveries,
        old.bytes,
    )


def _names(held: Manifest) -> list[str]:
    return [part.name for part in held.parts]
