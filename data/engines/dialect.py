"""Phrases in statements as text that are not the same in every engine; nothing else is imported for them."""

from typing import NamedTuple

LISTED = "(SELECT value FROM json_each(?))"
"""A list that one place takes, as JSON, on SQLite: to be selected from, or to be `IN`."""

PLACE = "rowid"
"""Where a row stands in its table on SQLite: a number of its own, which a change of its cells leaves."""

UNLESS_THERE = "ON CONFLICT DO NOTHING"
"""Behind an `INSERT`: a row whose key is there already stays as it is."""


def or_update(key: str, values: str) -> str:
    """Behind an `INSERT`: what is set in the row of a key that is there already."""
    return f"ON CONFLICT ({key}) DO UPDATE SET {values}"


def put_row(table: str, *columns: str) -> str:
    """An `INSERT` on SQLite whose row takes the place of the one that has its key."""
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def member(column: str, name: str) -> str:
    """A member of the object that a column holds as JSON, on SQLite."""
    return f"json_extract({column}, '$.{name}')"


def is_json(column: str) -> str:
    """Whether a column's text is JSON at all, on SQLite."""
    return f"json_valid({column})"


class Phrases(NamedTuple):
    """How one engine says what the other says otherwise. Templates take a column, or a piece of SQL."""

    main: str
    """Before a table that may have a temporary one of its name beside it."""
    numbers: str
    """The numbers of a list that one place takes as JSON: to be `IN`."""
    items: str
    """The items of a list that one place takes as JSON, a row each of a column `value`."""
    number_item: str
    """What stands at a place, from 0, of such an item that is itself a list, as a whole number."""
    text_item: str
    """The same as text."""
    text_bytes: str
    """A text or number as the bytes that are hashed; so the other three."""
    moment_bytes: str
    truth_bytes: str
    json_bytes: str
    is_number: str
    """Whether a whole number stands there."""
    larger: str
    """The larger of two values."""
    found: str
    """Whether one place's text stands in a column's."""
    member: str
    """A member of the object that a text holds as JSON, as text; takes its name too."""
    number_member: str
    """The same of a whole number."""
    is_json: str

    def bytes_of(self, column: str) -> str:
        """A text or number as the bytes that are hashed."""
        return self.text_bytes.format(column)

    def number_at(self, place: int) -> str:
        """A whole number of an item that is itself a list."""
        return self.number_item.format(place)

    def text_at(self, place: int) -> str:
        """A text of an item that is itself a list."""
        return self.text_item.format(place)


SQLITE = Phrases(
    main="main.",
    numbers=LISTED,
    items="json_each(?)",
    number_item="json_extract(value, '$[{}]')",
    text_item="json_extract(value, '$[{}]')",
    text_bytes="CAST({} AS BLOB)",
    moment_bytes="CAST({} AS BLOB)",
    truth_bytes="CAST({} AS BLOB)",
    json_bytes="CAST({} AS BLOB)",
    is_number="typeof({}) = 'integer'",
    larger="max({}, {})",
    found="instr({}, ?)",
    member="json_extract({}, '$.{}')",
    number_member="json_extract({}, '$.{}')",
    is_json="json_valid({})",
)

POSTGRES = Phrases(
    main="",
    numbers="(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(? AS JSON)))",
    items="json_array_elements(CAST(? AS JSON))",
    number_item="CAST(value ->> {} AS BIGINT)",
    text_item="(value ->> {})",
    text_bytes="convert_to(CAST({} AS TEXT), 'UTF8')",
    moment_bytes="convert_to(to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), 'UTF8')",
    truth_bytes="convert_to(CAST(CAST({} AS INTEGER) AS TEXT), 'UTF8')",
    json_bytes="convert_to(CAST({} AS TEXT), 'UTF8')",
    is_number="{} IS NOT NULL",
    larger="greatest({}, {})",
    found="strpos({}, ?) > 0",
    member="(CAST({} AS JSON) ->> '{}')",
    number_member="CAST(CAST({} AS JSON) ->> '{}' AS BIGINT)",
    is_json="({} IS JSON)",
)


def words_of(name: str) -> Phrases:
    """The words of the engine that SQLAlchemy calls so."""
    return SQLITE if name == "sqlite" else POSTGRES
