"""Bringing a database file to this version's schema, and refusing one from a newer version."""

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import Connection, Index, create_engine, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlmodel import SQLModel

from data import access_tables, order_tables
from data.errors import BadInput
from data.home import schema_lock
from data.locks import HeldLock
from data.store import StoreBusy, begin_immediate, writer_engine
from data.tables import APPEND_ONLY

if TYPE_CHECKING:
    from alembic.config import Config

MODELS = (access_tables, order_tables)
"""Modules of tables: SQLModel's metadata holds what was imported, and all of it belongs to the layout."""

Columns = Mapping[str, frozenset[str]]
"""The columns of each table."""

HEAD = "0018"
"""The newest migration; a test holds it to the scripts."""


def prepare(path: Path, emergency: bool = False) -> None:
    """Create or upgrade the database at `path`; a folder made for it is 0700, the file 0600.

    Before an upgrade a copy is laid beside it (`copy_path`). Raises `BadInput` for a read-only folder, a file
    that is no database, one from a newer version, or one whose tables are not those that its version stamp
    says; an `emergency` goes on under a wrong stamp where the tables are this version's.
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
    revision, standing = _revision(path), _tables(path)
    if standing and not _missing(standing) and (emergency or revision == HEAD):
        return
    if revision == HEAD:
        raise _wrong_stamp(path, revision, standing)
    lock = HeldLock(schema_lock(folder))
    lock.take(wait=True)  # two programs may start on an empty home at once
    try:
        if (revision := _revision(path)) != HEAD:
            _check_stamp(path, revision)
            _bring_to_head(path, revision)
    finally:
        lock.free()


def copy_path(path: Path) -> Path:
    """Where the copy lies that is made before a file is brought to this version."""
    return path.with_name(f"{path.stem}-before-{HEAD}{path.suffix}")


def _tables(path: Path) -> Columns:
    """The columns of each table in a file, but for SQLite's own and the stamp's."""
    connection = sqlite3.connect(path, timeout=5)
    try:
        return _columns(connection)
    except sqlite3.DatabaseError as problem:
        raise BadInput("database", str(path), f"it cannot be read: {problem}") from problem
    finally:
        connection.close()


def _columns(connection: sqlite3.Connection) -> Columns:
    query = (
        "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'"
        " AND m.name NOT LIKE 'sqlite_%' AND m.name != 'alembic_version'"
    )
    found: dict[str, set[str]] = {}
    for name, column in connection.execute(query):
        found.setdefault(name, set()).add(column)
    return {name: frozenset(columns) for name, columns in found.items()}


def _missing(standing: Columns) -> list[str]:
    """This version's tables and columns that a file lacks, in words."""
    wanted = {one.name: frozenset(one.columns.keys()) for one in SQLModel.metadata.sorted_tables}
    return [
        f"column {column} of {name}" if name in standing else f"table {name}"
        for name, columns in wanted.items()
        for column in sorted(columns - standing.get(name, frozenset()))[: None if name in standing else 1]
    ]


def _check_stamp(path: Path, revision: str | None) -> None:
    """Raise `BadInput` where the tables are not those of the version that the file's stamp names."""
    standing, known = _tables(path), _known()
    if (revision is None and not standing) or (revision is not None and revision not in known):
        return  # a fresh file; one of a newer version is refused by its own words
    if revision is None or _layouts([revision])[revision] != _ours_of(standing):
        raise _wrong_stamp(path, revision, standing)


def _wrong_stamp(path: Path, revision: str | None, standing: Columns) -> BadInput:
    """What is wrong with a file whose stamp and tables do not go together, and what to do."""
    layouts = _layouts(_known())
    same = next((one for one in reversed(layouts) if layouts[one] == _ours_of(standing)), None)
    stamp = f"its version stamp says {revision}" if revision else "it has no version stamp"
    if same is None:
        lacks = _missing(standing)
        told = f", and lacks {lacks[0]}" if lacks and revision == HEAD else ""
        expected = (
            f"{stamp}, but its tables are of no version of tradedesk{told}: something else changed it. Put a "
            "copy back; `tradedesk doctor` reads what can be read. Nothing was changed"
        )
        return BadInput("database", str(path), expected)
    expected = (
        f"{stamp}, but its tables are those of version {same}: something else changed the stamp. Put a copy "
        f"back; or, where the stamp alone is wrong, write {same} into version_num of its table "
        "alembic_version. `tradedesk doctor` reads it as it is. Nothing was changed"
    )
    return BadInput("database", str(path), expected)


def _ours_of(standing: Columns) -> Columns:
    """The tables that are tradedesk's; another's are found by no stamp."""
    names = {one.name for one in SQLModel.metadata.sorted_tables}
    return {name: columns for name, columns in standing.items() if name in names}


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _known() -> list[str]:
    """The versions that there are migrations to, oldest first."""
    from alembic.script import ScriptDirectory

    return [one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def _layouts(revisions: Sequence[str]) -> dict[str, Columns]:
    """The tables that the migrations make, at each of these versions, oldest first."""
    from alembic import command

    made: dict[str, Columns] = {}
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            config = _config()
            config.attributes["connection"] = connection
            for revision in revisions:
                command.upgrade(config, revision)
                raw = connection.connection.driver_connection
                made[revision] = _ours_of(_columns(cast("sqlite3.Connection", raw)))
    finally:
        engine.dispose()
    return made


def _lay_copy(path: Path) -> None:
    """Copy a file beside itself, whole, before it is changed. Raises `BadInput` where there is no room."""
    copy = copy_path(path)
    part = copy.with_suffix(".part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(path, timeout=5)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(copy)
    except (OSError, sqlite3.Error) as problem:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise BadInput(
            "database",
            str(path),
            f"it is of an earlier version, and no copy of it could be laid as {copy.name} before bringing it "
            f"to version {HEAD} ({problem}); nothing was changed",
        ) from problem


def _bring_to_head(path: Path, revision: str | None) -> None:
    if revision in _known():
        _lay_copy(path)
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

    config = _config()
    config.attributes["connection"] = connection
    if revision is not None and revision not in _known():
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


def table_faults(connection: Connection) -> list[str]:
    """Tables whose text is not as the migrations make it, in words: its CHECKs, keys, defaults and types.

    It makes every table anew in memory: for the doctor and before an acceptance, not for each opening.
    """
    wanted, standing = _fresh_texts(), _table_texts(connection)
    return [
        f"table {name} is not as tradedesk made it" if name in standing else f"table {name} is missing"
        for name, text in wanted.items()
        if standing.get(name) != text
    ]


@cache
def _fresh_texts() -> dict[str, str]:
    from alembic import command

    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return _table_texts(connection)
    finally:
        engine.dispose()


def _table_texts(connection: Connection) -> dict[str, str]:
    """The text of each of tradedesk's tables by name, its blanks and quotes made alike."""
    ours = {one.name for one in SQLModel.metadata.sorted_tables}
    rows = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"
    )
    return {name: " ".join(text.replace('"', "").split()) for name, text in rows if name in ours}


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
        str(index.name): _index(index) for one in SQLModel.metadata.sorted_tables for index in one.indexes
    }
    return triggers | indexes


def _index(index: Index) -> str:
    assert index.table is not None
    text = f"CREATE INDEX {index.name} ON {index.table.name} ({', '.join(index.columns.keys())})"
    where = index.dialect_options["sqlite"]["where"]
    return text if where is None else f"{text} WHERE {where}"


def _trigger(table_name: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER {table_name}_no_{verb.lower()} BEFORE {verb} ON {table_name} "
        f"BEGIN SELECT RAISE(ABORT, '{table_name} is append-only'); END"
    )
