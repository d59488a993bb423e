"""The course of each followed price over the trading day, from the desk's own quotes."""

from array import array
from datetime import date, datetime
from itertools import repeat

from data.clock import IST

SLOT_S = 15
"""Seconds of market time for which one price stands."""


class DayLines:
    """The last price of each slot of the day by instrument key, from when it was first followed.

    A slot in which nothing was noted has the price of the one before. Another day begins from nothing.
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
            prices.extend(repeat(prices[-1], missing))
            prices.append(paise)
        elif missing == -1:
            prices[-1] = paise

    def of(self, key: str) -> list[int]:
        """The prices in paise, oldest first; empty where none was noted today."""
        found = self._lines.get(key)
        return [] if found is None else found[1].tolist()
