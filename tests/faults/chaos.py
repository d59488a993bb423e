"""Chaos runs: thousands of orders through a broker that misbehaves, then the books against its ledger."""

from dataclasses import dataclass, field
from pathlib import Path

from brokers.simulators.faults.menu import Faults
from tests.faults import engine_child
from tests.faults.chaos_broker import Lines
from tests.faults.clock import FastClock, monotonic
from tests.faults.compare import Findings
from tests.faults.engine_child import Life, Report
from tests.faults.forks import fork
from tests.faults.homes import copy_home, open_broker
from tests.faults.tampering import tamper_with

PER_HOME = 2_000
"""Orders of one home; the order books that are read stay as long as a day's are."""

LONGEST_S = 300.0
"""Real seconds that one home may take; longer is a fault."""


@dataclass(frozen=True, slots=True)
class ChaosPlan:
    """One home's chaos: `orders` orders of `clients` clients at a broker with these faults."""

    prepared: Path
    folder: Path
    clients: int
    orders: int
    seed: int
    speed: float
    faults: Faults
    lines: Lines


@dataclass(slots=True)
class ChaosResult:
    """What came of one home's chaos; `whole_s` in real seconds.

    `tampered` is how often its books were changed afterwards, for the doctor to find.
    """

    findings: Findings = field(default_factory=Findings)
    whole_s: float = 0.0
    tampered: int = 0
    faults: list[str] = field(default_factory=list[str])


def chaos_home(plan: ChaosPlan) -> ChaosResult:
    """Send the orders of one home through the storm and compare."""
    result, began = ChaosResult(), monotonic()
    home = copy_home(plan.prepared, plan.folder)
    clock = FastClock(monotonic(), plan.speed)
    broker, port = open_broker(clock, plan.clients, plan.seed, plan.faults, plan.lines, home / "broker.log")
    life = Life(home, port, clock, f"chaos:{plan.seed}", plan.orders, compares_first=False)
    child = fork(engine_child.run, life, words=home / "engine.log")
    try:
        report: Report = child.receive(LONGEST_S)
        child.receive(10)
        child.pipe.send(None)
        if child.wait():
            result.faults.append(f"{plan.folder.name} seed {plan.seed}: the desk did not close")
        found = result.findings = report.findings
        if not found.correct:
            result.faults.append(
                f"{plan.folder.name} seed {plan.seed}: {len(found.differences)} differences: "
                + "; ".join(found.differences[:6])
            )
    except (EOFError, TimeoutError) as problem:
        result.faults.append(f"{plan.folder.name} seed {plan.seed}: {problem!r}")
    finally:
        for process in (child, broker):
            process.kill()
            process.wait()
    if not result.faults:
        made = tamper_with(home, plan.seed)
        result.tampered, result.faults = made.done, made.missed
    result.whole_s = monotonic() - began
    return result
