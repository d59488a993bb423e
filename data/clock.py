"""The two clocks: wall time for audit and ages, market time for phases and trading dates.

Nothing else in the program may ask the system for the time, so that a test runs a whole day in a second.
Whoever waits imports `asyncio`: a command that only words a time is over sooner than that import.
"""

from __future__ import annotations

import heapq
import time
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from data.errors import BadInput

if TYPE_CHECKING:
    import asyncio

IST = ZoneInfo("Asia/Kolkata")
"""The exchanges' time zone, for display and market phases; storage is UTC."""


EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
"""Days that a desk can be asked of; at either end of a calendar there is no day before or behind."""


def day_from_text(text: str, field: str = "day", expected: str = "give a date as YYYY-MM-DD") -> date:
    """A day such as `2026-11-18`. Raises `BadInput` with what was `expected`."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(field, text, expected) from None
    if not EARLIEST <= day <= LATEST:
        raise BadInput(field, text, f"{expected}, of {EARLIEST.year} to {LATEST.year}")
    return day


class Clock(Protocol):
    """Wall time."""

    def now(self) -> datetime:
        """Aware UTC time."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for ages and time-outs."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of this clock."""
        ...

    def timeout(self, seconds: float) -> asyncio.Timeout:
        """Raise `TimeoutError` in the block it guards once `seconds` have passed."""
        ...


class MarketClock(Protocol):
    """The exchange's time: real for a live desk, the simulated day's for a paper one."""

    def now(self) -> datetime:
        """Aware UTC time of the market."""
        ...

    @property
    def trading_day(self) -> date:
        """The exchange date that orders and fills of this moment belong to."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Aware UTC time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of real time."""
        import asyncio

        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        """Give the block `seconds` of real time."""
        import asyncio

        return asyncio.timeout(seconds)


class FastClock:
    """The machine's time so many times as fast, from a moment on, to play again what was recorded."""

    def __init__(self, start: datetime, speed: float) -> None:
        self._start, self._speed = start, speed
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Aware UTC time."""
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Its own seconds since it was made."""
        return (time.monotonic() - self._began) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of its own."""
        import asyncio

        await asyncio.sleep(seconds / self._speed)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        """Give the block `seconds` of real time: what it waits for is no faster than ever."""
        import asyncio

        return asyncio.timeout(seconds)


class WallMarketClock:
    """Market time that is wall time, for a live desk."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """Aware UTC time."""
        return self._clock.now()

    @property
    def trading_day(self) -> date:
        """Today's date in India."""
        return self._clock.now().astimezone(IST).date()


class ManualClock:
    """A clock that a test or a rehearsal moves by hand; it is a market clock too.

    `sleep` returns when `advance` has moved time past it.
    """

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError(f"start must be an aware time, got {start!r}")
        self._now = start.astimezone(UTC)
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> datetime:
        """Aware UTC time."""
        return self._now

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return self._elapsed

    @property
    def trading_day(self) -> date:
        """The current date in India."""
        return self._now.astimezone(IST).date()

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has moved `seconds` on."""
        import asyncio

        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        await woken

    def timeout(self, seconds: float) -> asyncio.Timeout:
        """Give the block `seconds` of real time, so that what hangs ends though nobody moves this clock."""
        import asyncio

        return asyncio.timeout(seconds)

    def shift(self, seconds: float) -> None:
        """Move time on without letting sleepers run."""
        self._elapsed += seconds
        self._now += timedelta(seconds=seconds)

    def set_wall(self, seconds: float) -> None:
        """Set the wall's time on, or back, as its owner does; what is measured goes on as before."""
        self._now += timedelta(seconds=seconds)

    @property
    def waiting(self) -> int:
        """How many wait for `advance`."""
        return len(self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Move time on, waking each sleeper at its own moment and letting it run."""
        import asyncio

        end = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            self.shift(max(0.0, due - self._elapsed))
            if not woken.done():
                woken.set_result(None)
            for _ in range(20):
                await asyncio.sleep(0)
        self.shift(max(0.0, end - self._elapsed))
        await asyncio.sleep(0)


def span_words(seconds: float) -> str:
    """A wait in words, cut rather than rounded: `75 s`, `12 min`, `3 h 20 min`."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole} s"
    hours, rest = divmod(whole // 60, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours:,} h {rest} min" if rest else f"{hours:,} h"
