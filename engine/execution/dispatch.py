"""Dispatch: claims reserved orders as their client's lane has room, commits the attempt, then sends.

The claim is a guarded write, so two engines on one file never send the same order; a halt file or row
that appears before the send keeps it back.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from brokers.contract import Ambiguous, NotSent, OrderRequest, Outcome
from data.audit import DISTRUSTED, AuditAction, AuditEntry
from data.audit_writer import ITSELF, standing_stop, stop_words
from data.clock import Clock
from data.order_tables import Order, RunRecord
from data.repositories.instruments import own_name_now
from data.repositories.orders import CLAIMING
from data.store import StoreError, Unit
from data.vocabulary import (
    HaltStrength,
    OrderState,
    OrderType,
    PauseReason,
    Product,
    RunStatus,
    Side,
    Validity,
)
from engine.book.book import Book
from engine.book.halt_file import halt_file_stands
from engine.book.halt_scope import covering, strength_of
from engine.book.kept import Kept
from engine.book.reading import read_halts, read_runs
from engine.book.views import HaltView, OrderView
from engine.booking.facts import Applied, SendEnded
from engine.booking.order import WorkingOrder
from engine.booking.overdue import may_be_sent
from engine.booking.recorder import Recorder
from engine.booking.requests import Attempt
from engine.booking.stored import ATTEMPTS, ORDERS
from engine.events import PositionsWanted, TapeLine
from engine.execution.calls import NO_ANSWER, LastLook, no_answer, outcome_of
from engine.execution.conditions import Kind, Standing, as_leg, standing
from engine.execution.pauses import pause
from engine.execution.reducing import Leaving, Reducing, deny
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.market.venues import Venues
from engine.news import TradingDisabled
from engine.rules import PER_CLIENT, WORKERS
from engine.timing import Timing

log = logging.getLogger(__name__)

HALTED = "halted"
"""Why an order was kept back at the last line before the send."""

RENAMED = "its security has another symbol now"
"""Why an order was kept back whose instrument was renamed after its claim."""

NOT_RUNNING = "its run is not running"
"""Why an order was kept back whose run was paused or stopped after its claim."""

SILENT_CALLS = 2
"""Time-outs in a row after which a client's further orders wait."""

TAG_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
TAG_LENGTH = 16
"""Enough that no two tags are ever the same, where a broker takes as many."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An order that may leave now, and when by both clocks it was found so.

    `request` is what may leave: the row as it was held against its proof, whatever the file says later. It
    has the symbol that the order's `security` has at the claim. `under` are the halts that let it leave.
    """

    order_id: int
    client_id: int
    security: str
    request: OrderRequest
    at: datetime
    steady_s: float
    under: frozenset[int] = frozenset()


@dataclass(slots=True)
class Claims:
    """What came of a claim: orders to send, and those that wait until their price is known anew.

    `unread` wait under a halt until their client's position is.
    `stopped` says why nothing was claimed where the books are not to be traded on.
    """

    made: list[Claimed] = field(default_factory=list[Claimed])
    waiting: list[int] = field(default_factory=list[int])
    unread: list[int] = field(default_factory=list[int])
    stopped: str = ""


class Dispatcher:
    """Sends this engine's own reserved orders, in the order they were submitted."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        venues: Venues,
        rng: Random,
        recorder: Recorder,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._rng = rng
        self._recorder = recorder
        self._queue: deque[int] = deque()
        self._wake = asyncio.Event()
        self._claimed = asyncio.Event()
        self._claimed.set()
        self._claiming: list[int] = []
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._per_client: Counter[int] = Counter()
        self._began: dict[int, float] = {}
        self._unanswered: Counter[int] = Counter()
        self._not_before: dict[int, datetime] = {}
        self._later: set[asyncio.Task[None]] = set()
        recorder.after(self._on_applied)

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
                claims = await self._engine.write_signed_on(
                    lambda unit, ready=ready: claim(
                        unit, ready, self._kept.book, self._timing, self._engine, self._market_data, self._rng
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
                order_id = claimed.order_id
                self._per_client[self._kept.book.orders[order_id].client_id] += 1
                self._began[order_id] = self._timing.wall.monotonic()
                self._sending[order_id] = asyncio.create_task(self._send(claimed))
            if claims.stopped:
                self._engine.trading_disabled = self._engine.trading_disabled or claims.stopped
            if claims.waiting:
                self._spawn(self._price_first(claims.waiting))
            if claims.unread:
                self._spawn(self._position_first(claims.unread))
            if self._queue:
                self._wake.set()

    async def settle(self) -> None:
        """Wait until no order is being claimed and no call is under way."""
        await self._timing.wall.sleep(0)  # what was submitted just now is taken up first
        while self._sending or not self._claimed.is_set():
            await self._claimed.wait()
            if self._sending:
                await asyncio.wait(list(self._sending.values()))
            await self._timing.wall.sleep(0)

    def _ready(self) -> list[int]:
        """Take the orders that may be claimed now off the queue, keeping the order of the others."""
        book, now = self._kept.book, self._timing.wall.now()
        ready: list[int] = []
        kept: list[int] = []
        room = self._room()
        busy: Counter[int] = Counter()
        soonest: float | None = None
        seen: set[int] = set()  # an order may be queued twice: given back, and gone on with
        while self._queue and len(ready) < room:
            order_id = self._queue.popleft()
            order = book.orders.get(order_id)
            if order is None or order.state is not OrderState.RESERVED or order_id in seen:
                continue
            run = book.runs.get(order.run_number or 0)
            if run is not None and run.status is not RunStatus.RUNNING:
                continue  # who goes on with a run submits what is unsent then
            seen.add(order_id)
            lane = self._connections.lane(order.client_id)
            resting = (self._not_before.get(order.client_id, now) - now).total_seconds()
            wait = max(lane.wait_s(now), resting)
            if wait > 0 or self._per_client[order.client_id] + busy[order.client_id] >= PER_CLIENT:
                kept.append(order_id)
                soonest = wait if wait > 0 and (soonest is None or wait < soonest) else soonest
                continue
            lane.take(now)
            busy[order.client_id] += 1
            ready.append(order_id)
        self._queue.extendleft(reversed(kept))
        if self._queue and room <= 0:
            soonest = self._timing.waits.slow_call_s
        if soonest is not None:
            self._wake_in(soonest)
        return ready

    def _room(self) -> int:
        """How many calls may begin now. One that has hung for long takes nobody's place any more."""
        recent = self._timing.wall.monotonic() - self._timing.waits.slow_call_s
        return WORKERS - sum(began > recent for began in self._began.values())

    def _note_answer(self, client_id: int, outcome: Outcome) -> None:
        """Let a client rest whose broker has been silent twice running: its next call waits for a while."""
        if not isinstance(outcome, Ambiguous) or not outcome.why.startswith(NO_ANSWER):
            self._unanswered.pop(client_id, None)
            self._not_before.pop(client_id, None)
            return
        self._unanswered[client_id] += 1
        if self._unanswered[client_id] >= SILENT_CALLS:
            pause = timedelta(seconds=self._timing.waits.silent_pause_s)
            self._not_before[client_id] = self._timing.wall.now() + pause

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
        run = self._kept.book.runs.get(order.run_number or 0)
        if run is not None and run.status is not RunStatus.RUNNING:
            return NOT_RUNNING
        key = f"{claimed.request.exchange}:{claimed.request.tradingsymbol}"
        named = self._market_data.index.get(key)
        if named is not None and (named.key, named.security) != (key, claimed.security):
            return RENAMED
        by_wall = (self._timing.wall.now() - claimed.at).total_seconds()
        age_s = max(by_wall, self._timing.wall.monotonic() - claimed.steady_s)
        if age_s > self._timing.waits.claim_valid_s:
            return f"its claim is {age_s:.1f} s old, {self._timing.waits.claim_valid_s:g} s are allowed"
        return ""

    def _halted(self, order: OrderView, claimed: Claimed) -> bool:
        """Whether a halt stops this order: the file every one, a row those it covers and did not let go."""
        client = self._kept.book.clients[order.client_id]
        over = covering(self._kept.book.halts, client, order.key)
        return halt_file_stands(self._kept.halt_file) or any(
            not (halt.reduces and halt.number in claimed.under) for halt in over
        )

    def _on_applied(self, applied: Applied) -> None:
        if self._queue:
            self._wake.set()


def claim(
    unit: Unit,
    order_ids: Sequence[int],
    book: Book,
    timing: Timing,
    engine: ThisEngine,
    market_data: MarketData,
    rng: Random,
) -> Claims:
    """Claim reserved orders for sending: the attempts with their tags, committed before any byte leaves.

    One whose session is over is never sent: its plan was for that session's prices, and a broker may keep it
    for the next. Nor is one that was to wait for a session that has begun. A run that does not run as its row
    says sends nothing; one whose conditions are broken is paused here, in the same commit. Where an order or
    its run is not as the audit left it, or the books were found otherwise, nothing is sent and runs pause.
    An order leaves under the symbol that its security has now; where instruments do not say, its run pauses.
    Under a halt of strength `reduce` one that would not make a position smaller is denied, and waits where
    the position must be read first.
    """
    if stop := _stopped(unit, order_ids, book, timing.wall, engine, market_data):
        return Claims(stopped=stop)
    orders = ORDERS.claimable(unit, order_ids, engine.id)
    claiming = _Claiming(unit, book, timing, engine, market_data, rng, orders)
    for order in orders:
        claiming.look_at(order)
    return claiming.done(order_ids)


class _Claiming:
    """One claim as it goes through its orders: what it has looked up, and what came of each."""

    def __init__(
        self,
        unit: Unit,
        book: Book,
        timing: Timing,
        engine: ThisEngine,
        market_data: MarketData,
        rng: Random,
        orders: Sequence[WorkingOrder],
    ) -> None:
        self._asked = orders
        self._unit, self._book, self._timing = unit, book, timing
        self._engine, self._market_data, self._rng = engine, market_data, rng
        self._halts = read_halts(unit)
        self._awaited, self._day = timing.awaited_day(), timing.market.trading_day
        self._at, self._steady_s = timing.wall.now(), timing.wall.monotonic()
        self._runs: dict[tuple[int, int], Standing | None] = {}
        self._names: dict[tuple[str, str, str], str | None] = {}
        self._reducing: Reducing | None = None
        self._denied: list[WorkingOrder] = []
        self._claims = Claims()
        self._orders: list[WorkingOrder] = []
        self._attempts: list[Attempt] = []

    def look_at(self, order: WorkingOrder) -> None:
        """Claim an order where it may leave now."""
        order.now = self._unit.now
        name = self._name_now(order)
        order.tradingsymbol = name or order.tradingsymbol
        halts = covering(self._halts, self._book.clients[order.client_id], order.key)
        if strength_of(halts) is HaltStrength.ALL:
            return
        if not may_be_sent(order.after_market, order.trading_date, self._day, self._awaited):
            return
        if order.run_number is not None:
            found = self._standing(order.run_number, order, unnamed=name is None)
            if found is None:
                return
            if found.waits:
                self._claims.waiting.append(order.id)
                return
        if not halts or self._may_leave(order, halts):
            self._claim(order, halts)

    def _may_leave(self, order: WorkingOrder, halts: Sequence[HaltView]) -> bool:
        """Whether an order reduces, as halts over it demand; one that does not is denied."""
        if self._reducing is None:
            unit, book, index = self._unit, self._book, self._market_data.index
            clients = {each.client_id for each in self._asked}
            self._reducing = Reducing(unit, book, self._timing, self._engine, index, clients)
        match self._reducing.look_at(order, halts):
            case Leaving.MAY:
                return True
            case Leaving.UNREAD:
                self._claims.unread.append(order.id)
            case Leaving.MAY_NOT:
                self._denied.append(order)
        return False

    def _name_now(self, order: WorkingOrder) -> str | None:
        """What an order's security is called now; None where that is not known."""
        security = (order.security, order.exchange, order.tradingsymbol)
        if security not in self._names:
            self._names[security] = own_name_now(self._unit, *security)
        return self._names[security]

    def _standing(self, number: int, order: WorkingOrder, unnamed: bool) -> Standing | None:
        """How an order's run stands against its leg's conditions; None where it sends nothing."""
        leg = number, order.leg
        if leg not in self._runs:
            clock, kind = self._timing.wall, Kind.of(order)
            self._runs[leg] = _stands(
                self._unit, number, kind, clock, self._engine, self._market_data, unnamed
            )
        return self._runs[leg]

    def _claim(self, order: WorkingOrder, halts: Sequence[HaltView]) -> None:
        unit, engine = self._unit, self._engine
        connection = self._book.carrier_of(order.client_id)
        most = TAG_LENGTH if connection is None else connection.capabilities.tag_length
        order.claim("".join(self._rng.choices(TAG_ALPHABET, k=min(TAG_LENGTH, most))))
        assert order.tag is not None
        deadline = unit.now + timedelta(seconds=self._timing.waits.send_timeout_s)
        attempt = Attempt(order.id, order.attempts, order.tag, engine.id, unit.now, deadline)
        request, steady_s = _request(order, order.tag), self._steady_s
        under = frozenset(halt.number for halt in halts)
        made = Claimed(order.id, order.client_id, order.security, request, self._at, steady_s, under)
        if self._reducing is not None:
            self._reducing.take(order)
        self._claims.made.append(made)
        self._orders.append(order)
        self._attempts.append(attempt)
        unit.touched.orders.add(order.id)
        details = {"tag": order.tag, "attempt": order.attempts}
        plan, run = order.plan_number, order.run_number
        unit.audit(
            AuditEntry(AuditAction.ORDER_SENDING, engine.actor, order.client_id, order.id, plan, run, details)
        )

    def done(self, order_ids: Sequence[int]) -> Claims:
        """Write what was claimed; returns what came of it, in the order of `order_ids`."""
        ORDERS.save(self._unit, self._orders, CLAIMING)
        ATTEMPTS.insert(self._unit, self._attempts)
        if self._denied:
            deny(self._unit, self._denied, self._engine.actor)
        place = {order_id: number for number, order_id in enumerate(order_ids)}
        self._claims.made.sort(key=lambda claimed: place[claimed.order_id])
        self._claims.waiting.sort(key=lambda order_id: place[order_id])
        return self._claims


def _stopped(
    unit: Unit,
    order_ids: Sequence[int],
    book: Book,
    clock: Clock,
    engine: ThisEngine,
    market_data: MarketData,
) -> str:
    """Why none of these orders may leave, in words; then their runs are paused.

    What is found here stops trading, in the same commit.
    """
    book = book
    of_runs = {n: book.orders[i] for i in order_ids if (n := book.orders[i].run_number) is not None}
    found = [f"order {i} is not as the audit left it" for i in unit.differing(Order, order_ids)]
    found += [f"run {n} is not as the audit left it" for n in unit.differing(RunRecord, of_runs)]
    if found:
        unit.audit(AuditEntry(DISTRUSTED, ITSELF, details={"found": found}))
    elif not (found := list(standing_stop(unit))):
        return ""
    unit.publish(TapeLine(unit.now, TradingDisabled(found[0])))
    for number, order in of_runs.items():
        run = book.runs[number]  # not what the file says: it may be what was changed
        at = standing(run, Kind.of(order), clock, engine, market_data, clock.now())
        pause(unit, run, PauseReason.BOOKS_DIFFER, at, engine.actor)
    return stop_words(found)


def _request(order: WorkingOrder, tag: str) -> OrderRequest:
    return OrderRequest(
        exchange=order.exchange,
        tradingsymbol=order.tradingsymbol,
        side=Side(order.side),
        quantity=order.quantity,
        product=Product(order.product),
        order_type=OrderType(order.order_type),
        tag=tag,
        validity=Validity(order.validity),
        price_paise=order.limit_paise,
        trigger_paise=order.trigger_paise,
        protection_bps=order.protection_bps,  # what its money was reserved for
        after_market=order.after_market,
    )


def _stands(
    unit: Unit,
    number: int,
    kind: Kind,
    clock: Clock,
    engine: ThisEngine,
    market_data: MarketData,
    unnamed: bool,
) -> Standing | None:
    """How a run stands against its conditions now; None where it sends nothing, paused here or before.

    `unnamed` says that it is not known what its security is called now.
    """
    run = as_leg(unit, read_runs(unit, [number])[number], kind.leg)
    if run.status is not RunStatus.RUNNING:
        return None
    found = standing(run, kind, clock, engine, market_data, clock.now())
    beyond = PauseReason.OTHER_SECURITY if unnamed else found.beyond
    if beyond is not None:
        pause(unit, run, beyond, found, engine.actor)
        return None
    return found
