"""Reserving 1,000 orders, from Enter to the commit, against the same statements run bare in one commit.

The bare side runs the very statements by which the reservation wrote (`bare.py`), taken down once in a run of
its own.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from data.vocabulary import DeskKind, SizingKind
from tests.bench.bare import Written, taken_down
from tests.bench.frame import Aim, Bench, Figures, Spent, Watch, as_started
from tests.bench.homes import SYMBOL, CountedExchange, bench_desk, compare_all, lay
from tests.desks import buy

AIMS = (Aim("times bare", 2.0),)


async def reserve(
    home: Path, clients: int, during: Callable[[], AbstractContextManager[Any]] = nullcontext
) -> tuple[Spent, Any]:
    """What it takes until a start returns; what goes on `during` it comes second."""
    async with bench_desk(home, CountedExchange(), kind=DeskKind.SCRIPT) as desk:
        await lay(desk, clients)
        await compare_all(desk)
        plan = await desk.plans.freeze(buy(SYMBOL, SizingKind.PERCENT_OF_CAPITAL, 2500))
        assert plan.orders == clients, plan.orders
        as_started()
        with during() as found, Watch() as spent:
            run = await desk.runs.start(plan, plan.digest)
        await desk.runs.settled(run.number, 60)
        return spent, found


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Take down what a reservation writes once, then measure, each round in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as kept:
        first = Path(kept)
        _, written = asyncio.run(reserve(first, options.clients, lambda: taken_down(first / "desk.db")))
        assert isinstance(written, Written)
        assert written.commits == 1, "nothing but the reservation"

        def measure() -> Figures:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                spent, _ = asyncio.run(reserve(Path(folder), options.clients))
            bare = written.run_bare()
            return {
                "times bare": spent.wall / bare.wall,
                "by processor": spent.cpu / bare.cpu,
                "reserved s": spent.wall,
                "bare s": bare.wall,
                "rows": written.rows,
            }

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 1000}).run(__doc__))
