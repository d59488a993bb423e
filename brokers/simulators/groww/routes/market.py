"""What is told of the market: instruments, quotes and candles."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.contract import Bar, BarSpan
from brokers.simulators.exchange.history import prices_before
from brokers.simulators.exchange.prices import Listing, Quote
from brokers.simulators.groww.answers import NOT_AUTHORISED, GrowwFault, bad_request
from brokers.simulators.groww.market import instruments_file
from brokers.simulators.groww.names import CASH, EXCHANGES, amount, check_segment, find
from brokers.simulators.groww.quotes import full_row, ohlc_of
from brokers.simulators.serving.answers import stamp
from brokers.simulators.serving.caller import Caller
from data.clock import IST

if TYPE_CHECKING:
    from brokers.simulators.groww.server import LocalGroww

MOST_SYMBOLS = 50
"""Instruments that one call may name."""

_SPANS = {
    "1minute": (BarSpan.MINUTE, 30),
    "5minute": (BarSpan.FIVE, 30),
    "15minute": (BarSpan.FIFTEEN, 90),
    "1day": (BarSpan.DAY, 180),
}
"""The intervals that are served, with the most days of one request."""


async def instruments(groww: "LocalGroww", _request: web.Request) -> object:
    """The file of instruments, made once a trading day and for each way of telling it."""
    switches = groww.switches
    made_as = (groww.venue.market.trading_day.isoformat(), switches.tick_in_paise, switches.more_columns)
    if groww.file is None or groww.file[0] != made_as:
        groww.file = (made_as, instruments_file((await groww.venue.listings()).values(), switches))
    return web.Response(body=groww.file[1], content_type="text/csv")


# --- quotes ---------------------------------------------------------------------------------------------


async def quote(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """The whole quote of one instrument."""
    _check_data(groww, caller)
    segment, symbol = check_segment(request.query), request.query.get("trading_symbol")
    found = await _quoted(groww, segment, [(request.query.get("exchange", ""), symbol or "")])
    if not found:
        raise bad_request(f"Invalid trading_symbol: {symbol}")
    return full_row(found[0][2], groww.venue.market.now(), as_text=groww.switches.ohlc_as_text)


async def last_prices(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """Last prices by exchange and symbol; one that is not listed is left out."""
    return {name: amount(one.last_paise) for name, _, one in await _asked(groww, request, caller)}


async def ohlc(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """The day's prices, likewise."""
    as_text = groww.switches.ohlc_as_text
    return {name: ohlc_of(one, as_text=as_text) for name, _, one in await _asked(groww, request, caller)}


async def _asked(
    groww: "LocalGroww", request: web.Request, caller: Caller
) -> Sequence[tuple[str, Listing, Quote]]:
    """What `exchange_symbols` names: one list with commas, or the parameter again and again."""
    _check_data(groww, caller)
    segment = check_segment(request.query)
    given = ",".join(request.query.getall("exchange_symbols", []))
    names = list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    if not names:
        raise bad_request("exchange_symbols is required")
    if len(names) > MOST_SYMBOLS:
        raise bad_request(f"At most {MOST_SYMBOLS} instruments are allowed")
    pairs = [(exchange, symbol) for exchange, _, symbol in (name.partition("_") for name in names)]
    if any(exchange not in EXCHANGES for exchange, _ in pairs):
        raise bad_request(f"Invalid exchange_symbols: {given}")
    return await _quoted(groww, segment, pairs)


def _check_data(groww: "LocalGroww", caller: Caller) -> None:
    """Prices are a subscription of their own. Raises `Turned`."""
    if caller.user_id in groww.switches.without_data:
        raise GrowwFault(NOT_AUTHORISED, "The market data subscription is missing", 403)


async def _quoted(
    groww: "LocalGroww", segment: str | None, pairs: Sequence[tuple[str, str]]
) -> Sequence[tuple[str, Listing, Quote]]:
    if segment != CASH:
        return []
    listed = [(f"{pair[0]}_{pair[1]}", await find(groww.venue, *pair)) for pair in pairs]
    quotes = await groww.venue.quotes({one.instrument.key for _, one in listed if one is not None})
    return [(name, one, quotes[one.instrument.key]) for name, one in listed if one is not None]


# --- candles --------------------------------------------------------------------------------------------


async def candles(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """The candles that begin within a time; of a price that is held still there are none."""
    _check_data(groww, caller)
    interval = request.query.get("candle_interval", "")
    if interval not in _SPANS:
        raise bad_request(f"Invalid candle_interval: {interval}")
    span, most_days = _SPANS[interval]
    since, until = (_moment(request, name) for name in ("start_time", "end_time"))
    if until - since > timedelta(days=most_days):
        raise bad_request(f"At most {most_days} days of {interval} are allowed")
    exchange, _, symbol = request.query.get("groww_symbol", "").partition("-")
    listing = await find(groww.venue, exchange, symbol) if check_segment(request.query) == CASH else None
    if listing is None or exchange != request.query.get("exchange"):
        raise bad_request(f"Invalid groww_symbol: {request.query.get('groww_symbol')}")
    before = await groww.venue.read(partial(prices_before, groww.exchange, listing.instrument.key))
    bars = []
    if before is not None:
        bars = await asyncio.to_thread(before.bars, span, since, until + timedelta(seconds=1))
    return {
        "candles": [_candle(bar) for bar in bars],
        "closing_price": amount(bars[-1].close_paise) if bars else None,
        "start_time": stamp(bars[0].at) if bars else None,
        "end_time": stamp(bars[-1].at) if bars else None,
        "interval_in_minutes": span.minutes or 1_440,
    }


def _moment(request: web.Request, name: str) -> datetime:
    given = request.query.get(name, "").replace("T", " ")
    if given.isascii() and given.isdigit() and len(given) <= 10:
        return datetime.fromtimestamp(int(given), IST)
    try:
        return datetime.strptime(given, "%Y-%m-%d %H:%M:%S").replace(tzinfo=IST)
    except ValueError:
        raise bad_request(f"Invalid {name}: {given}") from None


def _candle(bar: Bar) -> list[str | int | float | None]:
    """Time, open, high, low, close, volume, and open interest, of which a share has none."""
    prices = (bar.open_paise, bar.high_paise, bar.low_paise, bar.close_paise)
    return [stamp(bar.at).replace(" ", "T"), *(amount(price) for price in prices), bar.volume, None]
