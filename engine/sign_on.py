"""Signing on: an engine's row, its lock, and the day's books; until that is done it sends nothing."""

import asyncio
import os

from sqlalchemy import update

from data.columns import table
from data.home import engine_lock
from data.locks import HeldLock, process_start
from data.proving.readable import UNREADABLE
from data.store import StoreError, StoreFailed, StoreUnreadable, Unit
from data.tables import Instance
from engine.days import roll_day
from engine.market.stamps import MarketStamps
from engine.parts import Parts


class SignOn:
    """Brings an engine into its home, at the opening or, where that failed, before it first trades."""

    def __init__(self, parts: Parts, kind: str, stamps: MarketStamps) -> None:
        self._parts = parts
        self._stamps = stamps
        self._kind = kind
        self._lock: HeldLock | None = None
        self._trying: asyncio.Task[None] | None = None
        self.trouble = ""
        """Why it could not sign on when it last tried; empty once it has."""
        parts.sign_on = self.on

    async def on(self) -> None:
        """Sign on unless that is done; those who ask meanwhile wait for the same try.

        Raises `StoreError` where it cannot be written; then `Parts.may_send` stays false.
        """
        if self._parts.may_send:
            return
        if self._trying is None:
            self._trying = asyncio.create_task(self._try())
            self._trying.add_done_callback(self._tried)
        await asyncio.shield(self._trying)

    async def _try(self) -> None:
        parts = self._parts
        try:
            if self._lock is None:  # an earlier try may have got this far
                await self._register()
            await parts.store.write(self._begin)
            await parts.store.write(_read_everything)
        except (StoreFailed, *UNREADABLE) as problem:
            self.trouble = f"the day cannot be opened: {getattr(problem, 'orig', problem)}"
            raise StoreUnreadable(self.trouble) from problem
        except StoreError as problem:
            self.trouble = str(problem)
            raise
        self.trouble = ""
        parts.may_send = True

    def _begin(self, unit: Unit) -> None:
        roll_day(unit, self._parts)
        self._stamps.keep(unit)

    def _tried(self, task: "asyncio.Task[None]") -> None:
        self._trying = None
        if not task.cancelled():
            task.exception()  # whoever waits is told; nobody may be waiting any more

    async def _register(self) -> None:
        """Give this engine a row and a held lock; the lock says that it lives."""
        parts = self._parts

        def unit_of_work(unit: Unit) -> int:
            number = unit.take_ids("instance", 1)[0]
            unit.insert(
                Instance,
                [
                    {
                        "id": number,
                        "kind": self._kind,
                        "pid": os.getpid(),
                        "process_started": process_start(os.getpid()),
                        "heartbeat_at": unit.now,
                        "started_at": unit.now,
                    }
                ],
            )
            return number

        number = await parts.store.write(unit_of_work)
        lock = HeldLock(engine_lock(parts.home, number))
        lock.take(wait=True)
        parts.instance_id, self._lock = number, lock

    async def off(self) -> None:
        """Say in the row that this engine has ended. Raises `StoreError`."""
        if self._lock is not None:
            await self._parts.store.write(self._end)

    def _end(self, unit: Unit) -> None:
        self._stamps.keep(unit)
        instances = table(Instance)
        unit.connection.execute(
            update(instances)
            .where(instances.c.id == self._parts.instance_id)
            .values(ended_at=unit.now, heartbeat_at=unit.now)
        )

    def free(self) -> None:
        """Let go of the lock, once nothing of this engine is under way."""
        if self._lock is not None:
            self._lock.free()
            self._lock.path.unlink(missing_ok=True)


def _read_everything(unit: Unit) -> None:
    unit.touched.everything = True
