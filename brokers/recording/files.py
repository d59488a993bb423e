"""The file of a recorded day: blocks that stand alone, each compressed and held to its own sum.

A block is a mark, its length, its CRC-32, that of these three, and MessagePack compressed by zlib. Prices and
what happened beside them stand in blocks of their own, so that either is read without the other. A program
that dies leaves a block torn at most, which is no part of the file: reading ends before it, and writing goes
on there.
"""

import os
import struct
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec

from brokers.contract import DepthLevel, Tick
from brokers.recording.happenings import Happened, HappenedBlock
from data.errors import BadInput
from data.reference.instruments import Instrument

MAGIC = b"tradedesk prices 1\n"
ENDING = ".prices"

_PRICES, _HAPPENED = b"PRC1", b"EVT1"
_HEAD, _SUM = struct.Struct(">4sII"), struct.Struct(">I")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Recorded(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A tick: its key's place in the block, stamps of arrival and market in microseconds, and its figures."""

    place: int
    received_us: int
    market_us: int
    last_paise: int
    prev_close_paise: int
    open_paise: int
    high_paise: int
    low_paise: int
    volume: int
    bid_paise: int
    ask_paise: int
    lower_circuit_paise: int
    upper_circuit_paise: int
    bids: tuple[DepthLevel, ...]
    asks: tuple[DepthLevel, ...]


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Prices as they came in about a second. Moments are microseconds since 1970 in UTC.

    `offset_us` is how far the market's clock was before the wall's. `instruments` are those that no block
    before it has told of, `keys` those of its `ticks`.
    """

    day: str
    offset_us: int
    instruments: list[Instrument]
    keys: list[str]
    ticks: list[Recorded]


_MICROSECOND = timedelta(microseconds=1)
_FIGURES = Recorded.__struct_fields__[3:]
_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Block)
_HAPPENED_DECODER = msgspec.msgpack.Decoder(HappenedBlock)


def block_of(day: date, offset: timedelta, instruments: Sequence[Instrument], ticks: Iterable[Tick]) -> Block:
    """A block of ticks in the order in which they came."""
    places: dict[str, int] = {}
    cells: list[Recorded] = []
    for tick in ticks:
        cells.append(
            Recorded(
                places.setdefault(tick.key, len(places)),
                (tick.received_at - _EPOCH) // _MICROSECOND,
                (tick.market_at - _EPOCH) // _MICROSECOND,
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
                tick.bids,
                tick.asks,
            )
        )
    return Block(day.isoformat(), offset // _MICROSECOND, [*instruments], [*places], cells)


def packed(block: Block | HappenedBlock) -> bytes:
    """A block as it stands in a file."""
    content = zlib.compress(_ENCODER.encode(block), 1)
    mark = _PRICES if isinstance(block, Block) else _HAPPENED
    head = _HEAD.pack(mark, len(content), zlib.crc32(content))
    return head + _SUM.pack(zlib.crc32(head)) + content


class RecordingFile:
    """A file that is written to, by one process at a time; what a program left torn at its end is cut off."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        self.path = path
        self._most = most_bytes
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._file = os.fdopen(handle, "r+b")
        if os.fstat(handle).st_size:
            self._end = max((end for _, end in _contents(path, self._file, None)), default=len(MAGIC))
            self._file.truncate(self._end)
        else:
            self._file.write(MAGIC)
            self._end = len(MAGIC)
        self._file.seek(self._end)

    def write(self, block: Block | HappenedBlock) -> bool:
        """Write a block whole; returns whether there was room for it within the bound. Raises `OSError`."""
        content = packed(block)
        if self._end + len(content) > self._most:
            return False
        self._file.write(content)
        self._file.flush()
        self._end += len(content)
        return True

    def close(self) -> None:
        """Bring it to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def _contents(path: Path, file: BinaryIO, wanted: bytes | None) -> Iterator[tuple[bytes, int]]:
    """The content of each whole block of a mark, or of any, and where it ends; others are passed over unread.

    Raises `BadInput` where it is no such file.
    """
    if file.read(len(MAGIC)) != MAGIC:
        raise BadInput("file", str(path), "it is no recording of a day")
    size = _HEAD.size + _SUM.size
    while len(head := file.read(size)) == size:
        mark, length, crc = _HEAD.unpack_from(head)
        at = file.tell()
        if not any(head):  # room that a power cut left unwritten
            return
        known = mark in (_PRICES, _HAPPENED)
        if not known or _SUM.unpack_from(head, _HEAD.size)[0] != zlib.crc32(head[: _HEAD.size]):
            raise BadInput("file", str(path), f"it is damaged at byte {at - size}")
        if wanted not in (None, mark):
            file.seek(length, os.SEEK_CUR)
            continue
        content = file.read(length)
        if len(content) < length:
            return
        if zlib.crc32(content) != crc:
            if file.read(1):
                raise BadInput("file", str(path), f"it is damaged at byte {at}")
            return
        yield content, file.tell()


@contextmanager
def _read(path: Path, mark: bytes) -> Generator[Iterator[bytes]]:
    try:
        file = path.open("rb")
    except OSError as problem:
        raise BadInput("file", str(path), f"it cannot be read: {problem.strerror}") from problem
    with file:
        yield (zlib.decompress(content) for content, _ in _contents(path, file, mark))


@contextmanager
def opened(path: Path) -> Generator[Iterator[Block]]:
    """The prices of a file, block by block. Raises `BadInput` for one that is none, or is damaged."""
    with _read(path, _PRICES) as contents:
        yield (_DECODER.decode(content) for content in contents)


def happened_in(path: Path) -> list[Happened]:
    """What happened beside a file's prices, in the order of its moments. Raises `BadInput` as `opened`."""
    with _read(path, _HAPPENED) as contents:
        found = [one for content in contents for one in _HAPPENED_DECODER.decode(content).events]
    return sorted(found, key=lambda one: one.at_us)


def ticks_of(block: Block) -> Iterator[tuple[datetime, Tick]]:
    """The ticks of a block, each with the moment by the market's clock at which it came."""
    offset = timedelta(microseconds=block.offset_us)
    for one in block.ticks:
        received_at = _EPOCH + timedelta(microseconds=one.received_us)
        figures = {name: getattr(one, name) for name in _FIGURES}
        market_at = _EPOCH + timedelta(microseconds=one.market_us)
        tick = Tick(block.keys[one.place], market_at=market_at, received_at=received_at, **figures)
        yield received_at + offset, tick
