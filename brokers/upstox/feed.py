"""The market as Upstox tells it: the instruments' file, quotes, bars, and what its feed carries."""

import asyncio
import logging
import tempfile
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

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
from brokers.meter import CallEnd, CallKind
from brokers.upstox.answers.market import bars_of, quoted_rows, tick_of
from brokers.upstox.calls import UpstoxCalls
from brokers.upstox.instruments import FILE, read_dump
from brokers.upstox.listings import UpstoxListings
from brokers.upstox.streaming.stream import UpstoxStream
from brokers.wire.calls import Call
from brokers.wire.candles import stretches
from brokers.wire.reading import Reading
from brokers.wire.ticks import TickDoubts
from data.clock import IST, Clock

log = logging.getLogger(__name__)

QUOTES = "/v2/market-quote/quotes"
QUOTES_PER_CALL = 500
"""Upstox API documentation, full market quotes."""

DUMP_WAIT_S = 120.0

_SPANS = {
    BarSpan.MINUTE: ("minutes", "1", timedelta(days=28)),
    BarSpan.FIVE: ("minutes", "5", timedelta(days=28)),
    BarSpan.FIFTEEN: ("minutes", "15", timedelta(days=28)),
    BarSpan.DAY: ("days", "1", timedelta(days=3_600)),
}
"""Upstox's words for the spans of bars, and for how long one call may ask (historical candles, version 3)."""


class UpstoxFeed:
    """Reads the market by the session of the account that is followed first."""

    def __init__(
        self,
        calls: UpstoxCalls,
        reading: Reading,
        listings: UpstoxListings,
        stream: UpstoxStream,
        clock: Clock,
    ) -> None:
        self._calls = calls
        self._reading = reading
        self._listings = listings
        self._stream = stream
        self._clock = clock
        self._listed = False
        self._learning = asyncio.Lock()
        self.account: BrokerAccount | None = None
        self.ticks = TickDoubts("Upstox", self.quotes, clock)

    # --- the instruments' file ----------------------------------------------------------------------------

    async def instruments(self) -> BrokerRows[InstrumentRow]:
        """NSE and BSE shares and indices. Raises `BrokerError` for a file that is damaged or cut short."""
        began = self._clock.monotonic()
        with tempfile.TemporaryDirectory(prefix="upstox-") as folder:
            path = Path(folder) / "complete.json.gz"
            try:
                await self._download(path)
            except BrokerError:
                self._calls.meter.note(CallKind.INSTRUMENTS, self._clock.monotonic() - began, CallEnd.FAILED)
                raise
            self._calls.meter.note(CallKind.INSTRUMENTS, self._clock.monotonic() - began, CallEnd.ANSWERED)
            dump = await asyncio.to_thread(read_dump, path)
        self._stream.circuits.clear()  # another day has other bands
        self._listed = True
        self._listings.told((f"{row.exchange}:{row.tradingsymbol}", row.token) for row in dump.rows)
        self.ticks.take(dump)
        return dump.rows

    async def _download(self, path: Path) -> None:
        address = f"{self._calls.roots.instruments}{FILE}"
        timeout = aiohttp.ClientTimeout(total=DUMP_WAIT_S, sock_connect=self._calls.waits.connect_s)
        try:
            async with self._calls.ways.session().get(address, timeout=timeout) as answer:
                if answer.status != 200:
                    raise BrokerError(f"Upstox's instruments: status {answer.status}", str(answer.status))
                with path.open("wb") as file:
                    async for part in answer.content.iter_chunked(1 << 18):
                        file.write(part)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise BrokerError(f"Upstox's instruments cannot be had ({type(error).__name__})") from None

    # --- quotes and bars ----------------------------------------------------------------------------------

    async def quotes(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """The market now, 500 instruments a call. Unknown keys are missing."""
        tokens = await self._learned(keys)
        found: dict[str, Tick] = {}
        wanted = list(tokens.items())
        for start in range(0, len(wanted), QUOTES_PER_CALL):
            some = dict(wanted[start : start + QUOTES_PER_CALL])
            call = Call(CallKind.QUOTES, "GET", QUOTES, query={"instrument_key": ",".join(some.values())})
            rows = quoted_rows(await self._reading.answer(self._account(), call))
            for key, token in some.items():
                if (row := rows.get(token)) is None:
                    continue
                try:
                    found[key] = tick_of(key, row, self._clock.now())
                except BrokerError as error:
                    log.warning("a quote is left out: %s", error)
        for key, tick in found.items():
            self._stream.circuits[key] = (tick.lower_circuit_paise, tick.upper_circuit_paise)
        return found

    async def bars(self, key: str, span: BarSpan, since: datetime, until: datetime) -> list[Bar]:
        """An instrument's bars in this stretch; none of one that Upstox does not list. Raises `BrokerError`.

        Days that are over and today are two routes, and a call of the first may not ask for too long.
        """
        token = (await self._learned([key])).get(key)
        if token is None:
            return []
        unit, interval, most = _SPANS[span]
        place = f"{quote(token, safe='')}/{unit}/{interval}"
        first, last = since.astimezone(IST).date(), until.astimezone(IST).date()
        found: dict[datetime, Bar] = {}
        for begins, ends in stretches(first, last, most):
            path = f"/v3/historical-candle/{place}/{ends}/{begins}"
            answer = await self._reading.answer(self._account(), Call(CallKind.HISTORY, "GET", path))
            found.update((bar.at, bar) for bar in bars_of(answer))
        path = f"/v3/historical-candle/intraday/{place}"
        answer = await self._reading.answer(self._account(), Call(CallKind.HISTORY, "GET", path))
        found.update((bar.at, bar) for bar in bars_of(answer))
        return [found[at] for at in sorted(found) if since <= at <= until]

    # --- the feed -----------------------------------------------------------------------------------------

    async def subscribe(self, keys: Collection[str]) -> None:
        """Replace the set of instruments the feed carries; what Upstox does not list is left out.

        What is carried for the first time is quoted once, which tells the day's price band. Raises
        `BrokerError`.
        """
        tokens = await self._learned(keys)
        await self._stream.subscribe({token: key for key, token in tokens.items()})
        unbounded = [key for key in tokens if key not in self._stream.circuits]
        if unbounded and self.account is not None:
            try:
                await self.quotes(unbounded)
            except BrokerError as error:
                log.warning("the day's price bands are not known: %s", error)

    async def _learned(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Upstox's keys of these; the file is read once where one is not known."""
        wanted = list(dict.fromkeys(keys))
        found = self._listings.tokens(wanted)
        if len(found) < len(wanted) and not self._listed:
            async with self._learning:
                if not self._listed:
                    await self.instruments()
            found = self._listings.tokens(wanted)
        return found

    def _account(self) -> BrokerAccount:
        if self.account is None:
            raise SessionExpired("No client of Upstox is signed in, so there are no prices.", "no_feed")
        return self.account
