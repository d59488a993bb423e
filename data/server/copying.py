"""The books of a home copied to a server, whole or not at all: every cell as it was, told by its hash."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import Boolean, Connection, Table
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from data.engines.at_rest import opened_to_look
from data.engines.driver import fetch, words
from data.engines.postgres import DriverError, PostgresBooks
from data.engines.sqlite import SqliteFile
from data.errors import BadInput
from data.migrating import who_lives
from data.proving.proofs import blobs, keys_of
from data.schema import HEAD, newer_version
from data.writing.audit_writer import last_row
from data.writing.writer import take_turn

Check = Callable[[Connection], Sequence[str]]
"""What is wrong with books, in words."""

CHUNK = 5_000
"""Rows that are read and sent at a time."""


class Copied(Struct, frozen=True):
    """What was copied: rows by table, and the number and hash of the audit's newest row."""

    rows: dict[str, int]
    audit_rows: int
    audit_head: str


def copy_books(file: Path, books: PostgresBooks, check: Check) -> Copied:
    """Copy the books of a file at rest to an empty database of this version, in one transaction.

    Both are held to `check`, and to each other by a hash of every cell, before anything is kept. Raises
    `BadInput` where the file is not sound or not of this version, the database not empty, or a row is none
    that a server takes.
    """
    if not file.exists():
        raise BadInput("database", str(file), "there are no books in this home to copy")
    with opened_to_look(file) as standing:
        if who := who_lives(file, standing):
            raise BadInput("home", str(file.parent), f"{who} at work on its books: end that first")
    source = SqliteFile(file)
    reading, writing = source.writer(), books.patient_writer()
    try:
        with closing(reading.connect()) as here, closing(writing.connect()) as there:
            take_turn(source, here)  # nobody writes meanwhile
            _check_source(file, here, check)
            take_turn(books, there)
            _check_empty(books, there)
            copied = _copied(here, there, books)
            if found := check(there):
                raise _not_sound(books.name, found)
            there.exec_driver_sql("COMMIT")
            return copied
    except DBAPIError as problem:
        raise BadInput("database_url", books.name, f"nothing was copied: {problem.orig}") from problem
    finally:
        reading.dispose()
        writing.dispose()


def _check_source(file: Path, here: Connection, check: Check) -> None:
    stamp = here.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if stamp != HEAD:
        newer = newer_version(here) is not None
        does = "install the version that wrote it" if newer else "open the home once, which brings it to that"
        raise BadInput("database", str(file), f"it is of version {stamp}, this program of {HEAD}: {does}")
    if found := check(here):
        raise _not_sound(str(file), found)


def _check_empty(books: PostgresBooks, there: Connection) -> None:
    for table in SQLModel.metadata.sorted_tables:
        if table.name not in OF_MIGRATIONS and fetch(there, f"SELECT 1 FROM {table.name} LIMIT 1"):
            expected = f"its table {table.name} has rows already: give an empty database. Nothing was changed"
            raise BadInput("database_url", books.name, expected)


OF_MIGRATIONS = ("audit_head", "counter")
"""Tables in which migrations leave rows; the file's own take their place."""


def _not_sound(where: str, found: Sequence[str]) -> BadInput:
    expected = f"the books are not sound, and nothing was copied: {found[0]}; `tradedesk doctor` says more"
    return BadInput("database", where, expected)


def _copied(here: Connection, there: Connection, books: PostgresBooks) -> Copied:
    rows = dict[str, int]()
    for name in OF_MIGRATIONS:
        there.exec_driver_sql(f"DELETE FROM {name}")
    for table in SQLModel.metadata.sorted_tables:
        try:
            rows[table.name] = _copy_table(here, there, table)
        except DriverError as problem:
            expected = f"a row of {table.name} is none that a server takes ({problem}); nothing was copied"
            raise BadInput("database", table.name, expected) from problem
    for name in rows:
        if digest_of(here, name) != digest_of(there, name):
            expected = f"what was copied of {name} is not what the file has; nothing was kept"
            raise BadInput("database_url", books.name, expected)
    head = last_row(there)
    return Copied({name: count for name, count in rows.items() if count}, head.seq, head.hash)


def _copy_table(here: Connection, there: Connection, table: Table) -> int:
    names = [column.name for column in table.columns]
    truths = [place for place, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
    quoted = ", ".join(f'"{name}"' for name in names)
    own: Any = there.connection.driver_connection
    count = 0
    with own.cursor() as cursor, cursor.copy(f"COPY {table.name} ({quoted}) FROM STDIN") as copy:
        for row in rows_of(here, f"SELECT {quoted} FROM {table.name}"):
            cells = list(row)
            for place in truths:
                cells[place] = None if cells[place] is None else bool(cells[place])
            copy.write_row(cells)
            count += 1
    return count


def digest_of(connection: Connection, name: str) -> str:
    """A hash of every cell of a table, in the order of its key; the same wherever it stands."""
    columns = [column.name for column in SQLModel.metadata.tables[name].columns]
    order = ", ".join(f'"{key}"' for key in keys_of(name))
    digest = hashlib.sha256()
    cells = blobs(name, columns, words(connection))
    for row in rows_of(connection, f"SELECT {cells} FROM {name} ORDER BY {order}"):
        for cell in row:
            digest.update(b"\xff" if cell is None else cell)
            digest.update(b"\x1f")
        digest.update(b"\x1e")
    return digest.hexdigest()


def rows_of(connection: Connection, query: str) -> Iterator[Sequence[Any]]:
    """Rows of a query, a few of them in memory at a time."""
    result = connection.exec_driver_sql(query, execution_options={"stream_results": True})
    yield from result.yield_per(CHUNK)
