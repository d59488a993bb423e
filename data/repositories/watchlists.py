"""Watchlists as stored: instruments by list, each with its place."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Rows, among, given
from data.tables.market import WatchlistItem


@dataclass(frozen=True, slots=True)
class ListedKey:
    """An instrument on a list."""

    list_name: str
    key: str
    position: int


_ITEMS = Rows(WatchlistItem, ListedKey)
_HERE = _ITEMS.c.list_name == given("list")
_IN_ORDER = [_ITEMS.c.list_name, _ITEMS.c.position]
_EVERY = _ITEMS.query(order_by=_IN_ORDER)
_OF_LIST = _ITEMS.query(_HERE, order_by=_IN_ORDER)
_WITH_KEYS = _ITEMS.query(among(_ITEMS.c.key, "keys"))
_REMOVE = Change(
    delete(_ITEMS.table).where(_ITEMS.c.list_name == given("list"), _ITEMS.c.key == given("key"))
)
_CLEAR = Change(delete(_ITEMS.table).where(_ITEMS.c.list_name == given("list")))


async def read_lists(reader: AsyncConnection) -> list[ListedKey]:
    """All lists, by name, each in the trader's order."""
    return await _EVERY.read(reader)


def add_key(on: On, name: str, key: str) -> bool:
    """Put an instrument at a list's end; returns whether it was not there."""
    listed = _OF_LIST.all(on, list=name)
    if any(one.key == key for one in listed):
        return False
    _ITEMS.insert(on, [ListedKey(name, key, listed[-1].position + 1 if listed else 1)])
    return True


def remove_key(on: On, name: str, key: str) -> bool:
    """Take an instrument off a list; returns whether it was there."""
    return _REMOVE.run(on, list=name, key=key) > 0


def rename_keys(on: On, moved: Mapping[str, str]) -> None:
    """Let lists have new names in the old places; a name that stands in a list already stays once."""
    for name in {one.list_name: None for one in _WITH_KEYS.all(on, keys=moved)}:
        kept: dict[str, int] = {}
        for one in _OF_LIST.all(on, list=name):
            kept.setdefault(moved.get(one.key, one.key), one.position)
        _CLEAR.run(on, list=name)
        _ITEMS.insert(on, [ListedKey(name, key, position) for key, position in kept.items()])
