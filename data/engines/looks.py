"""Looks at how books lie where they stand, whichever engine that is."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from data.engines import sqlite
from data.engines.driver import fetch, run

_UNHELD = (
    "SELECT conrelid::regclass::text, conname FROM pg_constraint"
    " WHERE contype = 'f' AND NOT convalidated ORDER BY 1, 2"
)


def integrity_faults(connection: Connection) -> list[str]:
    """What is damaged in the file, in the engine's words; nothing where it is whole.

    A server looks at its own pages by their checksums, whenever it reads them.
    """
    return sqlite.integrity_faults(connection) if connection.dialect.name == "sqlite" else []


def broken_references(connection: Connection) -> list[str]:
    """Rows that refer to rows which are not there, or keys by which a server would not know, in words."""
    if connection.dialect.name == "sqlite":
        return sqlite.broken_references(connection)
    return [f"the key {name} of {table} is not held" for table, name in fetch(connection, _UNHELD)]


def server_bytes(connection: Connection) -> int:
    """How large a server's database is; 0 of a file, whose size its folder tells."""
    if connection.dialect.name == "sqlite":
        return 0
    return int(fetch(connection, "SELECT pg_database_size(current_database())")[0][0])


@contextmanager
def apart(connection: Connection) -> Generator[None]:
    """A look that may fail and leaves its transaction to the next: a server would end that with it."""
    if connection.dialect.name == "sqlite":
        yield
        return
    run(connection, "SAVEPOINT look")
    try:
        yield
    except DBAPIError:
        run(connection, "ROLLBACK TO look")
        raise
    run(connection, "RELEASE look")
