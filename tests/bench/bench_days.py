"""What 250 closed days of 1,000 clients with 20 shares each cost a preview's risk and a history.

A preview asks how far the desk stands under its highest: held against the driver summing the same rows by
day. A history of all of them is held against the driver reading the same rows, and the value at risk of
1,000 clients by 250 days of their 20 shares against its bare multiplications.
"""

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path

from data.home import books_file
from data.vocabulary import DeskKind
from engine.desk import Desk
from engine.risk.moves import moves_of
from engine.risk.simulation import TAIL_95, outcomes_of, summed, value_at_risk
from tests.bench.bench_close import insert
from tests.bench.frame import Aim, Bench, Figures
from tests.bench.homes import bench_desk, laid_home

CLIENTS, HELD, DAYS = 1_000, 20, 250
DAY = date(2026, 11, 18)
AIMS = (Aim("drawdown", 3.0), Aim("history", 12.0), Aim("value at risk", 4.0))
SUMS = "SELECT day, SUM(todays_pnl_paise) FROM client_day GROUP BY day"
ROWS = "SELECT client_id, day, rev, portfolio_value_paise, flows_paise, todays_pnl_paise FROM client_day"
POSITION = {
    "security": "INE467B01029",
    "key": "NSE:TCS",
    "product": "CNC",
    "quantity": 10,
    "cost_paise": 24_800_00,
    "close_paise": 2_500_00,
}


def lay(home: Path, ids: list[int]) -> None:
    """Closed days of these clients, each with the shares held at it."""
    dice, held = random.Random(1), str([POSITION] * HELD).replace("'", '"')
    with closing(sqlite3.connect(books_file(home))) as books, books:
        for back in range(DAYS, 0, -1):
            day = {"day": str(DAY - timedelta(days=back)), "rev": 1, "positions": held}
            figures = {"portfolio_value_paise": 5_00_000_00}
            rows = [
                {**day, **figures, "client_id": one, "todays_pnl_paise": dice.randrange(-5_000_00, 5_100_00)}
                for one in ids
            ]
            insert(books, "client_day", rows)
        books.execute("ANALYZE")


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def bare(home: Path, statement: str) -> Callable[[], object]:
    """A statement by the driver alone, on a connection of its own as ours is."""

    def read() -> object:
        with closing(sqlite3.connect(books_file(home))) as books:
            return books.execute(statement).fetchall()

    return read


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """One desk, asked again in each round."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as spare,
        laid_home(CLIENTS, spare) as home,
        asyncio.Runner() as runner,
    ):
        opened = bench_desk(home, kind=DeskKind.SCRIPT)
        desk: Desk = runner.run(opened.__aenter__())
        ids = [one.id for one in desk.clients.all()]
        lay(home, ids)
        dice = random.Random(2)
        closes = {
            f"S{n}": {DAY - timedelta(days=back): dice.randrange(900, 1_100) for back in range(DAYS + 1)}
            for n in range(200)
        }
        moves = moves_of(closes)
        worths = [dict.fromkeys(dice.sample(sorted(closes), HELD), 1000000) for _ in ids]

        def multiplied() -> None:
            for worth in worths:
                for key, value in worth.items():
                    [value * one for one in moves.of[key] if one is not None]

        def at_risk() -> None:
            outcomes = [outcomes_of(worth, moves) for worth in worths]
            for one in outcomes:
                value_at_risk(one, TAIL_95)
            value_at_risk(summed(outcomes), TAIL_95)

        def measure() -> Figures:
            drawdown = seconds(lambda: runner.run(desk.history.drawdown_paise(ids)))
            history = seconds(lambda: runner.run(desk.history.of(ids, "desk")))
            risk = seconds(at_risk)
            return {
                "drawdown": drawdown / seconds(bare(home, SUMS)),
                "history": history / seconds(bare(home, ROWS)),
                "value at risk": risk / seconds(multiplied),
                "drawdown s": drawdown,
                "history s": history,
                "value at risk s": risk,
            }

        try:
            yield measure
        finally:
            runner.run(opened.__aexit__(None, None, None))


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds).run(__doc__))
