"""Named watchlists, in the trader's own order."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.repositories.watchlists import add_key, read_lists, remove_key
from data.store import Unit
from engine.book.kept import Kept
from engine.events import WatchlistChanged
from engine.instances import ThisEngine
from engine.market.market_data import MarketData

DEFAULT = "Watchlist"
"""The list that is there when none was made."""

LONGEST = 500
"""Instruments a list may hold."""


class Watchlist:
    """Adds to, removes from and lists the trader's watchlists."""

    def __init__(self, kept: Kept, engine: ThisEngine, market_data: MarketData) -> None:
        self._kept = kept
        self._engine = engine
        self._market_data = market_data
        self._lists: dict[str, list[str]] = {}

    def names(self) -> list[str]:
        """The lists, in the order they were made."""
        return list(self._lists) or [DEFAULT]

    def keys(self, name: str = DEFAULT) -> list[str]:
        """The instruments of a list, in order."""
        return list(self._lists.get(name, ()))

    async def add(self, key: str, name: str = DEFAULT) -> bool:
        """Add an instrument at the end; returns whether it was not there. Raises `BadInput`."""
        return await self.add_all([key], name) > 0

    async def add_all(self, keys: Sequence[str], name: str = DEFAULT) -> int:
        """Add instruments at the end, in this order; returns how many were not there. Raises `BadInput`."""
        index = self._market_data.index
        wanted = [(index.get(key) or index.resolve(key)).key for key in keys]
        if len(self.keys(name)) + len(wanted) > LONGEST:
            raise BadInput("watchlist", name, f"it holds {LONGEST} instruments already; remove some first")

        def unit_of_work(unit: Unit) -> int:
            added = [key for key in wanted if add_key(unit, name, key)]
            for key in added:
                self._tell(unit, AuditAction.WATCHLIST_ADDED, name, key)
            return len(added)

        added = await self._kept.store.write(unit_of_work)
        await self.load()
        self._kept.bus.publish([WatchlistChanged(name)])
        return added

    async def remove(self, key: str, name: str = DEFAULT) -> bool:
        """Take an instrument off a list; returns whether it was there. Raises `BadInput`."""
        instrument = self._market_data.index.get(key) or self._market_data.index.resolve(key)

        def unit_of_work(unit: Unit) -> bool:
            gone = remove_key(unit, name, instrument.key)
            if gone:
                self._tell(unit, AuditAction.WATCHLIST_REMOVED, name, instrument.key)
            return gone

        removed = await self._kept.store.write(unit_of_work)
        await self.load()
        self._kept.bus.publish([WatchlistChanged(name)])
        return removed

    def _tell(self, unit: Unit, action: AuditAction, name: str, key: str) -> None:
        unit.audit(AuditEntry(action, self._engine.actor, details={"list": name, "key": key}))
        unit.touched.market = True

    def rename(self, moved: Mapping[str, str]) -> None:
        """Show the new names, as the tables have them already."""
        for name, keys in list(self._lists.items()):
            if not moved.keys().isdisjoint(keys):
                self._lists[name] = list(dict.fromkeys(moved.get(key, key) for key in keys))
                self._kept.bus.publish([WatchlistChanged(name)])

    async def load(self) -> None:
        """Read the lists."""
        lists: dict[str, list[str]] = defaultdict(list)
        async with self._kept.store.reader() as connection:
            for one in await read_lists(connection):
                lists[one.list_name].append(one.key)
        self._lists = dict(lists)
