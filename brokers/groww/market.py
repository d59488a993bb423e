"""The market as Groww tells it: the instruments' file, quotes one by one, last prices by the fifty."""

import asyncio
import logging
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp

from brokers.contract import (
    Bar,
    BarSpan,
    BrokerAccount,
    BrokerError,
    BrokerRows,
    InstrumentRow,
    SessionExpired,
    Tick,
)
from brokers.groww.answers.market import lasts_of, tick_of
from brokers.groww.answers.rows import CASH, GrowwRow
from brokers.groww.calls import GrowwCalls
from brokers.groww.instruments import FILE, read_dump
from brokers.groww.listings import GrowwListings, Listed, listed_of
from brokers.groww.streaming.stream import GrowwStream
from brokers.meter import CallEnd, CallKind
from brokers.wire.calls import Call
from brokers.wire.candles import candles_of, stretches
from brokers.wire.outcomes import BAD_INPUT
from brokers.wire.reading import Reading
from brokers.wire.ticks import TickDoubts
from data.clock import IST, Clock

log = logging.getLogger(__name__)

LASTS_PER_CALL = 50
"""Groww Trading API documentation, live data."""

QUOTED_ONE_BY_ONE = 20
"""So many at most are quoted in full when asked for at once, two seconds of the budget; of more the last
price."""

FILL_EVERY_S = 0.3
"""How far apart the quotes are that tell bands, so that most of the budget is left for whoever waits."""

DUMP_WAIT_S = 120.0

_SPANS = {
    BarSpan.MINUTE: ("1minute", timedelta(days=28)),
    BarSpan.FIVE: ("5minute", timedelta(days=28)),
    BarSpan.FIFTEEN: ("15minute", timedelta(days=88)),
    BarSpan.DAY: ("1day", timedelta(days=178)),
}
"""Groww's words for the spans of bars, and for how long one call may ask (backtesting, historical
candles)."""


class GrowwMarket:
    """Reads the market by the session of the account that is followed first.

    Prices have a budget of their own (`reading`), bars that of every other read (`reads`).
    """

    def __init__(
        self,
        calls: GrowwCalls,
        reading: Reading,
        reads: Reading,
        listings: GrowwListings,
        stream: GrowwStream,
        clock: Clock,
    ) -> None:
        self._calls = calls
        self._reading = reading
        self._reads = reads
        self._listings = listings
        self._stream = stream
        self._clock = clock
        self._listed = False
        self._learning = asyncio.Lock()
        self._filling: set[asyncio.Task[None]] = set()
        self.account: BrokerAccount | None = None
        self.ticks = TickDoubts("Groww", self.quotes, clock)
        stream.poll_lasts = self.lasts
        stream.on_carried = self._carried
        stream.quote = self._requote

    # --- the instruments' file ----------------------------------------------------------------------------

    async def instruments(self) -> BrokerRows[InstrumentRow]:
        """NSE and BSE shares and indices. Raises `BrokerError` for a file that is damaged or cut short."""
        began = self._clock.monotonic()
        with tempfile.TemporaryDirectory(prefix="groww-") as folder:
            path = Path(folder) / "instrument.csv"
            end = CallEnd.FAILED
            try:
                await self._download(path)
                end = CallEnd.ANSWERED
            finally:
                self._calls.meter.note(CallKind.INSTRUMENTS, self._clock.monotonic() - began, end)
            dump = await asyncio.to_thread(read_dump, path)
        self._stream.days.clear()  # another day has other bands and closes
        self._listed = True
        self._listings.told(_told(dump.rows))
        self.ticks.take(dump)
        return dump.rows

    async def _download(self, path: Path) -> None:
        address = f"{self._calls.roots.instruments}{FILE}"
        timeout = aiohttp.ClientTimeout(total=DUMP_WAIT_S, sock_connect=self._calls.waits.connect_s)
        try:
            async with self._calls.ways.session().get(address, timeout=timeout) as answer:
                if answer.status != 200:
                    raise BrokerError(f"Groww's instruments: status {answer.status}", str(answer.status))
                with path.open("wb") as file:
                    async for part in answer.content.iter_chunked(1 << 18):
                        file.write(part)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise BrokerError(f"Groww's instruments cannot be had ({type(error).__name__})") from None

    # --- quotes -------------------------------------------------------------------------------------------

    async def quotes(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """The market now. Unknown keys are missing.

        Groww quotes one instrument a call. Of more than a few the last prices are asked for, and the rest is
        as the day's quotes told it: the close before, the band, and no book.
        """
        listed = await self.learned(keys)
        if len(listed) > QUOTED_ONE_BY_ONE:
            asked_at = self._clock.now()
            lasts = await self.lasts(listed)
            return {key: self._stream.polled(key, last, asked_at) for key, last in lasts.items()}
        account = self._account() if listed else None
        asked = [self._quote(account, key, one) for key, one in listed.items() if account is not None]
        found = [tick for tick in await asyncio.gather(*asked) if tick is not None]
        return {tick.key: tick for tick in found}

    async def quote_now(self, account: BrokerAccount, key: str) -> Tick:
        """One instrument as an account sees it now. Raises `BrokerError`, also where it has no price."""
        listed = self._listings.of([key]).get(key)
        tick = None if listed is None else await self._quote(account, key, listed)
        if tick is None or not tick.last_paise:
            raise BrokerError(f"Groww tells no price of {key}", "no_price")
        return tick

    async def _quote(self, account: BrokerAccount, key: str, listed: Listed) -> Tick | None:
        """A full quote; None where it is odd, which is logged, or where Groww knows of no such symbol."""
        query = {"exchange": listed.exchange, "segment": CASH, "trading_symbol": listed.symbol}
        call = Call(CallKind.QUOTES, "GET", "/v1/live-data/quote", query=query)
        try:
            asked_at = self._clock.now()
            tick = tick_of(key, await self._reading.answer(account, call), self._clock.now())
        except BrokerError as error:
            if error.code not in (BAD_INPUT, "bad_row"):
                raise
            log.warning("a quote is left out: %s", error)
            return None
        self._stream.quoted(tick, asked_at)
        return tick

    async def lasts(self, listed: Mapping[str, Listed]) -> dict[str, int]:
        """Last prices in paise by the desk's keys, fifty a call; what has none is missing."""
        found: dict[str, int] = {}
        wanted = list(listed.items())
        for start in range(0, len(wanted), LASTS_PER_CALL):
            some = {one.quoted: key for key, one in wanted[start : start + LASTS_PER_CALL]}
            query = {"segment": CASH, "exchange_symbols": ",".join(some)}
            call = Call(CallKind.QUOTES, "GET", "/v1/live-data/ltp", query=query)
            told = lasts_of(await self._reading.answer(self._account(), call))
            found.update((some[name], last) for name, last in told.items() if name in some)
        return found

    async def lasts_of_keys(self, keys: Collection[str]) -> Mapping[str, int]:
        """Last prices in paise of these keys: as they are known of today, else asked for."""
        known = {key: tick.last_paise for key in keys if (tick := self._stream.days.get(key)) is not None}
        left = [key for key in keys if key not in known]
        if left and self.account is not None:
            known |= await self.lasts(self._listings.of(left))
        return known

    async def bars(self, key: str, span: BarSpan, since: datetime, until: datetime) -> list[Bar]:
        """An instrument's bars in this stretch; none of one that Groww does not list. Raises
        `BrokerError`."""
        listed = (await self.learned([key])).get(key)
        if listed is None:
            return []
        interval, most = _SPANS[span]
        found: dict[datetime, Bar] = {}
        first, last = since.astimezone(IST).date(), until.astimezone(IST).date()
        for begins, ends in stretches(first, last, most):
            query = {
                "exchange": listed.exchange,
                "segment": CASH,
                "groww_symbol": f"{listed.exchange}-{listed.symbol}",
                "start_time": f"{begins} 00:00:00",
                "end_time": f"{ends} 23:59:59",
                "candle_interval": interval,
            }
            call = Call(CallKind.HISTORY, "GET", "/v1/historical/candles", query=query)
            answer = await self._reads.answer(self._account(), call)
            found.update((bar.at, bar) for bar in candles_of(GrowwRow, answer))
        return [found[at] for at in sorted(found) if since <= at <= until]

    # --- the feed -----------------------------------------------------------------------------------------

    async def subscribe(self, keys: Collection[str]) -> None:
        """Replace the set of instruments the feed carries; what Groww does not list is left out.

        Raises `BrokerError`.
        """
        await self._stream.subscribe(await self.learned(keys))

    def _carried(self, keys: Collection[str]) -> None:
        task = asyncio.get_running_loop().create_task(self._price(keys))
        self._filling.add(task)
        task.add_done_callback(self._filling.discard)

    async def _price(self, keys: Collection[str]) -> None:
        """Ask what instruments stand at, which the feed tells by no word of its own until that changes.

        Of more than a few the last prices come first, which tell the unit of the feed's too; bands, books and
        closes follow one after another.
        """
        listed = self._listings.of(keys)
        many = len(listed) > QUOTED_ONE_BY_ONE
        try:
            asked_at = self._clock.now()
            for key, last in (await self.lasts(listed) if many else {}).items():
                self._stream.last_told(key, last, asked_at)
            for key, one in listed.items():
                account, day = self.account, self._stream.days.get(key)
                if account is None or (many and day is not None and day.prev_close_paise):
                    continue
                await self._quote(account, key, one)
                await self._clock.sleep(FILL_EVERY_S if many else 0)
        except BrokerError as error:
            log.warning("what the feed carries is not priced yet: %s", error)

    async def _requote(self, key: str, listed: Listed) -> None:
        if self.account is not None:
            await self._quote(self.account, key, listed)

    def close(self) -> None:
        """Quote no more."""
        for task in self._filling:
            task.cancel()

    async def learned(self, keys: Iterable[str]) -> Mapping[str, Listed]:
        """What Groww calls these; the file is read once where one is not known."""
        wanted = list(dict.fromkeys(keys))
        found = self._listings.of(wanted)
        if len(found) < len(wanted) and not self._listed:
            async with self._learning:
                if not self._listed:
                    await self.instruments()
            found = self._listings.of(wanted)
        return found

    def _account(self) -> BrokerAccount:
        if self.account is None:
            raise SessionExpired("No client of Groww is signed in, so there are no prices.", "no_feed")
        return self.account


def _told(rows: Sequence[InstrumentRow]) -> Iterable[tuple[str, Listed]]:
    for row in rows:
        if (one := listed_of(row.exchange, row.token)) is not None:
            yield f"{row.exchange}:{row.tradingsymbol}", one
