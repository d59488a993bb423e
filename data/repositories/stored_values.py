"""Values as they are stored: what makes a column's value of a field's, and a field's of a column's."""

import sys
from collections.abc import Callable, Sequence
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Protocol, Self, Union, cast, get_args, get_origin, get_type_hints

from sqlalchemy import ColumnElement, Date, Dialect
from sqlalchemy.types import TypeEngine

from data.records import field_names, is_record
from data.tables.columns import UtcDateTime

Codec = Callable[[Any], Any]
"""Makes of a value what is stored, or the value of what is stored."""

SHARED = frozenset({"broker", "key", "tradingsymbol", "security", "sub_status", "reason_code"})
"""Columns of few different texts: rows share each, so that many rows kept in memory hold it once."""


class Stored(Protocol):
    """A value that stands in a text column as text of its own making."""

    @classmethod
    def of_text(cls, text: str) -> Self:
        """The value that stands as `text`."""
        ...

    def text(self) -> str:
        """What stands in the column."""
        ...


def row_fields(row: Any) -> list[str]:
    """The names of the fields that a row class is made with."""
    return list(field_names(row))


def field_classes(make: Any) -> dict[str, Any]:
    """The class of each field of a row class, without the None that may stand for it; else nothing."""
    if not is_record(make):
        return {}
    hints = get_type_hints(make)
    return {name: _without_none(hints[name]) for name in row_fields(make)}


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (UnionType, Union):
        (hint,) = (one for one in get_args(hint) if one is not NoneType)
    return hint


def is_enum(kind: Any) -> bool:
    """Whether this is a class of words."""
    return isinstance(kind, type) and issubclass(kind, Enum)


class _Known(dict[Any, Any]):
    """What stands for what is known; all else stands for itself."""

    def __missing__(self, key: Any) -> Any:
        return key


def word_codec(kind: Any) -> Codec | None:
    """What makes the stored text of a field of this class; None where the column's type does."""
    if is_enum(kind):
        return _Known({member: member.value for member in kind}).__getitem__
    return kind.text if hasattr(kind, "of_text") else None


def _meaning(kind: Any) -> Codec | None:
    """What makes a field of this class of the stored text; None where the column's type does."""
    if is_enum(kind):
        return _Known({member.value: member for member in kind}).__getitem__
    return kind.of_text if hasattr(kind, "of_text") else None


def column_encoder(kind: TypeEngine[Any], dialect: Dialect) -> Codec | None:
    """What makes the stored value of one of a column's type; None where it is stored as it is."""
    return _remembered(kind, kind.dialect_impl(dialect).bind_processor(dialect))


def row_decoders(
    make: Callable[..., Any], columns: Sequence[ColumnElement[Any]], dialect: Dialect
) -> list[tuple[int, Codec]]:
    """The places of a row whose stored values become others, with what makes them."""
    kinds = list(field_classes(make).values()) or [None] * len(columns)
    found: list[tuple[int, Codec]] = []
    for place, (one, kind) in enumerate(zip(columns, kinds, strict=True)):
        by_type = one.type.dialect_impl(dialect).result_processor(dialect, None)
        decode = _meaning(kind) or _remembered(one.type, by_type)
        if decode is None and getattr(one, "name", "") in SHARED:  # an expression may have no name
            decode = _shared
        if decode is not None:
            found.append((place, decode))
    return found


@lru_cache(maxsize=1024, typed=True)
def _shared(stored: Any) -> Any:
    """The same text, once for all rows; what is none as it is."""
    return sys.intern(stored) if isinstance(stored, str) else stored


def _remembered(kind: TypeEngine[Any], process: Codec | None) -> Codec | None:
    """A column type's own codec; a batch has few moments and days, and many rows."""
    if process is None or not isinstance(kind, UtcDateTime | Date):
        return process
    return cast(Codec, lru_cache(maxsize=1024)(process))
