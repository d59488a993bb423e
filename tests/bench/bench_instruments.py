"""What 100,000 instruments cost a command and the app that search none of them, against a home of few.

Two homes differ in their instruments only. A command that reads and one that looks an instrument up, and
the app's way to the open desk.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from data.records import replace
from data.reference.seed import universe
from data.vocabulary import DeskKind
from tests.bench.bench_start import start
from tests.bench.frame import Aim, Bench, Figures
from tests.bench.homes import bench_desk, command_seconds, laid_home

CLIENTS, FIRST_TOKEN = 50, 10_000_000
AIMS = (Aim("a command", 1.1), Aim("a search", 1.3), Aim("desk up", 1.1))


async def list_many(home: Path, count: int) -> None:
    """Give the books so many further instruments."""
    model = universe()[0].instrument
    many = [
        replace(
            model,
            token=str(FIRST_TOKEN + number),
            tradingsymbol=f"Z{number:05d}",
            name=f"MADE UP COMPANY {number}",
            isin="",
        )
        for number in range(count)
    ]
    async with bench_desk(home, kind=DeskKind.SCRIPT) as desk:
        await desk.market.store_instruments(many, "bench", complete=False)


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Two homes for all rounds."""
    with laid_home(CLIENTS) as few, laid_home(CLIENTS) as many:
        asyncio.run(list_many(many, options.instruments))

        def measure() -> Figures:
            reading = [command_seconds(home, "funds", "--json") for home in (few, many)]
            looking = [command_seconds(home, "search", "RELIANCE", "--json") for home in (few, many)]
            up = [start(home)[1] for home in (few, many)]
            return {
                "a command": reading[1] / reading[0],
                "a search": looking[1] / looking[0],
                "desk up": up[1] / up[0],
                "command with few s": reading[0],
                "up with few s": up[0],
            }

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"instruments": 100_000}).run(__doc__))
