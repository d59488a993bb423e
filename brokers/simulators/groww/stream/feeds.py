"""What the feed tells: prices and depth of an instrument, and the updates of a client's orders."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from msgspec import Struct

from brokers.contract import DepthLevel
from brokers.simulators.exchange.prices import Listing, Quote
from brokers.simulators.groww.names import exchange_token
from brokers.simulators.groww.stream import wire
from brokers.simulators.groww.switches import GrowwSwitches
from brokers.simulators.serving.answers import Row, rupees
from brokers.simulators.serving.protobuf import encode
from data.clock import IST

ORDERS, DERIVATIVE_ORDERS, POSITIONS = (
    "stocks/order/updates.apex.",
    "stocks_fo/order/updates.apex.",
    "stocks_fo/position/updates.apex.",
)
"""What the subjects of one account begin with, before its own word. Derivatives do not trade here."""

OF_ACCOUNT = (ORDERS, DERIVATIVE_ORDERS, POSITIONS)

_LEVELS = 5


class FeedSubject(Struct, frozen=True):
    """What a subject of the market, by its text, names: an exchange's token, and what of it is told."""

    text: str
    exchange: str
    token: str
    kind: str
    index: bool


def subject_of(text: str) -> FeedSubject | None:
    """A subject of the market such as `/ld/eq/nse/price.2885`; None where it is none."""
    path, dot, token = text.rpartition(".")
    match path.split("/"):
        case ["", "ld", ("eq" | "indices") as group, ("nse" | "bse") as exchange, kind] if dot and token:
            known = ("price",) if group == "indices" else ("price", "price_detailed", "book")
            return (
                FeedSubject(text, exchange.upper(), token, kind, group == "indices")
                if kind in known
                else None
            )
        case _:
            return None


def market_message(listing: Listing, quote: Quote, kind: str, at: datetime, switches: GrowwSwitches) -> bytes:
    """One instrument's message of a kind at a moment."""
    instrument = listing.instrument
    told: Row = {
        "symbol": exchange_token(instrument),
        "exchange": wire.EXCHANGES[instrument.exchange],
    }
    at_ms = float(int(at.timestamp() * 1_000))
    if not instrument.tradable:
        told["stocksLiveIndices"] = {"tsInMillis": at_ms, "value": _price(quote.last_paise, switches)}
    elif kind == "book":
        told["stocksMarketDepth"] = {
            "tsInMillis": at_ms,
            "buyBook": _book(quote.bids, switches),
            "sellBook": _book(quote.asks, switches),
        }
    else:
        told["stockLivePrice"] = _prices(
            quote, at_ms, switches, whole=kind != "price" or switches.whole_ticks
        )
    return encode(wire.MESSAGES, "StocksSocketResponseProtoDto", told)


def _prices(quote: Quote, at_ms: float, switches: GrowwSwitches, *, whole: bool) -> dict[str, float]:
    """The last price and its time, with the day's figures where they are told."""
    told = {"tsInMillis": at_ms, "ltp": _price(quote.last_paise, switches)}
    if not whole:
        return told
    paise = {
        "open": quote.open_paise,
        "high": quote.high_paise,
        "low": quote.low_paise,
        "close": quote.prev_close_paise,
        "avgPrice": quote.average_paise,
        "highPriceRange": quote.upper_circuit_paise,
        "lowPriceRange": quote.lower_circuit_paise,
    }
    quantities = {
        "volume": quote.volume,
        "bidQty": sum(level.quantity for level in quote.bids),
        "offerQty": sum(level.quantity for level in quote.asks),
    }
    told |= {name: _price(price, switches) for name, price in paise.items()}
    return told | {name: float(quantity) for name, quantity in quantities.items()}


def _book(levels: tuple[DepthLevel, ...], switches: GrowwSwitches) -> dict[int, dict[str, float]]:
    return {
        number: {"price": _price(level.price_paise, switches), "qty": float(level.quantity)}
        for number, level in enumerate(levels[:_LEVELS], 1)
    }


def _price(paise: int, switches: GrowwSwitches) -> float:
    return float(paise) if switches.ticks_in_paise else rupees(paise)


def order_message(row: Mapping[str, Any], isin: str, switches: GrowwSwitches) -> bytes:
    """An order's update from its row, in which no reference is told."""
    status = "APPROVED" if row["order_status"] == "OPEN" else row["order_status"]
    unit = 100 if switches.updates_in_paise else 1
    update = {
        "qty": row["quantity"],
        "price": round(row["price"] * unit),
        "triggerPrice": round(row["trigger_price"] * unit),
        "filledQty": row["filled_quantity"],
        "remainingQty": row["remaining_quantity"],
        "avgFillPrice": round(row["average_fill_price"] * unit),
        "growwOrderId": row["groww_order_id"],
        "exchangeOrderId": row["exchange_order_id"],
        "orderStatus": wire.STATUSES.get(status, wire.UNHEARD_OF),
        "duration": wire.DURATIONS[row["validity"]],
        "exchange": wire.EXCHANGES[row["exchange"]],
        "product": wire.PRODUCTS[row["product"]],
        "orderType": wire.ORDER_TYPES[row["order_type"]],
        "buySell": wire.SIDES[row["transaction_type"]],
        "remark": row["remark"],
        "contractId": isin,
    }
    stages = [
        {"timeStampFromMidNight": _since_midnight(one["at"]), "stageName": one["stage"]}
        for one in row["stages"]
    ]
    told = {"stageAndTimeStamp": stages, "orderDetailUpdateDto": update}
    return encode(wire.MESSAGES, "OrderDetailsBroadCastDto", told)


def _since_midnight(at: str) -> float:
    moment = datetime.fromisoformat(at).astimezone(IST)
    return (moment - datetime.combine(moment.date(), time(), IST)).total_seconds()
