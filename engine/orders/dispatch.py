"""Dispatch: claims reserved orders as their client's lane has room, commits the attempt, then sends.

The claim is a guarded write, so two engines on one file never send the same order; a halt file or row
that appears before the send keeps it back.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Collection, Coroutine, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from brokers.contract import Ambiguous, NotSent, OrderRequest, Outcome
from data.audit import AuditEntry
from data.columns import table
from data.order_tables import Attempt, Order
from data.store import StoreError, Unit, chunks
from data.vocabulary import HaltScope, OrderState, RunStatus
from engine.accounts.book import read_halts
from engine.accounts.views import ClientView, HaltView, OrderView
from engine.market.market import awaited_day
from engine.orders.calls import NO_ANSWER, no_answer, outcome_of
from engine.orders.facts import Applied, SendEnded
from engine.orders.halt_file import halt_file_stands
from engine.orders.lifecycle import may_be_sent
from engine.orders.record import Recorder
from engine.parts import Parts
from engine.rules import PER_CLIENT, WORKERS

log = logging.getLogger(__name__)

HALTED = "halted"
"""Why an order was kept back at the last line before the send."""

SILENT_CALLS = 2
"""Time-outs in a row after which a client's further orders wait."""

TAG_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
TAG_LENGTH = 16
"""Fits every broker's tag: Kite takes 20 characters, Upstox 40, Groww 8 to 20."""


def covers(halt: HaltView, client: ClientView, key: str) -> bool:
    """Whether a halt stops orders of this client in this instrument."""
    match halt.scope:
        case HaltScope.EVERYTHING:
            return True
        case HaltScope.BROKER:
            return client.broker == halt.value
        case HaltScope.GROUP:
            return client.id in halt.members
        case HaltScope.CLIENT:
            return str(client.id) == halt.value
        case HaltScope.SYMBOL:
            return key == halt.value


def covered(halts: Collection[HaltView], client: ClientView, key: str) -> bool:
    """Whether any halt stops orders of this client in this instrument."""
    return any(covers(halt, client, key) for halt in halts)


class Dispatcher:
    """Sends this engine's own reserved orders, in the order they were submitted."""

    def __init__(self, parts: Parts, recorder: Recorder) -> None:
        self._parts = parts
        self._recorder = recorder
        self._queue: deque[int] = deque()
        self._wake = asyncio.Event()
        self._claimed = asyncio.Event()
        self._claimed.set()
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
        """Whether a call of this engine for the order is under way."""
        return order_id in self._sending

    async def run(self) -> None:
        """Claim and send for as long as the desk lives."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            ready = self._ready()
            if not ready:
                continue
            self._claimed.clear()
            try:
                claimed = await self._parts.write_signed_on(
                    lambda unit, ready=ready: claim(unit, ready, self._parts)
                )
            except Exception as problem:  # whatever it was, the other orders' way must stay open
                log.error("orders wait for the store: %s", problem)
                self._queue.extendleft(reversed(ready))
                self._wake_in(self._parts.waits.not_sent_pause_s)
                continue
            finally:
                self._claimed.set()
            self._parts.reached("claimed")
            for order_id, tag in claimed:
                self._per_client[self._parts.book.orders[order_id].client_id] += 1
                self._began[order_id] = self._parts.clock.monotonic()
                self._sending[order_id] = asyncio.create_task(self._send(order_id, tag))
            if self._queue:
                self._wake.set()

    async def settle(self) -> None:
        """Wait until no order is being claimed and no call is under way."""
        await self._parts.clock.sleep(0)  # what was submitted just now is taken up first
        while self._sending or not self._claimed.is_set():
            await self._claimed.wait()
            if self._sending:
                await asyncio.wait(list(self._sending.values()))
            await self._parts.clock.sleep(0)

    def _ready(self) -> list[int]:
        """Take the orders that may be claimed now off the queue, keeping the order of the others."""
        book, now = self._parts.book, self._parts.clock.now()
        ready: list[int] = []
        kept: list[int] = []
        room = self._room()
        busy: Counter[int] = Counter()
        soonest: float | None = None
        while self._queue and len(ready) < room:
            order_id = self._queue.popleft()
            order = book.orders.get(order_id)
            if order is None or order.state is not OrderState.RESERVED:
                continue
            run = book.runs.get(order.run_number or 0)
            if run is not None and run.status is not RunStatus.RUNNING:
                if run.status is RunStatus.PAUSED:
                    kept.append(order_id)
                continue
            lane = self._parts.lane(order.client_id)
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
            soonest = self._parts.waits.slow_call_s
        if soonest is not None:
            self._wake_in(soonest)
        return ready

    def _room(self) -> int:
        """How many calls may begin now. One that has hung for long takes nobody's place any more."""
        recent = self._parts.clock.monotonic() - self._parts.waits.slow_call_s
        return WORKERS - sum(began > recent for began in self._began.values())

    def _note_answer(self, client_id: int, outcome: Outcome) -> None:
        """Let a client rest whose broker has been silent twice running: its next call waits for a while."""
        if not isinstance(outcome, Ambiguous) or not outcome.why.startswith(NO_ANSWER):
            self._unanswered.pop(client_id, None)
            self._not_before.pop(client_id, None)
            return
        self._unanswered[client_id] += 1
        if self._unanswered[client_id] >= SILENT_CALLS:
            pause = timedelta(seconds=self._parts.waits.silent_pause_s)
            self._not_before[client_id] = self._parts.clock.now() + pause

    def _wake_in(self, seconds: float) -> None:
        async def wait() -> None:
            await self._parts.clock.sleep(seconds)
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

    async def _send(self, order_id: int, tag: str) -> None:
        order = self._parts.book.orders[order_id]
        try:
            outcome = await self._outcome(order, tag)
        finally:
            self._sending.pop(order_id, None)
            self._began.pop(order_id, None)
            self._per_client[order.client_id] -= 1
        self._parts.reached("answered")
        self._recorder.put(SendEnded(order_id, outcome))
        self._note_answer(order.client_id, outcome)
        if isinstance(outcome, NotSent) and outcome.why != HALTED:
            self._spawn(self._queue_again(order_id))
        if self._queue:
            self._wake.set()

    async def _queue_again(self, order_id: int) -> None:
        """Queue an order that never left, after a pause and once it is durably RESERVED again."""
        await self._parts.clock.sleep(self._parts.waits.not_sent_pause_s)
        while True:
            try:
                await self._recorder.flush()
                break
            except StoreError:
                await self._parts.clock.sleep(self._parts.waits.not_sent_pause_s)
        self._queue.append(order_id)
        self._wake.set()

    async def _outcome(self, order: OrderView, tag: str) -> Outcome:
        try:
            broker, account = self._parts.broker_of(order.client_id)
        except KeyError:
            return NotSent("no adapter serves this client's broker")
        request = OrderRequest(
            exchange=order.key.partition(":")[0],
            tradingsymbol=order.tradingsymbol,
            side=order.side,
            quantity=order.quantity,
            product=order.product,
            order_type=order.order_type,
            tag=tag,
            validity=order.validity,
            price_paise=order.limit_paise,
            trigger_paise=order.trigger_paise,
            protection_bps=order.protection_bps,  # what its money was reserved for
            after_market=order.after_market,
        )
        if self._halted(order):
            return NotSent(HALTED)

        async def place() -> Outcome:
            async with self._parts.clock.timeout(self._parts.waits.send_timeout_s):
                return await broker.place(account, request)

        return await outcome_of(place(), f"order {order.id}", no_answer(self._parts.waits))

    def _halted(self, order: OrderView) -> bool:
        """Whether a halt is for this order: the file is for every order, a row for those in its scope."""
        client = self._parts.book.clients[order.client_id]
        return halt_file_stands(self._parts.halt_file) or covered(self._parts.book.halts, client, order.key)

    def _on_applied(self, applied: Applied) -> None:
        if self._queue:
            self._wake.set()


def claim(unit: Unit, order_ids: Sequence[int], parts: Parts) -> list[tuple[int, str]]:
    """Claim reserved orders for sending: the attempts with their tags, committed before any byte leaves.

    One whose session is over is never sent: its plan was for that session's prices, and a broker may keep it
    for the next. Nor is one that was to wait for a session that has begun.
    """
    orders, halts = table(Order), read_halts(unit.connection)
    awaited, day = awaited_day(parts), parts.market_clock.trading_day
    claimed: list[tuple[int, str]] = []
    changes: list[dict[str, object]] = []
    attempts: list[dict[str, object]] = []
    place = {order_id: number for number, order_id in enumerate(order_ids)}
    for piece in chunks(order_ids):
        rows = unit.connection.execute(
            select(
                orders.c.id,
                orders.c.client_id,
                orders.c.attempts,
                orders.c.exchange,
                orders.c.tradingsymbol,
                orders.c.plan_number,
                orders.c.run_number,
                orders.c.after_market,
                orders.c.trading_date,
            ).where(
                orders.c.id.in_(piece),
                orders.c.state == OrderState.RESERVED.value,
                orders.c.instance_id == parts.instance_id,
            )
        ).all()
        for row in rows:
            order_id, client_id, tried, exchange, symbol, plan_number, run_number = row[:7]
            client = parts.book.clients[client_id]
            if covered(halts, client, f"{exchange}:{symbol}"):
                continue
            if not may_be_sent(row.after_market, row.trading_date, day, awaited):
                continue
            tag = "".join(parts.random.choices(TAG_ALPHABET, k=TAG_LENGTH))
            claimed.append((order_id, tag))
            changes.append({"b_id": order_id, "b_tag": tag, "b_attempts": tried + 1})
            attempts.append(
                {
                    "order_id": order_id,
                    "number": tried + 1,
                    "tag": tag,
                    "instance_id": parts.instance_id,
                    "claimed_at": unit.now,
                    "deadline_at": unit.now + timedelta(seconds=parts.waits.send_timeout_s),
                    "outcome": "",
                    "detail": "",
                }
            )
            unit.touched.orders.add(order_id)
            details = {"tag": tag, "attempt": tried + 1}
            unit.audit(
                AuditEntry(
                    "ORDER_SENDING", parts.actor, client_id, order_id, plan_number, run_number, details
                )
            )
    if changes:
        unit.connection.execute(
            update(orders)
            .where(orders.c.id == bindparam("b_id"))
            .values(
                state=OrderState.SENDING.value,
                tag=bindparam("b_tag"),
                attempts=bindparam("b_attempts"),
                sent_at=unit.now,
                updated_at=unit.now,
            ),
            changes,
        )
        unit.connection.execute(insert(table(Attempt)), attempts)
    claimed.sort(key=lambda pair: place[pair[0]])
    return claimed
