"""Books on a server: which one the settings name, and whether this program may open it."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import BadInput
from data.home import books_file
from tradedesk.compose.home import books_address

if TYPE_CHECKING:
    from sqlalchemy import URL

    from data.engines.postgres import PostgresBooks

FORM = "postgresql+psycopg://user:password@host/database"


def books_on_server(address: str) -> "PostgresBooks | None":
    """The database at an address, of this version; None for none, whose books are in the home.

    Nothing of PostgreSQL is imported before an address is given. Raises `BadInput`.
    """
    if not address:
        return None
    from sqlalchemy.exc import OperationalError

    from data.server.schema import check_ready

    books = server_at(address)
    try:
        check_ready(books)
    except OperationalError as problem:
        expected = f"the server does not answer so: {str(problem.orig).strip().splitlines()[0]}"
        raise BadInput("database_url", books.name, expected) from problem
    return books


def belong(books: "PostgresBooks", home: Path, by: str, now: datetime, shared: bool) -> None:
    """Have books on a server be this home's, or `shared` by several desks.

    Raises `BadInput` where they are another home's.
    """
    from data.server import belonging

    (belonging.share if shared else belonging.belong)(books, home, by, now)


def books_at(home: Path) -> "Path | PostgresBooks":
    """Where the books of a home stand: its own file, or the database that its settings name."""
    address = books_address(home)
    return server_at(address) if address else books_file(home)


def server_at(address: str) -> "PostgresBooks":
    """The database at an address, of whatever version. Raises `BadInput`."""
    url = _url(address)
    try:
        from data.engines.postgres import PostgresBooks
    except ImportError as problem:
        expected = "it takes psycopg: install tradedesk-workstation[firm]"
        raise BadInput("database_url", url.render_as_string(hide_password=True), expected) from problem
    return PostgresBooks(url)


def _url(address: str) -> "URL":
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(address)
    except ArgumentError as problem:
        raise BadInput("database_url", "", f"give {FORM}") from problem
    if url.drivername not in ("postgresql", "postgresql+psycopg") or not url.database:
        raise BadInput("database_url", url.render_as_string(hide_password=True), f"give {FORM}")
    return url
