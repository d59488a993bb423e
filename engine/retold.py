"""Tape lines of what was done before the desk was opened, from what is stored of it."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select

from data.clock import Clock
from data.columns import table
from data.order_tables import Halt
from data.store import Store
from data.tables import Audit
from engine.book.kept import Kept
from engine.book.views import RunRow
from engine.events import TAPE_LINES, TapeLine
from engine.execution.runs import Runs
from engine.news import HaltFired, HaltResumed, PlanMade, RunBegan, RunEnded, RunPaused

WITHOUT_RUNS = timedelta(days=1)
"""How far back plans and halts are told where no run tells when the trading day before began."""


def finished_line(run: RunRow, counts: Mapping[str, int]) -> TapeLine:
    """How a run ended, by the states of its orders."""
    return TapeLine(run.finished_at or run.started_at, RunEnded(run.number, run.title, counts))


async def retold(kept: Kept, clock: Clock, runs: Runs) -> list[TapeLine]:
    """Runs, plans and halts of the day and of the trading day before, oldest first."""
    lines: list[TapeLine] = []
    for number, run in kept.book.runs.items():
        if run.finished_at is not None:
            lines.append(finished_line(run, runs.get(number).counts))
        elif (view := runs.get(number)).needs_trader and view.pause is not None:
            news = RunPaused(number, view.pause, view.counts["unsent"], title=run.title)
            lines.append(TapeLine(run.paused_at or run.started_at, news))
        else:
            lines.append(TapeLine(run.started_at, RunBegan(number, run.title)))
    since = min((line.at for line in lines), default=clock.now() - WITHOUT_RUNS)
    lines += await _frozen_since(kept.store, since)
    halts = table(Halt)
    query = select(halts.c.number, halts.c.at, halts.c.by, halts.c.resumed_at, halts.c.resumed_by)
    async with kept.store.reader() as connection:
        for row in await connection.execute(query.where(halts.c.at >= since)):
            lines.append(TapeLine(row.at, HaltFired(row.number, row.by)))
            if row.resumed_at is not None:
                lines.append(TapeLine(row.resumed_at, HaltResumed(row.number, row.resumed_by)))
    return sorted(lines, key=lambda line: line.at)


async def _frozen_since(store: Store, since: datetime) -> list[TapeLine]:
    """The plans frozen since, as far as a tape would have kept them."""
    audit = table(Audit)
    query = (
        select(audit.c.at, audit.c.plan_number, audit.c.details)
        .where(audit.c.action == "PLAN_FROZEN", audit.c.at >= since)
        .order_by(audit.c.seq.desc())
        .limit(TAPE_LINES)
    )
    lines: list[TapeLine] = []
    async with store.reader() as connection:
        for row in await connection.execute(query):
            told = json.loads(row.details)
            orders, skipped = told["orders"], told["skipped"]
            number, title, digest = row.plan_number, told["title"], told["digest"]
            lines.append(TapeLine(row.at, PlanMade(number, title, orders, orders + skipped, digest)))
    return lines[::-1]
