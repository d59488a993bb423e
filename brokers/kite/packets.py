"""Kite's binary frames, read into tuples (Kite Connect documentation, WebSocket streaming).

A frame is a count and that many packets, each behind its length; the length alone says what a packet
is. All integers are big-endian and unsigned. Packets of one length that follow each other are unpacked
in one call, and what a full packet has over a quote stays bytes until somebody looks at it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from struct import Struct
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from brokers.contract import DepthLevel


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

    Times are seconds since 1970, 0 where absent. `tail` holds times, open interest and the ten levels as
    they came.
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

    def bids(self) -> tuple[DepthLevel, ...]:
        """The buying side, best first, without empty levels."""
        return tuple(_levels(self.token, self.tail[20:80]))

    def asks(self) -> tuple[DepthLevel, ...]:
        """The selling side, best first, without empty levels."""
        return tuple(_levels(self.token, self.tail[80:]))


Packet = LtpPacket | IndexPacket | IndexFullPacket | QuotePacket | FullPacket


class Decoded(NamedTuple):
    """A frame's whole packets, how many were of unknown length, and in words what is wrong with the frame."""

    packets: list[Packet]
    ignored: int
    fault: str


class _Form(NamedTuple):
    """How packets of one length are read. `layout` starts with the two bytes of the length."""

    layout: Struct
    make: Callable[[tuple[Any, ...]], Packet]
    prices: tuple[int, ...]


def _form(layout: str, kind: type[Packet], prices: tuple[int, ...]) -> _Form:
    # A named tuple's own `_make` does the same in Python code, at half the speed.
    make = cast(Callable[[tuple[Any, ...]], Packet], partial(cast(Any, tuple).__new__, kind))
    return _Form(Struct(layout), make, prices)


_FORMS: Mapping[int, _Form] = MappingProxyType(
    {
        8: _form(">2x2I", LtpPacket, (1,)),
        28: _form(">2x7I", IndexPacket, (1, 2, 3, 4, 5)),
        32: _form(">2x8I", IndexFullPacket, (1, 2, 3, 4, 5)),
        44: _form(">2x11I", QuotePacket, (1, 3, 7, 8, 9, 10)),
        184: _form(">2x11I140s", FullPacket, (1, 3, 7, 8, 9, 10)),
    }
)

_LEVEL = Struct(">2IH2x")
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
    packets: list[Packet] = []
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
            packet = form.make(form.layout.unpack_from(frame, start))
            packets.append(packet if frame[start + 5] not in _FINER else _in_paise(packet, form))
        else:
            run = min(left, _RUN, (size - start) // stride)
            end = start + run * stride
            # Every stride-th byte is a length's high or low byte for as long as the lengths stay the same.
            highs, lows = frame[start:end:stride], frame[start + 1 : end : stride]
            run -= max(len(highs.lstrip(head[:1])), len(lows.lstrip(head[1:])))
            end = start + run * stride
            found: Iterable[Packet] = map(form.make, form.layout.iter_unpack(view[start:end]))
            if len(frame[start + 5 : end : stride].translate(None, _FINER)) < run:
                found = [_in_paise(packet, form) for packet in found]
            packets.extend(found)
        left -= run
        start = end
    fault = ""
    if left:
        fault = f"{announced} packets announced, {announced - left} whole in {size} bytes"
    elif start < size:
        fault = f"{size - start} bytes after the last of {announced} packets"
    return Decoded(packets, ignored, fault)


def paise(token: int, price: int) -> int:
    """A price as it stands in a packet of `token`, in paise; a half paisa rounds up."""
    parts = _PARTS_OF_A_PAISA.get(token & 0xFF)
    return price if parts is None else (2 * price + parts) // (2 * parts)


def moment(seconds: int) -> datetime | None:
    """A packet's time as aware UTC, None for 0, which means absent."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _in_paise(packet: Packet, form: _Form) -> Packet:
    token = packet.token
    values: list[Any] = list(packet)
    for place in form.prices:
        values[place] = paise(token, values[place])
    return form.make(tuple(values))


def _levels(token: int, side: bytes) -> Iterator[DepthLevel]:
    scaled = token & 0xFF in _FINER
    for quantity, price, orders in _LEVEL.iter_unpack(side):
        if price:
            yield DepthLevel(paise(token, price) if scaled else price, quantity, orders)
