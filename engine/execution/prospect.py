"""What going on with a paused run would do: all that its plan was checked against, looked at again."""

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from msgspec import Struct

from data.clock import Clock
from data.errors import BadInput
from data.money import moved_bps
from data.records import replace
from data.reference.instrument_index import InstrumentIndex, renamed_to
from data.repositories.accounts.balances import room_of
from data.repositories.base import On
from data.repositories.instances import owners
from data.repositories.trading.orders import of_state
from data.repositories.trading.stages import waiting_lines
from data.vocabulary import (
    OrderState,
    OrderType,
    PhaseKind,
    Product,
    Reason,
    RunStatus,
    Side,
)
from engine import refusals
from engine.book.book import Book
from engine.book.halt_file import halt_file_stands
from engine.book.halt_scope import HaltView, covering, strength_of
from engine.book.kept import Kept
from engine.book.reading import read_breaks, read_halts, read_runs
from engine.book.views import RunRow
from engine.booking.order import WorkingOrder
from engine.booking.overdue import may_be_sent
from engine.booking.stored import ORDERS
from engine.execution.sending.conditions import run_age_s
from engine.execution.views import Frozen
from engine.instances import ThisEngine
from engine.planning.checks import (
    ClientInput,
    PlanInputs,
    authorisation_refusal,
    client_refusal,
    market_refusal,
    slice_quantity,
)
from engine.planning.context import PlanContext
from engine.planning.duplicates import same_intent
from engine.planning.limits.products import listing_refusal, product_refusal
from engine.planning.plan import Plan
from engine.planning.service import Plans
from engine.planning.why import AtPriceNow, LineRefusal, OffBand, SentBefore, SliceTooLarge
from engine.rules import Rules
from engine.timing import Timing


class LegPrice(Struct, frozen=True):
    """What the unsent orders of a leg would be held against, and reserved at, from now on; in paise.

    `phase` is its market's; None for orders that wait for a session. Circuits are 0 where none are known.
    `priced_by` is the broker whose price it is, empty where one alone brings prices.
    """

    last_paise: int
    reserve_paise: int
    phase: PhaseKind | None = None
    lower_circuit_paise: int = 0
    upper_circuit_paise: int = 0
    priced_by: str = ""


class Prospect(Struct, frozen=True):
    """What going on with a paused run would do at this moment; nothing of it is done yet.

    `orders` are its unsent orders as they stand, beside lines of later stages whose turn is to come; `barred`
    says why a client's would not go: none of them where one may not. `prices` are those of each leg of both.
    Money is in paise; `need_paise` is what the orders that go would keep blocked, 0 for a sell.
    """

    run: RunRow
    plan: Plan
    age_s: float
    prices: Mapping[int, LegPrice]
    orders: tuple[WorkingOrder, ...]
    barred: Mapping[int, LineRefusal]

    @property
    def last_paise(self) -> int:
        """The price now of the first leg that has something unsent."""
        return self.prices[min(self.prices)].last_paise

    @property
    def reserve_price_paise(self) -> int:
        """What that leg's orders would be reserved at."""
        return self.prices[min(self.prices)].reserve_paise

    @property
    def unsent(self) -> int:
        """How many orders are unsent now; the trader types this number."""
        return len(self.orders) + self.run.staged

    @property
    def going(self) -> tuple[WorkingOrder, ...]:
        """The orders that would go."""
        return tuple(order for order in self.orders if order.client_id not in self.barred)

    @property
    def drift_bps(self) -> int | None:
        """How far the price has moved since the run was confirmed or last gone on with."""
        return moved_bps(self.run.priced_paise or 0, self.last_paise) if 1 in self.prices else None

    @property
    def blocked_paise(self) -> int:
        """What the unsent orders keep blocked now."""
        return sum(order.blocked_paise for order in self.orders)

    @property
    def need_paise(self) -> int:
        """What those that go would keep blocked."""
        return sum(
            order.need_with(order.quantity, self.prices[order.leg].reserve_paise).money
            for order in self.going
        )

    @property
    def barred_by_reason(self) -> dict[Reason, int]:
        """How many clients each reason keeps out."""
        return dict(Counter(refusal.reason for refusal in self.barred.values()))

    @property
    def answer(self) -> str:
        """What the trader types to go on."""
        return f"send {self.unsent}"


def look(
    connection: On,
    number: int,
    plan: Plan,
    plans: Plans,
    kept: Kept,
    timing: Timing,
    engine: ThisEngine,
    index: InstrumentIndex,
    rules: Rules,
) -> Prospect:
    """What going on with a run would do now, for the trader to read, and inside a `Unit` to be done.

    Raises `BadInput` for an unknown run, `Halted` or a `CannotGoOn` where nothing of it may go on.
    """
    run = read_runs(connection, [number]).get(number)
    if run is None:
        raise BadInput("run", number, "no run has this number")
    _check_run(connection, run, timing, engine)
    waiting = tuple(ORDERS.unsent_of_run(connection, number))
    sending, _ = of_state(connection, number, OrderState.SENDING)
    if sending:
        raise refusals.BeingSent(number, sending)
    if not waiting and not run.staged:
        raise refusals.NothingUnsent(number)
    halts = kept.book.seen(read_halts(connection))
    staged = {line.leg for line in waiting_lines(connection, number)} if run.staged else set[int]()
    known, prices, barred = {part.leg for part in plan.parts}, dict[int, LegPrice](), dict[int, LineRefusal]()
    for order in waiting:
        if order.leg not in known:
            raise refusals.NotAsPlanned(run.number, order.id, plan.number)
    for part in plan.parts:
        of_leg = tuple(order for order in waiting if order.leg == part.leg)
        if not of_leg and part.leg not in staged:
            continue
        _check_market(run, part, of_leg, halts, kept.halt_file, timing, index)
        _check_planned(run, part, of_leg)
        clients = {order.client_id for order in of_leg}
        had = _had(connection, run, part, timing.wall, engine, rules)
        inputs = _inputs(number, part, clients, had.keys(), plans, kept.book, index)
        if (closed := market_refusal(part.intent, inputs)) is not None and closed.reason is not (
            Reason.OUTSIDE_PRICE_BAND
        ):
            raise refusals.MarketTakesNone(number, closed.why)
        price = PlanContext(part.intent, inputs, {}).reserve_price_paise
        phase = None if part.intent.after_market else inputs.phase_kind
        band = inputs.lower_circuit_paise, inputs.upper_circuit_paise
        prices[part.leg] = LegPrice(inputs.last_paise, price, phase, *band, inputs.priced_by or "")
        found = _barred(connection, part, of_leg, inputs, price, halts, had, kept.book)
        barred = found | barred
    barred |= {c: r for c, r in _cannot_pay(connection, waiting, prices).items() if c not in barred}
    age_s = run_age_s(run, timing.wall, engine, timing.wall.now())
    return Prospect(run, plan, age_s, prices, waiting, barred)


def _check_run(connection: On, run: RunRow, timing: Timing, engine: ThisEngine) -> None:
    if run.finished_at is not None or run.status not in (RunStatus.PAUSED, RunStatus.RUNNING):
        raise refusals.RunOver(run.number)
    if run.status is RunStatus.RUNNING:
        raise refusals.NotPaused(run.number)
    if run.instance_id == engine.id or not engine.lives(run.instance_id):
        return
    (owner,) = owners(connection, [run.instance_id])
    frozen, now = Frozen(owner.heartbeat_at, owner.kind, owner.pid), timing.wall.now()
    if (silent_s := (now - frozen.since).total_seconds()) > timing.waits.frozen_after_s:
        raise refusals.EngineFrozen(run.number, frozen.kind, frozen.pid, silent_s)
    raise refusals.EngineLives(run.number, owner.kind, owner.pid)


def _check_market(
    run: RunRow,
    plan: Plan,
    orders: tuple[WorkingOrder, ...],
    halts: list[HaltView],
    halt_file: Path,
    timing: Timing,
    index: InstrumentIndex,
) -> None:
    """Whether the desk and the session let any of it go. Raises `Halted` or a `CannotGoOn`."""
    halt = next((halt for halt in halts if halt.stops_desk), None)
    if halt is not None or halt_file_stands(halt_file):
        raise refusals.Halted(halt.number if halt else None, halt.by if halt else "")
    if now := renamed_to(index, plan.instrument):
        raise refusals.RunRenamed(run.number, plan.number, plan.instrument.key, now)
    awaited, day = timing.awaited_day(), timing.market.trading_day
    if not may_be_sent(plan.intent.after_market, plan.trading_day, day, awaited):
        raise refusals.RunSessionOver(run.number)
    until = timing.intraday_end_of(plan.instrument.fno, {order.broker for order in orders})
    ended = until is not None and timing.market.now() >= until and not plan.intent.after_market
    within_day = any(order.product == Product.MIS for order in orders)
    if plan.intent.side is Side.BUY and within_day and ended:
        raise refusals.RunIntradayOver(run.number, plan.instrument.key)


def _check_planned(run: RunRow, plan: Plan, orders: tuple[WorkingOrder, ...]) -> None:
    """Whether the orders are still what was confirmed: the plan's digest holds its lines, nothing the rows.

    Raises `NotAsPlanned` at the first that is not.
    """
    intent = plan.intent
    prices = (intent.limit_paise, intent.trigger_paise, intent.disclosed_quantity)
    terms = (plan.instrument.key, intent.side, intent.order_type, *prices)
    planned = {
        (line.client_id, line.product, place): quantity
        for line in plan.ok_lines
        for place, quantity in enumerate(plan.slices(line), start=1)
    }
    for order in orders:
        has = (order.key, order.side, order.order_type, order.limit_paise, order.trigger_paise)
        has = (*has, order.disclosed_quantity)
        quantity = planned.get((order.client_id, order.product, order.slice))
        if has != terms or order.quantity != quantity:
            raise refusals.NotAsPlanned(run.number, order.id, plan.number)


def _had(
    connection: On, run: RunRow, plan: Plan, clock: Clock, engine: ThisEngine, rules: Rules
) -> dict[int, int]:
    """Clients whom another run has served with the same intent meanwhile, with that run."""
    if plan.intent.again:
        return {}
    return same_intent(connection, plan.intent, plan.instrument, clock, engine, rules, run.number)


def _inputs(
    number: int,
    plan: Plan,
    client_ids: set[int],
    had: Collection[int],
    plans: Plans,
    book: Book,
    index: InstrumentIndex,
) -> PlanInputs:
    """What the plan would be made from now, under its own policy and protection."""
    instrument = index.get(plan.instrument.key) or plan.instrument
    clients = [book.clients[client_id] for client_id in sorted(client_ids)]
    try:
        inputs = plans.inputs_now(plan.intent, instrument, clients, had)
    except BadInput as problem:
        raise refusals.NotPlannable(number, problem) from problem
    return replace(inputs, policy=plan.policy, protection_bps=plan.protection_bps)


def _barred(
    connection: On,
    plan: Plan,
    orders: tuple[WorkingOrder, ...],
    inputs: PlanInputs,
    price_paise: int,
    halts: list[HaltView],
    had: Mapping[int, int],
    book: Book,
) -> dict[int, LineRefusal]:
    """Why the orders of a client may not go, for each client of whom that is so."""
    clients = {client.client_id: client for client in inputs.clients}
    breaks = read_breaks(connection, clients)
    most = slice_quantity(price_paise, inputs)
    band = _off_the_band(plan, inputs)
    barred: dict[int, LineRefusal] = {}
    for order in orders:
        client = replace(
            clients[order.client_id],
            halt=strength_of(covering(halts, book.clients[order.client_id], plan.instrument.key)),
            reduce_only=bool(breaks.get(order.client_id)),
        )
        refusal = client_refusal(client, plan.intent.side) or band
        refusal = refusal or listing_refusal(client, inputs.instrument, plan.intent.side)
        refusal = refusal or _order_refusal(plan, client, order)
        if refusal is None and client.client_id in had:
            refusal = LineRefusal(Reason.DUPLICATE_INTENT, (SentBefore(had[client.client_id]),))
        if refusal is None and order.quantity > most:
            refusal = LineRefusal(Reason.OVER_ORDER_LIMIT, (SliceTooLarge(order.quantity),))
        if refusal is not None:
            barred[client.client_id] = refusal
    return barred


def _order_refusal(plan: Plan, client: ClientInput, order: WorkingOrder) -> LineRefusal | None:
    if plan.intent.side is Side.BUY:
        return product_refusal(plan.instrument, Side.BUY, order.product, client)
    return authorisation_refusal(client, order.product, order.quantity)


def _off_the_band(plan: Plan, inputs: PlanInputs) -> LineRefusal | None:
    """Whether the price is one that the exchange takes today; one that waits for a session is not asked."""
    if plan.intent.after_market:
        return None
    priced = plan.intent.order_type in (OrderType.LIMIT, OrderType.SL)
    price = plan.intent.limit_paise if priced else inputs.last_paise
    lower, upper = inputs.lower_circuit_paise, inputs.upper_circuit_paise
    if price is None or not ((upper and price > upper) or price < lower):
        return None
    return LineRefusal(Reason.OUTSIDE_PRICE_BAND, (OffBand(lower, upper),))


def _cannot_pay(
    connection: On, orders: tuple[WorkingOrder, ...], prices: Mapping[int, LegPrice]
) -> dict[int, LineRefusal]:
    """Clients whose money or MTF limit does not carry what their orders need more."""
    asks = asks_of(orders, prices)
    lacking: dict[int, LineRefusal] = {}
    for client_id, available, room in room_of(connection, asks.keys()):
        more, loan = asks[client_id]
        if available < more:
            short = more - available
            lacking[client_id] = LineRefusal(Reason.INSUFFICIENT_FUNDS, (AtPriceNow(),), short)
        elif loan and loan > room:
            lacking[client_id] = LineRefusal(Reason.MTF_LIMIT, (AtPriceNow(),), loan - room)
    return lacking


def asks_of(orders: tuple[WorkingOrder, ...], prices: Mapping[int, LegPrice]) -> dict[int, tuple[int, int]]:
    """By client, the money and loan room that its orders need beyond what they have blocked."""
    asks: dict[int, tuple[int, int]] = {}
    for order in orders:
        money, loan, _ = order.need_with(order.quantity, prices[order.leg].reserve_paise)
        more = max(0, money - order.blocked_paise)
        more_loan = max(0, loan - order.mtf_reserved_paise)
        if more or more_loan:
            before = asks.get(order.client_id, (0, 0))
            asks[order.client_id] = (before[0] + more, before[1] + more_loan)
    return asks
