"""Reserving 1,000 orders, from Enter to the commit, against the same rows written bare in one commit.

The bare side writes the rows that the reservation wrote (the run, its orders, what it posted and audited)
and changes each client's funds once, with `executemany` and the same pragmas.
"""

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from data.vocabulary import SizingKind
from engine.instances import DeskKind
from tests.bench.frame import Aim, Bench, Figures, as_started
from tests.bench.homes import SYMBOL, CountedExchange, bench_desk, compare_all, lay
from tests.desks import buy

SCHEMA = """SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index')
    ORDER BY type DESC"""
AIMS = (Aim("times bare", 2.0),)
RESERVED = ("run", "orders", "txn", "posting", "audit")
LATENCY_S = 0.5
"""Long enough that nothing but the reservation is written when its rows are looked at."""


def counted(books: Path) -> dict[str, int]:
    """How many rows each table holds that a reservation writes to."""
    with closing(sqlite3.connect(books)) as connection:
        return {
            name: connection.execute(f"SELECT max(rowid) FROM {name}").fetchone()[0] or 0 for name in RESERVED
        }


async def reserve(home: Path, clients: int) -> tuple[float, dict[str, tuple[int, int]]]:
    """Seconds until a start returns, and the first and last row of each table that it wrote."""
    async with bench_desk(home, CountedExchange(), LATENCY_S, kind=DeskKind.SCRIPT) as desk:
        await lay(desk, clients)
        await compare_all(desk)
        plan = await desk.plans.freeze(buy(SYMBOL, SizingKind.PERCENT_OF_CAPITAL, 2500))
        assert plan.orders == clients, plan.orders
        as_started()
        before = counted(home / "desk.db")
        began = time.perf_counter()
        run = await desk.runs.start(plan, plan.digest)
        seconds = time.perf_counter() - began
        after = counted(home / "desk.db")
        await desk.runs.settled(run.number, 120)
        return seconds, {name: (before[name] + 1, after[name]) for name in RESERVED}


def bare_seconds(books: Path, target: Path, rows: dict[str, tuple[int, int]]) -> float:
    """Seconds sqlite3 needs for those rows and one change of each client's funds, in one commit."""
    with (
        closing(sqlite3.connect(books)) as source,
        closing(sqlite3.connect(target, isolation_level=None)) as bare,
    ):
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        for (statement,) in source.execute(SCHEMA):
            bare.execute(statement)
        funds = source.execute("SELECT * FROM funds").fetchall()
        bare.executemany(f"INSERT INTO funds VALUES ({', '.join('?' * len(funds[0]))})", funds)
        work = [
            (name, source.execute(f"SELECT * FROM {name} WHERE rowid BETWEEN ? AND ?", between).fetchall())
            for name, between in rows.items()
        ]
        changed = source.execute("SELECT available_paise, blocked_paise, client_id FROM funds").fetchall()
        began = time.perf_counter()
        bare.execute("BEGIN IMMEDIATE")
        for name, written in work:
            if written:
                bare.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(written[0]))})", written)
        bare.executemany(
            "UPDATE funds SET available_paise = ?, blocked_paise = ? WHERE client_id = ?", changed
        )
        bare.execute("COMMIT")
        return time.perf_counter() - began


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Each round in a home of its own."""

    def measure() -> Figures:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            home = Path(folder)
            seconds, rows = asyncio.run(reserve(home, options.clients))
            bare = bare_seconds(home / "desk.db", home / "bare.db", rows)
        written = sum(last - first + 1 for first, last in rows.values())
        return {"times bare": seconds / bare, "reserved s": seconds, "bare s": bare, "rows": written}

    yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 1000}).run(__doc__))
