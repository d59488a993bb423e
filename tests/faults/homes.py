"""Homes for chaos: one prepared once, copied for every run, with a chaos broker beside each."""

import asyncio
import shutil
from multiprocessing.connection import Connection
from pathlib import Path

from brokers.simulators.faults.menu import Faults
from engine.rules import Waits
from tests.faults import chaos_broker
from tests.faults.chaos_broker import Lines
from tests.faults.clock import FastClock, monotonic
from tests.faults.forks import Child, fork
from tests.faults.remote import open_chaos_desk
from tests.faults.scenery import move_in


def prepare_home(folder: Path, clients: int) -> Path:
    """Make a home with `clients` clients, to be copied. Raises `RuntimeError` where that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = FastClock(monotonic(), 1.0)
    broker = open_broker(clock, clients, 0, Faults(), Lines(), folder / "broker.log")
    try:
        child = fork(_move_in, folder, broker[1], clock, clients)
        if child.wait():
            raise RuntimeError(f"no home could be prepared in {folder}")
    finally:
        broker[0].kill()
        broker[0].wait()
    return folder


def _move_in(pipe: Connection, folder: Path, port: int, clock: FastClock, clients: int) -> None:
    async def work() -> None:
        async with open_chaos_desk(folder, port, clock, 0, Waits()) as desk:
            await move_in(desk, clients)

    asyncio.run(work())


def copy_home(prepared: Path, folder: Path) -> Path:
    """A copy of a prepared home."""
    shutil.copytree(prepared, folder)
    return folder


def open_broker(
    clock: FastClock,
    clients: int,
    seed: int,
    faults: Faults,
    lines: Lines,
    words: Path,
    moving: bool = True,
) -> tuple[Child, int]:
    """Start a chaos broker; returns its process and port."""
    child = fork(chaos_broker.run, clock, clients, seed, faults, lines, moving, words=words)
    return child, child.receive(20)
