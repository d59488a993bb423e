"""Every migration over a file with rows in each table that there was before it."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, cast

from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from data.engines.catalog import columns_by_table
from data.schema import STAMP, alembic_config, known_versions

AT = "2026-11-18 03:45:00.000000"


Row = Mapping[str, Any]
Tables = Mapping[str, list[Row]]


def fill(file: sqlite3.Connection, name: str) -> None:
    """Give a table a row, unless it has one; texts and numbers that a reader of that version takes."""
    if file.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone():
        return
    cells = {column: cell(column, kind) for _, column, kind, *_ in file.execute(f"PRAGMA table_info({name})")}
    marks = ", ".join("?" * len(cells))
    file.execute(f"INSERT INTO {name} ({', '.join(cells)}) VALUES ({marks})", list(cells.values()))


def cell(column: str, kind: str) -> Any:
    kind = kind.upper()
    if "DATETIME" in kind or column.endswith("_at") or column == "at":
        return AT
    if "DATE" in kind:
        return "2026-11-18"
    if "INT" in kind or "BOOL" in kind:
        return 7
    if "JSON" in kind:
        return "{}"
    return f"a {column}"


def rows(file: sqlite3.Connection) -> Tables:
    found: dict[str, list[Row]] = {}
    for name in columns_by_table(file.execute).keys() - {STAMP}:
        cursor = file.execute(f"SELECT * FROM {name}")
        names = [one[0] for one in cursor.description]
        found[name] = [dict(zip(names, one, strict=True)) for one in cursor]
    return found


def steps() -> Iterator[tuple[str, Tables, Tables]]:
    """Each version with the tables as they were before its migration and as it left them."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        file = cast(sqlite3.Connection, connection.connection.driver_connection)
        file.execute("PRAGMA foreign_keys=OFF")
        for revision in known_versions():
            before = rows(file)
            command.upgrade(config, revision)
            yield revision, before, rows(file)
            for name in columns_by_table(file.execute):
                if name != STAMP:
                    fill(file, name)
            connection.commit()
    engine.dispose()


CHANGED = {("0018", "former_name", "token")}
"""What a migration writes anew: tokens are text from 0018 on."""


def test_each_migration_keeps_every_row_of_every_table_that_there_was_before_it():
    seen = set[str]()
    for revision, before, after in steps():
        for name, were in before.items():
            seen.add(name)
            assert len(after[name]) >= len(were), (revision, name)
            for row in were:
                lost = [changed(row, one) for one in after[name]]
                best = min(lost, key=len)
                assert {(revision, name, column) for column in best} <= CHANGED, (revision, name, row)
    assert {"orders", "fill", "posting", "audit", "lot", "plan"} <= seen


def changed(before: Row, after: Row) -> list[str]:
    """The columns that both have and that differ."""
    return [column for column, value in before.items() if column in after and after[column] != value]
