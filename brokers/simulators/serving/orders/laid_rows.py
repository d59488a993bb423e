"""Rows that a rehearsal lays into a user's books: whole ones, such as of another segment, or odd fields."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from brokers.simulators.serving.answers import Row
from data.errors import BadInput


class LaidRow(Struct, frozen=True):
    """Fields laid over the row that `of` names; over none, a row of its own."""

    user_id: str
    book: str
    fields: Row
    of: str = ""


class LaidRows:
    """The laid rows of every user; `books` has the field that names a row in each book."""

    def __init__(self, books: Mapping[str, str]) -> None:
        self._books = books
        self._rows: list[LaidRow] = []

    def lay(self, row: LaidRow) -> None:
        """Lay a row from now on. Raises `BadInput` for a book that there is not."""
        if row.book not in self._books:
            raise BadInput("book", row.book, f"known: {', '.join(self._books)}")
        self._rows.append(row)

    def clear(self, user_id: str | None = None) -> None:
        """Take them away, of one user or of all."""
        self._rows = [row for row in self._rows if user_id is not None and row.user_id != user_id]

    def over(self, user_id: str, book: str, rows: Sequence[Row]) -> list[Row]:
        """A user's rows of a book as they are shown."""
        laid = [row for row in self._rows if (row.user_id, row.book) == (user_id, book)]
        if not laid:
            return list(rows)
        name = self._books[book]
        shown = [dict(row) for row in rows]
        for one in laid:
            for row in shown:
                if one.of and row.get(name) == one.of:
                    row.update({field: value for field, value in one.fields.items() if field != name})
        return [*shown, *(dict(one.fields) for one in laid if not one.of)]
