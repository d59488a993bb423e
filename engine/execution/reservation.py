"""Writing a run: its orders and what they reserve, in the one transaction that comes before any send."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from data.audit import AuditAction, AuditEntry
from data.clock import Clock
from data.json_values import JsonObject
from data.ledger import free_loans_and_shares, post, reserve_money, reserve_shares
from data.money import BPS
from data.repositories.accounts.balances import standing_of
from data.repositories.trading import runs
from data.repositories.trading.runs import Begun, LegConditions
from data.store import Unit
from data.vocabulary import (
    BreakKind,
    HaltStrength,
    OrderType,
    PerClient,
    Reason,
    RunStatus,
    Side,
)
from engine.book.book import Book
from engine.book.halt_scope import covered, covering, strength_of
from engine.book.reading import barred_clients, read_breaks, read_halts, read_lifted
from engine.book.views import ClientView, HaltView
from engine.booking.order import WorkingOrder
from engine.booking.states import OrderEvent, born
from engine.booking.stored import ORDERS
from engine.booking.working_set import blocking, touch
from engine.events import TapeLine
from engine.instances import ThisEngine
from engine.news import RunBegan
from engine.planning.duplicates import run_words, same_intent
from engine.planning.plan import Plan, PlanLine
from engine.refusals import AlreadyRun, DuplicateIntent, HaltedMeanwhile
from engine.rules import Rules

PROTECTED = (OrderType.MARKET, OrderType.SL_M)
"""Order types that are sent with market protection."""


PartLine: TypeAlias = tuple[Plan, PlanLine]
"""A line with the plan of its leg."""

Slot: TypeAlias = tuple[int, int]
"""A client in a leg."""


def _slot(order: WorkingOrder) -> Slot:
    return order.client_id, order.leg


def reserve(
    unit: Unit,
    plan: Plan,
    lines: Iterable[PartLine],
    book: Book,
    clock: Clock,
    engine: ThisEngine,
    rules: Rules,
) -> tuple[int, list[int]]:
    """Write a run with its orders and reserve for all of them, in the caller's one transaction.

    Returns the run's number and the orders to send, in the order of `lines`, sliced as the plan says. All
    legs are of the one stage that there is. A client whose money or shares have gone since the plan gets
    DENIED orders: of all its legs, or where they go in order of that leg. So does one that is not traded
    for any more, one whom another run has served with the same intent, and in a buy one with a fact not
    booked. Raises `DuplicateIntent` where every client was served.
    """
    assert plan.number is not None, "only a stored plan is carried out"
    if runs.of_plan(unit, plan.number) is not None:
        raise AlreadyRun(plan.number)
    halts = read_halts(unit)
    if any(halt.stops_desk for halt in halts):
        raise HaltedMeanwhile
    lines = list(lines)
    had = _had(unit, plan, lines, clock, engine, rules)
    number = unit.take_ids("run", 1)[0]
    sliced = [(part, line, *one) for part, line in lines for one in enumerate(part.slices(line), start=1)]
    ids = unit.take_ids("order", len(sliced))
    orders = [
        _order(unit, plan.number, part, line, quantity, order_id, number, place, engine.id)
        for order_id, (part, line, place, quantity) in zip(ids, sliced, strict=True)
    ]
    clients = book.clients
    halted = {_slot(order) for order in orders if _is_halted(order, halts, clients[order.client_id])}
    barred = dict.fromkeys(had, Reason.DUPLICATE_INTENT) | dict.fromkeys(halted, Reason.HALTED)
    not_traded = barred_clients(unit, {order.client_id for order in orders})
    barred |= {_slot(one): not_traded[one.client_id] for one in orders if one.client_id in not_traded}
    if buys := [order for order in orders if order.side is Side.BUY]:
        unbooked = _with_unbooked(unit, buys)
        barred |= {_slot(order): Reason.OPEN_BREAK for order in buys if order.client_id in unbooked}
    _block(unit, plan, orders, barred)
    going = [order for order in orders if order.live]
    for order in orders:
        if order.reason_code == Reason.DUPLICATE_INTENT:
            same = {run for (client_id, _), run in had.items() if client_id == order.client_id}
            order.reason_text = f"the same as {run_words(same)}"
    further = [
        LegConditions(number, part.leg, part.drift_limit_bps, part.last_paise or None)
        for part in plan.further
    ]
    runs.begin(unit, _run(unit, plan, plan.number, number, engine, rules), further)
    ORDERS.insert(unit, orders)
    post(
        unit, [blocking(order, order.blocked_paise, reserved=True) for order in orders if order.blocked_paise]
    )
    unit.audit(
        AuditEntry(
            AuditAction.RUN_STARTED,
            engine.actor,
            plan_number=plan.number,
            run_number=number,
            details={
                "title": plan.title,
                "digest": plan.digest,
                "orders": len(going),
                "denied": len(orders) - len(going),
                "skipped": len(plan.skipped_lines),
                "first": lines[0][1].code,
            },
        )
    )
    refs = {(line.client_id, part.leg): line.ref for part, line in lines}
    for order in orders:
        _tell(unit, order, refs[_slot(order)], engine.actor)
    unit.publish(TapeLine(unit.now, RunBegan(number, plan.title, len(going), len(plan.skipped_lines))))
    return number, [order.id for order in going]


def check_not_halted_since(unit: Unit, plan: Plan, newest_halt: int, book: Book) -> None:
    """Refuse a plan of whose lines one was under a halt that came after its confirmation and was resumed.

    Raises `HaltedMeanwhile`; of halts that stand `reserve` says what goes.
    """
    later = [halt for halt in read_lifted(unit) if halt.number > newest_halt]
    for part in plan.parts if later else ():
        key = part.instrument.key
        if any(covered(later, book.clients[line.client_id], key) for line in part.ok_lines):
            raise HaltedMeanwhile


def _is_halted(order: WorkingOrder, halts: list[HaltView], client: ClientView) -> bool:
    """Whether halts stop an order; a sale that they let reduce is looked at again before it leaves."""
    strength = strength_of(covering(halts, client, order.key))
    return strength is HaltStrength.ALL or (strength is HaltStrength.REDUCE and order.side is Side.BUY)


def _run(unit: Unit, plan: Plan, plan_number: int, number: int, engine: ThisEngine, rules: Rules) -> Begun:
    return Begun(
        number=number,
        plan_number=plan_number,
        title=plan.title,
        status=RunStatus.RUNNING,
        actor=engine.actor,
        instance_id=engine.id,
        skipped=len(plan.skipped_lines),
        left_paise=plan.left_paise,
        cut_paise=plan.cut_paise,
        send_within_s=plan.send_within_s or round(rules.send_at_least_s),
        drift_limit_bps=plan.drift_limit_bps,
        priced_paise=plan.last_paise or None,
        confirmed_at=unit.now,
        started_at=unit.now,
    )


def _tell(unit: Unit, order: WorkingOrder, ref: str, actor: str) -> None:
    details: JsonObject = (
        {"blocked_paise": order.blocked_paise} if order.live else {"reason": order.reason_code}
    )
    if order.disclosed_quantity:
        details["disclosed_quantity"] = order.disclosed_quantity
    if ref:
        details["ref"] = ref
    unit.audit(
        AuditEntry(
            AuditAction.ORDER_RESERVED if order.live else AuditAction.ORDER_DENIED,
            actor,
            order.client_id,
            order.id,
            order.plan_number,
            order.run_number,
            {"quantity": order.quantity, **details},
        )
    )
    touch(unit, order)


def _had(
    unit: Unit, plan: Plan, lines: list[PartLine], clock: Clock, engine: ThisEngine, rules: Rules
) -> dict[Slot, int]:
    """Whom another run has served with a leg's intent, with that run; nobody if the plan says again.

    Raises `DuplicateIntent` where that is every client in every leg.
    """
    if plan.intent.again:
        return {}
    asked = {(line.client_id, part.leg) for part, line in lines}
    had: dict[Slot, int] = {}
    for part in plan.parts:
        found = same_intent(unit, part.intent, part.instrument, clock, engine, rules)
        had |= {(client_id, part.leg): run for client_id, run in found.items()}
    had = {slot: run for slot, run in had.items() if slot in asked}
    if had.keys() == asked:
        raise DuplicateIntent(set(had.values()))
    return had


def _with_unbooked(unit: Unit, orders: list[WorkingOrder]) -> set[int]:
    """Clients of whom something the broker told could not be booked."""
    standing = read_breaks(unit, {order.client_id for order in orders})
    return {c for c, found in standing.items() if any(one.kind is BreakKind.FACT for one in found)}


def _order(
    unit: Unit,
    plan_number: int,
    plan: Plan,
    line: PlanLine,
    quantity: int,
    order_id: int,
    run_number: int,
    place: int,
    instance_id: int,
) -> WorkingOrder:
    """One order of a line of a plan's leg, with what it needs counted as blocked."""
    instrument, intent = plan.instrument, plan.intent
    margin = instrument.margin_bps(line.product) if intent.side is Side.BUY else BPS
    order = WorkingOrder(
        id=order_id,
        client_id=line.client_id,
        run_number=run_number,
        plan_number=plan_number,
        broker=line.broker,
        exchange=instrument.exchange,
        tradingsymbol=instrument.tradingsymbol,
        security=instrument.security,
        side=intent.side,
        product=line.product,
        order_type=intent.order_type,
        validity=intent.validity,
        quantity=quantity,
        limit_paise=intent.limit_paise,
        trigger_paise=intent.trigger_paise,
        reserve_price_paise=plan.reserve_price_paise,
        margin_bps=BPS if margin is None else margin,
        policy=plan.policy,
        state=born(),
        instance_id=instance_id,
        trading_date=plan.trading_day,
        created_at=unit.now,
        updated_at=unit.now,
        leg=plan.leg,
        slice=place,
        after_market=intent.after_market,
        disclosed_quantity=intent.disclosed_quantity,
        protection_bps=plan.protection_bps if intent.order_type in PROTECTED else None,
    )
    order.block(*order.need())
    return order


def _block(unit: Unit, plan: Plan, orders: list[WorkingOrder], barred: Mapping[Slot, Reason]) -> None:
    """Reserve for all orders in guarded statements; those that were not served become DENIED.

    So do those that are barred, each for its reason. Where a client's legs go all or none, what bars or
    fails one of them is for all.
    """
    if plan.per_client is PerClient.IN_ORDER:
        for part in plan.parts:
            _block_together(unit, [order for order in orders if order.leg == part.leg], barred, plan)
        return
    of_clients = {client_id: reason for (client_id, _), reason in barred.items()}
    together = {_slot(order): of_clients.get(order.client_id) for order in orders}
    known = {slot: reason for slot, reason in together.items() if reason is not None}
    _block_together(unit, orders, known, plan)


def _block_together(
    unit: Unit, orders: list[WorkingOrder], barred: Mapping[Slot, Reason], plan: Plan
) -> None:
    """Reserve for orders of which a client's stand or fall together: shares first, then money."""
    asking = [order for order in orders if _slot(order) not in barred]
    sells = [order for order in asking if order.side is Side.SELL]
    without_shares, freeing = _block_shares(unit, plan, sells)
    buys = [order for order in asking if order.side is Side.BUY and order.client_id not in without_shares]
    without_money = _block_money(unit, buys)
    free_loans_and_shares(
        unit, {}, {place: shares for place, shares in freeing.items() if place[0] in without_money}
    )
    for order in orders:
        reason = barred.get(_slot(order))
        if reason is None and order.client_id in without_shares:
            reason = _why_denied(unit, order.client_id, None)
        if reason is None and order.client_id in without_money:
            of_client = [one for one in buys if one.client_id == order.client_id]
            reason = _why_denied(unit, order.client_id, of_client)
        if reason is not None:
            order.apply(OrderEvent.DENY)
            order.say(reason.value, "")
            order.give_back()


def _block_money(unit: Unit, orders: list[WorkingOrder]) -> set[int]:
    """Reserve money and room for loans; returns the clients that were not served."""
    needs: dict[int, tuple[int, int]] = {}
    for order in orders:
        money, loan = needs.get(order.client_id, (0, 0))
        needs[order.client_id] = (money + order.blocked_paise, loan + order.mtf_reserved_paise)
    return needs.keys() - reserve_money(unit, needs)


def _block_shares(
    unit: Unit, plan: Plan, orders: list[WorkingOrder]
) -> tuple[set[int], dict[tuple[int, str, str], int]]:
    """Reserve shares; returns the clients that were not served, and what was reserved of the others.

    Of those not served nothing stays reserved.
    """
    only_settled = {part.instrument.security: part.instrument.trade_to_trade for part in plan.parts}
    wanted = Counter[tuple[int, str, str]]()
    for order in orders:
        wanted[order.client_id, order.security, order.product.value] += order.blocked_shares
    done = reserve_shares(
        unit,
        [(c, security, p, shares, only_settled[security]) for (c, security, p), shares in wanted.items()],
    )
    lost = {place[0] for place in wanted if place not in done}
    free_loans_and_shares(
        unit, {}, {place: shares for place, shares in wanted.items() if place in done and place[0] in lost}
    )
    return lost, {place: shares for place, shares in wanted.items() if place[0] not in lost}


def _why_denied(unit: Unit, client_id: int, buys: list[WorkingOrder] | None) -> Reason:
    """Why the guarded statement did not serve a client; `buys` are what it could not pay, None for shares."""
    available, room = standing_of(unit, client_id)
    if buys is None:
        return Reason.INSUFFICIENT_HOLDING
    payable = available >= sum(order.blocked_paise for order in buys)
    over = sum(order.mtf_reserved_paise for order in buys) > room
    return Reason.MTF_LIMIT if payable and over else Reason.INSUFFICIENT_FUNDS
