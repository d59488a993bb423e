"""Desks on one database through kills, freezes and cut lines, against the broker's own ledger.

uv run python -m tests.faults.firm_runs --rounds 5 --seed 1 --folder rounds

Two desks with homes and clients of their own trade at a simulated broker, and one stands by for the first.
In each round something happens to one of them, to the server or to a line while they trade; then all come to
rest, and every order, fill, share and paisa of the books is held to the broker's.
"""

import argparse
import os
import random
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from time import sleep
from typing import Any

from sqlalchemy import Connection as DatabaseConnection

from data.engines.driver import fetch
from data.engines.postgres import PostgresBooks
from data.engines.shared.leases import lease_holders, leased_to, with_live_orders
from data.server.saving import save_books
from data.server.secret_rows import make_key
from data.vocabulary import DeskKind
from engine.leasing.standing_by import LIVE
from tests.faults import broker_house, firm_life
from tests.faults.broker_house import House
from tests.faults.clock import FastClock, monotonic
from tests.faults.compare import Findings, compare
from tests.faults.firm_life import FirmLife, Rest
from tests.faults.forks import Child, fork
from tests.server.own_server import Cut, CutLine, OwnServer, own_server

SPEED = 30.0
CLIENTS = 12
TRADES_S = 1.5
"""Real seconds of trading before something happens, and after it."""

ROUNDS_A_DAY = 15
"""As many fit into a market's day at that speed."""

REPEATS = 6
"""How often books that differ are read again: what a desk was just booking is no difference."""

LONGEST_S = 120.0

EVENTS = (
    "desk killed",
    "desk frozen",
    "desk frozen and ended",
    "keep killed",
    "keep frozen",
    "server restarted",
    "server frozen",
    "commit cut off before",
    "commit cut off after",
    *(f"desk {words}" for words in firm_life.FREEZES),
)


@dataclass(slots=True)
class Told:
    """What came of all rounds."""

    rounds: Counter[str] = field(default_factory=Counter[str])
    faults: list[str] = field(default_factory=list[str])
    orders: int = 0
    fills: int = 0
    sent: int = 0
    duplicates: int = 0
    freed_without_proof: int = 0
    unknown: int = 0
    resolved: int = 0

    def add(self, found: Findings) -> None:
        """The figures of one day's books at its end."""
        self.orders, self.fills = self.orders + found.orders, self.fills + found.fills
        self.sent, self.duplicates = self.sent + found.sent, self.duplicates + found.duplicates
        self.unknown, self.resolved = self.unknown + found.unknown, self.resolved + found.resolved
        self.freed_without_proof += found.freed_without_proof


def _line(pipe: Connection, server: OwnServer) -> None:
    """A line to the server as a process of its own, since whoever forks has one thread."""
    line = CutLine(server)
    pipe.send(line.url.render_as_string(hide_password=False))
    with suppress(EOFError):
        while True:
            line.cut = pipe.recv()


@contextmanager
def _child(work: Callable[..., None], *given: object, words: Path) -> Iterator[Child]:
    child = fork(work, *given, words=words)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


class Day:
    """One day of a firm: a broker, a database, and the desks that live."""

    def __init__(self, folder: Path, server: OwnServer, house: House, line: Child, seed: int) -> None:
        self._folder, self._server, self._house, self._line, self._seed = folder, server, house, line, seed
        self._address = line.receive(20)
        self._clock = FastClock(monotonic(), SPEED)
        self._living: dict[str, Child] = {}
        self._begun = 0
        self.codes: list[str] = []

    def make(self, clock: FastClock) -> None:
        """Lay clients into the books and open all desks."""
        self._clock = clock
        make_key(self._folder / "firm.key")
        with _child(
            firm_life.make,
            self.life_of("maker", "free", DeskKind.SCRIPT),
            CLIENTS,
            words=self._words("maker"),
        ) as maker:
            self.codes = maker.receive(60)
            maker.wait()
        for name in ("asha", "ravi", "keep"):
            self.open(name)

    def open(self, name: str) -> None:
        """Have a desk live, again where it has died."""
        half = len(self.codes) // 2
        mine = {"asha": self.codes[:half], "ravi": self.codes[half:], "keep": ["nobody"]}[name]
        kind = DeskKind.KEEP if name == "keep" else DeskKind.APP
        home = "asha" if name == "keep" else name
        child = fork(firm_life.live, self.life_of(home, " ".join(mine), kind), words=self._words(name))
        self._living[name] = child
        assert self._receive(name) == "open", name

    def life_of(self, home: str, clients: str, kind: DeskKind) -> FirmLife:
        self._begun += 1
        return FirmLife(
            home,
            self._folder,
            self._address,
            self._house.urls[0],
            self._folder / "firm.key",
            clients,
            self._clock,
            self._seed * 1000 + self._begun,
            kind,
        )

    def _words(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def tell(self, word: str) -> None:
        """Say it to every desk."""
        for child in self._living.values():
            child.pipe.send(word)

    def happen(self, event: str, dice: random.Random) -> None:
        """Have it happen while they trade; who died of it lives again."""
        name = "keep" if event.startswith("keep") else dice.choice(("asha", "ravi"))
        child = self._living[name]
        match event:
            case "desk killed" | "keep killed":
                child.kill()
                child.wait()
            case "desk frozen" | "keep frozen":
                os.kill(child.pid, signal.SIGSTOP)
                sleep(dice.uniform(1, 4))
                os.kill(child.pid, signal.SIGCONT)
            case zombie if zombie.removeprefix("desk ") in firm_life.FREEZES:
                self._thaw_late(child, zombie.removeprefix("desk "))
            case "desk frozen and ended":
                os.kill(child.pid, signal.SIGSTOP)
                sleep(dice.uniform(1, 4))  # as its own watchdog does later: minutes of this clock
                child.kill()
                child.wait()
            case "server restarted":
                self._server.kill()
                sleep(dice.uniform(0.1, 2))
                self._server.start()
            case "server frozen":
                self._server.freeze()
                sleep(dice.uniform(1, 4))
                self._server.thaw()
            case "commit cut off before" | "commit cut off after":
                for _ in range(3):
                    self._line.pipe.send(Cut.BEFORE if event.endswith("before") else Cut.AFTER)
                    sleep(0.4)
            case _:
                raise ValueError(event)
        if child.ended is not None:
            sleep(dice.uniform(0, 2))  # somebody else may take its clients meanwhile
            self.open(name)
            child = self._living[name]
            child.pipe.send("trade")

    def _thaw_late(self, child: Child, words: str) -> None:
        """Have a desk stop itself, and go on once its leases have run out and another has its clients.

        It is as one of another machine, or whoever stands by would end it.
        """
        books = PostgresBooks(self._server.books).writer()
        try:
            with books.connect() as connection:
                number = int(fetch(connection, _NUMBER, (child.pid,))[0][0])
                connection.exec_driver_sql(_ELSEWHERE, (number,))
                child.pipe.send(words)
                _await(lambda: _state(child.pid) == "T", f"it did not {words}")
                _await(lambda: _is_over(connection, number), "nobody has taken what it had at its broker")
        finally:
            books.dispose()
            os.kill(child.pid, signal.SIGCONT)

    def judge(self) -> tuple[Findings, list[str]]:
        """Have all come to rest, and hold the books to the broker's."""
        wrong, found = list[str](), Findings()
        for left in reversed(range(REPEATS)):
            self.tell("rest")
            self._rests()
            self._house.ask("calm")
            self.tell("rest")
            rests = self._rests()
            file = self._folder / "desk.db"
            file.unlink(missing_ok=True)
            save_books(PostgresBooks(self._server.books), file)
            found = compare(self._folder, self._house.ask("ledger"))
            self._house.ask("go")
            wrong = [f"{name}: {words}" for name, rest in rests.items() for words in rest.wrong]
            owned = sum(rest.clients for rest in rests.values())
            wrong += [] if owned == len(self.codes) else [f"{owned} of {len(self.codes)} clients are owned"]
            wrong += found.differences[:6]
            wrong += [f"{found.unresolved} orders are in doubt"] if found.unresolved else []
            if found.correct and not wrong:
                break
            if left:
                sleep(1.0)
        return found, wrong

    def _rests(self) -> dict[str, Rest]:
        return {name: self._receive(name) for name in self._living}

    def _receive(self, name: str) -> Any:
        """What a desk says next. Raises `EOFError` with its name and end where it has ended."""
        child = self._living[name]
        try:
            return child.receive(LONGEST_S)
        except EOFError:
            raise EOFError(f"{name} ended with {os.waitstatus_to_exitcode(child.wait())}") from None

    def close(self) -> None:
        """End the day."""
        for child in self._living.values():
            child.kill()
            child.wait()


_ELSEWHERE = "UPDATE fence SET host = 'another machine' WHERE instance_id = ?"
_NUMBER = "SELECT max(id) FROM instance WHERE pid = ? AND ended_at IS NULL"


def _is_over(connection: DatabaseConnection, number: int) -> bool:
    """Whether an engine's leases have run out, and nothing of its clients is live that nobody has taken."""
    lasts = lease_holders(connection)[number].lasts
    return not lasts and not (leased_to(connection, number) & with_live_orders(connection, LIVE))


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0]


def _await(happened: Callable[[], bool], otherwise: str) -> None:
    end = monotonic() + LONGEST_S
    while not happened():
        if monotonic() > end:
            raise TimeoutError(otherwise)
        sleep(0.05)


def run(events: list[str], folder: Path, seed: int, of_day: type[Day] = Day) -> Told:
    """Go through all events, some of them a day."""
    told, dice = Told(), random.Random(seed)
    with own_server() as server:
        for first in range(0, len(events), ROUNDS_A_DAY):
            place = folder / f"day{first // ROUNDS_A_DAY}"
            place.mkdir(parents=True)
            server.refresh()
            clock = FastClock(monotonic(), SPEED)
            with (
                _child(
                    broker_house.run, "kite", clock, CLIENTS, seed + first, words=place / "broker.log"
                ) as at,
                _child(_line, server, words=place / "line.log") as line,
            ):
                day = of_day(place, server, House(at.receive(20), at.pipe), line, seed + first)
                try:
                    day.make(clock)
                    told.add(_day(day, events[first : first + ROUNDS_A_DAY], told, dice))
                finally:
                    day.close()
            if told.faults:
                break
    return told


def _day(day: Day, events: list[str], told: Told, dice: random.Random) -> Findings:
    found = Findings()
    for event in events:
        began = monotonic()
        day.tell("trade")
        sleep(TRADES_S)
        try:
            day.happen(event, dice)
            sleep(TRADES_S)
            found, wrong = day.judge()
        except (EOFError, TimeoutError) as problem:
            wrong = [f"a desk ended or was silent: {problem!r}"]
        told.rounds[event] += 1
        print(
            f"{sum(told.rounds.values()):4d} {event:32s} {monotonic() - began:5.1f} s"
            f" {found.orders:6d} orders {found.unknown:4d} unknown  {'; '.join(wrong) or 'ok'}",
            flush=True,
        )
        if wrong:
            told.faults.append(f"{event}: {'; '.join(wrong)}")
            break
    return found


def main(
    name: str = "firm_runs", doc: str | None = __doc__, known: tuple[str, ...] = EVENTS, of: type[Day] = Day
) -> int:
    """Make so many rounds of each event and print what came of them; ends with 1 after a fault."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.faults.{name}", description=doc)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", nargs="*", default=list(known))
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    events = given.events * given.rounds
    random.Random(f"order:{given.seed}").shuffle(events)
    told = run(events, given.folder, given.seed, of)
    print(f"{sum(told.rounds.values())} rounds: {dict(told.rounds)}")
    print(
        f"orders {told.orders}, placements received {told.sent}, fills {told.fills}, twice {told.duplicates},"
        f" freed without proof {told.freed_without_proof}, unknown {told.unknown}, resolved {told.resolved}"
    )
    for fault in told.faults:
        print(f"FAULT {fault}")
    return 1 if told.faults else 0


if __name__ == "__main__":
    sys.exit(main())
