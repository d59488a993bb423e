"""Comparing 1,000 clients' books with the broker's, each answer taking 20 ms: own processor time, and wall.

The wall is held against clients times calls times latency by readers. The exchange keeps its books in
memory; what its own work costs is left out. Counted are commits, and statements of the writer and of
readers.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, event

from data.vocabulary import DeskKind
from engine.reconciliation.reconciler import CALLS
from engine.rules import READERS
from tests.bench.frame import Aim, Bench, Figures, Watch
from tests.bench.homes import CountedExchange, bench_desk, compare_all, lay

LATENCY_S = 0.02
AIMS = (Aim("own cpu", 1.0, "s"), Aim("times the bound", 1.2), Aim("commits", 100, "commits"))


class Statements:
    """Counts every statement that goes through SQLAlchemy."""

    def __init__(self) -> None:
        self.count = 0
        event.listen(Engine, "before_cursor_execute", self._seen)

    def _seen(self, *_: object) -> None:
        self.count += 1

    def close(self) -> None:
        event.remove(Engine, "before_cursor_execute", self._seen)


async def compare(home: Path, clients: int) -> Figures:
    """Figures of everybody's first comparison."""
    exchange = CountedExchange()
    async with bench_desk(home, exchange, LATENCY_S, kind=DeskKind.COMMAND) as desk:
        await lay(desk, clients)
        before, commits, statements = exchange.seconds, desk.commits, Statements()
        with Watch() as spent:
            await compare_all(desk)
        statements.close()
        assert all(desk.reconcile.is_compared(client.id) for client in desk.clients.all())
        own = exchange.seconds - before
        return {
            "own cpu": spent.cpu - own,
            "times the bound": spent.wall / (clients * CALLS * LATENCY_S / READERS),
            "commits": desk.commits - commits,
            "statements": statements.count,
            "wall s": spent.wall,
            "exchange s": own,
        }


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Each round in a home of its own."""

    def measure() -> Figures:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            return asyncio.run(compare(Path(folder), options.clients))

    yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 1000}).run(__doc__))
