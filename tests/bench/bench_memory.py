"""Memory of an open desk with 1,000 clients, after one run of orders and after ten.

Each round is a process of its own, which buys for everybody ten times over. Judged are the resident bytes
after the first run, and what the last five runs have added.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from tests.bench.frame import Aim, Bench, Figures

RUNS = 10
AIMS = (Aim("after one run", 150.0, "MB"), Aim("growth", 5.0, "MB"))


def resident_mb() -> float:
    """Megabytes of this process that are in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise SystemExit("this system does not tell a process's memory")


async def trade(home: Path, clients: int) -> list[float]:
    """Megabytes after each run."""
    from data.vocabulary import SizingKind
    from tests.bench.homes import SYMBOL, bench_desk, compare_all, lay
    from tests.desks import buy

    found: list[float] = []
    async with bench_desk(home) as desk:
        await lay(desk, clients)
        await compare_all(desk)
        for _ in range(RUNS):
            plan = await desk.plans.freeze(buy(SYMBOL, SizingKind.FIXED_QUANTITY, 1, again=True))
            run = await desk.runs.start(plan, plan.digest)
            await desk.runs.settled(run.number, 120)
            await desk.settle()
            found.append(resident_mb())
    return found


def child(clients: int) -> None:
    """Measure in this process and print it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        print(json.dumps(asyncio.run(trade(Path(folder) / "home", clients))))


def rounds(options: argparse.Namespace) -> nullcontext[Callable[[], Figures]]:
    """Each round is a process of its own."""

    def measure() -> Figures:
        command = [sys.executable, "-m", "tests.bench.bench_memory", "--child", str(options.clients)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        found = json.loads(done.stdout)
        return {
            "after one run": found[0],
            "growth": found[-1] - found[RUNS // 2 - 1],
            "after five runs MB": found[RUNS // 2 - 1],
            "after ten runs MB": found[-1],
        }

    return nullcontext(measure)


if __name__ == "__main__":
    if "--child" in sys.argv:
        child(int(sys.argv[-1]))
    else:
        sys.exit(Bench(AIMS, rounds, {"clients": 1000}).run(__doc__))
