"""What a history of 2.5 million orders costs the app's start, `plan` and the orders of the day.

Held against a history of 3,000. It is made by SQL out of one run that a desk has carried out, copied onto
trading days before it with its attempts, fills and transfers. It is put into the folder that `--folder`
names, and used again where it is there already; else into a temporary one.
"""

import argparse
import asyncio
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path

from data.vocabulary import DeskKind, SizingKind
from tests.bench.bench_start import start
from tests.bench.frame import Aim, Bench, Figures
from tests.bench.homes import SYMBOL, bench_desk, command_seconds, compare_all, laid_home
from tests.desks import buy

CLIENTS, FEW_DAYS = 1000, 3
AIMS = (Aim("start", 1.2), Aim("plan", 1.2), Aim("orders of the day", 1.2))
PLAN = ("plan", "buy", SYMBOL, "--percent", "5", "--json")

SHIFTED = {
    "plan": {"number": 1, "digest": "text"},
    "run": {"number": 1, "plan_number": 1},
    "orders": {"id": 0, "run_number": 1, "plan_number": 1, "tag": "text", "broker_order_id": "text"},
    "attempt": {"order_id": 0, "tag": "text"},
    "fill": {"id": 3, "order_id": 0, "trade_id": "text", "broker_order_id": "text"},
    "txn": {"id": 2, "order_id": 0},
    "posting": {"txn_id": 2, "order_id": 0},
    "share_posting": {"txn_id": 2},
}
"""By table, the columns that differ between copies: numbers by which shift, and texts that get a suffix."""

DATES = ("trading_date", "opened_on")


async def trade(home: Path) -> None:
    """Carry one run out, which buys a share for everybody."""
    async with bench_desk(home, kind=DeskKind.SCRIPT) as desk:
        await compare_all(desk)
        plan = await desk.plans.freeze(buy(SYMBOL, SizingKind.FIXED_QUANTITY, 1))
        run = await desk.runs.start(plan, plan.digest)
        await desk.runs.settled(run.number, 120)
        await desk.settle()


def copied(books: sqlite3.Connection, name: str) -> str:
    """The statement that copies the model's rows of a table; `:n` numbers the copy, `:day` is its date."""
    shifted, columns = SHIFTED[name], [row[1] for row in books.execute(f"PRAGMA table_info('{name}')")]
    chosen: list[str] = []
    for column in columns:
        how = shifted.get(column)
        if column in DATES:
            chosen.append(":day")
        elif how == "text":
            chosen.append(f"{column} || '-' || :n")
        elif how is None:
            chosen.append(f'"{column}"')
        else:
            chosen.append(f'"{column}" + :by{how}')
    named = ", ".join(f'"{column}"' for column in columns)
    return f'INSERT INTO "{name}" ({named}) SELECT {", ".join(chosen)} FROM "model_{name}"'


def days_before(day: date, count: int) -> Iterator[date]:
    """So many weekdays before a day, the oldest first."""
    found: list[date] = []
    while len(found) < count:
        day -= timedelta(days=1)
        if day.weekday() < 5:
            found.append(day)
    return reversed(found)


def generate(home: Path, days: int) -> None:
    """Put so many days' runs before the one that these books hold."""
    with closing(sqlite3.connect(home / "desk.db", isolation_level=None)) as books:
        books.execute("PRAGMA journal_mode=OFF")  # a log of it all would be as long as the books
        books.execute("PRAGMA synchronous=OFF")
        books.execute("PRAGMA cache_size=-400000")
        books.execute("PRAGMA temp_store=MEMORY")
        for name in SHIFTED:
            books.execute(f'CREATE TEMP TABLE "model_{name}" AS SELECT * FROM "{name}"')
        steps = [
            books.execute(f"SELECT max({column}) FROM {name}").fetchone()[0]
            for name, column in (("orders", "id"), ("run", "number"), ("txn", "id"), ("fill", "id"))
        ]
        last = date.fromisoformat(books.execute("SELECT max(trading_date) FROM orders").fetchone()[0])
        statements = [copied(books, name) for name in SHIFTED]
        indexes = indexes_of(books)
        for name, _ in indexes:
            books.execute(f'DROP INDEX "{name}"')
        books.execute("BEGIN")
        for number, day in enumerate(days_before(last, days), start=1):
            values = {"n": number, "day": day.isoformat()}
            values |= {f"by{place}": step * number for place, step in enumerate(steps)}
            for statement in statements:
                books.execute(statement, values)
        books.execute("COMMIT")
        for _, text in indexes:  # sorting all rows once costs a fraction of placing each
            books.execute(text)
        books.execute("PRAGMA journal_mode=WAL")


def indexes_of(books: sqlite3.Connection) -> list[tuple[str, str]]:
    """The name and text of each index of the tables that are copied into."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
    return [row for name in SHIFTED for row in books.execute(query, (name,))]


@contextmanager
def history(orders: int, folder: str) -> Iterator[Path]:
    """A home with so many orders, or the one that stands in `folder`."""
    kept = Path(folder) / f"history-{orders}" if folder else None
    if kept is not None and kept.exists():
        yield kept
        return
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
    with laid_home(CLIENTS, folder or None) as home:
        asyncio.run(trade(home))
        generate(home, max(0, orders // CLIENTS - 1))
        if kept is not None:
            shutil.move(home, kept)
            home = kept
        yield home


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Two homes, opened by each round."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as spare,
        history(FEW_DAYS * CLIENTS, options.folder or spare) as few,
        history(options.orders, options.folder or spare) as many,
    ):

        def command(*words: str) -> Sequence[float]:
            return [command_seconds(home, *words) for home in (few, many)]

        def measure() -> Figures:
            up = [start(home)[1] for home in (few, many)]
            planned, listed = command(*PLAN), command("orders", "--json")
            return {
                "start": up[1] / up[0],
                "plan": planned[1] / planned[0],
                "orders of the day": listed[1] / listed[0],
                "start s": up[1],
                "plan s": planned[1],
                "orders s": listed[1],
            }

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"orders": 2_500_000, "folder": ""}).run(__doc__))
