"""Engines that live by their lock and do nothing: stopped by a signal, or on a machine that sleeps."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from data.columns import table
from data.tables import Instance
from data.vocabulary import RunStatus
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.timing import Timing


@dataclass(frozen=True, slots=True)
class Frozen:
    """An engine whose last heartbeat was long ago, though its lock is held."""

    since: datetime
    kind: str
    pid: int

    def words(self, now: datetime) -> str:
        """Who it is and for how long nothing has come from it."""
        who = "the app" if self.kind == "app" else "a command"
        silent_s = (now - self.since).total_seconds()
        return f"{who} (process {self.pid}) lives and is frozen: nothing from it for {silent_s:.0f} s"


async def look_frozen(kept: Kept, timing: Timing, engine: ThisEngine) -> dict[int, Frozen]:
    """The frozen among the other engines that runs which have not ended belong to, by their numbers."""
    runs = kept.book.runs.values()
    owners = {run.instance_id for run in runs if run.status is RunStatus.RUNNING and run.finished_at is None}
    owners.discard(engine.id)
    if not owners:
        return {}
    instances = table(Instance)
    async with kept.store.reader() as connection:
        rows = (
            await connection.execute(
                select(instances.c.id, instances.c.kind, instances.c.pid, instances.c.heartbeat_at).where(
                    instances.c.id.in_(owners)
                )
            )
        ).all()
    before = timing.wall.now() - timedelta(seconds=timing.waits.frozen_after_s)
    return {
        row.id: Frozen(row.heartbeat_at, row.kind, row.pid)
        for row in rows
        if row.heartbeat_at < before and engine.lives(row.id)
    }
