"""The schema on PostgreSQL: made and upgraded by the migrations, guarded by triggers of its own."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection
from sqlmodel import SQLModel

from data.engines.driver import fetch
from data.engines.postgres import PostgresBooks
from data.errors import BadInput, shortened
from data.proving.noted_by_key import noting_functions, noting_triggers
from data.schema import HEAD, STAMP, alembic_config, known_versions
from data.server.grants import grant_again
from data.tables.books import APPEND_ONLY

FLOOR = 160000
"""The oldest server that is taken: PostgreSQL 16, the first that says whether a text is JSON."""

ROOMY = ("funds", "holding", "attempt")
"""Tables whose rows change again and again in cells that no index has: where a page has room for the row's
next version, no index is written (heap-only tuples). Orders change in cells that indexes have."""

_FILLED = 70
"""Percent of a page that new rows fill."""

_REFUSING = "refuse_change"


def upgrade(books: PostgresBooks) -> str | None:
    """Bring a database to this version's tables, in one transaction; returns the version that it was of.

    Raises `BadInput` for a newer version's, for tables without a stamp, and for a server that is too old.
    """
    from alembic import command

    engine = books.patient_writer()
    try:
        with engine.connect() as connection:
            number = int(fetch(connection, "SELECT current_setting('server_version_num')")[0][0])
            if number < FLOOR:
                expected = f"it is PostgreSQL {number // 10_000}; bring the server to 16 or later"
                raise BadInput("database_url", books.name, expected)
            connection.exec_driver_sql("BEGIN")
            # Two programs may start on an empty database at once.
            fetch(connection, "SELECT pg_advisory_xact_lock(hashtext('tradedesk schema'))")
            before = revision(connection)
            _check(books, connection, before)
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            mend(connection)
            grant_again(connection)
            connection.exec_driver_sql("COMMIT")
            return before
    finally:
        engine.dispose()


def check_ready(books: PostgresBooks) -> None:
    """Raise `BadInput` for a database that is not of this version: no desk changes that by itself."""
    standing = books.read(revision)
    if standing == HEAD:
        return
    if standing is not None and standing not in known_versions():
        raise _newer(books, standing)
    what = "it has no tables of tradedesk" if standing is None else f"it is of version {standing}"
    expected = f"{what}, this program is of {HEAD}: bring it to that by `tradedesk db upgrade`"
    raise BadInput("database_url", books.name, expected)


def revision(connection: Connection) -> str | None:
    """The version that a database is of; None where it has no stamp."""
    if fetch(connection, f"SELECT to_regclass('{STAMP}')")[0][0] is None:
        return None
    rows = fetch(connection, f"SELECT version_num FROM {STAMP}")
    return str(rows[0][0]) if rows else None


def _check(books: PostgresBooks, connection: Connection, standing: str | None) -> None:
    if standing is not None and standing not in known_versions():
        raise _newer(books, standing)
    tables = {str(name) for (name,) in fetch(connection, _TABLES)}
    if standing is None and (ours := sorted(tables & SQLModel.metadata.tables.keys())):
        expected = (
            f"it has a table {ours[0]} and no version stamp: give an empty database. Nothing was changed"
        )
        raise BadInput("database_url", books.name, expected)


def _newer(books: PostgresBooks, standing: str) -> BadInput:
    expected = (
        f"it was written by a newer version of tradedesk (schema {standing}, this one knows {HEAD}); "
        "install that version, nothing was changed"
    )
    return BadInput("database", books.name, expected)


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
_FUNCTIONS = (
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace ORDER BY proname"
)
_TRIGGERS = (
    "SELECT tgname, tgrelid::regclass::text, tgenabled = 'O', pg_get_triggerdef(oid) FROM pg_trigger"
    " WHERE NOT tgisinternal ORDER BY tgname"
)


def faults(connection: Connection) -> list[str]:
    """Functions and triggers that are not this version's, and its own that are gone or differ, in words."""
    return list(_faults(connection))


def differing_tables(connection: Connection) -> list[str]:
    """Tables, columns and indexes that are not as the migrations make them, in words."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [
        f"the server differs from tradedesk's tables: {_worded(one)}"
        for one in compare_metadata(context, SQLModel.metadata)
    ]


def _worded(difference: Any) -> str:
    """What alembic found, by its own word and the names that it is about."""
    one: Any = cast("list[Any]", difference)[0] if isinstance(difference, list) else difference
    told = [str(getattr(part, "name", part)) for part in one if part is not None]
    return shortened(" ".join(told))


def mend(connection: Connection) -> None:
    """Drop the functions and triggers that are not this version's, and put its own back."""
    for drop in _faults(connection).values():
        if drop:
            connection.exec_driver_sql(drop)
    for name, body in _functions().items():
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body${body}$body$"
        )
    for table in ROOMY:
        connection.exec_driver_sql(f"ALTER TABLE {table} SET (fillfactor = {_FILLED})")
    standing = {str(name) for name, *_ in fetch(connection, _TRIGGERS)}
    for name, text in _triggers().items():
        if name not in standing:
            connection.exec_driver_sql(text)


def _faults(connection: Connection) -> dict[str, str]:
    """By its words for each fault what drops it, empty where nothing stands by that name."""
    found = dict[str, str]()
    functions = {str(name): str(body) for name, body in fetch(connection, _FUNCTIONS)}
    triggers = {str(name): tuple(rest) for name, *rest in fetch(connection, _TRIGGERS)}
    for name, (table, enabled, text) in triggers.items():
        drop = f'DROP TRIGGER "{name}" ON {table}'
        if name not in _triggers():
            found[f"trigger {name} of {table} is not tradedesk's"] = drop
        elif not enabled or not _alike(_triggers()[name], text):
            found[f"trigger {name} of {table} is not as tradedesk made it"] = drop
    for name, body in functions.items():
        if name in _functions() and body != _functions()[name]:
            found[f"function {name} is not as tradedesk made it"] = ""
    for kind, ours, there in (("function", _functions(), functions), ("trigger", _triggers(), triggers)):
        found |= {f"{kind} {name} is missing": "" for name in ours if name not in there}
    return found


def _alike(ours: str, text: str) -> bool:
    """Whether the server's text of a trigger is that of ours, its table told with its schema."""
    words = ours.split()
    table = words[words.index("ON") + 1]
    theirs = [word.rpartition(".")[2] if word.endswith(f".{table}") else word for word in text.split()]
    return sorted(theirs) == sorted(words)


@cache
def _functions() -> Mapping[str, str]:
    """The bodies of this version's trigger functions, by name."""
    refusing = (
        "BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only',"
        " ERRCODE = 'integrity_constraint_violation'; END"
    )
    return {_REFUSING: refusing} | noting_functions()


@cache
def _triggers() -> Mapping[str, str]:
    """The texts of this version's triggers, by name."""
    return {
        f"{name}_no_{verb.lower()}": (
            f"CREATE TRIGGER {name}_no_{verb.lower()} BEFORE {verb} ON {name}"
            f" FOR EACH {'STATEMENT' if verb == 'TRUNCATE' else 'ROW'} EXECUTE FUNCTION {_REFUSING}()"
        )
        for name in APPEND_ONLY
        for verb in ("UPDATE", "DELETE", "TRUNCATE")
    } | noting_triggers()
