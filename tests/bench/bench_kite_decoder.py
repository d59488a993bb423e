"""Our reading of Kite's frames against the official client's parser, on the same frames in the same run.

Every packet's values are compared first. Measured are microseconds a packet for each mode, with times and
depth unread and read, and the floor: unpacking all bytes with one prepared struct and nothing else. Judged
is full mode with everything unread, and with every number of the depth read; what making levels of them
costs is printed.
"""

import argparse
import gc
import random
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from brokers.kite.streaming.packets import FullPacket, decode, depth, levels, read
from tests.bench.frame import Aim, Bench, Figures
from tests.brokers.official import parse_binary
from tests.brokers.test_kite_packets import check_against_official

PACKETS, REPEATS = 50, 100
AIMS = (
    Aim("full mode", 30.0, "times the official parser", least=True),
    Aim("depth read", 20.0, "times the official parser", least=True),
)
MODES = {"full": (15, 10), "quote": (10, 0), "ltp": (1, 0)}
"""Integers after the token, and levels."""


def build(dice: random.Random, ints: int, levels: int) -> bytes:
    """A frame of NSE stocks, every value filled."""
    body = b""
    for number in range(PACKETS):
        packet = struct.pack(
            f">{1 + ints}I", (number + 1) << 8 | 1, *(dice.randrange(1, 2**31) for _ in range(ints))
        )
        for _ in range(levels):
            packet += struct.pack(
                ">IIHxx", dice.randrange(2**20), dice.randrange(1, 2**24), dice.randrange(2**16)
            )
        body += struct.pack(">H", len(packet)) + packet
    return struct.pack(">H", PACKETS) + body


def mixed(frames: list[bytes]) -> bytes:
    """The first packets of every mode by turns: the worst order for unpacking in runs."""
    strides = [(len(frame) - 2) // PACKETS for frame in frames]
    share = PACKETS // len(frames)
    packets = [
        frame[2 + number * stride : 2 + (number + 1) * stride]
        for number in range(share)
        for frame, stride in zip(frames, strides, strict=True)
    ]
    return struct.pack(">H", len(packets)) + b"".join(packets)


def with_depth(frame: bytes) -> None:
    """Decode, and unpack every number of the depth."""
    for packet in decode(frame).packets:
        depth(packet)


def with_levels(frame: bytes) -> None:
    """Decode, and make of the depth what a screen looks at."""
    for packet in decode(frame).packets:
        levels(packet)


def with_times(frame: bytes) -> None:
    """Decode, and look at everything but the levels."""
    for packet in map(read, decode(frame).packets):
        if isinstance(packet, FullPacket):
            _ = packet.best(), packet.last_trade_time, packet.exchange_time, packet.open_interest


def best_of(calls: dict[str, Callable[[], object]], packets: int) -> dict[str, float]:
    """Least microseconds a packet of each call, taken by turns so that a busy machine hits all alike."""
    best = dict.fromkeys(calls, float("inf"))
    gc.disable()  # as `timeit` does
    for _ in range(REPEATS):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            best[name] = min(best[name], (time.perf_counter() - begun) * 1e6 / packets)
    gc.enable()
    return best


def measure(name: str, frame: bytes) -> dict[str, float]:
    """Compare and time one kind of frame; returns microseconds a packet by way of reading."""
    ours, theirs = decode(frame), parse_binary(frame)
    assert ours.fault == ""
    for packet, official in zip(ours.packets, theirs, strict=True):
        check_against_official(packet, official)
    calls: dict[str, Callable[[], object]] = {
        "official": lambda: parse_binary(frame),
        "ours": lambda: decode(frame),
    }
    if name in MODES:
        ints, levels = MODES[name]
        layout = struct.Struct(f">2x{1 + ints}I" + "IIH2x" * levels)
        calls["floor"] = lambda: list(layout.iter_unpack(memoryview(frame)[2:]))
    if name == "full":
        calls["with times"] = lambda: with_times(frame)
        calls["with depth"] = lambda: with_depth(frame)
        calls["with levels"] = lambda: with_levels(frame)
    return best_of(calls, len(ours.packets))


@contextmanager
def rounds(_: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """The same frames in every round."""
    dice = random.Random(1)
    frames = {name: build(dice, *shape) for name, shape in MODES.items()}
    frames["mixed"] = mixed(list(frames.values()))

    def once() -> Figures:
        costs = {name: measure(name, frame) for name, frame in frames.items()}
        full = costs["full"]
        found = {
            "full mode": full["official"] / full["ours"],
            "depth read": full["official"] / full["with depth"],
        }
        return found | {f"{name} {way} us": us for name, cost in costs.items() for way, us in cost.items()}

    yield once


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds).run(__doc__))
