"""The order path against bare sqlite3: reserve, send, fill for 1,000 clients at no latency.

The peer runs the very statements by which the desk wrote (`bare.py`), taken down once in a run of its own.
The exchange keeps its books in memory; what its own work costs is counted apart and left out.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from data.vocabulary import DeskKind, RunCount, SizingKind
from tests.bench.bare import Written, taken_down
from tests.bench.frame import Aim, Bench, Figures, Spent, Watch, as_started
from tests.bench.homes import SYMBOL, CountedExchange, bench_desk, compare_all, lay
from tests.desks import buy

AIMS = (Aim("times bare", 2.0),)


async def carry_out(
    home: Path, clients: int, during: Callable[[], AbstractContextManager[Any]] = nullcontext
) -> tuple[Spent, float, Any]:
    """What one bulk buy takes from start to the last fill booked, the exchange's own seconds of that.

    What goes on `during` it comes third.
    """
    exchange = CountedExchange()
    async with bench_desk(home, exchange, kind=DeskKind.SCRIPT) as desk:
        await lay(desk, clients)
        await compare_all(desk)
        plan = await desk.plans.freeze(buy(SYMBOL, SizingKind.PERCENT_OF_CAPITAL, 2500))
        assert plan.orders == clients, plan.orders
        as_started()
        exchange.seconds = 0.0
        with during() as found, Watch() as spent:
            run = await desk.runs.start(plan, plan.digest)
            run = await desk.runs.settled(run.number, 60)
            await desk.settle()
        assert run.counts[RunCount.FILLED] == clients, run.counts
        return spent, exchange.seconds, found


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Take down what a run writes once, then measure runs."""
    with tempfile.TemporaryDirectory(prefix="bench-") as kept:
        first = Path(kept)
        _, _, written = asyncio.run(carry_out(first, options.clients, lambda: taken_down(first / "desk.db")))
        assert isinstance(written, Written)

        def measure() -> Figures:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                desk, exchange, _ = asyncio.run(carry_out(Path(folder), options.clients))
            bare = written.run_bare()
            return {
                "times bare": (desk.wall - exchange) / bare.wall,
                "by processor": (desk.cpu - exchange) / bare.cpu,
                "desk s": desk.wall,
                "exchange s": exchange,
                "bare s": bare.wall,
                "rows": written.rows,
                "commits": written.commits,
            }

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 1000}).run(__doc__))
