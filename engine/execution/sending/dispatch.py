"""Dispatch: has reserved orders claimed as their client's lane has room, then sends what was claimed.

A halt file or row that appears between the claim's commit and the send keeps an order back.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Coroutine, Iterable
from functools import partial
from random import Random
from typing import Any

from msgspec import Struct

from brokers.contract import Ambiguous, NotSent, Outcome
from data.records import replace
from data.store import StoreError, Unit
from data.vocabulary import OrderState, RunStatus
from engine.book.halt_file import halt_file_stands, other_halt_file_stands
from engine.book.halt_scope import covering
from engine.book.kept import Kept
from engine.book.views import OrderView
from engine.booking.facts import Applied, SendEnded
from engine.booking.recorder import Recorder
from engine.events import PositionsWanted
from engine.execution.sending.claiming import Claimed, ClaimsBeside, claim
from engine.execution.sending.conditions import Standing, run_age_s
from engine.execution.sending.holds import pause_held
from engine.execution.sending.limiting import DoorLimits
from engine.execution.sending.unanswered import NO_ANSWER, LastLook, no_answer, outcome_of
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.rules import PER_CLIENT, WORKERS
from engine.timing import Timing

log = logging.getLogger(__name__)


class ClaimedWith(Struct, frozen=True):
    """What orders are claimed with: chance for their tags, and the limits at the door."""

    rng: Random
    limits: DoorLimits


HALTED = "halted"
"""Why an order was kept back at the last line before the send."""

RENAMED = "its security has another symbol now"
"""Why an order was kept back whose instrument was renamed after its claim."""

OTHER_PHASE = "its market is in another phase now"
"""Why an order was kept back whose market has changed its phase after its claim."""

NOT_RUNNING = "its run is not running"
"""Why an order was kept back whose run was paused or stopped after its claim."""

LEASE_OVER = "its client may be another desk's by now"
"""Why an order was kept back whose desk was not heard of for long after its claim."""

LEASE_AGAIN_S = 1.0
"""How soon it is looked again whether a client's orders may leave that wait for its desk's lease."""

SILENT_CALLS = 2
"""Time-outs in a row after which a client's further orders wait."""


class Dispatcher:
    """Sends this engine's own reserved orders, in the order they were submitted."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        venues: Venues,
        recorder: Recorder,
        claimed_with: ClaimedWith,
    ) -> None:
        self._kept = kept
        self._rng, self._limits = claimed_with.rng, claimed_with.limits
        self._timing = timing
        self._engine = engine
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._recorder = recorder
        self._queue: deque[int] = deque()
        self._wake = asyncio.Event()
        self._claimed = asyncio.Event()
        self._claimed.set()
        self._claiming: list[int] = []
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._per_client: Counter[int] = Counter()
        self._began: dict[int, tuple[str, float]] = {}
        """By which connection each call under way was made, and since when it is."""
        self._unanswered: Counter[int] = Counter()
        self._not_before: dict[int, float] = {}
        """When the next call for a client may be made, by the clock that never goes back."""
        self._later: set[asyncio.Task[None]] = set()
        recorder.after(self._on_applied)
        recorder.gather_for(lambda: self._recent().total())

    def submit(self, order_ids: Iterable[int]) -> None:
        """Queue reserved orders of this engine."""
        self._queue.extend(order_ids)
        self._wake.set()

    def wake(self) -> None:
        """Look again: a run went on, a lane may have room."""
        self._wake.set()

    def is_sending(self, order_id: int) -> bool:
        """Whether the order is being claimed here, or a call of this engine for it is under way."""
        return order_id in self._sending or order_id in self._claiming

    async def run(self) -> None:
        """Claim and send for as long as the desk lives."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            ready = self._ready()
            if not ready:
                continue
            self._claimed.clear()
            self._claiming = ready
            try:
                beside = ClaimsBeside(self._market_data, self._rng, self._limits.look(ready))
                claims = await self._engine.write_signed_on(
                    lambda unit, ready=ready, beside=beside: claim(
                        unit, ready, self._kept.book, self._timing, self._engine, beside
                    )
                )
            except Exception as problem:  # whatever it was, the other orders' way must stay open
                log.error("orders wait for the store: %s", problem)
                self._queue.extendleft(reversed(ready))
                self._wake_in(self._timing.waits.not_sent_pause_s)
                continue
            finally:
                self._claiming = []
                self._claimed.set()
            self._engine.reached("claimed")
            for claimed in claims.made:
                order_id, by = claimed.order_id, self._connections.of(claimed.client_id).name
                self._per_client[claimed.client_id] += 1
                self._began[order_id] = (by, self._timing.wall.monotonic())
                self._sending[order_id] = asyncio.create_task(self._send(claimed))
            if claims.stopped:
                self._engine.trading_disabled = self._engine.trading_disabled or claims.stopped
            if claims.waiting:
                self._spawn(self._price_first(claims.waiting))
            if claims.again:
                self._queue.extendleft(reversed(claims.again))
                self._wake_in(self._timing.waits.limits_again_s)
            if claims.unread:
                self._spawn(self._position_first(claims.unread))
            if self._queue:
                self._wake.set()

    async def pause_held(self) -> None:
        """Pause this engine's runs of which nothing waits any more but what their market keeps back."""
        mine = [
            run
            for run in self._kept.book.runs.values()
            if run.held_phase is not None
            and run.status is RunStatus.RUNNING
            and run.finished_at is None
            and run.instance_id == self._engine.id
        ]

        def unit_of_work(unit: Unit) -> None:
            for run in mine:
                age_s = run_age_s(run, self._timing.wall, self._engine, self._timing.wall.now())
                pause_held(unit, run, Standing(age_s, None, None, None, False), self._engine.actor)

        if mine:
            await self._kept.store.write(unit_of_work)

    async def settle(self) -> None:
        """Wait until no order is being claimed and no call is under way."""
        await self._timing.wall.sleep(0)  # what was submitted just now is taken up first
        while self._sending or not self._claimed.is_set():
            await self._claimed.wait()
            if self._sending:
                await asyncio.wait(list(self._sending.values()))
            await self._timing.wall.sleep(0)

    def _ready(self) -> list[int]:
        """Take the orders that may be claimed now off the queue, keeping the order of the others.

        Each connection has places of its own, so that one that hangs takes no other's.
        """
        book, now, steady = self._kept.book, self._timing.wall.now(), self._timing.wall.monotonic()
        ready: list[int] = []
        kept: list[int] = []
        under_way, full = self._recent(), set[str]()
        busy: Counter[int] = Counter()
        soonest: float | None = None
        seen: set[int] = set()  # an order may be queued twice: given back, and gone on with
        while self._queue and len(full) < len(self._connections):
            order_id = self._queue.popleft()
            order = book.orders.get(order_id)
            if order is None or order.state is not OrderState.RESERVED or order_id in seen:
                continue
            run = book.runs.get(order.run_number or 0)
            if run is not None and run.status is not RunStatus.RUNNING:
                continue  # who goes on with a run submits what is unsent then
            seen.add(order_id)
            if not self._engine.sends_for(order.client_id):
                kept.append(order_id)
                soonest = min(soonest or LEASE_AGAIN_S, LEASE_AGAIN_S)
                continue
            by = self._connections.of(order.client_id).name
            if under_way[by] >= WORKERS:
                full.add(by)
                kept.append(order_id)
                continue
            lane = self._connections.lane(order.client_id)
            resting = self._not_before.get(order.client_id, steady) - steady
            wait = max(lane.wait_s(now), resting)
            if wait > 0 or self._per_client[order.client_id] + busy[order.client_id] >= PER_CLIENT:
                kept.append(order_id)
                soonest = wait if wait > 0 and (soonest is None or wait < soonest) else soonest
                continue
            lane.take(now)
            busy[order.client_id] += 1
            under_way[by] += 1
            ready.append(order_id)
        self._queue.extendleft(reversed(kept))
        if full:
            slow_s = self._timing.waits.slow_call_s
            soonest = slow_s if soonest is None else min(soonest, slow_s)
        if soonest is not None:
            self._wake_in(soonest)
        return ready

    def _recent(self) -> Counter[str]:
        """Calls under way by connection. One that has hung for long takes nobody's place any more."""
        recent = self._timing.wall.monotonic() - self._timing.waits.slow_call_s
        return Counter(by for by, began in self._began.values() if began > recent)

    def _note_answer(self, client_id: int, outcome: Outcome) -> None:
        """Let a client rest whose broker has been silent twice running: its next call waits for a while."""
        if not isinstance(outcome, Ambiguous) or not outcome.why.startswith(NO_ANSWER):
            self._unanswered.pop(client_id, None)
            self._not_before.pop(client_id, None)
            return
        self._unanswered[client_id] += 1
        if self._unanswered[client_id] >= SILENT_CALLS:
            pause = self._timing.waits.silent_pause_s
            self._not_before[client_id] = self._timing.wall.monotonic() + pause

    @property
    def waiting(self) -> int:
        """Orders that wait for their turn."""
        return len(self._queue)

    @property
    def under_way(self) -> int:
        """Calls that place an order now."""
        return len(self._sending)

    def resting(self) -> dict[int, float]:
        """Clients whose broker was silent, and for how many seconds nothing is placed for them still."""
        now = self._timing.wall.monotonic()
        return {client: until - now for client, until in self._not_before.items() if until > now}

    def _wake_in(self, seconds: float) -> None:
        async def wait() -> None:
            await self._timing.wall.sleep(seconds)
            self._wake.set()

        self._spawn(wait())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def close(self) -> None:
        """Give up what waits to be looked at again; unsent orders stay RESERVED."""
        for task in self._later:
            task.cancel()

    async def _price_first(self, order_ids: list[int]) -> None:
        """Ask for the prices of orders that wait for one, then queue them again in their places."""
        book = self._kept.book
        keys = {book.orders[order_id].key for order_id in order_ids}
        await self._market_data.fetch(keys)
        now = self._timing.wall.now()
        if any(self._market_data.young_price(key, now) is None for key in keys):
            await self._timing.wall.sleep(self._timing.waits.not_sent_pause_s)
        self._queue.extendleft(reversed(order_ids))
        self._wake.set()

    async def _position_first(self, order_ids: list[int]) -> None:
        """Ask for the positions of the clients of orders that wait for one, then queue them again."""
        clients = frozenset(self._kept.book.orders[order_id].client_id for order_id in order_ids)
        self._kept.bus.publish([PositionsWanted(clients)])
        await self._timing.wall.sleep(self._timing.waits.not_sent_pause_s)
        self._queue.extendleft(reversed(order_ids))
        self._wake.set()

    async def _send(self, claimed: Claimed) -> None:
        order_id = claimed.order_id
        order = self._kept.book.orders[order_id]
        try:
            outcome = await self.outcome(order, claimed)
        finally:
            self._sending.pop(order_id, None)
            self._began.pop(order_id, None)
            self._per_client[order.client_id] -= 1
        self._engine.reached("answered")
        self._recorder.put(SendEnded(order_id, outcome))
        self._note_answer(order.client_id, outcome)
        if isinstance(outcome, NotSent) and outcome.why != HALTED:
            self._spawn(self._queue_again(order_id))
        if self._queue:
            self._wake.set()

    async def _queue_again(self, order_id: int) -> None:
        """Queue an order that never left, after a pause and once it is durably RESERVED again."""
        await self._timing.wall.sleep(self._timing.waits.not_sent_pause_s)
        while True:
            try:
                await self._recorder.flush()
                break
            except StoreError:
                await self._timing.wall.sleep(self._timing.waits.not_sent_pause_s)
        self._queue.append(order_id)
        self._wake.set()

    async def outcome(self, order: OrderView, claimed: Claimed) -> Outcome:
        """Place a claimed order and return in which of the four words that ended."""
        try:
            broker, account = self._connections.broker_of(claimed.client_id)
        except KeyError:
            return NotSent("no adapter serves this client's broker")
        last_look = LastLook(partial(self._kept_back, order, claimed))
        request = replace(claimed.request, last_look=last_look)
        if self._halted(order, claimed):
            return NotSent(HALTED)

        async def place() -> Outcome:
            async with self._timing.wall.timeout(self._timing.waits.send_timeout_s):
                return await broker.place(account, request)

        return await outcome_of(place(), f"order {order.id}", no_answer(self._timing.waits), last_look)

    def _kept_back(self, order: OrderView, claimed: Claimed) -> str:
        """Why an order must not leave after all; empty where it may. Asked by the thread that sends it."""
        if self._halted(order, claimed):
            return HALTED
        if differ := self._engine.venues_differ():
            return differ
        if claimed.term != self._engine.term or not self._engine.sends_for(claimed.client_id):
            return LEASE_OVER
        run = self._kept.book.runs.get(order.run_number or 0)
        if run is not None and run.status is not RunStatus.RUNNING:
            return NOT_RUNNING
        key = f"{claimed.request.exchange}:{claimed.request.tradingsymbol}"
        named = self._market_data.index.get(key)
        if named is not None and (named.key, named.security) != (key, claimed.security):
            return RENAMED
        if named is not None and claimed.phase not in (None, self._timing.phase(named).kind):
            return OTHER_PHASE
        by_wall = (self._timing.wall.now() - claimed.at).total_seconds()
        age_s = max(by_wall, self._timing.wall.monotonic() - claimed.steady_s)
        if age_s > self._timing.waits.claim_valid_s:
            return f"its claim is {age_s:.1f} s old, {self._timing.waits.claim_valid_s:g} s are allowed"
        return ""

    def _halted(self, order: OrderView, claimed: Claimed) -> bool:
        """Whether a halt stops this order: the file every one, a row those it covers and did not let go.

        So does one that came since the claim, though it was resumed by now. One of a flatten passes what
        stood when that was confirmed.
        """
        book, passes, file = self._kept.book, claimed.passes, self._kept.halt_file
        if halt_file_stands(file) if passes is None else other_halt_file_stands(file, passes.file):
            return True
        if not (book.halts or book.lifted):
            return False
        client = book.clients[order.client_id]
        over = covering(book.halts, client, order.key)
        if passes is not None:
            return passes.stopped_by(over, covering(book.lifted, client, order.key))
        return book.halted_since(claimed.newest, client.id, order.key) or any(
            not (halt.reduces and halt.number in claimed.under) for halt in over
        )

    def _on_applied(self, applied: Applied) -> None:
        if self._queue:
            self._wake.set()
