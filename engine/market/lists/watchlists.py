"""Named watchlists: each trader's own, in the order that they gave to lists and rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.repositories.watchlists import (
    keys_of,
    names_of,
    put_columns,
    put_keys,
    put_names,
    read_columns,
    read_watchlists,
)
from data.store import GateMode, Unit
from data.vocabulary import WatchColumn
from engine.book.kept import Kept
from engine.events import WatchlistChanged
from engine.instances import ThisEngine
from engine.labels import known_label, label_from, same_label
from engine.market.lists.watch_columns import known_columns, words_of
from engine.market.market_data import MarketData

T = TypeVar("T")

DEFAULT = "Watchlist"
"""The list that is there when none was made."""

LONGEST = 500
"""Instruments a list may hold."""

MOST = 50
"""Lists that a trader may have."""


class Watchlists:
    """Makes, orders and fills the lists of whoever acts. What goes on a list that is not there makes it."""

    def __init__(self, kept: Kept, engine: ThisEngine, market_data: MarketData) -> None:
        self._kept = kept
        self._engine = engine
        self._market_data = market_data
        self._lists: dict[str, dict[str, list[str]]] = {}
        self._columns: dict[str, str] = {}

    def names(self) -> list[str]:
        """The lists, in the trader's order."""
        return list(self._mine) or [DEFAULT]

    def keys(self, name: str = DEFAULT) -> list[str]:
        """The instruments of a list, in order."""
        return list(self._mine.get(name, ()))

    def find(self, name: str) -> str:
        """The list of this name in any letter case. Raises `BadInput` with the nearest names."""
        return known_label(name, "watchlist", self.names())

    def or_first(self, name: str) -> str:
        """This list, or the first where there is none of this name."""
        names = self.names()
        return name if name in names else names[0]

    @property
    def _mine(self) -> Mapping[str, Sequence[str]]:
        return self._lists.get(self._engine.actor, {})

    def columns(self) -> tuple[WatchColumn, ...]:
        """The columns that the trader has chosen, in their order; none where they never did."""
        return known_columns(self._columns.get(self._engine.actor, ""))

    async def choose_columns(self, columns: Sequence[WatchColumn]) -> None:
        """Keep the columns that the trader wants to see; none has the program's own again."""
        trader = self._engine.actor

        def unit_of_work(unit: Unit) -> None:
            put_columns(unit, trader, words_of(columns))
            unit.touched.market = True

        await self._write(unit_of_work, self.names()[0])

    # Lists

    async def make(self, name: str) -> str:
        """Make an empty list behind the others; returns its name. Raises `BadInput` for one that is there."""
        name = label_from(name, "watchlist")

        def unit_of_work(unit: Unit) -> None:
            _check_free(name, names_of(unit, self._engine.actor))
            self._made(unit, name)

        await self._write(unit_of_work, name)
        return name

    async def rename(self, name: str, new: str) -> str:
        """Give a list another name in its place; returns that.

        Raises `BadInput` where another list has that name, or another terminal has renamed or deleted this
        one meanwhile.
        """
        before, now = self.find(name), label_from(new, "watchlist")
        trader = self._engine.actor

        def unit_of_work(unit: Unit) -> None:
            keys, names = keys_of(unit, trader, before), _names_now(unit, trader, before)
            _check_free(now, [one for one in names if one != before])
            put_names(unit, trader, [now if one == before else one for one in names])
            put_keys(unit, trader, before, ())
            put_keys(unit, trader, now, keys)
            self._tell(unit, AuditAction.WATCHLIST_RENAMED, list=now, before=before)

        await self._write(unit_of_work, now)
        return now

    async def delete(self, name: str) -> int:
        """Delete a list; returns how many instruments it held. Raises `BadInput` where none has the name."""
        name, trader = self.find(name), self._engine.actor

        def unit_of_work(unit: Unit) -> int:
            keys = keys_of(unit, trader, name)
            put_names(unit, trader, [one for one in names_of(unit, trader) if one != name])
            put_keys(unit, trader, name, ())
            self._tell(unit, AuditAction.WATCHLIST_DELETED, list=name, keys=keys)
            return len(keys)

        return await self._write(unit_of_work, name)

    async def move(self, name: str, by: int) -> int:
        """Move a list by so many places among the lists; returns its place from 1. Raises `BadInput`."""
        name, trader = self.find(name), self._engine.actor

        def unit_of_work(unit: Unit) -> int:
            names = _moved(_names_now(unit, trader, name), name, by)
            put_names(unit, trader, names)
            return names.index(name) + 1

        return await self._write(unit_of_work, name)

    # What is on one

    async def add(self, key: str, name: str = DEFAULT) -> bool:
        """Add an instrument at the end; returns whether it was not there. Raises `BadInput`."""
        return bool(await self.add_all([key], name))

    async def add_all(self, keys: Sequence[str], name: str = DEFAULT) -> list[str]:
        """Add instruments at the end, in this order; returns those that were not there. Raises `BadInput`."""
        wanted = [self._key_of(key) for key in keys]
        _, added = await self._change(name, lambda listed: list(dict.fromkeys([*listed, *wanted])))
        return added

    async def remove(self, key: str, name: str = DEFAULT) -> bool:
        """Take an instrument off a list; returns whether it was there. Raises `BadInput`."""
        return bool(await self.remove_all([key], name))

    async def remove_all(self, keys: Sequence[str], name: str = DEFAULT) -> list[str]:
        """Take instruments off a list; returns those that were there. Raises `BadInput`."""
        gone = {self.key_on(key, name) for key in keys}
        removed, _ = await self._change(name, lambda listed: [key for key in listed if key not in gone])
        return removed

    async def replace(self, keys: Sequence[str], name: str = DEFAULT) -> tuple[list[str], list[str]]:
        """Have these be on a list and nothing else; returns what went and what came. Raises `BadInput`."""
        wanted = list(dict.fromkeys(self._key_of(key) for key in keys))
        return await self._change(name, lambda _: wanted)

    async def move_row(self, key: str, by: int, name: str = DEFAULT) -> int:
        """Move an instrument by so many places on its list; returns its place from 1. Raises `BadInput`."""
        name = same_label(name, self.names()) or name
        key = self.key_on(key, name)
        if key not in self.keys(name):
            raise BadInput("symbol", key, f"it is not on the watchlist {name}")
        await self._change(name, lambda listed: _moved(listed, key, by))
        return self.keys(name).index(key) + 1

    def key_on(self, key: str, name: str) -> str:
        """The key of what stands on a list, though it be listed no more. Raises `BadInput`."""
        listed = self.keys(same_label(name, self.names()) or name)
        return next(
            (one for one in listed if key.upper() in (one, one.partition(":")[2])), ""
        ) or self._key_of(key)

    def _key_of(self, key: str) -> str:
        index = self._market_data.index
        return (index.get(key) or index.resolve(key)).key

    async def _change(
        self, name: str, change: Callable[[list[str]], list[str]]
    ) -> tuple[list[str], list[str]]:
        """Have a list hold what `change` makes of it; returns what went and what came."""
        name, trader = same_label(name, self.names()) or label_from(name, "watchlist"), self._engine.actor

        def unit_of_work(unit: Unit) -> tuple[list[str], list[str]]:
            before = keys_of(unit, trader, name)
            after = change(before)
            if len(after) > LONGEST:
                raise BadInput("watchlist", name, f"it may hold {LONGEST} instruments, not {len(after)}")
            if name not in names_of(unit, trader):
                self._made(unit, name)
            if after != before:
                put_keys(unit, trader, name, after)
            gone = [key for key in before if key not in set(after)]
            came = [key for key in after if key not in set(before)]
            if gone:
                self._tell(unit, AuditAction.WATCHLIST_REMOVED, list=name, keys=gone)
            if came:
                self._tell(unit, AuditAction.WATCHLIST_ADDED, list=name, keys=came)
            unit.touched.market = True
            return gone, came

        return await self._write(unit_of_work, name)

    # Writing

    def _made(self, unit: Unit, name: str) -> None:
        trader = self._engine.actor
        names = names_of(unit, trader)
        if len(names) >= MOST:
            raise BadInput("watchlist", name, f"there are {MOST} lists, the most there may be: delete one")
        put_names(unit, trader, [*names, name])
        self._tell(unit, AuditAction.WATCHLIST_MADE, list=name)

    def _tell(self, unit: Unit, action: AuditAction, **details: object) -> None:
        unit.audit(AuditEntry(action, self._engine.actor, details=details))
        unit.touched.market = True

    async def _write(self, unit_of_work: Callable[[Unit], T], name: str) -> T:
        result = await self._kept.store.write(unit_of_work, GateMode.ALONE)
        await self.load()
        self._kept.bus.publish([WatchlistChanged(name)])
        return result

    # Reading

    def renamed(self, moved: Mapping[str, str]) -> None:
        """Show the new names of instruments, as the tables have them already."""
        for lists in self._lists.values():
            for name, keys in lists.items():
                if not moved.keys().isdisjoint(keys):
                    lists[name] = list(dict.fromkeys(moved.get(key, key) for key in keys))
                    self._kept.bus.publish([WatchlistChanged(name)])

    async def load(self) -> None:
        """Read the lists, and which columns were chosen for them."""
        async with self._kept.store.reader() as connection:
            self._lists = await read_watchlists(connection)
            self._columns = await read_columns(connection)


def _check_free(name: str, names: Sequence[str]) -> None:
    """Refuse a name that one of these lists has, in any letter case. Raises `BadInput`."""
    taken = same_label(name, names)
    if taken is not None:
        raise BadInput("watchlist", name, f"there is {taken} already: give another name")


def _names_now(unit: Unit, trader: str, name: str) -> list[str]:
    """The stored lists, `name` among them; one that is there without being made is the only one.

    Raises `BadInput` where another terminal has deleted or renamed it meanwhile.
    """
    names = names_of(unit, trader) or [DEFAULT]
    if name not in names:
        raise BadInput("watchlist", name, f"it is gone meanwhile; there are {', '.join(names)}")
    return names


def _moved(order: Sequence[str], one: str, by: int) -> list[str]:
    """The same in an order in which one has moved by so many places, as far as there are any."""
    others = [each for each in order if each != one]
    place = max(0, min(list(order).index(one) + by, len(others)))
    return [*others[:place], one, *others[place:]]
