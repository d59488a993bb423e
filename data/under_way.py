"""Work that is begun once however many ask for it, by key."""

import asyncio
from collections.abc import Coroutine, Hashable, Iterator
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


class UnderWay(Generic[Key, Result]):
    """Tasks that go on, each under its key.

    One that has ended is not among them from that moment, and not only once its callbacks have run: who asks
    in between, and waits for it, would wait for nothing, again and again, with no turn for anybody else.
    """

    def __init__(self) -> None:
        self._tasks: dict[Key, asyncio.Task[Result]] = {}

    def get(self, key: Key) -> "asyncio.Task[Result] | None":
        """What goes on under a key."""
        task = self._tasks.get(key)
        return None if task is None or task.done() else task

    def begin(self, key: Key, work: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
        """Begin work under a key under which none goes on."""
        task = self._tasks[key] = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._forget(key, task))
        return task

    def __contains__(self, key: Key) -> bool:
        return self.get(key) is not None

    def __iter__(self) -> "Iterator[asyncio.Task[Result]]":
        return iter([task for task in self._tasks.values() if not task.done()])

    def _forget(self, key: Key, task: "asyncio.Task[Result]") -> None:
        if self._tasks.get(key) is task:  # else another has begun meanwhile
            del self._tasks[key]
