"""The order path against bare sqlite3: reserve, send, fill for 1,000 clients at no latency.

The peer writes the very rows the desk wrote, and makes as many changes to each table's rows, in the same
number of commits, with `executemany` and the same pragmas. How many changes there are is counted once, by
triggers in a run of its own. The exchange keeps its books in memory; what its own work costs is counted
apart and left out.
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

from data.vocabulary import RunCount, SizingKind
from engine.instances import DeskKind
from tests.bench.frame import Aim, Bench, Figures, as_started
from tests.bench.homes import SYMBOL, CountedExchange, bench_desk, compare_all, lay
from tests.desks import buy

WRITTEN = (
    "plan",
    "run",
    "orders",
    "attempt",
    "fill",
    "txn",
    "posting",
    "share_posting",
    "holding",
    "lot",
    "audit",
)
CHANGED = ("orders", "funds", "holding", "attempt", "run")
SCHEMA = """SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index')
    ORDER BY type DESC"""
AIMS = (Aim("times bare", 2.0),)


async def carry_out(
    home: Path, clients: int, before: Callable[[], None] = lambda: None
) -> tuple[float, float, int]:
    """Seconds of one bulk buy from start to the last fill booked, the exchange's own, and the commits."""
    exchange = CountedExchange()
    async with bench_desk(home, exchange, kind=DeskKind.SCRIPT) as desk:
        await lay(desk, clients)
        await compare_all(desk)
        plan = await desk.plans.freeze(buy(SYMBOL, SizingKind.PERCENT_OF_CAPITAL, 2500))
        assert plan.orders == clients, plan.orders
        as_started()
        before()
        exchange.seconds, commits = 0.0, desk.commits
        began = time.perf_counter()
        run = await desk.runs.start(plan, plan.digest)
        run = await desk.runs.settled(run.number, 60)
        await desk.settle()
        seconds = time.perf_counter() - began
        assert run.counts[RunCount.FILLED] == clients, run.counts
        return seconds, exchange.seconds, desk.commits - commits


def count_changes(clients: int) -> dict[str, int]:
    """How many rows of each table a run updates."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)

        def watch() -> None:
            with closing(sqlite3.connect(home / "desk.db", timeout=10)) as connection:
                connection.execute("CREATE TABLE bench_changes (name TEXT PRIMARY KEY, changes INTEGER)")
                for name in CHANGED:
                    connection.execute("INSERT INTO bench_changes VALUES (?, 0)", (name,))
                    connection.execute(
                        f"CREATE TRIGGER bench_{name} AFTER UPDATE ON {name} BEGIN "
                        f"UPDATE bench_changes SET changes = changes + 1 WHERE name = '{name}'; END"
                    )
                connection.commit()

        asyncio.run(carry_out(home, clients, watch))
        with closing(sqlite3.connect(home / "desk.db")) as connection:
            return dict(connection.execute("SELECT name, changes FROM bench_changes"))


Work = list[tuple[str, list[tuple[object, ...]]]]


def inserts(source: sqlite3.Connection) -> Work:
    """Statements that write the rows of these books anew."""
    work: Work = []
    for name in WRITTEN:
        rows = source.execute(f"SELECT * FROM {name}").fetchall()
        if rows:
            work.append((f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows))
    return work


def updates(source: sqlite3.Connection, changes: dict[str, int]) -> Work:
    """Statements that change so many rows of each table, three columns of a row by its key."""
    work: Work = []
    for name, count in changes.items():
        columns = [row[1] for row in source.execute(f"PRAGMA table_info({name})")]
        named = ", ".join(f"{column} = ?" for column in columns[-3:])
        values = source.execute(f"SELECT {', '.join(columns[-3:])}, rowid FROM {name}").fetchall()
        if values and count:
            work.append(
                (
                    f"UPDATE {name} SET {named} WHERE rowid = ?",
                    [values[n % len(values)] for n in range(count)],
                )
            )
    return work


def bare_seconds(books: Path, target: Path, changes: dict[str, int], commits: int) -> tuple[float, int]:
    """Seconds sqlite3 needs for the same rows and changes in the same number of commits, and how many."""
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
        work = inserts(source) + updates(source, changes)
        began = time.perf_counter()
        for piece in range(commits):
            bare.execute("BEGIN IMMEDIATE")
            for statement, rows in work:
                size = -(-len(rows) // commits)
                bare.executemany(statement, rows[piece * size : (piece + 1) * size])
            bare.execute("COMMIT")
        return time.perf_counter() - began, sum(len(rows) for _, rows in work)


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Count the changes of a run once, then measure runs."""
    changes = count_changes(options.clients)

    def measure() -> Figures:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            home = Path(folder)
            whole, exchange, commits = asyncio.run(carry_out(home, options.clients))
            bare, rows = bare_seconds(home / "desk.db", home / "bare.db", changes, commits)
        return {
            "times bare": (whole - exchange) / bare,
            "desk s": whole,
            "exchange s": exchange,
            "bare s": bare,
            "rows": rows,
            "commits": commits,
        }

    yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 1000}).run(__doc__))
