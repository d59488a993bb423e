"""Importing the exchange's lists of shares, and lists of the desk's own, which limits and plans go by."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.clock import IST
from data.errors import BadInput
from data.reference.files.share_lists import FileList, read_share_file
from data.reference.phases import Calendar, CalendarNotLoaded
from data.repositories.accounts.limits import StoredShareList, add_list
from data.store import Unit
from engine.book.kept import Kept
from engine.book.reading import limits_now
from engine.book.watched.limit_views import T2T, ShareList
from engine.instances import ThisEngine
from engine.labels import known_label, label_from
from engine.market.market import Market
from engine.timing import Timing

OF_EVENINGS = frozenset({"gsm", "asm_long", "asm_short", "esm", "insolvency", T2T})
"""Lists that the exchange publishes after each trading day, for the next."""

FNO_BAN = "fno_ban"
"""The list that it publishes in the morning, for the day."""

_TOLD = 50
"""Shares that came or went which the audit names."""


class ShareListView(Struct, frozen=True):
    """A list that stands, how many shares it has, how many the desk does not know, and whether it is old."""

    name: str
    as_of: date
    stale: bool
    shares: int
    unknown: int
    file: str
    by: str


class ListImport(Struct, frozen=True):
    """What became of a list: what it has, and what came and went since the list of `before`, if any."""

    name: str
    as_of: date
    shares: int
    unknown: int
    before: date | None
    came: tuple[str, ...]
    gone: tuple[str, ...]


def is_stale(one: ShareList, today: date, calendar: Calendar) -> bool:
    """Whether a list that comes every day is of an earlier one than it should be, on a trading day."""
    if one.name == FNO_BAN:
        return one.as_of < today
    if one.name not in OF_EVENINGS:
        return False
    try:
        return one.as_of < calendar.previous_trading_day(today)
    except CalendarNotLoaded:
        return one.as_of < today


class ShareLists:
    """The lists of shares of a desk. What is not imported anew is kept, and marked where it is too old."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, market: Market) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market = market

    def all(self) -> list[ShareListView]:
        """Every list, by name."""
        today, calendar = self._timing.market.trading_day, self._timing.calendar
        return [
            ShareListView(
                one.name,
                one.as_of,
                is_stale(one, today, calendar),
                len(one.by_symbol),
                sum(not self._knows(symbol) for symbol in one.by_symbol),
                one.file,
                one.by,
            )
            for _, one in sorted(self._kept.book.limits.lists.items())
        ]

    def find(self, name: str) -> ShareList:
        """A list, in any letter case. Raises `BadInput`."""
        lists = self._kept.book.limits.lists
        return lists[known_label(name, "list", list(lists))]

    def _knows(self, symbol: str) -> bool:
        return self._market.index.get(f"NSE:{symbol}") is not None

    async def look(self, path: Path, name: str = "", as_of: date | None = None) -> list[ListImport]:
        """What `take` would do; nothing is written. Raises as that does."""
        lists = self._kept.book.limits.lists
        return [self._import(one, day, lists) for one, day in await self._read(path, name, as_of)]

    async def take(self, path: Path, name: str = "", as_of: date | None = None) -> list[ListImport]:
        """Have lists be what a file says, as of its day, in place of those of before.

        Raises `FileProblem` naming every bad row, `BadInput` for a day that has not come or is before that of
        the list that stands, `OSError`; then nothing has changed.
        """
        made = await self._read(path, name, as_of)
        return await self._engine.write_signed_on(lambda unit: self._keep(unit, made, path.name))

    async def _read(self, path: Path, name: str, as_of: date | None) -> list[tuple[FileList, date]]:
        today = self._timing.market.trading_day
        latest = max(today, self._timing.wall.now().astimezone(IST).date())
        label = label_from(name, "list").casefold() if name else ""
        found = await asyncio.to_thread(read_share_file, path, label)
        made = [(one, as_of or one.as_of or today) for one in found]
        for one, day in made:
            if day > latest:
                raise BadInput("as-of", day.isoformat(), f"give a day up to {latest.isoformat()}")
            standing = self._kept.book.limits.lists.get(one.name)
            if standing is not None and day < standing.as_of:
                words = (
                    f"the {one.name} list that stands is of {standing.as_of.isoformat()}: give one as young"
                )
                raise BadInput("as-of", day.isoformat(), words)
        return made

    def _import(self, one: FileList, day: date, lists: Mapping[str, ShareList]) -> ListImport:
        before = lists.get(one.name)
        had = frozenset[str]() if before is None else frozenset(before.by_symbol)
        has = frozenset(share.symbol for share in one.shares)
        return ListImport(
            one.name,
            day,
            len(has),
            sum(not self._knows(symbol) for symbol in has),
            None if before is None else before.as_of,
            tuple(sorted(has - had)),
            tuple(sorted(had - has)),
        )

    def _keep(self, unit: Unit, made: Sequence[tuple[FileList, date]], file: str) -> list[ListImport]:
        lists = limits_now(unit, self._kept.book.limits).lists
        done: list[ListImport] = []
        for one, day in made:
            imported = self._import(one, day, lists)
            shares = [[share.symbol, share.isin, share.told] for share in one.shares]
            self._add(unit, one.name, day, file, shares, removed=False)
            details = {
                "list": one.name,
                "as_of": day.isoformat(),
                "file": file,
                "shares": imported.shares,
                "before": "none" if imported.before is None else imported.before.isoformat(),
                "came": list(imported.came[:_TOLD]),
                "gone": list(imported.gone[:_TOLD]),
            }
            unit.audit(AuditEntry(AuditAction.LIST_IMPORTED, self._engine.actor, details=details))
            done.append(imported)
        return done

    async def remove(self, name: str) -> None:
        """Have a list be no more. Raises `BadInput` where there is none."""
        found = self.find(name)

        def unit_of_work(unit: Unit) -> None:
            self._add(unit, found.name, found.as_of, found.file, [], removed=True)
            details = {"list": found.name, "as_of": found.as_of.isoformat(), "shares": len(found.by_symbol)}
            unit.audit(AuditEntry(AuditAction.LIST_REMOVED, self._engine.actor, details=details))

        await self._engine.write_signed_on(unit_of_work)

    def _add(
        self, unit: Unit, name: str, as_of: date, file: str, shares: list[list[str]], *, removed: bool
    ) -> None:
        number = unit.take_ids("share_list", 1)[0]
        made = StoredShareList(number, name, as_of, file, shares, removed, self._engine.actor, unit.now)
        add_list(unit, made)
        unit.touched.limits = True
