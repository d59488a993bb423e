"""The connections of a home as stored, and who of its clients each carries."""

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import select, update

from data.audit import AuditAction
from data.engines.at_rest import FileError, opened, opened_to_look
from data.engines.catalog import has_table
from data.engines.database import Database
from data.engines.dialect import POSTGRES, SQLITE
from data.engines.driver import fetch
from data.errors import BadInput, quoted
from data.repositories.base import Change, On, Query, Rows, given
from data.repositories.meta import LIVE_BESIDE
from data.tables.books import Client, ConnectionRecord, HoldingRecord
from data.tables.columns import table
from data.tables.orders import Order
from data.vocabulary import ConnectionKind


class ConnectionRow(Struct, frozen=True):
    """A way to a venue: its name in the home, the word of its adapter, where it leads, and to whom."""

    name: str
    kind: ConnectionKind
    broker: str
    address: str = ""
    identity: str = ""


_CONNECTIONS = Rows(ConnectionRecord, ConnectionRow)
_EVERY = _CONNECTIONS.query(order_by=[_CONNECTIONS.c.name])
_CARRIED = Change(
    update(table(Client))
    .where(table(Client).c.id == given("client"))
    .values(connection=given("name"), updated_at=given("at"))
)
_ORDERED, _HELD = (
    Query(int, select(of.c.client_id).where(of.c.client_id == given("client")).limit(1))
    for of in (table(Order), table(HoldingRecord))
)


def every_connection(on: On) -> list[ConnectionRow]:
    """All connections, by name."""
    return _EVERY.all(on)


def connections_in(books: Path | Database) -> list[ConnectionRow]:
    """The same, of books that no desk has open here. Raises `FileError`, of a server's `DatabaseError`.

    What cannot be read stands as empty text, an unknown kind for the most dangerous; a row that does not say
    which adapter it is for is left out, since an emergency has to go on without it.
    """
    kinds = {kind.value: kind for kind in ConnectionKind}
    return [
        ConnectionRow(name or "", kinds.get(kind or "", ConnectionKind.LIVE), broker, address or "", to or "")
        for name, kind, broker, address, to in _cells_in(books)
        if broker
    ]


def check_words(books: Path | Database, brokers: Collection[str]) -> None:
    """Raise `BadInput` for a row whose kind, or whose adapter's word, is none that this program writes.

    A value that cannot be read is left to the look at values, beside which a desk opens for cancels.
    """
    kinds = [kind.value for kind in ConnectionKind]
    for name, kind, broker, _, _ in _cells_in(books):
        for column, word, known in (("kind", kind, kinds), ("broker", broker, brokers)):
            if word is not None and word not in known:
                expected = (
                    f"the {column} of its connection {name!r} is {quoted(word)}, none of {', '.join(known)}: "
                    "that row was changed by hand, or by a newer version of tradedesk. "
                    f"Put the word back that stood there, or a copy of {books.name}"
                )
                where = str(books) if isinstance(books, Path) else books.name
                raise BadInput("database", where, expected)


def kite_before_connections(database: Path) -> str | None:
    """Address of the Kite that a file belongs to which has no table of connections yet; else None."""
    with suppress(FileError), opened_to_look(database) as file:
        if not has_table(file.execute, "connection"):
            row = file.execute("SELECT value FROM meta WHERE name = 'kite'").fetchone()
            return None if row is None else str(row[0])
    return None


def let_stand_together(books: Path | Database) -> str:
    """The connections that the trader let stand together though one is live, as they stood then.

    Empty where not both a fact of the home and the newest such row of its audit say the same.
    """
    fact = _read(books, "SELECT value FROM meta WHERE name = ?", (LIVE_BESIDE,))
    query = "SELECT details FROM audit WHERE action = ? ORDER BY seq DESC LIMIT 1"
    told = _read(books, query, (AuditAction.LIVE_BESIDE_ALLOWED.value,))
    if not fact or not told:
        return ""
    ((value,), *_), ((details,), *_) = fact, told
    try:
        audited = json.loads(details)["connections"]
    except (ValueError, LookupError, TypeError):  # another is written there, and the doctor finds it
        return ""
    return value if value == audited else ""


def _cells_in(books: Path | Database) -> list[list[str | None]]:
    words = SQLITE if isinstance(books, Path) else POSTGRES
    cells = ", ".join(map(words.bytes_of, _CONNECTIONS.fields))
    return [list(map(_text, row)) for row in _read(books, f"SELECT {cells} FROM connection ORDER BY name")]


def _read(books: Path | Database, query: str, cells: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(books, Path):
        return books.read(lambda connection: fetch(connection, query, cells))
    with opened(books) as connection:
        return connection.execute(query, cells).fetchall()


def _text(cell: bytes | None) -> str | None:
    try:
        return (cell or b"").decode()
    except UnicodeDecodeError:
        return None


def add_connections(on: On, rows: Sequence[ConnectionRow]) -> None:
    """Keep connections that are not there yet."""
    _CONNECTIONS.insert(on, rows)


def save_identity(on: On, row: ConnectionRow) -> None:
    """Keep what the venue of a connection is known again by."""
    _CONNECTIONS.save(on, [row], "identity")


def has_traded(on: On, client_id: int) -> bool:
    """Whether a client ever had an order or a share here."""
    return any(query.first(on, client=client_id) is not None for query in (_ORDERED, _HELD))


def set_carrier(on: On, client_id: int, name: str, at: datetime) -> None:
    """Keep by which connection a client trades from now on."""
    _CARRIED.run(on, client=client_id, name=name, at=at)
