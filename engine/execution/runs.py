"""Runs: a confirmed plan carried out exactly once, from one commit that reserves everything."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date

from brokers.pacing import eta_s
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput, StoreBusy
from data.repositories.base import On
from data.repositories.trading import runs
from data.store import StoreError, StoreUnwritable, Unit
from data.vocabulary import OrderState, PauseReason, RunStatus
from engine.book.kept import Kept
from engine.book.reading import orders_of_day, read_runs
from engine.book.views import OrderView, RunRow
from engine.events import Event, OrderChanged, RunChanged, TapeLine
from engine.execution.again import REPAIR, REVERSE, again, followed_by, repair, reverse
from engine.execution.changes.cancelled import CancelledOrder, read_cancelled
from engine.execution.changes.cancels import CancelsAsked, ask
from engine.execution.frozen import look_frozen
from engine.execution.prospect import Prospect, look
from engine.execution.reservation import NOBODYS, check_not_halted_since, reserve
from engine.execution.resuming import go_on
from engine.execution.rotation import Rotation, rotated
from engine.execution.sending.conditions import OrderKind, Standing, run_age_s, standing
from engine.execution.sending.pauses import mark_stopped, pause
from engine.execution.stages import Stages
from engine.execution.starting import MadeOf, Starting
from engine.execution.trading import require_trading, store_words
from engine.execution.views import Frozen, RunView, run_view, settled
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.news import RunEnded
from engine.planning.intent import Intent
from engine.planning.plan import Plan
from engine.refusals import TradingStopped, UnsentChanged
from engine.timing import Timing


class Runs:
    """Starts, watches, pauses and stops runs."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        venues: Venues,
        workers: Workers,
        made_of: MadeOf,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._rules, self._rng, self._plans = made_of.rules, made_of.rng, made_of.plans
        self._starting = Starting(kept, timing, engine, venues.market_data, made_of.rules, made_of.plans)
        self._dispatcher = workers.dispatcher
        self._canceller = workers.canceller
        self._stages = Stages(kept, timing, engine, venues.market_data, workers, made_of)
        self._worded, self._confirmed = made_of.worded, made_of.confirmed
        self._moved = asyncio.Condition()
        self._finishing: set[int] = set()
        self._frozen: dict[int, Frozen] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        kept.bus.subscribe(self._on_event)

    async def start(self, plan: Plan, confirm: str) -> RunView:
        """Carry out a stored plan once, confirmed by (the first eight or more digits of) its hash.

        Raises a `Refusal`; then nothing was reserved and nothing is sent.
        """
        newest_halt = self._kept.book.newest_halt
        await self._starting.look(plan, confirm)
        confirmed = self._timing.wall.monotonic()
        rotation = rotated(plan, self._rng)
        try:
            number, order_ids = await self._kept.store.write(
                lambda unit: self._reserve(unit, plan, rotation, newest_halt)
            )
        except (StoreUnwritable, StoreBusy) as problem:
            raise TradingStopped(store_words(self._kept.store) or str(problem)) from problem
        self._engine.begun[number] = confirmed
        self._engine.reached("reserved")
        self._dispatcher.submit(order_ids)
        return self.get(number)

    def _reserve(self, unit: Unit, plan: Plan, rotation: Rotation, newest_halt: int) -> tuple[int, list[int]]:
        check_not_halted_since(unit, plan, newest_halt, self._kept.book)
        self._confirmed(unit, plan)
        reserved = reserve(
            unit, plan, rotation, self._kept.book, self._timing.wall, self._engine, self._rules
        )
        self._engine.reached("reserving")
        return reserved

    def get(self, number: int) -> RunView:
        """A run as it stands. Raises `BadInput` for an unknown number."""
        return self._view(self._row(number))

    def _row(self, number: int) -> RunRow:
        if (row := self._kept.book.runs.get(number)) is None:
            raise BadInput("run", number, "no run of today or with live orders has this number")
        return row

    def all(self) -> list[RunView]:
        """All runs known, newest first."""
        return [self._view(run) for _, run in sorted(self._kept.book.runs.items(), reverse=True)]

    def of_today(self) -> list[RunView]:
        """Runs of the trading day and for later ones, and what has not ended of days before, newest first."""
        today = self._timing.market.trading_day
        return [run for run in self.all() if run.trading_date >= today or run.finished_at is None]

    async def of_day(self, day: date) -> list[RunView]:
        """The runs whose orders are of that trading day, however long ago, newest first."""

        def work(connection: On) -> list[RunView]:
            orders = orders_of_day(connection, day)
            runs = read_runs(connection, orders)
            return [self._viewed(runs[number], orders[number]) for number in sorted(runs, reverse=True)]

        return await self._kept.store.read_aside(work)

    def need_trader(self) -> list[RunView]:
        """Runs that paused by themselves over unsent orders, newest first."""
        runs = sorted(self._kept.book.runs.items(), reverse=True)
        views = [self._view(run) for _, run in runs if run.paused_by_itself]
        return [view for view in views if view.needs_attention]

    def _view(self, run: RunRow) -> RunView:
        book = self._kept.book
        return self._viewed(run, [book.orders[i] for i in sorted(book.orders_of_run.get(run.number, ()))])

    def _viewed(self, run: RunRow, orders: Sequence[OrderView]) -> RunView:
        now = self._timing.wall.now()
        running = run.status is RunStatus.RUNNING and run.finished_at is None
        unsent = Counter(order.client_id for order in orders if order.state is OrderState.RESERVED)
        connections = self._connections
        served = {client_id: calls for client_id, calls in unsent.items() if connections.serves(client_id)}
        return run_view(
            run,
            orders,
            now=now,
            trading_day=self._timing.market.trading_day,
            eta_s=eta_s(served, connections.lane, now),
            frozen=self._frozen.get(run.instance_id) if running else None,
        )

    async def settled(self, number: int, wait_s: float) -> RunView:
        """Wait until every order has ended, rests or is UNKNOWN, or `wait_s` have passed.

        The unsent orders of a paused run are not waited for: nobody knows for how long they stay.
        """
        book, waits_for = self._kept.book, 0

        def done() -> bool:
            nonlocal waits_for
            run = book.runs[number]
            kept_back = run.status is RunStatus.PAUSED and run.finished_at is None
            if run.staged and not kept_back:
                return False

            def waits(order: OrderView) -> bool:
                return not settled(order) and not (kept_back and order.state is OrderState.RESERVED)

            # Most often the last to be sent is the last to come, and has not come yet.
            if waits_for in book.orders and waits(book.orders[waits_for]):
                return False
            ids = sorted(book.orders_of_run.get(number, ()), reverse=True)
            waits_for = next((order_id for order_id in ids if waits(book.orders[order_id])), 0)
            return not waits_for

        await self._until(done, wait_s)
        return self.get(number)

    async def _until(self, done: Callable[[], bool], wait_s: float) -> None:
        """Wait until orders have moved so that it is done, at most `wait_s`."""

        async def wait() -> None:
            async with self._moved:
                await self._moved.wait_for(done)

        waiting = asyncio.create_task(wait())
        patience = asyncio.create_task(self._timing.wall.sleep(wait_s))
        await asyncio.wait({waiting, patience}, return_when=asyncio.FIRST_COMPLETED)
        for task in (waiting, patience):
            task.cancel()
        await asyncio.gather(waiting, patience, return_exceptions=True)

    async def pause(self, number: int) -> RunView:
        """Keep the unsent orders of a run back; what is sent goes on. Raises `BadInput` where none can be."""
        if self.get(number).finished_at is not None:
            raise BadInput("run", number, "it is finished: nothing of it waits to be sent")
        await self._pause([number], PauseReason.TRADER)
        return self.get(number)

    async def advance(self) -> None:
        """Reserve what of later stages has become due, such as by a price that is young again."""
        await self._stages.look()

    async def look_frozen(self) -> None:
        """Look which runs belong to engines that live and do nothing."""
        before, self._frozen = self._frozen, await look_frozen(self._kept, self._timing, self._engine)
        if before.keys() != self._frozen.keys():
            numbers = [n for n, run in self._kept.book.runs.items() if run.finished_at is None]
            self._kept.bus.publish([RunChanged(number) for number in numbers])

    async def pause_dead(self) -> None:
        """Pause the runs whose engine has died over unsent orders: nobody would send them, or say so."""
        book = self._kept.book
        dead = [
            run.number
            for run in book.runs.values()
            if run.status is RunStatus.RUNNING
            and run.finished_at is None
            and (run.staged or self._unsent(run.number))
            and not self._not_ours(run.instance_id)
        ]
        if dead:
            await self._pause(dead, PauseReason.ENGINE_DIED)

    async def _pause(self, numbers: Sequence[int], reason: PauseReason) -> None:
        def unit_of_work(unit: Unit) -> None:
            for run in read_runs(unit, numbers).values():
                if reason is PauseReason.ENGINE_DIED and self._engine.lives(run.instance_id):
                    continue  # another engine has gone on with it meanwhile
                pause(unit, run, reason, self._standing(run), self._engine.actor)

        await self._kept.store.write(unit_of_work)

    def _standing(self, run: RunRow) -> Standing:
        """How a run stands against the conditions of its first leg that has orders."""
        wall, now = self._timing.wall, self._timing.wall.now()
        if not (orders := self._orders(run.number)):
            return Standing(run_age_s(run, wall, self._engine, now), None, None, None, False)
        kind = OrderKind.of(min(orders, key=lambda order: order.leg))
        return standing(run, kind, wall, self._engine, self._market_data, now)

    async def prospect(self, number: int) -> Prospect:
        """What going on with a paused run would do now; nothing is done.

        Raises `BadInput` for an unknown run, and a `Refusal` where it may not go on at all.
        """
        plan = await self._ready_to_go_on(number)
        async with self._kept.store.reader() as connection:
            return await connection.run_sync(lambda plain: self._look(plain, number, plan))

    def _look(self, on: On, number: int, plan: Plan) -> Prospect:
        """What going on with a run would do, by what `on` reads now."""
        engine, index = self._engine, self._market_data.index
        return look(on, number, plan, self._plans, self._kept, self._timing, engine, index, self._rules)

    async def go_on(self, number: int, send: int) -> RunView:
        """Send on with a paused run; `send` is how many orders the trader says are unsent.

        All that a plan is checked against is looked at again in the transaction that goes on, and the price
        is made anew. Raises what `prospect` raises, and `UnsentChanged` where another number is unsent.
        """
        plan = await self._ready_to_go_on(number)
        began = self._timing.wall.monotonic()

        def unit_of_work(unit: Unit) -> list[int]:
            found = self._look(unit, number, plan)
            if found.unsent != send:
                raise UnsentChanged(number, found.unsent, send)
            self._confirmed(unit, plan)  # what was bought since it paused counts with it
            return go_on(unit, found, self._engine, self._rules, self._worded)

        going = await self._engine.write_signed_on(unit_of_work)
        self._engine.begun[number] = began
        self._dispatcher.submit(going)
        return self.get(number)

    async def _ready_to_go_on(self, number: int) -> Plan:
        """The plan of a run, once the desk may trade and what is looked at is at hand."""
        await require_trading(self._kept.store, self._engine)
        await self.pause_dead()
        run = self._kept.book.runs.get(number)
        if run is None:
            raise BadInput("run", number, "no run has this number")
        if run.instance_id == NOBODYS:
            raise BadInput(
                "run", number, "it is of all desks: stop what is unsent of it, and plan that again"
            )
        plan = await self._plans.get(run.plan_number)
        orders = self._kept.book.orders
        clients = {orders[order_id].client_id for order_id in self._unsent(number)}
        clients |= self._kept.book.to_come.get(number, frozenset())
        if clients:
            for part in plan.parts:
                await self._plans.prepare(part.instrument.key, sorted(clients))
        return plan

    async def stop(self, number: int, live: bool) -> RunView:
        """Free the unsent orders of a run; with `live`, cancel the live ones too.

        Raises `StoreError` when it could not be written; live ones were cancelled even so.
        """
        unsent = OrderState.RESERVED
        ids = [one.id for one in self._orders(number) if one.state is unsent or (live and one.live)]

        def unit_of_work(unit: Unit) -> CancelsAsked:
            asked = ask(unit, ids, f"run {number} stopped", self._engine.actor)
            mark_stopped(unit, number, self._engine.actor)
            return asked

        await self._canceller.write(ids, unit_of_work)
        return self.get(number)

    async def cancel(self, number: int, wait_s: float) -> tuple[CancelledOrder, ...]:
        """Stop a run with all of it that lives, and tell what became of each order once all have ended.

        What has not ended after `wait_s` is told as it stands. Raises what `stop` raises.
        """
        began, ids = self._timing.wall.now(), {one.id for one in self._orders(number) if one.live}
        await self.stop(number, live=True)
        await self._until(lambda: self._kept.book.live.isdisjoint(ids), wait_s)
        return await read_cancelled(self._kept, sorted(ids), began)

    def _unsent(self, number: int) -> list[int]:
        return sorted(one.id for one in self._orders(number) if one.state is OrderState.RESERVED)

    async def intent(self, number: int) -> Intent:
        """What a run was planned as, with the symbol that its security has now. Raises `BadInput`."""
        return again(await self._plan_of(number), self._orders(number))

    async def repair_intent(self, number: int, key: str | None = None) -> Intent | None:
        """The intent for what provably failed or was skipped; UNKNOWN, live and filled are left alone.

        With a `key` of its legs in that security alone. Raises `BadInput` where there is none.
        """
        plan, orders = await self._plan_of(number), self._orders(number)
        before = await followed_by(REPAIR, number, plan, self._kept.book, self._plan_of)
        return repair(number, plan, orders, before, key)

    async def reverse_intent(self, number: int, key: str | None = None) -> Intent | None:
        """The opposite of what a run filled, at market, client by client, or what it filled in `key` alone.

        Raises `BadInput` where no leg is of that.
        """
        plan, orders = await self._plan_of(number), self._orders(number)
        before = await followed_by(REVERSE, number, plan, self._kept.book, self._plan_of)
        return reverse(number, plan, orders, before, key)

    async def _plan_of(self, number: int) -> Plan:
        return await self._plans.get(self._row(number).plan_number)

    def _orders(self, number: int) -> list[OrderView]:
        book = self._kept.book
        return [book.orders[order_id] for order_id in book.orders_of_run.get(number, ())]

    def _on_event(self, event: Event) -> None:
        if isinstance(event, (OrderChanged, RunChanged)):
            task = asyncio.ensure_future(self._follow())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _follow(self) -> None:
        """Wake those who wait, and close runs of this engine whose orders have all ended."""
        async with self._moved:
            self._moved.notify_all()
        book = self._kept.book
        with suppress(StoreError):  # looked at again at the next change
            await self._stages.look_once_ended()
        for run in list(book.runs.values()):
            if run.finished_at is not None or run.number in self._finishing or run.staged:
                continue
            if run.instance_id != self._engine.id and self._not_ours(run.instance_id):
                continue
            if book.live.isdisjoint(book.orders_of_run.get(run.number, ())):
                self._finishing.add(run.number)
                try:
                    with suppress(StoreError):  # closed at the next change, or when the store works again
                        await self._finish(run.number)
                finally:
                    self._finishing.discard(run.number)

    def _not_ours(self, number: int) -> bool:
        """Whether a run is another's to end: a living engine's, or all desks' (`firm_orders.py`)."""
        return number == NOBODYS or self._engine.lives(number)

    async def _finish(self, number: int) -> None:
        view = self.get(number)

        def unit_of_work(unit: Unit) -> None:
            status = view.status if view.status is RunStatus.STOPPED else RunStatus.FINISHED
            if not runs.finish(unit, number, status):
                return  # another engine has
            unit.touched.runs.add(number)
            by, told = self._engine.actor, {"counts": view.counts}
            unit.audit(AuditEntry(AuditAction.RUN_FINISHED, by, run_number=number, details=told))
            unit.publish(TapeLine(unit.now, RunEnded(number, view.title, view.counts)))

        await self._kept.store.write(unit_of_work)
