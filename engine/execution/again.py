"""What a run is planned as anew: once more, for what failed of it, or the opposite of what it filled."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from data.vocabulary import OrderState, Product, Side, SizingKind
from engine.book.views import OrderView
from engine.planning.intent import Intent, LineChange, Selection, Sizing
from engine.planning.plan import Plan
from engine.planning.service import narrowed
from engine.planning.sizing import whole_lots
from engine.refusals import SeveralLegs

_FAILED = (OrderState.DENIED, OrderState.REJECTED, OrderState.NOT_RECEIVED)
"""States of orders that provably came to nothing."""


def again(plan: Plan, orders: Sequence[OrderView]) -> Intent:
    """What a run was planned as, with the symbols that the securities of its orders have now."""
    keys = {part.leg: _key_now(part, orders) for part in plan.parts}
    further = tuple(replace(leg, key=keys[place]) for place, leg in enumerate(plan.intent.further, start=2))
    return replace(plan.intent, key=keys[1], further=further)


def repair(number: int, plan: Plan, orders: Sequence[OrderView]) -> Intent | None:
    """The intent for what provably failed of a run or was skipped; None where nothing was.

    UNKNOWN, live and filled orders are left alone. Raises a `Refusal` for a plan of several legs.
    """
    _of_one_leg(number, plan)
    retry = {one.client_id for one in orders if one.state in _FAILED and not one.filled_quantity}
    retry |= {line.client_id for line in plan.skipped_lines}
    retry -= {one.client_id for one in orders if one.state not in _FAILED or one.filled_quantity}
    if not retry:
        return None
    kept = tuple(change for change in plan.intent.line_changes if change.client_id in retry)
    intent = replace(plan.intent, key=_key_now(plan, orders), line_changes=kept)
    return narrowed(intent, sorted(retry), f"repair of run {number}")


def reverse(number: int, plan: Plan, orders: Sequence[OrderView]) -> Intent | None:
    """The opposite of what a run filled, at market, client by client; None where it filled no whole lot.

    Raises a `Refusal` for a plan of several legs.
    """
    _of_one_leg(number, plan)
    traded: dict[int, int] = defaultdict(int)
    products: dict[int, Product] = {}
    for order in orders:
        if order.filled_quantity:
            traded[order.client_id] += order.filled_quantity
            products[order.client_id] = order.product
    lot = plan.instrument.lot_size
    filled = {c: lots for c, shares in traded.items() if (lots := whole_lots(shares, lot))}
    if not filled:
        return None
    return Intent(
        side=Side.SELL if plan.intent.side is Side.BUY else Side.BUY,
        key=_key_now(plan, orders),
        sizing=Sizing(SizingKind.FIXED_QUANTITY, max(filled.values())),
        product=plan.intent.product or next(iter(products.values())),
        selection=Selection(client_ids=tuple(sorted(filled)), title=f"reverse of run {number}"),
        line_changes=tuple(
            LineChange(client_id, quantity, products[client_id])
            for client_id, quantity in sorted(filled.items())
        ),
    )


def _key_now(part: Plan, orders: Sequence[OrderView]) -> str:
    """What the security of a leg's orders is called now; its plan has the name of then."""
    return next((order.key for order in orders if order.leg == part.leg), part.intent.key)


def _of_one_leg(number: int, plan: Plan) -> None:
    if plan.further:
        raise SeveralLegs(number, len(plan.parts))
