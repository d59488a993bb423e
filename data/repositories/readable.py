"""Reading rows of which some hold what this version cannot read, so that cancels still go.

Such a value is taken for what is safest; of a word, `WORDS` says what that is. The doctor names each.
"""

import json
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from functools import cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Date,
    Dialect,
    Integer,
    LargeBinary,
    Select,
    String,
    TypeDecorator,
    cast,
)

from data.engines.driver import fetch
from data.engines.fates import is_passing
from data.proving.readable import UNREADABLE, WORDS
from data.repositories.base import On, Query, Statement, among, sql
from data.repositories.stored_values import field_classes
from data.tables.columns import UtcDateTime

T = TypeVar("T")

log = logging.getLogger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MISSING = object()
"""Stands for a value for which nothing may stand."""


class Words(TypeDecorator[tuple[str, ...]]):
    """A text of words as their tuple."""

    impl = String
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        """Its words."""
        return tuple((value or "").split())


class Members(TypeDecorator[frozenset[int]]):
    """A list of numbers, or nothing, as their set."""

    impl = JSON
    cache_ok = True

    def process_result_value(self, value: list[int] | None, dialect: Dialect) -> frozenset[int]:
        """Its members."""
        return frozenset(value or ())


class ReadableQuery(Query[T]):
    """A SELECT whose rows are read whatever they hold: what cannot be read is stood in for, and logged.

    A row is left out where nothing may stand for such a value. `strict` looks at numbers too, which a reading
    passes on as it finds them.
    """

    def __init__(
        self, make: Callable[..., T], statement: Select[*tuple[Any, ...]], strict: bool = False
    ) -> None:
        super().__init__(make, statement)
        self._select = statement
        self._words = [
            (place, {None: None, **{member.value: member for member in kind}})
            for place, kind in enumerate(field_classes(make).values())
            if isinstance(kind, type) and issubclass(kind, Enum)
        ]
        numbers = [place for place, one in enumerate(self._columns) if isinstance(one.type, Integer)]
        self._numbers = numbers if strict else []

    def all(self, on: On, **values: Any) -> list[T]:
        """Every row that can be read or stood in for."""
        connection = sql(on)
        try:
            text = self._statement.text(connection.dialect)
            rows = fetch(connection, text.sql, text.named(values))
            if any(row[place] not in known for row in rows for place, known in self._words):
                raise ValueError("a word stands that is none of its vocabulary")
            if any(not isinstance(row[place], int | None) for row in rows for place in self._numbers):
                raise ValueError("a text stands for a number")
            return self._made(text, rows)
        except UNREADABLE as problem:
            if is_passing(connection, problem):
                raise
            log.error("values that cannot be read are stood in for: %s", problem)
        text = (self._bytes if connection.dialect.name == "sqlite" else self._texts).text(connection.dialect)
        stored = fetch(connection, text.sql, text.named(values))
        if connection.dialect.name != "sqlite":
            stored = [[None if cell is None else str(cell).encode() for cell in row] for row in stored]
        return [made for row in stored if (made := self._stood_in(row)) is not None]

    @cached_property
    def _bytes(self) -> Statement:
        """The same rows with every value as its bytes; made when first needed, which should be never."""
        bare = [cast(one, LargeBinary).label(one.name) for one in self._columns]
        return Statement(self._select.with_only_columns(*bare, maintain_column_froms=True))

    @cached_property
    def _texts(self) -> Statement:
        """The same as texts, where a server holds each value to its column's kind."""
        bare = [
            cast(cast(one, Integer) if isinstance(one.type, Boolean) else one, String).label(one.name)
            for one in self._columns
        ]
        return Statement(self._select.with_only_columns(*bare, maintain_column_froms=True))

    def _stood_in(self, row: Sequence[bytes | None]) -> T | None:
        cells = [_value(column, stored) for column, stored in zip(self._columns, row, strict=True)]
        if any(cell is _MISSING for cell in cells):
            return None
        for place, known in self._words:
            cells[place] = known[cells[place]]
        return self._make(*cells)


class Projected(Generic[T]):
    """Rows of one kind that a desk keeps in memory: all that it keeps, or those that a commit touched."""

    def __init__(
        self,
        row: type[T],
        statement: Select[*tuple[Any, ...]],
        touched_by: ColumnElement[Any],
        every: Select[*tuple[Any, ...]] | None = None,
    ) -> None:
        self._every = ReadableQuery(row, statement if every is None else every, strict=True)
        self._some = ReadableQuery(row, statement.where(among(touched_by, "touched")))

    def read(self, on: On, touched: Collection[int] | None, **values: Any) -> list[T]:
        """All of them where None is given, else those of the numbers in `touched`."""
        if touched is None:
            return self._every.all(on, **values)
        return self._some.all(on, touched=touched, **values) if touched else []


def _value(column: Any, stored: bytes | None) -> Any:
    """A value as read from its bytes; what is safest where that cannot be done."""
    source: Any = getattr(column, "element", column)  # of a label, the column that it names
    if stored is None and getattr(source, "nullable", True):
        return None
    text = "" if stored is None else stored.decode("utf-8", "replace")
    place = getattr(getattr(source, "table", None), "name", ""), getattr(source, "name", "")
    words = WORDS.get(place)
    try:
        return _read(source.type, text) if words is None else words[0](text).value
    except (ValueError, TypeError):
        if words is not None:
            return _MISSING if words[1] is None else words[1].value
        return _stand_in(source.type, getattr(source, "nullable", False))


def _read(kind: Any, text: str) -> Any:
    match kind:
        case Boolean():
            return bool(int(text))
        case Integer():
            return int(text)
        case UtcDateTime():
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        case Date():
            return date.fromisoformat(text)
        case Words():
            return tuple(text.split())
        case Members():
            return frozenset(json.loads(text) or ())
        case JSON():
            return json.loads(text)
        case _:
            return text


def _stand_in(kind: Any, nullable: bool) -> Any:
    match kind:
        case Members():
            return frozenset[int]()
        case _ if nullable:
            return None
        case Boolean():
            return False
        case Integer():
            return 0
        case UtcDateTime():
            return EPOCH
        case Date():
            return EPOCH.date()
        case _:
            return {}
