"""One life of an engine in a process of its own: recover, be compared with the broker, trade, perhaps die."""

import asyncio
import logging
import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from data.records import replace
from data.vocabulary import OrderState
from engine.desk import Desk
from engine.rules import Waits
from tests.faults.actions import (
    act,
    convert_at_last,
    free_unsent,
    halt_and_resume,
    patience,
    resume_all,
    settle_conversions,
)
from tests.faults.clock import FastClock, monotonic
from tests.faults.compare import Findings, compare
from tests.faults.guarding import missed
from tests.faults.kill_sleeps import AFTER, BEFORE, CLAIM_VALID_S, SEND_WITHIN_S, Nap, fall_asleep, late
from tests.faults.remote import RULES, open_chaos_desk, read_all, remote_of
from tradedesk.testing import seam

WAITS = Waits(live_poll_s=10.0, heartbeat_s=20.0, halt_readback_s=2.0, claim_valid_s=3600.0)
"""The desk's own waits; what repeats is rarer: a hundredfold clock would leave time for nothing else, and a
claim would be old before its bytes can leave."""

PATIENCE_S = 420.0
"""Clock seconds within which every order in doubt must be proven or raised to a human."""

SLOWEST_S = 20.0
"""Real seconds that a wait gets at least, on a machine that is busy."""

RETRIES = 5
"""How often books that differ are read again: what the desk was just booking is no difference."""


@dataclass(frozen=True, slots=True)
class Life:
    """What one engine process shall do. It kills itself when it has come to `point` for the `count`-th time.

    `while_booting` counts from the start, not from the end of the recovery. `orders` is how many it makes
    after its recovery; `halts` is the share of halts in what it does. `sleeps` is when it falls asleep, if it
    does, of `kill_sleeps`; `may_sleep` that some life of its home does, whose orders may leave for less long.
    """

    home: Path
    port: int
    clock: FastClock
    seed: str
    orders: int = 0
    halts: float = 0.015
    point: str = ""
    count: int = 1
    while_booting: bool = False
    compares_first: bool = True
    waits: Waits = WAITS
    may_sleep: bool = False
    sleeps: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The books after a recovery or a chaos run; times in real seconds."""

    findings: Findings
    opened_s: float
    settled_s: float
    compared_s: float
    freed_unsent: int = 0


class Fuse:
    """Kills this process at a point of the engine's way."""

    def __init__(self, life: Life) -> None:
        self._point = life.point
        self._left = life.count
        self.armed = life.while_booting

    def __call__(self, point: str) -> None:
        """Told by the engine that it is at `point`."""
        if self.armed and point == self._point:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


def run(pipe: Connection, life: Life) -> None:
    """Live one life in a forked process; sends a `Report`, then `None` once it has traded."""
    logging.basicConfig(level=logging.WARNING, format="%(created).3f %(levelname)s %(name)s %(message)s")
    asyncio.run(_live(pipe, life))


async def _live(pipe: Connection, life: Life) -> None:
    fuse, nap, began = Fuse(life), Nap(life.clock), monotonic()
    clock = life.clock.napping(0.002)
    waits, rules = life.waits, RULES
    if life.may_sleep:
        waits = replace(waits, claim_valid_s=CLAIM_VALID_S)
        rules = replace(RULES, send_at_least_s=SEND_WITHIN_S, send_at_most_s=SEND_WITHIN_S)

    def reached(point: str) -> None:
        nap(point)
        fuse(point)

    async with open_chaos_desk(
        life.home, life.port, clock, random.Random(life.seed).getrandbits(32), waits, reached, rules
    ) as desk:
        if life.sleeps == AFTER:
            await _sleep_over_unsent(life.clock)
        if life.compares_first:
            pipe.send(await recovered(desk, life, began))
        nap.armed, fuse.armed = life.sleeps == BEFORE, True
        if life.orders:
            await trade(desk, random.Random(f"acts:{life.seed}"), life.orders, life.halts)
        if not life.compares_first:
            await halt_and_resume(desk, random.Random(f"halt:{life.seed}"), share=1.0)
            pipe.send(await recovered(desk, life, began))
        pipe.send(None)
        await _told(pipe)


async def _told(pipe: Connection) -> None:
    """Wait until the parent says that this life may end."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), told.set)
    await told.wait()


async def _sleep_over_unsent(clock: FastClock) -> None:
    """Fall asleep before anybody has said what becomes of the unsent orders, and let leave what would."""
    fall_asleep(clock)
    await patience(0.2)


async def recovered(desk: Desk, life: Life, began: float) -> Report:
    """Wait until nothing is in doubt, let the broker come to rest, and compare the books with its ledger."""
    opened = monotonic()
    freed = await free_unsent(desk)
    await _until(desk, lambda: not _in_doubt(desk))
    await remote_of(desk).control("calm", True)
    await _until(desk, lambda: not _in_doubt(desk, raised=True))
    settled = monotonic()
    await resume_all(desk)  # the doctor rightly finds fault with a HALT file whose halt was never written
    found = Findings()
    for _ in range(RETRIES):
        await read_all(desk)
        await _until(desk, lambda: not _in_doubt(desk, raised=True), 0.0)
        await settle_conversions(desk)
        found = compare(life.home, await remote_of(desk).ledger())
        found.differences += [
            f"doctor: {check.name}: {check.detail}" for check in await desk.doctor.run() if not check.ok
        ]
        found.differences += missed(desk)
        remote = remote_of(desk)
        found.unread_halts, found.false_certificates = remote.unread_halts, len(remote.false_proofs)
        if life.may_sleep:
            found.differences += late(life.home, await remote_of(desk).receipts())
        if found.correct:
            break
        await desk.clock.sleep(PATIENCE_S / RETRIES)
    await remote_of(desk).control("calm", False)
    return Report(found, opened - began, settled - opened, monotonic() - settled, freed)


def _in_doubt(desk: Desk, raised: bool = False) -> bool:
    """Whether any order is on its way or UNKNOWN; one that was raised to a human counts if `raised`."""
    doubtful = (OrderState.RESERVED, OrderState.SENDING, OrderState.UNKNOWN)
    book = seam(desk).book
    live = [book.orders[order_id] for order_id in book.live]
    return any(order.state in doubtful and (raised or "NEEDS_HUMAN" not in order.flags) for order in live)


async def _until(desk: Desk, done: Callable[[], bool], least_s: float = SLOWEST_S) -> None:
    """Wait for something, for `PATIENCE_S` of the clock and at least `least_s` of the machine."""
    fast = desk.clock
    assert isinstance(fast, FastClock)
    end = monotonic() + max(least_s, PATIENCE_S / fast.speed)
    while not done() and monotonic() < end:
        await patience(0.005)


async def trade(desk: Desk, dice: random.Random, orders: int, halts: float) -> None:
    """Do things, several at a time, until `orders` orders have been sent."""
    book, under_way = seam(desk).book, set[asyncio.Task[None]]()
    already = _sent(desk)
    while _sent(desk) - already < orders:
        for _ in range(10):
            states = [book.orders[order_id].state for order_id in book.live]
            if len(under_way) < 4 and states.count(OrderState.RESERVED) < 200:
                under_way.add(asyncio.create_task(act(desk, dice, halts)))
            await patience(0.002)
            for task in [task for task in under_way if task.done()]:
                task.result()
                under_way.discard(task)
    for task in under_way:
        await task
    await convert_at_last(desk, dice)


def _sent(desk: Desk) -> int:
    """How many orders have been claimed, and so sent but for what their end says."""
    return sum(order.tag is not None for order in seam(desk).book.orders.values())
