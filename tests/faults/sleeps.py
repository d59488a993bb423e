"""Sleeps in mid-run: an engine is stopped while its orders leave, the world moves, and it goes on.

What has not left by then may leave only under the conditions that were confirmed: after a sleep beyond the
run's age, or beyond its drift, no order leaves and the run is paused; after a short one all do, each once.
"""

import asyncio
import os
import random
import signal
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from brokers.simulators.faults.menu import Faults
from data.records import replace
from data.vocabulary import OrderState, Product, RunCount, RunStatus, Side, SizingKind
from engine.planning.intent import Intent, Selection, Sizing
from engine.rules import Waits
from tests.faults.actions import patience
from tests.faults.chaos_broker import Lines, Receipt
from tests.faults.clock import FastClock, monotonic
from tests.faults.forks import Child, fork
from tests.faults.homes import copy_home, open_broker
from tests.faults.remote import RULES, RemoteBroker, open_chaos_desk
from tests.faults.scenery import PINNED, opening_price

WINDOW_S = 20
"""How long after its confirmation an order of these runs may leave."""

KINDS = ("short", "too_old", "drifted")
"""No condition broken; slept beyond the window; the price moved by two percent meanwhile."""

SLEEP_S = {"short": 0.0, "too_old": WINDOW_S + 5.0, "drifted": 4.0}
"""How long each kind sleeps, in seconds of the clock."""

SPEED = 5.0
LONGEST_S = 60.0
"""Real seconds within which a life must have come to its end."""


@dataclass(frozen=True, slots=True)
class SleepPlan:
    """One run's sleep, of a kind; `prepared` is a home with `clients` clients."""

    prepared: Path
    folder: Path
    clients: int
    seed: int
    kind: str


@dataclass(slots=True)
class SleepResult:
    """What came of one sleep: orders of the run, those that left, and those that must not have left."""

    kind: str = ""
    orders: int = 0
    left: int = 0
    unwanted: int = 0
    faults: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class _Ended:
    orders: int
    status: RunStatus
    reason: str
    unsent: int


def sleep_home(plan: SleepPlan) -> SleepResult:
    """Let one engine sleep in the middle of its run, and count what left when it had woken."""
    result = SleepResult(plan.kind)
    home, clock = copy_home(plan.prepared, plan.folder), FastClock(monotonic(), SPEED)
    broker, port = open_broker(
        clock, plan.clients, plan.seed, Faults(), Lines(), plan.folder / "broker.log", moving=False
    )
    child = fork(_live, home, port, clock, plan.seed, words=plan.folder / "engine.log")
    try:
        os.waitpid(child.pid, os.WUNTRACED)  # it has stopped itself behind a claim
        before = asyncio.run(_meanwhile(port, clock, plan.kind))
        os.kill(child.pid, signal.SIGCONT)
        ended: _Ended = child.receive(LONGEST_S)
        received = asyncio.run(_receipts(port, clock))
        _judge(result, plan, ended, before, received)
    except (EOFError, TimeoutError) as problem:
        result.faults.append(f"{plan.folder.name} seed {plan.seed} {plan.kind}: {problem!r}")
    finally:
        _end(child)
        broker.kill()
        broker.wait()
    return result


def _end(child: Child) -> None:
    child.kill()
    child.wait()


def _judge(result: SleepResult, plan: SleepPlan, ended: _Ended, before: int, tags: Counter[str]) -> None:
    result.orders, result.left = ended.orders, tags.total()
    words = f"{plan.folder.name} seed {plan.seed} {plan.kind}: {ended}, {before} left before the sleep"
    if any(count > 1 for count in tags.values()):
        result.faults.append(f"{words}: an order left twice")
    if plan.kind == "short":
        if result.left != ended.orders:
            result.faults.append(f"{words}: {result.left} left in all")
        return
    result.unwanted = result.left - before
    if result.unwanted:
        result.faults.append(f"{words}: {result.unwanted} left after it")
    if ended.status is not RunStatus.PAUSED or ended.reason != plan.kind or not ended.unsent:
        result.faults.append(f"{words}: it is not paused for that")


async def _meanwhile(port: int, clock: FastClock, kind: str) -> int:
    """Let time pass and the price move while the engine sleeps; returns how many orders had left before."""
    broker = RemoteBroker(port, clock)
    await broker.open()
    left = len(_placements(await broker.receipts()))
    if kind == "drifted":
        price = opening_price(PINNED[0])
        await broker.control("pin", PINNED[0], price + price // 50 // 100 * 100)
    await clock.sleep(SLEEP_S[kind])
    await broker.close()
    return left


async def _receipts(port: int, clock: FastClock) -> Counter[str]:
    """The placements that the broker has received, by tag."""
    broker = RemoteBroker(port, clock)
    await broker.open()
    tags = Counter(_placements(await broker.receipts()))
    await broker.close()
    return tags


def _placements(receipts: list[Receipt]) -> list[str]:
    return [receipt.name for receipt in receipts if receipt.method == "place"]


def _live(pipe: Connection, home: Path, port: int, clock: FastClock, seed: int) -> None:
    asyncio.run(_run(pipe, home, port, clock, seed))


async def _run(pipe: Connection, home: Path, port: int, clock: FastClock, seed: int) -> None:
    """Start a run for every client, fall asleep behind one of its claims, and tell how it ended."""
    dice = random.Random(f"sleeps:{seed}")
    sleeps_at, claims = dice.randint(1, 2), 0

    def reached(point: str) -> None:
        nonlocal claims
        claims += point == "claimed"
        if point == "claimed" and claims == sleeps_at:
            os.kill(os.getpid(), signal.SIGSTOP)

    # A claim may be as old as the machine makes it but for the sleep: seconds of a clock five times as fast.
    waits = Waits(claim_valid_s=3.0)
    rules = replace(
        RULES,
        price_age_limit_s=3.0,
        drift_limit_bps=50,
        send_at_least_s=float(WINDOW_S),
        send_at_most_s=float(WINDOW_S),
    )
    async with open_chaos_desk(home, port, clock, seed, waits, reached, rules) as desk:
        everyone = tuple(sorted(client.id for client in desk.clients.all()))
        intent = Intent(
            Side.BUY,
            f"NSE:{PINNED[0]}",
            Sizing(SizingKind.FIXED_QUANTITY, 1),
            product=Product.CNC,
            selection=Selection(everyone),
        )
        plan = await desk.plans.freeze(intent)
        started = await desk.runs.start(plan, plan.digest)
        while (run := desk.runs.get(started.number)).counts[RunCount.SENDING] or (
            run.counts[RunCount.UNSENT] and not run.paused
        ):
            await patience(0.01)
        reason = run.pause_reason.value if run.pause_reason else ""
        states = Counter(order.state for order in desk.orders.all(run=run.number))
        pipe.send(_Ended(run.counts[RunCount.TOTAL], run.status, reason, states[OrderState.RESERVED]))
        await patience(LONGEST_S)
