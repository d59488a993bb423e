"""A plan's line held against limits, behind the lines of the same plan that were judged before it."""

from data.records import replace
from data.vocabulary import SizingKind
from engine.planning.checks import ClientInput
from engine.planning.context import PlanContext
from engine.planning.limits.figures import ClientExposure, Total, WantedOrder
from engine.planning.limits.judging import Judged, fits, judged
from engine.planning.plan import PlanLine
from engine.planning.sizing import slices


def judged_line(context: PlanContext, client: ClientInput, line: PlanLine) -> Judged:
    """What limits say of a line; nothing where they were not looked up."""
    if client.exposure is None:
        return Judged()
    exposure = _exposure(context, client.exposure)
    intent = context.intent
    return judged(_wanted(context, line), exposure, context.inputs.around, intent.override)


def most_within(context: PlanContext, client: ClientInput, line: PlanLine) -> int:
    """The most shares for which a line would be within its limits; 0 where fewer would not help."""
    if client.exposure is None:
        return 0
    exposure = _exposure(context, client.exposure)
    return fits(_wanted(context, line), exposure, context.inputs.around, context.intent.override)


def count_sent(context: PlanContext, client: ClientInput, line: PlanLine) -> None:
    """Count the orders of a line that goes, for those behind it under the same limit of several clients."""
    if client.exposure is not None and client.exposure.totals:
        for place in _places(client.exposure):
            context.sent[place] += len(slices(line.quantity, context.slice_quantity))


def _places(exposure: ClientExposure) -> set[tuple[str, str]]:
    return {(one.scope, one.whose) for one in exposure.limits if one.kind.together}


def _exposure(context: PlanContext, exposure: ClientExposure) -> ClientExposure:
    if not exposure.totals or not context.sent:
        return exposure
    totals = {
        place: Total(total.net_paise, total.orders + context.sent[place])
        for place, total in exposure.totals.items()
    }
    return replace(exposure, totals=totals)


def _wanted(context: PlanContext, line: PlanLine) -> WantedOrder:
    intent, inputs = context.intent, context.inputs
    typed = intent.sizing.kind is SizingKind.FIXED_QUANTITY or line.by_hand
    return WantedOrder(
        client_id=line.client_id,
        code=line.code,
        tradingsymbol=inputs.instrument.tradingsymbol,
        side=intent.side,
        product=line.product,
        quantity=line.wanted,
        bound_paise=context.reserve_price_paise,
        last_paise=inputs.last_paise,
        limit_paise=intent.limit_paise,
        trigger_paise=intent.trigger_paise,
        orders=len(slices(line.wanted, context.slice_quantity)),
        slice_quantity=context.slice_quantity,
        lot_size=inputs.instrument.lot_size,
        typed=typed,
    )
