"""The shapes of modifies of many orders and of chases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from engine.words.refusals import refusal_words
from engine.words.trading.modify_words import line_words, wish_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.vocabulary import LimitTo, OrderState, Side
    from engine.desk import Desk
    from engine.execution.changes.bulk import ModifyEnd
    from engine.execution.changes.chases import Chase
    from engine.execution.changes.new_limits import ModifyLine, ModifyPlan


class ModifyLineShape(Struct, frozen=True):
    """One order of the list: what it would be, what that blocks more, or why it stays as it is."""

    order_id: int
    client_id: int
    code: str
    symbol: str
    side: Side
    quantity: int
    filled_quantity: int
    limit_paise: int | None
    new_limit_paise: int | None
    last_paise: int | None
    ok: bool
    why: str
    more_paise: int
    more_loan_paise: int
    more_shares: int
    short_paise: int


class ModifyPlanShape(Struct, frozen=True):
    """What a wish would do to many orders, problems first."""

    digest: str
    to: LimitTo
    value: int
    override: str
    title: str
    answer: str
    orders: int
    skipped: int
    more_paise: int
    lines: list[ModifyLineShape]


def modify_plan_shape(desk: Desk, plan: ModifyPlan) -> ModifyPlanShape:
    """The list in that shape."""
    return ModifyPlanShape(
        digest=plan.digest,
        to=plan.wish.to,
        value=plan.wish.value,
        override=plan.wish.override,
        title=wish_words(plan.wish),
        answer=plan.answer,
        orders=len(plan.going),
        skipped=len(plan.left),
        more_paise=plan.money_paise,
        lines=[_line_shape(desk, line) for line in plan.lines],
    )


def _line_shape(desk: Desk, line: ModifyLine) -> ModifyLineShape:
    order, needs = line.order, line.needs
    return ModifyLineShape(
        order_id=order.id,
        client_id=order.client_id,
        code=desk.clients.get(order.client_id).code,
        symbol=order.tradingsymbol,
        side=order.side,
        quantity=order.quantity,
        filled_quantity=order.filled_quantity,
        limit_paise=order.limit_paise,
        new_limit_paise=line.limit_paise,
        last_paise=line.last_paise,
        ok=line.ok,
        why=line_words(line),
        more_paise=needs.money_paise if needs else 0,
        more_loan_paise=needs.loan_paise if needs else 0,
        more_shares=needs.shares if needs else 0,
        short_paise=needs.short_paise if needs else 0,
    )


class ModifyEndShape(Struct, frozen=True):
    """How one order of a confirmed list ended: its request's state, or `REFUSED` where none was made."""

    order_id: int
    code: str
    request: int | None
    result: str
    detail: str
    limit_paise: int | None
    state: OrderState


def modify_ends_shape(desk: Desk, ends: Sequence[ModifyEnd]) -> list[ModifyEndShape]:
    """How each ended, in that shape."""
    return [
        ModifyEndShape(
            order_id=end.order.id,
            code=desk.clients.get(end.order.client_id).code,
            request=end.asked.number,
            result="REFUSED" if end.state is None else end.state.value,
            detail=refusal_words(end.asked.problem) if end.asked.problem else end.detail,
            limit_paise=end.order.limit_paise,
            state=end.order.state,
        )
        for end in ends
    ]


class ChaseShape(Struct, frozen=True):
    """One order that followed its market: why that ended or waits, null while it goes on."""

    order_id: int
    code: str
    bound_paise: int
    limit_paise: int | None
    moved: int
    most: int
    ended: str | None
    waits: str | None
    detail: str
    state: OrderState
    filled_quantity: int
    average_paise: int | None


def chase_shape(desk: Desk, chase: Chase) -> ChaseShape:
    """The chase in that shape."""
    order = desk.orders.get(chase.order_id)
    return ChaseShape(
        order_id=order.id,
        code=desk.clients.get(order.client_id).code,
        bound_paise=chase.bound_paise,
        limit_paise=order.limit_paise,
        moved=chase.pricing.moved,
        most=chase.pricing.most,
        ended=chase.end.value if chase.end else None,
        waits=chase.pause.why.value if chase.pause else None,
        detail=chase.detail,
        state=order.state,
        filled_quantity=order.filled_quantity,
        average_paise=order.average_paise,
    )
