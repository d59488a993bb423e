"""How fast books and quotes may be read: budgets per api key.

All calls but orders share 10 in a calendar second and key; quotes have one a second of their own and bars of
before three (Kite Connect documentation, rate limits). Two of the ten are kept back, and quotes and bars are
spaced by more than they must: margins for Kite's clock, which is not ours.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from enum import Enum

from brokers.pacing import KeyLane
from data.clock import Clock

READS_PER_SECOND = 10
KEPT_BACK = 2
"""Of an api key's calls in a second."""


class Spaced(Enum):
    """Reads that have a budget of their own, with the seconds from one to the next."""

    QUOTES = 1.1
    HISTORY = 0.4


class ReadBudget:
    """Lets reads of one api key through in the order they came, as its budget has room."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes = defaultdict[str, KeyLane](lambda: KeyLane(READS_PER_SECOND, KEPT_BACK))
        self._last_at: dict[tuple[str, Spaced], float] = {}
        self._turns = defaultdict[tuple[str, Spaced | None], asyncio.Lock](asyncio.Lock)
        self._waiting: Counter[str] = Counter()

    async def turn(self, api_key: str) -> None:
        """Wait until one read with this key may go, and count it; cancelled meanwhile, it counts none."""
        self._waiting[api_key] += 1
        try:
            async with self._turns[api_key, None]:
                lane = self._lanes[api_key]
                while (wait := lane.wait_s(self._clock.now())) > 0:
                    await self._clock.sleep(wait)
                lane.take(self._clock.now())
        finally:
            self._waiting[api_key] -= 1

    async def spaced_turn(self, api_key: str, spaced: Spaced) -> None:
        """Wait until one call of this kind with this key may go, and count it."""
        async with self._turns[api_key, spaced]:
            last = self._last_at.get((api_key, spaced), float("-inf"))
            while (wait := last + spaced.value - self._clock.monotonic()) > 0:
                await self._clock.sleep(wait)
            self._last_at[api_key, spaced] = self._clock.monotonic()

    def eta_s(self, calls: Mapping[str, int]) -> float:
        """Seconds until so many further reads by api key could have gone, after those that wait already."""
        now = self._clock.now()
        return max(
            (self._lanes[key].eta_s(more + self._waiting[key], now) for key, more in calls.items()),
            default=0.0,
        )
