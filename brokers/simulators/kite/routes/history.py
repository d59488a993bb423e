"""Candles of the market's walk as Kite sends them (Kite Connect documentation, historical candle data)."""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.contract import Bar, BarSpan
from brokers.simulators.exchange.history import prices_before
from brokers.simulators.kite.answers import bad_input
from brokers.simulators.kite.books.rows import kite_token
from brokers.simulators.serving.answers import rupees
from brokers.simulators.serving.caller import Caller
from data.clock import IST

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite

_SPANS = {
    "minute": (BarSpan.MINUTE, 60),
    "5minute": (BarSpan.FIVE, 100),
    "15minute": (BarSpan.FIFTEEN, 200),
    "day": (BarSpan.DAY, 2_000),
}
"""The intervals that are served, with the most days of one request."""


async def candles(kite: "LocalKite", request: web.Request, _caller: Caller) -> object:
    """The candles that begin from `from` to `to`; of a price that is held still there are none."""
    token, interval = request.match_info["token"], request.match_info["interval"]
    if interval not in _SPANS:
        raise bad_input("invalid interval")
    span, most_days = _SPANS[interval]
    since, until = (_moment(request, name) for name in ("from", "to"))
    if until - since > timedelta(days=most_days):
        raise bad_input(f"interval exceeds max limit: {most_days} days")
    listings = await kite.venue.listings()
    keys = [key for key, one in listings.items() if f"{kite_token(one.instrument)}" == token]
    if not keys:
        raise bad_input("invalid token")
    before = await kite.venue.read(partial(prices_before, kite.exchange, keys[0]))
    if before is None:
        return {"candles": []}
    bars = await asyncio.to_thread(before.bars, span, since, until + timedelta(seconds=1))
    return {"candles": [_row(bar) for bar in bars]}


def _moment(request: web.Request, name: str) -> datetime:
    try:
        return datetime.strptime(request.query.get(name, ""), "%Y-%m-%d %H:%M:%S").replace(tzinfo=IST)
    except ValueError:
        raise bad_input(f"Invalid `{name}` date.") from None


def _row(bar: Bar) -> list[object]:
    at = bar.at.astimezone(IST).strftime("%Y-%m-%dT%H:%M:%S%z")
    prices = (bar.open_paise, bar.high_paise, bar.low_paise, bar.close_paise)
    return [at, *(rupees(price) for price in prices), bar.volume]
