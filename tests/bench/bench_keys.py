"""From a key to its paint, p95, in the app with 1,000 clients, idle and while 1,000 orders are sent.

Letters are typed into the field that finds a symbol, one at a time, each once the one before is painted: over
the Desk, and idle over each other workspace too, after a run of everybody has filled it.
Held against a Textual app with nothing but an input field, in a terminal of the same size. Ours has its
exchange in a file and looks for garbage as it does when a trader opens it. Both run in
processes of their own, whose terminals this one watches.
"""

import argparse
import asyncio
import os
import random
import select
import signal
import statistics
import string
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

from engine.desk import Desk
from tests.bench.frame import Aim, Bench, Figures, as_started
from tests.bench.homes import compiled
from tests.bench.terminal import Terminal

CLIENTS, LATENCY_S = 1000, 0.05
WORD, WORDS, PAUSE_S = 8, 10, 0.02
AIMS = (Aim("idle", 3.0), Aim("any workspace", 3.0), Aim("while sending", 5.0))
OTHERS = {
    "2": "for many clients",
    "3": "Orders",
    "4": "Positions by symbol",
    "5": "Matrix",
    "7": "Clients and the morning gate",
}
"""The workspaces beside the Desk by their digits, and what each shows in one piece."""
FIELD = "symbol, client code or name"
"""What the empty field says."""
DESK = "\x1bOS"
"""F4, which leads to the Desk from everywhere, out of a field too."""


def empty_app() -> None:
    """A Textual app that can do nothing but be typed into."""
    from textual.app import App, ComposeResult
    from textual.widgets import Input

    class Empty(App[None]):
        def compose(self) -> ComposeResult:
            yield Input(placeholder="ready")

        def on_input_submitted(self, event: Input.Submitted) -> None:
            event.input.clear()

    Empty().run()


def our_app(home: Path, started: int) -> None:
    """The app on a desk; writes to `started` when a run of everybody begins and when it has ended.

    A run begins with each USR1 signal.
    """
    from data.vocabulary import SizingKind
    from tests.bench.homes import SYMBOL, bench_desk, compare_all, lay
    from tests.desks import buy
    from tradedesk.app.application import TradedeskApp

    async def send(desk: Desk) -> None:
        plan = await desk.plans.freeze(buy(SYMBOL, SizingKind.FIXED_QUANTITY, 1, again=True))
        run = await desk.runs.start(plan, plan.digest)
        os.write(started, b"begun\n")
        await desk.runs.settled(run.number, 120)
        os.write(started, b"ended\n")

    @asynccontextmanager
    async def factory() -> AsyncIterator[Desk]:
        async with bench_desk(home, latency_s=LATENCY_S) as desk:
            await lay(desk, CLIENTS)
            await compare_all(desk)
            tasks: set[asyncio.Task[None]] = set()

            def begin() -> None:
                tasks.add(asyncio.create_task(send(desk)))

            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, begin)
            yield desk

    as_started()
    TradedeskApp(factory).run()


def word(dice: random.Random) -> str:
    """Letters that stand nowhere else on the screen."""
    return "".join(dice.choice(string.ascii_uppercase) for _ in range(WORD))


class Key(NamedTuple):
    """What a key took to its paint: seconds of the clock, and of the processor in its program."""

    wall: float
    cpu: float


def type_word(terminal: Terminal, text: str) -> list[Key]:
    """Type a word; returns what each key took."""
    found: list[Key] = []
    for count in range(3, WORD + 1):  # fewer letters may stand elsewhere
        if count == 3:
            terminal.write(text[:2])
            terminal.drain(0.2)
        terminal.forget()
        began, worked = time.perf_counter(), terminal.worked()
        terminal.write(text[count - 1])
        wall = terminal.wait_for(text[:count], 20) - began
        found.append(Key(wall, terminal.worked() - worked))
        time.sleep(PAUSE_S)
    return found


def p95(found: list[Key]) -> Key:
    """The p95 of each."""
    walls, worked = zip(*found, strict=True)
    return Key(statistics.quantiles(walls, n=20)[-1], statistics.quantiles(worked, n=20)[-1])


def find(terminal: Terminal) -> None:
    """Open the field that finds a symbol, over a workspace on which nothing is open."""
    terminal.forget()
    terminal.write("/")
    terminal.wait_for(FIELD, 20)
    terminal.drain(0.15)


def clear_ours(terminal: Terminal) -> None:
    """Close the field and open it anew; where none is open Esc may lead to another workspace."""
    terminal.write("\x1b")
    terminal.drain(0.3)
    find(terminal)


def clear_empty(terminal: Terminal) -> None:
    terminal.write("\r")
    terminal.drain(0.15)


def type_words(
    terminal: Terminal, clear: Callable[[Terminal], None], dice: random.Random, words: int
) -> list[Key]:
    """Type words into a field that is open, cleared behind each."""
    found: list[Key] = []
    for _ in range(words):
        found += type_word(terminal, word(dice))
        clear(terminal)
    return found


@contextmanager
def ours(folder: Path) -> Iterator[tuple[Terminal, int]]:
    """The app in a terminal, with the desk up, and where it tells when runs begin and end."""
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "tests.bench.bench_keys", "--ours", str(folder / "home"), str(writer)]
    env = {**compiled(), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    try:
        with Terminal(command, env, pass_fds=[writer]) as terminal:
            os.close(writer)
            terminal.wait_for("Watchlist")
            terminal.drain(2.0)
            yield terminal, reader
    finally:
        os.close(reader)


def leave(terminal: Terminal) -> None:
    """Go to the Desk, with nothing open over it."""
    for keys in ("\x1b", DESK, "\x1b"):
        terminal.write(keys)
        terminal.drain(0.3)


def over_others(terminal: Terminal, dice: random.Random) -> tuple[dict[str, Key], dict[str, float]]:
    """By its title each other workspace's p95 from a typed key to its paint, and what its digit took."""
    typed: dict[str, Key] = {}
    opened: dict[str, float] = {}
    for digit, title in OTHERS.items():
        leave(terminal)
        terminal.forget()
        began = time.perf_counter()
        terminal.write(digit)
        opened[title] = terminal.wait_for(title, 20) - began
        terminal.drain(0.5)
        find(terminal)
        typed[title] = p95(type_words(terminal, clear_ours, dice, WORDS // 2))
    leave(terminal)
    return typed, opened


def begin_run(terminal: Terminal, told: int) -> None:
    os.kill(terminal.pid, signal.SIGUSR1)
    assert os.read(told, 6) == b"begun\n"


def has_ended(told: int) -> bool:
    return bool(select.select([told], [], [], 0)[0]) and os.read(told, 6) == b"ended\n"


@contextmanager
def rounds(_: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Both programs stay open for all rounds and are typed into by turns."""
    dice = random.Random(4)
    env = {**compiled(), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    empty = Terminal([sys.executable, "-m", "tests.bench.bench_keys", "--empty"], env)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        empty,
        ours(Path(folder)) as (terminal, told),
    ):
        empty.wait_for("ready")
        begin_run(terminal, told)
        while not has_ended(told):
            terminal.drain(0.2)
        for digit in OTHERS:  # each is laid out once before it is measured
            leave(terminal)
            terminal.write(digit)
            terminal.drain(1.0)
        leave(terminal)

        def measure() -> Figures:
            base = p95(type_words(empty, clear_empty, dice, WORDS))
            find(terminal)
            idle = p95(type_words(terminal, clear_ours, dice, WORDS))
            typed, opened = over_others(terminal, dice)
            find(terminal)
            begin_run(terminal, told)
            keys: list[Key] = []
            while not has_ended(told):
                keys += type_words(terminal, clear_ours, dice, 1)
            leave(terminal)
            busy = p95(keys)
            every = [idle, *typed.values()]
            return {
                "idle": idle.wall / base.wall,
                "any workspace": max(one.wall for one in typed.values()) / base.wall,
                "while sending": busy.wall / base.wall,
                "by processor": max(one.cpu for one in every) / base.cpu,
                "empty ms": 1000 * base.wall,
                "idle ms": 1000 * idle.wall,
                "sending ms": 1000 * busy.wall,
                "keys while sending": len(keys),
                **{f"over {title} ms": 1000 * one.wall for title, one in typed.items()},
                **{f"over {title} cpu ms": 1000 * one.cpu for title, one in typed.items()},
                **{f"opening {title} ms": 1000 * seconds for title, seconds in opened.items()},
            }

        yield measure


if __name__ == "__main__":
    if "--empty" in sys.argv:
        empty_app()
    elif "--ours" in sys.argv:
        our_app(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(Bench(AIMS, rounds).run(__doc__))
