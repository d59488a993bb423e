"""How many shares each client's line asks for: the sizing, the shares held, and changes by hand."""

from dataclasses import dataclass

from data.money import BPS
from data.vocabulary import OrderType, Policy, Product, Side, SizingKind
from engine.planning.checks import ClientInput, PlanInputs, market_refusal, slice_quantity
from engine.planning.intent import Intent, LineChange
from engine.planning.sizing import BuyTerms, at_trigger, reserve_price, whole_lots

PRODUCT_ORDER = (Product.MIS, Product.CNC, Product.MTF)
"""In which order a client's products are shown, and sold from when a total is sold as held.

Intraday shares first: the broker sells them out before the close in any case.
"""


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line in the making: a product and a quantity.

    `sellable` is what the client may sell of it, and 0 for a buy; `odd` is what a part of a position leaves
    because it makes no whole lot.
    """

    product: Product
    quantity: int
    allocation_paise: int = 0
    sellable: int = 0
    by_hand: bool = False
    odd: int = 0


class Frame:
    """What is the same for every line of one plan."""

    def __init__(self, intent: Intent, inputs: PlanInputs, changes: dict[int, list[LineChange]]) -> None:
        self.intent = intent
        self.inputs = inputs
        self.changes = changes
        known = (intent.limit_paise, intent.trigger_paise, inputs.last_paise)
        self.sizing_price_paise = next(price for price in known if price is not None)
        self.reserve_price_paise = reserve_price(
            intent.side,
            intent.limit_paise,
            inputs.market
            if intent.trigger_paise is None
            else at_trigger(inputs.market, intent.trigger_paise),
            inputs.instrument.tick_paise,
            inputs.protection_bps,
            # Where a stop order trades is not the last price: its block is the protected one's in any case.
            inputs.policy if intent.trigger_paise is None else Policy.WORST,
        )
        self.slice_quantity = slice_quantity(self.reserve_price_paise, inputs)
        self.market_refusal = market_refusal(intent, inputs)

    def terms(self, client: ClientInput, product: Product, policy: Policy) -> BuyTerms:
        """How this client pays. `product` must be offered."""
        own_bps = self.inputs.instrument.margin_bps(product)
        assert own_bps is not None
        exact, stops = policy is Policy.EXACT, self.intent.order_type is OrderType.SL_M
        return BuyTerms(
            policy=policy,
            broker=client.broker,
            exchange=self.inputs.instrument.exchange,
            on=self.inputs.trading_day,
            product=product,
            margin_bps=own_bps,
            price_paise=self.sizing_price_paise if exact and not stops else self.reserve_price_paise,
            lot_size=self.inputs.instrument.lot_size,
            slice_quantity=self.slice_quantity,
        )


def _sized(frame: Frame, client: ClientInput) -> tuple[int, int]:
    """Quantity in whole lots, and the allocation it came from, of every sizing but a part of the position."""
    sizing, price = frame.intent.sizing, frame.sizing_price_paise
    lot = frame.inputs.instrument.lot_size
    if sizing.kind is SizingKind.FIXED_QUANTITY:
        return sizing.value, sizing.value * price
    if sizing.kind is SizingKind.FIXED_AMOUNT:
        allocation = sizing.value
    else:
        allocation = max(0, base_of(frame, client)) * sizing.value // BPS
    return whole_lots(allocation // price, lot), allocation


def base_of(frame: Frame, client: ClientInput) -> int:
    """What a percentage is taken of: the day's sizing base, or the cash that is free now."""
    available = frame.intent.sizing.kind is SizingKind.PERCENT_OF_AVAILABLE
    return client.available_paise if available else client.base_paise


def _buy_draft(frame: Frame, client: ClientInput, product: Product, by_hand: int | None) -> DraftLine:
    quantity, allocation = _sized(frame, client)
    if by_hand is not None:
        quantity = by_hand
    return DraftLine(product, quantity, allocation, 0, by_hand is not None)


def _sell_draft(frame: Frame, client: ClientInput, product: Product, by_hand: int | None) -> DraftLine:
    sellable = sellable_of(client).get(product, 0)
    if by_hand is not None:
        return DraftLine(product, by_hand, by_hand * frame.sizing_price_paise, sellable, True)
    if frame.intent.sizing.kind is SizingKind.PERCENT_OF_POSITION:
        return _part_of_position(frame, product, sellable)
    quantity, allocation = _sized(frame, client)
    return DraftLine(product, quantity, allocation, sellable)


def _part_of_position(frame: Frame, product: Product, sellable: int) -> DraftLine:
    # Halves round down: half of 7 shares sells 3.
    part = sellable * frame.intent.sizing.value // BPS
    quantity = whole_lots(part, frame.inputs.instrument.lot_size)
    return DraftLine(product, quantity, quantity * frame.sizing_price_paise, sellable, odd=part - quantity)


def _drafts_as_held(frame: Frame, client: ClientInput) -> list[DraftLine]:
    """A sell in whatever products the client holds: a part of each, or a total in their order."""
    held = sellable_of(client)
    changes = frame.changes.get(client.client_id, [])
    total = next((change.quantity for change in changes if change.product is None), None)
    if total is None and frame.intent.sizing.kind is SizingKind.PERCENT_OF_POSITION:
        drafts = [_part_of_position(frame, product, shares) for product, shares in held.items()]
    else:
        wanted = _sized(frame, client)[0] if total is None else total
        drafts = _spread(frame, held, wanted, total is not None)
    for change in changes:
        if change.product is not None and change.quantity is not None:
            drafts = [draft for draft in drafts if draft.product is not change.product]
            drafts.append(_sell_draft(frame, client, change.product, change.quantity))
    return drafts or [DraftLine(Product.CNC, 0)]


def _spread(frame: Frame, held: dict[Product, int], wanted: int, by_hand: bool) -> list[DraftLine]:
    """A total over the products held. What cannot be covered stays whole, as one draft to be skipped."""
    price, lot = frame.sizing_price_paise, frame.inputs.instrument.lot_size
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


def drafts_of(frame: Frame, client: ClientInput) -> list[DraftLine]:
    """The lines this client gets: one, or one for each product when selling as held."""
    if frame.intent.product is None:
        return _drafts_as_held(frame, client)
    change = next(iter(frame.changes.get(client.client_id, ())), None)
    product = (change and change.product) or frame.intent.product
    by_hand = change.quantity if change else None
    make = _buy_draft if frame.intent.side is Side.BUY else _sell_draft
    return [make(frame, client, product, by_hand)]
