"""Reserving 1,000 orders, and carrying them out, with books on a PostgreSQL against the same in a file.

The server is one of its own, from the wheel that tests use, which syncs each commit to the disk as the file
does. By turns, so that a busy machine hits both alike.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

from tests.bench.bench_order_path import carry_out
from tests.bench.bench_reserve import reserve
from tests.bench.frame import Aim, Bench, Figures, Spent
from tests.books import POSTGRES, SQLITE, stand_at, standing_on
from tests.postgres import (
    SETTINGS,
    address_of,
    copy_of_template,
    end_with_run,
    make_cluster,
    start_cluster,
    with_template,
)

AIMS = (Aim("times SQLite", 1.5),)
SYNCED = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


async def reserved(home: Path, clients: int) -> Spent:
    """What it takes until a start returns."""
    spent, _ = await reserve(home, clients)
    return spent


async def carried_out(home: Path, clients: int) -> Spent:
    """What it takes until the last fill is booked, the exchange's own work left out."""
    spent, exchange, _ = await carry_out(home, clients)
    return Spent(spent.wall - exchange, spent.cpu - exchange)


WORK = {"reserved": reserved, "carried out": carried_out}


@contextmanager
def on(engine: str, server: URL) -> Iterator[Path]:
    """A home of its own, whose books stand there."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, standing_on(engine):
        home = Path(folder)
        if engine == POSTGRES:
            stand_at(home, copy_of_template(server).render_as_string(hide_password=False))
        yield home


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """One server for all rounds, each with books of its own."""
    with tempfile.TemporaryDirectory(prefix="tdpg-") as folder:
        place = Path(folder)
        place.chmod(0o755)  # the server runs as another user where this one is root
        make_cluster(place, SETTINGS | SYNCED)
        start_cluster(place)
        end_with_run(place)
        server = with_template(address_of(place))

        def measure() -> Figures:
            found: dict[str, float] = {}
            for what, work in WORK.items():
                for engine in (SQLITE, POSTGRES):
                    with on(engine, server) as home:
                        found[f"{what} {engine} s"] = asyncio.run(work(home, options.clients)).wall
            times = {what: found[f"{what} {POSTGRES} s"] / found[f"{what} {SQLITE} s"] for what in WORK}
            return {"times SQLite": times["reserved"], "carried out, times": times["carried out"], **found}

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 1000}).run(__doc__))
