"""Changing a home's database as no tradedesk does."""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Integer, UniqueConstraint

from data.proving.readable import WORDS
from data.tables.columns import UtcDateTime
from tests.books import SQLITE, copy_on_server, database_of, engine_now

FIT = (
    "UPDATE audit_head SET seq = (SELECT coalesce(max(seq), 0) FROM audit), hash = coalesce((SELECT hash"
    " FROM audit ORDER BY seq DESC LIMIT 1), '" + "0" * 64 + "') WHERE name = 'written'"
)
"""What a tamperer does who knows of the head that is kept beside the audit."""

UNMARK = "UPDATE audit_head SET seq = 0 WHERE name = 'verified'"


def copy_of(database: Path, folder: Path) -> Path:
    """A copy of a closed home's database in another home; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    if engine_now() == SQLITE:
        shutil.copy(database, folder / "desk.db")
    else:
        copy_on_server(database.parent, folder)
    return folder / "desk.db"


def tamper(database: Path, *statements: str | tuple[str, Iterable[Any]]) -> None:
    """Change the file, and leave the triggers of what is changed standing as they were.

    Books on a server are those of the home that the file would be in.
    """
    changes = [(one, ()) if isinstance(one, str) else one for one in statements]
    if engine_now() != SQLITE:
        _tamper_on_server(database.parent, changes)
        return
    named = {word for words, _ in changes for word in re.findall(r"\w+", words)}
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        found = connection.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = [(name, words) for name, table, words in found.fetchall() if table in named]
        connection.execute("BEGIN")
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for words, values in changes:
            connection.execute(words, tuple(values))
        for _, words in triggers:
            connection.execute(words)
        connection.execute("COMMIT")


def _tamper_on_server(home: Path, changes: Iterable[tuple[str, Iterable[Any]]]) -> None:
    books = database_of(home)
    engine = books.writer()
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no trigger stirs
            for words, values in changes:
                connection.exec_driver_sql(words, tuple(values))
            connection.exec_driver_sql("COMMIT")
    finally:
        engine.dispose()


def changed(column: Column[Any], stored: Any) -> Any:
    """Another value of the same kind, that can be read as well as the one before."""
    words = WORDS.get((column.table.name, column.name))
    if words is not None:
        return next(word.value for word in words[0] if word.value != stored)
    if stored is None:
        given = {Integer: 7, UtcDateTime: "2026-11-18 03:45:00.000000", Date: "2026-11-18", JSON: "{}"}
        return next((value for kind, value in given.items() if isinstance(column.type, kind)), "other")
    match column.type:
        case Boolean():
            return 1 - stored
        case Integer():
            return stored + (1_000_000 if _of_a_key(column) else 1)  # another key must be free
        case UtcDateTime():
            later = datetime.fromisoformat(stored) + timedelta(microseconds=1)
            return later.isoformat(" ", "microseconds")
        case Date():
            return (date.fromisoformat(stored) + timedelta(days=400)).isoformat()
        case JSON():
            return json.dumps([json.loads(stored)])
        case _:
            return f"{stored}."


def _of_a_key(column: Column[Any]) -> bool:
    unique = [one for one in column.table.constraints if isinstance(one, UniqueConstraint)]
    return bool(column.primary_key or column.unique or any(column.name in one.columns for one in unique))
