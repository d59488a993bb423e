"""What orders would take of a client's own money and what they cost, as Kite's calculations answer.

Neither positions nor open orders count here: a buy takes its product's share of its value, a sale nothing.
"""

from datetime import date
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.simulators.kite.answers import bad_input
from brokers.simulators.kite.forms import Calculation, NotedOrder, read_calculations, read_traded
from brokers.simulators.serving.answers import Row, rupees
from brokers.simulators.serving.caller import Caller
from data.money import BPS
from data.reference.instruments import Instrument
from data.reference.rates import estimate
from data.vocabulary import Side

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite

RATES = "zerodha"
"""Whose charges a calculation shows."""


async def order_margins(kite: "LocalKite", request: web.Request, _caller: Caller) -> object:
    """The margin of each order by itself, in their order; one that is refused leaves no answer to any."""
    asked = read_calculations(await _body(request))
    quotes = await kite.venue.quotes({one.key for one in asked})
    rows: list[Row] = []
    for one in asked:
        quote, listing = quotes.get(one.key), kite.venue.listing(one.key)
        if quote is None or listing is None or not listing.instrument.tradable:
            raise bad_input(f"The instrument {one.key} does not exist.")
        price = quote.last_paise if one.price_paise is None else one.price_paise
        rows.append(_row(one, listing.instrument, one.quantity * price, kite.venue.market.trading_day))
    return rows


async def order_charges(kite: "LocalKite", request: web.Request, _caller: Caller) -> object:
    """The charges of each traded order by itself, in their order: the virtual contract note."""
    rows: list[Row] = []
    for one in read_traded(await _body(request)):
        listing = kite.venue.listing(f"{one.exchange}:{one.tradingsymbol}")
        if listing is None or not listing.instrument.tradable:
            raise bad_input(f"The instrument {one.exchange}:{one.tradingsymbol} does not exist.")
        rows.append(
            {
                "transaction_type": one.side.value,
                "tradingsymbol": one.tradingsymbol,
                "exchange": one.exchange,
                "variety": "regular",
                "product": one.product.value,
                "order_type": "MARKET",
                "quantity": one.quantity,
                "price": float(one.average_rupees),
                "charges": _charges(one, one.value_paise, kite.venue.market.trading_day),
            }
        )
    return rows


async def _body(request: web.Request) -> bytes:
    if request.content_type != "application/json":
        raise bad_input("The `Content-Type` should be application/json.")
    return await request.read()


def _row(one: Calculation, instrument: Instrument, value_paise: int, day: date) -> Row:
    own_bps = instrument.margin_bps(one.product)
    if own_bps is None:
        raise bad_input(f"{one.product} is not allowed for {one.tradingsymbol}.")
    # A float with the noise that Kite's own figures carry.
    total = rupees(value_paise) * own_bps / BPS if one.side is Side.BUY else 0
    return {
        "type": "equity",
        "tradingsymbol": one.tradingsymbol,
        "exchange": one.exchange,
        "span": 0,
        "exposure": 0,
        "option_premium": 0,
        "additional": 0,
        "bo": 0,
        "cash": 0,
        "var": total,
        "pnl": {"realised": 0, "unrealised": 0},
        "leverage": BPS / own_bps,
        "charges": _charges(one, value_paise, day),
        "total": total,
    }


def _charges(one: Calculation | NotedOrder, value_paise: int, day: date) -> Row:
    charges = estimate(day, RATES, one.exchange, one.product, one.side, value_paise)
    gst = rupees(charges.gst_paise)
    return {
        "transaction_tax": rupees(charges.stt_paise),
        "transaction_tax_type": "stt",
        "exchange_turnover_charge": rupees(charges.exchange_paise),
        "sebi_turnover_charge": rupees(charges.sebi_paise),
        "brokerage": rupees(charges.brokerage_paise),
        "stamp_duty": rupees(charges.stamp_paise),
        "gst": {"igst": gst, "cgst": 0, "sgst": 0, "total": gst},
        "total": rupees(charges.total_paise),
    }
