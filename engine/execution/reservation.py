"""Writing a run: its orders and what they reserve, in the one transaction that comes before any send."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from data.audit import AuditAction, AuditEntry
from data.clock import Clock
from data.ledger import free_loans_and_shares, post, reserve_money, reserve_shares
from data.records import replace
from data.repositories.accounts.balances import standing_of
from data.repositories.trading import runs
from data.repositories.trading.runs import Begun, LegConditions
from data.store import Unit
from data.vocabulary import (
    BreakKind,
    HaltStrength,
    PerClient,
    Reason,
    RunStatus,
    Side,
)
from engine.access.at_door import ConsentsAtDoor
from engine.book.book import Book
from engine.book.halt_scope import HaltView, covered, covering, strength_of
from engine.book.reading import barred_clients, read_breaks, read_halts, read_lifted
from engine.book.views import ClientView
from engine.booking.order import WorkingOrder
from engine.booking.states import OrderEvent
from engine.booking.stored import ORDERS
from engine.booking.working_set import blocking
from engine.events import TapeLine
from engine.execution.later import keep_for_later
from engine.execution.ordering import order_of_line, tell_reserved
from engine.execution.rotation import PartLine, Rotation
from engine.instances import ThisEngine
from engine.news import RunBegan
from engine.planning.duplicates import run_words, same_intent
from engine.planning.plan import Plan
from engine.refusals import AlreadyRun, DuplicateIntent, HaltedMeanwhile
from engine.rules import Rules

NOBODYS = 0
"""In the place of an engine's number: a run of all desks, each of which sends what is its clients'."""

Slot: TypeAlias = tuple[int, int]
"""A client in a leg."""


def _slot(order: WorkingOrder) -> Slot:
    return order.client_id, order.leg


def reserve(
    unit: Unit,
    plan: Plan,
    rotation: Rotation,
    book: Book,
    clock: Clock,
    engine: ThisEngine,
    rules: Rules,
) -> tuple[int, list[int]]:
    """Write a run with its orders and reserve for all of them, in the caller's one transaction.

    Returns the run's number and the orders to send, as the rotation orders them, sliced as the plan says.
    Lines of a later stage are kept for their turn (`stages.py`). A client whose money or shares have gone
    since the plan gets DENIED orders: of all its legs, or where they go in order of that leg. So does one
    that is not traded for any more or whose consent is missing, one whom another run has served with the same
    intent, and in a buy one with a fact not booked. Raises `DuplicateIntent` where every client was served.
    """
    assert plan.number is not None, "only a stored plan is carried out"
    if runs.of_plan(unit, plan.number) is not None:
        raise AlreadyRun(plan.number)
    halts = book.seen(read_halts(unit))
    if any(halt.stops_desk for halt in halts):
        raise HaltedMeanwhile
    lines = [one for one in rotation.lines if one[0].stage == 0]
    had = served_before(unit, plan, lines, clock, engine, rules)
    number = unit.take_ids("run", 1)[0]
    orders, consents = make_orders(unit, plan, number, lines, had, book, engine.id)
    going = [order for order in orders if order.live]
    begin_run(unit, plan, rotation, number, engine, rules)
    unit.touched.runs.add(number)
    staged = keep_for_later(unit, plan, number)
    keep_orders(unit, orders)
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
                "first": next((line.code for _, line in lines), ""),
                "rotation_seed": rotation.seed,
                "rotation_start": rotation.start,
                **({"staged": staged} if staged else {}),
            },
        )
    )
    tell_orders(unit, orders, lines, engine.actor, consents)
    orders_to_come = len(going) + staged
    unit.publish(TapeLine(unit.now, RunBegan(number, plan.title, orders_to_come, len(plan.skipped_lines))))
    return number, [order.id for order in going]


def make_orders(
    unit: Unit,
    plan: Plan,
    number: int,
    lines: Sequence[PartLine],
    had: Mapping[Slot, int],
    book: Book,
    instance_id: int,
) -> tuple[list[WorkingOrder], ConsentsAtDoor]:
    """The orders of a run's lines, reserved for by the guarded statements; those that were not are DENIED.

    `had` are slots that another run has served, `instance_id` is whose they are to send. They are not kept
    yet.
    """
    assert plan.number is not None, "only a stored plan is carried out"
    halts = read_halts(unit)
    sliced = [(part, line, *one) for part, line in lines for one in enumerate(part.slices(line), start=1)]
    ids = unit.take_ids("order", len(sliced)) if sliced else range(0)
    orders = [
        order_of_line(unit, plan.number, part, line, quantity, order_id, number, place, instance_id)
        for order_id, (part, line, place, quantity) in zip(ids, sliced, strict=True)
    ]
    consents = ConsentsAtDoor(unit, {order.client_id for order in orders}, book, plan.trading_day)
    barred = dict.fromkeys(had, Reason.DUPLICATE_INTENT) | _barred(unit, orders, halts, consents, book)
    _block(unit, plan, orders, barred)
    for order in orders if had else ():
        if order.reason_code == Reason.DUPLICATE_INTENT:
            same = {run for (client_id, _), run in had.items() if client_id == order.client_id}
            order.reason_text = f"the same as {run_words(same)}"
    return orders, consents


def keep_orders(unit: Unit, orders: Sequence[WorkingOrder]) -> None:
    """Write orders of a run that stands, with what they have reserved."""
    ORDERS.insert(unit, orders)
    post(
        unit, [blocking(order, order.blocked_paise, reserved=True) for order in orders if order.blocked_paise]
    )


def tell_orders(
    unit: Unit,
    orders: Sequence[WorkingOrder],
    lines: Sequence[PartLine],
    actor: str,
    consents: ConsentsAtDoor,
) -> None:
    """Tell the audit of orders as they were made of lines."""
    refs = {(line.client_id, part.leg): line.ref for part, line in lines}
    for order in orders:
        tell_reserved(unit, order, refs[_slot(order)], actor, consents.covering(order.client_id))


def begin_run(
    unit: Unit,
    plan: Plan,
    rotation: Rotation,
    number: int,
    engine: ThisEngine,
    rules: Rules,
    status: RunStatus = RunStatus.RUNNING,
) -> None:
    """Write a run with the conditions of its legs; one that is reserved in shards is no engine's own."""
    further = [
        LegConditions(
            number,
            part.leg,
            part.drift_limit_bps,
            part.last_paise or None,
            part.priced_by or "",
            *_market_of(part),
        )
        for part in plan.further
    ]
    whose = NOBODYS if status is RunStatus.RESERVING else engine.id
    begun = replace(_run(unit, plan, rotation, number, engine, rules), status=status, instance_id=whose)
    runs.begin(unit, begun, further)


def _barred(
    unit: Unit,
    orders: Sequence[WorkingOrder],
    halts: list[HaltView],
    consents: ConsentsAtDoor,
    book: Book,
) -> dict[Slot, Reason]:
    """Which orders may not be reserved for, whatever their clients have: of several reasons the last counts.

    The books are asked once for all; who is named by none of the answers is looked at no further.
    """
    found: dict[Slot, Reason] = {}
    for order in orders if halts else ():
        if _is_halted(order, halts, book.clients[order.client_id]):
            found[_slot(order)] = Reason.HALTED
    not_traded = barred_clients(unit, {order.client_id for order in orders})
    buys = [order for order in orders if order.side is Side.BUY]
    unbooked = with_unbooked(unit, buys) if buys else set[int]()
    for order in orders if not_traded or unbooked or consents.lacks else ():
        of_client = order.client_id
        lacking = consents.barred(of_client, order.side, order.product)
        unknown = Reason.OPEN_BREAK if order.side is Side.BUY and of_client in unbooked else None
        reason = unknown or lacking or not_traded.get(of_client)
        if reason is not None:
            found[_slot(order)] = reason
    return found


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


def _market_of(part: Plan) -> tuple[str, int | None, int | None]:
    """In which phase and band a leg was confirmed; none of them for one that waits for a session."""
    if part.intent.after_market:
        return "", None, None
    return part.phase.value, part.lower_circuit_paise or None, part.upper_circuit_paise or None


def _run(unit: Unit, plan: Plan, rotation: Rotation, number: int, engine: ThisEngine, rules: Rules) -> Begun:
    assert plan.number is not None
    phase, lower, upper = _market_of(plan)
    return Begun(
        number=number,
        plan_number=plan.number,
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
        priced_by=plan.priced_by or "",
        phase=phase,
        lower_circuit_paise=lower,
        upper_circuit_paise=upper,
        rotation_seed=rotation.seed,
        rotation_start=rotation.start,
        confirmed_at=unit.now,
        started_at=unit.now,
    )


def served_before(
    unit: Unit, plan: Plan, lines: Sequence[PartLine], clock: Clock, engine: ThisEngine, rules: Rules
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
    if had and had.keys() == asked:
        raise DuplicateIntent(set(had.values()))
    return had


def with_unbooked(unit: Unit, orders: list[WorkingOrder]) -> set[int]:
    """Clients of whom something the broker told could not be booked."""
    standing = read_breaks(unit, {order.client_id for order in orders})
    return {c for c, found in standing.items() if any(one.kind is BreakKind.FACT for one in found)}


def _block(unit: Unit, plan: Plan, orders: list[WorkingOrder], barred: Mapping[Slot, Reason]) -> None:
    """Reserve for all orders in guarded statements; those that were not served become DENIED.

    So do those that are barred, each for its reason. Where a client's legs go all or none, what bars or
    fails one of them is for all.
    """
    if plan.per_client is PerClient.IN_ORDER:
        for part in plan.parts:
            block_together(unit, [order for order in orders if order.leg == part.leg], barred, plan)
        return
    of_clients = {client_id: reason for (client_id, _), reason in barred.items()}
    together = [order for order in orders if order.client_id in of_clients] if of_clients else ()
    block_together(unit, orders, {_slot(one): of_clients[one.client_id] for one in together}, plan)


def block_together(unit: Unit, orders: list[WorkingOrder], barred: Mapping[Slot, Reason], plan: Plan) -> None:
    """Reserve for orders of which a client's stand or fall together: shares first, then money."""
    asking = [order for order in orders if _slot(order) not in barred]
    sells = [order for order in asking if order.side is Side.SELL]
    without_shares, freeing = _block_shares(unit, plan, sells)
    buys = [order for order in asking if order.side is Side.BUY and order.client_id not in without_shares]
    without_money = _block_money(unit, buys)
    if not (barred or without_shares or without_money):
        return
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
