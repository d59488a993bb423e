"""Engines that live by their lock and do nothing: stopped by a signal, or on a machine that sleeps."""

from datetime import timedelta

from data.repositories.instances import read_owners
from data.vocabulary import RunStatus
from engine.book.kept import Kept
from engine.execution.views import Frozen
from engine.instances import ThisEngine
from engine.timing import Timing


async def look_frozen(kept: Kept, timing: Timing, engine: ThisEngine) -> dict[int, Frozen]:
    """The frozen among the other engines that runs which have not ended belong to, by their numbers."""
    runs = kept.book.runs.values()
    owners = {run.instance_id for run in runs if run.status is RunStatus.RUNNING and run.finished_at is None}
    owners.discard(engine.id)
    if not owners:
        return {}
    async with kept.store.reader() as reader:
        rows = await read_owners(reader, owners)
    before = timing.wall.now() - timedelta(seconds=timing.waits.frozen_after_s)
    return {
        row.id: Frozen(row.heartbeat_at, row.kind, row.pid)
        for row in rows
        if row.heartbeat_at < before and engine.lives(row.id)
    }
