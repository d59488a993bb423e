"""The long proof: chaos orders and kills in any number, and one table of what came of them.

uv run python -m tests.faults --orders 200000 --kills 2000 --json proof.json
"""

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from brokers.simulators.faults.menu import Faults, faults_from_text
from data.money import ceil_div
from data.records import replace
from tests.faults import asked_kills, chaos, kills, sleeps
from tests.faults.asked_kills import AskedPlan, asked_home
from tests.faults.cancel_all import CancelAll, measure
from tests.faults.chaos import ChaosPlan, ChaosResult, chaos_home
from tests.faults.chaos_broker import Lines
from tests.faults.clock import monotonic
from tests.faults.compare import Findings, merged
from tests.faults.forks import Child, fork
from tests.faults.homes import prepare_home
from tests.faults.kills import KillPlan, KillResult, kill_home, points_for
from tests.faults.sleeps import SleepPlan, SleepResult, sleep_home
from tests.faults.twice import TwiceResult, twice_home

CLIENTS = 100
KILL_CLIENTS = 8
SPEED = 30.0
"""How much faster than the machine's the clock of a chaos run is."""
KILL_SPEED = 200.0

LINES = Lines(before=0.001, after=0.001)

Result = ChaosResult | KillResult | TwiceResult | SleepResult
Job = Callable[[], Result]


@dataclass(slots=True)
class Proof:
    """Everything that the table says."""

    seed: int
    whole_s: float
    chaos: Findings
    chaos_s: float
    kills: list[kills.Kill]
    kill_findings: Findings
    cancel_all: CancelAll | None
    tampered: int
    intents: int
    sent_again: int
    sleeps: list[SleepResult]
    faults: list[str]

    @property
    def holds(self) -> bool:
        """Whether every figure that must be zero is zero, and every kill ended with correct books."""
        return (
            not self.faults
            and self.chaos.correct
            and self.kill_findings.correct
            and all(kill.correct for kill in self.kills)
        )


def main() -> int:
    """Run the proof; returns 0 where it holds."""
    given = _arguments()
    base = Path(tempfile.mkdtemp(prefix="tradedesk-faults-", dir=given.folder))
    began = monotonic()
    try:
        proof = _prove(given, base, began)
    finally:
        if not given.keep:
            shutil.rmtree(base, ignore_errors=True)
    print("\n".join(table(proof)))
    if given.json:
        given.json.write_text(json.dumps(figures(proof), indent=2) + "\n")
    return 0 if proof.holds else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--orders", type=int, default=2_000, help="orders under chaos")
    parser.add_argument("--kills", type=int, default=20, help="kills of the engine")
    parser.add_argument("--sleeps", type=int, default=6, help="runs in whose middle the engine sleeps")
    parser.add_argument("--seed", type=int, default=1, help="of all dice")
    parser.add_argument("--faults", type=faults_from_text, default=faults_from_text("storm"))
    parser.add_argument("--kill-faults", type=faults_from_text, default=faults_from_text("storm"))
    parser.add_argument("--point", action="append", default=[], help="kill at this point only")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="homes at a time")
    parser.add_argument("--speed", type=float, default=SPEED, help="of the clock in chaos runs")
    parser.add_argument("--kill-speed", type=float, default=KILL_SPEED, help="of the clock in kill runs")
    parser.add_argument("--no-cancel-all", action="store_true", help="leave the cancel-all measurement out")
    parser.add_argument("--folder", type=Path, help="where homes are made; the system's own by default")
    parser.add_argument("--keep", action="store_true", help="keep the homes for a look")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


def _prove(given: argparse.Namespace, base: Path, began: float) -> Proof:
    for_many = given.orders or given.sleeps or not given.no_cancel_all
    large = prepare_home(base / "large", CLIENTS) if for_many else base
    small = prepare_home(base / "small", KILL_CLIENTS) if given.kills else base
    done = [
        result
        for results in (
            _carry_out(list(_chaos_jobs(given, base, large)), given, began),
            _carry_out(list(_kill_jobs(given, base, small)), given, began),
            _carry_out(list(_asked_jobs(given, base)), given, began),
            _carry_out(list(_twice_jobs(given, base)), given, began),
            _carry_out(list(_sleep_jobs(given, base, large)), given, began),
        )
        for result in results
    ]
    chaotic = [result for result in done if isinstance(result, ChaosResult)]
    killed = [result for result in done if isinstance(result, KillResult)]
    twice = [result for result in done if isinstance(result, TwiceResult)]
    cancelled = None if given.no_cancel_all else measure(large, base / "cancel-all", CLIENTS)
    return Proof(
        seed=given.seed,
        whole_s=monotonic() - began,
        chaos=merged(result.findings for result in chaotic),
        chaos_s=sum(result.whole_s for result in chaotic),
        kills=[kill for result in killed for kill in result.kills],
        kill_findings=merged(result.findings for result in killed),
        cancel_all=cancelled,
        tampered=sum(result.tampered for result in chaotic),
        intents=sum(result.intents for result in twice),
        sent_again=sum(result.sent_again for result in twice),
        sleeps=[result for result in done if isinstance(result, SleepResult)],
        faults=[fault for result in done for fault in result.faults],
    )


def _chaos_jobs(given: argparse.Namespace, base: Path, prepared: Path) -> Iterator[Job]:
    left, number = given.orders, 0
    while left > 0:
        seed = given.seed * 1_000_003 + number
        faults: Faults = replace(given.faults, seed=seed)
        orders = min(left, chaos.PER_HOME)
        plan = ChaosPlan(
            prepared, base / f"chaos-{number}", CLIENTS, orders, seed, given.speed, faults, LINES
        )
        yield lambda plan=plan: chaos_home(plan)
        left, number = left - orders, number + 1


def _kill_jobs(given: argparse.Namespace, base: Path, prepared: Path) -> Iterator[Job]:
    points = tuple(point for point in _points(given) if point not in asked_kills.POINTS)
    for number, first in enumerate(range(0, len(points), kills.PER_HOME)):
        seed = given.seed * 1_000_033 + number
        faults: Faults = replace(given.kill_faults, seed=seed)
        plan = KillPlan(
            prepared,
            base / f"kills-{number}",
            KILL_CLIENTS,
            seed,
            given.kill_speed,
            faults,
            LINES,
            points[first : first + kills.PER_HOME],
        )
        yield lambda plan=plan: kill_home(plan)


def _asked_jobs(given: argparse.Namespace, base: Path) -> Iterator[Job]:
    """Kills of apps as they answer commands, and of programs that bring a home to this version."""
    points = tuple(point for point in _points(given) if point in asked_kills.POINTS)
    prepared = asked_kills.prepare(base / "asked") if points else base
    for number, first in enumerate(range(0, len(points), kills.PER_HOME)):
        seed = given.seed * 1_000_039 + number
        some = points[first : first + kills.PER_HOME]
        plan = AskedPlan(prepared, base / f"asked-{number}", seed, some)
        yield lambda plan=plan: asked_home(plan)


def _points(given: argparse.Namespace) -> tuple[str, ...]:
    if given.point:
        return tuple(given.point[number % len(given.point)] for number in range(given.kills))
    return points_for(given.kills, random.Random(given.seed), asked_kills.POINTS)


def _twice_jobs(given: argparse.Namespace, base: Path) -> Iterator[Job]:
    """A home of duplicate intents for each home of chaos."""
    for number in range(ceil_div(given.orders, chaos.PER_HOME)):
        seed = given.seed * 1_000_037 + number
        yield lambda number=number, seed=seed: twice_home(base / f"twice-{number}", seed)


def _sleep_jobs(given: argparse.Namespace, base: Path, prepared: Path) -> Iterator[Job]:
    for number in range(given.sleeps):
        kind = sleeps.KINDS[number % len(sleeps.KINDS)]
        plan = SleepPlan(prepared, base / f"sleeps-{number}", CLIENTS, given.seed * 1_000_037 + number, kind)
        yield lambda plan=plan: sleep_home(plan)


def _carry_out(jobs: list[Job], given: argparse.Namespace, began: float) -> list[Result]:
    """Run jobs in processes of their own, a few at a time, telling each end on stderr."""
    waiting, running = list(reversed(jobs)), dict[Connection, Child]()
    results: list[Result] = []
    while waiting or running:
        while waiting and len(running) < given.jobs:
            child = fork(_run_job, waiting.pop())
            running[child.pipe] = child
        for pipe in wait(list(running)):
            assert isinstance(pipe, Connection)
            child = running.pop(pipe)
            try:
                result: Result = child.receive(1)
            except (EOFError, TimeoutError) as problem:
                result = ChaosResult(faults=[f"a worker ended without a word: {problem!r}"])
            child.wait()
            results.append(result)
            _tell(result, len(results), len(jobs), monotonic() - began)
    return results


def _run_job(pipe: Connection, job: Job) -> None:
    pipe.send(job())


def _tell(result: Result, done: int, of: int, passed_s: float) -> None:
    if isinstance(result, KillResult):
        right = sum(kill.correct for kill in result.kills)
        whole = sum(kill.whole_s for kill in result.kills)
        words = f"kills: {right} of {len(result.kills)} with correct books, {whole:.1f} s"
    elif isinstance(result, TwiceResult):
        words = (
            f"twice: {result.intents} intents, {result.sent_again} orders too many, {result.whole_s:.1f} s"
        )
    elif isinstance(result, SleepResult):
        words = (
            f"sleep, {result.kind}: {result.left} of {result.orders} orders left, {result.unwanted} unwanted"
        )
    else:
        found = result.findings
        words = (
            f"chaos: {found.orders} orders, {found.fills} fills, {found.unknown} unknown, "
            f"{found.unresolved} left, {result.whole_s:.1f} s"
        )
    print(f"{passed_s:7.1f} s  {done}/{of}  {words}", file=sys.stderr, flush=True)
    for fault in result.faults:
        print(f"           FAULT {fault}", file=sys.stderr, flush=True)


# --- the table ---


def _sleeps_about(kills_with_sleeps: dict[str, int]) -> str:
    return f"{kills_with_sleeps.get('before', 0)}, {kills_with_sleeps.get('after', 0)}"


def figures(proof: Proof) -> dict[str, Any]:
    """Every figure of the proof by name."""
    storm, killed = proof.chaos, proof.kill_findings
    doubts = sorted(storm.unknown_s + killed.unknown_s)
    right = sum(kill.correct for kill in proof.kills)
    recoveries = sorted(kill.recovery_s for kill in proof.kills if kill.recovery_s)
    return {
        "seed": proof.seed,
        "holds": proof.holds,
        "orders": storm.orders,
        "placements_received": storm.sent,
        "fills": storm.fills,
        "faults_struck": sum(storm.met.values()),
        "duplicates": storm.duplicates + killed.duplicates,
        "fills_lost": storm.lost_fills + killed.lost_fills,
        "fills_booked_twice": storm.surplus_fills + killed.surplus_fills,
        "freed_without_proof": storm.freed_without_proof + killed.freed_without_proof,
        "false_certificates": storm.false_certificates + killed.false_certificates,
        "halts_with_unread_clients": storm.unread_halts + killed.unread_halts,
        "flattens": storm.flattens + killed.flattens,
        "guard_trips": storm.trips + killed.trips,
        "guard_trips_flat": storm.trips_flat + killed.trips_flat,
        "conversions": storm.conversions + killed.conversions,
        "converted": storm.converted + killed.converted,
        "differences": len(storm.differences) + len(killed.differences),
        "unknown": storm.unknown + killed.unknown,
        "unknown_resolved": storm.resolved + killed.resolved,
        "unknown_raised": storm.raised + killed.raised,
        "unknown_median_s": round(statistics.median(doubts), 1) if doubts else None,
        "unknown_worst_s": round(doubts[-1], 1) if doubts else None,
        "left_to_a_human": storm.unresolved + killed.unresolved,
        "kills": len(proof.kills),
        "kills_with_correct_books": right,
        "kills_with_sleeps": dict(Counter(kill.slept for kill in proof.kills if kill.slept)),
        "kills_by_point": dict(Counter(kill.struck for kill in proof.kills)),
        "recovery_median_s": round(statistics.median(recoveries), 2) if recoveries else None,
        "recovery_worst_s": round(recoveries[-1], 2) if recoveries else None,
        "kill_orders": killed.orders,
        "kill_fills": killed.fills,
        "tampered": proof.tampered,
        "tampering_missed": sum("not found" in fault for fault in proof.faults),
        "intents_confirmed_again": proof.intents,
        "sent_again": proof.sent_again,
        "sleeps": dict(Counter(result.kind for result in proof.sleeps)),
        "left_after_a_sleep": sum(result.unwanted for result in proof.sleeps),
        "cancel_all": asdict(proof.cancel_all) if proof.cancel_all else None,
        "struck": dict((storm.met + killed.met).most_common()),
        "states": dict((storm.states + killed.states).most_common()),
        "flags": dict((storm.flags + killed.flags).most_common()),
        "faults": proof.faults,
        "whole_s": round(proof.whole_s, 1),
        "kill_s": round(sum(kill.whole_s for kill in proof.kills), 1),
        "chaos_s": round(proof.chaos_s, 1),
    }


def table(proof: Proof) -> list[str]:
    """The proof as lines of a table."""
    f = figures(proof)
    share = f"{f['kills_with_correct_books']} of {f['kills']}"
    rows: list[tuple[str, Any]] = [
        ("orders under chaos", f"{f['orders']:,}, {f['placements_received']:,} placements received"),
        ("faults that struck", f"{f['faults_struck']:,}"),
        ("fills", f"{f['fills']:,}"),
        ("duplicate broker orders (0)", f["duplicates"]),
        ("fills lost (0)", f["fills_lost"]),
        ("fills booked twice (0)", f["fills_booked_twice"]),
        ("money freed without proof (0)", f["freed_without_proof"]),
        (
            "certificates that passed over an unread client (0)",
            f"{f['false_certificates']} of {f['halts_with_unread_clients']} halts with such clients",
        ),
        ("differences from the broker (0)", f["differences"]),
        ("flattens; conversions, done", f"{f['flattens']}; {f['conversions']}, {f['converted']}"),
        ("trips of guards, of them taken flat", f"{f['guard_trips']}, {f['guard_trips_flat']}"),
        ("unknown outcomes, resolved", f"{f['unknown']:,}, {f['unknown_resolved']:,}"),
        ("  raised to the trader meanwhile", f["unknown_raised"]),
        (
            "  until known or raised: median, worst",
            f"{f['unknown_median_s']} s, {f['unknown_worst_s']} s of the clock",
        ),
        ("  left to a human", f["left_to_a_human"]),
        ("orders that left after a sleep beyond their conditions (0)", f["left_after_a_sleep"]),
        ("  sleeps in mid-run", sum(f["sleeps"].values())),
        ("kills with correct books after", share),
        ("  with a sleep before, after reopening", _sleeps_about(f["kills_with_sleeps"])),
        ("  orders, fills in those homes", f"{f['kill_orders']:,}, {f['kill_fills']:,}"),
        (
            "  recovery: median, worst",
            f"{f['recovery_median_s']} s, {f['recovery_worst_s']} s of the machine",
        ),
    ]
    if proof.intents:
        rows.append(
            ("intents confirmed again, sent again (0)", f"{f['intents_confirmed_again']}, {proof.sent_again}")
        )
    if proof.tampered:
        rows.append(("books tampered with, not found (0)", f"{f['tampered']}, {f['tampering_missed']}"))
    if proof.cancel_all:
        one = proof.cancel_all
        rows.append(
            (
                f"cancel-all, {one.clients} clients x {one.orders // one.clients} orders",
                f"first cancel {one.first_s:.2f} s, last {one.last_s:.2f} s, "
                f"certified {one.certified_s:.2f} s after F9",
            )
        )
    rows.append(("whole run", f"{f['whole_s']} s"))
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value}" for name, value in rows]
    lines += [f"FAULT {fault}" for fault in proof.faults[:20]]
    return [*lines, "The proof holds." if proof.holds else "THE PROOF DOES NOT HOLD."]


if __name__ == "__main__":
    sys.exit(main())
