"""An event loop that says when it has nothing left to do but wait: tests need not wait on real time."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from data.store import GateMode, Store
from data.writing.unit import Unit

T = TypeVar("T")


class _RestSelector(selectors.DefaultSelector):
    """Hears from its loop how long it may wait: any time at all means that nothing else is ready to run."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[asyncio.Future[None]] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if not self.waiting or (timeout is not None and timeout <= 0):
            return super().select(timeout)
        events = super().select(0)
        if not events:
            resting, self.waiting = self.waiting, []
            for one in resting:
                if not one.done():
                    one.set_result(None)
        return events


class RestingLoop(asyncio.SelectorEventLoop):
    """The loop that tests run on."""

    def __init__(self) -> None:
        self._rest = _RestSelector()
        self._with_threads: set[asyncio.Future[Any]] = set()
        self.answers = 0
        """How often another thread has answered so far."""
        super().__init__(self._rest)

    async def rest(self) -> None:
        """Return once every task waits for a timer, a file or another thread."""
        resting = self.create_future()
        self._rest.waiting.append(resting)
        await resting

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":
        """As every loop; what the thread was given is known until it has answered."""
        return self.given(super().run_in_executor(executor, func, *args))

    def given(self, work: "asyncio.Future[T]") -> "asyncio.Future[T]":
        """Know of work that another thread does, until it is done."""
        self._with_threads.add(work)
        work.add_done_callback(self._answered)
        return work

    def _answered(self, work: "asyncio.Future[Any]") -> None:
        self._with_threads.discard(work)
        self.answers += 1

    @property
    def with_threads(self) -> frozenset["asyncio.Future[Any]"]:
        """What other threads have been given and have not answered."""
        return frozenset(self._with_threads)


def resting_loop() -> RestingLoop:
    """The running loop."""
    loop: Any = asyncio.get_running_loop()
    assert isinstance(loop, RestingLoop), "run it on tests.resting.RestingLoop"
    return loop


async def rest() -> None:
    """Let every task of the running loop go on until it waits for a timer, a file or another thread."""
    await resting_loop().rest()


async def quiet() -> None:
    """As `rest`, and no other thread has anything to do either: whatever still waits waits for time."""
    loop = resting_loop()
    await loop.rest()
    while loop.with_threads:
        await asyncio.wait(loop.with_threads, return_when=asyncio.FIRST_COMPLETED)
        await loop.rest()


@contextmanager
def stores_watched() -> Iterator[None]:
    """While it is open, loops know of what the threads of stores have to write and to read."""
    submit, reader = Store.submit, Store.reader

    def known(work: "asyncio.Future[T]") -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        return loop.given(work) if isinstance(loop, RestingLoop) else work

    def submitted(
        store: Store, unit: Callable[[Unit], T], gate: GateMode = GateMode.SHARED
    ) -> "asyncio.Future[T]":
        return known(submit(store, unit, gate))

    @asynccontextmanager
    async def read(store: Store) -> AsyncIterator[AsyncConnection]:
        done = known(asyncio.get_running_loop().create_future())
        try:
            async with reader(store) as connection:
                yield connection
        finally:
            done.set_result(None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "submit", submitted)
        patch.setattr(Store, "reader", read)
        yield
