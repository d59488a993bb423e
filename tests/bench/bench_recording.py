"""What it costs to record 5,000 prices a second with five levels of depth, and 500 orders that change.

Counted is the processor time of this process for whole seconds of the stream: heard, put into a block,
packed, compressed and written. Beside it, in the same round, stand the same ticks as zipped lines of JSON.
"""

import argparse
import json
import random
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from brokers.contract import DepthLevel, Tick
from brokers.recording.happenings import OrderHappened, stamp_us
from data.clock import ManualClock
from data.records import values_of
from data.reference.phases import load_calendar
from engine.market.recording import DayRecorder, recording_file
from engine.rules import Waits
from engine.timing import Timing
from tests.bench.frame import Aim, Bench, Figures

A_SECOND, SECONDS, SYMBOLS = 5_000, 10, 2_000
ORDERS = 500
"""Orders that change in a second: a thousand clients' in two."""
START = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)
AIMS = (Aim("share of a core", 10.0, "%"), Aim("of JSON", 0.5))


def ticks_of_a_second(dice: random.Random, second: int) -> list[Tick]:
    """So many prices that each moved a little."""
    found = list[Tick]()
    for number in range(A_SECOND):
        symbol, at = dice.randrange(SYMBOLS), START + timedelta(seconds=second, microseconds=number * 200)
        price = 100_000 + symbol * 10 + dice.randrange(-50, 50) * 5
        bids = tuple(DepthLevel(price - 5 * n, dice.randrange(1, 9000), n) for n in range(1, 6))
        asks = tuple(DepthLevel(price + 5 * n, dice.randrange(1, 9000), n) for n in range(1, 6))
        day = (100_000, 99_000, 101_000, 98_000, second * A_SECOND + number)
        found.append(
            Tick(f"NSE:S{symbol}", price, *day, bids[0][0], asks[0][0], 90_000, 110_000, at, at, bids, asks)
        )
    return found


def recorded(home: Path, stream: list[list[Tick]]) -> float:
    """Seconds to record the stream; the file holds all of it."""
    clock = ManualClock(START)
    recorder = DayRecorder(home, Timing(clock, clock, load_calendar(), Waits()), lambda _: None, 10**9)
    begun = time.process_time()
    for number, second in enumerate(stream):
        for tick in second:
            recorder.hear(tick)
        at = stamp_us(START + timedelta(seconds=number))
        for order in range(number * ORDERS, (number + 1) * ORDERS):
            recorder.happened(
                OrderHappened(at, order, f"C{order % 1000}", 1, "BUY", 9, "S1", "CNC", 0, 0, "OPEN", 0, 0)
            )
        recorder.write()
    spent = time.process_time() - begun
    recorder.close()
    return spent


def as_json(stream: list[list[Tick]]) -> float:
    """Seconds for the same as compressed lines of JSON."""
    begun = time.process_time()
    for second in stream:
        lines = "\n".join(json.dumps(values_of(tick), default=str) for tick in second)
        zlib.compress(lines.encode(), 1)
    return time.process_time() - begun


@contextmanager
def rounds(_: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """One stream for all rounds, a home for each."""
    dice = random.Random(2)
    stream = [ticks_of_a_second(dice, second) for second in range(SECONDS)]

    def once() -> Figures:
        with TemporaryDirectory() as folder:
            spent, lines = recorded(Path(folder), stream), as_json(stream)
            size = recording_file(Path(folder), START.date()).stat().st_size
        ticks = SECONDS * A_SECOND
        return {
            "share of a core": 100 * spent / SECONDS,
            "of JSON": spent / lines,
            "us a tick": 1e6 * spent / ticks,
            "bytes a tick": size / ticks,
        }

    yield once


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds).run(__doc__))
