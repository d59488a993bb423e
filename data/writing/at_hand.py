"""Rows as objects at hand in the writer's thread: the next batch need not read what this one wrote."""

from collections.abc import Collection, Iterable
from typing import Any


class AtHand:
    """Rows by table and number as one connection wrote them last, while nobody else has committed.

    It is never the authority: whatever fails, another's commit and a writer without work empty it. What is
    taken out comes back only by being written, so that an object changed for nothing is not met again.
    """

    def __init__(self) -> None:
        self._rows: dict[str, dict[int, Any]] = {}
        self._written: dict[str, set[int]] = {}
        self._version = -1

    def begin(self, version: int) -> None:
        """Begin a batch; `version` is the file's, which others' commits change."""
        if version != self._version:
            self.forget()
        self._version = version
        self._written.clear()

    def of(self, table: str) -> dict[int, Any]:
        """The rows of a table, to be taken out."""
        return self._rows.setdefault(table, {})

    def put(self, table: str, rows: Iterable[tuple[int, Any]]) -> None:
        """Have rows at hand that were just written."""
        written = dict(rows)
        self.of(table).update(written)
        self._written.setdefault(table, set()).update(written)

    def drop(self, table: str, numbers: Collection[int]) -> None:
        """Know these no more: they were changed by a statement of their own."""
        rows = self.of(table)
        for number in rows.keys() & numbers:
            del rows[number]

    def drop_unwritten(self, table: str, changed: Collection[int]) -> None:
        """Of rows that this batch changed, know those no more that were not put in."""
        self.drop(table, set(changed) - self._written.get(table, set()))

    def tables(self) -> list[str]:
        """Of which tables it knows rows."""
        return list(self._rows)

    def forget(self) -> None:
        """Know of none any more."""
        self._rows.clear()
