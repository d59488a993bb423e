"""Tasks of a desk that no screen owns: those that live as long as it does, and readings begun meanwhile."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from data.acting import Actor, acting

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
