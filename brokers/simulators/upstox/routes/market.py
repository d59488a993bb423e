"""What is told of the market: instruments, quotes, and when it trades."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.caller import Caller
from brokers.simulators.upstox.answers import Fault, invalid
from brokers.simulators.upstox.market import FILES, instruments_file
from brokers.simulators.upstox.quotes import full_row, ltp_row, ohlc_row, quote_key
from brokers.simulators.upstox.stream.feeds import state_of
from brokers.simulators.upstox.stream.wire import STATES
from data.clock import IST
from data.vocabulary import PhaseKind

if TYPE_CHECKING:
    from brokers.simulators.upstox.server import LocalUpstox

MOST_KEYS = 500
"""Instruments that one call may name."""

EXCHANGES = ("NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX", "NSCOM")
"""Exchanges whose state may be asked for; the first two trade here."""

_TRADING = frozenset(EXCHANGES[:2])


async def instruments(upstox: "LocalUpstox", request: web.Request) -> object:
    """A file of instruments, made once a trading day."""
    name = request.match_info["name"]
    if name not in FILES:
        raise Fault("UDAPI100060", f"Resource not found: {request.path}", 404)
    day = upstox.venue.market.trading_day.isoformat()
    known = upstox.files.get(name)
    if known is None or known[0] != day:
        listings = (await upstox.venue.listings()).values()
        known = upstox.files[name] = (day, instruments_file(name, listings, upstox.switches))
    return web.Response(body=known[1], content_type="application/gzip")


# --- quotes ---------------------------------------------------------------------------------------------


async def last_prices(upstox: "LocalUpstox", request: web.Request, _caller: Caller) -> object:
    """Last prices, version 3."""
    return await _quotes(upstox, request, "ltp")


async def candles(upstox: "LocalUpstox", request: web.Request, _caller: Caller) -> object:
    """The day's candles, version 3."""
    if request.query.get("interval") not in ("1d", "I1", "I30"):
        raise invalid("interval", request.query.get("interval"))
    return await _quotes(upstox, request, "ohlc")


async def full_quotes(upstox: "LocalUpstox", request: web.Request, _caller: Caller) -> object:
    """Whole quotes, of version 2 or 3."""
    return await _quotes(upstox, request, "full")


async def _quotes(upstox: "LocalUpstox", request: web.Request, kind: str) -> Row:
    """Rows by segment and symbol; keys that are not listed are left out."""
    given = request.query.get("instrument_key") or request.query.get("symbol", "")  # the SDK's word in v2
    keys = [key for key in given.split(",") if key]
    if not keys:
        raise invalid("instrument_key", None, "The instrument key is required", "UDAPI1009")
    if len(keys) > MOST_KEYS:
        raise invalid("instrument_key", len(keys), f"At most {MOST_KEYS} keys are allowed", "UDAPI100043")
    malformed = next((key for key in keys if "|" not in key), None)
    if malformed is not None:
        raise invalid("instrument_key", malformed, "Invalid instrument key", "UDAPI1087")
    listings = [listing for key in dict.fromkeys(keys) if (listing := await upstox.keys.find(key))]
    quotes = await upstox.venue.quotes({one.instrument.key for one in listings})
    now, day_ms = upstox.venue.market.now(), _ms(upstox.venue.market.trading_day, time())
    version = 3 if request.path.startswith("/v3/") else 2
    rows: Row = {}
    for listing in listings:
        quote = quotes[listing.instrument.key]
        name = quote_key(listing.instrument)
        match kind:
            case "ltp":
                rows[name] = ltp_row(listing, quote)
            case "ohlc":
                rows[name] = ohlc_row(listing, quote, day_ms)
            case _:
                rows[name] = full_row(listing, quote, now, version=version)
    return rows


# --- when it trades -------------------------------------------------------------------------------------


async def status(upstox: "LocalUpstox", request: web.Request, _caller: Caller) -> object:
    """The state of an exchange now."""
    exchange = request.match_info["exchange"]
    if exchange not in EXCHANGES:
        raise invalid("exchange", exchange)
    listings = (await upstox.venue.listings()).values()
    share = next((one for one in listings if one.instrument.tradable), None)
    trades = exchange in _TRADING and share is not None
    state = STATES[state_of(upstox.venue.phase(share) if trades and share else PhaseKind.CLOSED)]
    now_ms = int(upstox.venue.market.now().timestamp() * 1_000)
    return {"exchange": exchange, "status": state, "last_updated": now_ms}


async def holidays(upstox: "LocalUpstox", request: web.Request) -> object:
    """The trading holidays of the year, or what there is of one date."""
    asked = _date(request) if "date" in request.match_info else None
    year = (asked or upstox.venue.market.trading_day).year
    known, _ = upstox.calendar.holidays_of(year)
    return [
        {
            "date": day.isoformat(),
            "description": name,
            "holiday_type": "TRADING_HOLIDAY",
            "closed_exchanges": list(EXCHANGES[:6]),
            "open_exchanges": [],
        }
        for day, name in sorted(known.items())
        if asked in (None, day)
    ]


async def timings(upstox: "LocalUpstox", request: web.Request) -> object:
    """When each exchange trades on a date; nothing on a day on which none does."""
    day = _date(request)
    if not upstox.calendar.covers(day.year) or not upstox.calendar.is_trading_day(day):
        return []
    opens, closes = upstox.calendar.session_open(day), upstox.calendar.session_close(day)
    told = {"start_time": int(opens.timestamp() * 1_000), "end_time": int(closes.timestamp() * 1_000)}
    return [{"exchange": exchange, **told} for exchange in EXCHANGES[:2]]


def _date(request: web.Request) -> date:
    given = request.match_info["date"]
    try:
        day = date.fromisoformat(given)
    except ValueError:
        raise invalid("date", given) from None
    if abs(day - date(2026, 1, 1)) > timedelta(days=36_500):
        raise invalid("date", given)
    return day


def _ms(day: date, at: time) -> int:
    return int(datetime.combine(day, at, IST).timestamp() * 1_000)
