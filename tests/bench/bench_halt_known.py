"""When a halt is known by all of 20 desks: by its flag, by a hint of its row, and by looking alone.

The row is committed by another store on the same PostgreSQL, durably; the time is from asking for that
commit until the last of the others knows of it. All of them are stores of one process, whose threads and loop
they share: of as many processes none waits for another.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from data.clock import SystemClock
from data.engines.postgres import PostgresBooks
from data.engines.shared.gate import GateMode
from data.store import POLL_S, Store
from data.vocabulary import HaltScope
from engine.between.line import HINTED_POLL_S
from engine.book.halt_scope import HaltView
from engine.halt.booked import FILE_ONLY, announce_halt
from tests.bench.bench_writers import DURABLE
from tests.bench.frame import Aim, Bench, Figures
from tests.postgres import (
    SETTINGS,
    address_of,
    copy_of_template,
    end_with_run,
    make_cluster,
    start_cluster,
    with_template,
)
from tests.redis_server import own_redis
from tests.seats import stores_beside
from tradedesk.firm.line import RedisLine

AIMS = (Aim("by the flag ms", 250.0, "ms"), Aim("by a hint of the row ms", 250.0, "ms"))
NEVER_S = 3600.0


class Knowing:
    """One desk: it notes when it knows, and looks at once where it is told to."""

    def __init__(self, store: Store, line: RedisLine) -> None:
        self.store, self.line = store, line
        self.flagged_at = self.read_at = 0.0
        self.ready = False
        store.project(lambda connection, touched: touched.halts, self._deliver)
        line.hearer = self

    def _deliver(self, halts: object, events: Sequence[object], by_others: bool) -> None:
        if halts and not self.read_at:
            self.read_at = time.perf_counter()

    def moved(self, desk: int, seq: int) -> None:
        if self.store.poll_s == NEVER_S:  # where looking alone is measured nobody hears
            self.store.look(desk, seq)

    def flagged(self, halt: str) -> None:
        self.flagged_at = self.flagged_at or time.perf_counter()

    def renamed(self, halt: str, number: str) -> None:
        pass

    def joined(self, flags: Mapping[str, str]) -> None:
        self.ready = True

    def lost(self) -> None:
        pass


async def known(books: PostgresBooks, redis: str, desks: int) -> Figures:
    """What each way takes, in milliseconds."""
    clock, found = SystemClock(), dict[str, float]()
    async with stores_beside(Path("/none"), books, clock, desks + 1) as stores:
        lines = [RedisLine(redis, lambda: "bench", clock) for _ in stores]
        own, *others = [Knowing(store, line) for store, line in zip(stores, lines, strict=True)]
        own.store.committed = own.line.moved
        tasks = [asyncio.create_task(line.keep()) for line in lines]
        while not all(one.ready for one in (own, *others)):
            await clock.sleep(0.01)
        ways = {
            "first": NEVER_S,
            "by a hint of the row ms": NEVER_S,
            f"looking every {POLL_S * 1000:g} ms": POLL_S,
            f"looking every {HINTED_POLL_S:g} s": HINTED_POLL_S,
        }
        for way, poll_s in ways.items():
            for one in others:
                one.store.poll_s = poll_s
                one.store.look()
            await clock.sleep(1.2)  # each is in a wait of that length
            for one in others:
                one.flagged_at = one.read_at = 0.0
            halt = HaltView(FILE_ONLY, HaltScope.EVERYTHING, "", clock.now(), "bench")
            began = time.perf_counter()
            made, _ = await own.store.write(
                lambda unit, halt=halt: announce_halt(unit, halt, {}), GateMode.PAST
            )
            found["row committed ms"] = (time.perf_counter() - began) * 1000
            own.line.raise_flag(str(made.number))
            while not all(one.read_at and one.flagged_at for one in others):
                await clock.sleep(0.002)
            if way == "by a hint of the row ms":
                found["by the flag ms"] = (max(one.flagged_at for one in others) - began) * 1000
            found[way] = (max(one.read_at for one in others) - began) * 1000
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    del found["first"]  # what is compiled and connected once
    return found


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """A server whose commits are durable, with empty books for each round, and a Redis."""
    with tempfile.TemporaryDirectory(prefix="tdpg-") as kept, own_redis() as redis:
        folder = Path(kept)
        folder.chmod(0o755)
        make_cluster(folder, SETTINGS | DURABLE)
        start_cluster(folder)
        end_with_run(folder)
        template = with_template(address_of(folder))
        redis.start()

        def measure() -> Figures:
            address = copy_of_template(template).render_as_string(hide_password=False)
            return asyncio.run(known(PostgresBooks(make_url(address)), redis.address, options.desks))

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"desks": 20}).run(__doc__))
