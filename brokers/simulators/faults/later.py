"""What a faulty broker does later: tasks that no call owns, each told where it fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

from data.clock import Clock

T = TypeVar("T")

log = logging.getLogger(__name__)


class Later:
    """Tasks that go on when the call that began them has ended."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.tasks: set[asyncio.Task[object]] = set()

    def after(self, seconds: float, call: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        """Call it `seconds` from now, not from when the task has its first turn."""
        due = self._clock.monotonic() + seconds

        async def wait() -> T:
            await self._clock.sleep(due - self._clock.monotonic())
            return await call()

        return self.own(wait())

    def own(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Have it go on, whoever still waits for it."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[object]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("a rehearsed fault could not be carried out: %r", task.exception())

    async def drain(self) -> None:
        """Wait until nothing is left to be done later."""
        while self.tasks:
            await asyncio.gather(*self.tasks, return_exceptions=True)

    async def drop(self) -> None:
        """Do none of it any more."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
