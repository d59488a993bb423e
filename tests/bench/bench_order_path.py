"""The order path against bare sqlite3: reserve, send, fill for 1,000 clients, in one run.

The peer writes the very rows the desk wrote, read back from its database, in the same number of commits,
with `executemany` and the same pragmas. The exchange keeps its books in memory; what its own work costs
is timed apart and left out. Prints the ratio (aim: 2 or less) and commits per order.
"""

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from data.reference.seed import universe
from data.vocabulary import ClientStatus, Policy, SizingKind
from engine.accounts.clients import NewClient
from tests.desks import buy, paper_desk

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


class TimedExchange:
    """Counts the time spent inside the paper exchange, so that it can be left out."""

    def __init__(self, exchange) -> None:
        self.seconds = 0.0
        for name in ("place", "updates_after", "quotes", "advance"):
            self._wrap(exchange, name)

    def _wrap(self, exchange, name: str) -> None:
        call = getattr(exchange, name)

        def timed(*args, **named):
            begun = time.perf_counter()
            try:
                return call(*args, **named)
            finally:
                self.seconds += time.perf_counter() - begun

        setattr(exchange, name, timed)


async def desk_seconds(home: Path, clients: int) -> tuple[float, float, int, dict[str, int]]:
    """Seconds of one bulk buy from start to the last fill booked, the exchange's own, and the commits."""
    async with paper_desk(home, Policy.WORST, demo=False) as desk:
        listings = universe()
        desk.exchange.list_instruments(listings)
        await desk.market.store_instruments([row.instrument for row in listings], "bench")
        desk.exchange.pin("RELIANCE", 245050, 239520)
        await desk.clients.add(
            [
                NewClient(
                    f"BN{number:04d}",
                    f"Client {number}",
                    "zerodha",
                    f"ZB{number:04d}",
                    ClientStatus.ACTIVE,
                    capital_paise=1_00_000_00,
                    available_paise=1_00_000_00,
                )
                for number in range(clients)
            ]
        )
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.PERCENT_OF_CAPITAL, 2500))
        assert plan.orders == clients
        timed = TimedExchange(desk.exchange)
        commits = desk.commits
        begun = time.perf_counter()
        run = await desk.runs.start(plan, plan.digest)
        run = await desk.runs.settled(run.number, 60)
        await desk.settle()
        seconds = time.perf_counter() - begun
        assert run.counts["filled"] == clients, run.counts
        return seconds, timed.seconds, desk.commits - commits, {}


def bare_seconds(source: Path, target: Path, commits: int) -> tuple[float, int]:
    """Seconds sqlite3 needs for the same rows in the same number of commits, and how many rows."""
    reader = sqlite3.connect(source)
    writer = sqlite3.connect(target, isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("PRAGMA synchronous=FULL")
    work: list[tuple[str, list[tuple[object, ...]]]] = []
    for (statement,) in reader.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index') "
        "ORDER BY type DESC"
    ):
        writer.execute(statement)
    for name in WRITTEN:
        rows = reader.execute(f"SELECT * FROM {name}").fetchall()
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            work.append((f"INSERT INTO {name} VALUES ({marks})", rows))
    begun = time.perf_counter()
    for piece in range(commits):
        writer.execute("BEGIN IMMEDIATE")
        for statement, rows in work:
            size = -(-len(rows) // commits)
            writer.executemany(statement, rows[piece * size : (piece + 1) * size])
        writer.execute("COMMIT")
    seconds = time.perf_counter() - begun
    reader.close()
    writer.close()
    return seconds, sum(len(rows) for _, rows in work)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ratios = []
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            whole, exchange, commits, _ = asyncio.run(desk_seconds(home, options.clients))
            bare, rows = bare_seconds(home / "desk.db", home / "bare.db", commits)
        ratios.append((whole - exchange) / bare)
        print(
            f"round {number + 1}: desk {whole:.3f} s of which exchange {exchange:.3f} s; "
            f"bare sqlite3 {bare:.3f} s for {rows} rows in {commits} commits; ratio {ratios[-1]:.1f}"
        )
    print(
        f"{options.clients} orders: {statistics.median(ratios):.1f} times bare sqlite3, "
        f"{commits / options.clients:.3f} commits an order (aim: 2 times or less)"
    )


if __name__ == "__main__":
    main()
