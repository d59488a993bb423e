"""Charges of one client's day as its contract note has them: netted, and rounded as a note rounds.

Delivery or intraday follows from what is left of a security at an exchange when the day's buys and sells are
netted, not from the product (STT rules; brokers tax a delivery buy that is sold the same day as intraday).
What is netted is taken from each order in proportion, since the exchange nets at the day's average prices.
Trade-to-trade securities settle gross, so that nothing of them is netted. Brokerage is of an executed order;
STT is rounded to the rupee a security, stamp duty a note, half up; all other lines to the paisa, half up.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from msgspec import Struct

from data.money import half_up
from data.reference.rates import RATE_SCALE, Charges, Rates, rates_of
from data.vocabulary import Product, Side

_RUPEE = 100


class DayOrder(Struct, frozen=True):
    """What an order has traded on a day: shares, and paise at the prices of its fills."""

    order_id: int
    security: str
    exchange: str
    product: Product
    side: Side
    quantity: int
    notional_paise: int
    trade_to_trade: bool = False


class _NettedPart(Struct, frozen=True):
    """What of an order counts as intraday and what as delivery, in paise."""

    order: DayOrder
    intraday_paise: int
    delivery_paise: int


def note_charges(
    on: date, broker: str, orders: Sequence[DayOrder], left_demat: Mapping[str, int] | None = None
) -> Charges:
    """What a client's orders of a day cost, in paise.

    `left_demat` are the securities of which shares left the demat account that day, with the value of those
    sales in paise: each costs the depository's fee once. Shares on margin are pledged for a fee when they are
    bought and released for another when they leave. Raises `RatesNotLoaded` for a day before the tables.
    """
    parts = _parted(orders)
    brokerage = sum(_brokerage(on, broker, part) for part in parts)
    stt: dict[tuple[str, str], int] = defaultdict(int)
    stamp = sebi = gst_rate = 0
    fees: dict[str, int] = defaultdict(int)
    for part in parts:
        order = part.order
        for product, paise in ((Product.MIS, part.intraday_paise), (Product.CNC, part.delivery_paise)):
            rates = rates_of(on, broker, order.exchange, product, order.side)
            stt[order.security, order.exchange] += paise * rates.stt
            stamp += paise * rates.stamp
            fees[order.exchange] += paise * rates.exchange
            sebi += paise * rates.sebi
            gst_rate = rates.gst
    exchange_fee = sum(half_up(fee, RATE_SCALE) for fee in fees.values())
    sebi = half_up(sebi, RATE_SCALE)
    return Charges(
        brokerage_paise=brokerage,
        stt_paise=sum(_to_rupee(scaled) for scaled in stt.values()),
        exchange_paise=exchange_fee,
        sebi_paise=sebi,
        stamp_paise=_to_rupee(stamp),
        gst_paise=half_up((brokerage + exchange_fee + sebi) * gst_rate, RATE_SCALE),
        dp_paise=_depository(on, broker, orders, left_demat or {})
        + _pledges(on, broker, parts, left_demat or {}),
    )


def _to_rupee(scaled: int) -> int:
    """Paise over `RATE_SCALE` rounded to the rupee, in paise."""
    return half_up(scaled, RATE_SCALE * _RUPEE) * _RUPEE


def _parted(orders: Sequence[DayOrder]) -> list[_NettedPart]:
    """Each order's value, parted into what the day's netting leaves to delivery and what not."""
    sums: dict[tuple[str, str], dict[Side, int]] = defaultdict(lambda: dict.fromkeys(Side, 0))
    for order in orders:
        if not order.trade_to_trade:
            sums[order.security, order.exchange][order.side] += order.quantity
    parts: list[_NettedPart] = []
    for order in orders:
        traded = sums[order.security, order.exchange]
        netted = 0 if order.trade_to_trade else min(traded.values())
        intraday = order.notional_paise * netted // traded[order.side] if netted else 0
        parts.append(_NettedPart(order, intraday, order.notional_paise - intraday))
    return parts


def _brokerage(on: date, broker: str, part: _NettedPart) -> int:
    """What the broker takes for an executed order; one that is netted in part is charged once, at the cap."""
    order = part.order
    own = rates_of(on, broker, order.exchange, order.product, order.side)
    if order.product is Product.MTF or not part.intraday_paise:
        return _at_rate(own, order.notional_paise)
    within_day = rates_of(on, broker, order.exchange, Product.MIS, order.side)
    if not part.delivery_paise:
        return _at_rate(within_day, order.notional_paise)
    both = _at_rate(within_day, part.intraday_paise) + _at_rate(own, part.delivery_paise)
    caps = [cap for cap in (within_day.brokerage_cap_paise, own.brokerage_cap_paise) if cap is not None]
    return min(both, max(caps)) if caps else both


def _at_rate(rates: Rates, paise: int) -> int:
    taken = max(half_up(paise * rates.brokerage, RATE_SCALE), rates.brokerage_floor_paise)
    if rates.brokerage_cap_paise is not None:
        taken = min(taken, rates.brokerage_cap_paise)
    if rates.brokerage_ceiling is not None:
        taken = min(taken, half_up(paise * rates.brokerage_ceiling, RATE_SCALE))
    return taken


def _pledges(on: date, broker: str, parts: Iterable[_NettedPart], left_demat: Mapping[str, int]) -> int:
    """What it costs to pledge what was bought on margin, and to release what of it left the demat account.

    Each security once a day; what is netted within the day is never pledged.
    """
    moved = {
        (part.order.security, part.order.side): part.order.exchange
        for part in parts
        if part.order.product is Product.MTF and part.delivery_paise
    }
    return sum(
        rates_of(on, broker, exchange, Product.MTF, side).pledge_paise
        for (security, side), exchange in moved.items()
        if side is Side.BUY or security in left_demat
    )


def _depository(on: date, broker: str, orders: Iterable[DayOrder], left_demat: Mapping[str, int]) -> int:
    exchanges = {order.security: order.exchange for order in orders}
    total = 0
    for security, sold_paise in left_demat.items():
        if security in exchanges:
            rates = rates_of(on, broker, exchanges[security], Product.CNC, Side.SELL)
            small = sold_paise < rates.dp_small_sale_below_paise
            total += rates.dp_small_sale_paise if small else rates.dp_paise
    return total
