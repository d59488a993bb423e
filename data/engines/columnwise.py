"""A statement of one row run as one of many on PostgreSQL: each of its places takes a list, a value a row.

Run once for each row it would go to the server, and have its triggers run, as often. Many rows that are only
inserted are copied.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any

from sqlalchemy.dialects.postgresql import dialect
from sqlmodel import SQLModel

COPIED = 50
"""Rows from which on copying them is faster than a statement that the server has prepared."""

_INSERT = re.compile(r"INSERT INTO (\w+) \((.*?)\) VALUES \((.*?)\)(?: (ON CONFLICT .*))?")
_UPDATE = re.compile(r"UPDATE (\w+) SET (.*) WHERE (.*)", re.DOTALL)
_SET_OR_ASKED = re.compile(r"(\w+)\"?\s*=(?:(?! WHERE | AND )[^=,])*$")
"""Of what stands before a place, the column that it is set in or held against."""


def run_together(cursor: Any, sql: str, rows: Sequence[Sequence[Any]]) -> int:
    """Run a statement of one row for many; returns how many rows were changed."""
    try:
        many, copying = of_many(sql), copied(sql)
    except ValueError:  # whoever hears of statements has put another in its place
        cursor.executemany(sql, rows)
        return int(cursor.rowcount)
    if copying and len(rows) >= COPIED:
        with cursor.copy(copying) as copy:
            for row in rows:
                copy.write_row(row)
    else:
        cursor.execute(many, [as_list(column) for column in zip(*rows, strict=True)])
    return int(cursor.rowcount)


@lru_cache(maxsize=512)
def of_many(sql: str) -> str:
    """An INSERT or UPDATE of one row as one of many. Raises `ValueError` where it is neither."""
    if inserting := _INSERT.fullmatch(sql):
        return _inserting(*inserting.groups())
    if updating := _UPDATE.fullmatch(sql):
        return _updating(*updating.groups())
    raise ValueError(f"this is no statement of one row: {sql}")


@lru_cache(maxsize=512)
def copied(sql: str) -> str:
    """What copies the rows of an INSERT; empty for one whose cells are not all places, or that asks."""
    inserting = _INSERT.fullmatch(sql)
    if inserting is None or inserting[4] or not all("?" in cell for cell in inserting[3].split(", ")):
        return ""
    return f"COPY {inserting[1]} ({inserting[2]}) FROM STDIN"


def as_list(column: Sequence[Any]) -> Any:
    """The cells of a column as the text of a list: the driver's own way with each of them takes far longer.

    What is neither whole numbers, texts nor nothing is left to that.
    """
    kinds = set(map(type, column))
    if kinds == {int}:
        return f"{{{','.join(map(str, column))}}}"
    if kinds == {str}:
        joined = '","'.join(column)
        if "\\" not in joined and joined.count('"') == 2 * (len(column) - 1):
            return f'{{"{joined}"}}'
    if kinds <= {int, str, type(None)}:
        return f"{{{','.join(map(_cell, column))}}}"
    return list(column)


def _cell(value: int | str | None) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return "NULL" if value is None else str(value)


def _inserting(name: str, columns: str, values: str, unless: str | None) -> str:
    own = [column.strip(' "') for column in columns.split(",")]
    cells = values.split(", ")
    places = [column for column, cell in zip(own, cells, strict=True) if "?" in cell]
    return (
        f"INSERT INTO {name} ({columns}) SELECT {_named(values)} FROM {_given(name, places)} {unless or ''}"
    )


def _updating(name: str, values: str, where: str) -> str:
    before = f"{values} WHERE {where}".split("?")[:-1]
    found = [_SET_OR_ASKED.search(piece) for piece in before]
    places = [one.group(1) for one in found if one is not None]
    if len(places) < len(before):
        raise ValueError(f"a place of what is no column's: {values} WHERE {where}")
    set_by, asked = _named(f"{values} WHERE {where}").split(" WHERE ", 1)
    return f"UPDATE {name} SET {set_by} FROM {_given(name, places)} WHERE {asked}"


def _named(text: str) -> str:
    """A text with the columns of `given` for its places."""
    numbers = count(1)
    return re.sub(r"\?", lambda _: f"given.c{next(numbers)}", text)


def _given(name: str, places: list[str]) -> str:
    """Rows called `given`, whose columns are lists of the kinds that these columns of a table have."""
    columns = SQLModel.metadata.tables[name].columns
    kinds = [columns[place].type.compile(dialect()) for place in places]
    lists = ", ".join(f"CAST(? AS {kind}[])" for kind in kinds)
    return f"unnest({lists}) AS given({', '.join(f'c{number}' for number in range(1, len(places) + 1))})"
