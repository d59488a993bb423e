"""The messages of the market stream (Upstox's documentation, feed V3)."""

from collections.abc import Mapping
from typing import Any

from brokers.simulators.serving import protobuf

MESSAGES: protobuf.Messages = {
    "FeedResponse": {
        "type": (1, "enum"),
        "feeds": (2, "map Feed"),
        "currentTs": (3, "int64"),
        "marketInfo": (4, "MarketInfo"),
    },
    "Feed": {
        "ltpc": (1, "LTPC"),
        "fullFeed": (2, "FullFeed"),
        "firstLevelWithGreeks": (3, "FirstLevelWithGreeks"),
        "requestMode": (4, "enum"),
    },
    "LTPC": {"ltp": (1, "double"), "ltt": (2, "int64"), "ltq": (3, "int64"), "cp": (4, "double")},
    "FullFeed": {"marketFF": (1, "MarketFullFeed"), "indexFF": (2, "IndexFullFeed")},
    "MarketFullFeed": {
        "ltpc": (1, "LTPC"),
        "marketLevel": (2, "MarketLevel"),
        "optionGreeks": (3, "OptionGreeks"),
        "marketOHLC": (4, "MarketOHLC"),
        "atp": (5, "double"),
        "vtt": (6, "int64"),
        "oi": (7, "double"),
        "iv": (8, "double"),
        "tbq": (9, "double"),
        "tsq": (10, "double"),
    },
    "IndexFullFeed": {"ltpc": (1, "LTPC"), "marketOHLC": (2, "MarketOHLC")},
    "FirstLevelWithGreeks": {
        "ltpc": (1, "LTPC"),
        "firstDepth": (2, "Quote"),
        "optionGreeks": (3, "OptionGreeks"),
        "vtt": (4, "int64"),
        "oi": (5, "double"),
        "iv": (6, "double"),
    },
    "MarketLevel": {"bidAskQuote": (1, "repeated Quote")},
    "Quote": {"bidQ": (1, "int64"), "bidP": (2, "double"), "askQ": (3, "int64"), "askP": (4, "double")},
    "MarketOHLC": {"ohlc": (1, "repeated OHLC")},
    "OHLC": {
        "interval": (1, "string"),
        "open": (2, "double"),
        "high": (3, "double"),
        "low": (4, "double"),
        "close": (5, "double"),
        "vol": (6, "int64"),
        "ts": (7, "int64"),
    },
    "OptionGreeks": {
        "delta": (1, "double"),
        "theta": (2, "double"),
        "gamma": (3, "double"),
        "vega": (4, "double"),
        "rho": (5, "double"),
    },
    "MarketInfo": {"segmentStatus": (1, "map enum")},
}
"""Every message's fields: number and type, which is a scalar's, another message, or many of one."""

TYPES = {"initial_feed": 0, "live_feed": 1, "market_info": 2}
"""What a `FeedResponse` is."""

REQUEST_MODES = {"ltpc": 0, "full": 1, "option_greeks": 2, "full_d30": 3}
"""What a `Feed` was asked for in."""

STATES = ("PRE_OPEN_START", "PRE_OPEN_END", "NORMAL_OPEN", "NORMAL_CLOSE", "CLOSING_START", "CLOSING_END")
"""The states of a segment, in the order of their numbers."""

PRE_OPEN_START, PRE_OPEN_END, NORMAL_OPEN, NORMAL_CLOSE, CLOSING_START, _ = range(len(STATES))


def encode(kind: str, value: Mapping[str, Any]) -> bytes:
    """A message of a kind from its fields by name; a message inside may be given encoded already."""
    return protobuf.encode(MESSAGES, kind, value)
