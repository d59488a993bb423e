"""Reconciliation: every client's books read from the broker, and compared with ours.

No order of a client is planned before its books have been read since the desk was opened. Afterwards they
are compared every few minutes and after each burst of fills; a read that fails changes nothing.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from data.errors import BadInput, StoreUnreadable
from data.repositories.accounts.comparisons import compared_by_others
from data.store import StoreBusy, StoreClosed, StoreError, StoreUnread, StoreUnwritable
from data.vocabulary import ClientStatus, SessionState
from engine.book.break_views import BreakView
from engine.book.kept import Kept
from engine.book.views import BooksCounts, Readiness
from engine.booking.states import Flag
from engine.booking.unread import HOLDINGS, keep_unread
from engine.events import (
    Event,
    ExternalOrderTraded,
    FundsChanged,
    OrderChanged,
    PositionsWanted,
    TapeLine,
)
from engine.execution.day_end import end_left_over, left_over
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.news import BooksBeingRead
from engine.reconciliation.differences import Compared, Theirs, authorised_shares, compare
from engine.rules import READERS
from engine.timing import Timing

log = logging.getLogger(__name__)

LOOKS = "traded at another terminal"
"""Why a desk that only looks takes over what differs."""

WORTH_SAYING_S = 3.0
"""A wait from which on it is told."""

CALLS = 5
"""Reads that the comparison of one client takes: orders, trades, money, holdings, positions."""

_Waiting = tuple[Theirs, "asyncio.Future[Compared]"]
"""What was read of a client, and who waits for what comparing it finds."""

_OF_THE_STORE = (StoreBusy, StoreClosed, StoreUnreadable, StoreUnread, StoreUnwritable)
"""Errors that no client's figures are the cause of."""


class Reconciler:
    """Reads and compares clients' books, at the opening and on schedule."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, venues: Venues, workers: Workers
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._workers = workers
        self._readers = asyncio.Semaphore(READERS)
        self._under_way: dict[int, asyncio.Task[bool]] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._keeping: asyncio.Task[None] | None = None
        self._tried: dict[int, datetime] = {}
        self._compared: dict[int, datetime] = {}
        self._touched: dict[int, datetime] = {}
        kept.bus.subscribe(self._on_event)

    # --- what screens and plans ask ---

    def breaks(self, client_id: int | None = None) -> list[BreakView]:
        """The differences that stand, of one client or of all."""
        book = self._kept.book
        ids = book.clients if client_id is None else [client_id]
        return [one for i in ids for one in book.breaks.get(i, ())]

    def compared_at(self, client_id: int) -> datetime | None:
        """When a client's figures were last compared with the broker's."""
        return self._compared.get(client_id)

    def is_compared(self, client_id: int) -> bool:
        """Whether a client's books were read since the desk was opened; no order is planned before."""
        return client_id in self._kept.book.reconciled

    def readiness(self, client_id: int) -> Readiness:
        """What stands against this client's trading. Raises `KeyError` for a client that is not there."""
        gate = self._kept.book.clients[client_id].gate
        return Readiness(gate, bool(self.breaks(client_id)), self.is_compared(client_id))

    def counts(self) -> BooksCounts:
        """How many clients' books stand against their trading, among those with nothing else against it."""
        book = self._kept.book
        differ = sum(1 for client_id, found in book.breaks.items() if found and client_id in book.ready)
        return BooksCounts(differ, len(book.ready - book.reconciled))

    async def ensure(self, client_ids: Collection[int]) -> None:
        """Read the books of those of these clients whom nobody has read since the desk was opened.

        Returns when each has been read or could not be, at the latest after `Waits.send_timeout_s` beyond
        what the brokers' budgets make them wait. Raises `StoreError` where what is read could not be booked.
        """
        wanted = [c for c in client_ids if c not in self._kept.book.reconciled and self._reachable(c)]
        if wanted:
            await self._engine.sign_on()
            tasks = [self._start(client_id) for client_id in wanted]
            patient_s = self._timing.waits.send_timeout_s + self.eta_s(wanted)
            patience = asyncio.create_task(self._timing.wall.sleep(patient_s))
            everyone = asyncio.gather(*tasks)
            await asyncio.wait({everyone, patience}, return_when=asyncio.FIRST_COMPLETED)
            patience.cancel()

    def eta_s(self, client_ids: Collection[int]) -> float:
        """Seconds until the books of these clients could have been read within their brokers' budgets."""
        connections = self._connections
        served = [connections.broker_of(c) for c in client_ids if connections.serves(c)]
        brokers = {id(broker): broker for broker, _ in served}
        accounts = {key: [a for b, a in served if id(b) == key] for key in brokers}
        return max((b.read_eta_s(accounts[key], CALLS) for key, b in brokers.items()), default=0.0)

    async def check(self, client_id: int) -> bool:
        """Read and compare one client's books now; returns whether they could be compared."""
        return await self._start(client_id)

    async def adopt(self, client_id: int, reason: str) -> Compared:
        """Take the broker's figures over for a client, on the trader's word.

        Raises `BadInput` without a reason, or while the client's orders are moving or its books cannot be
        read, and `StoreError` where they cannot be written.
        """
        if not reason.strip():
            raise BadInput("reason", reason, "say why the broker's figures are right")
        await self._engine.sign_on()
        done = await self._compare(client_id, reason.strip())
        if done is None or done.differences is None:
            raise BadInput(
                "client",
                self._kept.book.clients[client_id].code,
                "its books cannot be read, or its orders are still moving; try again when they stand still",
            )
        return done

    async def borrow(self) -> None:
        """Take over what a living engine beside this one has compared lately: it keeps those books true.

        So a command beside a running app need not spend the brokers' budgets once more.
        """
        young = self._timing.wall.now() - timedelta(seconds=self._timing.waits.compare_every_s)
        async with self._kept.store.reader() as connection:
            day, own = self._timing.market.trading_day, self._engine.id
            rows = await compared_by_others(connection, day, young, own)
        living = {number for number in {row.instance_id for row in rows} if self._engine.lives(number)}
        for row in rows:
            if row.instance_id in living and self._reachable(row.client_id):
                self._compared[row.client_id] = self._tried[row.client_id] = row.at
                self._kept.book.reconciled.add(row.client_id)

    # --- the schedule ---

    async def run(self) -> None:
        """Reconcile everybody, then on schedule, for as long as the desk lives."""
        waits = self._timing.waits
        while True:
            now = self._timing.wall.now()
            due = [c for c in list(self._kept.book.clients) if self._due(c, now) and self._reachable(c)]
            self._announce([c for c in due if c not in self._tried])
            for client_id in due:
                self._start(client_id)
            await self._timing.wall.sleep(waits.not_sent_pause_s)

    def _announce(self, client_ids: Collection[int]) -> None:
        """Say how long a broker's budget makes many clients wait."""
        eta_s = self.eta_s(client_ids)
        if eta_s >= WORTH_SAYING_S:
            news = BooksBeingRead(len(client_ids), eta_s)
            self._kept.bus.publish([TapeLine(self._timing.wall.now(), news)])

    def _due(self, client_id: int, now: datetime) -> bool:
        waits = self._timing.waits
        tried = self._tried.get(client_id)
        if tried is None or tried > now:  # nobody was tried yet, or the wall's clock was set back
            return True
        if client_id not in self._kept.book.reconciled or client_id not in self._compared:
            return now >= tried + timedelta(seconds=waits.live_poll_s)
        touched, compared = self._touched.get(client_id), self._compared[client_id]
        if touched is not None and touched >= compared:
            return now >= max(touched, tried) + timedelta(seconds=waits.burst_quiet_s)
        return now >= max(compared, tried) + timedelta(seconds=waits.compare_every_s)

    def _reachable(self, client_id: int) -> bool:
        client = self._kept.book.clients.get(client_id)
        return (
            client is not None
            and client.status is ClientStatus.ACTIVE
            and client.session is SessionState.OK
            and self._connections.serves(client_id)
        )

    def _on_event(self, event: Event) -> None:
        now = self._timing.wall.now()
        if isinstance(event, OrderChanged):
            for client_id in event.client_ids:
                self._touched[client_id] = now
        elif isinstance(event, ExternalOrderTraded):
            self._touched[event.client_id] = now
        elif isinstance(event, PositionsWanted):
            soonest = now - timedelta(seconds=self._timing.waits.live_poll_s)
            for client_id in filter(self._reachable, event.client_ids):
                if (tried := self._tried.get(client_id)) is None or not soonest < tried <= now:
                    self._start(client_id)

    def forget(self) -> None:
        """Begin anew on a fresh trading day: nobody's books have been read on it."""
        self._kept.book.reconciled.clear()
        self._compared.clear()
        self._tried.clear()

    def close(self) -> None:
        """Give up what is under way."""
        for task in (*self._under_way.values(), *([self._keeping] if self._keeping else [])):
            task.cancel()

    # --- one client ---

    def _start(self, client_id: int) -> "asyncio.Task[bool]":
        running = self._under_way.get(client_id)
        if running is None:
            self._tried[client_id] = self._timing.wall.now()
            running = self._under_way[client_id] = asyncio.create_task(self._reconcile(client_id))
            running.add_done_callback(lambda _: self._under_way.pop(client_id, None))
        return running

    async def _reconcile(self, client_id: int) -> bool:
        try:
            async with self._readers:
                theirs = await self._read(client_id)
            done = None if theirs is None else await self._keep(client_id, theirs)
        except StoreError as problem:
            log.warning("client %s could not be reconciled: %s", client_id, problem)
            return False
        self._engine.reached("reconciling")
        return done is not None and done.differences is not None

    async def _end_left_over(self, client_id: int) -> None:
        """End a client's orders of the days before, now that its order book of today has been read.

        A broker holds no money for them, so that neither may we before both are compared.
        """
        book = self._kept.book
        live = book.live & book.orders_of_client.get(client_id, set())
        left = {
            order_id
            for order_id in left_over(self._kept.book, self._timing, live)
            if Flag.NEEDS_HUMAN.value not in book.orders[order_id].flags
        }
        if left:
            await end_left_over(self._kept.store, self._timing, self._engine.actor, left)

    async def _compare(self, client_id: int, adopt: str) -> Compared | None:
        """Read everything, compare and adopt; None where something could not be read."""
        theirs = await self._read(client_id)
        return None if theirs is None else (await self._write({client_id: theirs}, adopt))[client_id]

    async def _read(self, client_id: int) -> Theirs | None:
        """Read everything that is compared; None where something could not be read."""
        began = self._timing.wall.now()
        if not await self._workers.watcher.read(client_id):
            return None
        await self._end_left_over(client_id)
        try:
            broker, account = self._connections.broker_of(client_id)
            async with self._timing.wall.timeout(self._timing.waits.read_timeout_s):
                holdings = await broker.holdings(account)
                funds = await broker.funds(account)
        except Exception as problem:  # whatever it was, nothing is known, and nothing changes
            self._connections.outages.failed(
                log, client_id, f"the figures of client {client_id}", repr(problem)
            )
            return None
        self._connections.outages.over(client_id, f"the figures of client {client_id}")
        self._kept.book.authorised[client_id] = authorised_shares(holdings, self._market_data.index)
        await self._workers.recorder.flush()
        await keep_unread(
            self._kept, self._timing.market, self._engine.actor, client_id, {HOLDINGS: holdings.unread}
        )
        return Theirs(funds, holdings, began)

    # --- together ---

    async def _keep(self, client_id: int, theirs: Theirs) -> Compared:
        """Compare within the next commit, together with all others who were read by then."""
        waiting: asyncio.Future[Compared] = asyncio.get_running_loop().create_future()
        self._waiting[client_id] = (theirs, waiting)
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep_all())
        return await waiting

    async def _keep_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, {}
                await self._keep_batch(batch)
        finally:  # in one step with the look at what waits, so that whoever comes next begins anew
            self._keeping = None

    async def _keep_batch(self, batch: Mapping[int, "_Waiting"]) -> None:
        """Compare these together; where that fails, each alone, so that one's odd figure fails no other."""
        try:
            done = await self._write({client_id: theirs for client_id, (theirs, _) in batch.items()})
        except Exception as problem:
            if len(batch) == 1 or isinstance(problem, _OF_THE_STORE):
                for _, waiting in batch.values():
                    if not waiting.done():
                        waiting.set_exception(problem)
                return
            for client_id, one in batch.items():
                await self._keep_batch({client_id: one})
            return
        for client_id, (_, waiting) in batch.items():
            if not waiting.done():
                waiting.set_result(done[client_id])

    async def _write(self, theirs: Mapping[int, Theirs], adopt: str = "") -> dict[int, Compared]:
        """Compare in one commit, and let others know whose books have been read.

        Where the desk only looks, whatever differs was traded elsewhere and is taken over each time.
        """
        adopt = adopt or (LOOKS if self._engine.looks_only else "")
        book = self._kept.book
        done = await self._engine.write_signed_on(
            lambda unit: compare(
                unit, theirs, book, self._timing, self._engine, self._market_data.index, adopt
            )
        )
        for client_id, one in done.items():
            if one.differences is not None:
                self._compared[client_id] = theirs[client_id].began
        if fresh := done.keys() - book.reconciled:
            book.reconciled |= fresh
            self._workers.dispatcher.wake()
            self._kept.bus.publish([FundsChanged(frozenset(fresh))])
        return done
