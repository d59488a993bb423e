"""Kills of an app as it answers a command, and of a program as it brings a home to this version.

After each the books must be right at once, nothing may have reached the broker twice, and asking again for a
command under its id must find what it did, or close it for good.
"""

import asyncio
import os
import random
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

from data import migrating
from data.engines.sqlite import read_file
from data.home import command_socket
from data.schema import HEAD
from data.vocabulary import DeskKind, OrderState
from engine.desk import Desk
from engine.review.doctor import examine
from tests.faults.actions import patience
from tests.faults.clock import monotonic
from tests.faults.compare import Findings
from tests.faults.forks import Child, fork
from tests.faults.kills import Kill, KillResult
from tests.homes import unpack
from tests.tradedesk.cli_desk import Printed, Terminal
from tests.tradedesk.open_app import Beside
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.socket import client, connection
from tradedesk.socket.server import listening

ASKED_POINTS = ("taken", "gone", "kept")
"""Where an app dies as it answers: behind `taken`, behind `go`, behind a commit, so between two of them."""

POINTS = (*ASKED_POINTS, migrating.POINT)

ENDED_BY_ITSELF = "never"

FIRST_HOMES = ("paused", "halted", "after_market")

COUNTED = ("orders", "fill", "posting", "share_posting", "plan", "run", "halt", "audit")
"""Tables of which a migration keeps every row."""

SYMBOLS = ("TCS", "INFY", "ITC", "SBIN")
CLIENTS = ("AM1042", "RK1039", "SB1037", "VS1004")

READY_S = 90.0
PATIENT_S = 30.0
SETTLING_S = 20.0
"""Real seconds within which what is known of every order has come in."""

UNKNOWN, NOTHING_SENT = 5, 3
"""Exit codes of a command that does not know what was done, and of one under which nothing was."""

T = TypeVar("T")

Wanted = tuple[str, int]
"""A symbol and a quantity that no other command of the home has."""


@dataclass(frozen=True, slots=True)
class AskedPlan:
    """The kills of one home: at which points, in which order."""

    prepared: Path
    folder: Path
    seed: int
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Books:
    """What stands after a kill: differences, what the broker received how often, and the halts."""

    differences: list[str] = field(default_factory=list[str])
    received: Counter[Wanted] = field(default_factory=Counter[Wanted])
    halts: int = 0


def prepare(folder: Path) -> Path:
    """A demonstration to be copied. Raises `RuntimeError` where that fails."""
    home = folder / "home"
    folder.mkdir(parents=True)
    if fork(_prepare, home, words=folder / "prepare.log").wait():
        raise RuntimeError(f"no home could be prepared: {(folder / 'prepare.log').read_text()}")
    return home


def _prepare(_: Connection, home: Path) -> None:
    Terminal(home).done("init", "--demo", "--bare")


def asked_home(plan: AskedPlan) -> KillResult:
    """Carry out the kills of one home; what is not right afterwards is told and ends it."""
    os.environ.update({"TRADEDESK_PAPER_LATENCY_MS": "[0, 0]", "TRADEDESK_TRADER": "tester"})
    result, dice = KillResult(), random.Random(f"asked:{plan.seed}")
    plan.folder.mkdir(parents=True)
    house = _House(shutil.copytree(plan.prepared, plan.folder / "home"), plan.folder / "app.log")
    for number, point in enumerate(plan.points):
        began = monotonic()
        try:
            if point == migrating.POINT:
                struck, wrong = _kill_migration(plan.folder / f"first-{number}", dice)
            else:
                struck, wrong = house.kill(point, number, dice)
        except (EOFError, TimeoutError) as problem:
            struck, wrong = "", [repr(problem)]
        result.kills.append(
            Kill(point, struck, while_booting=False, correct=not wrong, whole_s=monotonic() - began)
        )
        if wrong:
            where = f"{plan.folder.name} seed {plan.seed} kill {number} at {point}"
            result.faults.append(f"{where}: {'; '.join(wrong[:6])}")
            break
    result.findings = Findings()
    return result


# --- an app that answers ---------------------------------------------------------------------------------


@dataclass(slots=True)
class _House:
    """One home, whose apps die one after another, and what was asked of them."""

    home: Path
    log: Path
    may: set[Wanted] = field(default_factory=set[Wanted])
    """What the books have a run for, so that it may have reached the broker."""
    must: set[Wanted] = field(default_factory=set[Wanted])
    """What the broker was told to have."""
    halts: int = 0

    def kill(self, point: str, number: int, dice: random.Random) -> tuple[str, list[str]]:
        """Have an app die while a command is asked of it; where it died, and what is wrong afterwards."""
        halting, wanted = dice.random() < 0.25, (dice.choice(SYMBOLS), number + 1)
        client = dice.choice(CLIENTS)
        if halting:
            words = ["cancel-all", "--yes", "--scope", "client", "--value", client]
        else:
            words = ["bulk", "buy", wanted[0], "--quantity", str(wanted[1]), "--clients", client]
            words += ["--yes", "--wait", "5"]
        child = fork(_app, self.home, point, dice.randint(1, 3) if point == "kept" else 1, words=self.log)
        try:
            if child.receive(READY_S) != "open":
                return "", ["the app did not open"]
            if not command_socket(self.home).exists():
                return "", ["the app does not listen: is the path too long for a socket?"]
            printed = _in_child(self.log, _command(self.home, *words, "--json"))
        finally:
            struck = point if _has_died(child) else ENDED_BY_ITSELF
            child.kill()
            child.wait()
        wrong = self._halted(printed) if halting else self._ordered(printed, wanted)
        books = _in_child(self.log, lambda: asyncio.run(_look(self.home)))
        wrong += books.differences
        for one, times in books.received.items():
            if times > 1 or one not in self.may:
                wrong.append(f"{one} reached the broker {times} times")
        missing = self.must - books.received.keys()
        wrong += [f"{one} was told to be sent and has not reached the broker" for one in missing]
        if books.halts != self.halts:
            wrong.append(f"{books.halts} halts stand in the books, {self.halts} were fired")
        return struck, wrong

    def _ordered(self, printed: Printed, wanted: Wanted) -> list[str]:
        """What speaks against how a purchase ended; asked again under its id where that is not known."""
        if printed.code == 0:
            self.may.add(wanted)
            self.must.add(wanted)
            return []
        if printed.code != UNKNOWN:
            return [f"{wanted} ended with {printed.code}: {printed.err[-300:]}"]
        again = ("--request", printed.error["request_id"], "--json")
        first, second = (_in_child(self.log, _command(self.home, *again)) for _ in range(2))
        if first != second:
            return [f"asked twice for {wanted}, told otherwise: {first.out} {second.out}"]
        closed, runs = first.document["closed"], first.document["runs"]
        if closed != (first.code == NOTHING_SENT) or closed == bool(runs):
            return [f"{wanted} is told to be closed and done, or neither: {first.out}"]
        if runs:
            self.may.add(wanted)
        return []

    def _halted(self, printed: Printed) -> list[str]:
        self.halts += 1
        return [] if printed.code == 0 else [f"cancel-all ended with {printed.code}: {printed.err[-300:]}"]


def _app(pipe: Connection, home: Path, point: str, count: int) -> None:
    """Hold an app open that kills itself the `count`-th time it comes to a point."""
    left = [count]

    def reached(here: str) -> None:
        left[0] -= here == point
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    async def hold() -> None:
        async with compose_desk(home, DeskKind.APP) as desk, listening(desk, reached=reached):
            pipe.send("open")
            await asyncio.Event().wait()

    asyncio.run(hold())


def _has_died(child: Child) -> bool:
    try:
        child.receive(0.0)
    except TimeoutError:
        return False
    except EOFError:
        return True
    return False


def _in_child(log: Path, work: Callable[[], T]) -> T:
    """Do something in a process of its own, which may have threads. Raises `EOFError` where it failed."""
    child = fork(lambda pipe: pipe.send(work()), words=log)
    try:
        return child.receive(READY_S)
    finally:
        child.kill()
        child.wait()


def _command(home: Path, *words: str) -> Callable[[], Printed]:
    def asked() -> Printed:
        # A busy machine is no frozen app: this process gives up on none that lives, and so meets its point.
        waits = patch.multiple(connection, HELLO_S=PATIENT_S, TAKEN_S=PATIENT_S)
        with waits, patch.multiple(client, HALT_S=PATIENT_S, BEAT_S=PATIENT_S):
            return Beside(home).run(*words)

    return asked


async def _look(home: Path) -> Books:
    """Open a desk on the home, free what never left, and hold its books to the broker's."""
    async with compose_desk(home, settings=Settings(trader="tester")) as desk:
        for halt in desk.halt.active():
            await desk.halt.resume(halt.number, "resume", "tester")
        if unsent := [one.id for one in desk.orders.all(live=True) if one.state is OrderState.RESERVED]:
            await desk.orders.cancel(unsent, "left unsent by a crash")
        end = monotonic() + SETTLING_S
        while _on_their_way(desk) and monotonic() < end:
            await desk.settle()
            await patience(0.05)
        received, booked = Counter[Wanted](), Counter[Wanted]()
        for client in desk.clients.all():
            account = desk.connections.account(client)
            orders = await desk.connections.feed.broker.orders(account)
            received.update((order.tradingsymbol, order.quantity) for order in orders)
        for order in desk.orders.all():
            booked[order.tradingsymbol, order.quantity] += order.broker_order_id is not None
        wrong = [f"doctor: {one.name}: {one.detail}" for one in await desk.doctor.run() if not one.ok]
        if received != +booked:
            wrong.append(f"the broker has {dict(received)}, the books have {dict(+booked)}")
    with closing(sqlite3.connect(home / "desk.db")) as books:
        (halts,) = books.execute("SELECT count(*) FROM halt").fetchone()
    return Books(wrong, received, halts)


def _on_their_way(desk: Desk) -> bool:
    return any(order.state is OrderState.SENDING for order in desk.orders.all(live=True))


# --- a program that migrates --------------------------------------------------------------------------------


def _kill_migration(folder: Path, dice: random.Random) -> tuple[str, list[str]]:
    """Kill a program as it brings a home of the first build to this version; what is wrong afterwards."""
    folder.mkdir()
    database = unpack(dice.choice(FIRST_HOMES), folder)
    before, stamp = _counts(database), _stamp(database)
    child = fork(_migrate, database, dice.choice((0, 1, 2)), words=folder / "migration.log")
    try:
        child.receive(READY_S if dice.random() < 0.7 else dice.uniform(0.0, 0.6))
        struck = ENDED_BY_ITSELF
    except (EOFError, TimeoutError):
        struck = migrating.POINT
    child.kill()
    child.wait()
    wrong: list[str] = []
    if _stamp(database) not in (stamp, HEAD):
        wrong.append(f"the file is of version {_stamp(database)}")
    if _counts(database) != before:
        wrong.append("rows are missing right after the kill")
    child = fork(_migrate, database, 0, words=folder / "migration.log")
    child.receive(READY_S)
    child.wait()
    if _stamp(database) != HEAD or _counts(database) != before:
        wrong.append("the second migration did not bring every row to this version")
    wrong += [f"doctor: {one.name}: {one.detail}" for one in read_file(database, examine) if not one.ok]
    return struck, wrong


def _migrate(pipe: Connection, database: Path, dies_at: int) -> None:
    """Bring a file to this version; dies the `dies_at`-th time it may, never at 0."""
    left = [dies_at]

    def reached(_: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    migrating.prepare(database, reached=reached)
    pipe.send("done")


def _counts(database: Path) -> list[int]:
    with closing(sqlite3.connect(database)) as file:
        return [file.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in COUNTED]


def _stamp(database: Path) -> str:
    with closing(sqlite3.connect(database)) as file:
        return str(file.execute("SELECT version_num FROM alembic_version").fetchone()[0])
