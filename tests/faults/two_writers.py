"""Two processes on one file: how long cancel-all waits for the lock behind a writer that never pauses.

uv run python -m tests.faults.two_writers --times 20
"""

import argparse
import asyncio
import json
import logging
import random
import shutil
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import event

from data.engines.database import Database
from data.engines.shared.gate import GateMode
from data.vocabulary import DeskKind, HaltScope, OrderState
from data.writing import writer
from engine.desk import Desk
from tests.faults.actions import patience
from tests.faults.clock import monotonic
from tests.faults.forks import fork
from tests.faults.frozen_app import SYMBOLS, prepare, rest_orders
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

PERIOD_S = 4.0
"""Real seconds for which both write without a pause."""

APART = "NSE:TITAN"
"""An instrument that the busy writer does not trade, so that a halt of it stops nothing."""


class Lock:
    """Times of this process's write transactions: how long each waited for the lock, and held it."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.holds: list[float] = []
        self._taken = 0.0
        self._known: set[int] = set()
        take = writer.take_turn

        def timed(database: Database, connection: Transaction, gate: GateMode) -> None:
            self._follow(connection)
            began = monotonic()
            take(database, connection, gate)
            self._taken = monotonic()
            self.waits.append(self._taken - began)

        writer.take_turn = timed

    def _follow(self, connection: Transaction) -> None:
        if id(connection.engine) not in self._known:
            self._known.add(id(connection.engine))
            event.listen(connection.engine, "after_cursor_execute", self._executed)

    def _executed(self, connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement in ("COMMIT", "ROLLBACK"):
            self.holds.append(monotonic() - self._taken)


@dataclass(frozen=True, slots=True)
class TwoWriters:
    """Real seconds: what each halt waited for the lock and took until its commit, and the longest commits.

    Commits are counted in a period in which both write without a pause.
    """

    lock_waits_s: list[float]
    halts_s: list[float]
    longest_commit_s: float
    median_commit_s: float
    commits: int
    other_commits: int
    period_s: float
    other_longest_commit_s: float
    worst_wait_s: float
    other_worst_wait_s: float


def busy(pipe: Connection, home: Path, seed: int) -> None:
    """A desk that reserves, sends and cancels without a pause; answers each word with its times so far."""
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(_busy(pipe, home, random.Random(seed), Lock()))


async def _busy(pipe: Connection, home: Path, dice: random.Random, lock: Lock) -> None:
    async with compose_desk(home, DeskKind.APP, settings=Settings(trader="busy"), seed=1) as desk:
        await desk.market.fetch([f"NSE:{symbol}" for symbol in SYMBOLS])
        acts = set[asyncio.Task[None]]()
        pipe.send("busy")
        while True:
            states = [order.state for order in desk.orders.all(live=True)]
            if len(acts) < 4 and states.count(OrderState.RESERVED) < 200:
                acts.add(asyncio.create_task(rest_orders(desk, dice)))
            await patience(0.001)
            for task in [task for task in acts if task.done()]:
                task.result()
                acts.discard(task)
            if pipe.poll():
                pipe.recv()
                pipe.send((desk.commits, lock.holds[:], lock.waits[:]))
                lock.holds.clear()
                lock.waits.clear()


def measure(prepared: Path, folder: Path, times: int) -> TwoWriters:
    """Halt `times` times beside a busy desk, then write against it for a while."""
    home = folder / "shared"
    shutil.copytree(prepared, home)
    writer = fork(busy, home, 1, words=folder / "busy.log")
    try:
        writer.receive(60)

        def ask() -> tuple[int, list[float], list[float]]:
            writer.pipe.send("?")
            return writer.receive(30)

        other = fork(_other, home, times, words=folder / "other.log")
        try:
            assert other.receive(60) == "open"
            ask()
            other.pipe.send("halt")
            halts, waits = other.receive(300)
            _, holds, _ = ask()
            before, _, _ = ask()
            other.pipe.send("write")
            commits, other_holds, other_waits, period = other.receive(60)
            after, more_holds, busy_waits = ask()
        finally:
            other.kill()
            other.wait()
    finally:
        writer.kill()
        writer.wait()
    return TwoWriters(
        lock_waits_s=waits,
        halts_s=halts,
        longest_commit_s=max(holds),
        median_commit_s=statistics.median(holds),
        commits=after - before,
        other_commits=commits,
        period_s=period,
        other_longest_commit_s=max(*other_holds, *more_holds),
        worst_wait_s=max(busy_waits),
        other_worst_wait_s=max(other_waits),
    )


def _other(pipe: Connection, home: Path, times: int) -> None:
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(_beside(pipe, home, times, Lock()))


async def _beside(pipe: Connection, home: Path, times: int, lock: Lock) -> None:
    async with compose_desk(home, DeskKind.COMMAND, settings=Settings(trader="other"), seed=2) as desk:
        pipe.send("open")
        await _told(pipe)
        halts, waits = list[float](), list[float]()
        for _ in range(times):
            lock.waits.clear()
            halts.append(await _halt(desk))
            waits.append(lock.waits[0])
        pipe.send((halts, waits))
        await _told(pipe)
        lock.waits.clear()
        lock.holds.clear()
        began, before = monotonic(), desk.commits
        while monotonic() - began < PERIOD_S:
            await desk.watchlists.add("NSE:RIIL", "Beside")
            await desk.watchlists.remove("NSE:RIIL", "Beside")
        pipe.send((desk.commits - before, lock.holds, lock.waits, monotonic() - began))
        await _told(pipe)


async def _halt(desk: Desk) -> float:
    """Halt an instrument, as cancel-all does, and resume it; returns seconds until the halt was committed."""
    began, committed = monotonic(), list[float]()

    def reached(point: str) -> None:
        if point == "halt_written":
            committed.append(monotonic() - began)

    seam(desk).reached = reached
    made = await desk.halt.fire("other", HaltScope.SYMBOL, APART)
    await desk.halt.resume(made.number, "resume", "other")
    return committed[0]


async def _told(pipe: Connection) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pipe.fileno(), told.set)
    await told.wait()
    loop.remove_reader(pipe.fileno())
    pipe.recv()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.two_writers", description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="halts behind the busy writer")
    parser.add_argument("--folder", type=Path, help="where homes are made; the system's own by default")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="tradedesk-writers-", dir=given.folder))
    try:
        found = measure(prepare(base), base, given.times)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print("\n".join(table(found)))
    if given.json:
        given.json.write_text(json.dumps(figures(found), indent=2) + "\n")
    return 0


def figures(found: TwoWriters) -> dict[str, Any]:
    """Every figure by name."""
    return {
        **asdict(found),
        "worst_lock_wait_s": max(found.lock_waits_s),
        "worst_halt_s": max(found.halts_s),
    }


def table(found: TwoWriters) -> list[str]:
    """The figures as lines."""
    waits, halts = found.lock_waits_s, found.halts_s

    def words(times: list[float]) -> str:
        return f"median {statistics.median(times) * 1000:.1f} ms, worst {max(times) * 1000:.1f} ms"

    return [
        f"cancel-all behind a busy writer, {len(waits)} times",
        f"  wait for the lock        {words(waits)}",
        f"  until the halt's commit  {words(halts)}",
        f"  the writer's commits     median {found.median_commit_s * 1000:.1f} ms, "
        f"longest {found.longest_commit_s * 1000:.1f} ms",
        f"both writing for {found.period_s:.1f} s     {found.commits} and {found.other_commits} commits, "
        f"worst waits {found.worst_wait_s * 1000:.0f} and {found.other_worst_wait_s * 1000:.0f} ms",
    ]


if __name__ == "__main__":
    sys.exit(main())
