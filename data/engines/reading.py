"""Rows as objects of a class, read from SQLite's own file with nothing else imported."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from data.engines.at_rest import FileAtRest
from data.records import field_names

T = TypeVar("T")


def rows(
    connection: FileAtRest, row: type[T], sql: str, parameters: tuple[Any, ...], **given: Any
) -> list[T]:
    """Every row as an object of the class, whose fields are the columns; `:name` is the value given so.

    Raises `ValueError` for a value that is none of its field's kind, `FileError`.
    """
    named = {f":{name}": value for name, value in given.items()}
    hints = get_type_hints(row)
    readers = [_reader(hints[name]) for name in field_names(row)]
    found = connection.execute(sql, [named.get(one, one) for one in parameters])
    return [row(*(read(value) for read, value in zip(readers, cells, strict=True))) for cells in found]


def _reader(hint: Any) -> Callable[[Any], Any]:
    if get_origin(hint) is UnionType:
        (kind,) = (one for one in get_args(hint) if one is not NoneType)
        read = _reader(kind)
        return lambda value: None if value is None else read(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    known = _READERS.get(hint)
    if known is None:
        raise ValueError(f"values of {hint} are not read here")
    return known


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError(f"{value!r} is no number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


_READERS: dict[Any, Callable[[Any], Any]] = {
    int: _number,
    str: _text,
    bool: lambda value: bool(_number(value)),
    date: lambda value: date.fromisoformat(_text(value)),
    datetime: lambda value: datetime.fromisoformat(_text(value)).replace(tzinfo=UTC),
    tuple[str, ...]: lambda value: tuple(_text(value).split()),
    frozenset[int]: lambda value: frozenset(json.loads(value or "[]")),
}
