"""How many shares, at which price, for how much money: the arithmetic under every plan.

Pure integer functions. Prices are paise a share, money paise, shares of the own money basis points.
"""

from datetime import date
from functools import lru_cache

from msgspec import Struct

from data.money import BPS, ceil_div, tick_down, tick_up
from data.records import replace
from data.reference.rates import estimate
from data.vocabulary import Policy, Product, Side, SizingKind
from engine.planning.intent import Sizing
from engine.planning.need import Need, need_of

DEMAT_PRODUCTS = frozenset({Product.CNC, Product.MTF})
"""Products whose sale takes shares out of the demat account, which costs a depository charge."""


class PlanPrices(Struct, frozen=True):
    """The prices of one instrument a plan is made from. 0 stands for a price that is not known."""

    last_paise: int
    bid_paise: int
    ask_paise: int
    lower_circuit_paise: int
    upper_circuit_paise: int


class BuyTerms(Struct, frozen=True):
    """Under which terms one client pays for a buy. `price_paise` is the price money is reserved at.

    What is larger than `slice_quantity` goes as several orders; 0 sets no limit.
    """

    policy: Policy
    broker: str
    exchange: str
    on: date
    product: Product
    margin_bps: int
    price_paise: int
    lot_size: int = 1
    slice_quantity: int = 0


def base_of(sizing: Sizing, base_paise: int, available_paise: int, portfolio_paise: int = 0) -> int:
    """What a percentage is taken of: the day's sizing base, the cash that is free now, or the portfolio."""
    if sizing.kind is SizingKind.PERCENT_OF_AVAILABLE:
        return available_paise
    of_portfolio = sizing.kind in (SizingKind.PERCENT_OF_PORTFOLIO, SizingKind.TARGET_WEIGHT)
    return portfolio_paise if of_portfolio else base_paise


def sized(
    sizing: Sizing, base_paise: int, price_paise: int, lot_size: int, multiplier_bps: int = BPS
) -> tuple[int, int]:
    """Quantity in whole lots, and the allocation it came from, of every sizing but a part of the position.

    A quantity is taken as it is; an amount, or the percentage of `base_paise`, buys what it pays for. The
    multiplier scales either, down to whole lots.
    """
    if sizing.kind is SizingKind.FIXED_QUANTITY:
        quantity = sizing.value
        if multiplier_bps != BPS:
            quantity = whole_lots(sizing.value * multiplier_bps // BPS, lot_size)
        return quantity, quantity * price_paise
    if sizing.kind is SizingKind.FIXED_AMOUNT:
        allocation = sizing.value * multiplier_bps // BPS
    else:
        allocation = max(0, base_paise) * sizing.value * multiplier_bps // (BPS * BPS)
    return whole_lots(allocation // price_paise, lot_size), allocation


def part_of_position(sizing: Sizing, sellable: int, lot_size: int) -> tuple[int, int]:
    """The percentage of what may be sold, down to whole lots, and the shares that make no lot.

    Halves round down: half of 7 shares sells 3.
    """
    part = sellable * sizing.value // BPS
    quantity = whole_lots(part, lot_size)
    return quantity, part - quantity


def at_trigger(market: PlanPrices, trigger_paise: int) -> PlanPrices:
    """The market as a stop order may meet it: at its trigger, within the day's circuits."""
    return replace(market, last_paise=trigger_paise, bid_paise=trigger_paise, ask_paise=trigger_paise)


def reserve_price(
    side: Side,
    limit_paise: int | None,
    market: PlanPrices,
    tick_paise: int,
    protection_bps: int,
    policy: Policy,
) -> int:
    """The worst price the order can trade at, which is what money is reserved for.

    The limit where there is one. A MARKET order is protected: the dearer of last and best ask plus the
    protection, on the tick and not beyond the upper circuit; mirrored for a sell. `EXACT` takes the last.
    """
    if limit_paise is not None:
        return limit_paise
    if policy is Policy.EXACT:
        return market.last_paise
    if side is Side.BUY:
        dearest = max(market.last_paise, market.ask_paise)
        price = tick_up(ceil_div(dearest * (BPS + protection_bps), BPS), tick_paise)
        upper = market.upper_circuit_paise
        return min(price, tick_down(upper, tick_paise)) if upper else price
    cheapest = min(market.last_paise, market.bid_paise or market.last_paise)
    price = tick_down(cheapest * (BPS - protection_bps) // BPS, tick_paise)
    return max(price, tick_up(market.lower_circuit_paise, tick_paise))


@lru_cache(maxsize=1 << 16)
def charges_paise(
    on: date, broker: str, exchange: str, product: Product, side: Side, notional_paise: int
) -> int:
    """Estimated charges of a trade of `notional_paise`, remembered since previews ask again and again."""
    if notional_paise <= 0:
        return 0
    demat_sale = side is Side.SELL and product in DEMAT_PRODUCTS
    return estimate(on, broker, exchange, product, side, notional_paise, demat_sale=demat_sale).total_paise


def slices(quantity: int, most: int) -> list[int]:
    """The quantities of the orders that make up `quantity`, none above `most`; one order where that is 0."""
    if not most or quantity <= most:
        return [quantity]
    whole, rest = divmod(quantity, most)
    return [most] * whole + ([rest] if rest else [])


def need(terms: BuyTerms, quantity: int) -> Need:
    """What buying `quantity` takes. `EXACT` takes the own share alone, `WORST` charges and slack too.

    Each slice is an order of its own, with its own rounding and charges.
    """
    whole, rest = divmod(quantity, terms.slice_quantity) if terms.slice_quantity else (0, quantity)
    one, last = _need(terms, terms.slice_quantity) if whole else Need(0), _need(terms, rest)
    return Need(
        one.own_paise * whole + last.own_paise,
        one.loan_paise * whole + last.loan_paise,
        one.charges_paise * whole + last.charges_paise,
        one.slack_paise * whole + last.slack_paise,
    )


def _need(terms: BuyTerms, quantity: int) -> Need:
    def charges(notional_paise: int) -> int:
        on, broker, exchange, product = terms.on, terms.broker, terms.exchange, terms.product
        return charges_paise(on, broker, exchange, product, Side.BUY, notional_paise)

    return need_of(quantity, terms.price_paise, terms.product, terms.margin_bps, terms.policy, charges)


def affordable(terms: BuyTerms, available_paise: int, loan_room_paise: int = 0) -> int:
    """The largest quantity, in whole lots, that the money and (for MTF) the room for a loan allow.

    Bisection between what fits without charges and what fits with the charges of that larger trade:
    charges never fall as the trade grows, so the answer lies between the two.
    """
    own_per_share = terms.price_paise * terms.margin_bps
    if available_paise <= 0 or own_per_share <= 0:
        return 0
    high = available_paise * BPS // own_per_share
    if terms.product is Product.MTF:
        if loan_room_paise < 0:
            return 0
        lent_per_share = terms.price_paise * (BPS - terms.margin_bps)
        if lent_per_share:
            # The loan is the notional less an own share rounded up, so it is rounded down.
            high = min(high, ((loan_room_paise + 1) * BPS - 1) // lent_per_share)
    high //= terms.lot_size
    overhead = need(terms, high * terms.lot_size)
    if overhead.total_paise <= available_paise:
        return high * terms.lot_size
    spent_on_shares = available_paise - overhead.charges_paise - overhead.slack_paise
    low = max(0, spent_on_shares * BPS // own_per_share // terms.lot_size)
    while high - low > 1:
        middle = (low + high) // 2
        if need(terms, middle * terms.lot_size).total_paise <= available_paise:
            low = middle
        else:
            high = middle
    return low * terms.lot_size


def whole_lots(quantity: int, lot_size: int) -> int:
    """`quantity` down to whole lots."""
    return quantity // lot_size * lot_size
