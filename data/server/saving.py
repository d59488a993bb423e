"""The books of a server saved to a file: what a backup of them is, whole and as of one moment."""

from contextlib import closing
from itertools import islice
from pathlib import Path

from sqlalchemy import BigInteger, Boolean, Connection, Integer, Table
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from data.engines.driver import run_many, words
from data.engines.postgres import PostgresBooks
from data.engines.sqlite import SqliteFile
from data.errors import BadInput
from data.migrating import prepare
from data.proving.proofs import blobs
from data.server.copying import CHUNK, OF_MIGRATIONS, digest_of, rows_of
from data.writing.writer import take_turn


def save_books(books: PostgresBooks, file: Path) -> None:
    """Write a server's books of this version to a file that is not there yet; who writes there does not wait.

    Raises `BadInput` where a cell of the file is not what the server has, which a hash of all of them tells,
    and where either fails.
    """
    prepare(file)
    target = SqliteFile(file)
    engine = target.writer()
    try:
        with closing(engine.connect()) as there:
            take_turn(target, there)
            books.read(lambda here: _save(here, there))
            there.exec_driver_sql("COMMIT")
    except DBAPIError as problem:
        raise BadInput(
            "database_url", books.name, f"its books could not be saved: {problem.orig}"
        ) from problem
    finally:
        engine.dispose()


def _save(here: Connection, there: Connection) -> None:
    for name in OF_MIGRATIONS:
        there.exec_driver_sql(f"DELETE FROM {name}")
    for table in SQLModel.metadata.sorted_tables:
        _save_table(here, there, table)
        if digest_of(here, table.name) != digest_of(there, table.name):
            raise BadInput("database_url", table.name, "what was saved is not what the server has; try again")


def _save_table(here: Connection, there: Connection, table: Table) -> None:
    """Every cell by the bytes that a file keeps of it."""
    columns = [column.name for column in table.columns]
    whole = (Integer, BigInteger, Boolean)
    cells = ["INTEGER" if isinstance(column.type, whole) else "TEXT" for column in table.columns]
    places = ", ".join(f"CAST(? AS {kind})" for kind in cells)
    quoted = ", ".join(f'"{name}"' for name in columns)
    insert = f"INSERT INTO {table.name} ({quoted}) VALUES ({places})"
    rows = rows_of(here, f"SELECT {blobs(table.name, columns, words(here))} FROM {table.name}")
    while some := [tuple(row) for row in islice(rows, CHUNK)]:
        run_many(there, insert, some)
