"""Bringing a database file to this version's schema, and refusing one from a newer version."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from data.locks import HeldLock
from data.money import BadInput
from data.store import StoreBusy, begin_immediate, writer_engine
from data.tables import APPEND_ONLY

HEAD = "0014"
"""The newest migration; a test holds it to the scripts."""


def prepare(path: Path) -> None:
    """Create or upgrade the database at `path`; a folder made for it is 0700, the file 0600.

    Raises `BadInput` for a read-only folder, a file that is no database, or one from a newer version.
    """
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with suppress(PermissionError):  # another's file that this user may write to
            path.chmod(0o600)
        with path.open("r+b"):
            pass
        if not os.access(folder, os.W_OK):
            raise PermissionError("not writable")
    except OSError as problem:
        raise BadInput(
            "home", str(folder), f"give a folder that this user can write to ({problem.strerror or problem})"
        ) from problem
    if _revision(path) == HEAD:
        return
    lock = HeldLock(folder / "locks" / "schema.lock")
    lock.take(wait=True)  # two programs may start on an empty home at once
    try:
        if (revision := _revision(path)) != HEAD:
            _bring_to_head(path, revision)
    finally:
        lock.free()


def _bring_to_head(path: Path, revision: str | None) -> None:
    engine = writer_engine(path)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(
                "PRAGMA foreign_keys=OFF"
            )  # a table may be made anew under its referrers
            begin_immediate(connection)
            connection.exec_driver_sql("PRAGMA busy_timeout=5000")  # others may look while this commits
            _upgrade(connection, path, revision)
            add_triggers(connection)
            astray = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if astray is not None:
                raise BadInput(
                    "database",
                    str(path),
                    f"a row of {astray[0]} refers to none of {astray[2]}; nothing was changed",
                )
            connection.exec_driver_sql("COMMIT")
    except (DBAPIError, StoreBusy) as problem:
        why = problem.orig if isinstance(problem, DBAPIError) else problem
        raise BadInput("database", str(path), f"it cannot be brought to version {HEAD}: {why}") from problem
    finally:
        engine.dispose()


def _revision(path: Path) -> str | None:
    connection = sqlite3.connect(path, timeout=5)
    try:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
        return str(row[0]) if row else None
    except sqlite3.OperationalError as problem:  # locked, full or out of order, whatever is in it
        raise BadInput("database", str(path), f"it cannot be opened: {problem}") from problem
    except sqlite3.DatabaseError as problem:
        raise BadInput("database", str(path), f"this is not a tradedesk database ({problem})") from problem
    finally:
        connection.close()


def _upgrade(connection: Connection, path: Path, revision: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise BadInput(
            "database",
            str(path),
            f"it was written by a newer version of tradedesk (schema {revision}, this one knows {HEAD}); "
            "install that version, nothing was changed",
        )
    command.upgrade(config, "head")


def add_triggers(connection: Connection) -> None:
    """Create the triggers that keep append-only tables so; a table rebuild in a migration drops them.

    A version from before a table was made has no trigger for it.
    """
    rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    standing, tables = set(rows.scalars()), set(inspect(connection).get_table_names())
    for name in tables.intersection(APPEND_ONLY):
        for verb in ("UPDATE", "DELETE"):
            if f"{name}_no_{verb.lower()}" not in standing:
                connection.exec_driver_sql(_trigger(name, verb))


def schema_faults(connection: Connection) -> list[str]:
    """Triggers, views and indexes that are not this version's, and its own that are gone or differ, in words.

    A trigger or a unique index that somebody else made changes or refuses what tradedesk writes.
    """
    return list(_faults(connection))


def mend_schema(connection: Connection) -> None:
    """Drop the triggers, views and indexes that are not this version's, and put its own back."""
    ours = _ours()
    for kind, name, fresh in _faults(connection).values():
        if not fresh:
            quoted = name.replace('"', '""')
            connection.exec_driver_sql(f'DROP {kind} IF EXISTS "{quoted}"')
        if name in ours:
            connection.exec_driver_sql(ours[name])


def _faults(connection: Connection) -> dict[str, tuple[str, str, bool]]:
    """By its words each fault's kind and name, and whether nothing stands by that name."""
    ours, found = _ours(), dict[str, tuple[str, str, bool]]()
    # SQLite's own indexes of keys have no text, and cannot be dropped.
    query = (
        "SELECT type, name, tbl_name, sql FROM sqlite_master"
        " WHERE type != 'table' AND sql IS NOT NULL ORDER BY name"
    )
    standing = {str(row[1]): row for row in connection.exec_driver_sql(query)}
    for name, (kind, _, of, text) in standing.items():
        if name not in ours:
            found[f"{kind} {name} of {of} is not tradedesk's"] = (kind, name, False)
        elif text != ours[name]:
            found[f"{kind} {name} of {of} is not as tradedesk made it"] = (kind, name, False)
    for name, text in ours.items():
        if name not in standing:
            kind = text.split()[1].lower()
            found[f"{kind} {name} is missing"] = (kind, name, True)
    return found


def _ours() -> dict[str, str]:
    """The texts of this version's triggers and indexes, by name."""
    triggers = {
        f"{name}_no_{verb.lower()}": _trigger(name, verb)
        for name in APPEND_ONLY
        for verb in ("UPDATE", "DELETE")
    }
    indexes = {
        str(index.name): f"CREATE INDEX {index.name} ON {one.name} ({', '.join(index.columns.keys())})"
        for one in SQLModel.metadata.sorted_tables
        for index in one.indexes
    }
    return triggers | indexes


def _trigger(table_name: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER {table_name}_no_{verb.lower()} BEFORE {verb} ON {table_name} "
        f"BEGIN SELECT RAISE(ABORT, '{table_name} is append-only'); END"
    )
