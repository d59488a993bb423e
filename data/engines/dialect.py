"""SQLite's own words in statements as text; nothing else is imported for them."""

LISTED = "(SELECT value FROM json_each(?))"
"""A list that one place takes, as JSON: to be selected from, or to be `IN`."""

PLACE = "rowid"
"""Where a row stands in its table: a whole number of its own, which a change of its cells leaves."""

UNLESS_THERE = "ON CONFLICT DO NOTHING"
"""Behind an `INSERT`: a row whose key is there already stays as it is."""


def or_update(key: str, values: str) -> str:
    """Behind an `INSERT`: what is set in the row of a key that is there already."""
    return f"ON CONFLICT ({key}) DO UPDATE SET {values}"


def put_row(table: str, *columns: str) -> str:
    """An `INSERT` whose row takes the place of the one that has its key."""
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def member(column: str, name: str) -> str:
    """A member of the object that a column holds as JSON."""
    return f"json_extract({column}, '$.{name}')"


def is_json(column: str) -> str:
    """Whether a column's text is JSON at all."""
    return f"json_valid({column})"
