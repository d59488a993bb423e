"""What is SQLite's own: connections, the write lock, notice of others' commits, looks at a whole file."""

import contextlib
import time
from collections.abc import Callable, Generator
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import LRUCache

from data.engines.driver import fetch, run
from data.engines.shared.gate import GateMode
from data.json_values import json_read
from data.urls import sqlite_url

T = TypeVar("T")

WALK_STEPS = 100_000
"""Steps of SQLite's machine between two looks whether a walk over the file is still wanted."""

LOCK_RETRY_S = 0.0005
"""How long the writer pauses between two tries for another's lock; SQLite's own back-off would starve it."""

COMPILED: dict[str, Any] = {"compiled_cache": LRUCache[Any, Any](500)}
"""Execution options of every engine: a statement is compiled once in a process, not once an engine."""

MOST_FAULTS = 20
"""Faults that a walk over the file names before it ends."""


class SqliteFile:
    """Books in a file."""

    many_write = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    def writer(self) -> Engine:
        """An engine whose one connection leaves transactions to us."""
        return writer_engine(self.path)

    def reader(self, size: int) -> AsyncEngine:
        """An engine of `size` connections for the event loop that only read."""
        return reader_engine(self.path, size)

    def shared_reader(self) -> Connection:
        """A read-only connection for short reads, on whichever thread has it in its turn."""
        return shared_reader(self.path)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do reading work on a read-only connection of its own, all of it as of one moment; it blocks."""
        return read_file(self.path, work)

    def begin(self, connection: Connection, patience_s: float, gate: GateMode = GateMode.ALONE) -> bool:
        """Begin a transaction of the only writer; returns whether that was had within so many seconds."""
        return take_write_lock(connection, patience_s)

    def version(self, connection: Connection) -> int:
        """A number that changes when another connection has committed."""
        return data_version(connection)

    def first_look(self, connection: Connection, patience_s: float, look: Callable[[], T]) -> T:
        """What a look returns; another's first connection may hold the file."""
        with waiting(connection, patience_s):
            return look()

    def clock_ahead_s(self, connection: Connection) -> float:
        """Nothing: a file is written by this machine's own clock."""
        return 0.0

    def why_unwritable(self, problem: DBAPIError) -> str:
        """Why the file can be written no more, and what helps; empty for a fault of any other kind."""
        return why_unwritable(problem)

    def first_damage(self, connection: Connection, unwanted: Callable[[], bool]) -> str:
        """What SQLite finds wrong first as it walks the file's pages; empty if nothing."""
        return first_damage(connection, unwanted)


def writer_engine(path: Path) -> Engine:
    """An engine whose one connection leaves transactions to us."""
    engine = create_engine(
        sqlite_url(path), poolclass=NullPool, isolation_level="AUTOCOMMIT", execution_options=COMPILED
    )
    event.listen(engine, "connect", writer_connected)
    return engine


def writer_connected(connection: Any, record: object) -> None:
    """Set the pragmas of the writer's connection."""
    for pragma in (
        "busy_timeout=2000",  # whoever closes the file last holds it alone for a moment
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-8000",
        "busy_timeout=0",
    ):
        try:
            connection.execute(f"PRAGMA {pragma}")
        except Exception:
            if pragma != "journal_mode=WAL":  # a read-only folder refuses it; the first write says so
                raise


def reader_engine(path: Path, size: int) -> AsyncEngine:
    """An engine of `size` connections for the event loop that only read."""
    engine = create_async_engine(
        sqlite_url(path, "sqlite+aiosqlite"),
        pool_size=size,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,  # a reading leaves nothing to roll back
        execution_options=COMPILED,
        json_deserializer=json_read,
    )
    event.listen(engine.sync_engine, "connect", _reader_connected)
    return engine


def read_file(path: Path, work: Callable[[Connection], T]) -> T:
    """Do reading work on a read-only connection of its own; it blocks. Raises what the work raised.

    All of it sees the file as of one moment, however others write meanwhile.
    """
    with _file_engine(path).connect() as connection:
        connection.exec_driver_sql("BEGIN")
        return work(connection)


@lru_cache(maxsize=8)
def _file_engine(path: Path) -> Engine:
    """The engine of `read_file`, which holds no connection between two looks."""
    engine = create_engine(sqlite_url(path), poolclass=NullPool, execution_options=COMPILED)
    event.listen(engine, "connect", _reader_connected)
    return engine


def shared_reader(path: Path) -> Connection:
    """A read-only connection for short reads, on whichever thread has it in its turn."""
    engine = create_engine(
        sqlite_url(path),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False},
        execution_options=COMPILED,
    )
    event.listen(engine, "connect", _reader_connected)
    return engine.connect()


def _reader_connected(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("busy_timeout=2000", "query_only=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def take_write_lock(connection: Connection, patience_s: float) -> bool:
    """Begin a transaction that may write; returns whether the lock was had within so many seconds."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            run(connection, "BEGIN IMMEDIATE")
            return True
        except OperationalError as problem:
            if "locked" not in str(problem.orig):
                raise
            if time.monotonic() > deadline:
                return False
            time.sleep(LOCK_RETRY_S)


@contextlib.contextmanager
def waiting(connection: Connection, patience_s: float) -> Generator[None]:
    """Have each statement within wait for another's lock, for so many seconds at most."""
    wait_for_locks(connection, patience_s)
    yield
    wait_for_locks(connection, 0)


def wait_for_locks(connection: Connection, patience_s: float) -> None:
    """Have each statement from here on wait for another's lock, for so many seconds at most."""
    connection.exec_driver_sql(f"PRAGMA busy_timeout={int(patience_s * 1000)}")


def bear_broken_references(connection: Connection) -> None:
    """Let what this connection writes refer to rows that are not there; before a transaction begins."""
    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")


def data_version(connection: Connection) -> int:
    """A number that changes when another connection has committed."""
    return int(fetch(connection, "PRAGMA data_version")[0][0])


_UNWRITABLE = {
    "is full": "the disk is full: free some space",
    "readonly database": "the home can only be read: let this user write there again",
    "disk I/O error": "the disk fails or is gone: look at it and its mount",
    "image is malformed": "the database is damaged: `tradedesk doctor` says where",
    "unable to open": "the database cannot be opened: is its disk there?",
}
"""By a mark in SQLite's words."""


def why_unwritable(problem: DBAPIError) -> str:
    """Why the file can be written no more, and what helps; empty for a fault of any other kind."""
    return unwritable_words(str(problem.orig))


def unwritable_words(said: str) -> str:
    """SQLite's words of a file that cannot be written as a trader reads them; empty for other words."""
    return next((words for mark, words in _UNWRITABLE.items() if mark in said), "")


# --- looks at a whole file ----------------------------------------------------------------------------------


def first_damage(connection: Connection, unwanted: Callable[[], bool]) -> str:
    """What SQLite finds wrong first as it walks the file's pages; empty if nothing.

    `unwanted` ends the walk. Raises `DBAPIError`.
    """
    driver = connection.connection.driver_connection
    assert driver is not None  # a connection that is open has one
    driver.set_progress_handler(unwanted, WALK_STEPS)
    found = [str(row[0]) for row in fetch(connection, "PRAGMA quick_check(1)")]
    return "" if found == ["ok"] else " ".join(found[0].split())


def integrity_faults(connection: Connection) -> list[str]:
    """What is damaged in the file, in SQLite's words; nothing where it is whole."""
    found = [str(row[0]) for row in fetch(connection, f"PRAGMA integrity_check({MOST_FAULTS})")]
    return [] if found == ["ok"] else found


def broken_references(connection: Connection) -> list[str]:
    """Rows that refer to rows which are not there, in words."""
    rows = fetch(connection, "PRAGMA foreign_key_check")
    return [f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there" for row in rows]
