"""Cancelling: a request row beside the order, then calls on a lane of their own until the order has ended.

A cancel frees nothing; the broker's word does. One asked for while the broker's id is not known yet is
kept and sent on sight.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from msgspec import Struct

from brokers.connections import Connections
from brokers.contract import Accepted, NotSent, Outcome
from data.audit import AuditAction, AuditEntry
from data.clock import Clock
from data.errors import LeaseLost
from data.repositories.trading.orders import cancellable
from data.repositories.trading.requests import last_numbers, left_open, open_cancels
from data.store import StoreError, Unit
from data.under_way import UnderWay
from data.vocabulary import TERMINAL_STATES, OrderState, RequestKind, RequestState
from engine.book.kept import Kept
from engine.booking.facts import CancelEnded
from engine.booking.recorder import Recorder
from engine.booking.requests import Request
from engine.booking.stored import REQUESTS
from engine.booking.working_set import WorkingSet
from engine.execution.sending.unanswered import NO_ANSWER, NOT_SERVED, outcome_of
from engine.execution.watching.book_reads import Watcher
from engine.instances import ThisEngine
from engine.rules import CANCEL_WORKERS, PER_CLIENT
from engine.timing import Timing


class CancelsAsked(Struct, frozen=True):
    """What a cancel of many orders did at once: freed here, asked of the broker, or too late."""

    freed: dict[int, int]
    requests: dict[int, int]
    ended: tuple[int, ...]


def ask(
    unit: Unit, order_ids: Collection[int], why: str, actor: str, halt_number: int | None = None
) -> CancelsAsked:
    """Free what was never sent and write a cancel request for the rest, in one commit.

    `freed` maps orders to paise given back, `requests` orders to their request's number.
    """
    found = cancellable(unit, list(order_ids))
    orders = [found[order_id] for order_id in order_ids if order_id in found]
    unsent = [order.id for order in orders if order.state == OrderState.RESERVED]
    freed = _free(unit, unsent, why, actor) if unsent else {}
    wanted = [order for order in orders if order.state not in TERMINAL_STATES and order.id not in freed]
    numbers = [order.id for order in wanted]
    requests = open_cancels(unit, numbers)  # asking twice makes no second row
    last = last_numbers(unit, numbers)
    epochs = unit.epochs_of({order.client_id for order in wanted})
    asked: list[Request] = []
    details = {"why": why, "halt": halt_number}
    for order in wanted:
        if order.id in requests:
            continue
        number = requests[order.id] = last.get(order.id, 0) + 1
        kind, state = RequestKind.CANCEL, RequestState.REQUESTED
        epoch = epochs[order.client_id]
        asked.append(
            Request(order.id, number, kind, state, why, unit.now, halt_number=halt_number, epoch=epoch)
        )
        unit.audit(
            AuditEntry(
                AuditAction.CANCEL_REQUESTED,
                actor,
                client_id=order.client_id,
                order_id=order.id,
                run_number=order.run_number,
                details=details,
            )
        )
    REQUESTS.insert(unit, asked)
    ended = tuple(order.id for order in orders if order.state in TERMINAL_STATES)
    return CancelsAsked(freed, requests, ended)


def _free(unit: Unit, order_ids: Sequence[int], why: str, actor: str) -> dict[int, int]:
    """End these orders, which never left; returns the paise given back by order."""
    books = WorkingSet(unit, actor, 0)
    books.load(order_ids)
    freed = {order_id: books.free_unsent(books.orders[order_id], why) for order_id in order_ids}
    books.flush()
    return freed


class Places:
    """So many calls at once; one that hangs gives its place back after `slow_s`, for others must not wait."""

    def __init__(self, count: int, clock: Clock, slow_s: float) -> None:
        self._free = asyncio.Semaphore(count)
        self._clock = clock
        self._slow_s = slow_s
        self._taken: dict[object, float] = {}
        self._looking: asyncio.Task[None] | None = None

    async def take(self) -> object:
        """Wait for a place; returns what `give_back` takes."""
        await self._free.acquire()
        place = object()
        self._taken[place] = self._clock.monotonic() + self._slow_s
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._give_back_slow())
        return place

    def give_back(self, place: object) -> None:
        """Leave a place, unless it was given back meanwhile."""
        if self._taken.pop(place, None) is not None:
            self._free.release()

    def taken(self) -> int:
        """How many calls are under way that have not given their places back."""
        return len(self._taken)

    def close(self) -> None:
        """Look after no call any more."""
        if self._looking is not None:
            self._looking.cancel()

    async def _give_back_slow(self) -> None:
        while self._taken:
            place, due = next(iter(self._taken.items()))
            if (rest := due - self._clock.monotonic()) > 0:
                await self._clock.sleep(rest)
            else:
                self.give_back(place)


class Canceller:
    """Carries cancel requests out: each until its order has ended, on workers that only cancels use."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        connections: Connections,
        recorder: Recorder,
        watcher: Watcher,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = connections
        self._recorder = recorder
        self._watcher = watcher
        self._places = {
            one.name: Places(CANCEL_WORKERS, timing.wall, timing.waits.slow_call_s) for one in connections
        }
        """By connection, so that one that hangs takes no other's."""
        self._per_client: dict[int, asyncio.Semaphore] = {}
        self._tasks = UnderWay[int, None]()
        self._moved = asyncio.Event()
        self._unanswered = defaultdict[int, set[int]](set)
        self._all_answered = defaultdict[int, asyncio.Event](asyncio.Event)
        self._to_leave = set[int]()
        self._all_left = asyncio.Event()
        self.sent: dict[int, tuple[datetime, datetime]] = {}
        """When the first and the latest cancel of an order left, as far as this desk sent them."""
        self.tried: set[int] = set()
        """Orders of which cancels were tried and none has left this machine."""
        self.ended_at: dict[int, float] = {}
        """When the latest cancel that left for a client had ended, by the monotonic clock."""
        recorder.after(self._wake)
        recorder.gather_for(lambda: sum(places.taken() for places in self._places.values()))

    def carry_out(self, requests: dict[int, int]) -> None:
        """Start on these requests, by order id; one already under way goes on."""
        for order_id, number in requests.items():
            if order_id not in self._tasks:
                self._note_asked(order_id)
                self._tasks.begin(order_id, self._until_ended(order_id, number))

    async def write(self, order_ids: Collection[int], work: Callable[[Unit], CancelsAsked]) -> CancelsAsked:
        """Do work that asks for cancels, and start on them.

        Raises `StoreError` when it could not be written; the cancels of `order_ids` were sent even so, but
        for `LeaseLost`: another desk asks the broker then.
        """
        try:
            asked = await self._kept.store.write(work)
        except LeaseLost:
            raise
        except StoreError as problem:
            taken = len(await self.without_store(order_ids))
            raise type(problem)(f"{problem}; the brokers took {taken} cancels all the same") from problem
        self.carry_out(asked.requests)
        return asked

    def is_cancelling(self, order_id: int) -> bool:
        """Whether a cancel of an order is repeated here until it has ended."""
        return order_id in self._tasks

    def _note_asked(self, order_id: int) -> None:
        order = self._kept.book.orders.get(order_id)
        if order is not None and order.live and order.broker_order_id is not None:
            self._unanswered[order.client_id].add(order_id)
            self._all_answered[order.client_id].clear()
            self._to_leave.add(order_id)
            self._all_left.clear()

    async def first_answers(self, client_id: int, seconds: float) -> None:
        """Wait until each cancel asked for a client has been answered once, at most `seconds`.

        A read of its books that began before would say nothing of them. As long as any client's cancels have
        not left, a read would only be in their way.
        """

        if not self._unanswered[client_id] and not self._to_leave:
            return
        waiting = asyncio.create_task(self._answers(client_id))
        patience = asyncio.create_task(self._timing.wall.sleep(seconds))
        try:
            await asyncio.wait({waiting, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            patience.cancel()

    async def _answers(self, client_id: int) -> None:
        if self._unanswered[client_id]:
            await self._all_answered[client_id].wait()
        if self._to_leave:
            await self._all_left.wait()

    def close(self) -> None:
        """Stop; the open requests are taken up again by `resume` when a desk opens."""
        for task in self._tasks:
            task.cancel()
        for places in self._places.values():
            places.close()

    async def resume(self) -> None:
        """Take up the requests that an earlier run of the program left open."""
        async with self._kept.store.reader() as reader:
            left = await left_open(reader, RequestKind.CANCEL)
        self.carry_out({order_id: number for order_id, number, _ in left})

    def _wake(self, applied: object) -> None:
        """Let whoever waits for the books to move look at them again."""
        self._moved.set()
        self._moved.clear()

    async def _until_ended(self, order_id: int, number: int) -> None:
        try:
            await self._repeat(order_id, number)
        finally:
            self._answered(order_id)

    def _left(self, order_id: int) -> None:
        self._to_leave.discard(order_id)
        if not self._to_leave:
            self._all_left.set()

    def _answered(self, order_id: int) -> None:
        self._left(order_id)  # one that was kept back is in no read's way either
        order = self._kept.book.orders.get(order_id)
        if order is not None:
            unanswered = self._unanswered[order.client_id]
            unanswered.discard(order_id)
            if not unanswered:
                self._all_answered[order.client_id].set()

    async def _repeat(self, order_id: int, number: int) -> None:
        pause = self._timing.waits.cancel_repeat_s
        while True:
            order = self._kept.book.orders.get(order_id)
            if order is None or not order.live:
                return
            if order.broker_order_id is None:
                await self._moved.wait()  # sent on sight, as soon as the broker's id is known
                continue
            outcome = await self._call(order.client_id, order.broker_order_id, order_id)
            self._recorder.put(CancelEnded(order_id, number, outcome))
            with suppress(StoreError):  # a store in trouble keeps no cancel from being repeated
                await self._recorder.flush()
            self._answered(order_id)
            if not isinstance(outcome, Accepted):
                await self._watcher.read(order.client_id)
            order = self._kept.book.orders.get(order_id)  # another desk may have its client by now
            if order is None or not order.live:
                return
            await self._timing.wall.sleep(pause)
            await self._watcher.read(order.client_id)
            pause = min(pause * 2, self._timing.waits.live_poll_s)

    async def without_store(self, order_ids: Iterable[int]) -> set[tuple[int, str]]:
        """Send one cancel for each order while nothing can be written.

        Returns those that brokers took, by client and broker's id. What the desk knows no broker's id of is
        looked for in the broker's own book by its tag.
        """
        book = self._kept.book
        orders = [book.orders[order_id] for order_id in order_ids if order_id in book.orders]
        nameless = {o.client_id for o in orders if o.live and o.broker_order_id is None and o.tag}
        books = await asyncio.gather(*(self._watcher.book_of(client_id) for client_id in nameless))
        by_tag = {tag: one.broker_order_id for rows in books for one in rows or () for tag in one.tags}
        found = [(o, o.broker_order_id or by_tag.get(o.tag or "")) for o in orders if o.live]
        known = [(order, name) for order, name in found if name]
        outcomes = await asyncio.gather(
            *(self._call(order.client_id, name, order.id) for order, name in known)
        )
        ended = zip(known, outcomes, strict=True)
        return {(order.client_id, name) for (order, name), end in ended if isinstance(end, Accepted)}

    async def cancel_external(self, client_id: int, broker_order_id: str) -> Outcome:
        """Cancel an order at the broker that this desk did not send."""
        return await self._call(client_id, broker_order_id)

    async def _call(self, client_id: int, broker_order_id: str, order_id: int = 0) -> Outcome:
        """One cancel and how it ended, noted for certificates where it left this machine."""
        before = self.sent.get(order_id)
        call = self._cancel(client_id, broker_order_id, order_id)
        outcome = await outcome_of(call, "a cancel", f"{NO_ANSWER} to the cancel")
        if not isinstance(outcome, NotSent):
            self.ended_at[client_id] = self._timing.wall.monotonic()
            self.tried.discard(order_id)
        elif order_id and before is None:
            self.sent.pop(order_id, None)
            self.tried.add(order_id)
        elif before is not None:
            self.sent[order_id] = before
        return outcome

    async def _cancel(self, client_id: int, broker_order_id: str, order_id: int) -> Outcome:
        """One cancel, within the client's budget; one client's silence takes few of the workers."""
        if not self._connections.serves(client_id):
            return NotSent(NOT_SERVED)
        async with self._per_client.setdefault(client_id, asyncio.Semaphore(PER_CLIENT)):
            broker, account = self._connections.broker_of(client_id)
            lane, clock = self._connections.lane(client_id), self._timing.wall
            while (wait := lane.wait_s(clock.now(), cancel=True)) > 0:
                await clock.sleep(wait)
            lane.take(clock.now(), cancel=True)
            places = self._places[self._connections.of(client_id).name]
            place = await places.take()
            if order_id:
                now = clock.now()
                self.sent[order_id] = (self.sent.get(order_id, (now, now))[0], now)
                self._left(order_id)
            try:
                async with clock.timeout(self._timing.waits.send_timeout_s):
                    outcome = await broker.cancel(account, broker_order_id)
            finally:
                places.give_back(place)
            self._engine.reached("cancel_sent")
            return outcome
