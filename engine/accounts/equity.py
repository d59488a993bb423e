"""The course of each client's day, a minute apart: what it had brought by then, charges taken off.

It is kept in a file beside the books, a line a minute, and not in the database: no decision rests on it and
no rupee follows from it, so it needs neither proofs nor a migration, and must never hold up the writer that
orders wait for. A line is whole or, where the program died in it, is not read.
"""

import asyncio
import json
import logging
from array import array
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from itertools import repeat
from pathlib import Path

from brokers.outages import Outages
from data.clock import IST
from data.vocabulary import PhaseKind
from engine.accounts.valuation import Valuation
from engine.timing import Timing

log = logging.getLogger(__name__)

SAMPLE_EVERY_S = 20.0
"""Seconds between two looks; the last one in a minute of the market stands for it."""

MISSING = -(2**63)
"""Stands where nothing is known of a client."""

MINUTES = 24 * 60
"""Of a day."""

MOST_PAISE = 2**50
"""No client's day comes to so much; a file that says so was damaged."""


class EquityLines:
    """Net P&L of the day in paise, by client and minute of the market's day."""

    def __init__(self) -> None:
        self.day: date | None = None
        self._first = 0
        self._length = 0
        self._lines: dict[int, array[int]] = {}
        self._total: array[int] = array("q")

    def note(self, day: date, minute: int, nets: Mapping[int, int]) -> None:
        """Take what stands at a minute; one before the last changes nothing, another day begins anew."""
        if day != self.day:
            self.day, self._first, self._length = day, minute, 0
            self._lines.clear()
            self._total = array("q")
        place = minute - self._first
        if place < 0 or place < self._length - 1:
            return
        self._length = place + 1
        for line, net in (
            (self._total, sum(nets.values())),
            *((self._lines.setdefault(client_id, array("q")), net) for client_id, net in nets.items()),
        ):
            line.extend(repeat(MISSING, place + 1 - len(line)))
            line[place] = net

    def of(self, client_id: int) -> list[int | None]:
        """A client's course from the first minute on; None for a minute that was not noted."""
        known = [None if net == MISSING else net for net in self._lines.get(client_id, ())]
        return [*known, *repeat(None, self._length - len(known))] if known else []

    def total(self) -> list[int | None]:
        """The course of all clients together."""
        return [None if net == MISSING else net for net in self._total]

    @property
    def began(self) -> int | None:
        """The minute of the day from which on there is anything."""
        return self._first if self._length else None


class Equity:
    """Looks at what every client's day has brought, and keeps its course over restarts."""

    def __init__(
        self,
        timing: Timing,
        valuation: Valuation,
        clients: Callable[[], Collection[int]],
        stale: Callable[[], bool],
        file: Path,
    ) -> None:
        """`stale` says whether prices are too old to be counted; then nothing is noted."""
        self._timing = timing
        self._valuation = valuation
        self._clients = clients
        self._stale = stale
        self._file = file
        self._lines = EquityLines()
        self._kept: tuple[date, int] | None = None
        self._outages = Outages()

    def course(self, client_id: int) -> list[int | None]:
        """A client's net P&L of the day at each minute since `began`, in paise; None for a gap."""
        return self._lines.of(client_id)

    def desk_course(self) -> list[int | None]:
        """That of all clients together."""
        return self._lines.total()

    @property
    def began(self) -> int | None:
        """The minute of the market's day, since midnight in India, from which on courses are known."""
        return self._lines.began

    async def keep(self) -> None:
        """Read what was kept of this day, then note for as long as the desk lives."""
        day = self._now().date()
        for kept_day, minute, nets in await asyncio.to_thread(read_lines, self._file):
            if kept_day == day:
                self._lines.note(kept_day, minute, nets)
                self._kept = (kept_day, minute)
        while True:
            await self.look()
            await self._timing.wall.sleep(SAMPLE_EVERY_S)

    async def look(self) -> None:
        """Note what stands now; a minute that has passed is kept in the file."""
        now = self._now()
        day, minute = now.date(), now.hour * 60 + now.minute
        closed = self._timing.calendar.phase(now, fno=False).kind is PhaseKind.CLOSED
        if closed or self._stale():
            return
        value = self._valuation
        known = (one for one in self._clients() if not value.unpriced((one,)))
        nets = {one: value.client(one).net_day_pnl_paise for one in known}
        if not nets:
            return
        self._lines.note(day, minute, nets)
        if self._kept == (day, minute):
            return
        anew = self._kept is None or self._kept[0] != day
        self._kept = (day, minute)
        try:
            await asyncio.to_thread(keep_line, self._file, day, minute, nets, anew)
        except OSError as problem:
            self._outages.failed(log, "equity", "the file of the day's equity", problem)
        else:
            self._outages.over("equity", "the file of the day's equity")

    def _now(self) -> datetime:
        return self._timing.market.now().astimezone(IST)


def keep_line(file: Path, day: date, minute: int, nets: Mapping[int, int], anew: bool) -> None:
    """Write what stands at a minute behind what is in the file, or in its place. Raises `OSError`."""
    with file.open("w" if anew else "a", encoding="ascii") as lines:
        lines.write(json.dumps([day.isoformat(), minute, nets], separators=(",", ":")) + "\n")


def read_lines(file: Path) -> list[tuple[date, int, dict[int, int]]]:
    """The lines of the file that are whole; none where there is no file or it cannot be read."""
    found: list[tuple[date, int, dict[int, int]]] = []
    try:
        text = file.read_text(encoding="ascii")
    except (OSError, ValueError):
        return found
    for line in text.splitlines():
        try:
            day, minute, nets = json.loads(line)
            told = {int(client_id): int(net) for client_id, net in nets.items()}
            if 0 <= int(minute) < MINUTES and all(abs(net) < MOST_PAISE for net in told.values()):
                found.append((date.fromisoformat(day), int(minute), told))
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            continue
    return found
