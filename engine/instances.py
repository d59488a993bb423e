"""Engines of a home: how this one signs on and beats, what it may do until then, and what the dead leave."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec import Struct

from data.acting import actor_now
from data.errors import StoreFailed, StoreUnreadable, TradedeskError
from data.home import engine_lock
from data.proving.readable import UNREADABLE
from data.repositories.instances import Engine, add_engine, beat, beats, end_engine
from data.schema import HEAD, newer_version
from data.store import GateMode, StoreError, StoreUnwritable, Unit
from data.vocabulary import DeskKind, OrderState
from data.writing.locks import HeldLock, process_start
from data.writing.sealing import seal
from engine.book.book import Book
from engine.book.kept import Kept
from engine.timing import Timing

log = logging.getLogger(__name__)

T = TypeVar("T")


class AppAlreadyRuns(TradedeskError):  # noqa: N818 - what the trader is told
    """Another app is open on the same home; the CLI may join it, a second app may not."""


class DeskPolicy(Struct, frozen=True):
    """What a desk of one kind does and bears."""

    alone: bool = False
    """Only one is open on a home at a time."""
    keeps_up: bool = False
    """Looks at its books before all else, compares on schedule, follows halts and hears of every client; any
    other looks and reads what it needs when it needs it."""
    stands_by: bool = False
    """Looks after what others have left at the brokers, and begins nothing of its own."""
    works: bool = False
    """Does jobs and nothing by itself: beside desks that share their books it reads everybody's."""
    bears_trouble: bool = False
    """Opens for reading and for cancels even where the store or the market cannot be had."""


POLICIES = {
    DeskKind.APP: DeskPolicy(alone=True, keeps_up=True),
    DeskKind.COMMAND: DeskPolicy(bears_trouble=True),
    DeskKind.SCRIPT: DeskPolicy(keeps_up=True),
    DeskKind.KEEP: DeskPolicy(keeps_up=True, stands_by=True),
    DeskKind.WORKER: DeskPolicy(works=True),
}


POINTS = (
    "reserving",
    "reserved",
    "claimed",
    "answered",
    "heard",
    "booking",
    "booked",
    "cancel_sent",
    "modify_sent",
    "halt_written",
    "reconciling",
)
"""Where on an order's way a program may die, in the order of the way: before and after the commit of a
reservation, after that of a claim, between an answer or an update and its commit, inside that commit, after
it, after a cancel or a modify was sent, after a halt's commit, between two clients of a reconciliation."""

CLOSE_POINTS = (
    "close_books",
    "close_prices",
    "close_charges",
    "close_snapshots",
    "close_risk",
    "close_sealed",
    "close_exports",
    "close_backup",
    "close_tomorrow",
)
"""Where it may die on the way of a day's close: behind the commit of each step."""

DAY_POINTS = ("day_corrected", "day_opened", "action_booked")
"""Where it may die between two days: behind a note's correction, the opening, and actions booked by hand."""

GUARD_POINTS = ("guard_tripped", "guard_flattens")
"""Where it may die on a guard's way: after the commit of a trip, and after that of the flatten it begins."""


def _passed(point: str) -> None:
    pass


def _nothing(unit: Unit, whom: frozenset[int] = frozenset()) -> object:
    pass


def _agreed() -> str:
    return ""


async def _nothing_found() -> str:
    return ""


class ThisEngine:
    """One engine among those of its home: its row, whether it may send, and for whom it acts.

    It sends nothing before it is signed on: it has a row, holds the lock that says that it lives, and the
    day's books are open. That is done at the opening or, where it failed then, before it first trades.
    """

    def __init__(self, kept: Kept, trader: str, kind: DeskKind, looks_only: bool = False) -> None:
        self.looks_only = looks_only
        """Whether it has nothing that could send, modify or cancel."""
        self._kept = kept
        self.kind = DeskKind(kind)
        self._lock: HeldLock | None = None
        self._trying: asyncio.Task[None] | None = None
        self.trader = trader
        """The home's own."""
        self.id = 0
        """The number of its row; 0 before it has one."""
        self.may_send = False
        """Whether it is signed on; else it reserves, claims, modifies, adopts and imports nothing."""
        self.sign_on_trouble = ""
        """Why it could not sign on when it last tried; empty once it has."""
        self.trading_disabled: str | None = None
        """Why these books are not traded on: empty if nothing speaks against it, None before a look.

        Cancels go on all the same.
        """
        self._looking: asyncio.Task[None] | None = None
        self.begun: dict[int, float] = {}
        """The monotonic moment at which each run of this engine was confirmed, or last gone on with."""
        self.reached: Callable[[str], None] = _passed
        """Told of each of `POINTS`, from whichever thread is there."""
        self.look_at_books: Callable[[], Awaitable[str]] = _nothing_found
        """Finds why these books are not to be traded on, in words; empty where nothing speaks against it."""
        self.open_day: Callable[[Unit], object] = _nothing
        """Opens the books for the trading day, once however often it is called."""
        self.keep_beside: Callable[[Unit], object] = _nothing
        """Stores what is kept beside its row, at signing on, at each heartbeat and at its end."""
        self.take_clients: Callable[[Unit], object] = _nothing
        self.take_over: Callable[[Unit, frozenset[int]], object] = _nothing
        """Takes the clients that this desk is for, at signing on, where several desks share the books."""
        self.keep_connections: Callable[[Unit], object] = _nothing
        """Keeps which connections the home has, at signing on."""
        self.venues_differ: Callable[[], str] = _agreed
        """Says why nothing is traded: the venues of this desk are not of one day. Empty while they are."""

    @property
    def actor(self) -> str:
        """Who acts now: whoever this was asked for, else the home's own trader."""
        return actor_now(self.trader)

    def lives(self, instance_id: int) -> bool:
        """Whether the engine of this row lives, as the store can tell."""
        return instance_id == self.id or self._kept.store.owning.lives(instance_id)

    def sends_for(self, client_id: int) -> bool:
        """Whether a call for a client may begin: always, unless several desks share these books.

        Who stands by for others sends and modifies nothing.
        """
        return not POLICIES[self.kind].stands_by and self._kept.store.owning.sends_for(client_id)

    def adopt(self, unit: Unit, client_ids: Collection[int]) -> None:
        """Have clients that are new in this commit be this desk's, where several share the books."""
        self._kept.store.owning.adopt(unit, client_ids)

    @property
    def shares_books(self) -> bool:
        """Whether several desks share these books, each with clients of its own."""
        return self._kept.store.owning.leased

    @property
    def has_everybody(self) -> bool:
        """Whether it knows the books of all clients: alone on them, or beside the desks that share them."""
        return not self.shares_books or POLICIES[self.kind].works

    @property
    def term(self) -> int:
        """Another number once what was claimed before may be another desk's."""
        return self._kept.store.owning.term()

    def require(self, unit: Unit, client_ids: Collection[int]) -> None:
        """Have only the desk that owns these clients write this. Raises `LeaseLost`."""
        self._kept.store.owning.require(unit, client_ids)

    def slowest_beat(self, unit: Unit) -> datetime:
        """The oldest heartbeat of an engine that lives; now where none but this one does.

        Each has read by its heartbeat what was committed before.
        """
        living = (one.heartbeat_at for one in beats(unit) if self.lives(one.id))
        return min(living, default=unit.now)

    async def write_signed_on(self, unit: Callable[[Unit], T], gate: GateMode = GateMode.SHARED) -> T:
        """`Store.write` for what only an engine that may send writes; any other tries to sign on first.

        Raises what the unit raised, or `StoreError`; then nothing was written.
        """
        await self.sign_on()
        return await self._kept.store.write(unit, gate)

    @property
    def is_checking_books(self) -> bool:
        """Whether the look at the books is under way that trading waits for."""
        return self.trading_disabled is None and self._looking is not None

    async def looked_at_books(self) -> str:
        """Why these books are not traded on; waits for the look at them, one for all who ask."""
        if self.trading_disabled is None:
            self.look_beside()
            assert self._looking is not None
            await asyncio.shield(self._looking)
        return self.trading_disabled or self.venues_differ()

    def look_beside(self) -> None:
        """Begin the look at the books, unless there was one; until it has ended nothing is traded on them."""
        if self._looking is None or (self._looking.done() and self.trading_disabled is None):
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        found = await self.look_at_books()
        self.trading_disabled = self.trading_disabled or found  # something may have been found meanwhile

    def end_look(self) -> None:
        """Give up a look that is under way."""
        if self._looking is not None:
            self._looking.cancel()

    async def sign_on(self) -> None:
        """Sign on unless that is done; those who ask meanwhile wait for the same try.

        Raises `StoreError` where it cannot be written; then `may_send` stays false.
        """
        if self.may_send:
            return
        if self._trying is None:
            self._trying = asyncio.create_task(self._try())
            self._trying.add_done_callback(self._tried)
        await asyncio.shield(self._trying)

    async def _try(self) -> None:
        store = self._kept.store
        try:
            if self._lock is None:  # an earlier try may have got this far
                await self._register()
            if (leases := store.leases) is not None:
                await asyncio.to_thread(leases.beat)
            await store.write(self._begin)
            await store.write(_read_everything)
        except (StoreFailed, *UNREADABLE) as problem:
            self.sign_on_trouble = f"the day cannot be opened: {getattr(problem, 'orig', problem)}"
            raise StoreUnreadable(self.sign_on_trouble) from problem
        except StoreError as problem:
            self.sign_on_trouble = str(problem)
            raise
        self.sign_on_trouble = ""
        self.may_send = True

    def _begin(self, unit: Unit) -> None:
        self.take_clients(unit)
        self.keep_connections(unit)
        self.open_day(unit)
        self.keep_beside(unit)

    def _tried(self, task: "asyncio.Task[None]") -> None:
        self._trying = None
        if not task.cancelled():
            task.exception()  # whoever waits is told; nobody may be waiting any more

    async def _register(self) -> None:
        """Give this engine a row and a held lock; the lock says that it lives."""

        def unit_of_work(unit: Unit) -> int:
            # A newer program may have migrated since this one looked: nobody's row or lock was there yet.
            if (newer := newer_version(unit)) is not None:
                raise StoreUnwritable(
                    f"a newer program has brought desk.db to version {newer}, this one is of {HEAD}; end "
                    "this one and start that"
                )
            number = unit.take_ids("instance", 1)[0]
            engine = Engine(
                id=number,
                kind=self.kind.value,
                pid=os.getpid(),
                process_started=process_start(os.getpid()),
                heartbeat_at=unit.now,
                started_at=unit.now,
            )
            add_engine(unit, engine)
            if self._kept.store.leases is not None:
                self._kept.store.leases.begin(unit, number)
            return number

        number = await self._kept.store.write(unit_of_work)
        lock = HeldLock(engine_lock(self._kept.home, number))
        lock.take(wait=True)
        self.id, self._lock = number, lock
        self._kept.store.desk = number
        if self._kept.store.leases is not None:
            self._kept.store.leases.instance_id = number

    async def beat(self) -> None:
        """Tell others that this engine is not frozen. Raises `StoreError`."""
        await self._kept.store.write(self._beat)

    def _beat(self, unit: Unit) -> None:
        beat(unit, self.id, unit.now)
        self.keep_beside(unit)
        self._seal(unit)

    async def sign_off(self) -> None:
        """Say in the row that this engine has ended. Raises `StoreError`."""
        if self._lock is not None:
            await self._kept.store.write(self._end)

    def _end(self, unit: Unit) -> None:
        end_engine(unit, self.id, unit.now)
        self.keep_beside(unit)
        self._seal(unit, now=True)

    def _seal(self, unit: Unit, now: bool = False) -> None:
        """Seal what others write to the audit; a file's is one chain."""
        if self._kept.store.on_server:
            seal(unit, now)

    def free(self) -> None:
        """Let go of the lock, once nothing of this engine is under way."""
        if self._lock is not None:
            self._lock.free()
            self._lock.path.unlink(missing_ok=True)


def _read_everything(unit: Unit) -> None:
    unit.touched.unread = True


def lost_orders(
    book: Book, engine: ThisEngine, timing: Timing, is_sending: Callable[[int], bool]
) -> list[int]:
    """Orders that a dead engine was sending, or whose claim this one never heard of; nobody sends them.

    What became of them is not known. A dead engine's unsent ones wait for the trader.
    """
    lost_at = timing.wall.now() - timedelta(seconds=2 * timing.waits.send_timeout_s)
    alive: dict[int, bool] = {}
    lost: list[int] = []
    for order in [book.orders[order_id] for order_id in book.live]:
        if order.state is not OrderState.SENDING:
            continue
        if order.instance_id == engine.id:
            gone = order.updated_at < lost_at and not is_sending(order.id)
        else:
            if order.instance_id not in alive:
                # Of several desks this one has the client: whoever sent has lost it, though it may live.
                alive[order.instance_id] = not engine.shares_books and engine.lives(order.instance_id)
            gone = not alive[order.instance_id]
        if gone:
            lost.append(order.id)
    return lost
