"""A broker at the other end of a connection, and a desk whose clients are all there."""

import asyncio
import itertools
import pickle
import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

from brokers.connection import Connection
from brokers.connections import Connections
from brokers.contract import (
    Ambiguous,
    BrokerAccount,
    BrokerError,
    BrokerFunds,
    BrokerHolding,
    BrokerOrder,
    BrokerProfile,
    BrokerRows,
    BrokerTrade,
    Capabilities,
    Conversion,
    InstrumentRow,
    NotSent,
    OrderChange,
    OrderRequest,
    Outcome,
    StreamEvent,
    Tick,
    nothing_keeps_it_back,
)
from brokers.meter import CallMeter
from brokers.simulators.exchange.schema import from_us
from data.clock import Clock
from data.migrating import prepare
from data.proving.heads import HeadsFile
from data.records import replace
from data.reference.phases import load_calendar
from data.store import Store
from data.vocabulary import ConnectionKind, DeskKind
from engine.access.judgement import judge_clients
from engine.book.book import Book
from engine.book.kept import Kept
from engine.desk import Desk
from engine.events import Bus
from engine.instances import ThisEngine
from engine.rules import Rules, Waits
from engine.startup import Startup
from engine.timing import Timing
from tests.faults.chaos_broker import Ledger, Receipt
from tests.faults.wire import Call, pack, unpack
from tradedesk.testing import seam

RULES = Rules(
    price_age_limit_s=3600.0,
    drift_limit_bps=2000,
    plan_valid_s=3600.0,
    send_at_least_s=3600.0,
    send_at_most_s=3600.0,
    duplicate_window_s=0.0,
)
"""At a hundred times the speed no price is fresh; these runs are about orders, not about ages."""


class LineLost(Exception):  # noqa: N818 - what it is
    """The connection ended before the answer came."""


class RemoteMarketClock:
    """The exchange's time as its last frame told it."""

    def __init__(self) -> None:
        self.market_us = 0
        self.day = date.min

    def now(self) -> datetime:
        """Aware UTC time of the market."""
        return from_us(self.market_us)

    @property
    def trading_day(self) -> date:
        """The market's trading date."""
        return self.day


class RemoteBroker:
    """Implements `brokers.contract.Broker` over a connection to a chaos broker.

    A connection lost after a write was sent leaves it Ambiguous, one that could not be had NotSent.
    """

    def __init__(self, port: int, clock: Clock) -> None:
        self._port = port
        self._clock = clock
        self.meter = CallMeter(clock.monotonic)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._events: deque[StreamEvent] = deque()
        self._news = asyncio.Event()
        self._connecting = asyncio.Lock()
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._keys: tuple[str, ...] = ()
        self._closed = False
        self._capabilities: Capabilities | None = None
        self.unreadable: Counter[int] = Counter()
        """Clients whose order books cannot be read now, by how many halts rehearse that."""
        self.unread_halts = 0
        """Halts in which some clients' books could not be read."""
        self.false_proofs: list[str] = []
        """Certificates that said ended, or did not name such a client."""
        self.market_clock = RemoteMarketClock()

    @property
    def name(self) -> str:
        """The broker's word in client files."""
        return "paper"

    @property
    def capabilities(self) -> Capabilities:
        """What the broker said of itself when the connection was first made."""
        assert self._capabilities is not None
        return self._capabilities

    async def open(self) -> None:
        """Connect and learn the market's time. Raises `BrokerError`."""
        if self._capabilities is None:
            self._capabilities = await self._read("hello")

    async def close(self) -> None:
        """Hang up; the stream ends."""
        self._closed = True
        self._news.set()
        if self._writer is not None:
            self._writer.close()
        if self._reading is not None:
            self._reading.cancel()

    # --- the line ---

    async def _line(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._closed:
                raise ConnectionError("closed")
            if self._writer is None or self._writer.is_closing():
                reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
                self._reading = asyncio.create_task(self._listen(reader, self._writer))
                if self._keys:
                    self._writer.write(pack(Call(next(self._numbers), "subscribe", (self._keys,))))
            return self._writer

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting = self._waiting
        try:
            while True:
                number, well, value, market_us, day = await unpack(reader)
                self.market_clock.market_us, self.market_clock.day = market_us, day
                if number is None:
                    self._events.append(value)
                    self._news.set()
                    continue
                answer = waiting.pop(number, None)
                if answer is None or answer.done():
                    continue
                if well:
                    answer.set_result(value)
                else:
                    answer.set_exception(value)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._waiting = {}
            for answer in waiting.values():
                if not answer.done():
                    answer.set_exception(LineLost("the connection was lost before the answer came"))
            writer.close()
            self._news.set()

    async def _call(self, method: str, *args: Any) -> Any:
        """Raises `ConnectionError` where nothing was sent, `LineLost` where no answer came."""
        try:
            writer = await self._line()
        except OSError as problem:
            raise ConnectionError(str(problem)) from problem
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        writer.write(pack(Call(number, method, args)))
        try:
            return await answer
        finally:
            self._waiting.pop(number, None)

    async def _read(self, method: str, *args: Any) -> Any:
        try:
            return await self._call(method, *args)
        except (ConnectionError, LineLost) as problem:
            raise BrokerError(f"the broker cannot be reached: {problem}") from problem

    async def _write(self, method: str, *args: Any) -> Outcome:
        try:
            return await self._call(method, *args)
        except ConnectionError as problem:
            return NotSent(f"no connection: {problem}")
        except (LineLost, BrokerError) as problem:
            return Ambiguous(str(problem))

    async def control(self, what: str, *args: Any) -> Any:
        """Ask the harness's own question of the broker, again after a lost connection."""
        while True:
            try:
                return await self._call("control", what, *args)
            except LineLost:
                continue

    async def ledger(self) -> Ledger:
        """The oracle."""
        return pickle.loads(await self.control("ledger"))

    async def receipts(self) -> list[Receipt]:
        """Every write the broker has received."""
        return await self.control("receipts")

    # --- the contract ---

    def read_eta_s(self, accounts: Collection[BrokerAccount], calls: int) -> float:
        return 0.0

    async def login_url(self, account: BrokerAccount, state: str = "") -> str:
        """Empty: no login is needed."""
        return ""

    async def exchange_token(self, account: BrokerAccount, request_token: str) -> BrokerProfile:
        """The profile; there is no token to exchange."""
        return await self.profile(account)

    async def profile(self, account: BrokerAccount) -> BrokerProfile:
        """Whose account this is."""
        return await self._read("profile", account)

    async def funds(self, account: BrokerAccount) -> BrokerFunds:
        """The client's money."""
        return await self._read("funds", account)

    async def holdings(self, account: BrokerAccount) -> BrokerRows[BrokerHolding]:
        """The client's shares."""
        return await self._read("holdings", account)

    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        """The client's order book."""
        if self.unreadable[account.client_id]:
            raise BrokerError("HTTP 502 Bad Gateway")
        return await self._read("orders", account)

    async def trades(self, account: BrokerAccount) -> BrokerRows[BrokerTrade]:
        """The client's fills."""
        return await self._read("trades", account)

    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        """Send one order."""
        if kept_back := request.last_look():
            return NotSent(kept_back)
        return await self._write("place", account, replace(request, last_look=nothing_keeps_it_back))

    async def modify(self, account: BrokerAccount, broker_order_id: str, change: OrderChange) -> Outcome:
        """Change a live order."""
        if kept_back := change.last_look():
            return NotSent(kept_back)
        change = replace(change, last_look=nothing_keeps_it_back)
        return await self._write("modify", account, broker_order_id, change)

    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        """Cancel a live order."""
        return await self._write("cancel", account, broker_order_id)

    async def convert(self, account: BrokerAccount, conversion: Conversion) -> Outcome:
        """Ask for shares to go on in another product."""
        if kept_back := conversion.last_look():
            return NotSent(kept_back)
        return await self._write("convert", account, replace(conversion, last_look=nothing_keeps_it_back))

    async def instruments(self) -> BrokerRows[InstrumentRow]:
        """The instruments dump."""
        return await self._read("instruments")

    async def quotes(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """The market now."""
        return await self._read("quotes", tuple(keys))

    async def subscribe(self, keys: Collection[str]) -> None:
        """Replace what the stream carries; said again on every new connection."""
        self._keys = tuple(keys)
        await self._read("subscribe", self._keys)

    async def stream(self) -> AsyncIterator[StreamEvent]:
        """Events until `close`. Raises `BrokerError` when the connection is lost."""
        try:
            line = await self._line()
        except OSError as problem:
            raise BrokerError(str(problem)) from problem
        while not self._closed:
            await self._news.wait()
            self._news.clear()
            while self._events:
                yield self._events.popleft()
            if line.is_closing() and not self._closed:
                raise BrokerError("the stream was lost")


def remote_of(desk: Desk) -> RemoteBroker:
    """The line from a desk to its chaos broker."""
    broker = desk.connections.feed.broker
    assert isinstance(broker, RemoteBroker)
    return broker


async def read_all(desk: Desk) -> bool:
    """Read every client's books at the broker and book them; returns whether all could be read."""
    read = seam(desk).workers.watcher.read
    reads = await asyncio.gather(*(read(client.id) for client in desk.clients.all()))
    await desk.settle()
    return all(reads)


@asynccontextmanager
async def open_chaos_desk(
    home: Path,
    port: int,
    clock: Clock,
    seed: int,
    waits: Waits,
    reached: Callable[[str], None] | None = None,
    rules: Rules = RULES,
) -> AsyncIterator[Desk]:
    """Open the desk of a home at the chaos broker on a loopback port. `reached` is told of kill points."""
    prepare(home / "desk.db")
    remote = RemoteBroker(port, clock)
    await remote.open()
    market_clock = remote.market_clock
    connection = Connection("paper", ConnectionKind.PAPER, remote)
    book = Book([connection], lambda: market_clock.trading_day, judge=judge_clients)
    timing = Timing(clock, market_clock, load_calendar(), waits)
    kept = Kept(home, Store(home / "desk.db", clock), book, Bus(_listener_failed), HeadsFile(None))
    engine = ThisEngine(kept, "tester", DeskKind.SCRIPT)
    rng = random.Random(f"desk:{seed}")
    if reached is not None:
        engine.reached = reached
    desk = Desk(kept, timing, engine, Connections([connection], book), rules, rng)
    startup = Startup(desk)
    try:
        await startup.open()
        yield desk
    finally:
        with suppress(BrokerError):
            await startup.close()
        await remote.close()


def _listener_failed(problem: Exception) -> None:
    raise problem
