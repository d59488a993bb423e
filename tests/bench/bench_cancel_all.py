"""A cancel-all of 100 clients with five live orders each: processor time a cancel, and the wall.

Every call takes 50 ms. The wall is held against 0.4 s, what it takes where 64 calls are under way at once and
nothing but the latency is in the way; cancels have more workers than that. The exchange keeps its books in
memory; what its own work costs is left out of the processor time. The certificate comes later, since it rests
on a read of every client's book; its time is printed.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from data.vocabulary import RunCount, SizingKind
from engine.desk import Desk
from engine.rules import WORKERS
from tests.bench.frame import Aim, Bench, Figures, Watch, as_started
from tests.bench.homes import LAST_PAISE, SYMBOL, CountedExchange, bench_desk, compare_all, lay
from tests.desks import buy

LATENCY_S, EACH = 0.05, 5
LIMIT_PAISE = LAST_PAISE * 98 // 100 // 100 * 100
"""Below the market, so that no order trades."""
AIMS = (Aim("cpu a cancel", 0.7, "ms"), Aim("times the bound", 1.2))


async def until(desk: Desk, done: Callable[[], bool]) -> None:
    """Wait until something is so, looking after each event of the desk."""
    moved = asyncio.Event()
    unsubscribe = desk.events.subscribe(lambda _: moved.set())
    try:
        while not done():
            moved.clear()
            await moved.wait()
    finally:
        unsubscribe()


async def cancel(home: Path, clients: int) -> Figures:
    """Figures of one cancel-all."""
    exchange = CountedExchange()
    async with bench_desk(home, exchange, LATENCY_S) as desk:
        await lay(desk, clients)
        await compare_all(desk)
        as_started()
        for _ in range(EACH):
            intent = buy(SYMBOL, SizingKind.FIXED_QUANTITY, 1, limit_paise=LIMIT_PAISE, again=True)
            plan = await desk.plans.freeze(intent)
            run = await desk.runs.start(plan, plan.digest)
            await until(desk, lambda run=run: desk.runs.get(run.number).counts[RunCount.OPEN] == clients)
        await desk.settle()
        assert desk.counts().live == clients * EACH, desk.counts()
        before = exchange.seconds
        with Watch() as spent:
            firing = desk.halt.fire_now("bench")
            await until(desk, lambda: desk.counts().live == 0)
        own = exchange.seconds - before
        with Watch() as later:
            certificate = await firing
        assert certificate is not None
        cancels = clients * EACH
        return {
            "cpu a cancel": 1000 * (spent.cpu - own) / cancels,
            "times the bound": spent.wall / (cancels * LATENCY_S / WORKERS),
            "wall s": spent.wall,
            "certificate s": spent.wall + later.wall,
            "exchange s": own,
        }


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Each round in a home of its own."""

    def measure() -> Figures:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            return asyncio.run(cancel(Path(folder), options.clients))

    yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 100}).run(__doc__))
