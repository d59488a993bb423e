"""Desks at simulated brokers that misbehave, or whose engines are killed, against the brokers' own ledgers.

uv run python -m tests.faults.broker_runs --at both --json told.json --folder homes placing line kills
"""

import argparse
import json
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from brokers.kite.client import load
from tests.faults import broker_house, broker_life
from tests.faults.at_brokers import PLACES
from tests.faults.broker_house import House
from tests.faults.broker_life import PLACING, BrokerLifetime, Story
from tests.faults.clock import FastClock, monotonic
from tests.faults.compare import Findings, compare
from tests.faults.forks import Child, fork

SPEED = 60.0
KILL_SPEED = 120.0
CLIENTS = {"placing": len(PLACING) + 1, "line": 5, "kills": 4}
"""How many at each broker of the home."""

KILLS = (
    ("claimed", 9, False),
    ("answered", 5, False),
    ("booking", 9, False),
    ("cancel_sent", 1, False),
    ("modify_sent", 1, False),
    ("reconciling", 2, True),
)
"""At which point each engine of the kill run dies, at the how-manieth time, and whether while it boots."""

REPEATS = 5
"""How often books that differ are read again: what the desk was just booking is no difference."""

LONGEST_S = 200.0
"""Real seconds that a process may be silent."""


@dataclass(slots=True)
class Told:
    """What came of one run."""

    story: Story = field(default_factory=Story)
    struck: list[str] = field(default_factory=list[str])
    faults: list[str] = field(default_factory=list[str])
    findings: Findings = field(default_factory=Findings)
    whole_s: float = 0.0


@contextmanager
def broker(market: str, clock: FastClock, clients: int, seed: int, folder: Path) -> Iterator[House]:
    """A simulated broker in a process of its own."""
    child = fork(broker_house.run, market, clock, clients, seed, words=folder / "broker.log")
    try:
        yield House(child.receive(20), child.pipe)
    finally:
        child.kill()
        child.wait()


def scripted(market: str, name: str, folder: Path, seed: int) -> Told:
    """One life that goes through a script, then the comparison."""
    told, clock = Told(), FastClock(monotonic(), SPEED)
    with broker(market, clock, CLIENTS[name], seed, folder) as house:
        life = BrokerLifetime(market, folder / "home", house.urls, clock, CLIENTS[name], seed, script=name)
        _live(life, house, told, folder)
    return told


def killed(market: str, folder: Path, seed: int) -> Told:
    """Lives killed one after another on one home, each compared once it has booted; the last lives on."""
    told, clock, clients = Told(), FastClock(monotonic(), KILL_SPEED), CLIENTS["kills"]
    with broker(market, clock, clients, seed, folder) as house:
        for number, (point, count, booting) in enumerate(KILLS):
            life = BrokerLifetime(
                market,
                folder / "home",
                house.urls,
                clock,
                clients,
                seed + number,
                "trade",
                point,
                count,
                booting,
            )
            told.struck.append(_live(life, house, told, folder))
        _live(BrokerLifetime(market, folder / "home", house.urls, clock, clients, seed), house, told, folder)
    return told


def _live(life: BrokerLifetime, house: House, told: Told, folder: Path) -> str:
    """Follow one life; returns the point that it died at, empty if it ended by itself."""
    life.home.mkdir(exist_ok=True)
    child = fork(broker_life.run, life, words=folder / "engine.log")
    try:
        _judge(child, house, life, told)
        told.story = child.receive(LONGEST_S)
        _judge(child, house, life, told)
        child.pipe.send("end")
        if child.wait():
            told.faults.append(f"the desk did not close: {_last_words(folder)}")
    except EOFError:
        if child.wait() != signal.SIGKILL or not life.point:
            told.faults.append(f"the engine ended by itself: {_last_words(folder)}")
        return life.point
    except TimeoutError as problem:
        told.faults.append(f"{problem!r}: {_last_words(folder)}")
    finally:
        child.kill()
        child.wait()
    return ""


def _judge(child: Child, house: House, life: BrokerLifetime, told: Told) -> None:
    """Compare the books once the desk says that they should be the broker's."""
    wrong, found = list[str](), Findings()
    for left in reversed(range(REPEATS)):
        assert child.receive(LONGEST_S) == "rest"
        house.ask("calm")
        child.pipe.send("read")
        wrong = child.receive(LONGEST_S)
        found = compare(life.home, house.ask("ledger"))
        house.ask("go")
        well = found.correct and not found.unresolved and not wrong
        child.pipe.send("well" if well or not left else "again")
        if well:
            break
    else:
        words = [*wrong, *found.differences][:6] or [f"{found.unresolved} orders are in doubt"]
        told.faults.append(f"{life.script} {life.point}: " + "; ".join(words))
    told.findings = found


def _last_words(folder: Path) -> str:
    return (folder / "engine.log").read_text()[-3000:]


def _run(pipe: Connection, market: str, name: str, folder: Path, seed: int) -> None:
    began = monotonic()
    folder.mkdir(parents=True)
    told = killed(market, folder, seed) if name == "kills" else scripted(market, name, folder, seed)
    told.whole_s = monotonic() - began
    pipe.send(told)


def figures(told: Told) -> dict[str, Any]:
    """What came of one run, as JSON."""
    found = told.findings
    return {
        "whole_s": round(told.whole_s, 1),
        "faults": told.faults,
        "story": asdict(told.story),
        "struck": told.struck,
        "orders": found.orders,
        "fills": found.fills,
        "placements_received": found.sent,
        "duplicates": found.duplicates,
        "freed_without_proof": found.freed_without_proof,
        "unknown": found.unknown,
        "unknown_resolved": found.resolved,
        "met": dict(found.met),
        "states": dict(found.states),
    }


def main() -> int:
    """Make the runs that are named, beside each other, and write what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.broker_runs", description=__doc__)
    parser.add_argument("runs", nargs="+", choices=list(CLIENTS))
    parser.add_argument("--at", choices=list(PLACES), default="kite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    given = parser.parse_args()
    load()  # once, and not in every process that is forked
    children: dict[str, Child] = {}
    for name in given.runs:
        shutil.rmtree(given.folder / name, ignore_errors=True)
        children[name] = fork(_run, given.at, name, given.folder / name, given.seed)
    told = {name: figures(child.receive(300)) for name, child in children.items()}
    given.json.write_text(json.dumps(told, indent=1))
    return 1 if any(one["faults"] or one["story"]["wrong"] for one in told.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
