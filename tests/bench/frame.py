"""What every bench shares: rounds taken by turns, their medians, the verdict and its exit code.

A bench measures ratios: what is ours and what it is held against, one after the other in each round, so
that a busy machine hits both alike. It ends with 0 where every aim is met, with 1 where one is missed, and
with 2, not judged, where other programs kept the machine busy; what was measured is printed all the same.
"""

import argparse
import asyncio
import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tradedesk.cli.entry import WHILE_OPEN

ROUNDS = 5
MOST_LOAD = 1.5
"""Above it, as the load of the last minute or as cores that others used meanwhile, nothing is judged."""

MET, MISSED, NOT_JUDGED = 0, 1, 2

Figures = Mapping[str, float]
"""What one round measured, by name; names of aims are judged, the others are only printed."""

Rounds = Callable[[argparse.Namespace], AbstractContextManager[Callable[[], Figures]]]
"""Prepares a bench, gives what measures one round, and tidies up."""


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure that is judged by its median: at most `limit`, or at least that with `least`."""

    name: str
    limit: float
    unit: str = "x"
    least: bool = False

    def met(self, figure: float) -> bool:
        return figure >= self.limit if self.least else figure <= self.limit

    @property
    def words(self) -> str:
        return f"{'at least' if self.least else 'at most'} {self.limit:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Bench:
    """A bench: its aims, what it measures, and the options it takes beside `--rounds`."""

    aims: Sequence[Aim]
    rounds: Rounds
    options: Mapping[str, int | str] | None = None

    def run(self, doc: str | None, args: Sequence[str] | None = None) -> int:
        """Measure, print and judge; returns the exit code."""
        title = (doc or "").partition("\n")[0]
        parser = argparse.ArgumentParser(description=title)
        parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"by turns, {ROUNDS} unless told")
        for name, default in (self.options or {}).items():
            parser.add_argument(f"--{name}", type=type(default), default=default)
        options = parser.parse_args(args)
        print(title)
        busy = Busy()
        found: list[Figures] = []
        with self.rounds(options) as measure:
            for number in range(options.rounds):
                gc.unfreeze()
                gc.collect()
                found.append(measure())
                print(f"  round {number + 1}: {_words(found[-1])}", flush=True)
        return judge(self.aims, found, busy.load())


def as_started() -> None:
    """Look for garbage as the program does once it is open, not among what is loaded by now."""
    gc.set_threshold(*WHILE_OPEN)
    gc.freeze()


def _words(figures: Figures) -> str:
    return ", ".join(f"{name} {value:,.4g}" for name, value in figures.items())


def judge(aims: Sequence[Aim], found: Sequence[Figures], load: float) -> int:
    """Print the medians beside the aims; returns the exit code."""
    missed = False
    for aim in aims:
        figure = statistics.median(one[aim.name] for one in found)
        good = aim.met(figure)
        missed |= not good
        print(f"{aim.name}: {figure:.4g} {aim.unit}, aim {aim.words}{'' if good else ': MISSED'}")
    if load > MOST_LOAD:
        print(f"not judged: other programs kept the machine busy (load {load:.1f}, at most {MOST_LOAD:g})")
        return NOT_JUDGED
    return MISSED if missed else MET


class Busy:
    """How busy others keep the machine, from its making on."""

    def __init__(self) -> None:
        self._before = os.getloadavg()[0]
        self._all, self._own, self._began = _busy_seconds(), _own_seconds(), time.perf_counter()

    def load(self) -> float:
        """The load of the minute before, or the cores that others used since, whichever is more."""
        wall = time.perf_counter() - self._began
        others = (_busy_seconds() - self._all) - (_own_seconds() - self._own)
        return max(self._before, others / wall if wall else 0.0)


def _busy_seconds() -> float:
    """Seconds that all cores together have worked since the machine started; 0 where it does not say."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system, _idle, _waiting, hard, soft, *_ = map(
        int, stat.read_text().split("\n")[0].split()[1:]
    )
    return (user + nice + system + hard + soft) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    """Seconds that this process and its children that have ended have worked."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


@dataclass(slots=True)
class Spent:
    """Wall and processor seconds of a piece of work; the processor's are of all threads of this process."""

    wall: float = 0.0
    cpu: float = 0.0


class Watch:
    """Times what is done inside it: `with Watch() as spent: …`."""

    def __enter__(self) -> Spent:
        self._spent, self._wall, self._cpu = Spent(), time.perf_counter(), time.process_time()
        return self._spent

    def __exit__(self, *_: object) -> None:
        self._spent.wall = time.perf_counter() - self._wall
        self._spent.cpu = time.process_time() - self._cpu


class Lag:
    """How late an event loop comes to what it was asked for, and what its process spends meanwhile."""

    STEP_S = 0.005

    def __init__(self) -> None:
        self._lags: list[float] = []
        self._due = self._cpu = self._wall = 0.0

    def begin(self) -> None:
        """Look from now on, every few milliseconds of the running loop."""
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        self._wait()

    def _wait(self) -> None:
        self._due = time.perf_counter() + self.STEP_S
        asyncio.get_running_loop().call_later(self.STEP_S, self._look)

    def _look(self) -> None:
        self._lags.append(time.perf_counter() - self._due)
        self._wait()

    def figures(self, frames: int) -> dict[str, float]:
        """What so many frames since the beginning have come to."""
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        self._lags.sort()
        return {
            "hertz": frames / wall,
            "cpu_percent": 100 * cpu / wall,
            "frame_ms": 1_000 * cpu / frames,
            "lag_p95_ms": 1_000 * self._lags[int(len(self._lags) * 0.95)],
        }


def benches() -> Iterator[str]:
    """The names of all benches, as `python -m tests.bench NAME` takes them."""
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        yield path.stem.removeprefix("bench_")
