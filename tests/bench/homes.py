"""Homes, desks and commands for benches: many clients on a paper exchange with the machine's own clock."""

import asyncio
import functools
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import SystemClock
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import ClientStatus, DeskKind, Policy
from engine.accounts.client_file import NewClient
from engine.desk import Desk
from tests.bench.frame import Spent
from tests.books import empty_books
from tests.desks import on_its_books
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk

if TYPE_CHECKING:
    from tests.bench.terminal import Terminal

SYMBOL, LAST_PAISE, CLOSE_PAISE = "RELIANCE", 245050, 239520
OTHERS = ("TCS", "INFY")
"""Further legs of a basket, at the same price, so that each takes what the first does."""
IMPORT_TEXTUAL = (sys.executable, "-c", "import textual.app, textual.widgets")
"""What the start of everything is held against."""


class CountedExchange(PaperExchange):
    """A paper exchange that counts what its own work costs, in processor seconds of whichever thread."""

    def __init__(self, path: Path | None = None) -> None:
        self.seconds = 0.0
        self._inside = False
        super().__init__(path, SystemClock(), load_calendar(), policy=Policy.WORST)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._counting(), super().transaction():
            yield

    @contextmanager
    def _counting(self) -> Iterator[None]:
        if self._inside:
            yield
            return
        self._inside, began = True, time.thread_time()
        try:
            yield
        finally:
            self._inside = False
            self.seconds += time.thread_time() - began


def _counted(name: str) -> Callable[..., Any]:
    call = getattr(PaperExchange, name)

    @functools.wraps(call)
    def counted(self: CountedExchange, *args: Any, **named: Any) -> Any:
        with self._counting():
            return call(self, *args, **named)

    return counted


for _name in ("updates_after", "funds", "holdings", "orders", "trades"):
    setattr(CountedExchange, _name, _counted(_name))


def people(count: int) -> list[NewClient]:
    """Clients with money for any bench's order."""
    return [
        NewClient(
            f"BN{number:04d}",
            f"Client {number}",
            "zerodha",
            f"ZB{number:04d}",
            ClientStatus.ACTIVE,
            capital_paise=1_00_000_00,
            available_paise=1_00_000_00,
        )
        for number in range(count)
    ]


async def lay(desk: Desk, clients: int) -> None:
    """Give a desk its market, with one price that stands still, and its clients."""
    listings = universe()
    exchange_of(desk).list_instruments(listings)
    await desk.market.store_instruments([row.instrument for row in listings], "bench")
    for symbol in (SYMBOL, *OTHERS):
        exchange_of(desk).pin(symbol, LAST_PAISE, CLOSE_PAISE)
    await desk.clients.add(people(clients))


async def compare_all(desk: Desk) -> None:
    """Compare every client's books with the broker's, however long it takes."""
    await asyncio.gather(*(desk.reconcile.check(client.id) for client in desk.clients.all()))


@asynccontextmanager
async def bench_desk(
    home: Path, exchange: PaperExchange | None = None, latency_s: float = 0.0, kind: DeskKind = DeskKind.APP
) -> AsyncIterator[Desk]:
    """A desk on a home, with every answer of its exchange so late; the home's own exchange unless given."""
    opening = compose_desk(
        empty_books(home),
        kind,
        settings=on_its_books(Settings(policy=Policy.WORST, trader="bench"), home),
        exchange=exchange,
        latency=(latency_s, latency_s),
        seed=7,
    )
    async with opening as desk:
        assert isinstance(desk, Desk)
        yield desk


@contextmanager
def laid_home(clients: int, parent: str | None = None) -> Iterator[Path]:
    """A home of so many clients on its own paper exchange, each of which has been compared once."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as folder:
        home = Path(folder) / "home"

        async def make() -> None:
            async with bench_desk(home, kind=DeskKind.SCRIPT) as desk:
                await lay(desk, clients)
                await compare_all(desk)

        asyncio.run(make())
        (home / "config.toml").write_text("paper_latency_ms = [0, 0]\n")
        yield home


@contextmanager
def copy_of(home: Path) -> Iterator[Path]:
    """A copy of a home for one round."""
    with tempfile.TemporaryDirectory(prefix="round-", dir=home.parent) as folder:
        copied = Path(folder) / "home"
        shutil.copytree(home, copied)
        yield copied


def compiled() -> dict[str, str]:
    """This environment with bytecode kept in a folder aside, as it is of a program started before."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "tradedesk-bench-bytecode"), **own}


def environment(home: Path) -> dict[str, str]:
    """The environment of a command on a home."""
    return {**compiled(), "TRADEDESK_HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}


def command_seconds(home: Path, *words: str, most_status: int = 0) -> float:
    """Wall seconds of a command of the program, from its start to its end."""
    return command_spent(home, *words, most_status=most_status).wall


def command_spent(home: Path, *words: str, most_status: int = 0) -> Spent:
    """What a command of the program takes, from its start to its end."""
    return process_spent((sys.executable, "-m", "tradedesk.cli", *words), environment(home), most_status)


def process_seconds(command: tuple[str, ...]) -> float:
    """Wall seconds of a process, from its start to its end."""
    return process_spent(command).wall


def process_spent(
    command: tuple[str, ...], env: Mapping[str, str] | None = None, most_status: int = 0
) -> Spent:
    """Wall and processor seconds of a process, from its start to its end."""
    began, before = time.perf_counter(), _of_children()
    done = subprocess.run(
        command,
        env=compiled() if env is None else env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    spent = Spent(time.perf_counter() - began, _of_children() - before)
    if done.returncode > most_status:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    return spent


def _of_children() -> float:
    """Processor seconds of this process's children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def open_app(home: Path) -> "Iterator[Terminal]":
    """The app open on a home, in a terminal of its own that is drained; ended by its process id."""
    from tests.bench.terminal import Terminal

    with Terminal((sys.executable, "-m", "tradedesk.cli"), environment(home)) as terminal:
        terminal.wait_for("Watchlist")
        with terminal.drained_aside():
            yield terminal
