"""What became of a command that the open app was asked for, and closing it, with only the books opened.

Of a file SQLite alone: whoever asks has lost the app, and nothing heavy may stand in the way of an answer.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from data.engines.at_rest import opened_to_write
from data.engines.dialect import or_update

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from data.engines.database import Database
    from data.writing.asked import Asked

BUSY_S = 10.0
"""How long another process's lock is waited for."""

DECISIVE = ("runs", "orders", "halts")
"""What a command that made it does nothing decisive beyond; a plan alone sends nothing."""


class AskedBefore(Struct, frozen=True):
    """A command that was asked for: what it `did` by kind and number, and with which code it ended.

    One that is `closed` had done nothing but this, and does nothing any more.
    """

    request_id: str
    command: str
    actor: str
    at: datetime | None
    did: dict[str, list[int]]
    exit_code: int | None
    ended_at: datetime | None
    closed: bool


def find_or_close(books: "Path | Database", request_id: str, now: datetime) -> AskedBefore:
    """What was done under an id. Where nothing decisive was and no end is told, it is closed for good.

    An app that thaws later cannot do it then. Raises `FileError` where the file cannot be written.
    """
    with _writing(books) as connection:
        connection.execute("BEGIN IMMEDIATE" if isinstance(books, Path) else "BEGIN")
        found = _row(connection, request_id)
        if found is None:
            connection.execute(
                "INSERT INTO asked_command (request_id, command, actor, owner, did, at, closed_at) "
                "VALUES (?, '', '', '', '{}', ?, ?)",
                (request_id, _text(now), _text(now)),
            )
        elif found.ended_at is None and not any(found.did.get(kind) for kind in DECISIVE):
            connection.execute(
                "UPDATE asked_command SET closed_at = coalesce(closed_at, ?) WHERE request_id = ?",
                (_text(now), request_id),
            )
        found = _row(connection, request_id)
        connection.execute("COMMIT")
    assert found is not None
    return found


def keep_end(books: "Path | Database", asked: "Asked", code: int, now: datetime) -> None:
    """Keep with which exit code a command ended, but under an id that was another's. Raises `FileError`."""
    with _writing(books) as connection:
        connection.execute(
            "INSERT INTO asked_command (request_id, command, actor, owner, did, exit_code, at, ended_at) "
            "VALUES (?, ?, ?, ?, '{}', ?, ?, ?) "
            + or_update("request_id", "exit_code = excluded.exit_code, ended_at = excluded.ended_at")
            + " WHERE asked_command.closed_at IS NULL AND asked_command.ended_at IS NULL"
            " AND asked_command.owner = excluded.owner",
            (asked.request_id, asked.command, asked.actor, asked.owner, code, _text(now), _text(now)),
        )


class _Runs(Protocol):
    """Runs a statement; its result has rows."""

    def execute(self, sql: str, cells: tuple[Any, ...] = (), /) -> Any: ...


@contextmanager
def _writing(books: "Path | Database") -> Generator[_Runs]:
    if isinstance(books, Path):
        with opened_to_write(books, BUSY_S) as file:
            yield file
        return
    engine = books.writer()
    try:
        with engine.connect() as connection:
            yield _OnServer(connection)
    finally:
        engine.dispose()


class _OnServer:
    """The same of a server, each statement committed by itself but for a `BEGIN`."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def execute(self, sql: str, cells: tuple[Any, ...] = (), /) -> Any:
        return self._connection.exec_driver_sql(sql, cells)


def _row(connection: _Runs, request_id: str) -> AskedBefore | None:
    row = connection.execute(
        "SELECT command, actor, at, did, exit_code, ended_at, closed_at FROM asked_command "
        "WHERE request_id = ?",
        (request_id,),
    ).fetchone()
    if row is None:
        return None
    command, actor, at, did, code, ended, closed = row
    return AskedBefore(
        request_id, command, actor, _moment(at), _object(did), code, _moment(ended), closed is not None
    )


def _text(at: datetime) -> str:
    """A time as the tables keep it: UTC without a zone."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _object(told: Any) -> dict[str, list[int]]:
    return json.loads(told) if isinstance(told, str) else told


def _moment(told: Any) -> datetime | None:
    return datetime.fromisoformat(told).replace(tzinfo=UTC) if isinstance(told, str) else told
