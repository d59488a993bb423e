"""What is the same for every line of one plan: its prices, its slices, the terms of a buy, what bars it."""

from collections import Counter

from data.money import BPS, ceil_div, half_up, tick_up
from data.vocabulary import OrderType, Policy, Product, Side, SizingKind
from engine.planning.checks import ClientInput, PlanInputs, market_refusal, slice_quantity
from engine.planning.intent import Intent, LineChange, Sizing
from engine.planning.sizing import BuyTerms, at_trigger, base_of, reserve_price, sized

_OWN_SIZE = frozenset({SizingKind.PERCENT_OF_POSITION, SizingKind.TARGET_WEIGHT})
"""Sizings that follow from what a client holds, which no multiplier scales."""

AIR_TICKS = 2
"""So far the market may move on without a proposed quantity becoming too dear."""


class PlanContext:
    """Intent and inputs of a plan of one leg, and what follows from both for all clients."""

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
        self.sent = Counter[tuple[str, str]]()
        """The orders of the lines that go, by whose limit counts them together."""

    def base_paise(self, client: ClientInput) -> int:
        """What a percentage is taken of for this client."""
        available_paise = client.available_paise if client.sized_on_paise is None else client.sized_on_paise
        bases = (client.base_paise, available_paise, client.portfolio_paise or 0)
        return base_of(self.intent.sizing, *bases)

    def multiplier_bps(self, client: ClientInput) -> int:
        """By how much this client's size is larger or smaller than that of all."""
        scaled = self.intent.multiplied and self.intent.sizing.kind not in _OWN_SIZE
        return client.multiplier_bps if scaled else BPS

    def sized(self, client: ClientInput) -> tuple[int, int]:
        """The quantity for this client in whole lots, and the allocation in paise that it came from."""
        sizing, price = self.intent.sizing, self.sizing_price_paise
        if sizing.kind is SizingKind.TARGET_WEIGHT:
            sizing = Sizing(SizingKind.FIXED_AMOUNT, self._to_weight_paise(client))
        multiplier_bps = self.multiplier_bps(client)
        return sized(sizing, self.base_paise(client), price, self.inputs.instrument.lot_size, multiplier_bps)

    def weight_bps(self, client: ClientInput) -> int:
        """What part of its portfolio this client's position is, its live orders of the stock with it."""
        worth = self._position_paise(client)
        return half_up(worth * BPS, client.portfolio_paise) if client.portfolio_paise else 0

    def _position_paise(self, client: ClientInput) -> int:
        shares = sum(held.quantity for held in client.holdings) + client.ordered
        return max(0, shares) * self.sizing_price_paise

    def _to_weight_paise(self, client: ClientInput) -> int:
        """What is missing of the position at the target weight, or for a sale is beyond it."""
        target = self.base_paise(client) * self.intent.sizing.value // BPS
        more = target - self._position_paise(client)
        return max(0, more if self.intent.side is Side.BUY else -more)

    @property
    def air_paise(self) -> int:
        """By how much the reserve price rises with two ticks of the market, so that a quantity still stands.

        A price that the trader or the policy has set does not move.
        """
        intent, inputs = self.intent, self.inputs
        priced = intent.limit_paise is not None or intent.trigger_paise is not None
        if priced or inputs.policy is Policy.EXACT:
            return 0
        tick = inputs.instrument.tick_paise
        return tick_up(ceil_div(AIR_TICKS * tick * (BPS + inputs.protection_bps), BPS), tick)

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
