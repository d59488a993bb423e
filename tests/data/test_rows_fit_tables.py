"""Every class that a repository reads or writes has the columns of its table, each of a kind that fits."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from sqlalchemy import TypeDecorator

from data.records import field_names
from data.repositories.base import Rows

NEVER_EMPTY = {
    *(("audit", "plan_number"), ("run", "confirmed_at"), ("halt", "before")),
    ("attempt", "ended_at"),  # of one that has ended
    ("day_correction", "client_id"),  # a price is corrected in the table of closing prices
}
"""Columns that may be empty, and are not in what some class is read or written for."""


def modules() -> Iterator[Any]:
    for package in ("data.repositories", "engine"):
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            yield importlib.import_module(found.name)


def rows_in(value: Any) -> Iterator[Rows[Any]]:
    """The rows that a value is, or that a repository keeps."""
    if isinstance(value, Rows):
        yield value
    elif type(value).__module__.startswith("data.repositories.") and hasattr(value, "__dict__"):
        for inner in vars(value).values():
            yield from rows_in(inner)


def every_rows() -> dict[str, Rows[Any]]:
    found: dict[str, Rows[Any]] = {}
    for module in modules():
        for value in vars(module).values():
            for rows in rows_in(value):
                found[f"{rows.table.name} as {rows.row.__module__}.{rows.row.__name__}"] = rows
    return found


EVERY = every_rows()


def stored_as(hint: Any) -> type:
    """The class of what a column holds for a field of this kind."""
    (kind,) = [one for one in get_args(hint) if one is not NoneType] if NoneType in get_args(hint) else [hint]
    kind = get_origin(kind) or kind
    if issubclass(kind, Enum) or hasattr(kind, "of_text"):
        return str
    return object if kind in (dict, list, Mapping, Sequence) else kind  # JSON may be anything


def test_they_are_found() -> None:
    tables = {rows.table.name for rows in EVERY.values()}
    assert {"orders", "fill", "lot", "request", "halt", "account_break", "client", "instrument"} <= tables


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_class_has_the_columns_of_its_table(name: str) -> None:
    rows = EVERY[name]
    assert set(rows.fields) <= {column.name for column in rows.table.columns}
    hints = get_type_hints(rows.row)
    for field in field_names(rows.row):
        if field not in rows.fields:
            continue
        column, hint = rows.table.columns[field], hints[field]
        kind = column.type
        wanted = (kind.impl_instance if isinstance(kind, TypeDecorator) else kind).python_type
        assert stored_as(hint) is wanted, f"{field} is {hint}, its column holds {wanted}"
        if (rows.table.name, field) not in NEVER_EMPTY:
            assert NoneType in get_args(hint) or not column.nullable, f"{field}: may it be empty?"
