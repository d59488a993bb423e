"""Candles of the market's walk as Upstox sends them (developer documentation, historical candles v3).

Anybody may call for them: the official client sends no token here.
"""

import asyncio
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.contract import Bar, BarSpan
from brokers.simulators.exchange.history import prices_before
from brokers.simulators.serving.answers import rupees
from brokers.simulators.upstox.answers import invalid
from data.clock import IST

if TYPE_CHECKING:
    from brokers.simulators.upstox.server import LocalUpstox

_SPANS = {
    ("minutes", "1"): (BarSpan.MINUTE, 31),
    ("minutes", "5"): (BarSpan.FIVE, 31),
    ("minutes", "15"): (BarSpan.FIFTEEN, 31),
    ("days", "1"): (BarSpan.DAY, 3_653),
}
"""The units and intervals that are served, with the most days of one request: a month, a decade."""

_DAY = timedelta(days=1)


async def of_days_over(upstox: "LocalUpstox", request: web.Request) -> object:
    """Candles from one day to another, of those that are over; newest first."""
    span, most_days = _span(request)
    ends, first = _day(request, "to"), _day(request, "from")
    if not timedelta() <= ends - first <= timedelta(days=most_days):
        raise invalid("from_date", f"{first}", f"The dates span more than {most_days} days or none")
    today = upstox.venue.market.trading_day
    if not upstox.switches.candles_of_today:
        ends = min(ends, today - _DAY)
    return await _candles(upstox, request, span, first, ends)


async def of_today(upstox: "LocalUpstox", request: web.Request) -> object:
    """The trading day's candles so far, newest first."""
    span, _ = _span(request)
    today = upstox.venue.market.trading_day
    return await _candles(upstox, request, span, today, today)


async def _candles(
    upstox: "LocalUpstox", request: web.Request, span: BarSpan, first: date, last: date
) -> object:
    key = request.match_info["key"]
    listing = await upstox.keys.find(key)
    if listing is None:
        raise invalid("instrument_key", key, "Invalid instrument key", "UDAPI100011")
    before = await upstox.venue.read(partial(prices_before, upstox.exchange, listing.instrument.key))
    if before is None or last < first:  # of a price that is held still there are none
        return {"candles": []}
    since, until = (datetime.combine(day, time(), IST) for day in (first, last + _DAY))
    bars = await asyncio.to_thread(before.bars, span, since, until)
    return {"candles": [_row(bar) for bar in reversed(bars)]}


def _span(request: web.Request) -> tuple[BarSpan, int]:
    unit, interval = request.match_info["unit"], request.match_info["interval"]
    if (unit, interval) not in _SPANS:
        raise invalid("interval", f"{unit}/{interval}")
    return _SPANS[unit, interval]


def _day(request: web.Request, name: str) -> date:
    given = request.match_info[name]
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise invalid(f"{name}_date", given) from None


def _row(bar: Bar) -> list[object]:
    prices = (bar.open_paise, bar.high_paise, bar.low_paise, bar.close_paise)
    return [bar.at.astimezone(IST).isoformat(), *map(rupees, prices), bar.volume, 0]
