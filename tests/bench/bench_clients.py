"""Workspace 7 with 1,000 clients: from a key to its paint, and an import of 5,000 more while it goes on.

Letters are typed into its filter and into a client's form, and a digit opens it, held against a Textual app
with nothing but an input field. The import is read, looked at and taken on screen; the longest time in which
the app painted nothing meanwhile tells whether it goes on: its clock alone has it paint once a second.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.bench_keys import PAUSE_S, WORDS, Key, clear_empty, leave, ours, p95
from tests.bench.frame import Aim, Bench, Figures
from tests.bench.homes import compiled
from tests.bench.terminal import Terminal

ROWS = 5_000
AIMS = (
    Aim("filter", 3.0),
    Aim("form", 3.0),
    Aim("import s", 20.0, "s"),
    Aim("silent s", 2.0, "s"),
    Aim("memory MB", 150.0, "MB"),
)


def a_list(path: Path) -> Path:
    """A list of as many clients as the desk has not."""
    lines = ["Client list of the bench,,,,", "UCC,Client Name,Broker,Login Id,Corpus"]
    for row in range(ROWS):
        code = f"Z{row:05d}"
        lines.append(f"{code},Client {code},zerodha,L{code},5 L")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def clear_filter(terminal: Terminal) -> None:
    """Empty the filter and open it anew."""
    terminal.write("\x1b")
    terminal.drain(0.3)
    terminal.write("f")
    terminal.drain(0.2)


def clear_field(terminal: Terminal) -> None:
    """Empty the field of the form."""
    terminal.write("\x15")
    terminal.drain(0.2)


def type_rare(terminal: Terminal, clear: Callable[[Terminal], None], dice: random.Random) -> Key:
    """The p95 of letters that stand nowhere else on the screen, some at a time into a field that is open.

    A field paints what has changed of it, so that a letter is waited for alone.
    """
    found: list[Key] = []
    for _ in range(WORDS):
        for _ in range(6):
            letter = dice.choice("QXZJ")
            terminal.forget()
            began, worked = time.perf_counter(), terminal.worked()
            terminal.write(letter)
            wall = terminal.wait_for(letter, 20) - began
            found.append(Key(wall, terminal.worked() - worked))
            time.sleep(PAUSE_S)
        clear(terminal)
    return p95(found)


def memory_mb(terminal: Terminal) -> float:
    """What the program has in memory."""
    status = Path(f"/proc/{terminal.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def watched(terminal: Terminal, words: str, seconds: float = 120.0) -> tuple[float, float]:
    """Wait for words; returns what it took, and the longest time in which nothing was painted."""
    began = last = time.perf_counter()
    longest = 0.0
    while True:
        heard = terminal.heard(0.05)
        now = time.perf_counter()
        if heard:
            longest, last = max(longest, now - last), now
        if terminal.shows(words):
            return now - began, longest
        if now - began > seconds:
            raise SystemExit(f"{words!r} was not painted")


def imported(terminal: Terminal, path: Path) -> tuple[float, float, float]:
    """Take a list in; returns the seconds to its look, those to its end, and the longest silence."""
    terminal.write(":")
    terminal.drain(0.5)
    terminal.write(f"import {path}")
    terminal.drain(0.3)
    terminal.forget()
    terminal.write("\r")
    looked, silent = watched(terminal, f"{ROWS} add")
    terminal.drain(0.3)
    terminal.write("\t\t")
    terminal.drain(0.3)
    terminal.write(f"import {ROWS}")
    terminal.drain(0.3)
    terminal.forget()
    terminal.write("\r")
    taken, also = watched(terminal, f"{ROWS} added")
    return looked, taken, max(silent, also)


@contextmanager
def rounds(_: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Both programs stay open for all rounds and are typed into by turns."""
    dice = random.Random(7)
    env = {**compiled(), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with Terminal([sys.executable, "-m", "tests.bench.bench_keys", "--empty"], env) as empty:
        empty.wait_for("ready")

        def measure() -> Figures:
            with (
                tempfile.TemporaryDirectory(prefix="bench-") as folder,
                ours(Path(folder)) as (terminal, _told),
            ):
                return one_round(empty, terminal, Path(folder), dice)

        yield measure


def one_round(empty: Terminal, terminal: Terminal, folder: Path, dice: random.Random) -> Figures:
    """Type by turns into the empty program and into ours, then take the list in."""
    terminal.write("7")
    terminal.drain(2.0)
    base = type_rare(empty, clear_empty, dice)
    leave(terminal)
    terminal.forget()
    began = time.perf_counter()
    terminal.write("7")
    opened = terminal.wait_for("Clients and the morning gate", 20) - began
    terminal.drain(0.5)
    terminal.write("f")
    terminal.drain(0.2)
    filtered = type_rare(terminal, clear_filter, dice)
    terminal.write("\x1b\x1b")
    terminal.drain(0.5)
    terminal.write("e\t\t\t")
    terminal.drain(0.5)
    clear_field(terminal)
    typed = type_rare(terminal, clear_field, dice)
    terminal.write("\x1b")
    terminal.drain(0.5)
    before = memory_mb(terminal)
    looked, taken, silent = imported(terminal, a_list(folder / "list.csv"))
    terminal.drain(3.0)
    return {
        "filter": filtered.wall / base.wall,
        "form": typed.wall / base.wall,
        "import s": looked + taken,
        "silent s": silent,
        "memory MB": memory_mb(terminal) - before,
        "looking s": looked,
        "empty ms": 1000 * base.wall,
        "opening ms": 1000 * opened,
        "filter ms": 1000 * filtered.wall,
        "form ms": 1000 * typed.wall,
    }


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds).run(__doc__))
