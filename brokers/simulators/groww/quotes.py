"""Quotes as Groww's rows (documentation, "live data"); an index has no depth and no quantities."""

from datetime import datetime

from brokers.contract import DepthLevel
from brokers.simulators.exchange.prices import Quote
from brokers.simulators.groww.names import amount
from brokers.simulators.serving.answers import Row

_LEVELS = 5
_NO_LEVEL: Row = {"price": 0, "quantity": 0}


def ohlc_of(quote: Quote, *, as_text: bool) -> Row | str:
    """The day's prices and the close of the day before: a text in braces, as in the samples, or an object."""
    prices = {
        "open": amount(quote.open_paise),
        "high": amount(quote.high_paise),
        "low": amount(quote.low_paise),
        "close": amount(quote.prev_close_paise),
    }
    if not as_text:
        return prices
    told = ",".join(f"{name}: {price}" for name, price in prices.items())
    return f"{{{told}}}"


def full_row(quote: Quote, at: datetime, *, as_text: bool) -> Row:
    """The whole quote of one instrument."""
    change = quote.last_paise - quote.prev_close_paise
    best_bid, best_ask = (side[0] if side else DepthLevel(0, 0, 0) for side in (quote.bids, quote.asks))
    return {
        "average_price": amount(quote.average_paise),
        "bid_quantity": best_bid.quantity,
        "bid_price": amount(best_bid.price_paise),
        "day_change": amount(change),
        "day_change_perc": change * 100 / quote.prev_close_paise if quote.prev_close_paise else 0,
        "upper_circuit_limit": amount(quote.upper_circuit_paise),
        "lower_circuit_limit": amount(quote.lower_circuit_paise),
        "ohlc": ohlc_of(quote, as_text=as_text),
        "depth": {"buy": _levels(quote.bids), "sell": _levels(quote.asks)},
        "high_trade_range": amount(quote.upper_circuit_paise),
        "implied_volatility": None,
        "last_trade_quantity": 1 if quote.bids or quote.asks else 0,
        "last_trade_time": int(at.timestamp() * 1_000),
        "low_trade_range": amount(quote.lower_circuit_paise),
        "last_price": amount(quote.last_paise),
        "market_cap": None,
        "offer_price": amount(best_ask.price_paise),
        "offer_quantity": best_ask.quantity,
        "oi_day_change": None,
        "oi_day_change_percentage": None,
        "open_interest": None,
        "previous_open_interest": None,
        "total_buy_quantity": sum(level.quantity for level in quote.bids),
        "total_sell_quantity": sum(level.quantity for level in quote.asks),
        "volume": quote.volume,
        "week_52_high": None,
        "week_52_low": None,
    }


def _levels(levels: tuple[DepthLevel, ...]) -> list[Row]:
    shown = [{"price": amount(one.price_paise), "quantity": one.quantity} for one in levels[:_LEVELS]]
    return shown + [_NO_LEVEL] * (_LEVELS - len(shown))
