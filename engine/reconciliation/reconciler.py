"""Reconciliation: every client's books read from the broker, and compared with ours.

No order of a client is planned before its books have been read since the desk was opened. Afterwards they
are compared every few minutes and after each burst of fills; a read that fails changes nothing.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from brokers.connections import Readers
from data.errors import BadInput, StoreBusy, StoreUnreadable, StoreUnsure
from data.repositories.accounts.comparisons import compared_by_others
from data.repositories.accounts.readings import readings_since
from data.store import StoreClosed, StoreError, StoreUnread, StoreUnwritable, Unit
from data.under_way import UnderWay
from data.vocabulary import ClientStatus, ReadingSays, Reason, SessionState
from engine.book.break_views import BreakView
from engine.book.kept import Kept
from engine.book.views import BooksCounts, Readiness
from engine.events import (
    Event,
    ExternalOrderTraded,
    FundsChanged,
    OrderChanged,
    PositionsWanted,
    TapeLine,
)
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.labels import reason_from
from engine.market.venues import Venues
from engine.news import BooksBeingRead
from engine.reconciliation.differences import Compared, Theirs, compare
from engine.reconciliation.figures import FiguresRead
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

_OF_THE_STORE = (StoreBusy, StoreClosed, StoreUnreadable, StoreUnread, StoreUnsure, StoreUnwritable)
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
        self._readers = Readers(kept.book.carrier_of, READERS)
        self._figures = FiguresRead(kept, timing, engine, venues, workers)
        self._under_way = UnderWay[int, bool]()
        self._waiting: dict[int, _Waiting] = {}
        self._keeping: asyncio.Task[None] | None = None
        self._silent_until: dict[str, float] = {}
        """Connections that are not waited for, since none of theirs answered, and until when."""
        self._tried: dict[int, datetime] = {}
        self._compared: dict[int, datetime] = {}
        self._touched: dict[int, datetime] = {}
        self._taken_up = self._look_at = timing.wall.now()
        """Until when workers' readings were taken up, and when it is looked for more."""
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
        book = self._kept.book
        gate = book.clients[client_id].gate or (Reason.BROKER_DOWN if book.down_since(client_id) else None)
        return Readiness(gate, bool(self.breaks(client_id)), self.is_compared(client_id))

    def counts(self) -> BooksCounts:
        """How many clients' books stand against their trading, among those with nothing else against it."""
        book = self._kept.book
        differ = sum(1 for client_id, found in book.breaks.items() if found and client_id in book.ready)
        return BooksCounts(differ, len(book.ready - book.reconciled))

    async def ensure(self, client_ids: Collection[int]) -> None:
        """Read the books of those of these clients whom nobody has read since the desk was opened.

        Returns when each has been read or could not be, at the latest after `Waits.send_timeout_s` beyond
        what the brokers' budgets make them wait. A broker of which none has answered for
        `Waits.silent_broker_s`, or had not lately, is not waited for: the others' clients would wait too.
        Raises `StoreError` where what is read could not be booked.
        """
        if self._engine.shares_books and self._engine.has_everybody:  # it books nothing of what it would read
            await self._look_who_was_read(client_ids)
            return
        wanted = [c for c in client_ids if c not in self._kept.book.reconciled and self._reachable(c)]
        if wanted:
            await self._engine.sign_on()
            by: dict[str, list[int]] = defaultdict(list)
            for client_id in wanted:
                by[self._connections.of(client_id).name].append(client_id)
            await asyncio.gather(*(self._until_read(*one) for one in by.items()))

    async def _look_who_was_read(self, client_ids: Collection[int]) -> None:
        """Know of these clients whom a desk has compared lately, or a worker found to agree."""
        book, waits = self._kept.book, self._timing.waits
        book.reconciled.difference_update(client_ids)
        await self.borrow()
        young = self._timing.wall.now() - timedelta(seconds=waits.compare_every_s)
        async with self._kept.store.reader() as reader:
            found = await readings_since(reader, self._timing.market.trading_day, young)
        book.reconciled |= {one.client_id for one in found if one.says is ReadingSays.AGREES}

    async def _until_read(self, name: str, wanted: Sequence[int]) -> None:
        """Have the clients of one connection read, and wait for it as long as it answers at all."""
        clock, waits = self._timing.wall, self._timing.waits
        tasks = [self._start(client_id) for client_id in wanted]
        if self._silent_until.get(name, 0.0) > clock.monotonic():
            return
        last = clock.monotonic() + waits.send_timeout_s + self.eta_s(wanted)
        await self._wait(tasks, waits.silent_broker_s, asyncio.FIRST_COMPLETED)
        if any(task.done() for task in tasks):
            self._silent_until.pop(name, None)
            await self._wait(tasks, last - clock.monotonic(), asyncio.ALL_COMPLETED)
        else:
            self._silent_until[name] = clock.monotonic() + waits.silent_pause_s

    async def _wait(self, tasks: Sequence[asyncio.Task[bool]], seconds: float, until: str) -> None:
        patience = asyncio.create_task(self._timing.wall.sleep(seconds))
        answered = asyncio.create_task(asyncio.wait(tasks, return_when=until))
        try:
            await asyncio.wait({answered, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answered.cancel()
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
        why = reason_from(reason, "say why the broker's figures are right")
        await self._engine.sign_on()
        done = await self._compare(client_id, why)
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

    async def take_up(self) -> None:
        """Take up what workers have read of this desk's clients: what agrees with our books is compared.

        Who differs, or was moving, is read here, and so is who was not compared on this day before.
        """
        since, book = self._taken_up, self._kept.book
        async with self._kept.store.reader() as reader:
            found = await readings_since(reader, self._timing.market.trading_day, since)
        self._taken_up = max((one.read_at for one in found), default=since)
        for one in found:
            whose = one.client_id
            if not self._reachable(whose) or self._compared.get(whose, since) >= one.read_at:
                continue
            touched = self._touched.get(whose)
            agrees = one.says is ReadingSays.AGREES and (touched is None or touched < one.read_at)
            if agrees and whose in book.reconciled:
                self._compared[whose] = self._tried[whose] = one.read_at
            else:
                self._start(whose)

    # --- the schedule ---

    async def run(self) -> None:
        """Reconcile everybody, then on schedule, for as long as the desk lives."""
        waits = self._timing.waits
        while True:
            now = self._timing.wall.now()
            if self._engine.shares_books and now >= self._look_at:
                self._look_at = now + timedelta(seconds=waits.live_poll_s)
                with suppress(StoreError):  # at the next look
                    await self.take_up()
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
        for task in (*self._under_way, *([self._keeping] if self._keeping else [])):
            task.cancel()

    # --- one client ---

    def _start(self, client_id: int) -> "asyncio.Task[bool]":
        running = self._under_way.get(client_id)
        if running is None:
            self._tried[client_id] = self._timing.wall.now()
            running = self._under_way.begin(client_id, self._reconcile(client_id))
        return running

    async def _reconcile(self, client_id: int) -> bool:
        try:
            async with self._readers.of(client_id):
                theirs = await self._figures.read(client_id)
            done = None if theirs is None else await self._keep(client_id, theirs)
            if theirs is not None and done is not None and done.to_bracket:
                theirs = await self._figures.bracketed(client_id, theirs)
                done = None if theirs is None else await self._keep(client_id, theirs)
        except StoreError as problem:
            log.warning("client %s could not be reconciled: %s", client_id, problem)
            return False
        self._engine.reached("reconciling")
        return done is not None and done.differences is not None

    async def _compare(self, client_id: int, adopt: str) -> Compared | None:
        """Read everything, compare and adopt; None where something could not be read."""
        theirs = await self._figures.read(client_id)
        if theirs is None:
            return None
        done = (await self._write({client_id: theirs}, adopt))[client_id]
        if done.to_bracket and (bracketed := await self._figures.bracketed(client_id, theirs)) is not None:
            done = (await self._write({client_id: bracketed}, adopt))[client_id]
        return done

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

        def unit_of_work(unit: Unit) -> dict[int, Compared]:
            self._engine.require(unit, theirs)
            return compare(unit, theirs, book, self._timing, self._engine, self._market_data.index, adopt)

        done = await self._engine.write_signed_on(unit_of_work)
        for client_id, one in done.items():
            if one.differences is not None:
                self._compared[client_id] = theirs[client_id].began
        if fresh := {one for one, ended in done.items() if not ended.to_bracket} - book.reconciled:
            book.reconciled |= fresh
            self._workers.dispatcher.wake()
            self._kept.bus.publish([FundsChanged(frozenset(fresh))])
        return done
