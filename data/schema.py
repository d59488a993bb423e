"""The schema: tables at each version, this version's triggers and indexes, and what a file lacks of them."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import Connection, Index, create_engine, inspect
from sqlalchemy.pool import StaticPool
from sqlmodel import SQLModel

from data.engines.at_rest import FileAtRest
from data.engines.catalog import columns_by_table, has_table, objects_beside_tables, table_texts
from data.engines.driver import On, sql
from data.tables import access as access_tables
from data.tables import alerts as alert_tables
from data.tables import audit as audit_tables
from data.tables import close as close_tables
from data.tables import figures as figure_tables
from data.tables import flattens as flatten_tables
from data.tables import gate as gate_tables
from data.tables import guards as guard_tables
from data.tables import limits as limit_tables
from data.tables import lots as lot_tables
from data.tables import market as market_tables
from data.tables import mtf as mtf_tables
from data.tables import orders as order_tables
from data.tables import people as people_tables
from data.tables import stages as stage_tables
from data.tables.books import APPEND_ONLY
from data.tables.firm import firm_runs as firm_tables
from data.tables.firm import jobs as job_tables
from data.tables.firm import leases as lease_tables
from data.tables.firm import readings as reading_tables

if TYPE_CHECKING:
    from alembic.config import Config

MODELS = (
    access_tables,
    alert_tables,
    audit_tables,
    close_tables,
    figure_tables,
    flatten_tables,
    lease_tables,
    limit_tables,
    gate_tables,
    guard_tables,
    job_tables,
    lot_tables,
    firm_tables,
    market_tables,
    mtf_tables,
    order_tables,
    people_tables,
    reading_tables,
    stage_tables,
)
"""Modules of tables: SQLModel's metadata holds what was imported, and all of it belongs to the layout."""

Columns = Mapping[str, frozenset[str]]
"""The columns of each table."""

STAMP = "alembic_version"
"""The table with the version that a file is of."""

HEAD = "0054"
"""The newest migration; a test holds it to the scripts."""


def columns_of(connection: FileAtRest) -> Columns:
    """The columns of each table in a file, but for the database's own and the stamp's."""
    found = columns_by_table(connection.execute)
    return {name: columns for name, columns in found.items() if name != STAMP}


def columns_missing(standing: Columns) -> list[str]:
    """This version's tables and columns that a file lacks, in words."""
    return [
        f"column {column} of {name}" if name in standing else f"table {name}"
        for name, columns in _our_columns().items()
        for column in sorted(columns - standing.get(name, frozenset()))[: None if name in standing else 1]
    ]


@cache
def _our_columns() -> Columns:
    return {one.name: frozenset(one.columns.keys()) for one in SQLModel.metadata.sorted_tables}


def ours_of(standing: Columns) -> Columns:
    """The tables that are tradedesk's; another's are found by no stamp."""
    return {name: columns for name, columns in standing.items() if name in _our_columns()}


def alembic_config() -> "Config":
    """How alembic finds the migrations; the connection goes into its attributes."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def known_versions() -> list[str]:
    """The versions that there are migrations to, oldest first."""
    from alembic.script import ScriptDirectory

    return [one.revision for one in ScriptDirectory.from_config(alembic_config()).walk_revisions()][::-1]


def newer_version(on: On) -> str | None:
    """The version a newer program has brought these books to; None where they are of none beyond this one."""
    file = sql(on)
    if file.dialect.name != "sqlite":
        from data.server.schema import revision

        stamp = revision(file)
    elif not has_table(file.exec_driver_sql, STAMP):
        return None
    else:
        stamp = file.exec_driver_sql(f"SELECT version_num FROM {STAMP}").scalar()
    return None if stamp is None or stamp == HEAD or stamp in known_versions() else str(stamp)


def layouts_at(revisions: Sequence[str]) -> dict[str, Columns]:
    """The tables that the migrations make, at each of these versions, oldest first."""
    from alembic import command

    made: dict[str, Columns] = {}
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            config = alembic_config()
            config.attributes["connection"] = connection
            for revision in revisions:
                command.upgrade(config, revision)
                raw = connection.connection.driver_connection
                made[revision] = ours_of(columns_of(cast(FileAtRest, raw)))
    finally:
        engine.dispose()
    return made


def add_triggers(connection: Connection) -> None:
    """Create the triggers that keep append-only tables so; a table rebuild in a migration drops them.

    A version from before a table was made has no trigger for it.
    """
    standing = objects_beside_tables(connection.exec_driver_sql)
    tables = set(inspect(connection).get_table_names())
    for name in tables.intersection(APPEND_ONLY):
        for verb in ("UPDATE", "DELETE"):
            if f"{name}_no_{verb.lower()}" not in standing:
                connection.exec_driver_sql(_trigger(name, verb))


def schema_faults(connection: Connection) -> list[str]:
    """Triggers, views and indexes that are not this version's, and its own that are gone or differ, in words.

    A trigger or a unique index that somebody else made changes or refuses what tradedesk writes.
    """
    if connection.dialect.name != "sqlite":
        from data.server.schema import faults

        return faults(connection)
    return list(_faults(connection))


def changeable_tables(connection: Connection) -> list[str]:
    """The append-only tables that this session could change, were it not for their triggers.

    A file has no roles: none of its tables is told.
    """
    if connection.dialect.name == "sqlite":
        return []
    from data.server.grants import changeable

    return changeable(connection)


def table_faults(connection: Connection) -> list[str]:
    """Tables whose text is not as the migrations make it, in words: its CHECKs, keys, defaults and types.

    It makes every table anew in memory: for the doctor and before an acceptance, not for each opening.
    """
    if connection.dialect.name != "sqlite":
        from data.server.schema import differing_tables

        return differing_tables(connection)
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
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return _table_texts(connection)
    finally:
        engine.dispose()


def _table_texts(connection: Connection) -> dict[str, str]:
    """The text of each of tradedesk's tables by name, its blanks and quotes made alike."""
    ours = _our_columns()
    found = table_texts(connection.exec_driver_sql)
    return {name: " ".join(text.replace('"', "").split()) for name, text in found.items() if name in ours}


def mend_schema(on: On) -> None:
    """Drop the triggers, views and indexes that are not this version's, and put its own back."""
    connection, ours = sql(on), _ours()
    if connection.dialect.name != "sqlite":
        from data.server.schema import mend

        mend(connection)
        return
    for kind, name, fresh in _faults(connection).values():
        if not fresh:
            quoted = name.replace('"', '""')
            connection.exec_driver_sql(f'DROP {kind} IF EXISTS "{quoted}"')
        if name in ours:
            connection.exec_driver_sql(ours[name])


def _faults(connection: Connection) -> dict[str, tuple[str, str, bool]]:
    """By its words each fault's kind and name, and whether nothing stands by that name."""
    ours, found = _ours(), dict[str, tuple[str, str, bool]]()
    standing = objects_beside_tables(connection.exec_driver_sql)
    for name, (kind, _, of, text) in standing.items():
        if name not in ours:
            found[f"{kind} {name} of {of} is not tradedesk's"] = (kind, name, False)
        elif text != ours[name]:
            found[f"{kind} {name} of {of} is not as tradedesk made it"] = (kind, name, False)
    for name, text in ours.items():
        if name not in standing:
            kind = "index" if "INDEX" in text.split()[1:3] else "trigger"
            found[f"{kind} {name} is missing"] = (kind, name, True)
    return found


@cache
def _ours() -> Mapping[str, str]:
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
    kind = "UNIQUE INDEX" if index.unique else "INDEX"
    text = f"CREATE {kind} {index.name} ON {index.table.name} ({', '.join(index.columns.keys())})"
    where = index.dialect_options["sqlite"]["where"]
    return text if where is None else f"{text} WHERE {where}"


def _trigger(table_name: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER {table_name}_no_{verb.lower()} BEFORE {verb} ON {table_name} "
        f"BEGIN SELECT RAISE(ABORT, '{table_name} is append-only'); END"
    )
