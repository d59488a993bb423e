"""Files at rest, opened by SQLite's own driver: no desk is needed for that, and nothing else is imported."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copyfile
from typing import TypeAlias

WAIT_S = 5.0
"""How long another process's lock is waited for, in seconds."""

FileAtRest: TypeAlias = sqlite3.Connection
"""A file that is open with no desk around it."""

FileError = sqlite3.Error
"""What SQLite cannot do with a file, in its own words."""

FileDamaged = sqlite3.DatabaseError
"""A file that holds what it must not. `FileBusy` is one of these, and is looked for before it."""

FileBusy = sqlite3.OperationalError
"""A file that is locked, full, read-only, not there or without a table, whatever it holds."""


def opened(file: Path) -> "closing[FileAtRest]":
    """A file with the driver's own transactions; one that is not there is made. Raises `FileError`."""
    return closing(sqlite3.connect(file, timeout=WAIT_S))


def opened_to_write(file: Path, wait_s: float) -> "closing[FileAtRest]":
    """A file that is there, each statement committed by itself but for a `BEGIN`. Raises `FileError`.

    Each waits for another's lock so many seconds at most.
    """
    return closing(sqlite3.connect(f"{_uri(file)}?mode=rw", uri=True, timeout=wait_s, isolation_level=None))


def opened_to_look(file: Path) -> "closing[FileAtRest]":
    """A file that is there and is only read. Raises `FileError`."""
    return closing(sqlite3.connect(f"{_uri(file)}?mode=ro", uri=True))


def opened_to_follow(file: Path) -> "closing[FileAtRest]":
    """A file that is there and is only read, as it stands at each statement. Raises `FileError`."""
    connection = sqlite3.connect(f"{_uri(file)}?mode=rw", uri=True, timeout=WAIT_S, isolation_level=None)
    connection.execute("PRAGMA query_only=ON")
    return closing(connection)


@contextmanager
def of_one_moment(connection: FileAtRest) -> Generator[None]:
    """All that is read within sees the file as of one moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def as_of_one_moment(file: Path) -> "closing[FileAtRest]":
    """A connection that only reads; all of it sees the file as of one moment. Raises `FileError`."""
    connection = sqlite3.connect(f"{_uri(file)}?mode=rw", uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only=ON")
    connection.execute("BEGIN")
    return closing(connection)


def scratch() -> "closing[FileAtRest]":
    """A database of its own that is gone when it is closed; SQLite puts on disk what is too much of it."""
    return closing(sqlite3.connect("", isolation_level=None))


def copy_file(file: Path, to: Path) -> None:
    """Copy a file whole, as of one moment, for this user alone. Raises `OSError`, `FileError`."""
    os.close(os.open(to, os.O_CREAT | os.O_RDWR, 0o600))
    with opened(file) as source, opened(to) as target:
        source.backup(target)


def first_fault(file: Path) -> str:
    """What is damaged in a file, in SQLite's words; empty where it is whole. Raises `FileError`."""
    with opened(file) as found:
        words = str(found.execute("PRAGMA integrity_check(1)").fetchone()[0])
    return "" if words == "ok" else words


def copy_unwritable_file(file: Path, to: Path) -> None:
    """`copy_file` of a file in a folder that takes nothing more, such as one of a read-only file system.

    SQLite opens no file there without those that it keeps beside it. Nobody writes where they are missing, so
    that the bytes are then copied as they lie, with what was committed but not yet moved into the file.
    Raises `OSError`, `FileError`.
    """
    try:
        copy_file(file, to)
    except FileBusy:
        for part in ("", "-wal"):
            lies = file.with_name(f"{file.name}{part}")
            if lies.exists():
                copyfile(lies, to.with_name(f"{to.name}{part}"))


def _uri(file: Path) -> str:
    return file.absolute().as_uri()
