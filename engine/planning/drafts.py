"""A client's lines before they are judged: its products, and for each a quantity of sizing or hand."""

from msgspec import Struct

from data.records import replace
from data.vocabulary import Product, Side, SizingKind
from engine.planning.checks import ClientInput
from engine.planning.context import PlanContext
from engine.planning.sizing import part_of_position, whole_lots

PRODUCT_ORDER = (Product.MIS, Product.CNC, Product.MTF)
"""In which order a client's products are shown, and sold from when a total is sold as held.

Intraday shares first: the broker sells them out before the close in any case.
"""


class DraftLine(Struct, frozen=True):
    """One line in the making: a product and a quantity.

    `sellable` is what the client may sell of it, and 0 for a buy; `odd` is what a part of a position leaves
    because it makes no whole lot, `later` waits for cash.
    """

    product: Product
    quantity: int
    allocation_paise: int = 0
    sellable: int = 0
    by_hand: bool = False
    odd: int = 0
    later: int = 0


def drafts_of(context: PlanContext, client: ClientInput) -> list[DraftLine]:
    """The lines this client gets: one, or one for each product when selling as held."""
    if context.intent.product is None:
        return _drafts_as_held(context, client)
    change = next(iter(context.changes.get(client.client_id, ())), None)
    product = (change and change.product) or context.intent.product
    by_hand = change.quantity if change else None
    if context.intent.side is Side.BUY:
        return [replace(_buy_draft(context, client, product, by_hand), later=change.later if change else 0)]
    return [_sell_draft(context, client, product, by_hand)]


def _buy_draft(context: PlanContext, client: ClientInput, product: Product, by_hand: int | None) -> DraftLine:
    quantity, allocation = context.sized(client)
    if by_hand is not None:
        quantity = by_hand
    return DraftLine(product, quantity, allocation, 0, by_hand is not None)


def _sell_draft(
    context: PlanContext, client: ClientInput, product: Product, by_hand: int | None
) -> DraftLine:
    sellable = sellable_of(client).get(product, 0)
    if by_hand is not None:
        return DraftLine(product, by_hand, by_hand * context.sizing_price_paise, sellable, True)
    if context.intent.sizing.kind is SizingKind.PERCENT_OF_POSITION:
        return _part_of_position(context, product, sellable)
    quantity, allocation = context.sized(client)
    return DraftLine(product, quantity, allocation, sellable)


def _part_of_position(context: PlanContext, product: Product, sellable: int) -> DraftLine:
    quantity, odd = part_of_position(context.intent.sizing, sellable, context.inputs.instrument.lot_size)
    return DraftLine(product, quantity, quantity * context.sizing_price_paise, sellable, odd=odd)


def _drafts_as_held(context: PlanContext, client: ClientInput) -> list[DraftLine]:
    """A sell in whatever products the client holds: a part of each, or a total in their order."""
    held = sellable_of(client)
    changes = context.changes.get(client.client_id, [])
    total = next((change.quantity for change in changes if change.product is None), None)
    if total is None and context.intent.sizing.kind is SizingKind.PERCENT_OF_POSITION:
        drafts = [_part_of_position(context, product, shares) for product, shares in held.items()]
    else:
        wanted = context.sized(client)[0] if total is None else total
        drafts = _spread(context, held, wanted, total is not None)
    for change in changes:
        if change.product is not None and change.quantity is not None:
            drafts = [draft for draft in drafts if draft.product is not change.product]
            drafts.append(_sell_draft(context, client, change.product, change.quantity))
    return drafts or [DraftLine(Product.CNC, 0)]


def _spread(context: PlanContext, held: dict[Product, int], wanted: int, by_hand: bool) -> list[DraftLine]:
    """A total over the products held. What cannot be covered stays whole, as one draft to be skipped."""
    price, lot = context.sizing_price_paise, context.inputs.instrument.lot_size
    in_lots = {product: whole_lots(shares, lot) for product, shares in held.items()}
    sellable = sum(in_lots.values())
    if wanted == 0 or wanted > sellable:
        return [DraftLine(next(iter(held), Product.CNC), wanted, wanted * price, sellable, by_hand)]
    drafts: list[DraftLine] = []
    for product, shares in in_lots.items():
        part = min(wanted, shares)
        wanted -= part
        if part:
            drafts.append(DraftLine(product, part, part * price, held[product], by_hand))
    return drafts


def sellable_of(client: ClientInput) -> dict[Product, int]:
    """Shares free to sell for each product the client holds."""
    ordered = sorted(client.holdings, key=lambda held: PRODUCT_ORDER.index(held.product))
    return {held.product: held.sellable for held in ordered if held.quantity > 0}
