"""Kite's binary frames, read into tuples (Kite Connect documentation, WebSocket streaming).

A frame is a count and that many packets, each behind its length; the length alone says what a packet
is. All integers are big-endian and unsigned. `decode` takes a frame apart: of each packet it keeps the token
and the bytes, once their length is a known one. `read` reads one of them, for whoever looks at it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from struct import Struct
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from brokers.contract import DepthLevel, RawPacket


class LtpPacket(NamedTuple):
    """The last price of any instrument, 8 bytes. Prices of every kind of packet are paise."""

    token: int
    last: int


class IndexPacket(NamedTuple):
    """An index, 28 bytes; `change` is passed on as it came, since its scale is not documented."""

    token: int
    last: int
    high: int
    low: int
    open: int
    close: int
    change: int


class IndexFullPacket(NamedTuple):
    """An index with the exchange's time (seconds since 1970, 0 where absent), 32 bytes."""

    token: int
    last: int
    high: int
    low: int
    open: int
    close: int
    change: int
    exchange_time: int


class QuotePacket(NamedTuple):
    """A stock or contract without times and depth, 44 bytes; `close` is the previous day's."""

    token: int
    last: int
    last_quantity: int
    average: int
    volume: int
    buy_quantity: int
    sell_quantity: int
    open: int
    high: int
    low: int
    close: int


class FullPacket(NamedTuple):
    """A stock or contract with everything, 184 bytes.

    Times are seconds since 1970, 0 where absent. `tail` holds times, open interest and the depth as they
    came; `depth` reads the latter.
    """

    token: int
    last: int
    last_quantity: int
    average: int
    volume: int
    buy_quantity: int
    sell_quantity: int
    open: int
    high: int
    low: int
    close: int
    tail: bytes

    @property
    def last_trade_time(self) -> int:
        """When it last traded."""
        return int.from_bytes(self.tail[:4], "big")

    @property
    def open_interest(self) -> tuple[int, int, int]:
        """Now, the day's highest and the day's lowest."""
        now, highest, lowest = _OPEN_INTEREST.unpack_from(self.tail)
        return now, highest, lowest

    @property
    def exchange_time(self) -> int:
        """When the exchange sent this."""
        return int.from_bytes(self.tail[16:20], "big")

    def best(self) -> tuple[int, int]:
        """The best bid and the best ask in paise, 0 where that side is empty."""
        bid, ask = _BEST.unpack(self.tail)
        return paise(self.token, bid), paise(self.token, ask)


Packet = LtpPacket | IndexPacket | IndexFullPacket | QuotePacket | FullPacket


class Decoded(NamedTuple):
    """A frame's whole packets, how many were of unknown length, and in words what is wrong with the frame."""

    packets: list[RawPacket]
    ignored: int
    fault: str


class _Form(NamedTuple):
    """How packets of one length are taken from a frame, behind the two bytes of the length, and read."""

    whole: Struct
    body: Struct
    kind: Callable[..., Packet]
    prices: tuple[int, ...]


def _form(length: int, body: str, kind: Callable[..., Packet], prices: tuple[int, ...]) -> _Form:
    return _Form(Struct(f">2xI{length - _TOKEN}s"), Struct(body), kind, prices)


_TOKEN = 4
"""Bytes of a packet that are its token; the rest is its body."""

_FORMS: Mapping[int, _Form] = MappingProxyType(
    {
        8: _form(8, ">I", LtpPacket, (1,)),
        28: _form(28, ">6I", IndexPacket, (1, 2, 3, 4, 5)),
        32: _form(32, ">7I", IndexFullPacket, (1, 2, 3, 4, 5)),
        44: _form(44, ">10I", QuotePacket, (1, 3, 7, 8, 9, 10)),
        184: _form(184, ">10I140s", FullPacket, (1, 3, 7, 8, 9, 10)),
    }
)
"""By the length of a packet."""

_LEVELS = 5
"""Of each side of the depth."""

_FULL_BODY = 180
_DEPTH = Struct(">60x" + "2IH2x" * 2 * _LEVELS)
"""Behind times and open interest: quantity, price and orders of each level."""

_BEST = Struct(">24xI56xI52x")
_OPEN_INTEREST = Struct(">4x3I")

_PARTS_OF_A_PAISA: Mapping[int, int] = MappingProxyType({3: 100_000, 6: 100, 12: 100})
"""Segments (the token's low byte) whose prices are finer than paise: CDS in ten-millionths of a rupee,
BCD and NCO in ten-thousandths. Every other segment speaks paise."""

_FINER = bytes(_PARTS_OF_A_PAISA)

_RUN = 256
"""Packets looked at in one go for being of one length; bounds what a frame of mixed lengths wastes."""


def decode(frame: bytes) -> Decoded:
    """Read one binary frame. It never raises, whatever the bytes: whole packets before a fault are kept.

    A frame of fewer than two bytes is a heartbeat and holds nothing.
    """
    size = len(frame)
    if size < 2:
        return Decoded([], 0, "")
    announced = left = frame[0] << 8 | frame[1]
    view = memoryview(frame)
    packets: list[RawPacket] = []
    ignored = 0
    start = 2
    while left and start + 2 <= size:
        head = frame[start : start + 2]
        stride = 2 + (head[0] << 8 | head[1])
        end = start + stride
        if end > size:
            break
        form = _FORMS.get(stride - 2)
        run = 1
        if form is None:
            ignored += 1
        elif left == 1 or frame[end : end + 2] != head:
            packets.append(cast(RawPacket, form.whole.unpack_from(frame, start)))
        else:
            run = min(left, _RUN, (size - start) // stride)
            end = start + run * stride
            # Every stride-th byte is a length's high or low byte for as long as the lengths stay the same.
            highs, lows = frame[start:end:stride], frame[start + 1 : end : stride]
            run -= max(len(highs.lstrip(head[:1])), len(lows.lstrip(head[1:])))
            end = start + run * stride
            packets.extend(cast(Iterator[RawPacket], form.whole.iter_unpack(view[start:end])))
        left -= run
        start = end
    fault = ""
    if left:
        fault = f"{announced} packets announced, {announced - left} whole in {size} bytes"
    elif start < size:
        fault = f"{size - start} bytes after the last of {announced} packets"
    return Decoded(packets, ignored, fault)


def read(packet: RawPacket) -> Packet:
    """Read a packet of `decode`."""
    token, body = packet
    form = _FORMS[_TOKEN + len(body)]
    values: list[Any] = [token, *form.body.unpack(body)]
    if token & 0xFF in _FINER:
        for place in form.prices:
            values[place] = paise(token, values[place])
    return form.kind(*values)


def paise(token: int, price: int) -> int:
    """A price as it stands in a packet of `token`, in paise; a half paisa rounds up."""
    parts = _PARTS_OF_A_PAISA.get(token & 0xFF)
    return price if parts is None else (2 * price + parts) // (2 * parts)


def moment(seconds: int) -> datetime | None:
    """A packet's time as aware UTC, None for 0, which means absent."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def depth(packet: RawPacket) -> tuple[int, ...]:
    """The depth of a packet of `decode`: quantity, price in paise and orders of five bids, then of five asks.

    Empty where the packet carries none; an empty level has a price of 0.
    """
    token, body = packet
    if len(body) != _FULL_BODY:
        return ()
    found = _DEPTH.unpack(body)
    if token & 0xFF not in _FINER:
        return found
    return tuple(paise(token, value) if place % 3 == 1 else value for place, value in enumerate(found))


def levels(packet: RawPacket) -> tuple[tuple[DepthLevel, ...], tuple[DepthLevel, ...]]:
    """The buying and the selling side of a packet of `decode`, best first, without empty levels."""
    found = depth(packet)
    rows = [
        DepthLevel(price, quantity, orders)
        for quantity, price, orders in zip(found[::3], found[1::3], found[2::3], strict=True)
    ]
    buying, selling = rows[:_LEVELS], rows[_LEVELS:]
    return tuple(row for row in buying if row.price_paise), tuple(row for row in selling if row.price_paise)
