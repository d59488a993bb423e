"""The paper exchange as a broker: the contract's calls, latency, and a stream of what changed."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TypeVar, cast

from brokers.contract import (
    Ambiguous,
    Bar,
    BarSpan,
    BrokerAccount,
    BrokerError,
    BrokerFunds,
    BrokerHolding,
    BrokerOrder,
    BrokerProfile,
    BrokerRows,
    BrokerTrade,
    Capabilities,
    CompanyActs,
    Conversion,
    Heartbeat,
    InstrumentRow,
    NotSent,
    OrderChange,
    OrderRequest,
    OrderUpdate,
    Outcome,
    Refused,
    StreamEvent,
    Tick,
)
from brokers.meter import CallEnd, CallKind, CallMeter
from brokers.paper.offered import BATCH, CAPABILITIES, HEARTBEAT_SECONDS, NAME, PULSE_SECONDS
from brokers.paper.ticks import tick_of
from brokers.simulators.exchange import conversions
from brokers.simulators.exchange.accounts import hear_actions
from brokers.simulators.exchange.exchange import ExchangeBusy, PaperExchange
from brokers.simulators.exchange.history import closes_before, prices_before
from brokers.simulators.exchange.prices import Quote
from data.clock import Clock
from data.engines.at_rest import FileError

T = TypeVar("T")


@dataclass(slots=True)
class _VenueJob:
    call: Callable[[], object]
    done: asyncio.Future[object]


@dataclass(slots=True)
class _Batch:
    """What one transaction's calls gave, in order, and the order events read after it."""

    results: list[object]
    updates: list[tuple[int, OrderUpdate]]


class PaperBroker:
    """Implements `brokers.contract.Broker` on a paper exchange.

    Calls that wait together run in one transaction on one worker thread; an exchange in memory never
    blocks, so its calls run on the event loop. `latency` is the range of a call's round trip in seconds.
    """

    def __init__(
        self,
        exchange: PaperExchange,
        clock: Clock,
        *,
        latency: tuple[float, float] = (0.02, 0.08),
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._latency = latency
        self._dice = random.Random(0)
        self._jobs: deque[_VenueJob] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._worker: ThreadPoolExecutor | None = None
        self._closed = False
        self._seen_event: int | None = None
        self._keys: tuple[str, ...] = ()
        self._sent: dict[str, Quote] = {}
        self._updates: deque[OrderUpdate] = deque()
        self._ticks: dict[str, Tick] = {}
        self._beat: Heartbeat | None = None
        self._news = asyncio.Event()
        self._driver: asyncio.Task[None] | None = None
        self.meter = CallMeter(clock.monotonic)
        """What its calls took and became."""

    @property
    def name(self) -> str:
        """The broker's word in client files."""
        return NAME

    @property
    def capabilities(self) -> Capabilities:
        """What the paper exchange can do."""
        return CAPABILITIES

    async def open(self) -> None:
        """Start the worker; order events count from here."""
        if not self._exchange.in_memory:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix=f"{NAME}-exchange")
        self._seen_event = await self._run(self._exchange.last_event)

    async def close(self) -> None:
        """Finish what is queued and end the stream; the exchange stays open."""
        self._closed = True
        self._news.set()
        if self._driver is not None:
            self._driver.cancel()
        await self._idle.wait()
        if self._worker is not None:
            self._worker.shutdown(wait=True)
            self._worker = None

    def read_eta_s(self, accounts: Collection[BrokerAccount], calls: int) -> float:
        """No wait: reads are not limited here."""
        return 0.0

    async def login_url(self, account: BrokerAccount, state: str = "") -> str:
        """Empty: the paper exchange needs no login."""
        return ""

    async def exchange_token(self, account: BrokerAccount, request_token: str) -> BrokerProfile:
        """The profile; there is no token to exchange."""
        return await self.profile(account)

    async def profile(self, account: BrokerAccount) -> BrokerProfile:
        """Whose account this is. Raises `BrokerError` for an unknown one, as every read does."""
        await self._read(CallKind.SIGN_IN, partial(self._exchange.funds, account.user_id))
        return BrokerProfile(account.user_id, account.user_id, self.name)

    async def funds(self, account: BrokerAccount) -> BrokerFunds:
        """The client's money."""
        return await self._read(CallKind.FUNDS, partial(self._exchange.funds, account.user_id))

    async def holdings(self, account: BrokerAccount) -> BrokerRows[BrokerHolding]:
        """The client's shares, today's included."""
        rows = await self._read(CallKind.HOLDINGS, partial(self._exchange.holdings, account.user_id))
        return BrokerRows(tuple(rows))

    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        """The whole order book of the client's trading day."""
        rows = await self._read(CallKind.ORDERS, partial(self._exchange.orders, account.user_id))
        return BrokerRows(tuple(rows))

    async def trades(self, account: BrokerAccount) -> BrokerRows[BrokerTrade]:
        """All fills of the client's trading day."""
        rows = await self._read(CallKind.TRADES, partial(self._exchange.trades, account.user_id))
        return BrokerRows(tuple(rows))

    # --- orders -------------------------------------------------------------------------------------------

    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        """Send one order; what trades at once has traded when this returns."""

        def call() -> Outcome:
            kept_back = request.last_look()
            return NotSent(kept_back) if kept_back else self._exchange.place(account.user_id, request)

        return await self._write(CallKind.PLACE, call)

    async def modify(self, account: BrokerAccount, broker_order_id: str, change: OrderChange) -> Outcome:
        """Change a live order."""

        def call() -> Outcome:
            if kept_back := change.last_look():
                return NotSent(kept_back)
            return self._exchange.modify(account.user_id, broker_order_id, change)

        return await self._write(CallKind.MODIFY, call)

    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        """Cancel a live order."""
        return await self._write(
            CallKind.CANCEL, partial(self._exchange.cancel, account.user_id, broker_order_id)
        )

    async def convert(self, account: BrokerAccount, conversion: Conversion) -> Outcome:
        """Convert shares."""

        def call() -> Outcome:
            kept_back = conversion.last_look()
            return (
                NotSent(kept_back)
                if kept_back
                else conversions.convert(self._exchange, account.user_id, conversion)
            )

        return await self._write(CallKind.CONVERT, call)

    async def instruments(self) -> BrokerRows[InstrumentRow]:
        """The instruments dump, with the prices that the day started from."""
        listings = await self._read(CallKind.INSTRUMENTS, self._exchange.listings)
        found = (
            InstrumentRow(
                token=listing.instrument.token,
                tradingsymbol=listing.instrument.tradingsymbol,
                name=listing.instrument.name,
                exchange=listing.instrument.exchange,
                segment=listing.instrument.segment,
                instrument_type="EQ",
                tick_paise=listing.instrument.tick_paise,
                lot_size=listing.instrument.lot_size,
                last_paise=listing.last_paise,
                isin=listing.instrument.isin,
            )
            for listing in listings
        )
        return BrokerRows(tuple(found))

    async def quotes(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """The market now, after driving the exchange on. Unknown keys are missing."""
        quotes, market_at = await self._read(CallKind.QUOTES, partial(self._quotes, tuple(keys)))
        received_at = self._clock.now()
        return {key: tick_of(quote, market_at, received_at) for key, quote in quotes.items()}

    async def bars(self, key: str, span: BarSpan, since: datetime, until: datetime) -> Sequence[Bar]:
        """The bars of the instrument's walk; none of a price that is held still, or is another market's."""
        before = await self._read(CallKind.HISTORY, partial(prices_before, self._exchange, key))
        if before is None:
            return ()
        if self._worker is None:
            return before.bars(span, since, until)
        return await asyncio.to_thread(before.bars, span, since, until)

    async def closes(self, keys: Collection[str]) -> Mapping[str, Mapping[date, int]]:
        """The closes before the exchange's first day, where its prices are the demonstration's."""
        return await self._read(CallKind.HISTORY, partial(closes_before, self._exchange, tuple(keys)))

    async def hear_actions(self, actions: Sequence[CompanyActs]) -> None:
        """Have companies act here as at the exchange, from their ex-dates on."""
        await self._read(CallKind.HISTORY, partial(hear_actions, self._exchange, tuple(actions)))

    async def subscribe(self, keys: Collection[str]) -> None:
        """Replace the set of instruments the stream carries; each is sent once at the next pulse."""
        self._keys = tuple(keys)
        self._sent.clear()
        self._ticks.clear()

    async def stream(self) -> AsyncIterator[StreamEvent]:
        """Order updates of every account and process, ticks and heartbeats until `close`.

        Driving the exchange while it is read, this has one consumer. A slow consumer gets the newest tick
        of an instrument only, and every order update.
        """
        driver = self._driver = asyncio.create_task(self._drive())
        driver.add_done_callback(lambda _: self._news.set())
        try:
            while not self._closed:
                await self._news.wait()
                self._news.clear()
                while self._updates:
                    yield self._updates.popleft()
                beat, self._beat = self._beat, None
                if beat is not None:
                    yield beat
                ticks, self._ticks = self._ticks, {}
                for tick in ticks.values():
                    yield tick
                if driver.done() and not self._closed:
                    await driver
        finally:
            driver.cancel()
            with suppress(asyncio.CancelledError):
                await driver

    async def _drive(self) -> None:
        beaten = float("-inf")
        while not self._closed:
            # While another process holds the file too long the stream is silent, and prices age visibly.
            with suppress(BrokerError):
                quotes, market_at = await self._run(partial(self._quotes, self._keys))
                received_at = self._clock.now()
                for key, quote in quotes.items():
                    if self._sent.get(key) is not quote:
                        self._sent[key] = quote
                        self._ticks[key] = tick_of(quote, market_at, received_at)
                if self._clock.monotonic() - beaten >= HEARTBEAT_SECONDS - PULSE_SECONDS / 2:
                    beaten = self._clock.monotonic()
                    self._beat = Heartbeat(received_at)
                if self._ticks or self._beat:
                    self._news.set()
            await self._clock.sleep(PULSE_SECONDS)

    def _quotes(self, keys: tuple[str, ...]) -> tuple[Mapping[str, Quote], datetime]:
        quotes = self._exchange.quotes(keys)
        return quotes, self._exchange.market_clock.now()

    # --- one worker, many calls a transaction -------------------------------------------------------------

    async def _write(self, kind: CallKind, call: Callable[[], Outcome]) -> Outcome:
        try:
            return await self._read(kind, call)
        except ExchangeBusy as error:
            return NotSent(str(error))
        except BrokerError as error:
            return Ambiguous(str(error))

    async def _read(self, kind: CallKind, call: Callable[[], T]) -> T:
        began, end = self._clock.monotonic(), CallEnd.FAILED
        try:
            answer = await self._answer(call)
            kept_out = isinstance(answer, Refused | NotSent)  # its last look may have kept it back
            end = CallEnd.REFUSED if kept_out else CallEnd.ANSWERED
        except ExchangeBusy:
            raise
        except BrokerError:  # it has answered that it knows no such account
            end = CallEnd.REFUSED
            raise
        finally:
            self.meter.note(kind, self._clock.monotonic() - began, end)
        return answer

    async def _answer(self, call: Callable[[], T]) -> T:
        half = self._dice.uniform(*self._latency) / 2
        if half:
            await self._clock.sleep(half)
        answer = await self._run(call)
        if half:
            await self._clock.sleep(half)
        return answer

    async def _run(self, call: Callable[[], T]) -> T:
        if self._closed:
            raise ExchangeBusy(f"{NAME} is closed.", "closed")
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._jobs.append(_VenueJob(call, done))
        if self._idle.is_set():
            self._idle.clear()
            asyncio.get_running_loop().call_soon(self._start)
        return cast(T, await done)

    def _start(self) -> None:
        """Begin the next transaction with what is waiting."""
        jobs = [self._jobs.popleft() for _ in range(min(BATCH, len(self._jobs)))]
        if self._worker is None:
            self._finish(jobs, self._work(jobs))
            return
        work = asyncio.get_running_loop().run_in_executor(self._worker, self._work, jobs)
        work.add_done_callback(lambda done: self._finish(jobs, done.result()))

    def _work(self, jobs: Sequence[_VenueJob]) -> _Batch:
        """One transaction: each call fails alone, and a transaction that fails fails them all."""
        results: list[object] = []
        try:
            with self._exchange.transaction():
                results.extend(_attempt(job.call) for job in jobs)
        except Exception as error:
            results = [error] * len(jobs)
        updates: list[tuple[int, OrderUpdate]] = []
        # Events that cannot be read now are read after the next transaction.
        with suppress(FileError):
            if self._seen_event is not None:
                updates = self._exchange.updates_after(self._seen_event)
        return _Batch(results, updates)

    def _finish(self, jobs: Sequence[_VenueJob], batch: _Batch) -> None:
        for seq, update in batch.updates:
            self._seen_event = seq
            self._updates.append(update)
        if batch.updates:
            self._news.set()
        for job, result in zip(jobs, batch.results, strict=True):
            if job.done.done():
                continue
            if isinstance(result, FileError):
                job.done.set_exception(BrokerError(f"{NAME}: {result}", "exchange_busy"))
            elif isinstance(result, Exception):
                job.done.set_exception(result)
            else:
                job.done.set_result(result)
        if self._jobs:
            asyncio.get_running_loop().call_soon(self._start)
        else:
            self._idle.set()


def _attempt(call: Callable[[], object]) -> object:
    try:
        return call()
    except Exception as error:
        return error
