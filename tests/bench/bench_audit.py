"""Pages of an audit of a million rows, against the 100 ms a page may take.

The rows are one desk's, copied by SQL onto days before it, and made anew in each run. Beside the judged pages
it prints what a word costs that no row has, looked for through all of it. `--rows` makes fewer.
"""

import argparse
import asyncio
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from data.home import books_file
from data.vocabulary import DeskKind, SizingKind
from engine.colon.searches import search_from
from engine.colon.splitting import words_of
from engine.desk import Desk
from tests.bench.frame import Aim, Bench, Figures
from tests.bench.homes import SYMBOL, bench_desk, compare_all, laid_home
from tests.desks import buy

MOST_MS = 100.0
LOOKS = {
    "newest": "",
    "client": "client:BN0007",
    "client and person": "client:BN0007 by:nobody",
    "order": "order:7",
    "run": "run:1",
    "plan": "plan:1",
    "rare action": "action:watchlist",
    "common action": "action:order_filled",
    "day": "on:2026-11-10",
    "person": "by:bench",
}
"""Searches by what they ask."""

AIMS = (*(Aim(name, MOST_MS, "ms") for name in LOOKS), Aim("an older page", MOST_MS, "ms"))
AIMS = (*AIMS, Aim("a step of a word that is nowhere", MOST_MS, "ms"))


async def trade(home: Path) -> None:
    """Carry a run out for everybody."""
    async with bench_desk(home, kind=DeskKind.SCRIPT) as desk:
        await compare_all(desk)
        plan = await desk.plans.freeze(buy(SYMBOL, SizingKind.FIXED_QUANTITY, 1))
        run = await desk.runs.start(plan, plan.digest)
        await desk.runs.settled(run.number, 120)
        await desk.settle()


def grow(home: Path, rows: int) -> None:
    """Copy the rows behind themselves until there are so many, each copy a day later in number and date."""
    with closing(sqlite3.connect(books_file(home))) as books:
        (there,) = books.execute("SELECT max(seq) FROM audit").fetchone()
        columns: list[str] = [row[1] for row in books.execute("PRAGMA table_info(audit)")]
        days = rows // there + 1
        copied = {
            "seq": f"seq + n * {there}",
            "at": f"strftime('%Y-%m-%d %H:%M:%f', at, (n - {days}) || ' days') || '000'",
            "order_id": "order_id + n * 100000",
            "run_number": "run_number + n",
            "plan_number": "plan_number + n",
        }
        books.execute("PRAGMA synchronous = OFF")
        books.execute(
            f"INSERT INTO audit ({', '.join(columns)}) WITH RECURSIVE copies (n) AS (SELECT 1 UNION ALL "
            f"SELECT n + 1 FROM copies WHERE n < {days}) "
            f"SELECT {', '.join(copied.get(one) or one for one in columns)} FROM copies CROSS JOIN "
            f"(SELECT * FROM audit WHERE seq <= {there} ORDER BY seq)"
        )
        books.commit()


async def looked(desk: Desk) -> Figures:
    """Milliseconds of one page of each search, of an older page, and of words."""
    found: dict[str, float] = {}
    for name, line in LOOKS.items():
        began = time.perf_counter()
        search = await desk.audit.search(search_from(words_of(line), desk.known()))
        page = await search.page()
        found[name] = 1000 * (time.perf_counter() - began)
    search = await desk.audit.search()
    page = await search.page()
    middle = (page.rows[0].seq // 2) if page.rows else 1
    began = time.perf_counter()
    await search.page(middle)
    found["an older page"] = 1000 * (time.perf_counter() - began)
    search = await desk.audit.search(search_from(["no-row-has-it"], desk.known()))
    began, on, steps = time.perf_counter(), None, 0
    while steps == 0 or on is not None:
        on, steps = (await search.older(on)).on, steps + 1
    whole = 1000 * (time.perf_counter() - began)
    return {**found, "a step of a word that is nowhere": whole / steps, "that word, all rows": whole}


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """One history for all rounds."""
    with laid_home(options.clients) as home:
        asyncio.run(trade(home))
        grow(home, options.rows)

        async def measure() -> Figures:
            async with bench_desk(home, kind=DeskKind.COMMAND) as desk:
                return await looked(desk)

        yield lambda: asyncio.run(measure())


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 200, "rows": 1_000_000}).run(__doc__))
