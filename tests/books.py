"""Empty books, made and migrated once in a process and given to each test's home.

They are a file in it, or a database of the run's PostgreSQL where `standing_on` says so.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, Engine, event

from data import migrating
from data.engines.database import Database
from data.engines.driver import fetch, run
from data.engines.sqlite import SqliteFile
from data.home import books_file, books_id_file
from data.migrating import prepare
from data.server.books_place import BooksFile

T = TypeVar("T")

SQLITE, POSTGRES = "sqlite", "postgres"
ENGINES = (SQLITE, POSTGRES)

_standing = [SQLITE]
_addresses: dict[Path, str] = {}
"""Of books on the server, by the home that they are of."""
_own: set[Path] = set()
"""Homes whose books stand on a server that is a test's own."""


@contextmanager
def standing_on(engine: str) -> Iterator[None]:
    """While it is open, homes get their books on this engine; those on a server are gone afterwards."""
    before = set(_addresses)
    _standing.append(engine)
    try:
        yield
    finally:
        _standing.pop()
        for home in _addresses.keys() - before:
            address = _addresses.pop(home)
            if home not in _own:
                _drop(address)
            _own.discard(home)


def engine_now() -> str:
    """The engine on which books stand."""
    return _standing[-1]


def database_url(home: Path) -> str:
    """What the settings of a home name: nothing for a file."""
    if engine_now() == SQLITE:
        return ""
    if home not in _addresses:
        from tests.postgres import fresh_books

        _addresses[home] = fresh_books().render_as_string(hide_password=False)
    return _addresses[home]


def stand_at(home: Path, address: str) -> None:
    """Have the books of a home stand at an address of the test's own."""
    _addresses[home] = address
    _own.add(home)


@contextmanager
def found_by_programs(home: Path) -> Iterator[None]:
    """While it is open, what loads a home's settings itself finds its books where they stand."""
    with pytest.MonkeyPatch.context() as patch:
        if address := database_url(home):
            patch.setenv("TRADEDESK_DATABASE_URL", address)
        yield


def database_of(home: Path) -> Database:
    """Where the books of a home stand."""
    if engine_now() == SQLITE:
        return SqliteFile(books_file(home))
    from tradedesk.compose.server import server_at

    return server_at(database_url(home))


def read_books(file: Path, work: Callable[[Connection], T]) -> T:
    """Do reading work on the books of a closed home, whose file this would be."""
    return database_of(file.parent).read(work)


def rows_of(home: Path, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in the books of a home, whoever has them open."""
    return database_of(home).read(lambda connection: fetch(connection, query))


def change_by_hand(home: Path, statement: str) -> None:
    """Change the books of a home as no program of ours does."""
    with database_of(home).writer().connect() as connection:
        run(connection, "BEGIN")
        run(connection, statement)
        run(connection, "COMMIT")


def books_of(home: Path) -> BooksFile:
    """The same as a foundation takes them."""
    database = database_of(home)
    server = None if isinstance(database, SqliteFile) else database
    return BooksFile(books_file(home), server=server)


_full: set[Engine] = set()


def full_server(writer: Engine, full: bool) -> None:
    """Have a server's disk take nothing more from a writer, or take it again."""
    if not event.contains(Engine, "before_cursor_execute", _refuse_where_full):
        event.listen(Engine, "before_cursor_execute", _refuse_where_full, retval=True)
    (_full.add if full else _full.discard)(writer)


def _refuse_where_full(
    connection: Connection, cursor: object, sql: str, cells: Any, context: object, many: bool
) -> tuple[str, Any]:
    writes = sql.lstrip().startswith(("INSERT", "UPDATE", "DELETE"))
    if not writes or connection.engine not in _full:
        return sql, cells
    refusing = "DO $$BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'; END$$"
    return refusing, [()] if many else ()


def drop_trigger(table: str, verb: str) -> str:
    """What takes from a table the trigger that keeps it append-only, as a tamperer would."""
    name = f"{table}_no_{verb.lower()}"
    return f"DROP TRIGGER {name}" if engine_now() == SQLITE else f"DROP TRIGGER {name} ON {table}"


def copy_on_server(home: Path, other: Path) -> None:
    """Give another home a copy of the books of one that nobody has open, as if its folder had been copied.

    Books that it had are gone.
    """
    from sqlalchemy import make_url

    from tests.postgres import copy_of_books

    before = _addresses.get(other)
    _addresses[other] = copy_of_books(make_url(_addresses[home])).render_as_string(hide_password=False)
    if before is not None:
        _drop(before)
    shutil.copy(books_id_file(home), books_id_file(other))


@contextmanager
def copied_home(home: Path, other: Path) -> Iterator[Path]:
    """A copy of a home that nobody has open, with its books, which programs find while it is open."""
    shutil.copytree(home, other)
    if engine_now() != SQLITE:
        copy_on_server(home, other)
    with found_by_programs(other):
        yield other


def stand_on(engine: str) -> None:
    """Have homes get their books on this engine from here on, where nothing says otherwise."""
    _standing[0] = engine


def _drop(address: str) -> None:
    from sqlalchemy import make_url

    from tests.postgres import drop_books

    drop_books(make_url(address))


@cache
def _template() -> bytes:
    with TemporaryDirectory(prefix="books-") as folder:
        books = books_file(Path(folder))
        prepare(books)
        return books.read_bytes()


@contextmanager
def new_books_copied() -> Iterator[None]:
    """While it is open, a program of this process that finds no books gets a copy of empty ones.

    Every migration would run for each new home; `tests/data` runs them.
    """
    upgrade = migrating.upgrade_file

    def copied(path: Path, revision: str | None, *others: Any, **named: Any) -> None:
        if revision is None and path.stat().st_size == 0:
            path.write_bytes(_template())
        else:
            upgrade(path, revision, *others, **named)

    _template()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrating, "upgrade_file", copied)
        yield


def empty_books(home: Path) -> Path:
    """Give `home` empty books of this version, unless it has some; as `prepare` makes them, only faster."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if engine_now() != SQLITE:
        database_url(home)
        return home
    books = books_file(home)
    if not books.exists():
        books.touch(0o600)
        books.write_bytes(_template())
    return home
