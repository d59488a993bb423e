"""The broker's instrument dump: read once a trading day; yesterday's stays where today's cannot be had."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from brokers.contract import BrokerError, InstrumentRow
from data.reference.instruments import EXCHANGES, TRADE_TO_TRADE_SERIES, BrokerInstrument, series_of
from data.reference.names import Rename
from data.repositories.meta import INSTRUMENTS_DAY, keep_day, read_day
from data.store import Store
from engine.book.kept import Kept
from engine.events import TapeLine
from engine.market.market import Market
from engine.market.market_data import MarketData
from engine.news import InstrumentsRead
from engine.timing import Timing

LEAST_SHARE = 0.9
"""A dump with fewer than this part of what was known is taken for one that was cut short."""


@dataclass(frozen=True, slots=True)
class DumpReport:
    """What a dump brought: how many instruments of which day, and which symbols came or went.

    `unread` says of each odd row what is wrong with it. With a `problem` nothing was read; `day` is then that
    of the instruments which were kept, None if there are none.
    """

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
            day=self.day,
            count=self.count,
            added=len(self.added),
            gone=len(self.gone),
            renamed=len(self.renamed),
            unread=self.unread,
            problem=self.problem,
        )


async def instruments_day(store: Store) -> date | None:
    """The trading day whose dump is stored; None where none was read."""
    async with store.reader() as connection:
        return await read_day(connection, INSTRUMENTS_DAY)


class InstrumentDump:
    """Keeps the instruments those of the day's dump."""

    def __init__(self, kept: Kept, timing: Timing, market_data: MarketData, market: Market) -> None:
        self._kept = kept
        self._timing = timing
        self._market_data = market_data
        self._market = market

    async def refresh(self, again: bool = False) -> DumpReport | None:
        """Read today's dump from the feed's broker, if it was not read before; None where it was.

        Kite makes it once a day and asks to fetch it in the morning (Kite Connect documentation,
        instruments).
        A symbol that is gone stays known while a client holds it.
        """
        index = self._market_data.index
        today, known = self._timing.market.trading_day, await instruments_day(self._kept.store)
        if known == today and not again:
            return None
        try:
            rows = await self._market_data.feed.broker.instruments()
            found = list(instruments_of(rows))
            if len(found) < LEAST_SHARE * len(index):
                raise BrokerError(
                    f"it holds {len(found):,} shares and indices where there were {len(index):,}"
                )
            if not found:
                raise BrokerError("it holds no share of NSE or BSE")
        except BrokerError as problem:
            report = DumpReport(known, len(index), problem=str(problem))
        else:
            report = await self._take(found, today, tuple(row.words for row in rows.unread))
        self._kept.bus.publish([TapeLine(self._timing.wall.now(), report.news)])
        return report

    async def _take(self, found: list[BrokerInstrument], today: date, unread: tuple[str, ...]) -> DumpReport:
        before = {one.key: one for one in self._market_data.index}
        now = {one.key for one in found}
        held = {held.security for holdings in self._kept.book.holdings.values() for held in holdings}
        # A row that could not be read may be that of any symbol: with one, none is proven gone.
        missing = () if unread else before.keys() - now
        gone = [before[key] for key in missing if before[key].security not in held]
        source = f"{self._market_data.feed.broker.name} {today}"
        taken = await self._market.store_instruments(found, source, gone, complete=not unread)
        await self._kept.store.write(lambda unit: keep_day(unit, INSTRUMENTS_DAY, today))
        old, new = ({getattr(one, name) for one in taken.renames} for name in ("key_before", "key"))
        added, off = now - before.keys() - new, {one.key for one in gone} - old
        return DumpReport(
            today, taken.count, tuple(sorted(added)), tuple(sorted(off)), unread=unread, renamed=taken.renames
        )


def instruments_of(rows: Iterable[InstrumentRow]) -> Iterable[BrokerInstrument]:
    """The shares and indices of NSE and BSE in a dump."""
    for row in rows:
        index = row.segment == "INDICES"
        if row.exchange not in EXCHANGES or row.instrument_type != "EQ":
            continue
        series = series_of(row.exchange, row.tradingsymbol, index)
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
