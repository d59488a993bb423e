"""Brokers' instrument dumps: each read once a trading day; yesterday's stays where today's cannot be had."""

import asyncio
from collections.abc import Collection, Iterable
from datetime import date

from msgspec import Struct

from brokers.connection import Connection
from brokers.contract import BrokerError, InstrumentRow
from data.reference.instruments import (
    EXCHANGES,
    TRADE_TO_TRADE_SERIES,
    BrokerInstrument,
    BrokerListing,
    series_of,
)
from data.reference.names import Rename
from data.repositories.base import Reader
from data.repositories.listings import listings_of, true_to_names
from data.repositories.meta import INSTRUMENTS_DAY, keep_day, read_day
from data.store import Store
from engine.book.kept import Kept
from engine.events import TapeLine
from engine.market.market import Market
from engine.market.venues import Venues
from engine.news import InstrumentsRead
from engine.timing import Timing

LEAST_SHARE = 0.9
"""A dump with fewer than this part of what was known is taken for one that was cut short."""

AGAIN_S = 60.0
"""How long after a dump that could not be read a sign-in has it asked for again."""


class DumpReport(Struct, frozen=True):
    """What a broker's dump brought: how many instruments of which day, and which symbols came or went.

    `unread` says of each odd row what is wrong with it. With a `problem` nothing was read; `day` is then that
    of the instruments which were kept, None if there are none.
    """

    broker: str
    day: date | None
    count: int
    added: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    problem: str = ""
    unread: tuple[str, ...] = ()
    renamed: tuple[Rename, ...] = ()

    @property
    def news(self) -> InstrumentsRead:
        """What the tape tells of it."""
        return InstrumentsRead(
            broker=self.broker,
            day=self.day,
            count=self.count,
            added=len(self.added),
            gone=len(self.gone),
            renamed=len(self.renamed),
            unread=self.unread,
            problem=self.problem,
        )


async def instruments_day(store: Store, broker: str) -> date | None:
    """The trading day whose dump of a broker is stored; None where none was read."""
    async with store.reader() as connection:
        return await read_day(connection, _day_of(broker))


def _day_of(broker: str) -> str:
    return f"{INSTRUMENTS_DAY}:{broker}"


class InstrumentDump:
    """Keeps the instruments those of the day's dump, and what each broker lists of them."""

    def __init__(self, kept: Kept, timing: Timing, venues: Venues, market: Market) -> None:
        self._kept = kept
        self._timing = timing
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._market = market
        self._reading, self._catching_up = asyncio.Lock(), asyncio.Lock()
        self._again_at: dict[str, float] = {}

    async def refresh(self, again: bool = False, of: Connection | None = None) -> DumpReport | None:
        """Read today's dump of a connection, the feed's unless said; None where it was read before.

        Kite makes it once a day and asks to fetch it in the morning (Kite Connect documentation,
        instruments). The feed's says what there is, so that it is read first; what came of that is returned
        where it cannot be had. Another's says under which token its broker lists that, and what it alone has.
        A symbol that is gone stays known while a client holds it.
        """
        feed = self._market_data.feed
        async with self._reading:
            if of is None or of is feed:
                return await self._read(feed, again)
            first = None if feed.capabilities.lists_all else await self._read(feed, again=False)
            return first if first is not None and first.problem else await self._read(of, again)

    async def catch_up(self) -> None:
        """Read today's dump of each connection whose broker tells it by now, the feed's first.

        For a desk that does not keep up, after a sign-in. What failed is asked for again after `AGAIN_S` at
        the soonest. Raises `StoreError`.
        """
        async with self._catching_up:
            feed = self._market_data.feed
            for one in (feed, *(one for one in self._connections if one is not feed)):
                listed = one.capabilities.lists_all or await self._caught_up(one)
                if one is feed and not listed:
                    return

    async def _caught_up(self, connection: Connection) -> bool:
        """Whether today's dump of a connection is stored, after it was asked for where that may be."""
        broker, now = connection.broker.name, self._timing.wall.monotonic()
        if await instruments_day(self._kept.store, broker) == self._timing.market.trading_day:
            return True
        if now < self._again_at.get(broker, now) or not connection.life.tells_instruments():
            return False
        self._again_at[broker] = now + AGAIN_S
        report = await self.refresh(of=connection)
        return report is None or not report.problem

    async def _read(self, connection: Connection, again: bool) -> DumpReport | None:
        broker, store = connection.broker, self._kept.store
        today, known = self._timing.market.trading_day, await instruments_day(store, broker.name)
        if known == today and not again:
            return None
        before = await self._known(connection)
        try:
            rows = await broker.instruments()
            found = list(instruments_of(rows))
            if len(found) < LEAST_SHARE * len(before):
                raise BrokerError(
                    f"it holds {len(found):,} shares and indices where there were {len(before):,}"
                )
            if not found:
                raise BrokerError("it holds no share of NSE or BSE")
        except BrokerError as problem:
            report = DumpReport(broker.name, known, len(before), problem=str(problem))
        else:
            unread = tuple(row.words for row in rows.unread)
            take = self._take if connection is self._market_data.feed else self._list
            report = await take(broker.name, today, found, unread)
            await store.write(lambda unit: keep_day(unit, _day_of(broker.name), today))
        self._kept.bus.publish([TapeLine(self._timing.wall.now(), report.news)])
        return report

    async def _known(self, connection: Connection) -> Collection[str]:
        """The keys of what its broker may list: of the feed's all there is but for what others list alone."""
        listed = await self._listed(connection.broker.name)
        if connection is not self._market_data.feed:
            return listed
        elsewhere = await self._listed_elsewhere()
        return [one.key for one in self._market_data.index if one.key in listed or one.key not in elsewhere]

    async def _listed_elsewhere(self) -> set[str]:
        """The keys of what brokers of other connections list."""
        found = set[str]()
        for one in self._connections:
            if one is not self._market_data.feed and not one.capabilities.lists_all:
                found |= await self._listed(one.broker.name)
        return found

    async def _listed(self, broker: str) -> set[str]:
        def listed(reader: Reader) -> list[BrokerListing]:
            return true_to_names(reader, listings_of(reader, broker))

        return {one.key for one in await self._kept.store.read_aside(listed)}

    async def _take(
        self, broker: str, today: date, found: list[BrokerInstrument], unread: tuple[str, ...]
    ) -> DumpReport:
        before = {one.key: one for one in self._market_data.index}
        now = {one.key for one in found}
        held = {held.security for holdings in self._kept.book.holdings.values() for held in holdings}
        # A row that could not be read may be that of any symbol: with one, none is proven gone.
        missing = set[str]() if unread else before.keys() - now
        others = missing & await self._listed_elsewhere()
        gone = [before[key] for key in missing - others if before[key].security not in held]
        source = f"{broker} {today}"
        taken = await self._market.store_instruments(found, source, gone, not unread, unlisted=others)
        old, new = ({getattr(one, name) for one in taken.renames} for name in ("key_before", "key"))
        added, off = now - before.keys() - new, {one.key for one in gone} - old
        return DumpReport(
            broker,
            today,
            taken.count,
            tuple(sorted(added)),
            tuple(sorted(off)),
            unread=unread,
            renamed=taken.renames,
        )

    async def _list(
        self, broker: str, today: date, found: list[BrokerInstrument], unread: tuple[str, ...]
    ) -> DumpReport:
        before = await self._listed(broker)
        count = await self._market.store_listings(found, f"{broker} {today}", broker, complete=not unread)
        now = await self._listed(broker)
        added, gone = sorted(now - before), sorted(before - now)
        return DumpReport(broker, today, count, tuple(added), tuple(gone), unread=unread)


def instruments_of(rows: Iterable[InstrumentRow]) -> Iterable[BrokerInstrument]:
    """The shares and indices of NSE and BSE in a dump."""
    for row in rows:
        index = row.segment == "INDICES"
        if row.exchange not in EXCHANGES or row.instrument_type != "EQ":
            continue
        series = row.series or series_of(row.exchange, row.tradingsymbol, index)
        yield BrokerInstrument(
            token=row.token,
            exchange=row.exchange,
            tradingsymbol=row.tradingsymbol,
            name=row.name or row.tradingsymbol,
            tick_paise=row.tick_paise or 1,
            lot_size=max(1, row.lot_size),
            isin=row.isin,
            segment=row.segment,
            series=series,
            trade_to_trade=series in TRADE_TO_TRADE_SERIES,
            prev_close_paise=row.last_paise,
        )
