"""Limits before the order and the lists of shares that they name, as stored: the newest of each counts."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import func, select

from data.records import replace
from data.repositories.base import On, Query, Rows
from data.tables.limits import LimitRecord, ShareListRecord
from data.vocabulary import LimitKind, LimitScope, LimitStrength
from data.writing.unit import Unit


class StoredOrderLimit(Struct, frozen=True):
    """A limit as it was set, or where it was `removed` that there is none any more.

    `whose` is a client's number or a group's name, `figure` in paise, basis points or a count.
    """

    number: int
    scope: LimitScope
    whose: str
    kind: LimitKind
    list_name: str
    strength: LimitStrength
    figure: int | None
    removed: bool
    by: str
    at: datetime


class StoredShareList(Struct, frozen=True):
    """A list of shares as of a day, or where it was `removed` that there is none of its name any more.

    Each of `shares` is a symbol, an ISIN or nothing, and what the list says of the share.
    """

    number: int
    name: str
    as_of: date
    file: str
    shares: list[list[Any]]
    removed: bool
    by: str
    at: datetime


_LIMITS, _LISTS = Rows(LimitRecord, StoredOrderLimit), Rows(ShareListRecord, StoredShareList)
_PLACE = (_LIMITS.c.scope, _LIMITS.c.whose, _LIMITS.c.kind, _LIMITS.c.list_name, _LIMITS.c.strength)
_STANDING = _LIMITS.query(
    _LIMITS.c.number.in_(select(func.max(_LIMITS.c.number)).group_by(*_PLACE)),
    _LIMITS.c.removed.is_(False),
    order_by=[_LIMITS.c.number],
)
_NEWEST = _LISTS.query(
    _LISTS.c.number.in_(select(func.max(_LISTS.c.number)).group_by(_LISTS.c.name)),
    _LISTS.c.removed.is_(False),
    order_by=[_LISTS.c.name],
)
_LAST_LIMIT = Query(int, select(func.coalesce(func.max(_LIMITS.c.number), 0)))
_LAST_LIST = Query(int, select(func.coalesce(func.max(_LISTS.c.number), 0)))


def standing_limits(on: On) -> list[StoredOrderLimit]:
    """The limits that are set, the oldest first."""
    return _STANDING.all(on)


def standing_lists(on: On) -> list[StoredShareList]:
    """The newest list of each name."""
    return _NEWEST.all(on)


def limits_version(on: On) -> tuple[int, int]:
    """The numbers of what was written last of limits and of lists: any change raises one."""
    return _LAST_LIMIT.all(on)[0], _LAST_LIST.all(on)[0]


def add_limits(on: On, limits: Sequence[StoredOrderLimit]) -> None:
    """Keep limits as they were set or taken away."""
    _LIMITS.insert(on, limits)


def limits_of_group(on: On, name: str) -> list[StoredOrderLimit]:
    """The limits that are set for a group."""
    return [one for one in _STANDING.all(on) if (one.scope, one.whose) == (LimitScope.GROUP, name)]


def rename_group(unit: Unit, name: str, new: str, by: str) -> None:
    """Let the limits of a group be of the name that it has now."""
    for one in limits_of_group(unit, name):
        gone, kept = unit.take_ids("limit", 2)
        told = {"by": by, "at": unit.now}
        add_limits(unit, [replace(one, number=gone, removed=True, **told)])
        add_limits(unit, [replace(one, number=kept, whose=new, **told)])
        unit.touched.limits = True


def add_list(on: On, made: StoredShareList) -> None:
    """Keep a list as it was imported or taken away."""
    _LISTS.insert(on, [made])
