"""Closing prices as they are kept, a day and instrument; a later one of the same day is a revision."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import On, Query, Rows, among, given
from data.tables.close import OfficialClose
from data.vocabulary import CloseSource


class StoredClose(Struct, frozen=True):
    """What an instrument closed at on a day, in paise, and where that is from."""

    day: date
    key: str
    rev: int
    close_paise: int
    source: CloseSource
    at: datetime


_CLOSES = Rows(OfficialClose, StoredClose)
_C = _CLOSES.c
_NEWEST = (
    select(_C.day, _C.key, func.max(_C.rev).label("rev"))
    .where(_C.day == given("day"), among(_C.key, "keys"))
    .group_by(_C.day, _C.key)
    .subquery()
)
_OF_DAY = Query(
    StoredClose,
    select(*_CLOSES.columns()).join_from(
        _CLOSES.table,
        _NEWEST,
        (_NEWEST.c.day == _C.day) & (_NEWEST.c.key == _C.key) & (_NEWEST.c.rev == _C.rev),
    ),
)


async def read_closes(reader: AsyncConnection, day: date, keys: Collection[str]) -> Mapping[str, StoredClose]:
    """The closes of a day that are kept of these instruments, as they stand now."""
    return {one.key: one for one in await _OF_DAY.read(reader, day=day, keys=list(keys))}


def closes_kept(on: On, day: date, keys: Collection[str]) -> Mapping[str, StoredClose]:
    """The same, at once."""
    return {one.key: one for one in _OF_DAY.all(on, day=day, keys=list(keys))}


def keep_closes(on: On, closes: Sequence[StoredClose]) -> None:
    """Keep closes; one of a revision that is there already stands as it is."""
    _CLOSES.add(on, closes)
