"""The kill harness: an engine is killed again and again on one home, while its broker lives on."""

import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brokers.simulators.faults.menu import Faults
from engine.instances import POINTS
from tests.faults import engine_child
from tests.faults.chaos_broker import Lines
from tests.faults.clock import FastClock, monotonic
from tests.faults.compare import Findings
from tests.faults.engine_child import Life, Report
from tests.faults.forks import Child, fork
from tests.faults.homes import copy_home, open_broker
from tests.faults.kill_sleeps import TURNS

AT_RANDOM = "at random"
"""The kill that no point of the engine's way is named for."""

PER_HOME = 10
"""Kills one after another on the same home."""

ORDERS = 25
"""About how many orders a life makes that is killed at random."""

MOST_ORDERS = 500
"""About how many orders a life makes at most until it comes to the point where it is killed."""

LONGEST_LIFE_S = 60.0
"""Real seconds after which a life that comes neither to its point nor to its orders' end is killed there."""

BOOT_S = 90.0
"""Real seconds that a boot with its recovery may take; longer is a fault."""

BOOTING = ("heard", "booking", "booked", "reconciling")
"""Points that a boot passes too, so that some kills strike there."""

OFTEN = ("claimed", "answered", "heard", "booking", "booked")
"""Points that every life passes many times."""


@dataclass(frozen=True, slots=True)
class KillPlan:
    """The kills of one home: at which points, in which order. `speed` is the clock's."""

    prepared: Path
    folder: Path
    clients: int
    seed: int
    speed: float
    faults: Faults
    lines: Lines
    points: tuple[str, ...]


@dataclass(slots=True)
class Kill:
    """One kill: where it was meant to strike, where it did, and how the books were after the next boot.

    `slept` is when the life that it ended slept: `before` its kill, `after` the one before it, or never ("").
    """

    point: str
    struck: str
    while_booting: bool
    slept: str = ""
    correct: bool = False
    recovery_s: float = 0.0
    whole_s: float = 0.0


@dataclass(slots=True)
class KillResult:
    """What came of the kills of one home."""

    kills: list[Kill] = field(default_factory=list[Kill])
    findings: Findings = field(default_factory=Findings)
    faults: list[str] = field(default_factory=list[str])


def points_for(count: int, dice: random.Random, beside: Sequence[str] = ()) -> tuple[str, ...]:
    """Where `count` kills shall strike: every point in turn and as many at random, shuffled.

    `beside` are points that are no engine's.
    """
    around = [name for point in (*POINTS, *beside) for name in (point, AT_RANDOM)]
    drawn = [around[number % len(around)] for number in range(count)]
    dice.shuffle(drawn)
    return tuple(drawn)


def kill_home(plan: KillPlan) -> KillResult:
    """Carry out the kills of one home; what differs after a boot is told and ends it."""
    result, waiting = KillResult(), list[Kill]()
    dice = random.Random(f"kills:{plan.seed}")
    home = copy_home(plan.prepared, plan.folder)
    clock = FastClock(monotonic(), plan.speed)
    broker, port = open_broker(
        clock, plan.clients, plan.seed, plan.faults, plan.lines, plan.folder / "broker.log"
    )
    try:
        for number, point in enumerate((*plan.points, "")):
            began, jumped_s = monotonic(), clock.jumped_s
            life = _life(plan, home, port, clock, number, point, dice)
            child = fork(engine_child.run, life, words=plan.folder / "engine.log")
            try:
                report, struck = _live(child, life, dice)
            finally:
                child.kill()
                child.wait()
            if report is not None:
                _judge(plan, result, waiting, report)
                waiting = []
            if point:
                slept = life.sleeps if clock.jumped_s > jumped_s else ""
                kill = Kill(point, struck, life.while_booting, slept, whole_s=monotonic() - began)
                result.kills.append(kill)
                waiting.append(kill)
            if result.faults:
                break
    except (EOFError, TimeoutError) as problem:
        result.faults.append(f"{plan.folder.name} seed {plan.seed} kill {len(result.kills)}: {problem!r}")
    finally:
        broker.kill()
        broker.wait()
    return result


def _life(
    plan: KillPlan, home: Path, port: int, clock: FastClock, number: int, point: str, dice: random.Random
) -> Life:
    booting = number > 0 and (point == "reconciling" or (point in BOOTING and dice.random() < 0.5))
    return Life(
        home=home,
        port=port,
        clock=clock,
        seed=f"{plan.seed}:{number}",
        orders=(ORDERS if point == AT_RANDOM else MOST_ORDERS) if point else 0,
        halts=0.3 if point == "halt_written" else 0.015,
        point="" if point == AT_RANDOM else point,
        count=dice.randint(1, 12 if point in OFTEN else 2),
        while_booting=booting,
        may_sleep=True,
        sleeps="" if booting else TURNS[number % len(TURNS)],
    )


def _live(child: Child, life: Life, dice: random.Random) -> tuple[Report | None, str]:
    """Follow one life to its end; returns its report, and where it died, empty where it ended by itself."""
    report: Report | None = None
    struck = AT_RANDOM
    try:
        report = child.receive(BOOT_S)
        if not life.orders:
            child.receive(10)
            child.pipe.send(None)
            child.wait()
            return report, ""
        if life.point:
            child.receive(LONGEST_LIFE_S)
            child.receive(dice.uniform(0.05, 0.2))  # a point may still be passed after the last order is made
        else:
            child.receive(dice.uniform(0.0, 0.35))
    except TimeoutError:
        if report is None:
            raise
    except EOFError:
        struck = life.point
    child.kill()
    status = child.wait()
    if status != signal.SIGKILL:
        raise EOFError(f"the engine ended by itself with status {status}")
    return report, struck


def _judge(plan: KillPlan, result: KillResult, waiting: list[Kill], report: Report) -> None:
    found = report.findings
    for kill in waiting:
        kill.correct = found.correct and not found.unresolved
        kill.recovery_s = report.opened_s + report.settled_s
    result.findings = found
    if not found.correct:
        words = ", ".join(f"{kill.point} (struck {kill.struck})" for kill in waiting) or "no kill"
        result.faults.append(
            f"{plan.folder.name} seed {plan.seed} after {words}: {len(found.differences)} differences: "
            + "; ".join(found.differences[:6])
        )
