"""What an order would take of a client's own money and what it costs (documentation, "margin", "brokerage").

Neither positions nor open orders count here: a buy takes its product's share of its value, a sale nothing.
"""

from datetime import date

from brokers.simulators.serving.answers import Row, rupees
from data.money import BPS
from data.reference.instruments import Instrument
from data.reference.rates import estimate
from data.vocabulary import Product, Side

RATES = "upstox"
"""Whose charges a calculation shows."""


def margin_row(instrument: Instrument, product: Product, side: Side, value_paise: int) -> Row | None:
    """The margin of one order; None where the product is not offered."""
    own_bps = instrument.margin_bps(product)
    if own_bps is None:
        return None
    # A float with the noise that such figures carry.
    total = rupees(value_paise) * own_bps / BPS if side is Side.BUY else 0.0
    return {
        "span_margin": 0.0,
        "exposure_margin": 0.0,
        "equity_margin": total,
        "net_buy_premium": 0.0,
        "additional_margin": 0.0,
        "total_margin": total,
        "tender_margin": 0.0,
    }


def charges_row(day: date, exchange: str, product: Product, side: Side, value_paise: int) -> Row:
    """The charges of one order that trades whole."""
    charges = estimate(day, RATES, exchange, product, side, value_paise)
    taxes = {
        "gst": rupees(charges.gst_paise),
        "stt": rupees(charges.stt_paise),
        "stamp_duty": rupees(charges.stamp_paise),
    }
    others = {
        "transaction": rupees(charges.exchange_paise),
        "clearing": 0.0,
        "ipft": 0.0,
        "sebi_turnover": rupees(charges.sebi_paise),
    }
    return {
        "charges": {
            "total": rupees(charges.total_paise),
            "brokerage": rupees(charges.brokerage_paise),
            "taxes": taxes,
            "other_taxes": others,
            "dp_plan": {"name": "FREE", "min_expense": rupees(charges.dp_paise)},
        }
    }
