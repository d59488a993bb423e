"""The shapes of orders, their changes, runs, and orders in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from engine.words.trading.runs import not_cancelled_words, run_why
from tradedesk.cli.views import values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from brokers.contract import BrokerOrder
    from data.vocabulary import (
        OrderState,
        OrderType,
        PauseReason,
        Product,
        RunCount,
        Side,
        Validity,
    )
    from engine.book.views import OrderView
    from engine.desk import Desk
    from engine.execution.changes.cancelled import CancelledOrder
    from engine.execution.life import RequestView
    from engine.execution.views import LegCounts, RunView


class OrderShape(Struct, frozen=True):
    """One order."""

    order_id: int
    client_id: int
    code: str
    symbol: str
    key: str
    side: Side
    product: Product
    order_type: OrderType
    state: OrderState
    sub_status: str
    reason_code: str
    reason_text: str
    tag: str | None
    broker_order_id: str | None
    quantity: int
    filled_quantity: int
    average_paise: int | None
    limit_paise: int | None
    trigger_paise: int | None
    validity: Validity
    after_market: bool
    modifying: bool
    blocked_paise: int
    run: int | None
    flatten: int | None
    leg: int
    plan: int | None
    flags: tuple[str, ...]
    trading_date: date
    created_at: datetime
    sent_at: datetime | None
    updated_at: datetime
    ended_at: datetime | None


def order_shape(desk: Desk, order: OrderView) -> OrderShape:
    """The order in that shape."""
    return OrderShape(
        order_id=order.id,
        client_id=order.client_id,
        code=desk.clients.get(order.client_id).code,
        symbol=order.tradingsymbol,
        key=order.key,
        side=order.side,
        product=order.product,
        order_type=order.order_type,
        state=order.state,
        sub_status=order.sub_status,
        reason_code=order.reason_code,
        reason_text=order.reason_text,
        tag=order.tag,
        broker_order_id=order.broker_order_id,
        quantity=order.quantity,
        filled_quantity=order.filled_quantity,
        average_paise=order.average_paise,
        limit_paise=order.limit_paise,
        trigger_paise=order.trigger_paise,
        validity=order.validity,
        after_market=order.after_market,
        modifying=order.modifying,
        blocked_paise=order.blocked_paise,
        run=order.run_number,
        flatten=order.flatten_number,
        leg=order.leg,
        plan=order.plan_number,
        flags=order.flags,
        trading_date=order.trading_date,
        created_at=order.created_at,
        sent_at=order.sent_at,
        updated_at=order.updated_at,
        ended_at=order.ended_at,
    )


class RequestShape(Struct, frozen=True):
    """One modify or cancel beside an order; `null` leaves a value as it was."""

    number: int
    kind: str
    state: str
    why: str
    detail: str
    quantity: int | None
    limit_paise: int | None
    trigger_paise: int | None
    requested_at: datetime
    ended_at: datetime | None


def request_shape(request: RequestView) -> RequestShape:
    """The modify or cancel in that shape."""
    return RequestShape(
        number=request.number,
        kind=request.kind,
        state=request.state,
        why=request.why,
        detail=request.detail,
        quantity=request.quantity,
        limit_paise=request.limit_paise,
        trigger_paise=request.trigger_paise,
        requested_at=request.requested_at,
        ended_at=request.ended_at,
    )


class ExternalShape(Struct, frozen=True):
    """A live order at the broker that this desk did not send."""

    broker_order_id: str
    key: str
    side: Side
    quantity: int
    filled_quantity: int
    order_type: OrderType
    price_paise: int | None
    trigger_paise: int | None
    status: str
    placed_at: datetime | None


def external_shape(theirs: BrokerOrder) -> ExternalShape:
    """The broker's order in that shape."""
    return ExternalShape(
        broker_order_id=theirs.broker_order_id,
        key=f"{theirs.exchange}:{theirs.tradingsymbol}",
        side=theirs.side,
        quantity=theirs.quantity,
        filled_quantity=theirs.filled_quantity,
        order_type=theirs.order_type,
        price_paise=theirs.price_paise,
        trigger_paise=theirs.trigger_paise,
        status=theirs.status_text,
        placed_at=theirs.placed_at,
    )


class UnknownShape(Struct, frozen=True):
    """One UNKNOWN order with what is known of it and the broker's live orders that it could be."""

    order: OrderShape
    since: datetime
    age_s: float
    why: str
    evidence: str
    raised: bool
    strangers: list[ExternalShape]


def unknown_shape(desk: Desk, order: OrderView) -> UnknownShape:
    """The order in that shape."""
    doubt = desk.orders.doubt(order.id)
    sent = order.sent_at or order.created_at
    return UnknownShape(
        order=order_shape(desk, order),
        since=sent,
        age_s=round((desk.clock.now() - sent).total_seconds(), 1),
        why=order.sub_status,
        evidence=(doubt.evidence if doubt else "") or order.reason_text,
        raised=doubt.raised if doubt else False,
        strangers=[external_shape(theirs) for theirs in desk.orders.external(order.client_id)],
    )


class RunShape(Struct, frozen=True):
    """One run with its counts."""

    number: int
    plan: int
    title: str
    status: str
    frozen_since: datetime | None
    pause_reason: PauseReason | None
    why: str
    unsent_blocked_paise: int
    counts: dict[RunCount, int]
    settled: bool
    left_paise: int
    cut_paise: int
    trading_date: date
    elapsed_s: float
    started_at: datetime
    finished_at: datetime | None


def run_shape(run: RunView) -> RunShape:
    """The run in that shape."""
    return RunShape(
        number=run.number,
        plan=run.plan_number,
        title=run.title,
        status=run.word,
        frozen_since=run.frozen_since,
        pause_reason=run.pause_reason,
        why=run_why(run),
        unsent_blocked_paise=run.unsent_blocked_paise,
        counts=run.counts,
        settled=run.settled,
        left_paise=run.left_paise,
        cut_paise=run.cut_paise,
        trading_date=run.trading_date,
        elapsed_s=round(run.elapsed_s, 3),
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


class CancelledShape(Struct, frozen=True):
    """One order of a run that was cancelled, or why it was not."""

    order_id: int
    client_id: int
    code: str
    symbol: str
    side: Side
    state: OrderState
    result: str
    why: str
    quantity: int
    filled_quantity: int
    released_paise: int


class AvailableShape(Struct, frozen=True):
    """What a client has available."""

    client_id: int
    code: str
    released_paise: int
    available_paise: int


class RunCancelShape(Struct, frozen=True):
    """What a run's cancel did: in all, by order and by client."""

    number: int
    status: str
    cancelled: int
    failed: int
    released_paise: int
    orders: list[CancelledShape]
    clients: list[AvailableShape]


def run_cancel_shape(desk: Desk, run: RunView, told: Sequence[CancelledOrder]) -> RunCancelShape:
    """What became of a run's orders, in that shape."""
    released: dict[int, int] = {}
    for one in told:
        client_id = one.order.client_id
        released[client_id] = released.get(client_id, 0) + one.released_paise
    return RunCancelShape(
        number=run.number,
        status=run.word,
        cancelled=sum(one.cancelled for one in told),
        failed=sum(not one.cancelled for one in told),
        released_paise=sum(released.values()),
        orders=[_cancelled_shape(desk, one) for one in told],
        clients=[
            AvailableShape(
                client_id, desk.clients.get(client_id).code, paise, desk.funds.of(client_id).available_paise
            )
            for client_id, paise in sorted(released.items())
        ],
    )


def _cancelled_shape(desk: Desk, one: CancelledOrder) -> CancelledShape:
    order = one.order
    return CancelledShape(
        order_id=order.id,
        client_id=order.client_id,
        code=desk.clients.get(order.client_id).code,
        symbol=order.tradingsymbol,
        side=order.side,
        state=order.state,
        result="cancelled" if one.cancelled else "failed",
        why=not_cancelled_words(one),
        quantity=order.quantity,
        filled_quantity=order.filled_quantity,
        released_paise=one.released_paise,
    )


class WholeRunShape(RunShape, frozen=True):
    """One run with its counts, in all and leg by leg, and orders."""

    legs: list[LegCounts]
    orders: list[OrderShape]


def whole_run_shape(desk: Desk, run: RunView) -> WholeRunShape:
    """The run in that shape."""
    from engine.execution.views import by_leg

    orders = [desk.orders.get(order_id) for order_id in run.order_ids]
    return WholeRunShape(
        **values(run_shape(run)),
        legs=by_leg(orders),
        orders=[order_shape(desk, order) for order in orders],
    )
