"""Lists that a statement takes as one value: SQLite's way of reading JSON as rows."""

from typing import Any

from sqlalchemy import ColumnElement, TableValuedAlias, func


def listed(given: ColumnElement[Any]) -> TableValuedAlias:
    """Rows of one column, `value`: the items of a list that is given as JSON."""
    return func.json_each(given).table_valued("value")


def item(value: ColumnElement[Any], place: int) -> ColumnElement[Any]:
    """What stands at a place, from 0, of a list that is itself an item."""
    return func.json_extract(value, f"$[{place}]")
