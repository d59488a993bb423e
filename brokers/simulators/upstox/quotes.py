"""Quotes as Upstox's rows (developer documentation, "market quotes" of versions 2 and 3)."""

from datetime import datetime

from brokers.contract import DepthLevel
from brokers.simulators.exchange.prices import Listing, Quote
from brokers.simulators.serving.answers import Row, rupees
from brokers.simulators.upstox.keys import instrument_key, segment_of
from data.clock import IST
from data.reference.instruments import Instrument

_LEVELS = 5
_NO_LEVEL: Row = {"quantity": 0, "price": 0.0, "orders": 0}


def quote_key(instrument: Instrument) -> str:
    """What quotes are keyed by: segment and symbol, with a colon between; an index by its name."""
    if not instrument.tradable:
        return instrument_key(instrument).replace("|", ":")
    return f"{segment_of(instrument)}:{instrument.tradingsymbol}"


def ltp_row(listing: Listing, quote: Quote) -> Row:
    """The last price, version 3."""
    return {
        "last_price": rupees(quote.last_paise),
        "instrument_token": instrument_key(listing.instrument),
        "ltq": 1 if quote.bids or quote.asks else 0,
        "volume": quote.volume,
        "cp": rupees(quote.prev_close_paise),
    }


def ohlc_row(listing: Listing, quote: Quote, day_ms: int) -> Row:
    """The day's candle, version 3; of the day before the close alone is known here."""
    close = rupees(quote.prev_close_paise)
    before: Row = {"open": close, "high": close, "low": close, "close": close, "volume": 0}
    return {
        "last_price": rupees(quote.last_paise),
        "instrument_token": instrument_key(listing.instrument),
        "prev_ohlc": before | {"ts": day_ms - 86_400_000},
        "live_ohlc": {**_ohlc(quote), "volume": quote.volume, "ts": day_ms},
    }


def full_row(listing: Listing, quote: Quote, at: datetime, *, version: int) -> Row:
    """The whole quote; an index has no depth, no volume and no trades."""
    row: Row = {
        "ohlc": _ohlc(quote),
        "depth": {"buy": _levels(quote.bids), "sell": _levels(quote.asks)},
        "timestamp": at.astimezone(IST).isoformat(timespec="milliseconds"),
        "instrument_token": instrument_key(listing.instrument),
        "symbol": listing.instrument.tradingsymbol,
        "last_price": rupees(quote.last_paise),
        "volume": quote.volume,
        "average_price": rupees(quote.average_paise),
        "oi": 0.0,
        "net_change": rupees(quote.last_paise - quote.prev_close_paise),
        "total_buy_quantity": float(sum(level.quantity for level in quote.bids)),
        "total_sell_quantity": float(sum(level.quantity for level in quote.asks)),
        "lower_circuit_limit": rupees(quote.lower_circuit_paise),
        "upper_circuit_limit": rupees(quote.upper_circuit_paise),
        "last_trade_time": str(int(at.timestamp() * 1_000)),
        "oi_day_high": 0.0,
        "oi_day_low": 0.0,
    }
    if version == 3:
        row |= {"prev_close_price": rupees(quote.prev_close_paise), "previous_oi": 0.0, "cas_eligible": False}
    return row


def _ohlc(quote: Quote) -> Row:
    prices = (quote.open_paise, quote.high_paise, quote.low_paise, quote.last_paise)
    return dict(zip(("open", "high", "low", "close"), map(rupees, prices), strict=True))


def _levels(levels: tuple[DepthLevel, ...]) -> list[Row]:
    shown = [
        {"quantity": level.quantity, "price": rupees(level.price_paise), "orders": level.orders}
        for level in levels[:_LEVELS]
    ]
    return shown + [_NO_LEVEL] * (_LEVELS - len(shown))
