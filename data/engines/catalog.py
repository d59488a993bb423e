"""What SQLite says of the tables, triggers, views and indexes of a file; nothing else is imported for it.

Each takes what runs a statement on the file and returns its rows: its driver's method or SQLAlchemy's.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

Runs: TypeAlias = Callable[[str], Iterable[Any]]
"""Runs a statement; returns its rows."""


class SchemaObject(NamedTuple):
    """A trigger, a view or an index: its kind, its name, the table it is of, and the text that made it."""

    kind: str
    name: str
    table: str
    text: str


def has_table(runs: Runs, name: str) -> bool:
    """Whether a file has a table of this name."""
    return name in table_texts(runs)


def columns_by_table(runs: Runs) -> Mapping[str, frozenset[str]]:
    """The columns of each table of a file, but for SQLite's own tables."""
    query = (
        "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p"
        " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
    )
    found: dict[str, set[str]] = {}
    for name, column in runs(query):
        found.setdefault(name, set()).add(column)
    return {name: frozenset(columns) for name, columns in found.items()}


def columns_standing(runs: Runs, name: str) -> set[str]:
    """The columns of one table; none where it is not there."""
    return {row[1] for row in runs(f"PRAGMA table_info({name})")}


def table_texts(runs: Runs) -> dict[str, str]:
    """The text that made each table, by name."""
    found = runs("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return {str(name): str(text) for name, text in found}


def objects_beside_tables(runs: Runs) -> dict[str, SchemaObject]:
    """Every trigger, view and index by name; SQLite's own indexes of keys have no text, and stay away."""
    query = (
        "SELECT type, name, tbl_name, sql FROM sqlite_master"
        " WHERE type != 'table' AND sql IS NOT NULL ORDER BY name"
    )
    return {row[1]: SchemaObject(*row) for row in runs(query)}
