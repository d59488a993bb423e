"""Making a backup of a home while its desk is at work: copied as of one moment, packed, put back for a trial.

The desk's books are copied first and the paper exchange's after them, each as of one moment: what the desk
knows has then happened at the exchange, as with any broker, and what happened in between the desk reads when
it is opened. Nobody who trades waits for either.
"""

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from msgspec import Struct

from data.engines.at_rest import FileError, copy_file
from data.engines.database import Database
from data.engines.sqlite import SqliteFile, unwritable_words
from data.errors import BadInput
from data.home import backup_lock, books_file, paper_exchange_file
from data.keeping.archive import (
    BOOKS,
    EXCHANGE,
    FORMAT,
    SECRETS,
    Manifest,
    add_list,
    beside_the_books,
    pack,
    read_list,
    remove_folder,
    unpack_parts,
)
from data.keeping.looked import look_at
from data.schema import HEAD
from data.writing.locks import HeldLock

COPIED, PACKED, TRIED = "copied", "packed", "tried"
"""Where a program may die while it makes a backup, as `reached` is told it."""


class Backup(Struct, frozen=True):
    """A backup that was made: its file, the file's size and SHA-256, and what is in it."""

    file: Path
    bytes: int
    sha256: str
    manifest: Manifest


def _passed(point: str) -> None:
    pass


def back_up(
    home: Path,
    folder: Path,
    at: datetime,
    with_secrets: bool = False,
    reached: Callable[[str], None] = _passed,
    books: Database | None = None,
) -> Backup:
    """Copy a home's books and what belongs to them into one file of a folder, and put it back for a trial.

    It blocks. `books` are those of the home wherever they stand, its own file unless they are given.
    The file is named by the moment `at`, whole or not there at all. Secrets are in it only with
    `with_secrets`, and encrypted even then. Raises `BadInput` where a file is damaged or there is no room.
    """
    books = SqliteFile(books_file(home)) if books is None else books
    if isinstance(books, SqliteFile) and not books.path.exists():
        raise BadInput("home", str(home), "there are no books in it")
    lock = HeldLock(backup_lock(home))
    if not lock.take():
        raise BadInput("home", str(home), f"process {lock.holder()} is making a backup of it; wait for that")
    making = folder / f".making-{hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        remove_folder(making)  # what a program left that died here
        making.mkdir(mode=0o700)
        made = _made_in(making, home, books, at, with_secrets, reached)
        file = _unused(folder, at)
        os.replace(making / "packed", file)
        _sync(folder)
    except (OSError, FileError) as problem:
        raise BadInput("to", str(folder), f"{_why(problem)}; no backup was made") from problem
    finally:
        remove_folder(making)
        lock.free()
    manifest, digest = made
    return Backup(file, file.stat().st_size, digest, manifest)


def _made_in(
    making: Path,
    home: Path,
    books: Database,
    at: datetime,
    with_secrets: bool,
    reached: Callable[[str], None],
) -> tuple[Manifest, str]:
    files = {BOOKS: making / BOOKS}
    _copy_books(books, files[BOOKS])
    if (exchange := paper_exchange_file(home)).exists():
        files[EXCHANGE] = making / EXCHANGE
        copy_file(exchange, files[EXCHANGE])
    reached(COPIED)
    files.update(beside_the_books(home, with_secrets))
    packed, trial = making / "packed", making / "trial"
    parts = pack(packed, files)
    reached(PACKED)
    trial.mkdir(mode=0o700)
    unpack_parts(packed, parts, trial)
    seen = look_at(trial)
    manifest = Manifest(
        format=FORMAT,
        made_at=at.astimezone(UTC),
        home=home.name,
        schema=HEAD,
        audit_rows=seen.audit_rows,
        audit_head=seen.audit_head,
        connections=seen.connections,
        with_secrets=any(part.name == SECRETS for part in parts),
        parts=parts,
        found=seen.found,
    )
    digest = add_list(packed, manifest)
    if read_list(packed) != manifest:
        raise OSError(f"what was written to {making.parent} cannot be read back as it was")
    reached(TRIED)
    return manifest, digest


def _copy_books(books: Database, to: Path) -> None:
    if isinstance(books, SqliteFile):
        copy_file(books.path, to)
        return
    from data.engines.postgres import PostgresBooks
    from data.server.saving import save_books

    assert isinstance(books, PostgresBooks)
    save_books(books, to)


def _unused(folder: Path, at: datetime) -> Path:
    name = f"tradedesk-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    names = (folder / f"{name}{'' if number == 1 else f'-{number}'}.zip" for number in count(1))
    return next(path for path in names if not path.exists())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _why(problem: Exception) -> str:
    said = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
    return unwritable_words(said) or said
