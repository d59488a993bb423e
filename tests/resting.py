"""An event loop that says when it has nothing left to do but wait: tests need not wait on real time."""

import asyncio
import selectors
from typing import Any


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
        super().__init__(self._rest)

    async def rest(self) -> None:
        """Return once every task waits for a timer, a file or another thread."""
        resting = self.create_future()
        self._rest.waiting.append(resting)
        await resting


async def rest() -> None:
    """Let every task of the running loop go on until it waits for a timer, a file or another thread."""
    loop: Any = asyncio.get_running_loop()
    assert isinstance(loop, RestingLoop), "run it on tests.resting.RestingLoop"
    await loop.rest()
