"""Our reading of Kite's frames against the official client's parser, on the same frames in the same run.

Run with `python -m tests.bench.bench_kite_decoder`. Every packet's values are compared first. Prints the
cost of a packet and the ratio for each mode, with times and depth unread and read, and the floor: unpacking
all bytes with one prepared struct and nothing else. Ends with status 1 if full mode is under thirty times.
"""

import gc
import random
import struct
import sys
import time
from collections.abc import Callable

from kiteconnect import KiteTicker

from brokers.kite.packets import FullPacket, decode
from tests.brokers.test_kite_packets import check_against_official

PACKETS, REPEATS, LEAST_RATIO = 500, 50, 30.0
MODES = {"full": (15, 10), "quote": (10, 0), "ltp": (1, 0)}
"""Integers after the token, and levels."""

OFFICIAL = KiteTicker("key", "token")


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
    """Decode, and look at every level."""
    for packet in decode(frame).packets:
        if isinstance(packet, FullPacket):
            packet.bids()
            packet.asks()


def with_times(frame: bytes) -> None:
    """Decode, and look at everything but the levels."""
    for packet in decode(frame).packets:
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


def measure(name: str, frame: bytes) -> float:
    """Compare, time and print one kind of frame; gives the ratio with the depth unread."""
    ours, theirs = decode(frame), OFFICIAL._parse_binary(frame)
    assert ours.fault == ""
    for packet, official in zip(ours.packets, theirs, strict=True):
        check_against_official(packet, official)
    calls: dict[str, Callable[[], object]] = {
        "official": lambda: OFFICIAL._parse_binary(frame),
        "ours": lambda: decode(frame),
    }
    if name in MODES:
        ints, levels = MODES[name]
        layout = struct.Struct(f">2x{1 + ints}I" + "IIH2x" * levels)
        calls["floor"] = lambda: list(layout.iter_unpack(memoryview(frame)[2:]))
    if name == "full":
        calls["ours with times"] = lambda: with_times(frame)
        calls["ours with depth"] = lambda: with_depth(frame)
    cost = best_of(calls, len(ours.packets))
    for call, micros in cost.items():
        print(f"{name:6} {call:16} {micros:7.3f} us a packet  {cost['official'] / micros:6.1f} x official")
    return cost["official"] / cost["ours"]


def main() -> int:
    """Print all figures; 1 where full mode misses its aim."""
    dice = random.Random(1)
    frames = {name: build(dice, *shape) for name, shape in MODES.items()}
    ratios = {name: measure(name, frame) for name, frame in frames.items()}
    measure("mixed", mixed(list(frames.values())))
    print(f"full mode: {ratios['full']:.1f} times the official parser, aim {LEAST_RATIO:g} or more")
    return int(ratios["full"] < LEAST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
