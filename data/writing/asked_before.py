"""What became of a command that the open app was asked for, and closing it, with nothing opened but the file.

SQLite alone: whoever asks has lost the app, and nothing heavy may stand in the way of an answer.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from data.engines.at_rest import FileAtRest, opened_to_write
from data.engines.dialect import or_update

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


def find_or_close(books: Path, request_id: str, now: datetime) -> AskedBefore:
    """What was done under an id. Where nothing decisive was and no end is told, it is closed for good.

    An app that thaws later cannot do it then. Raises `FileError` where the file cannot be written.
    """
    with opened_to_write(books, BUSY_S) as connection:
        connection.execute("BEGIN IMMEDIATE")
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


def keep_end(books: Path, request_id: str, command: str, actor: str, code: int, now: datetime) -> None:
    """Keep with which exit code a command ended. Raises `FileError`."""
    with opened_to_write(books, BUSY_S) as connection:
        connection.execute(
            "INSERT INTO asked_command (request_id, command, actor, owner, did, exit_code, at, ended_at) "
            "VALUES (?, ?, ?, '', '{}', ?, ?, ?) "
            + or_update("request_id", "exit_code = excluded.exit_code, ended_at = excluded.ended_at")
            + " WHERE closed_at IS NULL AND ended_at IS NULL",
            (request_id, command, actor, code, _text(now), _text(now)),
        )


def _row(connection: FileAtRest, request_id: str) -> AskedBefore | None:
    row = connection.execute(
        "SELECT command, actor, at, did, exit_code, ended_at, closed_at FROM asked_command "
        "WHERE request_id = ?",
        (request_id,),
    ).fetchone()
    if row is None:
        return None
    command, actor, at, did, code, ended, closed = row
    return AskedBefore(
        request_id, command, actor, _moment(at), json.loads(did), code, _moment(ended), closed is not None
    )


def _text(at: datetime) -> str:
    """A time as the tables keep it: UTC without a zone."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
