"""Our reading of Upstox's feed against the official client's way, on the same messages in the same run.

The official client makes a dictionary of each message (`MessageToDict`). Judged is what comes in, of which
every packet is found whole; what making a tick of every packet costs is told, and the ratio against reading
the messages into objects and nothing else (`ParseFromString`). Every price is compared first.
"""

import argparse
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from brokers.upstox.streaming.messages import UpstoxArrival, decode
from tests.bench.bench_kite_decoder import best_of
from tests.bench.frame import Aim, Bench, Figures
from tests.brokers.upstox_feed import as_dict, full_frame, theirs

INSTRUMENTS = 50
AIMS = (
    Aim("full mode", 10.0, "times MessageToDict", least=True),
    Aim("last prices", 10.0, "times MessageToDict", least=True),
)


def with_ticks(frame: bytes) -> None:
    """Decode, and read every packet as whoever looks at it would."""
    found = decode(frame)
    arrival = UpstoxArrival(datetime.now(UTC), 0.0, found.sent_ms, {})
    for token, packet in found.packets.items():
        arrival.tick(token, packet)


def measure(frame: bytes, mode: str) -> dict[str, float]:
    """Compare and time one message; returns microseconds a packet by way of reading."""
    official, ours = as_dict(frame), decode(frame)
    arrival = UpstoxArrival(datetime.now(UTC), 0.0, ours.sent_ms, {})
    for token, feed in official["feeds"].items():
        ltpc = feed["fullFeed"]["marketFF"]["ltpc"] if mode == "full" else feed["ltpc"]
        assert arrival.tick(token, ours.packets[token]).last_paise == round(ltpc["ltp"] * 100)
    parse = theirs().FromString
    calls: dict[str, Callable[[], object]] = {
        "official": lambda: as_dict(frame),
        "parsed": lambda: parse(frame),
        "ours": lambda: decode(frame),
        "with ticks": lambda: with_ticks(frame),
    }
    return best_of(calls, INSTRUMENTS)


@contextmanager
def rounds(_: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """The same messages in every round."""
    dice = random.Random(1)
    frames = {mode: full_frame(dice, INSTRUMENTS, mode) for mode in ("full", "ltpc")}

    def once() -> Figures:
        costs = {mode: measure(frame, mode) for mode, frame in frames.items()}
        full, last = costs["full"], costs["ltpc"]
        found = {
            "full mode": full["official"] / full["ours"],
            "full mode, every tick read": full["official"] / full["with ticks"],
            "last prices": last["official"] / last["ours"],
            "full mode, of ParseFromString": full["ours"] / full["parsed"],
            "last prices, of ParseFromString": last["ours"] / last["parsed"],
        }
        return found | {f"{mode} {way} us": us for mode, cost in costs.items() for way, us in cost.items()}

    yield once


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds).run(__doc__))
