"""The shapes of plans and their lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from engine.planning.limits.why import Limiting
from engine.words.trading.why import detail_words
from tradedesk.cli.views import values
from tradedesk.cli.views.risk.limits import told_of_limit

if TYPE_CHECKING:
    from datetime import date, datetime

    from data.json_values import JsonObject
    from data.vocabulary import (
        OrderType,
        PerClient,
        PhaseKind,
        Policy,
        Product,
        Reason,
        Side,
        Validity,
        Verdict,
    )
    from engine.planning.entry.baskets import Basket
    from engine.planning.entry.presets import Preset
    from engine.planning.plan import Alternative, Plan, PlanLine
    from engine.planning.what_if import WhatIf


class LineShape(Struct, frozen=True):
    """A plan's line; what it says of it is told in words, as `detail`."""

    client_id: int
    code: str
    name: str
    broker: str
    product: Product
    verdict: Verdict
    reason: Reason | None
    detail: str
    quantity: int
    wanted: int
    base_paise: int
    allocation_paise: int
    left_paise: int
    price_paise: int | None
    reserve_paise: int
    charges_paise: int
    loan_paise: int
    available_before_paise: int
    available_after_paise: int
    mtf_room_paise: int
    sellable: int
    short_paise: int
    by_hand: bool
    alternatives: tuple[Alternative, ...]
    ref: str
    multiplier_bps: int
    limits: list[JsonObject]
    """What limits say of it, by kind and with figures."""


def line_shape(line: PlanLine) -> LineShape:
    """The line in that shape."""
    return LineShape(
        client_id=line.client_id,
        code=line.code,
        name=line.name,
        broker=line.broker,
        product=line.product,
        verdict=line.verdict,
        reason=line.reason,
        detail=detail_words(line),
        quantity=line.quantity,
        wanted=line.wanted,
        base_paise=line.base_paise,
        allocation_paise=line.allocation_paise,
        left_paise=line.left_paise,
        price_paise=line.price_paise,
        reserve_paise=line.reserve_paise,
        charges_paise=line.charges_paise,
        loan_paise=line.loan_paise,
        available_before_paise=line.available_before_paise,
        available_after_paise=line.available_after_paise,
        mtf_room_paise=line.mtf_room_paise,
        sellable=line.sellable,
        short_paise=line.short_paise,
        by_hand=line.by_hand,
        alternatives=line.alternatives,
        ref=line.ref,
        multiplier_bps=line.multiplier_bps,
        limits=[told_of_limit(why) for why in line.why if isinstance(why, Limiting)],
    )


class PlanShape(Struct, frozen=True):
    """A frozen plan, problems first; of legs behind the first, their lines stand with them."""

    number: int | None
    digest: str
    title: str
    symbol: str
    key: str
    side: Side
    product: Product | None
    order_type: OrderType
    limit_paise: int | None
    trigger_paise: int | None
    validity: Validity
    after_market: bool
    disclosed_quantity: int
    ref: str
    override: str
    clients: str
    policy: Policy
    frozen_at: datetime
    expires_at: datetime
    trading_day: date
    phase: PhaseKind
    last_paise: int | None
    bid_paise: int
    ask_paise: int
    age_s: float | None
    reserve_price_paise: int | None
    protection_bps: int
    desk_halted: bool
    orders: int
    shares: int
    at_last_paise: int | None
    reserve_paise: int
    left_paise: int
    cut_paise: int
    eta_s: int
    send_within_s: int | None
    late_orders: int | None
    late_at: datetime | None
    priced_by: str | None
    skipped: int
    skipped_by_reason: dict[str, int]
    answer: str
    lines: list[LineShape]
    per_client: PerClient
    legs: list[JsonObject]


def plan_shape(plan: Plan) -> PlanShape:
    """The plan in that shape."""
    from engine.planning.plan_record import leg_in_short

    intent = plan.intent
    return PlanShape(
        number=plan.number,
        digest=plan.digest,
        title=plan.title,
        symbol=plan.instrument.tradingsymbol,
        key=plan.instrument.key,
        side=intent.side,
        product=intent.product,
        order_type=intent.order_type,
        limit_paise=intent.limit_paise,
        trigger_paise=intent.trigger_paise,
        validity=intent.validity,
        after_market=intent.after_market,
        disclosed_quantity=intent.disclosed_quantity,
        ref=intent.ref,
        override=intent.override,
        clients=intent.selection.title,
        policy=plan.policy,
        frozen_at=plan.frozen_at,
        expires_at=plan.expires_at,
        trading_day=plan.trading_day,
        phase=plan.phase,
        last_paise=plan.last_paise or None,
        bid_paise=plan.bid_paise,
        ask_paise=plan.ask_paise,
        age_s=plan.age_s,
        reserve_price_paise=plan.reserve_price_paise or None,
        protection_bps=plan.protection_bps,
        desk_halted=plan.desk_halted,
        orders=plan.orders,
        shares=plan.shares,
        at_last_paise=plan.at_last_paise if plan.last_paise else None,
        reserve_paise=plan.reserve_paise,
        left_paise=plan.left_paise,
        cut_paise=plan.cut_paise,
        eta_s=plan.eta_s,
        send_within_s=plan.send_within_s,
        late_orders=plan.late_orders,
        late_at=plan.late_at,
        priced_by=plan.priced_by,
        skipped=len(plan.skipped_lines),
        skipped_by_reason={reason.value: count for reason, count in plan.skipped_by_reason.items()},
        answer=plan.answer,
        lines=[line_shape(line) for line in plan.lines],
        per_client=plan.per_client,
        legs=[
            leg_in_short(part)
            | ({"lines": [values(line_shape(line)) for line in part.lines]} if part.leg > 1 else {})
            for part in plan.parts
        ],
    )


class PresetShape(Struct, frozen=True):
    """A saved wish: what for whom, as a leg of a plan says it."""

    name: str
    saved_by: str
    saved_at: datetime
    clients: str
    intent: JsonObject


def preset_shape(preset: Preset) -> PresetShape:
    """The preset in that shape."""
    from engine.planning.plan_record import plain_leg

    intent = preset.intent
    title, wish = intent.selection.title, plain_leg(intent.legs[0])
    return PresetShape(preset.name, preset.saved_by, preset.saved_at, title, wish)


class WhatIfShape(Struct, frozen=True):
    """What a line would leave of its client, at the last price."""

    client_id: int
    code: str
    symbol: str
    side: Side
    product: Product
    quantity: int
    goes: bool
    cash_before_paise: int
    cash_after_paise: int
    mtf_before_paise: int
    mtf_after_paise: int | None
    mtf_limit_paise: int
    shares_before: int
    shares_after: int
    weight_before_bps: int | None
    weight_after_bps: int | None
    charges_paise: int


def what_if_shape(found: WhatIf) -> WhatIfShape:
    """It in that shape."""
    return WhatIfShape(
        client_id=found.client_id,
        code=found.code,
        symbol=found.tradingsymbol,
        side=found.side,
        product=found.product,
        quantity=found.quantity,
        goes=found.goes,
        cash_before_paise=found.cash_before_paise,
        cash_after_paise=found.cash_after_paise,
        mtf_before_paise=found.mtf_before_paise,
        mtf_after_paise=found.mtf_after_paise,
        mtf_limit_paise=found.mtf_limit_paise,
        shares_before=found.shares_before,
        shares_after=found.shares_after,
        weight_before_bps=found.weight_before_bps,
        weight_after_bps=found.weight_after_bps,
        charges_paise=found.charges_paise,
    )


class BasketShape(Struct, frozen=True):
    """A saved basket."""

    name: str
    per_client: PerClient
    saved_by: str
    saved_at: datetime
    legs: list[JsonObject]


def basket_shape(basket: Basket) -> BasketShape:
    """The basket in that shape."""
    from engine.planning.plan_record import plain_leg

    return BasketShape(
        name=basket.name,
        per_client=basket.per_client,
        saved_by=basket.saved_by,
        saved_at=basket.saved_at,
        legs=[{"leg": number, **plain_leg(leg)} for number, leg in enumerate(basket.legs, start=1)],
    )
