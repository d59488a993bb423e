"""A client's money as Groww's row, and what an order would take of it (documentation, "margin")."""

from brokers.contract import BrokerFunds
from brokers.simulators.groww.names import amount
from brokers.simulators.serving.answers import Row
from data.money import BPS
from data.reference.instruments import Instrument
from data.reference.rates import Charges
from data.vocabulary import Product, Side


def funds_row(funds: BrokerFunds, opening_paise: int, payout_paise: int) -> Row:
    """Money in rupees: what the day began with, what orders and trades have used of it, and what is left."""
    used = max(0, opening_paise - funds.available_paise - payout_paise)
    left = amount(funds.available_paise)
    return {
        "clear_cash": amount(funds.available_paise + used),
        "net_margin_used": amount(used),
        "brokerage_and_charges": 0,
        "collateral_used": 0,
        "collateral_available": 0,
        "adhoc_margin": 0,
        "fno_margin_details": {
            "net_fno_margin_used": 0,
            "span_margin_used": 0,
            "exposure_margin_used": 0,
            "future_balance_available": left,
            "option_buy_balance_available": left,
            "option_sell_balance_available": left,
        },
        "equity_margin_details": {
            "net_equity_margin_used": amount(used),
            "cnc_margin_used": amount(used),
            "mis_margin_used": 0,
            "cnc_balance_available": left,
            "mis_balance_available": left,
        },
        "commodity_margin_details": {
            "commodity_span_margin": 0,
            "commodity_exposure_margin": 0,
            "commodity_tender_margin": 0,
            "commodity_special_margin": 0,
            "commodity_additional_margin": 0,
            "commodity_unrealised_m2m": 0,
            "commodity_realised_m2m": 0,
        },
    }


def margin_row(
    instrument: Instrument, product: Product, side: Side, value_paise: int, charges: Charges
) -> Row | None:
    """What one order takes beside its charges; None where the product is not offered.

    Neither positions nor open orders count: a buy takes its product's share of its value, a sale nothing.
    """
    own_bps = instrument.margin_bps(product)
    if own_bps is None:
        return None
    own = value_paise * own_bps // BPS if side is Side.BUY else 0
    cnc, mis = (own, 0) if product is Product.CNC else (0, own)
    return {
        "exposure_required": 0,
        "span_required": 0,
        "option_buy_premium": 0,
        "brokerage_and_charges": amount(charges.total_paise),
        "total_requirement": amount(own + charges.total_paise),
        "cash_cnc_margin_required": amount(cnc),
        "cash_mis_margin_required": amount(mis),
        "physical_delivery_margin_requirement": 0,
    }
