"""Runs: a confirmed plan carried out exactly once, from one commit that reserves everything."""

import asyncio
import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date
from random import Random
from typing import Any

from brokers.pacing import eta_s
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.reference.instrument_index import renamed_words
from data.repositories import runs
from data.repositories.base import On
from data.store import StoreBusy, StoreError, StoreUnwritable, Unit
from data.vocabulary import (
    OrderState,
    PauseReason,
    Product,
    RunStatus,
    Side,
    SizingKind,
)
from engine.book.halt_file import halt_file_stands
from engine.book.kept import Kept
from engine.book.reading import orders_of_day, read_runs
from engine.book.views import OrderView, RunRow
from engine.booking.overdue import may_be_sent
from engine.events import Event, OrderChanged, RunChanged, TapeLine
from engine.execution.cancels import ask
from engine.execution.conditions import Kind, standing
from engine.execution.frozen import look_frozen
from engine.execution.pauses import pause
from engine.execution.reservation import PartLine, reserve
from engine.execution.resuming import Prospect, go_on, look
from engine.execution.trading import require_trading, stopped
from engine.execution.views import Frozen, RunView, run_view, settled
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.news import RunEnded
from engine.planning.intent import Intent, LineChange, Selection, Sizing
from engine.planning.record import Plan
from engine.planning.service import Plans, narrowed
from engine.planning.sizing import whole_lots
from engine.planning.why import Why
from engine.refusals import (
    CannotGoOn,
    Halted,
    NotConfirmed,
    PlanDrifted,
    PlanExpired,
    Refusal,
)
from engine.rules import SHOWN_DIGITS, Rules
from engine.timing import Timing


class Runs:
    """Starts, watches, pauses and stops runs."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        venues: Venues,
        rules: Rules,
        rng: Random,
        plans: Plans,
        workers: Workers,
        worded: Callable[[Iterable[Why]], str],
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._rules = rules
        self._rng = rng
        self._plans = plans
        self._dispatcher = workers.dispatcher
        self._canceller = workers.canceller
        self._worded = worded
        self._moved = asyncio.Condition()
        self._finishing: set[int] = set()
        self._frozen: dict[int, Frozen] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        kept.bus.subscribe(self._on_event)

    async def start(self, plan: Plan, confirm: str) -> RunView:
        """Carry out a stored plan once, confirmed by (the first eight or more digits of) its hash.

        Raises a `Refusal`; then nothing was reserved and nothing is sent.
        """
        await self._check(plan, confirm)
        confirmed = self._timing.wall.monotonic()
        lines = self._rotated(plan)
        try:
            number, order_ids = await self._kept.store.write(lambda unit: self._reserve(unit, plan, lines))
        except (StoreUnwritable, StoreBusy) as problem:
            raise stopped(str(problem)) from problem
        self._engine.begun[number] = confirmed
        self._engine.reached("reserved")
        self._dispatcher.submit(order_ids)
        return self.get(number)

    def _reserve(self, unit: Unit, plan: Plan, lines: list[PartLine]) -> tuple[int, list[int]]:
        reserved = reserve(unit, plan, lines, self._kept.book, self._timing.wall, self._engine, self._rules)
        self._engine.reached("reserving")
        return reserved

    async def _check(self, plan: Plan, confirm: str) -> None:
        confirm = confirm.strip().lower()
        if (
            len(confirm) < SHOWN_DIGITS
            or not plan.digest.startswith(confirm)
            or not await self._plans.is_as_stored(plan)
        ):
            raise NotConfirmed(f"plan {plan.number} was not confirmed by its hash")
        await require_trading(self._kept.store, self._engine)
        self._check_named(plan)
        if self._plans.expired(plan):
            raise PlanExpired(
                f"plan {plan.number} is older than {self._rules.plan_valid_s:g} s, "
                "or the clock was set back since; plan again"
            )
        self._check_session(plan)
        halt = next((halt for halt in self._kept.book.halts if halt.stops_desk), None)
        if halt is not None or halt_file_stands(self._kept.halt_file):
            raise Halted(
                f"the desk is halted{f' (halt {halt.number} by {halt.by})' if halt else ''}; resume it first"
            )
        if not plan.orders:
            raise Refusal("the plan has no order to send")
        for part in plan.parts:
            await self._check_price(plan, part)

    def _check_named(self, plan: Plan) -> None:
        for part in plan.parts:
            if words := renamed_words(self._market_data.index, part.instrument):
                raise PlanExpired(f"{words} since plan {plan.number}; plan again")

    def _check_session(self, plan: Plan) -> None:
        """Whether the session that the plan is for goes on, and intraday buying in it."""
        awaited = self._timing.awaited_day()
        waits, day = plan.intent.after_market, self._timing.market.trading_day
        if not may_be_sent(waits, plan.trading_day, day, awaited):
            over = "begun" if waits else "ended"
            raise PlanExpired(f"the session of plan {plan.number} has {over} since; plan again")
        for part in plan.parts:
            buys_within_day = part.intent.side is Side.BUY and any(
                line.product is Product.MIS for line in part.ok_lines
            )
            until = self._timing.intraday_end(part.instrument.fno)
            ended = until is not None and self._timing.market.now() >= until
            if buys_within_day and ended and not waits:
                key = part.instrument.key
                raise PlanExpired(f"intraday buying of {key} has ended since plan {plan.number}; plan again")

    async def _check_price(self, plan: Plan, part: Plan) -> None:
        """Whether the price of a leg is young, and where it was."""
        key, symbol = part.instrument.key, part.instrument.tradingsymbol
        age = self._market_data.quotes.age(key, self._timing.wall.now())
        if self._market_data.too_old(age) and not await self._market_data.fetch([key]):
            raise PlanDrifted(f"{symbol} has no price that is young enough; plan again")
        drift = self._plans.drift_bps(part)
        if drift is None or abs(drift) > part.drift_limit_bps:
            moved = "has no price now" if drift is None else f"moved {drift / 100:+.2f} %"
            raise PlanDrifted(f"{symbol} {moved} since plan {plan.number}; plan again")

    def _rotated(self, plan: Plan) -> list[PartLine]:
        """The lines to send, starting at another client each time, so that nobody is always first.

        A client's legs follow each other in their order.
        """
        lines = [(part, line) for part in plan.parts for line in part.ok_lines]
        lines.sort(key=lambda one: (one[1].code, one[0].leg, one[1].product))
        if len(lines) < 2:
            return lines
        start = self._rng.randrange(len(lines))
        while plan.further and start > 0 and lines[start][1].client_id == lines[start - 1][1].client_id:
            start -= 1
        return lines[start:] + lines[:start]

    def get(self, number: int) -> RunView:
        """A run as it stands. Raises `KeyError` for an unknown number."""
        return self._view(self._kept.book.runs[number])

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
            return [self._told(runs[number], orders[number]) for number in sorted(runs, reverse=True)]

        return await self._kept.store.read_aside(work)

    def need_trader(self) -> list[RunView]:
        """Runs that paused by themselves over unsent orders, newest first."""
        runs = sorted(self._kept.book.runs.items(), reverse=True)
        views = [self._view(run) for _, run in runs if run.paused_by_itself]
        return [view for view in views if view.needs_attention]

    def _view(self, run: RunRow) -> RunView:
        book = self._kept.book
        return self._told(run, [book.orders[i] for i in sorted(book.orders_of_run.get(run.number, ()))])

    def _told(self, run: RunRow, orders: Sequence[OrderView]) -> RunView:
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

        def done() -> bool:
            book = self._kept.book
            run = book.runs[number]
            kept_back = run.status is RunStatus.PAUSED and run.finished_at is None
            orders = (book.orders[order_id] for order_id in book.orders_of_run.get(number, ()))
            return all(settled(one) or (kept_back and one.state is OrderState.RESERVED) for one in orders)

        async def wait() -> None:
            async with self._moved:
                await self._moved.wait_for(done)

        waiting = asyncio.create_task(wait())
        patience = asyncio.create_task(self._timing.wall.sleep(wait_s))
        await asyncio.wait({waiting, patience}, return_when=asyncio.FIRST_COMPLETED)
        for task in (waiting, patience):
            task.cancel()
        await asyncio.gather(waiting, patience, return_exceptions=True)
        return self.get(number)

    async def pause(self, number: int) -> RunView:
        """Keep the unsent orders of a run back; what is sent goes on."""
        await self._pause([number], PauseReason.TRADER)
        return self.get(number)

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
            and self._unsent(run.number)
            and not self._engine.lives(run.instance_id)
        ]
        if dead:
            await self._pause(dead, PauseReason.ENGINE_DIED)

    async def _pause(self, numbers: Sequence[int], reason: PauseReason) -> None:

        def unit_of_work(unit: Unit) -> None:
            for run in read_runs(unit, numbers).values():
                if reason is PauseReason.ENGINE_DIED and self._engine.lives(run.instance_id):
                    continue  # another engine has gone on with it meanwhile
                orders = [
                    self._kept.book.orders[i] for i in self._kept.book.orders_of_run.get(run.number, ())
                ]
                orders.sort(key=lambda order: order.leg)
                at = standing(
                    run,
                    Kind.of(orders[0]),
                    self._timing.wall,
                    self._engine,
                    self._market_data,
                    self._timing.wall.now(),
                )
                pause(unit, run, reason, at, self._engine.actor)

        await self._kept.store.write(unit_of_work)

    async def prospect(self, number: int) -> Prospect:
        """What going on with a paused run would do now; nothing is done.

        Raises `BadInput` for an unknown run, and a `Refusal` where it may not go on at all.
        """
        plan = await self._ready_to_go_on(number)
        async with self._kept.store.reader() as connection:
            return await connection.run_sync(
                lambda plain: look(
                    plain,
                    number,
                    plan,
                    self._plans,
                    self._kept,
                    self._timing,
                    self._engine,
                    self._market_data.index,
                    self._rules,
                )
            )

    async def go_on(self, number: int, send: int) -> RunView:
        """Send on with a paused run; `send` is how many orders the trader says are unsent.

        All that a plan is checked against is looked at again in the transaction that goes on, and the price
        is made anew. Raises what `prospect` raises, and `CannotGoOn` where another number is unsent.
        """
        plan = await self._ready_to_go_on(number)
        began = self._timing.wall.monotonic()

        def unit_of_work(unit: Unit) -> list[int]:
            found = look(
                unit,
                number,
                plan,
                self._plans,
                self._kept,
                self._timing,
                self._engine,
                self._market_data.index,
                self._rules,
            )
            if found.unsent != send:
                raise CannotGoOn(
                    f"{found.unsent} orders of run {number} are unsent now, not {send}; look at it again"
                )
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
        plan = await self._plans.get(run.plan_number)
        orders = self._kept.book.orders
        clients = {orders[order_id].client_id for order_id in self._unsent(number)}
        if clients:
            for part in plan.parts:
                await self._plans.prepare(part.instrument.key, sorted(clients))
        return plan

    async def stop(self, number: int, live: bool) -> RunView:
        """Free the unsent orders of a run; with `live`, cancel the live ones too."""
        book = self._kept.book
        ids = [
            order_id
            for order_id in book.orders_of_run.get(number, ())
            if book.orders[order_id].state is OrderState.RESERVED or (live and book.orders[order_id].live)
        ]

        def unit_of_work(unit: Unit) -> dict[int, int]:
            asked = ask(unit, ids, f"run {number} stopped", self._engine.actor)
            _stop(unit, number, self._engine.actor)
            return asked.requests

        self._canceller.carry_out(await self._kept.store.write(unit_of_work))
        return self.get(number)

    def _unsent(self, number: int) -> list[int]:
        book = self._kept.book
        return [
            order_id
            for order_id in sorted(book.orders_of_run.get(number, ()))
            if book.orders[order_id].state is OrderState.RESERVED
        ]

    # --- once more, repair and reverse ---

    async def intent(self, number: int) -> Intent:
        """What a run was planned as, with the symbol that its security has now. Raises `KeyError`."""
        plan = await self._plans.get(self._kept.book.runs[number].plan_number)
        keys = {part.leg: self._key_now(number, part) for part in plan.parts}
        further = tuple(
            dataclasses.replace(leg, key=keys[place])
            for place, leg in enumerate(plan.intent.further, start=2)
        )
        return dataclasses.replace(plan.intent, key=keys[1], further=further)

    def _key_now(self, number: int, part: Plan) -> str:
        """What the security of a leg's orders is called now; its plan has the name of then."""
        book = self._kept.book
        orders = (book.orders[i] for i in book.orders_of_run.get(number, ()))
        return next((order.key for order in orders if order.leg == part.leg), part.intent.key)

    async def _plan_of_one_leg(self, number: int) -> Plan:
        """The plan of a run. Raises a `Refusal` where it has several legs."""
        plan = await self._plans.get(self._kept.book.runs[number].plan_number)
        if plan.further:
            raise Refusal(
                f"run {number} has {len(plan.parts)} legs: repair or reverse each by a plan of its own"
            )
        return plan

    async def repair_intent(self, number: int) -> Intent | None:
        """The intent for what provably failed or was skipped; UNKNOWN, live and filled are left alone."""
        plan = await self._plan_of_one_leg(number)
        orders = [self._kept.book.orders[i] for i in self._kept.book.orders_of_run.get(number, ())]
        failed = (OrderState.DENIED, OrderState.REJECTED, OrderState.NOT_RECEIVED)
        retry = {o.client_id for o in orders if o.state in failed and not o.filled_quantity}
        retry |= {line.client_id for line in plan.skipped_lines}
        retry -= {o.client_id for o in orders if o.state not in failed or o.filled_quantity}
        if not retry:
            return None
        kept = tuple(change for change in plan.intent.line_changes if change.client_id in retry)
        intent = dataclasses.replace(plan.intent, key=self._key_now(number, plan), line_changes=kept)
        return narrowed(intent, sorted(retry), f"repair of run {number}")

    async def reverse_intent(self, number: int) -> Intent | None:
        """The opposite of what a run filled, at market, client by client."""
        plan = await self._plan_of_one_leg(number)
        traded: dict[int, int] = defaultdict(int)
        products: dict[int, Product] = {}
        for order_id in self._kept.book.orders_of_run.get(number, ()):
            order = self._kept.book.orders[order_id]
            if order.filled_quantity:
                traded[order.client_id] += order.filled_quantity
                products[order.client_id] = order.product
        lot = plan.instrument.lot_size
        filled = {c: lots for c, shares in traded.items() if (lots := whole_lots(shares, lot))}
        if not filled:
            return None
        side = Side.SELL if plan.intent.side is Side.BUY else Side.BUY
        return Intent(
            side=side,
            key=self._key_now(number, plan),
            sizing=Sizing(SizingKind.FIXED_QUANTITY, max(filled.values())),
            product=plan.intent.product or next(iter(products.values())),
            selection=Selection(client_ids=tuple(sorted(filled)), title=f"reverse of run {number}"),
            line_changes=tuple(
                LineChange(client_id, quantity, products[client_id])
                for client_id, quantity in sorted(filled.items())
            ),
        )

    # --- following ---

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
        for run in list(book.runs.values()):
            if run.finished_at is not None or run.number in self._finishing:
                continue
            if run.instance_id != self._engine.id and self._engine.lives(run.instance_id):
                continue
            orders = [book.orders[order_id] for order_id in book.orders_of_run.get(run.number, ())]
            if orders and not any(order.live for order in orders):
                self._finishing.add(run.number)
                try:
                    with suppress(StoreError):  # closed at the next change, or when the store works again
                        await self._finish(run.number)
                finally:
                    self._finishing.discard(run.number)

    async def _finish(self, number: int) -> None:
        view = self.get(number)

        def unit_of_work(unit: Unit) -> None:
            status = view.status if view.status is RunStatus.STOPPED else RunStatus.FINISHED
            runs.finish(unit, number, status)
            unit.touched.runs.add(number)
            unit.audit(
                AuditEntry(
                    AuditAction.RUN_FINISHED,
                    self._engine.actor,
                    run_number=number,
                    details={"counts": view.counts},
                )
            )
            unit.publish(TapeLine(unit.now, RunEnded(number, view.title, view.counts)))

        await self._kept.store.write(unit_of_work)


def _stop(unit: Unit, number: int, actor: str) -> None:
    """Mark a run that has not ended as stopped."""
    if runs.stop(unit, number):
        unit.touched.runs.add(number)
        unit.audit(AuditEntry(AuditAction.RUN_STOPPED, actor, run_number=number))
