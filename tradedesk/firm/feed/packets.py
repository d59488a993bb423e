"""What the feed says of prices, packed: little endian, money in paise, times in microseconds since 1970.

A message is a head, the keys that it does not vouch for, and a record for each quote that has changed. In
the hash, a quote is the head of the message that it came with and its record.
"""

import struct
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from brokers.contract import DepthLevel, RawPacket, Tick

MAGIC = b"TDQ1"
_HEAD = struct.Struct("<4sQQQqqqHI")
_LENGTH = struct.Struct("<HB")
_RECORD = struct.Struct("<12qBB")
_LEVEL = struct.Struct("<qqi")
_TIMES = struct.Struct("<2q")
_LATEST = 2**52
_KEY = struct.Struct("<B")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class NotAPacket(ValueError):  # noqa: N818 - what came
    """What came is none of the feed's messages."""


class FeedHead(Struct, frozen=True):
    """Which feed says it, in which of its terms and where in their order, and when.

    `at` is when it was made, of a quote in the hash when that was the market; `heard_at` when its broker was
    heard last, 0 before that; `vouched_at` when every quote that was told, but for those it names, was the
    market still.
    """

    feed: int
    epoch: int
    seq: int
    at: int
    heard_at: int = 0
    vouched_at: int = 0


class Message(Struct, frozen=True):
    """A message as read: records are left as bytes until somebody looks at the price."""

    head: FeedHead
    not_vouched: frozenset[str]
    records: Mapping[str, bytes]


def micros(moment: datetime) -> int:
    """A moment in microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(at: int) -> datetime:
    """The moment of that."""
    return _EPOCH + at * _MICROSECOND


def packed_record(tick: Tick) -> bytes:
    """The record of a quote, with its length and key."""
    key = tick.key.encode()
    body = _RECORD.pack(
        tick.last_paise,
        tick.prev_close_paise,
        tick.open_paise,
        tick.high_paise,
        tick.low_paise,
        tick.volume,
        tick.bid_paise,
        tick.ask_paise,
        tick.lower_circuit_paise,
        tick.upper_circuit_paise,
        micros(tick.market_at),
        micros(tick.received_at),
        len(tick.bids),
        len(tick.asks),
    ) + b"".join([_LEVEL.pack(*level) for level in (*tick.bids, *tick.asks)])
    return _LENGTH.pack(len(body), len(key)) + key + body


def packed(head: FeedHead, records: Collection[bytes], not_vouched: Iterable[str] = ()) -> bytes:
    """A message."""
    names = [name.encode() for name in not_vouched]
    parts = [
        _HEAD.pack(
            MAGIC,
            head.feed,
            head.epoch,
            head.seq,
            head.at,
            head.heard_at,
            head.vouched_at,
            len(names),
            len(records),
        )
    ]
    parts += [_KEY.pack(len(name)) + name for name in names]
    return b"".join([*parts, *records])


def unpacked(body: bytes) -> Message:
    """What a message says. Raises `NotAPacket`."""
    try:
        magic, *head, names, records = _HEAD.unpack_from(body)
        if magic != MAGIC:
            raise NotAPacket("it begins otherwise")
        at, not_vouched = _HEAD.size, list[str]()
        for _ in range(names):
            (length,) = _KEY.unpack_from(body, at)
            not_vouched.append(body[at + 1 : at + 1 + length].decode())
            at += 1 + length
        found = dict[str, bytes]()
        for _ in range(records):
            length, named = _LENGTH.unpack_from(body, at)
            at += _LENGTH.size + named
            key, record = body[at - named : at], body[at : at + length]
            if not _is_whole(record, length):
                raise NotAPacket("a record is none")
            found[key.decode()] = record
            at += length
    except (struct.error, UnicodeDecodeError) as problem:
        raise NotAPacket(str(problem)) from problem
    if at != len(body) or not all(0 <= one < _LATEST for one in head[3:]):
        raise NotAPacket("there is more behind it")
    return Message(FeedHead(*head), frozenset(not_vouched), found)


def _is_whole(record: bytes, length: int) -> bool:
    """Whether a record can be read: so long, with as many levels as it says and times that there are."""
    if len(record) != length or length < _RECORD.size:
        return False
    times = _TIMES.unpack_from(record, 80)
    levels = record[_RECORD.size - 2] + record[_RECORD.size - 1]
    return length == _RECORD.size + levels * _LEVEL.size and all(0 <= at < _LATEST for at in times)


def tick_in(key: str, record: bytes) -> Tick:
    """Read a record."""
    figures: tuple[int, ...] = _RECORD.unpack_from(record)
    last, close, opened, high, low, volume, bid, ask, lower, upper = figures[:10]
    market_at, received_at, bids, asks = figures[10:]
    levels = [DepthLevel(*level) for level in _LEVEL.iter_unpack(record[_RECORD.size :])]
    return Tick(
        key,
        last,
        close,
        opened,
        high,
        low,
        volume,
        bid,
        ask,
        lower,
        upper,
        moment_of(market_at),
        moment_of(received_at),
        tuple(levels[:bids]),
        tuple(levels[bids : bids + asks]),
    )


def received_in(record: bytes) -> int:
    """When the feed had the packet of a record, in microseconds."""
    return _TIMES.unpack_from(record, 80)[1]


class FeedArrival(Struct, frozen=True):
    """When a quote of the feed counts from: the wall time that it names, and this machine's for that."""

    received_at: datetime
    received_s: float

    def tick(self, key: str, packet: RawPacket) -> Tick:
        """Read its record."""
        return tick_in(key, packet[1])
