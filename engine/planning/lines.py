"""The lines of a plan: from an intent and frozen inputs one for every client, each with its verdict.

`plan` is pure: the same intent and inputs always make the same plan.
"""

from collections.abc import Iterable

from data.clock import IST
from data.errors import BadInput
from data.money import BPS, amount_words, band_words, half_up
from data.records import replace
from data.vocabulary import AlternativeKind, Drift, Policy, Product, Reason, Side, SizingKind, Verdict
from engine.planning.checks import (
    CHECK_ORDER,
    ClientInput,
    PlanInputs,
    authorisation_refusal,
    client_refusal,
    instruction_refusal,
    money_refusal,
    portfolio_refusal,
    size_refusal,
    waiting_refusal,
)
from engine.planning.context import PlanContext
from engine.planning.drafts import PRODUCT_ORDER, DraftLine, drafts_of, sellable_of
from engine.planning.intent import PERCENTAGES, Intent, LineChange, check_intent, check_lots
from engine.planning.limits.of_lines import count_sent, judged_line, most_within
from engine.planning.limits.products import (
    consent_remarks,
    disclosed_refusal,
    listing_refusal,
    listing_remarks,
    mtf_refusal,
    product_refusal,
)
from engine.planning.limits.slips import slip_words
from engine.planning.plan import Alternative, Plan, PlanLine
from engine.planning.plan_record import VALID_FOR
from engine.planning.sizing import (
    affordable,
    charges_paise,
    need,
    slices,
    whole_lots,
)
from engine.planning.why import (
    AtWeight,
    BelowOne,
    DroppedByHand,
    FewerAtBroker,
    HoldsNone,
    InSlices,
    LineRefusal,
    NoneFree,
    OddShares,
    SentBefore,
    SharesShort,
    WaitsForCash,
    Why,
)

_FIXABLE_FIRST: dict[Reason, float] = {reason: rank for rank, reason in enumerate(reversed(CHECK_ORDER))}
# A sign-in mends a session at once; a route is rarely mended the same morning.
_FIXABLE_FIRST[Reason.ROUTE_NOT_READY] = _FIXABLE_FIRST[Reason.SESSION_EXPIRED] + 0.5


def plan(intent: Intent, inputs: PlanInputs) -> Plan:
    """The intent applied to the inputs: what would be sent for whom, and why not for the others.

    Problems come first, those a trader can mend (money, shares) before those that stand (status, halt);
    within a reason, and among the good lines, by client code. Raises `BadInput` for what no client could
    trade: a bad value, a limit outside the day's band, a product that is not offered, a change of a line
    that is not there.
    """
    check_intent(intent, inputs.instrument)
    if intent.key != inputs.instrument.key:
        raise BadInput("symbol", intent.key, f"the inputs are those of {inputs.instrument.key}")
    _check_after_market(intent, inputs)
    check_band(intent, inputs)
    _check_mis(intent, inputs)
    context = PlanContext(intent, inputs, _changes_by_client(intent, inputs))
    lines = [line for client in inputs.clients for line in _lines_of(context, client)]
    lines.sort(key=place_of)
    age, awaited = inputs.price_age_s, inputs.awaited_day
    return Plan(
        intent=intent,
        instrument=inputs.instrument,
        frozen_at=inputs.now,
        expires_at=inputs.now + VALID_FOR,
        trading_day=awaited if intent.after_market and awaited is not None else inputs.trading_day,
        market_at=inputs.market_now,
        phase=inputs.phase_kind,
        last_paise=inputs.last_paise,
        bid_paise=inputs.bid_paise,
        ask_paise=inputs.ask_paise,
        lower_circuit_paise=inputs.lower_circuit_paise,
        upper_circuit_paise=inputs.upper_circuit_paise,
        price_age_ms=None if age is None else round(age * 1000),
        sizing_price_paise=context.sizing_price_paise,
        reserve_price_paise=context.reserve_price_paise,
        policy=inputs.policy,
        protection_bps=inputs.protection_bps,
        drift_limit_bps=None if intent.drift is Drift.NONE else inputs.drift_limit_bps,
        orders_per_second=inputs.orders_per_second,
        desk_halted=inputs.desk_halted,
        lines=tuple(lines),
        slice_quantity=context.slice_quantity,
        priced_by=inputs.priced_by,
    )


def place_of(line: PlanLine) -> tuple[float, str, int, int]:
    """Where a line stands among a plan's: problems first, those a trader can mend before those that stand."""
    group = len(_FIXABLE_FIRST) if line.reason is None else _FIXABLE_FIRST[line.reason]
    return group, line.code, line.client_id, PRODUCT_ORDER.index(line.product)


# --- what no client could trade -----------------------------------------------------------------------


def _check_after_market(intent: Intent, inputs: PlanInputs) -> None:
    if intent.after_market and not inputs.after_market:
        raise BadInput("validity", "AMO", "this broker takes no orders for the next session, give DAY")


def check_band(intent: Intent, inputs: PlanInputs) -> None:
    """Raise `BadInput` where the limit is outside the day's band."""
    limit, lower, upper = intent.limit_paise, inputs.lower_circuit_paise, inputs.upper_circuit_paise
    if intent.after_market:
        # The band known may be the last session's; that of the one it waits for is about its last price.
        width = half_up(inputs.last_paise * inputs.instrument.band_bps, BPS)
        lower = min(lower or inputs.last_paise, inputs.last_paise - width)
        upper = max(upper, inputs.last_paise + width)
    if limit is not None and ((upper and limit > upper) or limit < lower):
        sizing = intent.sizing
        typed = sizing.value if sizing.kind is SizingKind.FIXED_QUANTITY else 0
        looks = slip_words(limit, typed, inputs.last_paise)
        raise BadInput("limit", amount_words(limit), f"{looks}give a price inside {band_words(lower, upper)}")


def _check_mis(intent: Intent, inputs: PlanInputs) -> None:
    wanted = {intent.product, *(change.product for change in intent.line_changes)}
    if intent.side is Side.SELL or Product.MIS not in wanted:
        return
    key, until = inputs.instrument.key, inputs.mis_until
    others = "CNC" if inputs.instrument.margin_bps(Product.MTF) is None else "CNC or MTF"
    if not inputs.mis_allowed or inputs.instrument.margin_bps(Product.MIS) is None:
        words = f"{key} cannot be bought intraday, give {others}"
        if inputs.instrument.margins_unknown:
            words = f"no intraday margin of {key} is known: its broker has not told it yet, give CNC"
        raise BadInput("product", Product.MIS.value, words)
    if until is not None and inputs.market_now >= until and not intent.after_market:
        ended = until.astimezone(IST)
        raise BadInput(
            "product",
            Product.MIS.value,
            f"intraday buying of {key} ended at {ended:%H:%M}, when brokers sell it out: give {others}",
        )


def _changes_by_client(intent: Intent, inputs: PlanInputs) -> dict[int, list[LineChange]]:
    changes: dict[int, list[LineChange]] = {}
    if not intent.line_changes:
        return changes
    known = {client.client_id for client in inputs.clients}
    seen: set[tuple[int, Product | None]] = set()
    for change in intent.line_changes:
        if change.client_id not in known:
            raise BadInput("line", change.client_id, "give a client that is in this plan")
        if change.quantity is not None:
            if change.quantity < 0:
                raise BadInput("quantity", change.quantity, "give 0 or more shares")
            check_lots(change.quantity, inputs.instrument)
        slot = change.client_id, None if intent.product is not None else change.product
        if slot in seen:
            raise BadInput("line", change.client_id, "change a line once")
        seen.add(slot)
        changes.setdefault(change.client_id, []).append(change)
    return changes


# --- the verdict --------------------------------------------------------------------------------------


def _lines_of(context: PlanContext, client: ClientInput) -> Iterable[PlanLine]:
    refusal = client_refusal(client, context.intent.side) or context.market_refusal
    refusal = refusal or waiting_refusal(client, context.intent)
    refusal = refusal or listing_refusal(client, context.inputs.instrument, context.intent.side)
    refusal = refusal or instruction_refusal(client, ref_of(context.intent, client))
    refusal = refusal or portfolio_refusal(client, context.intent.sizing)
    if refusal is not None:
        return [_skipped(_blank(context, client, context.intent.product or Product.CNC), refusal)]
    return [_judged(context, client, draft) for draft in drafts_of(context, client)]


def _blank(context: PlanContext, client: ClientInput, product: Product) -> PlanLine:
    return PlanLine(
        client_id=client.client_id,
        code=client.code,
        name=client.name,
        broker=client.broker,
        product=product,
        verdict=Verdict.OK,
        base_paise=context.base_paise(client) if _takes_money(context.intent) else 0,
        price_paise=context.intent.limit_paise,
        available_before_paise=client.available_paise,
        available_after_paise=client.available_paise,
        mtf_room_paise=client.mtf_room_paise,
        ref=ref_of(context.intent, client),
        multiplier_bps=context.multiplier_bps(client),
    )


def ref_of(intent: Intent, client: ClientInput) -> str:
    """The instruction that a client's line is made on: the one named, else its own of a moment ago.

    One that the desk trades for as it sees fit needs none, so that none is looked up for it.
    """
    return intent.ref or ("" if client.discretionary else client.ref)


def _takes_money(intent: Intent) -> bool:
    """Whether a line has a base in money: a buy, or a sell sized by one; other sells are sized in shares."""
    by_money = intent.sizing.kind in PERCENTAGES - {SizingKind.PERCENT_OF_POSITION}
    return intent.side is Side.BUY or by_money


def _skipped(line: PlanLine, refusal: LineRefusal, alternatives: tuple[Alternative, ...] = ()) -> PlanLine:
    return replace(
        line,
        verdict=Verdict.SKIPPED,
        reason=refusal.reason,
        why=refusal.why,
        quantity=0,
        left_paise=0,
        available_after_paise=line.available_before_paise,
        short_paise=refusal.short_paise,
        alternatives=alternatives,
    )


def _judged(context: PlanContext, client: ClientInput, draft: DraftLine) -> PlanLine:
    inputs, side = context.inputs, context.intent.side
    line = replace(
        _blank(context, client, draft.product),
        quantity=draft.quantity,
        wanted=draft.quantity,
        allocation_paise=draft.allocation_paise,
        left_paise=draft.allocation_paise - draft.quantity * context.sizing_price_paise,
        sellable=draft.sellable,
        by_hand=draft.by_hand,
        later=draft.later,
    )
    refusal = product_refusal(inputs.instrument, side, draft.product, client)
    if refusal is None and draft.quantity == 0:
        refusal = _nothing(context, client, draft)
    refusal = refusal or size_refusal(draft.quantity, context.reserve_price_paise, inputs)
    if refusal is None and (disclosed := context.intent.disclosed_quantity):
        refusal = disclosed_refusal(client, slices(draft.quantity, context.slice_quantity), disclosed)
    if refusal is None and client.duplicate and not context.intent.again:
        refusal = LineRefusal(Reason.DUPLICATE_INTENT, (SentBefore(),))
    if refusal is not None:
        return _skipped(line, refusal)
    found = judged_line(context, client, line)
    if found.refusal is not None:
        fewer = _alternative(
            context, client, line.product, most_within(context, client, line), AlternativeKind.AFFORDABLE
        )
        return _skipped(line, found.refusal, (fewer,) if fewer.quantity else ())
    told = *listing_remarks(client, inputs.instrument), *consent_remarks(client, side, draft.product)
    line = replace(line, why=(*_remarks(context, draft), *found.remarks, *told))
    line = _judged_buy(context, client, line) if side is Side.BUY else _judged_sell(context, client, line)
    if line.ok:
        count_sent(context, client, line)
    return line


def _remarks(context: PlanContext, draft: DraftLine) -> tuple[Why, ...]:
    """What a trader should know of a line that can go."""
    remarks: list[Why] = []
    if draft.odd:
        remarks.append(OddShares(draft.odd, draft.quantity + draft.odd, context.inputs.instrument.lot_size))
    if draft.later:
        remarks.append(WaitsForCash(draft.later))
    parts = len(slices(draft.quantity, context.slice_quantity))
    if parts > 1:
        remarks.append(InSlices(parts, context.slice_quantity))
    return tuple(remarks)


def _nothing(context: PlanContext, client: ClientInput, draft: DraftLine) -> LineRefusal:
    sizing, lot = context.intent.sizing, context.inputs.instrument.lot_size
    if draft.later:
        return LineRefusal(Reason.INSUFFICIENT_FUNDS, (WaitsForCash(draft.later),))
    if draft.by_hand:
        return LineRefusal(Reason.QUANTITY_ZERO, (DroppedByHand(),))
    if sizing.kind is SizingKind.TARGET_WEIGHT and not draft.allocation_paise:
        weight = AtWeight(context.weight_bps(client), sizing.value)
        return LineRefusal(Reason.QUANTITY_ZERO, (weight,))
    if sizing.kind is SizingKind.PERCENT_OF_POSITION:
        if draft.sellable == 0:
            return LineRefusal(Reason.INSUFFICIENT_HOLDING, _none_held(context, client, draft.product))
        below = BelowOne(sizing.kind, sizing.value, lot, draft.sellable, None)
    else:
        below = BelowOne(sizing.kind, sizing.value, lot, None, context.sizing_price_paise)
    return LineRefusal(Reason.QUANTITY_ZERO, (below,))


def _none_held(context: PlanContext, client: ClientInput, product: Product) -> tuple[Why, ...]:
    held = {holding.product: holding.quantity for holding in client.holdings if holding.quantity}
    if product in held:
        return NoneFree(held[product], product), *_at_broker(client, product)
    return (HoldsNone(context.inputs.instrument.tradingsymbol, product, tuple(sorted(held))),)


def _at_broker(client: ClientInput, product: Product) -> tuple[Why, ...]:
    """What limits a sale beside our own books, until it is settled: fewer shares at the broker."""
    held = next((holding for holding in client.holdings if holding.product is product), None)
    if held is None or held.at_broker is None or held.at_broker >= held.quantity:
        return ()
    return (FewerAtBroker(held.at_broker, held.quantity),)


def _judged_sell(context: PlanContext, client: ClientInput, line: PlanLine) -> PlanLine:
    inputs = context.inputs
    notional = line.wanted * context.reserve_price_paise
    charges = charges_paise(
        inputs.trading_day, client.broker, inputs.instrument.exchange, line.product, Side.SELL, notional
    )
    line = replace(line, charges_paise=charges)
    if line.wanted <= line.sellable:
        unauthorised = authorisation_refusal(client, line.product, line.wanted)
        return line if unauthorised is None else _skipped(line, unauthorised)
    short = SharesShort(line.wanted - line.sellable, line.sellable)
    refusal = LineRefusal(Reason.INSUFFICIENT_HOLDING, (short, *_at_broker(client, line.product)))
    fits = whole_lots(line.sellable, inputs.instrument.lot_size)
    spread = context.intent.product is None and len(sellable_of(client)) > 1
    if not fits or spread:
        return _skipped(line, refusal)
    used = limit_used_bps(client, 0)
    fewer = Alternative(AlternativeKind.AFFORDABLE, fits, line.product, 0, 0, 0, used, used, fits)
    return _skipped(line, refusal, (fewer,))


def _judged_buy(context: PlanContext, client: ClientInput, line: PlanLine) -> PlanLine:
    takes = need(context.terms(client, line.product, context.inputs.policy), line.wanted)
    line = replace(
        line,
        reserve_paise=takes.total_paise,
        charges_paise=takes.charges_paise,
        loan_paise=takes.loan_paise,
        available_after_paise=client.available_paise - (0 if client.funded_later else takes.total_paise),
    )
    if client.funded_later:
        return line
    refusal = money_refusal(client, line.product, takes)
    if refusal is None:
        return line
    return _skipped(line, refusal, _ways_out(context, client, line))


def _ways_out(context: PlanContext, client: ClientInput, line: PlanLine) -> tuple[Alternative, ...]:
    ways: list[Alternative] = []
    fewer = _alternative(context, client, line.product, line.wanted, AlternativeKind.AFFORDABLE)
    if fewer.quantity:
        ways.append(fewer)
    if line.product is Product.CNC and mtf_refusal(context.inputs.instrument, client) is None:
        lent = _alternative(context, client, Product.MTF, line.wanted, AlternativeKind.MTF)
        if lent.quantity > fewer.quantity:
            ways.append(lent)
    return tuple(ways)


def _alternative(
    context: PlanContext, client: ClientInput, product: Product, at_most: int, kind: AlternativeKind
) -> Alternative:
    cash, room = client.available_paise, client.mtf_room_paise
    terms = context.terms(client, product, context.inputs.policy)
    fits = affordable(replace(terms, price_paise=terms.price_paise + context.air_paise), cash, room)
    quantity = min(at_most, fits)
    takes = need(terms, quantity)
    return Alternative(
        kind=kind,
        quantity=quantity,
        product=product,
        own_paise=takes.own_paise,
        loan_paise=takes.loan_paise,
        charges_paise=takes.charges_paise,
        limit_used_before_bps=limit_used_bps(client, 0),
        limit_used_after_bps=limit_used_bps(client, takes.loan_paise),
        quantity_at_last=min(at_most, affordable(context.terms(client, product, Policy.EXACT), cash, room)),
    )


def limit_used_bps(client: ClientInput, more_paise: int) -> int:
    """How much of the client's MTF limit is used once so much more is lent."""
    if client.mtf_limit_paise <= 0:
        return 0
    return half_up((client.mtf_used_paise + more_paise) * BPS, client.mtf_limit_paise)
