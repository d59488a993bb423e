"""What a run is planned as anew: once more, for what failed of it, or the opposite of what it filled."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence, Set

from data.errors import BadInput
from data.records import replace
from data.vocabulary import OrderState, PerClient, Product, Side, SizingKind, Validity
from engine.book.book import Book
from engine.book.views import OrderView
from engine.planning.intent import Intent, Leg, LineChange, Selection, Sizing
from engine.planning.plan import Plan
from engine.planning.selecting import narrowed
from engine.planning.sizing import whole_lots

Place = tuple[int, str]
"""A client and a security."""

REPAIR, REVERSE = "repair", "reverse"
"""What a run may be followed by, as the selection of that is titled."""

_FAILED = (OrderState.DENIED, OrderState.REJECTED, OrderState.NOT_RECEIVED)
"""States of orders that provably came to nothing."""


def titled(what: str, number: int) -> str:
    """How the clients of a run's repair or reversal are titled."""
    return f"{what} of run {number}"


async def followed_by(
    what: str, number: int, plan: Plan, book: Book, plan_of: Callable[[int], Awaitable[Plan]]
) -> list[OrderView]:
    """The orders of a run's earlier repairs or reversals, and of theirs in turn."""
    keys = {part.intent.key for part in plan.parts} | {one.key for one in _orders_of(number, book)}
    titles, orders = {titled(what, number)}, list[OrderView]()
    for later in sorted(one for one in book.runs if one > number):
        own = _orders_of(later, book)
        if keys.isdisjoint(order.key for order in own):
            continue
        if (await plan_of(later)).intent.selection.title in titles:
            titles.add(titled(what, later))
            orders += own
    return orders


def _orders_of(number: int, book: Book) -> list[OrderView]:
    return [book.orders[order_id] for order_id in book.orders_of_run.get(number, ())]


def again(plan: Plan, orders: Sequence[OrderView]) -> Intent:
    """What a run was planned as, with the symbols that the securities of its orders have now."""
    keys = {part.leg: _key_now(part, orders) for part in plan.parts}
    further = tuple(replace(leg, key=keys[place]) for place, leg in enumerate(plan.intent.further, start=2))
    return replace(plan.intent, key=keys[1], further=further)


def repair(
    number: int,
    plan: Plan,
    orders: Sequence[OrderView],
    before: Sequence[OrderView] = (),
    key: str | None = None,
) -> Intent | None:
    """The intent for what provably failed of a run or was skipped; None where nothing was.

    UNKNOWN, live and filled orders are left alone, and so is whom the orders of repairs `before` have served.
    Of several legs each is repaired for its own clients, or those of `key` alone; what was dropped by hand
    stays out. Raises `BadInput` where no leg is of `key`.
    """
    parts = _parts_of(number, plan, orders, key)
    served = {(one.client_id, one.key) for one in before if one.state not in _FAILED or one.filled_quantity}
    if plan.in_legs:
        return _repair_legs(number, plan, parts, orders, served)
    retry = _to_retry(plan, orders, served)
    if not retry:
        return None
    kept = tuple(change for change in plan.intent.line_changes if change.client_id in retry)
    intent = replace(plan.intent, key=_key_now(plan, orders), line_changes=kept)
    return narrowed(intent, sorted(retry), titled(REPAIR, number))


def _to_retry(part: Plan, orders: Sequence[OrderView], served: Set[Place]) -> set[int]:
    """Clients of whom a leg's orders all failed, and whom its plan skipped, but for those served since."""
    key = _key_now(part, orders)
    orders = [one for one in orders if one.leg == part.leg]
    retry = {one.client_id for one in orders if one.state in _FAILED and not one.filled_quantity}
    retry |= {line.client_id for line in part.lines if not line.ok}
    retry -= {client_id for client_id, of in served if of == key}
    return retry - {one.client_id for one in orders if one.state not in _FAILED or one.filled_quantity}


def _repair_legs(
    number: int, plan: Plan, parts: Sequence[Plan], orders: Sequence[OrderView], served: Set[Place]
) -> Intent | None:
    again: list[tuple[Leg, list[LineChange]]] = []
    for part in parts:
        leg = plan.intent.legs[part.leg - 1]
        retry = _to_retry(part, orders, served) - {line.client_id for line in part.lines if line.dropped}
        changed = [change for change in part.intent.line_changes if change.client_id in retry]
        as_sized = retry - {change.client_id for change in changed}
        changed += [LineChange(client_id) for client_id in sorted(as_sized)]
        if changed:
            again.append((replace(leg, key=_key_now(part, orders)), changed))
    return plan.intent.listed_for(again, titled(REPAIR, number)) if again else None


def reverse(
    number: int,
    plan: Plan,
    orders: Sequence[OrderView],
    before: Sequence[OrderView] = (),
    key: str | None = None,
) -> Intent | None:
    """The opposite of what a run filled, at market, client by client; None where it filled no whole lot.

    What the orders of reversals `before` have turned back, or may still, is left out. Of several legs each is
    reversed for its own clients, whatever becomes of the others, or those of `key` alone. Raises `BadInput`
    where no leg is of `key`.
    """
    legs: list[tuple[Leg, list[LineChange]]] = []
    for part in _parts_of(number, plan, orders, key):
        if (turned := _reversed(part, [one for one in orders if one.leg == part.leg], before)) is not None:
            legs.append(turned)
    if not legs:
        return None
    if len(legs) > 1:
        turned_back = replace(
            plan.intent,
            per_client=PerClient.IN_ORDER,
            again=False,
            validity=Validity.DAY,
            after_market=False,
            model="",
        )
        return turned_back.listed_for(legs, titled(REVERSE, number))
    ((leg, changes),) = legs
    return Intent(
        side=leg.side,
        key=leg.key,
        sizing=leg.sizing,
        product=leg.product,
        selection=Selection(
            client_ids=tuple(change.client_id for change in changes), title=titled(REVERSE, number)
        ),
        line_changes=tuple(changes),
    )


def _reversed(
    part: Plan, orders: Sequence[OrderView], before: Sequence[OrderView]
) -> tuple[Leg, list[LineChange]] | None:
    """The opposite of a leg, with what each client traded of it in whole lots and has not turned back."""
    traded: dict[int, int] = defaultdict(int)
    products: dict[int, Product] = {}
    for order in orders:
        if order.filled_quantity:
            traded[order.client_id] += order.filled_quantity
            products[order.client_id] = order.product
    key = _key_now(part, orders)
    for order in before:
        if order.key == key and order.product is products.get(order.client_id):
            may = order.quantity if order.live else order.filled_quantity
            traded[order.client_id] -= -may if order.side is part.intent.side else may
    lot = part.instrument.lot_size
    filled = {c: lots for c, shares in traded.items() if (lots := whole_lots(max(0, shares), lot))}
    if not filled:
        return None
    leg = Leg(
        side=Side.SELL if part.intent.side is Side.BUY else Side.BUY,
        key=key,
        sizing=Sizing(SizingKind.FIXED_QUANTITY, max(filled.values())),
        product=part.intent.product or next(iter(products.values())),
    )
    return leg, [LineChange(c, quantity, products[c]) for c, quantity in sorted(filled.items())]


def _parts_of(number: int, plan: Plan, orders: Sequence[OrderView], key: str | None) -> Sequence[Plan]:
    """The legs of a run, or those of one security, which may be named as its plan had it."""
    if key is None:
        return plan.parts
    found = [part for part in plan.parts if key in (part.intent.key, _key_now(part, orders))]
    if not found:
        there = ", ".join(dict.fromkeys(part.instrument.tradingsymbol for part in plan.parts))
        raise BadInput("symbol", key.partition(":")[2], f"run {number} has no leg of it; it has {there}")
    return found


def _key_now(part: Plan, orders: Sequence[OrderView]) -> str:
    """What the security of a leg's orders is called now; its plan has the name of then."""
    return next((order.key for order in orders if order.leg == part.leg), part.intent.key)
