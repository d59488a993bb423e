"""What the market's clock showed when something was stamped with the wall's.

A simulated market has a time of its own that runs only while a desk is open, so each desk keeps from when on
how far that time was apart from the wall's. A stamp made before anything was kept stays as it is.
"""

from bisect import bisect_right
from datetime import datetime, timedelta

from data.repositories.instances import Offset, add_offsets, newest_offsets
from data.store import Unit
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.timing import Timing

JUMP = timedelta(seconds=1)
"""A smaller difference is not told apart from the time it takes to read two clocks."""

_MICROSECOND = timedelta(microseconds=1)

KEPT = 5_000
"""So many of the newest offsets are read when a desk opens."""


class MarketStamps:
    """The market's time of every stamp, as far as it is known. A live market's time is the wall's."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, simulated: bool) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._simulated = simulated
        self._known: list[tuple[datetime, timedelta]] = []
        self._wall = timing.wall.now()
        self._set_back_at = self._wall
        self._before: list[tuple[datetime, timedelta]] = []
        """What was known when the wall's clock was set back, for stamps that it has not come to again."""
        self._seen: list[tuple[datetime, timedelta]] = []
        self._look()

    def shown(self, at: datetime) -> datetime:
        """The market's time of a stamp of the wall's; the stamp itself where that is not known."""
        if not self._simulated:
            return at
        self._look()
        is_of_before = self._timing.wall.now() + JUMP < at <= self._set_back_at
        known = self._before if is_of_before else self._known
        after = bisect_right(known, at, key=lambda pair: pair[0])
        return at + known[after - 1][1] if after else at

    def stamped(self, shown: datetime) -> datetime:
        """The wall's earliest time whose stamps are shown as this or later; the other way round than `shown`.

        What was stamped before anything was kept counts to the first that was.
        """
        if not self._simulated:
            return shown
        self._look()
        for place, (since, apart) in enumerate(self._known):
            ends = self._known[place + 1][0] if place + 1 < len(self._known) else None
            if ends is None or shown < ends + apart:
                return max(since, shown - apart) if place else shown - apart
        return shown

    def keep(self, unit: Unit) -> None:
        """Store what this desk saw and has not stored yet."""
        self._look()
        number = self._engine.id
        seen = [Offset(number, since, apart // _MICROSECOND) for since, apart in tuple(self._seen)]
        add_offsets(unit, number, seen)

    async def load(self) -> None:
        """Read what earlier desks kept."""
        async with self._kept.store.reader() as connection:
            offsets = await newest_offsets(connection, KEPT)
        earlier = {one.since: one.apart_us * _MICROSECOND for one in offsets}
        self._known = sorted((earlier | dict(self._known)).items())

    def _look(self) -> None:
        """Notice that the market has jumped; what was stamped before has not."""
        if not self._simulated:
            return
        now = self._timing.wall.now()
        if now < self._wall - JUMP:
            self._set_back_at, self._before = self._wall, list(self._known)
        self._wall = now
        apart = self._timing.market.now() - now
        if self._known and abs(apart - self._known[-1][1]) <= JUMP:
            return
        for pairs in (self._known, self._seen):
            while pairs and pairs[-1][0] >= now:  # the wall has stood still meanwhile, or was set back
                pairs.pop()
            pairs.append((now, apart))
