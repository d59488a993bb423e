"""Bringing a desk up and down, and what an app, a command and a script each may do."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from brokers.contract import Ambiguous, BrokerError, Heartbeat, OrderUpdate, Tick, Ticks
from data.errors import StoreBusy, StoreUnreadable, StoreUnsure
from data.home import app_lock
from data.proving.readable import UNREADABLE
from data.repositories.base import DatabaseError
from data.store import StoreClosed, StoreError, StoreUnwritable
from data.writing.locks import HeldLock, is_held
from engine.access.down import BrokersDown
from engine.background import Duty, EngineDuties, compile_when_idle
from engine.booking.facts import SendEnded
from engine.desk import Desk
from engine.events import StoreTrouble
from engine.following import Following, Projecting, tell_connection
from engine.halt.hearing import Hearing
from engine.instances import POLICIES, AppAlreadyRuns, lost_orders
from engine.leasing.standing_by import StandingBy
from engine.leasing.turning import Turning
from engine.market.price_sources import WhosePrices
from engine.market.recording import DayRecorder
from engine.market.streams import follow_stream
from engine.review.boot import BooksLook, file_takes_long
from engine.review.happenings import HappeningsHeard
from engine.server_clock import ServerClock

log = logging.getLogger(__name__)


@asynccontextmanager
async def opened(desk: Desk) -> AsyncGenerator[None]:
    """Have a desk open: its locks taken, its book read, what was left resumed, the market followed.

    Raises `AppAlreadyRuns` for a second app, `BadInput` or `StoreError` where the home cannot be used.
    """
    startup = Startup(desk)
    try:
        await startup.open()
        yield
    finally:
        await startup.close()


def _forget(update: OrderUpdate) -> None:
    """Take nothing of what a stream says of an order."""


class Startup:
    """Opens one desk, keeps its engine's duties while it is open, and closes it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._policy = POLICIES[desk.kind]
        self._inside = inside = desk.workings
        self._app_lock: HeldLock | None = None
        self._trouble = ""
        self._books = BooksLook(inside.kept.store, desk.audit, inside.engine, inside.timing.wall)
        self._down = BrokersDown(inside.kept, inside.timing, inside.engine, inside.connections)
        self._projecting = Projecting(
            inside.kept,
            desk.day_tape,
            inside.background,
            clients_changed=(desk.market.load, desk.watchlists.load, desk.mtf_lists.read),
            # What another process has asked for is cancelled from here too, should that one go away.
            halts_changed=(desk.halt.follow_others, inside.workers.canceller.resume),
            clients_came=(inside.workers.canceller.resume, inside.workers.changer.resume),
        )
        self._following = Following(
            inside.kept,
            desk.market,
            desk.watchlists,
            desk.valuation,
            inside.background,
            inside.workers.dispatcher.wake,
        )
        inside.engine.look_at_books = self._books.problem
        if not self._policy.works:
            inside.engine.open_day = inside.days.open_books
            inside.engine.keep_beside = inside.stamps.keep
            inside.engine.keep_connections = desk.connecting.keep
        self._standing_by = StandingBy(inside.kept, inside.timing, desk.leases, desk.rules)
        self._hearing = Hearing(inside.kept, inside.timing)
        self._turning = Turning(inside.kept.store.leases, inside.timing.wall)
        self._clock = ServerClock(inside.kept.store)
        inside.engine.venues_differ = lambda: inside.connections.days_differ or self._clock.differs
        if not (self._policy.keeps_up or self._policy.works):
            desk.sessions.after_sign_in = self._catch_up

    async def open(self) -> None:
        """Open it. What it has taken is given back by `close`, whether or not this raises."""
        kept = self._inside.kept
        if self._policy.alone:
            self._take_app_lock()
        kept.store.project(self._projecting.project, self._projecting.deliver)
        kept.store.committed = kept.line.moved
        await kept.store.open()
        await self._bear("the server's clock", self._clock.look())
        signed_on = await self._sign_on()
        self._turning.start()
        if self._policy.keeps_up:
            await self._look_first()
        await self._load()
        read_soon = await self._take_over(signed_on)
        await self._meet_venues()
        await self._begin(read_soon)
        await self._follow_connections()

    def _take_app_lock(self) -> None:
        home = self._inside.kept.home
        lock = HeldLock(app_lock(home))
        if not lock.take():
            raise AppAlreadyRuns(
                f"another tradedesk app (process {lock.holder()}) is open on {home}; "
                "use that one, or the command line beside it"
            )
        self._app_lock = lock

    async def _sign_on(self) -> bool:
        """Sign on and read the book. Returns whether that could be written.

        A command goes on with what can be read, since a cancel needs the book and no row.
        """
        try:
            await self._inside.engine.sign_on()
        except (StoreUnwritable, StoreBusy, StoreClosed, StoreUnreadable, StoreUnsure) as problem:
            if not self._policy.bears_trouble and not isinstance(problem, StoreUnreadable):
                raise
            log.error("opened for reading and for cancels: %s", problem)
        else:
            return True
        await self._projecting.read_everything()
        return False

    async def _look_first(self) -> None:
        """Look at the books; where that takes long, the app is open meanwhile and trades nothing."""
        self._inside.engine.look_beside()
        if self._policy.alone and file_takes_long(self._inside.kept.store):
            self._inside.background.spawn(self._books.first())
        else:
            await self._books.first()

    async def _load(self) -> None:
        desk = self._desk
        for what, load in (
            ("instruments", desk.market.load),
            ("watchlists", desk.watchlists.load),
            ("certificates", desk.halt.load),
            ("the market's times", self._inside.stamps.load),
            ("brokers' MTF lists", desk.mtf_lists.read),
            ("the tape", desk.day_tape.retell),
        ):
            await self._bear(what, load())

    async def _bear(self, what: str, reading: Coroutine[Any, Any, object]) -> None:
        """Read something of the books; where it cannot be read, trading stops and cancels go on."""
        engine = self._inside.engine
        try:
            await reading
        except UNREADABLE as problem:
            log.exception("%s cannot be read", what)
            words = problem.orig if isinstance(problem, DatabaseError) else problem
            engine.trading_disabled = (
                engine.trading_disabled or f"{what} cannot be read ({words}); `tradedesk doctor` says more"
            )

    async def _take_over(self, signed_on: bool) -> set[int]:
        """Take up what engines that ended have left. Returns clients whose halt was booked just now."""
        desk, told = self._desk, set[int]()
        desk.events.subscribe(desk.day_tape.keep)
        if self._policy.works:
            return told
        if signed_on:
            await desk.sessions.expire_due()
            await desk.clients.end_pauses()
            await self._down.keep()
        await self._orphans()
        if signed_on:
            await desk.runs.pause_dead()
        desk.events.subscribe(desk.alerts.heard)
        desk.events.subscribe(desk.outbox.heard)
        if signed_on:
            with suppress(StoreError):  # tried again at each heartbeat
                told = await desk.halt.book_left()
            await self._end_chases()
        await self._bear("the engines", desk.runs.look_frozen())
        return told

    async def _meet_venues(self) -> None:
        connections = self._inside.connections
        for connection in connections:
            try:
                await connection.broker.open()
            except BrokerError as problem:
                if not self._policy.bears_trouble:
                    raise
                log.error("%s cannot be reached: %s", connection.name, problem)
        for connection in connections:
            await connection.life.meet()

    async def _begin(self, told: set[int]) -> None:
        """Begin to work; `told` are clients whose books are read before anything is shown."""
        desk, inside = self._desk, self._inside
        workers, background = inside.workers, inside.background
        if not self._policy.works:
            background.spawn(workers.recorder.run())
            background.spawn(workers.dispatcher.run())
        # Whoever only looks for a while, beside a desk that keeps up or alone, books nothing that happens.
        books = self._policy.keeps_up or not (inside.engine.looks_only or self._policy.works)
        heard = self._recording()
        for connection in self._inside.connections:
            told_by = partial(workers.watcher.take, connection) if books else _forget
            background.spawn(follow_stream(connection, inside.market_data, inside.timing, told_by, heard))
        if books:
            background.spawn(workers.watcher.poll())
        background.spawn(EngineDuties(self._inside.timing, self._duties()).run())
        await self._following.begin()
        self._projecting.begun = True
        if self._policy.works:
            await self._bear("comparisons", desk.reconcile.borrow())
            return
        if self._policy.keeps_up:
            background.spawn(self._hearing.keep())
            background.spawn(inside.kept.line.keep())
            if (shared := inside.market_data.shared) is not None:
                background.spawn(shared.keep(desk.market.follow_again))
                background.spawn(shared.bring())
        await workers.canceller.resume()
        await workers.changer.resume()
        if self._policy.alone:
            background.spawn(compile_when_idle(inside.kept.store, inside.timing.wall))
        if self._policy.stands_by:
            background.spawn(desk.reconcile.run())
            await desk.halt.take_up()
            return
        if self._policy.keeps_up:
            background.spawn(desk.reconcile.run())
            background.spawn(desk.market.keep_courses())
            background.spawn(WhosePrices(inside.kept, inside.timing, inside.market_data).keep())
            background.spawn(desk.equity.keep())
            background.spawn(desk.close.keep())
            background.spawn(desk.flatten.keep_counted())
            background.spawn(desk.alerts.keep())
            background.spawn(desk.mtf_alerts.keep())
            background.spawn(desk.market_halts.keep())
            background.spawn(desk.hand_over.keep())
            background.spawn(desk.probes.keep())
            if not self._inside.engine.looks_only:
                background.spawn(desk.guards.keep())
            background.spawn(desk.rule_watch.keep())
            background.spawn(desk.outbox.keep())
            background.spawn(desk.jobs.keep())
            await desk.halt.take_up()
            return
        await self._bear("comparisons", desk.reconcile.borrow())
        book = self._inside.kept.book
        live = {book.orders[order_id].client_id for order_id in book.live}
        workers.watcher.read_soon(live - told)
        await self._read_first(told)

    async def _follow_connections(self) -> None:
        """Have each connection do what waited for an open desk, and follow its venue from now on."""
        connections = self._inside.connections
        for connection in connections:
            await connection.life.opened()
        for connection in connections:
            self._desk.events.subscribe(partial(tell_connection, connection.life))
            if not self._policy.works:
                self._inside.background.spawn(connection.life.keep_day())

    async def _read_first(self, client_ids: Collection[int]) -> None:
        """Read these clients' books before a command shows what is not true any more; not for long."""
        if not client_ids:
            return
        timing, watcher = self._inside.timing, self._inside.workers.watcher
        reads = [asyncio.create_task(watcher.read(client_id)) for client_id in client_ids]
        patience = asyncio.create_task(timing.wall.sleep(timing.waits.send_timeout_s))
        all_read = asyncio.gather(*reads, return_exceptions=True)
        try:
            await asyncio.wait({all_read, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()

    async def _end_chases(self) -> None:
        """Tell of orders whose chase ended with its program; a command looks only where an order lives."""
        if self._policy.keeps_up or self._inside.kept.book.live:
            with suppress(StoreError):  # tried again at each heartbeat
                await self._bear("chases", self._tell_of_chases())

    async def _tell_of_chases(self) -> None:
        if await self._desk.lost_chases.end():
            await self._desk.alerts.look_again()

    async def _catch_up(self) -> None:
        """Read the brokers' instruments after a command's sign-in, where no app is open that does."""
        if is_held(app_lock(self._inside.kept.home)):
            return
        try:
            await self._desk.instruments.catch_up()
        except StoreError as problem:  # the client is signed in all the same
            log.warning("today's instruments could not be kept: %s", problem)

    # --- the duties of each heartbeat ---

    def _duties(self) -> tuple[Duty, ...]:
        desk = self._desk
        if self._policy.works:
            return self._inside.engine.beat, self._clock.look, self._tell_trouble
        return (
            self._orphans,
            desk.runs.pause_dead,
            desk.runs.advance,
            desk.firm_orders.keep,
            self._inside.workers.dispatcher.pause_held,
            self._end_chases,
            self._book_left,
            self._inside.days.keep,
            desk.sessions.expire_due,
            desk.clients.end_pauses,
            self._down.keep,
            desk.calendar.keep,
            self._inside.engine.beat,
            self._standing_by.look if self._policy.stands_by else desk.leases.keep,
            self._clock.look,
            desk.runs.look_frozen,
            self._books.again,
            desk.audit.keep_outside,
            self._tell_trouble,
        )

    def _recording(self) -> Callable[[Tick | Ticks | Heartbeat], None] | None:
        """What hears the stream of prices where an app records the day."""
        most_bytes = self._desk.rules.record_bytes
        if not most_bytes or not self._policy.alone:
            return None
        kept, desk, timing = self._inside.kept, self._desk, self._inside.timing
        recorder = DayRecorder(kept.home, timing, lambda key: desk.market.index.get(key), most_bytes)
        happenings = HappeningsHeard(
            kept.book, timing.market.now, lambda: desk.alerts.standing, recorder.happened
        )
        desk.events.subscribe(happenings.hear)
        self._inside.background.spawn(recorder.keep())
        return recorder.hear

    async def _orphans(self) -> None:
        """What nobody sends any more is UNKNOWN now."""
        inside, workers = self._inside, self._inside.workers
        sending = workers.dispatcher.is_sending
        for order_id in lost_orders(inside.kept.book, inside.engine, inside.timing, sending):
            ended = Ambiguous("the program ended while the order was being sent")
            workers.recorder.put(SendEnded(order_id, ended))

    async def _book_left(self) -> None:
        await self._desk.halt.book_left(follow=self._policy.keeps_up)

    async def _tell_trouble(self) -> None:
        trouble = self._desk.trading_disabled or ""
        if trouble != self._trouble:
            self._trouble = trouble
            self._desk.events.publish([StoreTrouble(trouble)])

    async def close(self) -> None:
        """Let calls under way end, book what came in, and leave the home to others."""
        desk, inside, workers = self._desk, self._inside, self._inside.workers
        began = inside.background.running
        if began:
            with suppress(TimeoutError, StoreError):
                async with inside.timing.wall.timeout(inside.timing.waits.send_timeout_s):
                    await desk.halt.close()
                    await workers.settle()
        desk.flatten.close()
        desk.chases.close()
        workers.dispatcher.close()
        desk.reconcile.close()
        workers.watcher.close()
        workers.canceller.close()
        inside.engine.end_look()
        await inside.background.end()
        if began:
            for connection in inside.connections:
                await connection.broker.close()
            with suppress(StoreError, DatabaseError):
                await desk.audit.keep_outside(now=True)
        with suppress(StoreError):
            await inside.engine.sign_off()
        await inside.kept.line.end()
        await self._turning.end()
        await inside.kept.store.close()
        if self._app_lock is not None:
            self._app_lock.free()
        inside.engine.free()
        for connection in inside.connections:
            connection.life.close()
