"""A run of 1,000 orders in a desk as the app opens it, from Enter to the last fill booked, with 50 ms a call.

Held against orders times latency by workers: what it would take were nothing but the latency in the way.
The exchange is a file in the home; its own processor time is told apart, and left out of the ratio.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from data.vocabulary import RunCount, SizingKind
from engine.rules import WORKERS
from tests.bench.frame import Aim, Bench, Figures, Watch, as_started
from tests.bench.homes import SYMBOL, CountedExchange, bench_desk, compare_all, copy_of, laid_home
from tests.desks import buy

LATENCY_S = 0.05
AIMS = (Aim("times the bound", 1.6),)


async def carry_out(home: Path, clients: int) -> Figures:
    """Figures of one run."""
    exchange = CountedExchange(home / "paper.db")
    async with bench_desk(home, exchange, LATENCY_S) as desk:
        await compare_all(desk)
        plan = await desk.plans.freeze(buy(SYMBOL, SizingKind.PERCENT_OF_CAPITAL, 2500))
        assert plan.orders == clients, plan.orders
        as_started()
        before, commits = exchange.seconds, desk.commits
        began = time.perf_counter()
        with Watch() as spent:
            run = await desk.runs.start(plan, plan.digest)
            reserved = time.perf_counter() - began
            run = await desk.runs.settled(run.number, 120)
            await desk.settle()
        assert run.counts[RunCount.FILLED] == clients, run.counts
        own = exchange.seconds - before
        bound = clients * LATENCY_S / WORKERS
        return {
            "times the bound": (spent.wall - own) / bound,
            "with the exchange": spent.wall / bound,
            "wall s": spent.wall,
            "reserved s": reserved,
            "exchange s": own,
            "desk's cpu s": spent.cpu - own,
            "commits": desk.commits - commits,
        }


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """A home made once, and copied for each round."""
    with laid_home(options.clients) as template:

        def measure() -> Figures:
            with copy_of(template) as home:
                return asyncio.run(carry_out(home, options.clients))

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 1000}).run(__doc__))
