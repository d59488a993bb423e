"""Statements as text, run by the driver itself: SQLAlchemy's own work on each costs more than SQLite's.

What the driver raises becomes SQLAlchemy's error of the same name, and whoever listens to SQLAlchemy's
statements hears of these too, as if they had gone its own way.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_

from data.engines.dialect import Phrases, words_of

T = TypeVar("T")

Cells = Sequence[Any]
"""What goes into a statement's places, or what a row of its result holds."""

TOGETHER = 32
"""Rows that one INSERT takes. More of them make none cheaper."""


class HasConnection(Protocol):
    """A unit of work, as a statement needs it."""

    connection: Connection


On: TypeAlias = HasConnection | Connection
"""Where statements run: in a unit of work, or on a reader's connection."""


def sql(on: On) -> Connection:
    """The connection that statements run on."""
    return on if isinstance(on, Connection) else on.connection


def words(connection: Connection) -> Phrases:
    """How the engine of a connection says what another says otherwise."""
    return words_of(connection.dialect.name)


def fetch(connection: Connection, sql: str, cells: Cells = ()) -> list[tuple[Any, ...]]:
    """Run a statement once; returns every row of its result. Raises `DBAPIError`."""
    if connection.dialect.driver == "aiosqlite":
        return _run(connection, sql, cells, _in_one_go)
    cursor = _run(connection, sql, cells, _once)
    try:
        return cast(list[tuple[Any, ...]], cursor.fetchall())
    except _errors(connection) as problem:  # a value that cannot be read
        raise _as_sqlalchemy(connection, sql, cells, problem) from problem


def each(connection: Connection, sql: str, cells: Cells = ()) -> Iterator[tuple[Any, ...]]:
    """As `fetch`, a row at a time, for a result of many rows."""
    cursor = _run(connection, sql, cells, _once)
    try:
        yield from cursor
    except _errors(connection) as problem:
        raise _as_sqlalchemy(connection, sql, cells, problem) from problem


def run(connection: Connection, sql: str, cells: Cells = ()) -> int:
    """Run a statement that returns no rows; returns how many rows it changed. Raises `DBAPIError`."""
    return int(_run(connection, sql, cells, _once).rowcount)


def run_many(connection: Connection, sql: str, rows: Sequence[Cells], apart: bool = False) -> int:
    """Run it for each of many rows of cells; returns how many rows were changed in all.

    With `apart` no two rows of cells of an UPDATE name the same row, so that a server takes them at once.
    Raises `DBAPIError`.
    """
    if apart and _is_server(connection):
        return _run(connection, sql, rows, _by_columns)
    return int(_run(connection, sql, rows, _for_each).rowcount)


def insert_many(connection: Connection, sql: str, rows: Sequence[Cells]) -> None:
    """Run an INSERT of one row for each of many rows of cells, but many rows a statement.

    What it has behind VALUES are places and numbers. What a statement costs beside its row, with triggers
    as much as the row, is so spent once for many. Raises `DBAPIError`.
    """
    together = _by_columns if _is_server(connection) else partial(_together, _inserting_many)
    _run(connection, sql, rows, together)


def save_many(connection: Connection, sql: str, rows: Sequence[Cells]) -> int:
    """Run an UPDATE of one row for each of many rows of cells, but many rows a statement, as `insert_many`.

    Each of its values is a place, and no two rows of cells may name the same row. Returns how many rows were
    changed in all. Raises `DBAPIError`.
    """
    together = _by_columns if _is_server(connection) else partial(_together, _saving_many)
    return _run(connection, sql, rows, together)


def _is_server(connection: Connection) -> bool:
    return connection.dialect.name != "sqlite"


def _once(cursor: Any, sql: str, cells: Any) -> Any:
    cursor.execute(sql, cells)
    return cursor


def _in_one_go(reader: Any, sql: str, cells: Any) -> list[tuple[Any, ...]]:
    """Run it on the thread of an event loop's reader, which is asked once and not once a step of a cursor."""
    return await_(reader.execute_fetchall(sql, cells))


def _for_each(cursor: Any, sql: str, rows: Any) -> Any:
    cursor.executemany(sql, rows)
    return cursor


def _by_columns(cursor: Any, sql: str, rows: Any) -> int:
    from data.engines.columnwise import run_together

    return run_together(cursor, sql, rows)


def _together(of_many: Callable[[str], str], cursor: Any, sql: str, rows: Any) -> int:
    """Run it for many rows a statement, and for each of the rest; returns how many rows were changed."""
    changed, whole = 0, len(rows) - len(rows) % TOGETHER
    for start in range(0, whole, TOGETHER):
        cursor.execute(of_many(sql), list(chain.from_iterable(rows[start : start + TOGETHER])))
        changed += cursor.rowcount
    if whole < len(rows):
        cursor.executemany(sql, rows[whole:])
        changed += cursor.rowcount
    return changed


@lru_cache(maxsize=256)
def _inserting_many(sql: str) -> str:
    """An INSERT of one row as one of many."""
    head, _, rest = sql.partition(" VALUES ")
    row, _, tail = rest.partition(")")
    return f"{head} VALUES {', '.join([row + ')'] * TOGETHER)}{tail}"


@lru_cache(maxsize=256)
def _saving_many(sql: str) -> str:
    """An UPDATE of one row as one of many."""
    head, _, where = _numbered(sql).partition(" WHERE ")
    row = f"({', '.join('?' * sql.count('?'))})"
    return f"{head} FROM (VALUES {', '.join([row] * TOGETHER)}) AS given WHERE {where}"


def _numbered(sql: str) -> str:
    """A statement with the columns of `given` for its places."""
    first, *parts = sql.split("?")
    return first + "".join(f"given.column{place}{part}" for place, part in enumerate(parts, 1))


def _run(connection: Connection, sql: str, cells: Any, execute: Callable[[Any, str, Any], T]) -> T:
    if not connection.in_transaction():
        connection.begin()  # as SQLAlchemy's own way does, so that a commit reaches what is run here
    many = execute is not _once and execute is not _in_one_go
    opened = connection.connection
    cursor: Any = opened.driver_connection if execute is _in_one_go else opened.cursor()
    told: Any = connection.dispatch
    for hear in told.before_cursor_execute:
        sql, cells = hear(connection, cursor, sql, cells, None, many)
    try:
        made = execute(cursor, sql, cells)
    except _errors(connection) as problem:
        raise _as_sqlalchemy(connection, sql, cells, problem) from problem
    for hear in told.after_cursor_execute:
        hear(connection, cursor, sql, cells, None, many)
    return made


def _errors(connection: Connection) -> type[Exception]:
    return cast(Any, connection.dialect).loaded_dbapi.Error


def _as_sqlalchemy(connection: Connection, sql: str, cells: Any, problem: Exception) -> Exception:
    return cast(Any, DBAPIError).instance(sql, cells, problem, _errors(connection))
