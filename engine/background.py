"""Tasks of a desk that no screen owns: those that live as long as it does, and readings begun meanwhile."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from data.acting import Actor, acting
from data.clock import Clock
from data.repositories.base import DatabaseError, compile_ahead
from data.store import Store, StoreError
from engine.timing import Timing

log = logging.getLogger(__name__)


class Background:
    """Keeps the tasks of one desk, so that all end with it; what it does by itself is for the `trader`."""

    def __init__(self, trader: str) -> None:
        self._trader = trader
        self._tasks: list[asyncio.Task[None]] = []
        self._loading: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> bool:
        """Whether anything was begun that lives as long as the desk."""
        return bool(self._tasks)

    @property
    def loading(self) -> "frozenset[asyncio.Task[None]]":
        """The readings that have not ended."""
        return frozenset(self._loading)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this for as long as the desk lives; should it fail, the log tells."""
        with acting(Actor(self._trader)):
            task = asyncio.create_task(work)
        task.add_done_callback(_tell_failure)
        self._tasks.append(task)

    def load(self, *readers: Callable[[], Coroutine[Any, Any, None]]) -> "asyncio.Task[None]":
        """Read these one after the other."""

        async def load() -> None:
            for read in readers:
                await read()

        task = asyncio.create_task(load())
        self._loading.add(task)
        task.add_done_callback(self._loading.discard)
        return task

    def cancel(self) -> None:
        """Ask all of it to end."""
        for task in [*self._tasks, *self._loading]:
            task.cancel()

    async def end(self) -> None:
        """Cancel all of it, and wait until it has ended."""
        self.cancel()
        await asyncio.gather(*self._tasks, *self._loading, return_exceptions=True)
        self._tasks.clear()


def _tell_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("a task of the desk ended", exc_info=problem)


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Have some work go on meanwhile; it ends with what it is beside."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


Duty: TypeAlias = Callable[[], Coroutine[Any, Any, object]]
"""What an engine does at every beat."""


class EngineDuties:
    """Does the duties of an engine, one after the other, at every beat."""

    def __init__(self, timing: Timing, duties: Sequence[Duty]) -> None:
        self._timing = timing
        self._duties = duties
        self._failed: dict[str, str] = {}

    async def run(self) -> None:
        """Beat for as long as the desk lives."""
        while True:
            await self._timing.wall.sleep(self._timing.waits.heartbeat_s)
            for duty in self._duties:
                await self._do(duty)

    async def _do(self, duty: Duty) -> None:
        """Do one duty; one that fails is done again at the next beat, and skips no other."""
        name = duty.__name__
        try:
            await duty()
        except (StoreError, DatabaseError):
            pass  # the store tells its own trouble
        except Exception as problem:
            if self._failed.get(name) != repr(problem):
                log.exception("%s of the heartbeat failed", name)
            self._failed[name] = repr(problem)
        else:
            self._failed.pop(name, None)


COMPILE_AFTER_S, COMPILE_EVERY_S = 1.0, 0.005
"""How long after its opening a desk begins to compile statements ahead, and the pause after each."""


async def compile_when_idle(store: Store, clock: Clock) -> None:
    """Compile in idle moments the statements that were not run yet: a first halt waits for none of it."""
    await clock.sleep(COMPILE_AFTER_S)
    async with store.reader() as connection:
        dialect = connection.dialect
    for _ in compile_ahead(dialect):
        await clock.sleep(COMPILE_EVERY_S)
