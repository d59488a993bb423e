"""One order of a plan's line, with what it blocks, and what the audit is told of it."""

from collections.abc import Sequence

from data.audit import AuditAction, AuditEntry
from data.json_values import JsonObject
from data.money import BPS
from data.store import Unit
from data.vocabulary import OrderType, Side
from engine.booking.order import WorkingOrder
from engine.booking.states import born
from engine.booking.working_set import touch
from engine.planning.plan import Plan, PlanLine

PROTECTED = (OrderType.MARKET, OrderType.SL_M)
"""Order types that are sent with market protection."""


def order_of_line(
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


def tell_reserved(
    unit: Unit, order: WorkingOrder, ref: str, actor: str, consents: Sequence[int] = ()
) -> None:
    """Say in the audit what an order has blocked, or why it was denied.

    `ref` is the instruction that it is made on, `consents` the numbers of what covers it of the register.
    """
    details: JsonObject = (
        {"blocked_paise": order.blocked_paise} if order.live else {"reason": order.reason_code}
    )
    if order.disclosed_quantity:
        details["disclosed_quantity"] = order.disclosed_quantity
    if ref:
        details["ref"] = ref
    if consents:
        details["consents"] = list(consents)
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
