"""The recorder: collects facts from calls and streams, and books whatever has come in as one unit."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from brokers.contract import BrokerOrder
from data.errors import LeaseLost, StoreFailed
from data.records import replace
from data.repositories.base import DatabaseError
from data.store import StoreError, Unit
from engine.book.book import Book
from engine.book.kept import Kept
from engine.booking.apply import apply_facts
from engine.booking.facts import Applied, Fact, Seen
from engine.booking.unbooked import Unbooked, keep_unbooked, settle_unbooked
from engine.instances import ThisEngine
from engine.rules import Rules
from engine.timing import Timing

log = logging.getLogger(__name__)


FAILED_TRIES = 5
"""How often a batch in which the database failed is tried again before its facts are booked one by one."""

MANY_CALLS = 16
"""Calls under way at once from which on a commit for each few answers would cost more than the answers."""

LOOKS = 4
"""How often it is looked, while facts gather, whether many calls are under way still."""


class Recorder:
    """One task that writes facts in the order they came. None is dropped: what cannot be booked is kept."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, rules: Rules) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._rules = rules
        self._facts: list[Fact] = []
        self._arrived = asyncio.Event()
        self._flushes: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._taken = self._done = 0
        self._waiting: StoreError | None = None
        self._after: list[Callable[[Applied], Awaitable[None] | None]] = []
        self._calls: list[Callable[[], int]] = []

    def after(self, hook: Callable[[Applied], Awaitable[None] | None]) -> None:
        """Call `hook` with what each batch left to do."""
        self._after.append(hook)

    def gather_for(self, under_way: Callable[[], int]) -> None:
        """Have facts gather for a moment while many of these calls are under way."""
        self._calls.append(under_way)

    def put(self, fact: Fact) -> None:
        """Queue a fact; it is booked soon, together with whatever else has come in."""
        self._facts.append(fact)
        self._taken += 1
        self._arrived.set()

    def waiting(self) -> int:
        """Facts that are not booked yet."""
        return self._taken - self._done

    async def flush(self) -> None:
        """Return when everything put so far is durable.

        Raises `StoreError` while the store cannot be written: the facts are kept and tried again, but
        nobody, least of all a cancel, may wait for that.
        """
        if self._done >= self._taken:
            return
        if self._waiting is not None:
            raise self._waiting
        booked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushes.append((self._taken, booked))
        await booked

    def _note_booked(self) -> None:
        """Let those go on whose facts are booked, and tell the others where facts wait for the store."""
        while self._flushes and (self._waiting is not None or self._flushes[0][0] <= self._done):
            target, booked = self._flushes.popleft()
            if booked.done():
                continue
            if target <= self._done or self._waiting is None:
                booked.set_result(None)
            else:
                booked.set_exception(self._waiting)

    async def run(self) -> None:
        """Book facts for as long as the desk lives."""
        failed = 0
        while True:
            await self._arrived.wait()
            await self._gather()
            self._arrived.clear()
            batch, self._facts = self._facts, []
            if not batch:
                continue
            self._engine.reached("heard")
            try:
                applied = await self._kept.store.write(lambda unit, batch=batch: self._book(unit, batch))
            except LeaseLost as lost:
                self._leave(batch, lost)
                continue
            except Exception as problem:
                failed += isinstance(problem, StoreFailed)
                if isinstance(problem, StoreError) and failed < FAILED_TRIES:
                    await self._wait(batch, problem)
                    continue
                log.warning("a batch of %d facts is booked one by one: %r", len(batch), problem)
                applied, rest, trouble = await self._one_by_one(batch)
                if trouble is not None:
                    self._done += len(batch) - len(rest)
                    await self._wait(rest, trouble)
                    continue
            failed = 0
            self._engine.reached("booked")
            self._waiting = None
            self._done += len(batch)
            self._note_booked()
            for hook in self._after:
                try:
                    result = hook(applied)
                    if result is not None:
                        await result
                except Exception:  # the next facts must be booked whatever a listener makes of these
                    log.exception("what was booked could not be followed up")

    async def _gather(self) -> None:
        """Let more facts come in for a moment, as long as many calls are under way that will bring some."""
        for _ in range(LOOKS):
            if sum(under_way() for under_way in self._calls) < MANY_CALLS:
                return
            await self._timing.wall.sleep(self._timing.waits.gather_s / LOOKS)

    def _client_of(self, fact: Fact) -> int:
        """Whose fact it is; 0 of an order that is not known here, or no more."""
        if isinstance(fact, Seen):
            return fact.client_id
        order = self._kept.book.orders.get(fact.order_id)
        return 0 if order is None else order.client_id

    def _book(self, unit: Unit, facts: list[Fact]) -> Applied:
        if self._engine.shares_books:
            self._engine.require(unit, {self._client_of(fact) for fact in facts})
        applied = apply_facts(unit, facts, self._engine.actor, self._rules.sell_credit_bps)
        self._settle(unit, facts)
        self._engine.reached("booking")
        return applied

    def _settle(self, unit: Unit, facts: list[Fact]) -> None:
        """Close the kept facts of orders whose whole story a read of the order book has told and booked."""
        book = self._kept.book
        waiting = {fact.client_id for fact in book.unbooked()}
        for fact in facts if waiting else ():
            if isinstance(fact, Seen) and fact.read_at is not None and fact.client_id in waiting:
                broker_order_id = fact.order.broker_order_id
                ours = book.known_as(fact.client_id, broker_order_id)
                settle_unbooked(
                    unit,
                    [fact.client_id],
                    "its order was read and booked",
                    self._engine.actor,
                    [broker_order_id],
                    [] if ours is None else [ours],
                )

    def _leave(self, batch: list[Fact], lost: LeaseLost) -> None:
        """Leave what was told of clients that another desk has to what that reads; book the others' soon."""
        log.warning("facts are left to another desk: %s", lost)
        rest = [fact for fact in batch if self._client_of(fact) not in lost.client_ids]
        self._done += len(batch) - len(rest)
        self._facts = rest + self._facts
        self._note_booked()
        self._arrived.set()

    async def _wait(self, facts: list[Fact], problem: StoreError) -> None:
        """Keep facts that the store would not take, and try again after a pause."""
        log.error("facts wait for the store: %s", problem)
        self._facts = facts + self._facts
        self._waiting = problem
        self._note_booked()
        await self._timing.wall.sleep(self._timing.waits.not_sent_pause_s)
        self._arrived.set()

    async def _one_by_one(self, batch: list[Fact]) -> tuple[Applied, list[Fact], StoreError | None]:
        """Book a batch that failed as a whole, so that one bad fact does not keep the others out.

        Returns what is left to do, and the facts that still wait if the store could not be written. A fact
        that fails alone is kept as a row; where not even that can be written the fault is the store's.
        """
        read_again: set[int] = set()
        external: list[tuple[int, BrokerOrder]] = []
        booked_external: set[tuple[int, str]] = set()
        rest: list[Fact] = []
        trouble: StoreError | None = None
        for number, fact in enumerate(batch):
            try:
                try:
                    applied = await self._kept.store.write(lambda unit, fact=fact: self._book(unit, [fact]))
                except Exception as problem:
                    if isinstance(problem, StoreError) and not isinstance(problem, StoreFailed):
                        raise
                    await self._keep(fact, problem)
                    continue
            except LeaseLost:
                continue  # its owner reads it
            except StoreError as problem:
                rest, trouble = batch[number:], problem
                break
            read_again |= applied.read_again
            external += applied.external
            booked_external |= applied.booked_external
        return Applied(frozenset(read_again), tuple(external), frozenset(booked_external)), rest, trouble

    async def _keep(self, fact: Fact, problem: Exception) -> None:
        """Keep a fact that no booking takes. Raises `StoreError`."""
        kept = unbooked_of(fact, self._kept.book)
        cause = problem.__cause__ if isinstance(problem, StoreFailed) else problem
        words = str(cause.orig) if isinstance(cause, DatabaseError) else repr(cause)
        if await self._kept.store.write(lambda unit: keep_unbooked(unit, kept, words, self._engine.actor)):
            log.error("a fact could not be booked, and is kept: %r", fact, exc_info=problem)


def unbooked_of(fact: Fact, book: Book) -> Unbooked:
    """A fact as it is kept where no booking takes it."""
    if isinstance(fact, Seen):
        broker_order_id, client_id = fact.order.broker_order_id, fact.client_id
        names = (book.by_tag[tag] for tag in fact.order.tags if tag in book.by_tag)
        order_id = book.known_as(client_id, broker_order_id) or next(names, None)
        identity = f"order {broker_order_id} of client {client_id}"
        subject = f"its order {broker_order_id}"
    else:
        order_id, order = fact.order_id, book.orders.get(fact.order_id)
        client_id = order.client_id if order else None
        broker_order_id = (order.broker_order_id if order else None) or ""
        identity, subject = f"{type(fact).__name__} of order {order_id}", f"order {order_id}"
    client = book.clients.get(client_id) if client_id is not None else None
    return Unbooked(
        identity=identity,
        client_id=client.id if client else None,
        order_id=order_id,
        broker_order_id=broker_order_id,
        code=client.code if client else "no client",
        subject=subject,
        body=repr(replace(fact, read_at=None) if isinstance(fact, Seen) else fact),
    )
