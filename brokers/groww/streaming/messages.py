"""The messages of Groww's feed, by descriptors built from our own list of their fields.

Numbers, names and types are those of Groww's official client. A price and a book come as messages of
their own; their bytes put together are one message that has both, as the wire of protobuf joins them.
Doubles are rupees by the official samples, and paise by others' accounts: which it is, a quote by REST
shows.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from google.protobuf.message import DecodeError
from msgspec import Struct

from brokers.contract import DepthLevel, RawPacket, Tick
from brokers.wire.protobufs import message_classes
from brokers.wire.rows import moment_of_millis

_MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        "LivePrice": "1 tsInMillis double; 2 open double; 3 high double; 4 low double; 5 close double;"
        " 6 volume double; 13 ltp double",
        "LiveIndex": "1 tsInMillis double; 2 value double",
        "Level": "1 price double; 2 qty double",
        "Depth": "1 tsInMillis double; 2 buyBook {int32:Level}; 3 sellBook {int32:Level}",
        "Packet": "4 price LivePrice; 5 depth Depth; 6 index LiveIndex",
        "OrderDetail": "7 growwOrderId string; 9 orderStatus int32",
        "OrderUpdate": "2 order OrderDetail",
    }
)
"""Fields by number, name and type (`message_classes`); price, depth and index are one of three on the
wire."""

_CLASSES = message_classes("tradedesk.groww", _MESSAGES)
_PACKET: Any = _CLASSES["Packet"].FromString
_UPDATE: Any = _CLASSES["OrderUpdate"].FromString

_MOST = 1e12
"""Above which a number is no price."""


class FeedPart(Struct, frozen=True):
    """What one message brought of an instrument: a price, with the `last` as it came, or a book."""

    data: bytes
    is_price: bool
    sent_ms: int
    last: float = 0.0


def part_of(data: bytes) -> FeedPart | None:
    """What a message is; None for one that is not whole, or is neither a price nor a book. It never
    raises."""
    try:
        packet = _PACKET(data)
    except DecodeError:
        return None
    if packet.HasField("price"):
        return FeedPart(data, True, _millis(packet.price.tsInMillis), packet.price.ltp)
    if packet.HasField("index"):
        return FeedPart(data, True, _millis(packet.index.tsInMillis), packet.index.value)
    if packet.HasField("depth"):
        return FeedPart(data, False, _millis(packet.depth.tsInMillis))
    return None


def order_id_of(data: bytes) -> str:
    """Which order an update is of; empty where that cannot be read. It never raises."""
    try:
        return str(_UPDATE(data).order.growwOrderId)
    except DecodeError:
        return ""


def last_message(last_paise: int) -> bytes:
    """A last price that REST told, as the feed would bring it in rupees."""
    message = _CLASSES["Packet"]()
    message.price.ltp = last_paise / 100
    return bytes(message.SerializeToString())


def quote_message(tick: Tick) -> bytes:
    """A quote that REST told, with its book and its time, as the feed would bring it in rupees."""
    message = _CLASSES["Packet"]()
    message.price.ltp = tick.last_paise / 100
    message.price.tsInMillis = int(tick.market_at.timestamp() * 1000)
    for book, levels in ((message.depth.buyBook, tick.bids), (message.depth.sellBook, tick.asks)):
        for at, level in enumerate(levels, start=1):
            book[at].price, book[at].qty = level.price_paise / 100, level.quantity
    return bytes(message.SerializeToString())


def _millis(moment: float) -> int:
    return int(moment) if 0 < moment < _MOST * 10 else 0


class GrowwArrival(Struct, frozen=True):
    """When a message came in, and in which `unit` its prices are: 100 for rupees, 1 for paise.

    `days` has the day's quotes by key, for what messages do not tell; it is looked up when a tick is read.
    """

    received_at: datetime
    received_s: float
    unit: int
    days: Mapping[str, Tick]

    def tick(self, key: str, packet: RawPacket) -> Tick:
        """The tick of a packet, which is a price and perhaps a book; what neither tells is the day's
        quote's."""
        read = _PACKET(packet[1])
        price, day = read.price, self.days.get(key)
        last = self._paise(read.index.value if read.HasField("index") else price.ltp)
        opened, high, low = (self._paise(one) for one in (price.open, price.high, price.low))
        bids, asks = self._levels(read.depth.buyBook), self._levels(read.depth.sellBook)
        millis = _millis(read.index.tsInMillis if read.HasField("index") else price.tsInMillis)
        return Tick(
            key=key,
            last_paise=last,
            prev_close_paise=day.prev_close_paise if day else self._paise(price.close),
            open_paise=opened or (day.open_paise if day else 0),
            high_paise=high or (max(day.high_paise, last) if day and day.high_paise else 0),
            low_paise=low or (min(day.low_paise, last) if day and day.low_paise else 0),
            volume=int(price.volume) if 0 < price.volume < _MOST else day.volume if day else 0,
            bid_paise=bids[0].price_paise if bids else 0,
            ask_paise=asks[0].price_paise if asks else 0,
            lower_circuit_paise=day.lower_circuit_paise if day else 0,
            upper_circuit_paise=day.upper_circuit_paise if day else 0,
            market_at=moment_of_millis(millis) or self.received_at,
            received_at=self.received_at,
            bids=bids,
            asks=asks,
        )

    def _levels(self, book: Any) -> tuple[DepthLevel, ...]:
        """One side of the book, best first, without empty levels; nobody tells how many orders."""
        levels = (
            DepthLevel(self._paise(book[at].price), int(book[at].qty), 0)
            for at in sorted(book)
            if 0 < book[at].price < _MOST and 1 <= book[at].qty < _MOST
        )
        return tuple(level for level in levels if level.price_paise)

    def _paise(self, price: float) -> int:
        """To the nearest paisa; 0 for what is no price."""
        return int(price * self.unit + 0.5) if 0 < price < _MOST else 0
