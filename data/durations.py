"""How long something took, again and again: percentiles of the last times, counts of all, in bounded room."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct

KEPT = 512
"""Times that are kept."""

LATELY_S = 300.0
"""How old the times are at most that percentiles are of."""

BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the counts: Prometheus' own, with a millisecond for commits, 30 s for the slowest reads."""


class Spread(Struct, frozen=True):
    """So many times, and within how many milliseconds half, 95 and 99 in a hundred ended, by nearest rank."""

    count: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


class Durations:
    """Keeps times. One thread notes them, any may ask."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._kept: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self.seconds = 0.0
        """The sum of all."""
        self.within = [0] * (len(BOUNDS_S) + 1)
        """How many took no longer than each of `BOUNDS_S`, and longer than the one before."""

    def note(self, took_s: float) -> None:
        """Keep one that has just ended."""
        self._kept.append((self._monotonic(), took_s))
        self.seconds += took_s
        self.within[bisect_left(BOUNDS_S, took_s)] += 1

    def lately(self) -> Sequence[float]:
        """The times of the last five minutes, in seconds, as many of them as are kept."""
        since = self._monotonic() - LATELY_S
        return [took for at, took in list(self._kept) if at >= since]

    def spread(self) -> Spread:
        """How those are spread."""
        return spread_of(self.lately())


def spread_of(times_s: Sequence[float]) -> Spread:
    """How some times are spread."""
    took = sorted(times_s)
    return Spread(len(took), *(_rank_ms(took, percent) for percent in (50, 95, 99))) if took else Spread()


def _rank_ms(took: Sequence[float], percent: int) -> float:
    """The time within which so many in a hundred ended, by nearest rank."""
    return round(took[-(-len(took) * percent // 100) - 1] * 1000, 1)
