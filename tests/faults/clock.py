"""A clock that several processes share and that runs faster than the machine's."""

import asyncio
import time
from ctypes import c_double
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import RawValue

START = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)
"""09:15 in India on the demonstration's day: what a fast clock shows as it begins."""

SHORTEST_TIMEOUT_S = 0.05
"""Real seconds that every call gets, however fast time runs: the machine itself is no faster than it is."""


def monotonic() -> float:
    """The machine's own seconds, one count for all its processes."""
    return time.monotonic()  # noqa: TID251 - a clock must stand on one


class FastClock:
    """Runs `speed` times faster than CLOCK_MONOTONIC from a common beginning, so that processes agree.

    `origin` is the machine's monotonic second at which it showed `START`. No sleep is shorter than `nap_s`
    real seconds, for loops that need not turn so often.
    """

    def __init__(
        self, origin: float, speed: float, nap_s: float = 0.0, jumped_s: c_double | None = None
    ) -> None:
        self.origin = origin
        self.speed = speed
        self._nap_s = nap_s
        self._jumped_s = RawValue(c_double, 0.0) if jumped_s is None else jumped_s

    def napping(self, nap_s: float) -> "FastClock":
        """The same time, with no sleep shorter than `nap_s` real seconds."""
        return FastClock(self.origin, self.speed, nap_s, self._jumped_s)

    def jump(self, seconds: float) -> None:
        """Move time on by `seconds` of this clock, in every process that has it from a fork."""
        self._jumped_s.value += seconds

    @property
    def jumped_s(self) -> float:
        """How far time was moved on in all."""
        return self._jumped_s.value

    def now(self) -> datetime:
        """Aware UTC time."""
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Seconds of this clock since its origin."""
        return (monotonic() - self.origin) * self.speed + self._jumped_s.value

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of this clock."""
        await asyncio.sleep(max(self._nap_s, seconds / self.speed))  # noqa: TID251 - the clock's own wait

    def timeout(self, seconds: float) -> asyncio.Timeout:
        """Give the block `seconds` of this clock, and never less than `SHORTEST_TIMEOUT_S`."""
        return asyncio.timeout(max(SHORTEST_TIMEOUT_S, seconds / self.speed))


class HeldClock:
    """Another clock that can be held still, for an exchange whose market shall stand while it is compared."""

    def __init__(self, clock: FastClock) -> None:
        self._clock = clock
        self._held: datetime | None = None

    def hold(self, still: bool) -> None:
        """Let time stand, or run on from the true moment."""
        self._held = self.now() if still else None

    def now(self) -> datetime:
        """Aware UTC time, or the moment at which it was held."""
        return self._held or self._clock.now()

    def monotonic(self) -> float:
        """Seconds of the clock behind."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of the clock behind."""
        await self._clock.sleep(seconds)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        """Give the block `seconds` of the clock behind."""
        return self._clock.timeout(seconds)
