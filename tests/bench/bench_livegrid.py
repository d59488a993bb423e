"""Cost of a frame of LiveGrid against Textual's DataTable, 1,000 rows of 15 columns, all changed at 10 Hz.

Each table runs in a child process on a terminal of 200x50 that this process drains, so that drawing and
writing are part of the cost. Judged are LiveGrid's share of a core, the lag of its loop, and how much
cheaper it is.
"""

import argparse
import fcntl
import json
import os
import pty
import random
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Protocol

from textual.app import App, ComposeResult
from textual.widgets import DataTable

from engine.words import formats
from tests.bench.frame import Aim, Bench, Figures, Lag
from widgets.columns import Column
from widgets.livegrid import LiveGrid

ROWS, COLUMNS, LIVE_COLUMNS = 1_000, 15, 5
HERTZ, WARM_FRAMES, FRAMES = 10, 10, 40
LINES, CELLS = 50, 200
AIMS = (
    Aim("share of a core", 25.0, "%"),
    Aim("lag p95", 15.0, "ms"),
    Aim("times cheaper than DataTable", 3.0, least=True),
)


@dataclass
class Row:
    """A made-up row, all figures in paise."""

    code: str
    paise: list[int]


def make_rows(source: random.Random) -> dict[str, Row]:
    """Rows by code."""
    return {
        f"C{n:04d}": Row(f"C{n:04d}", [source.randrange(-(10**7), 10**7) for _ in range(COLUMNS - 1)])
        for n in range(ROWS)
    }


def figure(place: int) -> Callable[[Row], str]:
    """The cell of the column of figures at `place`."""
    return lambda row: formats.signed(row.paise[place])


class BenchApp(App[None]):
    """Changes every row ten times a second and measures itself."""

    def __init__(self, design: str) -> None:
        super().__init__()
        self._source = random.Random(20260302)
        self._rows = make_rows(self._source)
        self._design = design
        self._frame = 0
        self._lag = Lag()
        self.result: dict[str, float] = {}
        columns = [Column("code", "code", 8, lambda row: row.code)]
        columns += [
            Column(
                *(f"f{place}", f"figure {place}", 12, figure(place), "right"),
                style=lambda row, place=place: "up" if row.paise[place] > 0 else "down",
            )
            for place in range(COLUMNS - 1)
        ]
        self._columns = columns
        self._grid = LiveGrid(columns, monotonic=time.monotonic)
        self._table: DataTable[str] = DataTable(cursor_type="row")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        names = ("pnl-up", "pnl-down", "side-buy", "side-sell", "stale", "armed", "live-mode")
        return dict.fromkeys(names, "#5fd787")

    def compose(self) -> ComposeResult:
        if self._design == "grid":
            yield self._grid
        elif self._design == "table":
            yield self._table

    def on_mount(self) -> None:
        if self._design == "grid":
            self._grid.set_rows(self._rows)
        elif self._design == "table":
            for column in self._columns:
                self._table.add_column(column.title, key=column.key, width=column.width)
            for key, row in self._rows.items():
                self._table.add_row(*(column.cell(row) for column in self._columns), key=key)
        self.set_interval(1 / HERTZ, self._next_frame)

    def _next_frame(self) -> None:
        self._frame += 1
        if self._frame == WARM_FRAMES:
            self._lag.begin()
        elif self._frame == WARM_FRAMES + FRAMES:
            self.result = self._lag.figures(FRAMES)
            self.exit()
            return
        for row in self._rows.values():
            for place in range(LIVE_COLUMNS):
                row.paise[place] = -row.paise[place] + self._frame
        if self._design == "grid":
            self._grid.apply(self._rows.keys())
        elif self._design == "table":
            live = self._columns[1 : 1 + LIVE_COLUMNS]
            for key, row in self._rows.items():
                for column in live:
                    self._table.update_cell(key, column.key, column.cell(row))


def measure(design: str, module: str = "tests.bench.bench_livegrid") -> dict[str, float]:
    """Run one design of a bench in a child on its own terminal and return its figures."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, CELLS, 0, 0))
    reader, writer = os.pipe()
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    command = [sys.executable, "-m", module, "--child", design, str(writer)]
    child = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, pass_fds=[writer], env=environment
    )
    os.close(follower)
    os.close(writer)
    drained = 0

    def drain() -> None:
        nonlocal drained
        while True:
            try:
                chunk = os.read(leader, 65_536)
            except OSError:  # the terminal is gone with the child
                return
            if not chunk:
                return
            drained += len(chunk)

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    with os.fdopen(reader) as results:
        text = results.read()
    child.wait()
    thread.join()
    os.close(leader)
    if not text:
        raise SystemExit(f"the {design} child gave no figures, status {child.returncode}")
    figures = json.loads(text)
    figures["kb_per_s"] = drained / 1_000 / ((WARM_FRAMES + FRAMES) / figures["hertz"])
    return figures


def once() -> Figures:
    """Figures of one round."""
    found = {design: measure(design) for design in ("idle", "grid", "table")}
    grid, table = found["grid"], found["table"]
    told = {
        "share of a core": grid["cpu_percent"],
        "lag p95": grid["lag_p95_ms"],
        "times cheaper than DataTable": table["frame_ms"] / grid["frame_ms"],
    }
    return told | {f"{design} frame ms": one["frame_ms"] for design, one in found.items()}


def rounds(_: argparse.Namespace) -> nullcontext[Callable[[], Figures]]:
    """Nothing is prepared."""
    return nullcontext(once)


class Measured(Protocol):
    """An app that has its figures once it has run."""

    result: dict[str, float]

    def run(self) -> object: ...


def hand_over(app: Measured, results: int) -> None:
    """Run an app in this process and hand its figures over to the one that asked for them."""
    app.run()
    with os.fdopen(results, "w") as writer:
        json.dump(app.result, writer)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--child":
        hand_over(BenchApp(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(Bench(AIMS, rounds).run(__doc__))
