"""Having SQLite tell of each row that a connection changes, by temporary triggers that call our functions."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from data.engines.dialect import PLACE


class Notes(Struct, frozen=True):
    """What is called with the place of a changed row; nothing but these is called for a row.

    `known` returns None of a row that is not noted yet, `note` takes what it was, in the words of `before`;
    `was` returns that, and `gone` is called with the key of a row that is deleted and what it was.
    """

    known: Callable[[int], Any]
    note: Callable[[int, str], Any]
    was: Callable[[int], Any]
    gone: Callable[[str, str], Any]


def add_function(connection: Connection, name: str, function: Callable[..., Any]) -> None:
    """Let statements on this connection call a function that returns the same for the same values."""
    own: Any = connection.connection.driver_connection
    own.create_function(name, -1, function, deterministic=True)


def note_changes(
    connection: Connection, table: str, columns: Sequence[str], key: str, before: str, notes: Notes
) -> None:
    """Have each change of a table's rows noted from now on, of updates those of these columns.

    `key` and `before` are SQL over the row before, which is called OLD there.
    """
    own: Any = connection.connection.driver_connection
    own.create_function(f"noted_{table}", 1, notes.known)
    own.create_function(f"note_{table}", 2, notes.note)
    own.create_function(f"was_{table}", 1, notes.was)
    own.create_function(f"gone_{table}", 2, notes.gone)
    quoted = ", ".join(f'"{column}"' for column in columns)
    note = f"SELECT note_{table}(OLD.{PLACE}, {before})"
    unknown = f"noted_{table}(OLD.{PLACE}) IS NULL"
    told = {
        "insert": f"INSERT ON main.{table} BEGIN SELECT note_{table}(NEW.{PLACE}, ''); END",
        "update": f"UPDATE OF {quoted} ON main.{table} WHEN {unknown} BEGIN {note}; END",
        "delete": f"DELETE ON main.{table} BEGIN {note} WHERE {unknown};"
        f" SELECT gone_{table}(CAST({key} AS TEXT), was_{table}(OLD.{PLACE})); END",
    }
    for verb, what in told.items():
        own.execute(f"CREATE TEMP TRIGGER proof_{table}_{verb} AFTER {what}")
