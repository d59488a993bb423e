"""The course of each followed price over the trading day, from the desk's own quotes."""

from array import array
from datetime import date, datetime
from itertools import repeat

from data.clock import IST

SLOT_S = 15
"""Seconds of market time for which one price stands."""

NONE = 0
"""Stands in a slot of which no price is known; no price is 0."""


class DayLines:
    """The last price of each slot of the day by instrument key, from when it was first followed.

    A slot in which nothing was noted has none. Another day begins from nothing.
    """

    def __init__(self) -> None:
        self._day: date | None = None
        self._lines: dict[str, tuple[int, array[int]]] = {}

    def note(self, key: str, at: datetime, paise: int) -> None:
        """Take the price that stands at a moment of the market; one before the last changes nothing."""
        local = at.astimezone(IST)
        if local.date() != self._day:
            self._day = local.date()
            self._lines.clear()
        slot = (local.hour * 3_600 + local.minute * 60 + local.second) // SLOT_S
        first, prices = self._lines.setdefault(key, (slot, array("q", [paise])))
        missing = slot - first - len(prices)
        if missing >= 0:
            prices.extend(repeat(NONE, missing))
            prices.append(paise)
        elif missing == -1:
            prices[-1] = paise

    def of(self, key: str, points: int | None = None) -> list[int | None]:
        """The prices in paise, oldest first, at most so many of them; empty where none was noted today."""
        found = self._lines.get(key)
        if found is None:
            return []
        slots, prices = len(found[1]), found[1]
        if points is None or slots <= points:
            return [price or None for price in prices]
        return [prices[(place + 1) * slots // points - 1] or None for place in range(points)]
