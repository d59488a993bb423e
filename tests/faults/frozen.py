"""Cancel-all from a second process while the app is frozen: stopped by a signal at any instant, under load.

The app and the command share a home and its paper exchange, as on a trader's machine, at the machine's own
speed.

uv run python -m tests.faults.frozen --times 100 --json frozen.json
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from data.clock import SystemClock
from data.vocabulary import DeskKind, OrderState
from tests.faults.clock import monotonic
from tests.faults.forks import Child, fork
from tests.faults.frozen_app import AT_RANDOM, EXCHANGE, ON_THE_WIRE, THAWING_S, app, prepare
from tradedesk.cli.frozen import lock_holder
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

ROOT = Path(__file__).resolve().parents[2]

HOLDING = {"reserving": "desk.db", "booking": "desk.db", EXCHANGE: "paper.db"}
"""Instants at which a write lock is held, and of which file."""

INSTANTS = (
    AT_RANDOM,
    "booking",
    AT_RANDOM,
    "reserving",
    AT_RANDOM,
    EXCHANGE,
    AT_RANDOM,
    "claimed",
    AT_RANDOM,
    "answered",
    ON_THE_WIRE,
)
"""Where the app is frozen, in turn."""

FREEZING_S = 30.0
COMMAND_S = 90.0
"""Real seconds that the way to the instant and the command may take; longer is a fault."""

SOUND_S = 60.0
"""Real seconds that the last look at the books may take."""


@dataclass(slots=True)
class Frozen:
    """One cancel-all beside a frozen app; times in seconds from the command's process being started.

    `sent` are the orders that the exchange had when the app froze, `in_flight` those claimed by then that it
    had not, `late` those of them that it got from the thawed app afterwards.
    """

    instant: str
    held: str = ""
    ended_app: bool = False
    live: int = 0
    sent: int = 0
    in_flight: int = 0
    late: int = 0
    exit_code: int = -1
    halt_file_s: float = 0.0
    halt_row_s: float = 0.0
    first_cancel_s: float | None = None
    last_cancel_s: float | None = None
    whole_s: float = 0.0
    certificate: dict[str, Any] = field(default_factory=dict[str, Any])
    faults: list[str] = field(default_factory=list[str])


# --- one time -----------------------------------------------------------------------------------------------


def freeze_once(prepared: Path, folder: Path, instant: str, seed: int) -> Frozen:
    """Freeze an app at an instant, cancel all beside it, thaw it where it lives, and look at everything."""
    home, dice = folder / "home", random.Random(f"freeze:{seed}")
    shutil.copytree(prepared, home)
    found = Frozen(instant)
    count = dice.randint(1, 40 if instant in (EXCHANGE, ON_THE_WIRE) else 8)
    child = fork(app, home, instant, count, seed, words=folder / "app.log")
    try:
        _freeze(child, found, dice)
        sent = _at_exchange(home)
        _look_at_frozen(child, home, found, sent)
        _cancel_all(home, folder, child, found, sent)
        in_flight = _look_at_cancelled(home, found, sent)
        if found.ended_app:
            child.wait()
        else:
            _thaw(child, found)
        _look_at_thawed(home, found, sent)
        _look_at_books(home, folder, found, in_flight)
    except (AssertionError, EOFError, TimeoutError, subprocess.TimeoutExpired) as problem:
        found.faults.append(f"{type(problem).__name__}: {problem}")
    finally:
        child.kill()
        child.wait()
    return found


def _freeze(child: Child, found: Frozen, dice: random.Random) -> None:
    child.receive(FREEZING_S)
    if found.instant == AT_RANDOM:
        child.pipe.poll(dice.uniform(0.0, 1.5))
        os.kill(child.pid, signal.SIGSTOP)
    end = monotonic() + FREEZING_S
    while os.waitpid(child.pid, os.WUNTRACED | os.WNOHANG)[0] == 0:
        if monotonic() > end:
            raise TimeoutError(f"the app never came to {found.instant}")
        child.pipe.poll(0.002)


def _look_at_frozen(child: Child, home: Path, found: Frozen, sent: dict[str, sqlite3.Row]) -> None:
    """What is live and in flight as the app freezes, and which lock it holds."""
    found.sent = len(sent)
    holds = [name for name in ("desk.db", "paper.db") if lock_holder(home / name) == child.pid]
    found.held = " ".join(holds)
    if found.instant in HOLDING:
        assert HOLDING[found.instant] in holds, f"{found.instant}: the app holds {holds}"
    live = _rows(home / "desk.db", "SELECT state FROM orders WHERE ended_at IS NULL")
    found.live = sum(row["state"] != OrderState.RESERVED.value for row in live)


def _cancel_all(home: Path, folder: Path, child: Child, found: Frozen, sent: dict[str, sqlite3.Row]) -> None:
    """Run the command as a trader would, and time it from outside."""
    told = folder / "command.json"
    began, start = monotonic(), SystemClock().now()
    with told.open("w") as out, (folder / "command.log").open("w") as words:
        command = subprocess.Popen(
            [sys.executable, "-m", "tradedesk.cli", "cancel-all", "--yes", "--json"],
            cwd=ROOT,
            env={**os.environ, "TRADEDESK_HOME": str(home), "TRADEDESK_TRADER": "tester"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=words,
        )
    try:
        while not (home / "HALT").exists() and command.poll() is None:
            child.pipe.poll(0.002)
        found.halt_file_s = monotonic() - began
        found.exit_code = command.wait(COMMAND_S)
    finally:
        command.kill()
        command.wait()
    found.whole_s = monotonic() - began
    found.ended_app = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
    found.certificate = json.loads(told.read_text() or "{}")
    assert "cancelled" in found.certificate, told.read_text() + (folder / "command.log").read_text()
    cancels = _cancel_times(home, sent, start)
    if cancels:
        found.first_cancel_s, found.last_cancel_s = min(cancels), max(cancels)
    if cancels and min(cancels) < found.halt_file_s:
        found.faults.append(f"cancelled {min(cancels):.3f} s, the HALT file {found.halt_file_s:.3f} s after")
    (halt,) = _rows(home / "desk.db", "SELECT * FROM halt")
    found.halt_row_s = (_moment(halt["at"]) - start).total_seconds()
    if found.halt_row_s < found.halt_file_s - 0.01:
        found.faults.append("the halt's row is older than the HALT file")


def _cancel_times(home: Path, sent: dict[str, sqlite3.Row], start: datetime) -> list[float]:
    """When the exchange cancelled what was open as the app froze, in seconds after `start`.

    Its own clock runs with the machine's while a process drives it, so that the distance at the end holds.
    """
    (state,) = _rows(home / "paper.db", "SELECT * FROM state")
    apart_us = state["wall_us"] - state["market_us"] - int(start.timestamp() * 1_000_000)
    return [
        (row["updated_us"] + apart_us) / 1e6
        for tag, row in _at_exchange(home).items()
        if row["status"] == "cancelled" and sent[tag]["status"] == "open"
    ]


def _look_at_cancelled(home: Path, found: Frozen, sent: dict[str, sqlite3.Row]) -> set[str]:
    """Nothing is live at the exchange, nothing came in, and the certificate says so everywhere.

    Gives the tags of the orders in flight, which it may not vouch for.
    """
    now = _at_exchange(home)
    if now.keys() != sent.keys():
        found.faults.append(f"{len(now) - len(sent)} orders came to the exchange beside a frozen app")
    live = [row["order_id"] for row in now.values() if row["status"] == "open"]
    if live:
        found.faults.append(f"{len(live)} orders live on at the exchange: {live[:5]}")
    made = found.certificate
    unanswered = _rows(home / "desk.db", "SELECT tag FROM attempt WHERE outcome IN ('', 'ambiguous')")
    in_flight = {row["tag"] for row in unanswered} - sent.keys()
    found.in_flight = len(in_flight)
    expected = 5 if found.in_flight else 0
    if found.exit_code != expected:
        found.faults.append(f"exit code {found.exit_code}, not {expected}; {_words(made)}")
    if made["unknown"] != found.in_flight:
        found.faults.append(f"{made['unknown']} unknown in the certificate, {found.in_flight} were in flight")
    if made["ended"] != (found.in_flight == 0) or made["refused"] or made["unreachable"]:
        found.faults.append(f"the certificate says {_words(made)}")
    ours = _rows(home / "desk.db", "SELECT id, state, tag FROM orders WHERE ended_at IS NULL")
    for row in ours:
        if row["tag"] is None or row["tag"] in sent:
            found.faults.append(f"order {row['id']} is {row['state']} after the certificate")
    if len(ours) != found.in_flight:
        found.faults.append(f"{len(ours)} orders have not ended here, {found.in_flight} were in flight")
    (halt,) = _rows(home / "desk.db", "SELECT number, resumed_at FROM halt")
    kept = _rows(home / "desk.db", "SELECT version FROM halt_certificate")
    if not kept or not (home / "certificates" / f"halt-{halt['number']}.json").exists():
        found.faults.append("the certificate was not kept")
    actions = [
        row["action"] for row in _rows(home / "desk.db", "SELECT action FROM audit WHERE action LIKE 'HALT%'")
    ]
    if actions != ["HALT_FIRED", "HALT_CERTIFIED"]:
        found.faults.append(f"the audit says {actions}")
    return in_flight


def _words(made: dict[str, Any]) -> str:
    names = ("ended", "cancelled", "filled_meanwhile", "refused", "unknown", "unreachable", "unsent_freed")
    return ", ".join(f"{name} {made.get(name)}" for name in names)


def _thaw(child: Child, found: Frozen) -> None:
    """Let the app go on until it has come to rest and closed."""
    os.kill(child.pid, signal.SIGCONT)
    child.receive(2 * THAWING_S)
    status = child.wait()
    if status:
        found.faults.append(f"the thawed app ended with status {status}")


def _look_at_thawed(home: Path, found: Frozen, sent: dict[str, sqlite3.Row]) -> None:
    """What a thawed app still sent was claimed before the halt, and does not live."""
    now = _at_exchange(home)
    (halt,) = _rows(home / "desk.db", "SELECT at FROM halt")
    file_at = datetime.fromtimestamp((home / "HALT").stat().st_mtime, UTC)
    claimed = _rows(home / "desk.db", "SELECT tag, claimed_at FROM attempt")
    claims = {row["tag"]: _moment(row["claimed_at"]) for row in claimed}
    late = now.keys() - sent.keys()
    found.late = len(late)
    after = [tag for tag, at in claims.items() if at > min(file_at, _moment(halt["at"]))]
    if after:
        found.faults.append(
            f"{len(after)} orders were claimed after the HALT file, {len(late & set(after))} sent"
        )
    if late - claims.keys():
        found.faults.append(f"{len(late - claims.keys())} orders reached the exchange unclaimed")
    live = [tag for tag, row in now.items() if row["status"] == "open"]
    if live:
        found.faults.append(f"{len(live)} orders live at the exchange after the thaw, {len(late)} were late")


def _look_at_books(home: Path, folder: Path, found: Frozen, in_flight: set[str]) -> None:
    """Every check of the doctor, and each order against the exchange's own."""
    child = fork(_examine, home, words=folder / "examine.log")
    try:
        found.faults += child.receive(SOUND_S)
    finally:
        child.kill()
        child.wait()
    theirs, differences = _at_exchange(home), list[str]()
    for row in _rows(home / "desk.db", "SELECT id, state, tag, filled_quantity FROM orders"):
        their = theirs.get(row["tag"])
        if their is None:
            ended = row["state"] in ("CANCELLED", "DENIED", "REJECTED", "NOT_RECEIVED")
            doubt = row["state"] == "UNKNOWN" and row["tag"] in in_flight  # its proof takes three minutes
            if not ended and not doubt:
                differences.append(f"order {row['id']} is {row['state']} and not at the exchange")
        elif row["filled_quantity"] != their["filled"] or (
            {"cancelled": "CANCELLED", "complete": "FILLED", "rejected": "REJECTED"}.get(their["status"])
            != row["state"]
        ):
            differences.append(
                f"order {row['id']} is {row['state']} {row['filled_quantity']}, "
                f"at the exchange {their['status']} {their['filled']}"
            )
    if differences:
        found.faults.append(f"{len(differences)} differences: " + "; ".join(differences[:4]))


def _examine(pipe: Connection, home: Path) -> None:
    async def work() -> list[str]:
        async with compose_desk(home, DeskKind.COMMAND, settings=Settings(trader="tester")) as desk:
            read = seam(desk).workers.watcher.read
            await asyncio.gather(*(read(client.id) for client in desk.clients.all()))
            await desk.settle()
            return [f"doctor: {one.name}: {one.detail}" for one in await desk.doctor.run() if not one.ok]

    pipe.send(asyncio.run(work()))


def _at_exchange(home: Path) -> dict[str, sqlite3.Row]:
    """The exchange's orders by our tag."""
    rows = _rows(home / "paper.db", "SELECT * FROM orders")
    return {str(row["tags"]).split("\n")[0]: row for row in rows}


def _rows(database: Path, query: str) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(query).fetchall()


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


# --- many times ---------------------------------------------------------------------------------------------


def main() -> int:
    """Freeze so many apps; returns 0 where every cancel-all did all that it must."""
    given = _arguments()
    base = Path(tempfile.mkdtemp(prefix="tradedesk-frozen-", dir=given.folder))
    results: list[Frozen] = []
    try:
        prepared = prepare(base)
        instants = given.instant or INSTANTS
        for number in range(given.times):
            folder = base / f"time-{number}"
            folder.mkdir()
            found = freeze_once(
                prepared, folder, instants[number % len(instants)], given.seed * 1_000_003 + number
            )
            results.append(found)
            _tell(found, number + 1, given.times)
            if not given.keep and not found.faults:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        if not given.keep and not any(found.faults for found in results):
            shutil.rmtree(base, ignore_errors=True)
    print("\n".join(table(results)))
    if given.json:
        given.json.write_text(json.dumps(figures(results), indent=2) + "\n")
    return 1 if any(found.faults for found in results) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.frozen", description=__doc__)
    parser.add_argument("--times", type=int, default=9, help="how many apps are frozen")
    parser.add_argument("--seed", type=int, default=1, help="of all dice")
    parser.add_argument(
        "--instant", action="append", default=[], help=f"only here: {', '.join({*INSTANTS, ON_THE_WIRE})}"
    )
    parser.add_argument("--folder", type=Path, help="where homes are made; the system's own by default")
    parser.add_argument("--keep", action="store_true", help="keep the homes for a look")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


def _tell(found: Frozen, done: int, of: int) -> None:
    held = f" holding {found.held}" if found.held else ""
    last = found.last_cancel_s or 0.0
    print(
        f"{done}/{of}  {found.instant}{held}: {found.live} live, {found.in_flight} in flight, "
        f"exit {found.exit_code}, HALT {found.halt_file_s:.2f} s, last cancel {last:.2f} s, "
        f"certified {found.whole_s:.2f} s, {found.late} late",
        file=sys.stderr,
        flush=True,
    )
    for fault in found.faults:
        print(f"    FAULT {fault}", file=sys.stderr, flush=True)


def figures(results: Sequence[Frozen]) -> dict[str, Any]:
    """Every figure by name, and every time by itself."""
    return {
        "times": len(results),
        "holding_a_lock": sum(bool(found.held) for found in results),
        "without_fault": sum(not found.faults for found in results),
        "exit_codes": sorted({found.exit_code for found in results}),
        "orders_live": sum(found.live for found in results),
        "in_flight": sum(found.in_flight for found in results),
        "late": sum(found.late for found in results),
        **{
            f"{name}_{word}": round(figure, 3)
            for name, times in _times(results).items()
            if times
            for word, figure in (("median_s", statistics.median(times)), ("worst_s", max(times)))
        },
        "each": [
            {name: value for name, value in asdict(found).items() if name != "certificate"}
            for found in results
        ],
    }


def _times(results: Sequence[Frozen]) -> dict[str, list[float]]:
    certain = [found for found in results if not found.in_flight]
    return {
        "halt_file": [found.halt_file_s for found in results],
        "halt_row": [found.halt_row_s for found in results],
        "first_cancel": [found.first_cancel_s for found in results if found.first_cancel_s is not None],
        "last_cancel": [found.last_cancel_s for found in results if found.last_cancel_s is not None],
        "certified": [found.whole_s for found in certain],
        "certified_with_doubt": [found.whole_s for found in results if found.in_flight],
    }


def table(results: Sequence[Frozen]) -> list[str]:
    """The figures as lines of a table."""
    f = figures(results)
    lines = [
        f"cancel-all beside a frozen app  {f['times']} times, {f['holding_a_lock']} of them holding a lock",
        f"orders live, in flight          {f['orders_live']:,}, {f['in_flight']:,}",
        f"arrived after the thaw          {f['late']}, none claimed after the halt, all cancelled",
    ]
    for name, words in (
        ("halt_file", "HALT file"),
        ("halt_row", "halt's row"),
        ("first_cancel", "first cancel at the exchange"),
        ("last_cancel", "last cancel at the exchange"),
        ("certified", "command ended"),
        ("certified_with_doubt", "  with orders in flight"),
    ):
        if f"{name}_median_s" in f:
            lines.append(f"{words:<30}  median {f[f'{name}_median_s']} s, worst {f[f'{name}_worst_s']} s")
    lines.append(f"without fault                   {f['without_fault']} of {f['times']}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
