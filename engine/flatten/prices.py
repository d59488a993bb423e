"""At which limit an order of a flatten stands: protected first, then nearer to the band by steps. Pure."""

from brokers.contract import Tick
from data.money import BPS, ceil_div, tick_down, tick_up
from data.reference.instruments import Instrument
from data.vocabulary import Policy, Side
from engine.planning.sizing import PlanPrices, reserve_price

STEP_PARTS = 4
"""Each step goes this part of the way that is left to the band."""


def first_limit(side: Side, quote: Tick, instrument: Instrument, protection_bps: int) -> int:
    """The protected price, in paise: beyond the best opposite one by the protection, within the band."""
    prices = PlanPrices(
        quote.last_paise,
        quote.bid_paise,
        quote.ask_paise,
        quote.lower_circuit_paise,
        quote.upper_circuit_paise,
    )
    return reserve_price(side, None, prices, instrument.tick_paise, protection_bps, Policy.WORST)


def band_edge(side: Side, quote: Tick, instrument: Instrument, protection_bps: int) -> int:
    """The worst price of the day on the tick; where no band is known, as far again as the protection."""
    tick = instrument.tick_paise
    if side is Side.BUY:
        known = quote.upper_circuit_paise
        far = ceil_div(quote.last_paise * (BPS + 2 * protection_bps), BPS)
        return tick_down(known, tick) if known else tick_up(far, tick)
    known = quote.lower_circuit_paise
    far = quote.last_paise * (BPS - 2 * protection_bps) // BPS
    return tick_up(known, tick) if known else max(tick, tick_down(far, tick))


def next_limit(
    side: Side, limit_paise: int, quote: Tick, instrument: Instrument, protection_bps: int, last: bool
) -> int:
    """The limit of the next step: nearer to the band, or as the market protects it now; at last the band."""
    edge, tick = band_edge(side, quote, instrument, protection_bps), instrument.tick_paise
    if last:
        return edge
    fresh = first_limit(side, quote, instrument, protection_bps)
    step = max(tick, abs(edge - limit_paise) // STEP_PARTS // tick * tick)
    if side is Side.BUY:
        return min(edge, max(fresh, limit_paise + step))
    return max(edge, min(fresh, limit_paise - step))
