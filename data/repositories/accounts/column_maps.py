"""Which column of a trader's own files is what, as it is stored."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import delete

from data.repositories.base import Change, On, Rows, given
from data.tables.books import ColumnMap


class ColumnMapRow(Struct, frozen=True):
    """The columns of files of a kind with these headers."""

    kind: str
    headers: str
    columns: dict[str, str]
    made_by: str
    made_at: datetime
    name: str = ""


_MAPS = Rows(ColumnMap, ColumnMapRow)
_OF = (_MAPS.c.kind == given("kind"), _MAPS.c.headers == given("headers"))
_ONE = _MAPS.query(*_OF)
_KIND = _MAPS.query(_MAPS.c.kind == given("kind"))
_FORGET = Change(delete(_MAPS.table).where(*_OF))


def column_map(on: On, kind: str, headers: str) -> ColumnMapRow | None:
    """What was kept for files of a kind with these headers."""
    return _ONE.first(on, kind=kind, headers=headers)


def column_maps(on: On, kind: str) -> list[ColumnMapRow]:
    """All that were kept for files of a kind, by name."""
    return sorted(_KIND.all(on, kind=kind), key=lambda row: (row.name.casefold(), row.made_at))


def forget_column_map(on: On, kind: str, headers: str) -> None:
    """Keep what there is for files with these headers no longer."""
    _FORGET.run(on, kind=kind, headers=headers)


def keep_column_map(on: On, row: ColumnMapRow) -> None:
    """Keep it in place of what there was."""
    forget_column_map(on, row.kind, row.headers)
    _MAPS.insert(on, [row])
