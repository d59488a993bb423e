"""Later stages of runs: buys that are reserved once their turn has come, and paid by what sales brought.

A buy's turn is when the run's sales of that security have ended, for all clients: so no client trades with
another one's order. It is reserved once its client's cash carries it; while orders of that client live in the
run, cash may still come. What no cash came for waits: the next plan of its model has it first.
"""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct, to_builtins

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.ledger import post
from data.records import replace
from data.repositories.trading.stages import StoredStaged, end_staged, move_staged, waiting_lines
from data.store import Unit
from data.vocabulary import AlertKind, OrderState, Reason, RunStatus, Side, StagedState
from engine.access.at_door import ConsentsAtDoor
from engine.alert_figures import WaitingFigures
from engine.book.halt_file import halt_file_stands
from engine.book.halt_scope import HaltView, covering, strength_of
from engine.book.kept import Kept
from engine.book.reading import barred_clients, read_halts, read_lifted, read_runs
from engine.book.views import ClientView, RunRow
from engine.booking.order import WorkingOrder
from engine.booking.overdue import may_be_sent
from engine.booking.stored import ORDERS
from engine.booking.working_set import blocking
from engine.execution.ordering import order_of_line, tell_reserved
from engine.execution.reservation import (
    block_together,
    with_unbooked,
)
from engine.execution.rotation import PartLine, drawn
from engine.execution.starting import MadeOf
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.planning.checks import client_refusal, market_refusal
from engine.planning.context import PlanContext
from engine.planning.duplicates import same_intent
from engine.planning.limits.products import listing_refusal
from engine.planning.plan import Plan
from engine.planning.sizing import need
from engine.raising import AlertTold, raise_alert
from engine.rules import BUYS_WAIT_TOLD
from engine.timing import Timing


class Turn(Struct, frozen=True):
    """Lines of a leg whose turn has come, with the leg at the price of now; `barred` of them may not buy."""

    part: Plan
    lines: tuple[PartLine, ...]
    barred: frozenset[int]
    unfunded: frozenset[int]


class Stages:
    """Reserves later stages of this engine's runs as their turn comes, and ends what comes too late."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        market_data: MarketData,
        workers: Workers,
        made_of: MadeOf,
    ) -> None:
        self._kept, self._timing, self._engine = kept, timing, engine
        self._market_data, self._dispatcher = market_data, workers.dispatcher
        self._plans, self._rules = made_of.plans, made_of.rules
        self._known: dict[int, Plan] = {}
        self._looking = self._again = False
        self._told: set[int] = set()
        """Runs of which the trader was told that buys wait."""

    async def look(self) -> None:
        """Reserve what has become due, and end what is over; again for what came meanwhile.

        Raises `StoreError`.
        """
        if self._looking:
            self._again = True
            return
        self._looking = self._again = True
        try:
            while self._again:
                self._again = False
                for run in [one for one in self._kept.book.runs.values() if one.staged]:
                    await self._advance(run)
        finally:
            self._looking = False

    async def look_once_ended(self) -> None:
        """`look`, where a run has no order left that lives; while some do, each heartbeat looks.

        Raises `StoreError`.
        """
        book = self._kept.book
        staged = [number for number, run in book.runs.items() if run.staged]
        if any(book.live.isdisjoint(book.orders_of_run.get(number, ())) for number in staged):
            await self.look()

    async def _advance(self, run: RunRow) -> None:
        """Do what is due of a run."""
        plan = await self._plan_of(run)
        awaited, day = self._timing.awaited_day(), self._timing.market.trading_day
        if not may_be_sent(plan.intent.after_market, plan.trading_day, day, awaited):
            if not self._is_anothers(run):
                await self._kept.store.write(lambda unit: self._end(unit, run, StagedState.EXPIRED))
            return
        if run.status is not RunStatus.RUNNING or run.instance_id != self._engine.id:
            return
        if any(halt.stops_desk for halt in self._kept.book.halts):
            await self._kept.store.write(lambda unit: self._end(unit, run, StagedState.STOPPED))
            return
        if halt_file_stands(self._kept.halt_file) or self._engine.trading_disabled:
            return
        async with self._kept.store.reader() as reader:
            waiting = await reader.run_sync(lambda on: waiting_lines(on, run.number))
        turns = await self._turns(run, plan, waiting)
        if not turns:
            await self._tell(run, waiting)
            return
        self._engine.reached("reserving")
        going = await self._kept.store.write(lambda unit: self._reserve(unit, run.number, plan, turns))
        self._engine.reached("reserved")
        self._dispatcher.submit(going)

    async def _tell(self, run: RunRow, waiting: Sequence[StoredStaged]) -> None:
        """Tell the trader, once, of what has waited longer than sales take."""
        since = self._timing.wall.now() - BUYS_WAIT_TOLD
        late = [line for line in waiting if line.changed_at <= since]
        if not late or run.number in self._told:
            return
        book = self._kept.book
        orders = [book.orders[one] for one in book.orders_of_run.get(run.number, ()) if one in book.live]
        sales = [order for order in orders if order.side is Side.SELL]
        whose = frozenset(line.client_id for line in late)
        unknown = sum(order.state is OrderState.UNKNOWN for order in sales)
        figures = WaitingFigures(run.number, len(late), len(whose), len(sales), unknown)
        told = AlertTold(AlertKind.BUYS_WAIT, str(run.number), whose, to_builtins(figures))
        day = self._timing.market.trading_day
        await self._kept.store.write(lambda unit: raise_alert(unit, told, day, self._engine.actor))
        self._told.add(run.number)

    def _is_anothers(self, run: RunRow) -> bool:
        return run.instance_id != self._engine.id and self._engine.lives(run.instance_id)

    async def _plan_of(self, run: RunRow) -> Plan:
        if run.number not in self._known:
            self._known = {n: plan for n, plan in self._known.items() if self._kept.book.runs[n].staged}
            self._known[run.number] = await self._plans.get(run.plan_number)
        return self._known[run.number]

    # --- whose turn it is ---

    async def _turns(self, run: RunRow, plan: Plan, waiting: Sequence[StoredStaged]) -> list[Turn]:
        """The legs that are due, each with the lines that cash carries, and those that it never will."""
        book = self._kept.book
        waits_on: dict[int, set[int]] = {}
        for line in waiting:
            waits_on.setdefault(line.leg, set()).add(line.client_id)
        keys = [part.instrument.key for part in plan.parts if part.leg in waits_on]
        if stale := self._market_data.old(keys, self._timing.wall.now()):
            await self._market_data.fetch(stale)
        orders = [book.orders[one] for one in book.orders_of_run.get(run.number, ()) if one in book.live]
        selling = {order.key for order in orders if order.side is Side.SELL}
        busy = {order.client_id for order in orders}
        cash = {line.client_id: book.funds[line.client_id].available_paise for line in waiting}
        turns: list[Turn] = []
        for part in plan.parts:
            if part.leg not in waits_on or part.instrument.key in selling:
                continue
            turn = self._turn(part, waits_on[part.leg], cash, busy, run.rotation_seed)
            if turn is not None and (turn.lines or turn.barred or turn.unfunded):
                busy |= {line.client_id for _, line in turn.lines}
                turns.append(turn)
        return turns

    def _turn(
        self,
        part: Plan,
        client_ids: Collection[int],
        cash: dict[int, int],
        hopeful: Collection[int],
        seed: int | None,
    ) -> Turn | None:
        """What of a leg may go now; None without a price.

        `hopeful` are clients to whom cash may come; the run's `seed` draws who is first.
        """
        instrument = self._market_data.index.get(part.instrument.key) or part.instrument
        clients = [self._kept.book.clients[client_id] for client_id in client_ids]
        try:
            inputs = self._plans.inputs_now(part.intent, instrument, clients, ())
        except BadInput:
            return None
        inputs = replace(inputs, policy=part.policy, protection_bps=part.protection_bps)
        if market_refusal(part.intent, inputs) is not None:
            return None
        context = PlanContext(part.intent, inputs, {})
        priced = replace(part, reserve_price_paise=context.reserve_price_paise)
        refused = {
            client.client_id
            for client in inputs.clients
            if client_refusal(client, Side.BUY) or listing_refusal(client, instrument, Side.BUY)
        }
        told = {client.client_id: client for client in inputs.clients}
        lines: list[PartLine] = []
        unfunded: set[int] = set()
        for line in priced.lines:
            if not line.ok or line.client_id not in told or line.client_id in refused:
                continue
            terms = context.terms(told[line.client_id], line.product, priced.policy)
            needs = need(replace(terms, slice_quantity=part.slice_quantity), line.quantity)
            lent = needs.loan_paise <= told[line.client_id].mtf_room_paise
            if lent and needs.total_paise <= cash[line.client_id]:
                cash[line.client_id] -= needs.total_paise
                lines.append((priced, line))
            elif line.client_id not in hopeful:
                unfunded.add(line.client_id)
        start = drawn(seed or 0, len(lines)) if lines else 0
        return Turn(priced, (*lines[start:], *lines[:start]), frozenset(refused), frozenset(unfunded))

    # --- what is written ---

    def _reserve(self, unit: Unit, number: int, plan: Plan, turns: Sequence[Turn]) -> list[int]:
        """Reserve what is due, in the caller's one transaction; returns the orders to send.

        A halt that stands lets no buy leave, nor does one fired since the run was confirmed, resumed or not.
        """
        run = read_runs(unit, [number]).get(number)
        if run is None or run.status is not RunStatus.RUNNING or run.instance_id != self._engine.id:
            return []
        lifted = (halt for halt in read_lifted(unit) if halt.at >= run.confirmed_at)
        halts = self._kept.book.seen([*read_halts(unit), *lifted])
        if any(halt.stops_desk for halt in halts):
            self._end(unit, run, StagedState.STOPPED)
            return []
        waiting: dict[int, set[int]] = {}
        for line in waiting_lines(unit, number):
            waiting.setdefault(line.leg, set()).add(line.client_id)
        going: list[int] = []
        for turn in turns:
            going += self._reserve_leg(unit, run, plan, turn, waiting.get(turn.part.leg, set()), halts)
        return going

    def _reserve_leg(
        self,
        unit: Unit,
        run: RunRow,
        plan: Plan,
        turn: Turn,
        waiting: Collection[int],
        halts: Sequence[HaltView],
    ) -> list[int]:
        part, clients = turn.part, self._kept.book.clients
        lines = [line for _, line in turn.lines if line.client_id in waiting]
        sliced = [(line, *one) for line in lines for one in enumerate(part.slices(line), start=1)]
        ids = unit.take_ids("order", len(sliced)) if sliced else range(0)
        engine_id = self._engine.id
        orders = [
            order_of_line(unit, run.plan_number, part, line, shares, one, run.number, place, engine_id)
            for one, (line, place, shares) in zip(ids, sliced, strict=True)
        ]
        stopped = {line.client_id for line in lines if _covered(halts, clients[line.client_id], part)}
        consents = ConsentsAtDoor(
            unit, {order.client_id for order in orders}, self._kept.book, plan.trading_day
        )
        barred = self._barred(unit, run, part, orders, consents) | dict.fromkeys(stopped, Reason.HALTED)
        block_together(unit, orders, {(c, part.leg): reason for c, reason in barred.items()}, plan)
        going = [order for order in orders if order.live]
        ORDERS.insert(unit, going)
        post(unit, [blocking(order, order.blocked_paise, reserved=True) for order in going])
        refs = {line.client_id: line.ref for line in lines}
        for order in going:
            whose = order.client_id
            tell_reserved(unit, order, refs[whose], self._engine.actor, consents.covering(whose))
        ends = {
            StagedState.ORDERED: {order.client_id for order in going},
            StagedState.BARRED: (turn.barred & set(waiting)) | (barred.keys() - stopped),
            StagedState.STOPPED: stopped,
            StagedState.UNFUNDED: turn.unfunded & set(waiting),
        }
        for state, whose in ends.items():
            if whose:
                move_staged(unit, run.number, part.leg, whose, state)
        told = {
            _TOLD[state]: len(whose) if state is StagedState.ORDERED else self._codes(whose)
            for state, whose in ends.items()
            if whose
        }
        if told:  # what nothing became of is no change, which would have it looked at again at once
            unit.touched.runs.add(run.number)
            self._audit(unit, run, {"symbol": part.instrument.tradingsymbol, **told})
        return [order.id for order in going]

    def _barred(
        self,
        unit: Unit,
        run: RunRow,
        part: Plan,
        orders: Sequence[WorkingOrder],
        consents: ConsentsAtDoor,
    ) -> dict[int, Reason]:
        """Which of these clients may not buy, by what the rows say in this transaction."""
        own = {order.client_id for order in orders}
        barred = dict(barred_clients(unit, own))
        lacking = {one.client_id: consents.barred(one.client_id, one.side, one.product) for one in orders}
        barred |= {client_id: reason for client_id, reason in lacking.items() if reason is not None}
        barred |= dict.fromkeys(with_unbooked(unit, list(orders)), Reason.OPEN_BREAK)
        if not part.intent.again:
            wall, rules = self._timing.wall, self._rules
            had = same_intent(unit, part.intent, part.instrument, wall, self._engine, rules, run.number)
            barred |= dict.fromkeys(had.keys() & own, Reason.DUPLICATE_INTENT)
        return barred

    def _end(self, unit: Unit, run: RunRow, state: StagedState) -> None:
        """End all that waits of a run."""
        if end_staged(unit, run.number, state):
            unit.touched.runs.add(run.number)
            self._audit(unit, run, {_TOLD[state]: run.staged})

    def _codes(self, client_ids: Collection[int]) -> list[str]:
        return sorted(self._kept.book.clients[client_id].code for client_id in client_ids)

    def _audit(self, unit: Unit, run: RunRow, told: Mapping[str, object]) -> None:
        plan, actor = run.plan_number, self._engine.actor
        entry = AuditEntry(
            AuditAction.RUN_STAGED, actor, plan_number=plan, run_number=run.number, details={**told}
        )
        unit.audit(entry)


_TOLD = {
    StagedState.ORDERED: "buys_ordered",
    StagedState.BARRED: "may_not_buy",
    StagedState.STOPPED: "buys_stopped",
    StagedState.UNFUNDED: "no_cash_for",
    StagedState.EXPIRED: "buys_over",
}
"""How the audit calls what became of lines: of those ordered how many, of the others whose they are."""


def _covered(halts: Sequence[HaltView], client: ClientView, part: Plan) -> bool:
    return strength_of(covering(list(halts), client, part.instrument.key)) is not None
