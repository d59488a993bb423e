"""The tape: what happened on the desk, what was done before it was opened, and what others do beside it."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import convert

from data.repositories.alerting.alerts import lost_chases_of, read_alerts
from data.repositories.audit import plans_frozen_since
from data.repositories.trading.flattens import read_counts, read_flattens
from data.repositories.trading.halts import halts_since
from data.store import Store
from data.vocabulary import AlertKind, HaltStrength, RunCount
from engine.book.halt_scope import HaltView
from engine.book.kept import Kept
from engine.book.views import RunRow
from engine.events import TAPE_LINES, Event, TapeLine
from engine.execution.changes.chase_news import ChasesLost
from engine.execution.runs import Runs
from engine.flatten.views import FlattenView
from engine.news import (
    FlattenBegan,
    FlattenEnded,
    HaltFired,
    HaltResumed,
    PlanMade,
    RunBegan,
    RunEnded,
    RunPaused,
)
from engine.timing import Timing

WITHOUT_RUNS = timedelta(days=1)
"""How far back plans and halts are told where no run tells when the trading day before began."""


def finished_line(run: RunRow, counts: Mapping[RunCount, int]) -> TapeLine:
    """How a run ended, by the states of its orders."""
    return TapeLine(run.finished_at or run.started_at, RunEnded(run.number, run.title, counts))


class Tape:
    """The latest lines of one desk's tape."""

    def __init__(self, kept: Kept, timing: Timing, runs: Runs) -> None:
        self._kept = kept
        self._timing = timing
        self._runs = runs
        self._lines: deque[TapeLine] = deque(maxlen=TAPE_LINES)

    def lines(self) -> list[TapeLine]:
        """The latest lines, oldest first."""
        return sorted(self._lines, key=lambda line: line.at)

    def keep(self, event: Event) -> None:
        """Keep a line that is told; anything else is none."""
        if isinstance(event, TapeLine):
            self._lines.append(event)

    async def retell(self) -> None:
        """Begin with runs, plans and halts of the day and of the trading day before."""
        lines: list[TapeLine] = []
        for number, run in self._kept.book.runs.items():
            if run.finished_at is not None:
                lines.append(finished_line(run, self._runs.get(number).counts))
            elif (view := self._runs.get(number)).needs_attention and view.pause is not None:
                news = RunPaused(number, view.pause, view.unsent, title=run.title)
                lines.append(TapeLine(run.paused_at or run.started_at, news))
            else:
                lines.append(TapeLine(run.started_at, RunBegan(number, run.title)))
        since = min((line.at for line in lines), default=self._timing.wall.now() - WITHOUT_RUNS)
        lines += await _frozen_since(self._kept.store, since)
        lines += await self._chases_lost()
        lines += await self._flattens(since)
        async with self._kept.store.reader() as connection:
            for row in await halts_since(connection, since):
                reduces = row.strength is HaltStrength.REDUCE
                lines.append(TapeLine(row.at, HaltFired(row.number, row.by, reduces=reduces)))
                if row.resumed_at is not None:
                    lines.append(TapeLine(row.resumed_at, HaltResumed(row.number, row.resumed_by)))
        self._lines.extend(sorted(lines, key=lambda line: line.at))

    async def _flattens(self, since: datetime) -> list[TapeLine]:
        """Flattens begun since, and how they ended; of one that did not its counter tells."""
        async with self._kept.store.reader() as reader:
            begun = [one for one in await read_flattens(reader) if one.at >= since]
            counted = {one.number: one.positions for one in await read_counts(reader)}
        lines: list[TapeLine] = []
        for one in begun:
            positions = counted.get(one.number, 0)
            if one.certificate is not None:
                made = FlattenView.from_json(one.certificate)
                positions = len(made.lines)
                ended = FlattenEnded(one.number, made.flat, made.left)
                lines.append(TapeLine(made.ended_at or one.at, ended))
            lines.append(TapeLine(one.at, FlattenBegan(one.number, one.by, one.what, positions)))
        return lines

    async def _chases_lost(self) -> list[TapeLine]:
        """What the day's alert names of orders that follow their market no more."""
        async with self._kept.store.reader() as reader:
            found = await read_alerts(reader, self._timing.market.trading_day)
        return [
            TapeLine(one.at, ChasesLost(tuple(lost.order_id for lost in lost_chases_of(one))))
            for one in found
            if one.kind is AlertKind.CHASES_LOST
        ]

    def done_by_others(
        self, halts: Sequence[HaltView], runs: Mapping[int, RunRow], told: Sequence[Event]
    ) -> list[Event]:
        """Lines of what another process did to halts and runs, told from how they stood before.

        What this one did is among what is `told` anyway.
        """
        book, own = self._kept.book, {event.news.subject for event in told if isinstance(event, TapeLine)}
        lines = self._halts_of_others(halts)
        for number, run in sorted(book.runs.items()):
            known = runs.get(number)
            if run.finished_at is not None and (known is None or known.finished_at is None):
                lines.append(finished_line(run, self._runs.get(number).counts))
            elif known is None:
                lines.append(TapeLine(run.started_at, RunBegan(number, run.title, by_another=run.actor)))
        return [line for line in lines if line.news.subject not in own]

    def _halts_of_others(self, halts: Sequence[HaltView]) -> list[TapeLine]:
        before, after = ({halt.number: halt for halt in each} for each in (halts, self._kept.book.halts))
        lines: list[TapeLine] = []
        for number in sorted(before.keys() ^ after.keys()):
            if number in after:
                halt = after[number]
                news = HaltFired(number, halt.by, by_another=True, reduces=halt.reduces)
                lines.append(TapeLine(halt.at, news))
            else:
                lines.append(TapeLine(self._timing.wall.now(), HaltResumed(number)))
        return lines


async def _frozen_since(store: Store, since: datetime) -> list[TapeLine]:
    """The plans frozen since, as far as a tape would have kept them."""
    lines: list[TapeLine] = []
    async with store.reader() as connection:
        for row in await plans_frozen_since(connection, since, TAPE_LINES):
            news = convert({"number": row.plan_number, **row.details}, PlanMade)
            lines.append(TapeLine(row.at, news))
    return lines[::-1]
