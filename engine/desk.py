"""The Desk: one running engine, its services, and its tasks, which no screen owns."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, final

from sqlalchemy import Connection, update
from sqlalchemy.exc import DBAPIError

from brokers.connections import Connections
from brokers.contract import Ambiguous, BrokerError
from brokers.life import Life
from data.acting import Actor, acting
from data.audit_writer import standing_stop
from data.changes import Touched, prune_changes
from data.clock import IST, Clock, MarketClock
from data.columns import table
from data.errors import TradedeskError
from data.home import app_lock
from data.locks import HeldLock
from data.proving.readable import UNREADABLE
from data.store import StoreBusy, StoreClosed, StoreError, StoreUnreadable, StoreUnwritable, Unit
from data.tables import Instance
from data.vocabulary import ConnectionKind, OrderState, SessionState, Via
from engine.access.gate import Gate
from engine.access.routes import Routes
from engine.access.sessions import Sessions
from engine.accounts.clients import Clients
from engine.accounts.holdings import FundsService, Holdings
from engine.accounts.valuation import Valuation
from engine.book.book import Projection
from engine.book.kept import Kept
from engine.book.views import DayFigures, HaltView, RunRow
from engine.booking.facts import SendEnded
from engine.booking.recorder import Recorder
from engine.days import roll_day
from engine.events import (
    TAPE_LINES,
    ClientsChanged,
    Event,
    FundsChanged,
    InstrumentsRenamed,
    OrderChanged,
    RunChanged,
    SessionsChanged,
    StoreTrouble,
    TapeLine,
)
from engine.execution.book_reads import Watcher
from engine.execution.cancels import Canceller
from engine.execution.day_end import end_left_over, left_over
from engine.execution.dispatch import Dispatcher
from engine.execution.modifies import Changer
from engine.execution.orders import Orders
from engine.execution.runs import Runs
from engine.halt.halts import Halts
from engine.hosting import Hosting
from engine.instances import ThisEngine
from engine.market.instruments import InstrumentDump
from engine.market.margins import Margins
from engine.market.market import Market
from engine.market.market_data import MarketData
from engine.market.quotes import QuoteMap
from engine.market.stamps import MarketStamps
from engine.market.watchlist import Watchlist
from engine.news import HaltFired, HaltResumed, RunBegan
from engine.planning.service import Plans
from engine.reconciliation.reconciler import Reconciler
from engine.retold import finished_line, retold
from engine.review.audit import Trail
from engine.review.boot import boot_problem, file_takes_long
from engine.review.doctor import Doctor
from engine.rules import Rules
from engine.timing import Timing

log = logging.getLogger(__name__)

CHECKING = "checking the books"
"""Why a desk that is open trades nothing yet."""

POSITIONS = "positions"
"""Under which name the engine itself follows prices: of everything held."""


class AppAlreadyRuns(TradedeskError):  # noqa: N818 - what the trader is told
    """Another app is open on the same home; the CLI may join it, a second app may not."""


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """What the status strip shows at all times."""

    live: int
    unsent: int
    unknown: int
    ready: int
    clients: int
    needs_me: int


@final
class Desk:
    """One engine over one home. Open it once; every method and service is for the loop it was opened on."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        connections: Connections,
        rules: Rules,
        rng: Random,
    ) -> None:
        quotes = QuoteMap(timing.wall.monotonic)
        market_data = MarketData(connections.feed, quotes, rules.price_age_limit_s)
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self.connections = connections
        self._market_data = market_data
        self._rules = rules
        self.kind = engine.kind
        kept.store.via = Via(engine.kind)
        self.events = kept.bus
        simulated = connections.kind is not ConnectionKind.LIVE
        self._stamps = MarketStamps(kept, timing, engine, simulated)
        engine.open_day = self._roll_day
        engine.keep_beside = self._stamps.keep
        self._recorder = Recorder(kept, timing, engine, rules)
        self._watcher = Watcher(kept, timing, engine, connections, market_data, self._recorder)
        self._dispatcher = Dispatcher(kept, timing, engine, connections, market_data, rng, self._recorder)
        self._canceller = Canceller(kept, timing, engine, connections, self._recorder, self._watcher)
        self._changer = Changer(kept, timing, engine, connections, market_data, self._recorder, self._watcher)
        self.reconcile = Reconciler(
            kept,
            timing,
            engine,
            connections,
            market_data,
            self._recorder,
            self._watcher,
            self._dispatcher.wake,
        )
        self.market = Market(kept, timing, engine, market_data)
        self.instruments = InstrumentDump(kept, timing, market_data, self.market)
        self.watchlist = Watchlist(kept, engine, market_data)
        self.clients = Clients(kept, timing, engine)
        self.routes = Routes(kept, engine)
        self.sessions = Sessions(kept, timing, engine, connections, rng)
        self.gate = Gate(kept, timing, engine, connections, self.reconcile.compared_at, self.shown_at)
        connections.session_lost = self._session_lost
        for connection in connections:
            market = self.market, self.instruments
            host = Hosting(connection, kept, timing, engine, market, self.sessions, self._load)
            host.lost = self._session_lost
            connection.life.attach(host)
        self.funds = FundsService(kept)
        self.holdings = Holdings(kept, timing, market_data)
        self.plans = Plans(
            kept,
            timing,
            engine,
            connections,
            market_data,
            rules,
            self.reconcile.ensure,
            Margins(kept, timing, engine, connections, market_data, self._load),
        )
        self.runs = Runs(
            kept,
            timing,
            engine,
            connections,
            market_data,
            rules,
            rng,
            self.plans,
            self._dispatcher,
            self._canceller,
        )
        self.orders = Orders(
            kept, timing, engine, market_data, self._recorder, self._canceller, self._changer, self._watcher
        )
        self.halt = Halts(
            kept, timing, engine, connections, market_data, rules, self._canceller, self._watcher
        )
        self.audit = Trail(kept, timing, engine)
        self.doctor = Doctor(kept, engine, connections)
        engine.look_at_books = lambda: boot_problem(kept.store, self.audit, timing.wall)
        book = kept.book
        self.valuation = Valuation(
            holdings=lambda client_id: book.holdings.get(client_id, ()),
            quote=market_data.quotes.quote,
            figures=lambda client_id: book.figures.get(client_id, DayFigures()),
            funds=self.funds.of,
            day_began=self._market_day_began,
        )
        self._tape: deque[TapeLine] = deque(maxlen=TAPE_LINES)
        self._tasks: list[asyncio.Task[None]] = []
        self._loading: set[asyncio.Task[None]] = set()
        self._locks: list[HeldLock] = []
        self._trouble = ""
        self._failed_duties: dict[str, str] = {}
        self._accepted = 0
        self._day = timing.market.trading_day
        self._left_over: set[int] = set()
        self._marked: set[int] = set()

    # --- what every screen asks ---

    @property
    def mode(self) -> str:
        """PAPER, SIM or LIVE."""
        return self.connections.kind.value.upper()

    @property
    def actor(self) -> str:
        """The trader who signed in."""
        return self._engine.actor

    def acting(self, actor: Actor) -> AbstractContextManager[None]:
        """Have `actor` do whatever is asked of this desk within the context, and in tasks begun there.

        The services are the same ones, since they keep what is under way. What the desk does by itself later,
        such as sending what was confirmed, is the desk's own again.
        """
        return acting(actor)

    @property
    def home(self) -> Path:
        """The folder with this desk's files."""
        return self._kept.home

    @property
    def clock(self) -> Clock:
        """Wall time."""
        return self._timing.wall

    @property
    def market_clock(self) -> MarketClock:
        """Market time."""
        return self._timing.market

    @property
    def rules(self) -> Rules:
        """The desk's limits and tolerances."""
        return self._rules

    @property
    def trading_stopped(self) -> str | None:
        """Why no order may be sent though none is halted, such as a full disk; cancels still go."""
        engine = self._engine
        checking = CHECKING if engine.is_checking_books else ""
        return (
            engine.trading_disabled or checking or self._kept.store.trouble or engine.sign_on_trouble or None
        )

    @property
    def commits(self) -> int:
        """Transactions this engine has committed."""
        return self._kept.store.commits

    def counts(self) -> DeskCounts:
        """Live, unsent and unknown orders, clients ready, and orders that need the trader."""
        book = self._kept.book
        states = [book.orders[order_id].state for order_id in book.live]
        return DeskCounts(
            live=states.count(OrderState.OPEN) + states.count(OrderState.SENDING),
            unsent=states.count(OrderState.RESERVED),
            unknown=states.count(OrderState.UNKNOWN),
            ready=self.clients.ready_count(),
            clients=len(book.clients),
            needs_me=len(book.asking()) + sum(one.order_id is None for one in book.unbooked()),
        )

    def shown_at(self, at: datetime) -> datetime:
        """A stamp as the trader reads it: on a simulated market its own time, as far as that was kept."""
        return self._stamps.shown(at)

    def tape(self) -> list[TapeLine]:
        """The latest lines of the tape, oldest first."""
        return sorted(self._tape, key=lambda line: line.at)

    # --- life ---

    async def open(self) -> None:
        """Start: take the locks, read the book, resume what was left, follow the market.

        Raises `AppAlreadyRuns` for a second app, `BadInput` or `StoreError` where the home cannot be used. A
        desk of kind `cli` opens for cancels even when the store or the market cannot be written.
        """
        if self.kind == "app":
            lock = HeldLock(app_lock(self._kept.home))
            if not lock.take():
                raise AppAlreadyRuns(
                    f"another tradedesk app (process {lock.holder()}) is open on {self._kept.home}; "
                    "use that one, or the command line beside it"
                )
            self._locks.append(lock)
        self._kept.store.project(self._project, self._deliver)
        await self._kept.store.open()
        try:
            await self._start()
            for connection in self.connections:
                await connection.life.opened()
        except BaseException:
            await self.close()
            raise
        for connection in self.connections:
            self.events.subscribe(partial(_tell, connection.life))
            self._spawn(connection.life.keep_day())

    async def _start(self) -> None:
        signed_on = await self._sign_on()
        if self.kind != "cli":
            self._engine.look_beside()
            if self.kind != "app" or not file_takes_long(self._kept.store):
                await self._note_found()
            else:
                self._spawn(self._note_found())
        for what, load in (
            ("instruments", self.market.load),
            ("watchlists", self.watchlist.load),
            ("certificates", self.halt.load),
            ("the market's times", self._stamps.load),
            ("the tape", self._retell),
        ):
            await self._bear(what, load())
        if signed_on:
            await self.sessions.expire_due()
        await self._orphans()
        told: set[int] = set()
        if signed_on:
            await self.runs.pause_dead()
        self.events.subscribe(self._keep_on_tape)
        if signed_on:
            with suppress(StoreError):  # tried again at each heartbeat
                told = await self.halt.book_left()
        await self._bear("the engines", self.runs.look_frozen())
        await self._open_adapters()
        for connection in self.connections:
            await connection.life.meet()
        self._spawn(self._recorder.run())
        self._spawn(self._dispatcher.run())
        for connection in self.connections:
            self._spawn(self._watcher.follow_stream(connection))
        self._spawn(self._watcher.poll())
        self._spawn(self._heartbeat())
        self.events.subscribe(self._follow)
        self.valuation.refresh(self._kept.book.clients)
        await self._follow_positions()
        await self._canceller.resume()
        await self._changer.resume()
        if self.kind == "cli":  # reads what it needs, when it needs it
            await self._bear("comparisons", self.reconcile.borrow())
            live = {self._kept.book.orders[order_id].client_id for order_id in self._kept.book.live}
            self._watcher.read_soon(live - told)
            await self._read_first(told)
        else:
            self._spawn(self.reconcile.run())
            await self.halt.take_up()

    async def _note_found(self) -> None:
        """Wait for the look at the books, and note what it found."""
        if found := await self._engine.looked_at_books():
            log.error("trading is stopped: %s", found)
            with suppress(DBAPIError):
                self._accepted = await self.audit.last_judged()

    async def _open_adapters(self) -> None:
        for connection in self.connections:
            try:
                await connection.broker.open()
            except BrokerError as problem:
                if self.kind != "cli":
                    raise
                log.error("%s cannot be reached: %s", connection.name, problem)

    async def _read_first(self, client_ids: Collection[int]) -> None:
        """Read these clients' books before a command shows what is not true any more; not for long."""
        if not client_ids:
            return
        reads = [asyncio.create_task(self._watcher.read(client_id)) for client_id in client_ids]
        patience = asyncio.create_task(self._timing.wall.sleep(self._timing.waits.send_timeout_s))
        all_read = asyncio.gather(*reads, return_exceptions=True)
        await asyncio.wait({all_read, patience}, return_when=asyncio.FIRST_COMPLETED)
        patience.cancel()

    async def _bear(self, what: str, reading: Coroutine[Any, Any, object]) -> None:
        """Read something of the books; where it cannot be read, trading stops and cancels go on."""
        try:
            await reading
        except UNREADABLE as problem:
            log.exception("%s cannot be read", what)
            words = problem.orig if isinstance(problem, DBAPIError) else problem
            self._engine.trading_disabled = (
                self._engine.trading_disabled
                or f"{what} cannot be read ({words}); `tradedesk doctor` says more"
            )

    async def _sign_on(self) -> bool:
        """Sign on and read the book; gives whether that could be written.

        A command goes on with what can be read, since a cancel needs the book and no row.
        """
        try:
            await self._engine.sign_on()
        except (StoreUnwritable, StoreBusy, StoreClosed, StoreUnreadable) as problem:
            if self.kind != "cli" and not isinstance(problem, StoreUnreadable):
                raise
            log.error("opened for reading and for cancels: %s", problem)
        else:
            return True
        async with self._kept.store.reader() as connection:
            everything = Touched(everything=True)
            projection = await connection.run_sync(lambda plain: self._project(plain, everything))
        self._deliver(projection, [], False)
        return False

    async def _retell(self) -> None:
        """Begin the tape with what was done before."""
        self._tape.extend(await retold(self._kept, self._timing.wall, self.runs))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        with acting(Actor(self._engine.trader)):  # by itself, on behalf of the home's trader
            task = asyncio.create_task(work)
        task.add_done_callback(_tell_failure)
        self._tasks.append(task)

    async def close(self) -> None:
        """Let calls under way end, book what came in, and leave the home to others."""
        if self._tasks:
            with suppress(TimeoutError, StoreError):
                async with self._timing.wall.timeout(self._timing.waits.send_timeout_s):
                    await self.halt.close()
                    await self._dispatcher.settle()
                    await self._changer.settle()
                    await self._recorder.flush()
        self._dispatcher.close()
        self.reconcile.close()
        self._watcher.close()
        self._canceller.close()
        self._engine.end_look()
        for task in [*self._tasks, *self._loading]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._loading, return_exceptions=True)
        if self._tasks:
            for connection in self.connections:
                await connection.broker.close()
            with suppress(StoreError, DBAPIError):
                await self.audit.keep_outside(now=True)
        self._tasks.clear()
        with suppress(StoreError):
            await self._engine.sign_off()
        await self._kept.store.close()
        for lock in self._locks:
            lock.free()
        self._engine.free()
        for connection in self.connections:
            connection.life.close()

    async def _orphans(self) -> None:
        """Orders that a dead engine was sending are UNKNOWN now; its unsent ones wait for the trader.

        So are orders of this engine whose claim was kept though its sender never heard of it.
        """
        book = self._kept.book
        lost_at = self._timing.wall.now() - timedelta(seconds=2 * self._timing.waits.send_timeout_s)
        alive: dict[int, bool] = {}
        for order in [book.orders[order_id] for order_id in book.live]:
            if order.state is not OrderState.SENDING:
                continue
            if order.instance_id == self._engine.id:
                lost = order.updated_at < lost_at and not self._dispatcher.is_sending(order.id)
            else:
                if order.instance_id not in alive:
                    alive[order.instance_id] = self._engine.lives(order.instance_id)
                lost = not alive[order.instance_id]
            if lost:
                self._recorder.put(
                    SendEnded(order.id, Ambiguous("the program ended while the order was being sent"))
                )

    def _roll_day(self, unit: Unit) -> None:
        """Open the books for the trading day, once however often it is called."""
        timing = self._timing
        if roll_day(unit, timing.market.trading_day, timing.calendar, self._engine.actor):
            prune_changes(unit.connection, self._engine.slowest_beat(unit))

    async def _open_day(self) -> None:
        """Open a fresh day's books, then end what is left of the days before.

        The ends that the broker tells come first: what is left is ended a heartbeat after it was noticed.
        """
        book, day = self._kept.book, self._timing.market.trading_day
        if day != self._day:
            await self._kept.store.write(self._engine.open_day)
            self._day = day
            book.begin_day(day)
            self.reconcile.forget()
        left = left_over(self._kept.book, self._timing, book.live) - self._marked
        if left & self._left_over:
            await end_left_over(self._kept.store, self._timing, self._engine.actor, left)
            self._marked |= left
        self._left_over = left

    async def _heartbeat(self) -> None:
        """Tell others that this engine is not frozen, open a fresh day, notice trouble with the store."""
        while True:
            await self._timing.wall.sleep(self._timing.waits.heartbeat_s)
            for duty in (
                self._orphans,
                self.runs.pause_dead,
                self._book_left,
                self._open_day,
                self.sessions.expire_due,
                self._beat,
                self.runs.look_frozen,
                self._look_again,
                self.audit.keep_outside,
                self._tell_trouble,
            ):
                await self._do_duty(duty)

    async def _book_left(self) -> None:
        await self.halt.book_left(follow=self.kind != "cli")

    async def _do_duty(self, duty: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Do one part of a heartbeat; one that fails is done again at the next, and skips no other."""
        name = duty.__name__
        try:
            await duty()
        except (StoreError, DBAPIError):
            pass  # the store tells its own trouble
        except Exception as problem:
            if self._failed_duties.get(name) != repr(problem):
                log.exception("%s of the heartbeat failed", name)
            self._failed_duties[name] = repr(problem)
        else:
            self._failed_duties.pop(name, None)

    async def _tell_trouble(self) -> None:
        trouble = self.trading_stopped or ""
        if trouble != self._trouble:
            self._trouble = trouble
            self.events.publish([StoreTrouble(trouble)])

    async def _look_again(self) -> None:
        """Look at the books again once something was found or accepted, here or by another process."""
        accepted = self._accepted
        if self._engine.trading_disabled:
            accepted = await self.audit.last_judged()
        async with self._kept.store.reader() as connection:
            found = await connection.run_sync(standing_stop)
        if accepted > self._accepted or (found and not self._engine.trading_disabled):
            self._accepted = accepted
            self._engine.trading_disabled = await self._engine.look_at_books()

    async def _beat(self) -> None:
        instances, number = table(Instance), self._engine.id

        def beat(unit: Unit) -> None:
            row = update(instances).where(instances.c.id == number).values(heartbeat_at=unit.now)
            unit.connection.execute(row)
            self._stamps.keep(unit)

        await self._kept.store.write(beat)

    # --- following the store ---

    def _project(self, connection: Connection, touched: Touched) -> object:
        return self._kept.book.project(connection, touched)

    def _deliver(self, projection: object, events: Sequence[object], foreign: bool) -> None:
        told: list[Event] = [event for event in events if isinstance(event, Event)]
        if isinstance(projection, Projection):
            book = self._kept.book
            read_before = bool(book.clients)
            halts, runs = book.halts, dict(book.runs)
            told = book.apply(projection) + told
            if foreign and read_before:
                told += self._done_elsewhere(halts, runs, told)
            if foreign and projection.market:
                self._load(self.market.load, self.watchlist.load)
            if foreign and projection.halts is not None:
                # What the other process has asked for is cancelled from here too, should that one go away.
                self._load(self.halt.load_certificates, self._canceller.resume)
        self.events.publish(told)

    def _done_elsewhere(
        self, halts: Sequence[HaltView], runs: Mapping[int, RunRow], told: Sequence[Event]
    ) -> list[Event]:
        """Tape lines of what another process did to halts and runs; what this one did tells its own."""
        book, own = self._kept.book, {event.news.subject for event in told if isinstance(event, TapeLine)}
        before, after = ({halt.number: halt for halt in each} for each in (halts, book.halts))
        lines: list[TapeLine] = []
        for number in sorted(before.keys() ^ after.keys()):
            if number in after:
                lines.append(TapeLine(after[number].at, HaltFired(number, after[number].by, elsewhere=True)))
            else:
                lines.append(TapeLine(self._timing.wall.now(), HaltResumed(number)))
        for number, run in sorted(book.runs.items()):
            known = runs.get(number)
            if run.finished_at is not None and (known is None or known.finished_at is None):
                lines.append(finished_line(run, self.runs.get(number).counts))
            elif known is None:
                news = RunBegan(number, run.title, elsewhere=run.actor)
                lines.append(TapeLine(run.started_at, news))
        return [line for line in lines if line.news.subject not in own]

    def _session_lost(self, client_id: int, why: str) -> None:
        """Keep that a broker no longer takes a client's session; the paper exchange's faults end none."""
        client = self._kept.book.clients.get(client_id)
        if client is None or client.session is SessionState.EXPIRED:
            return
        if not self.sessions.needs_sign_in(client_id):
            return

        async def end() -> None:
            with suppress(StoreError, DBAPIError):  # the next read of its books tells it again
                if await self.connections.of(client_id).life.believes(client_id):
                    await self.sessions.expire(client_id, why or "the broker no longer takes it")

        self._load(end)

    def _load(self, *readers: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        async def load() -> None:
            for read in readers:
                await read()

        task = asyncio.create_task(load())
        self._loading.add(task)
        task.add_done_callback(self._loading.discard)
        return task

    def _keep_on_tape(self, event: Event) -> None:
        if isinstance(event, TapeLine):
            self._tape.append(event)

    def _follow(self, event: Event) -> None:
        if isinstance(event, InstrumentsRenamed):
            self.watchlist.rename(event.moved)
        elif isinstance(event, FundsChanged):
            self.valuation.refresh(event.client_ids)
            if frozenset(self.valuation.keys()) != self._market_data.quotes.followed_by(POSITIONS):
                task = asyncio.create_task(self._follow_positions())
                self._loading.add(task)
                task.add_done_callback(self._loading.discard)
        elif isinstance(event, ClientsChanged):
            self.valuation.refresh(self._kept.book.clients)
        elif isinstance(event, (OrderChanged, RunChanged)):
            self._dispatcher.wake()

    def _market_day_began(self) -> datetime:
        return datetime.combine(self._timing.market.trading_day, time(), IST).astimezone(UTC)

    async def _follow_positions(self) -> None:
        """Keep the prices of everything held coming, whatever the screens show."""
        await self.market.follow(self.valuation.keys(), POSITIONS)

    async def hear(self, client_ids: Collection[int]) -> None:
        """Have a command hear these clients' order updates while it waits; where all are heard, nothing."""
        for connection in self.connections:
            await connection.life.hear(client_ids)

    async def settle(self) -> None:
        """Wait until nothing is under way: every call has ended and every fact is booked."""
        await self._dispatcher.settle()
        await self._changer.settle()
        await self._recorder.flush()


def _tell(life: Life, event: Event) -> None:
    """Tell a connection of what it follows."""
    if isinstance(event, ClientsChanged):
        life.clients_changed()
    elif isinstance(event, SessionsChanged):
        life.sessions_changed()
    elif isinstance(event, InstrumentsRenamed):
        life.instruments_renamed()


def _tell_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("a task of the desk ended", exc_info=problem)
