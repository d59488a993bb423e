"""The messages of Upstox's market feed, by descriptors built from our own list of their fields.

Numbers, names and types are those of version 3 (Upstox API documentation, market data feed). A message is
read in two steps: `Whole` finds that all of it is whole, and `Packets` leaves what it says of an instrument
as bytes, which look the same on the wire; `Feed` reads those for whoever looks at a price. Prices come as
doubles in rupees and go on as paise.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError
from msgspec import Struct

from brokers.contract import DepthLevel, RawPacket, Tick
from brokers.wire.protobufs import message_classes
from brokers.wire.rows import moment_of_millis

_MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        "LTPC": "1 ltp double; 2 ltt int64; 3 ltq int64; 4 cp double",
        "Quote": "1 bidQ int64; 2 bidP double; 3 askQ int64; 4 askP double",
        "MarketLevel": "1 bidAskQuote Quote*",
        "OHLC": "1 interval string; 2 open double; 3 high double; 4 low double; 5 close double; 6 vol int64;"
        " 7 ts int64",
        "MarketOHLC": "1 ohlc OHLC*",
        "MarketFullFeed": "1 ltpc LTPC; 2 marketLevel MarketLevel; 4 marketOHLC MarketOHLC; 5 atp double;"
        " 6 vtt int64; 9 tbq double; 10 tsq double; 16 casEligible bool",
        "IndexFullFeed": "1 ltpc LTPC; 2 marketOHLC MarketOHLC",
        "FullFeed": "1 marketFF MarketFullFeed; 2 indexFF IndexFullFeed",
        "FirstLevelWithGreeks": "1 ltpc LTPC; 2 firstDepth Quote; 4 vtt int64",
        "Feed": "1 ltpc LTPC; 2 fullFeed FullFeed; 3 firstLevelWithGreeks FirstLevelWithGreeks",
        "Whole": "2 feeds {Feed}",
        "Packets": "2 feeds {bytes}; 3 currentTs int64",
    }
)
"""Fields by number, name and type (`message_classes`)."""

_CLASSES = message_classes("tradedesk.upstox", _MESSAGES)
_WHOLE: Any = _CLASSES["Whole"].FromString
_PACKETS: Any = _CLASSES["Packets"].FromString
_FEED: Any = _CLASSES["Feed"].FromString


class FeedMessage(NamedTuple):
    """A message's packets by Upstox's key, and in words what is wrong with it: then it has none.

    `sent_ms` is when Upstox sent it, milliseconds since 1970, 0 where it does not say.
    """

    packets: dict[str, RawPacket]
    sent_ms: int
    fault: str = ""


def decode(frame: bytes) -> FeedMessage:
    """Read one message. It never raises, whatever the bytes."""
    try:
        _WHOLE(frame)
        read = _PACKETS(frame)
    except DecodeError:
        return FeedMessage({}, 0, f"{len(frame)} bytes are no message of the feed")
    return FeedMessage({key: (0, value) for key, value in read.feeds.items()}, read.currentTs)


Circuits = Mapping[str, tuple[int, int]]
"""The day's lower and upper circuit in paise by `EXCHANGE:SYMBOL`; quotes tell them, the feed never."""

_MOST = 1e12
"""Rupees above which a number is no price."""


class UpstoxArrival(Struct, frozen=True):
    """When a message came in. `circuits` is looked up when a tick is read, so it may still fill."""

    received_at: datetime
    received_s: float
    sent_ms: int
    circuits: Circuits

    def tick(self, key: str, packet: RawPacket) -> Tick:
        """The tick of one packet of `decode`; what the packet does not carry is 0 or empty.

        `market_at` is when Upstox sent it, else the time of the last trade, else that of its receipt.
        """
        feed = _FEED(packet[1])
        body, volume, day, quotes = _parts(feed)
        ltpc = body.ltpc
        bids, asks = _levels(quotes)
        millis = self.sent_ms or ltpc.ltt
        opened = high = low = 0
        for one in day:
            if one.interval == "1d":
                opened, high, low = _paise(one.open), _paise(one.high), _paise(one.low)
        lower, upper = self.circuits.get(key, (0, 0))
        return Tick(
            key=key,
            last_paise=_paise(ltpc.ltp),
            prev_close_paise=_paise(ltpc.cp),
            open_paise=opened,
            high_paise=high,
            low_paise=low,
            volume=volume,
            bid_paise=bids[0].price_paise if bids else 0,
            ask_paise=asks[0].price_paise if asks else 0,
            lower_circuit_paise=lower,
            upper_circuit_paise=upper,
            market_at=moment_of_millis(millis) or self.received_at,
            received_at=self.received_at,
            bids=bids,
            asks=asks,
        )


def _parts(feed: Any) -> tuple[Any, int, Any, Any]:
    """Where a packet has its last price, its volume, its bars and its depth; none of what it lacks."""
    if feed.HasField("fullFeed"):
        full = feed.fullFeed
        if full.HasField("indexFF"):
            return full.indexFF, 0, full.indexFF.marketOHLC.ohlc, ()
        body = full.marketFF
        return body, body.vtt, body.marketOHLC.ohlc, body.marketLevel.bidAskQuote
    if feed.HasField("firstLevelWithGreeks"):
        body = feed.firstLevelWithGreeks
        return body, body.vtt, (), (body.firstDepth,)
    return feed, 0, (), ()


def _levels(quotes: Any) -> tuple[tuple[DepthLevel, ...], tuple[DepthLevel, ...]]:
    """The buying and the selling side, best first, without empty levels; nobody tells how many orders."""
    bids = tuple(DepthLevel(_paise(one.bidP), one.bidQ, 0) for one in quotes if one.bidP > 0 < one.bidQ)
    asks = tuple(DepthLevel(_paise(one.askP), one.askQ, 0) for one in quotes if one.askP > 0 < one.askQ)
    return bids, asks


def _paise(rupees: float) -> int:
    """Rupees to the nearest paisa; 0 for what is no price."""
    return int(rupees * 100 + 0.5) if 0 < rupees < _MOST else 0
