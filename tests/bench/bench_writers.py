"""100 writers of reservations and cancels on one PostgreSQL, beside each other against one global lock.

Each is a store of its own, in several processes, and reserves for ten clients of its own in one commit and
frees half of that in the next: the desk's own units, with their transfers, proofs and audit. Behind the
global lock each batch has the gate to itself.
"""

import argparse
import asyncio
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from data.clock import ManualClock
from data.engines.counting import StatementCounts
from data.engines.postgres import PostgresBooks
from data.engines.shared.gate import GateMode
from data.store import Store
from tests.bench.frame import Aim, Bench, Figures
from tests.desks import START
from tests.postgres import (
    SETTINGS,
    address_of,
    copy_of_template,
    end_with_run,
    make_cluster,
    start_cluster,
    with_template,
)
from tests.seats import Seat, open_clients, stores_beside, work

AIMS = (
    Aim("times one lock", 2.0, least=True),
    Aim("statements a commit, to those of 2 writers", 1.05),
)
PROCESSES = 4
CLIENTS = 10
"""Of each writer."""

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "max_connections": "400"}


def clients_of(writer: int) -> Sequence[int]:
    return range(1 + writer * CLIENTS, 1 + (writer + 1) * CLIENTS)


async def write(books: PostgresBooks, writers: range, rounds: int, mode: GateMode, pipe: Pipe) -> None:
    """Be these writers, from the parent's word on; tells it what that took."""
    counted = StatementCounts()
    async with stores_beside(Path("/none"), books, ManualClock(START), len(writers)) as stores:
        for number, store in zip(writers, stores, strict=True):
            store.desk = number + 1
        seats = [Seat(clients_of(number)) for number in writers]
        dice = random.Random(writers.start)
        for store, seat in zip(stores, seats, strict=True):
            await work(store, seat, 1, dice, mode)  # what is prepared once
        counted.statements = counted.commits = 0
        pipe.send(None)
        await asyncio.to_thread(pipe.recv)
        both = zip(stores, seats, strict=True)
        await asyncio.gather(*(work(store, seat, rounds, dice, mode) for store, seat in both))
        pipe.send((counted.statements, counted.commits))
        await asyncio.to_thread(pipe.recv)


def child(address: str, first: int, behind: int, rounds: int, mode: str, pipe: Pipe) -> None:
    """A process of writers."""
    asyncio.run(write(PostgresBooks(make_url(address)), range(first, behind), rounds, GateMode(mode), pipe))


def measured(address: str, writers: int, rounds: int, mode: GateMode) -> tuple[float, float]:
    """Commits a second of so many writers, and the statements of each."""
    context = multiprocessing.get_context("spawn")
    split = [writers * one // PROCESSES for one in range(PROCESSES + 1)]
    pipes: list[Any] = []
    processes: list[Any] = []
    for first, behind in pairwise(split):
        if first == behind:
            continue
        ours, theirs = context.Pipe()
        process = context.Process(target=child, args=(address, first, behind, rounds, mode.value, theirs))
        process.start()
        pipes.append(ours)
        processes.append(process)
    for pipe in pipes:
        pipe.recv()
    began = time.perf_counter()
    for pipe in pipes:
        pipe.send(None)
    told = [pipe.recv() for pipe in pipes]
    took = time.perf_counter() - began
    for pipe in pipes:
        pipe.send(None)
    for process in processes:
        process.join()
    statements, commits = map(sum, zip(*told, strict=True))
    return commits / took, statements / commits


async def lay(books: PostgresBooks, writers: int) -> None:
    """Have the clients of all writers."""
    store = Store(Path("/none"), ManualClock(START), database=books)
    await store.open()
    await store.write(lambda unit: open_clients(unit, range(1, 1 + writers * CLIENTS)))
    await store.close()


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """A server whose commits are durable, with empty books for each round."""
    with tempfile.TemporaryDirectory(prefix="tdpg-") as kept:
        folder = Path(kept)
        folder.chmod(0o755)
        make_cluster(folder, SETTINGS | DURABLE)
        start_cluster(folder)
        end_with_run(folder)
        template = with_template(address_of(folder))

        def measure() -> Figures:
            address = copy_of_template(template).render_as_string(hide_password=False)
            asyncio.run(lay(PostgresBooks(make_url(address)), options.writers))
            few, said_by_few = measured(address, 2, options.commits, GateMode.SHARED)
            beside, said = measured(address, options.writers, options.commits, GateMode.SHARED)
            behind, _ = measured(address, options.writers, options.commits, GateMode.ALONE)
            return {
                "times one lock": beside / behind,
                "statements a commit, to those of 2 writers": said / said_by_few,
                "beside each other tx/s": beside,
                "behind one lock tx/s": behind,
                "2 writers tx/s": few,
                "statements a commit": said,
            }

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"writers": 100, "commits": 4}).run(__doc__))
