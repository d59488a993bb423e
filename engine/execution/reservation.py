"""Writing a run: its orders and what they reserve, in the one transaction that comes before any send."""

from collections import Counter
from collections.abc import Iterable, Mapping

from data.audit import AuditEntry
from data.clock import Clock
from data.ledger import free_memo, post, reserve_money, reserve_shares
from data.money import BPS
from data.repositories import runs
from data.repositories.balances import standing_of
from data.repositories.runs import Begun
from data.store import Unit
from data.vocabulary import (
    BreakKind,
    ClientStatus,
    HaltScope,
    OrderType,
    Reason,
    RunStatus,
    Side,
)
from engine.book.book import Book
from engine.book.halt_scope import covered
from engine.book.reading import read_breaks, read_halts
from engine.booking.order import WorkingOrder
from engine.booking.states import OrderEvent, born
from engine.booking.stored import ORDERS
from engine.booking.working_set import blocking, touch
from engine.events import TapeLine
from engine.instances import ThisEngine
from engine.news import RunBegan
from engine.planning.duplicates import run_words, same_intent
from engine.planning.record import Plan, PlanLine
from engine.refusals import AlreadyRun, DuplicateIntent, Halted
from engine.rules import Rules

PROTECTED = (OrderType.MARKET, OrderType.SL_M)
"""Order types that are sent with market protection."""


def reserve(
    unit: Unit,
    plan: Plan,
    lines: Iterable[PlanLine],
    book: Book,
    clock: Clock,
    engine: ThisEngine,
    rules: Rules,
) -> tuple[int, list[int]]:
    """Write a run with its orders and reserve for all of them, in the caller's one transaction.

    Returns the run's number and the orders to send, in the order of `lines`, sliced as the plan says. A
    client whose money or shares have gone since the plan gets DENIED orders; its legs are all or nothing. So
    does one whom another run has served with the same intent, and in a buy one with a fact not booked. Raises
    `DuplicateIntent` where every client was served.
    """
    assert plan.number is not None, "only a stored plan is carried out"
    if runs.of_plan(unit, plan.number) is not None:
        raise AlreadyRun(f"plan {plan.number} was sent before; make a plan of its own to send again")
    halts = read_halts(unit)
    if any(halt.scope is HaltScope.EVERYTHING for halt in halts):
        raise Halted("the desk was halted before the plan could be sent")
    lines = list(lines)
    had = _had(unit, plan, lines, clock, engine, rules)
    number = unit.take_ids("run", 1)[0]
    sliced = [(line, *part) for line in lines for part in enumerate(plan.slices(line), start=1)]
    ids = unit.take_ids("order", len(sliced))
    orders = [
        _order(unit, plan, line, quantity, order_id, number, place, engine.id)
        for order_id, (line, place, quantity) in zip(ids, sliced, strict=True)
    ]
    clients, key = book.clients, plan.instrument.key
    halted = {order.client_id for order in orders if covered(halts, clients[order.client_id], key)}
    barred = dict.fromkeys(had, Reason.DUPLICATE_INTENT) | dict.fromkeys(halted, Reason.HALTED)
    if plan.intent.side is Side.BUY:
        barred |= dict.fromkeys(_with_unbooked(unit, orders), Reason.OPEN_BREAK)
    _block(unit, plan, orders, barred)
    going = [order for order in orders if order.live]
    for order in orders:
        if order.reason_code == Reason.DUPLICATE_INTENT:
            order.reason_text = f"the same as {run_words([had[order.client_id]])}"
    runs.begin(unit, _run(unit, plan, plan.number, number, engine, rules))
    ORDERS.insert(unit, orders)
    post(
        unit, [blocking(order, order.blocked_paise, reserved=True) for order in orders if order.blocked_paise]
    )
    unit.audit(
        AuditEntry(
            "RUN_STARTED",
            engine.actor,
            plan_number=plan.number,
            run_number=number,
            details={
                "title": plan.title,
                "digest": plan.digest,
                "orders": len(going),
                "denied": len(orders) - len(going),
                "skipped": len(plan.skipped_lines),
                "first": lines[0].code,
            },
        )
    )
    for order in orders:
        _tell(unit, order, engine.actor)
    unit.publish(TapeLine(unit.now, RunBegan(number, plan.title, len(going), len(plan.skipped_lines))))
    return number, [order.id for order in going]


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


def _tell(unit: Unit, order: WorkingOrder, actor: str) -> None:
    details = {"blocked_paise": order.blocked_paise} if order.live else {"reason": order.reason_code}
    unit.audit(
        AuditEntry(
            "ORDER_RESERVED" if order.live else "ORDER_DENIED",
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
    unit: Unit, plan: Plan, lines: list[PlanLine], clock: Clock, engine: ThisEngine, rules: Rules
) -> dict[int, int]:
    """Clients whom another run has served with the plan's intent, with that run; none if the plan says again.

    Raises `DuplicateIntent` where that is every client.
    """
    if plan.intent.again:
        return {}
    clients = {line.client_id for line in lines}
    found = same_intent(unit.connection, plan.intent, plan.instrument, clock, engine, rules)
    had = {client_id: run for client_id, run in found.items() if client_id in clients}
    if had.keys() == clients:
        raise DuplicateIntent(
            f"{run_words(set(had.values()))} sent the same within the last minute, or still does: "
            "nothing was sent; to send it once more, make a plan that says again"
        )
    return had


def _with_unbooked(unit: Unit, orders: list[WorkingOrder]) -> set[int]:
    """Clients of whom something the broker told could not be booked."""
    standing = read_breaks(unit, {order.client_id for order in orders})
    return {c for c, found in standing.items() if any(one.kind is BreakKind.FACT for one in found)}


def _order(
    unit: Unit,
    plan: Plan,
    line: PlanLine,
    quantity: int,
    order_id: int,
    run_number: int,
    place: int,
    instance_id: int,
) -> WorkingOrder:
    """One order of a line, with what it needs counted as blocked."""
    instrument, intent = plan.instrument, plan.intent
    margin = instrument.margin_bps(line.product) if intent.side is Side.BUY else BPS
    order = WorkingOrder(
        id=order_id,
        client_id=line.client_id,
        run_number=run_number,
        plan_number=plan.number,
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
        slice=place,
        after_market=intent.after_market,
        protection_bps=plan.protection_bps if intent.order_type in PROTECTED else None,
    )
    order.block(*order.need())
    return order


def _block(unit: Unit, plan: Plan, orders: list[WorkingOrder], barred: Mapping[int, Reason]) -> None:
    """Reserve for all orders in guarded statements; those of clients that were not served become DENIED.

    So do those of clients that are barred, each for its reason.
    """
    asking = [order for order in orders if order.client_id not in barred]
    buying = plan.intent.side is Side.BUY
    lost = _block_money(unit, asking) if buying else _block_shares(unit, plan, asking)
    for order in orders:
        reason = barred.get(order.client_id)
        if reason is None and order.client_id in lost:
            reason = _why_denied(unit, order)
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


def _block_shares(unit: Unit, plan: Plan, orders: list[WorkingOrder]) -> set[int]:
    """Reserve shares; returns the clients that were not served, of whom nothing stays reserved."""
    only_settled, security = plan.instrument.trade_to_trade, plan.instrument.security
    wanted = Counter[tuple[int, str]]()
    for order in orders:
        wanted[order.client_id, order.product.value] += order.blocked_shares
    done = reserve_shares(unit, [(c, security, p, shares, only_settled) for (c, p), shares in wanted.items()])
    lost = {client_id for client_id, product in wanted if (client_id, product) not in done}
    free_memo(unit, {}, {(c, security, p): wanted[c, p] for c, p in done if c in lost})
    return lost


def _why_denied(unit: Unit, order: WorkingOrder) -> Reason:
    """Why the guarded statement did not serve an order's client."""
    status, available, room = standing_of(unit, order.client_id)
    if status != ClientStatus.ACTIVE:
        return Reason.CLIENT_PENDING if status == ClientStatus.PENDING else Reason.CLIENT_INACTIVE
    if order.side is Side.SELL:
        return Reason.INSUFFICIENT_HOLDING
    payable = available >= order.blocked_paise
    return Reason.MTF_LIMIT if payable and order.mtf_reserved_paise > room else Reason.INSUFFICIENT_FUNDS
