"""What the market stream tells of an instrument in each mode, and of the segments."""

from datetime import datetime
from typing import Any

from brokers.contract import DepthLevel
from brokers.simulators.exchange.prices import Quote
from brokers.simulators.serving.answers import rupees
from brokers.simulators.upstox.stream import wire
from data.vocabulary import PhaseKind

LTPC, FULL, GREEKS, DEEP = "ltpc", "full", "option_greeks", "full_d30"
MODES = (LTPC, FULL, GREEKS, DEEP)
"""How much of an instrument a subscription carries."""

MOST_KEYS = {LTPC: (5_000, 2_000), GREEKS: (3_000, 2_000), FULL: (2_000, 1_500), DEEP: (50, 50)}
"""Instruments of one socket in a mode: where it is the only mode, and where others are beside it."""

_LEVELS = {FULL: 5, DEEP: 30}
_STATES = {
    PhaseKind.CONTINUOUS: wire.NORMAL_OPEN,
    PhaseKind.PRE_OPEN: wire.PRE_OPEN_START,
    PhaseKind.PRE_OPEN_LIMIT_ONLY: wire.PRE_OPEN_START,
    PhaseKind.PRE_OPEN_MATCHING: wire.PRE_OPEN_END,
    PhaseKind.POST_CLOSE: wire.CLOSING_START,
}

SEGMENTS = ("NSE_EQ", "NSE_INDEX", "BSE_EQ", "BSE_INDEX", "NSE_FO", "BSE_FO", "NCD_FO", "BCD_FO", "MCX_FO")
"""Segments whose state is told."""


def feed(quote: Quote, mode: str, at_ms: int, day_ms: int) -> bytes:
    """One instrument's `Feed` at a moment, both in epoch milliseconds; `day_ms` is when its day began."""
    ltpc = {
        "ltp": rupees(quote.last_paise),
        "ltt": at_ms,
        "ltq": 1 if quote.bids or quote.asks else 0,
        "cp": rupees(quote.prev_close_paise),
    }
    told: dict[str, Any] = {}
    match mode:
        case "ltpc":
            told["ltpc"] = ltpc
        case "option_greeks":
            told["firstLevelWithGreeks"] = {
                "ltpc": ltpc,
                "firstDepth": _levels(quote, 1)[0],
                "optionGreeks": {},
                "vtt": quote.volume,
            }
        case _:
            told["fullFeed"] = _full(quote, ltpc, _LEVELS[mode], day_ms)
    return wire.encode("Feed", told | {"requestMode": wire.REQUEST_MODES[mode]})


def _full(quote: Quote, ltpc: dict[str, Any], levels: int, day_ms: int) -> dict[str, Any]:
    candle = {
        "interval": "1d",
        "open": rupees(quote.open_paise),
        "high": rupees(quote.high_paise),
        "low": rupees(quote.low_paise),
        "close": rupees(quote.last_paise),
        "vol": quote.volume,
        "ts": day_ms,
    }
    ohlc = {"ohlc": [candle]}
    if not (quote.bids or quote.asks):
        return {"indexFF": {"ltpc": ltpc, "marketOHLC": ohlc}}
    return {
        "marketFF": {
            "ltpc": ltpc,
            "marketLevel": {"bidAskQuote": _levels(quote, levels)},
            "optionGreeks": {},
            "marketOHLC": ohlc,
            "atp": rupees(quote.average_paise),
            "vtt": quote.volume,
            "tbq": float(sum(level.quantity for level in quote.bids)),
            "tsq": float(sum(level.quantity for level in quote.asks)),
        }
    }


def _levels(quote: Quote, most: int) -> list[dict[str, Any]]:
    """Bid and ask level by level; a side that has no more levels is zero there."""
    none = DepthLevel(0, 0, 0)
    count = min(most, max(len(quote.bids), len(quote.asks), 1))
    sides = [[*side[:count], *[none] * (count - len(side[:count]))] for side in (quote.bids, quote.asks)]
    return [
        {
            "bidQ": bid.quantity,
            "bidP": rupees(bid.price_paise),
            "askQ": ask.quantity,
            "askP": rupees(ask.price_paise),
        }
        for bid, ask in zip(*sides, strict=True)
    ]


def state_of(phase: PhaseKind) -> int:
    """The state of a segment whose shares are in this phase."""
    return _STATES.get(phase, wire.NORMAL_CLOSE)


def market_info(phase: PhaseKind, at: datetime) -> bytes:
    """The message that tells each segment's state; those that are not traded here are closed."""
    here = state_of(phase)
    states = {name: here if name.endswith(("_EQ", "_INDEX")) else wire.NORMAL_CLOSE for name in SEGMENTS}
    told = {"type": wire.TYPES["market_info"], "currentTs": _ms(at), "marketInfo": {"segmentStatus": states}}
    return wire.encode("FeedResponse", told)


def response(kind: str, feeds: dict[str, bytes], at: datetime) -> bytes:
    """One message of feeds by instrument key; `kind` is `initial_feed` or `live_feed`."""
    return wire.encode("FeedResponse", {"type": wire.TYPES[kind], "feeds": feeds, "currentTs": _ms(at)})


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1_000)
