"""Statements as text, run by the driver itself: SQLAlchemy's own work on each costs more than SQLite's.

What the driver raises becomes SQLAlchemy's error of the same name, and whoever listens to SQLAlchemy's
statements hears of these too, as if they had gone its own way.
"""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

Cells = Sequence[Any]
"""What goes into a statement's places, or what a row of its result holds."""


class HasConnection(Protocol):
    """A unit of work, as a statement needs it."""

    connection: Connection


On: TypeAlias = HasConnection | Connection
"""Where statements run: in a unit of work, or on a reader's connection."""


def sql(on: On) -> Connection:
    """The connection that statements run on."""
    return on if isinstance(on, Connection) else on.connection


def fetch(connection: Connection, sql: str, cells: Cells = ()) -> list[tuple[Any, ...]]:
    """Run a statement once; returns every row of its result. Raises `DBAPIError`."""
    cursor = _run(connection, sql, cells, many=False)
    try:
        return cast(list[tuple[Any, ...]], cursor.fetchall())
    except _errors(connection) as problem:  # a value that cannot be read
        raise _as_sqlalchemy(connection, sql, cells, problem) from problem


def run(connection: Connection, sql: str, cells: Cells = ()) -> int:
    """Run a statement that returns no rows; returns how many rows it changed. Raises `DBAPIError`."""
    return int(_run(connection, sql, cells, many=False).rowcount)


def run_many(connection: Connection, sql: str, rows: Sequence[Cells]) -> int:
    """Run it for each of many rows of cells; returns how many rows were changed in all.

    Raises `DBAPIError`.
    """
    return int(_run(connection, sql, rows, many=True).rowcount)


def _run(connection: Connection, sql: str, cells: Any, *, many: bool) -> Any:
    if not connection.in_transaction():
        connection.begin()  # as SQLAlchemy's own way does, so that a commit reaches what is run here
    cursor: Any = connection.connection.cursor()
    told: Any = connection.dispatch
    for hear in told.before_cursor_execute:
        sql, cells = hear(connection, cursor, sql, cells, None, many)
    try:
        if many:
            cursor.executemany(sql, cells)
        else:
            cursor.execute(sql, cells)
    except _errors(connection) as problem:
        raise _as_sqlalchemy(connection, sql, cells, problem) from problem
    for hear in told.after_cursor_execute:
        hear(connection, cursor, sql, cells, None, many)
    return cursor


def _errors(connection: Connection) -> type[Exception]:
    return cast(Any, connection.dialect).loaded_dbapi.Error


def _as_sqlalchemy(connection: Connection, sql: str, cells: Any, problem: Exception) -> Exception:
    return cast(Any, DBAPIError).instance(sql, cells, problem, _errors(connection))
