"""Watchlists as stored: each trader's lists in their order, and the instruments of each in theirs."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Rows, among, given
from data.tables.market import WatchColumns, WatchlistItem, WatchlistRecord


class StoredWatchlist(Struct, frozen=True):
    """A trader's watchlist and its place among theirs."""

    trader: str
    name: str
    position: int


class ListedKey(Struct, frozen=True):
    """An instrument on a trader's list."""

    trader: str
    list_name: str
    key: str
    position: int


class StoredColumns(Struct, frozen=True):
    """The columns that a trader has chosen, with blanks between."""

    trader: str
    columns: str


_CHOSEN = Rows(WatchColumns, StoredColumns)
_EVERY_CHOICE = _CHOSEN.query()
_CLEAR_CHOICE = Change(delete(_CHOSEN.table).where(_CHOSEN.c.trader == given("trader")))
_LISTS, _ITEMS = Rows(WatchlistRecord, StoredWatchlist), Rows(WatchlistItem, ListedKey)
_OF_TRADER = _LISTS.c.trader == given("trader")
_ON_LIST = (_ITEMS.c.trader == given("trader"), _ITEMS.c.list_name == given("name"))
_EVERY_LIST = _LISTS.query(order_by=[_LISTS.c.trader, _LISTS.c.position])
_EVERY_ITEM = _ITEMS.query(order_by=[_ITEMS.c.position])
_LISTS_OF_TRADER = _LISTS.query(_OF_TRADER, order_by=[_LISTS.c.position])
_ITEMS_OF_LIST = _ITEMS.query(*_ON_LIST, order_by=[_ITEMS.c.position])
_WITH_KEYS = _ITEMS.query(among(_ITEMS.c.key, "keys"))
_CLEAR_LISTS = Change(delete(_LISTS.table).where(_OF_TRADER))
_CLEAR_ITEMS = Change(delete(_ITEMS.table).where(*_ON_LIST))


async def read_watchlists(reader: AsyncConnection) -> dict[str, dict[str, list[str]]]:
    """The keys of every list by its trader and name, all in the traders' order."""
    found: dict[str, dict[str, list[str]]] = {}
    for one in await _EVERY_LIST.read(reader):
        found.setdefault(one.trader, {})[one.name] = []
    for one in await _EVERY_ITEM.read(reader):
        found.setdefault(one.trader, {}).setdefault(one.list_name, []).append(one.key)
    return found


def names_of(on: On, trader: str) -> list[str]:
    """A trader's lists, in their order."""
    return [one.name for one in _LISTS_OF_TRADER.all(on, trader=trader)]


def put_names(on: On, trader: str, names: Sequence[str]) -> None:
    """Have a trader's lists be these, in this order; what is on them is another matter."""
    _CLEAR_LISTS.run(on, trader=trader)
    lists = [StoredWatchlist(trader, name, place) for place, name in enumerate(names, start=1)]
    _LISTS.insert(on, lists)


def keys_of(on: On, trader: str, name: str) -> list[str]:
    """What is on a list, in the trader's order."""
    return [one.key for one in _ITEMS_OF_LIST.all(on, trader=trader, name=name)]


def put_keys(on: On, trader: str, name: str, keys: Sequence[str]) -> None:
    """Have these be on a list, in this order, and nothing else."""
    _CLEAR_ITEMS.run(on, trader=trader, name=name)
    _ITEMS.insert(on, [ListedKey(trader, name, key, place) for place, key in enumerate(keys, start=1)])


def hand_on(on: On, trader: str, heir: str) -> None:
    """Have somebody begin with the lists that a trader has, as they stand."""
    names = names_of(on, trader)
    put_names(on, heir, names)
    for name in names:
        put_keys(on, heir, name, keys_of(on, trader, name))


def rename_keys(on: On, moved: Mapping[str, str]) -> None:
    """Let lists have new names in the old places; a name that stands in a list already stays once."""
    for trader, name in {(one.trader, one.list_name): None for one in _WITH_KEYS.all(on, keys=moved)}:
        kept = dict.fromkeys(moved.get(key, key) for key in keys_of(on, trader, name))
        put_keys(on, trader, name, list(kept))


async def read_columns(reader: AsyncConnection) -> dict[str, str]:
    """The columns that each trader has chosen, with blanks between."""
    return {one.trader: one.columns for one in await _EVERY_CHOICE.read(reader)}


def put_columns(on: On, trader: str, columns: str) -> None:
    """Keep the columns that a trader has chosen; empty where they are to be the program's own again."""
    _CLEAR_CHOICE.run(on, trader=trader)
    _CHOSEN.insert(on, [StoredColumns(trader, columns)] if columns else [])
