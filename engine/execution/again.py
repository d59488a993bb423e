"""What a run is planned as anew: once more, for what failed of it, or the opposite of what it filled."""

from collections import defaultdict
from collections.abc import Sequence

from data.records import replace
from data.vocabulary import OrderState, PerClient, Product, Side, SizingKind, Validity
from engine.book.views import OrderView
from engine.planning.intent import Intent, Leg, LineChange, Selection, Sizing
from engine.planning.plan import Plan
from engine.planning.service import narrowed
from engine.planning.sizing import whole_lots

_FAILED = (OrderState.DENIED, OrderState.REJECTED, OrderState.NOT_RECEIVED)
"""States of orders that provably came to nothing."""


def again(plan: Plan, orders: Sequence[OrderView]) -> Intent:
    """What a run was planned as, with the symbols that the securities of its orders have now."""
    keys = {part.leg: _key_now(part, orders) for part in plan.parts}
    further = tuple(replace(leg, key=keys[place]) for place, leg in enumerate(plan.intent.further, start=2))
    return replace(plan.intent, key=keys[1], further=further)


def repair(number: int, plan: Plan, orders: Sequence[OrderView]) -> Intent | None:
    """The intent for what provably failed of a run or was skipped; None where nothing was.

    UNKNOWN, live and filled orders are left alone. Of several legs each is repaired for its own clients;
    what was dropped by hand stays out.
    """
    if plan.in_legs:
        return _repair_legs(number, plan, orders)
    retry = _to_retry(plan, orders)
    if not retry:
        return None
    kept = tuple(change for change in plan.intent.line_changes if change.client_id in retry)
    intent = replace(plan.intent, key=_key_now(plan, orders), line_changes=kept)
    return narrowed(intent, sorted(retry), f"repair of run {number}")


def _to_retry(part: Plan, orders: Sequence[OrderView]) -> set[int]:
    """Clients of whom a leg's orders all failed, and those whom its plan skipped."""
    orders = [one for one in orders if one.leg == part.leg]
    retry = {one.client_id for one in orders if one.state in _FAILED and not one.filled_quantity}
    retry |= {line.client_id for line in part.lines if not line.ok}
    return retry - {one.client_id for one in orders if one.state not in _FAILED or one.filled_quantity}


def _repair_legs(number: int, plan: Plan, orders: Sequence[OrderView]) -> Intent | None:
    again: list[tuple[Leg, list[LineChange]]] = []
    for leg, part in zip(plan.intent.legs, plan.parts, strict=True):
        retry = _to_retry(part, orders) - {line.client_id for line in part.lines if line.dropped}
        changed = [change for change in part.intent.line_changes if change.client_id in retry]
        as_sized = retry - {change.client_id for change in changed}
        changed += [LineChange(client_id) for client_id in sorted(as_sized)]
        if changed:
            again.append((replace(leg, key=_key_now(part, orders)), changed))
    return plan.intent.listed_for(again, f"repair of run {number}") if again else None


def reverse(number: int, plan: Plan, orders: Sequence[OrderView]) -> Intent | None:
    """The opposite of what a run filled, at market, client by client; None where it filled no whole lot.

    Of several legs each is reversed for its own clients, whatever becomes of the others.
    """
    legs: list[tuple[Leg, list[LineChange]]] = []
    for part in plan.parts:
        if (turned := _reversed(part, [one for one in orders if one.leg == part.leg])) is not None:
            legs.append(turned)
    if not legs:
        return None
    if plan.in_legs:
        turned_back = replace(
            plan.intent, per_client=PerClient.IN_ORDER, again=False, validity=Validity.DAY, after_market=False
        )
        return turned_back.listed_for(legs, f"reverse of run {number}")
    ((leg, changes),) = legs
    return Intent(
        side=leg.side,
        key=leg.key,
        sizing=leg.sizing,
        product=leg.product,
        selection=Selection(
            client_ids=tuple(change.client_id for change in changes), title=f"reverse of run {number}"
        ),
        line_changes=tuple(changes),
    )


def _reversed(part: Plan, orders: Sequence[OrderView]) -> tuple[Leg, list[LineChange]] | None:
    """The opposite of a leg, with what each client traded of it in whole lots."""
    traded: dict[int, int] = defaultdict(int)
    products: dict[int, Product] = {}
    for order in orders:
        if order.filled_quantity:
            traded[order.client_id] += order.filled_quantity
            products[order.client_id] = order.product
    lot = part.instrument.lot_size
    filled = {c: lots for c, shares in traded.items() if (lots := whole_lots(shares, lot))}
    if not filled:
        return None
    leg = Leg(
        side=Side.SELL if part.intent.side is Side.BUY else Side.BUY,
        key=_key_now(part, orders),
        sizing=Sizing(SizingKind.FIXED_QUANTITY, max(filled.values())),
        product=part.intent.product or next(iter(products.values())),
    )
    return leg, [LineChange(c, quantity, products[c]) for c, quantity in sorted(filled.items())]


def _key_now(part: Plan, orders: Sequence[OrderView]) -> str:
    """What the security of a leg's orders is called now; its plan has the name of then."""
    return next((order.key for order in orders if order.leg == part.leg), part.intent.key)
