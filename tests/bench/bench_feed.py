"""The firm's feed: 3,000 instruments at 5,000 ticks a second through Redis to 20 desks that read them.

Every tick carries a book of five levels and goes the whole way: into the feed's map of quotes, packed,
published and kept in the hash, read by each desk and put into its own map. A delay is from the packet's
arrival at the feed until a reader has it.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from brokers.contract import DepthLevel, Tick, Ticks
from data.clock import SystemClock
from engine.market.quotes import QuoteMap
from tests.bench.frame import Aim, Bench, Figures
from tests.redis_server import own_redis
from tradedesk.firm.feed.publishing import put
from tradedesk.firm.feed.reading import FeedPlaces, FeedReader
from tradedesk.firm.feed.telling import OWNER, STEP_S, Telling
from tradedesk.firm.line import client_at

AIMS = (Aim("delay p99", 250.0, "ms"), Aim("read of what was told, %", 95.0, "", least=True))
INSTRUMENTS = 3_000
A_SECOND = 5_000
SECONDS = 5
PROCESSES = 4


class Hears:
    """Notes how old what comes is, by this machine's one clock."""

    def __init__(self) -> None:
        self._clock, self.quotes = SystemClock(), QuoteMap(time.monotonic)
        self.delays: list[float] = []

    def took(self, ticks: Ticks) -> None:
        self.quotes.put_all(ticks)
        now = self._clock.now()
        self.delays += [(now - arrival.received_at).total_seconds() for _, arrival in ticks.packets.values()]

    def vouched(self, keys: frozenset[str], at: datetime) -> None:
        pass

    def alive(self, heard_at: datetime) -> None:
        pass


def readers(address: str, count: int, pipe: Any) -> None:
    """A process of readers."""
    asyncio.run(_read(address, count, pipe))


async def _read(address: str, count: int, pipe: Any) -> None:
    clock, hearers = SystemClock(), [Hears() for _ in range(count)]
    tasks = [
        asyncio.create_task(FeedReader(address, lambda: "bench", "kite", clock, clock).keep(one))
        for one in hearers
    ]
    await clock.sleep(1.0)
    pipe.send(None)
    began = time.process_time()
    await asyncio.to_thread(pipe.recv)
    spent = time.process_time() - began
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    pipe.send(([one.delays for one in hearers], spent))


async def feed(address: str) -> tuple[int, float]:
    """Tell as a feed does; returns the steps that were late, and what of a core it took."""
    clock, redis = SystemClock(), await client_at(address)
    quotes = QuoteMap(time.monotonic)
    keys = [f"NSE:STOCK{number}" for number in range(INSTRUMENTS)]
    quotes.follow(OWNER, keys)
    telling, places = Telling(quotes, clock, 1), FeedPlaces("bench", "kite")
    book = tuple(DepthLevel(100_000 + level, 10, 1) for level in range(5))
    late = at = 0
    began, due = time.process_time(), time.monotonic()
    for _ in range(int(SECONDS / STEP_S)):
        for _ in range(int(A_SECOND * STEP_S)):
            now, at = clock.now(), (at + 7) % INSTRUMENTS
            quotes.put(Tick(keys[at], at, 1, 2, 3, 4, 5, 6, 7, 8, 9, now, now, book, book))
        await put(redis, places, telling.step(1))
        due += STEP_S
        late += time.monotonic() > due
        await clock.sleep(max(0.0, due - time.monotonic()))
    spent = time.process_time() - began
    await redis.aclose()
    return late, spent / SECONDS


def measured(address: str, desks: int) -> Figures:
    """One run with so many readers in a few processes."""
    context = multiprocessing.get_context("spawn")
    pipes: list[Any] = []
    processes: list[Any] = []
    for number in range(PROCESSES):
        count = desks * (number + 1) // PROCESSES - desks * number // PROCESSES
        ours, theirs = context.Pipe()
        process = context.Process(target=readers, args=(address, count, theirs))
        process.start()
        pipes.append(ours)
        processes.append(process)
    for pipe in pipes:
        pipe.recv()
    late, core = asyncio.run(feed(address))
    delays, seen, spent = list[float](), list[int](), 0.0
    for pipe in pipes:
        pipe.send(None)
    for pipe, process in zip(pipes, processes, strict=True):
        of_each, took = pipe.recv()
        spent += took
        for one in of_each:
            seen.append(len(one))
            delays += one
        process.join()
    delays.sort()
    return {
        "delay p50 ms": statistics.median(delays) * 1000,
        "delay p99": delays[int(len(delays) * 0.99)] * 1000,
        "read of what was told, %": min(seen) * 100 / (A_SECOND * SECONDS),
        "late steps of 100": late * 100 / (SECONDS / STEP_S),
        "feed, % of a core": core * 100,
        "each desk, % of a core": spent / SECONDS / desks * 100,
    }


@contextmanager
def rounds(given: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    with own_redis() as server:
        server.start()
        yield lambda: measured(server.address, given.desks)


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"desks": 20}).run(__doc__))
