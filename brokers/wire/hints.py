"""Reads that hints ask for: one at a time of each thing, and once more where it was hinted at meanwhile."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from brokers.contract import BrokerError

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)


class HintedReads(Generic[K]):
    """Runs `read` for whatever was hinted at; what cannot be read is logged, and the next hint asks again."""

    def __init__(self, read: Callable[[K], Awaitable[None]]) -> None:
        self._read = read
        self._reading: dict[K, asyncio.Task[None]] = {}
        self._again: set[K] = set()

    def hint(self, at: K) -> None:
        """Read it soon."""
        if at in self._reading:
            self._again.add(at)
            return
        self._reading[at] = asyncio.get_running_loop().create_task(self._run(at))

    async def _run(self, at: K) -> None:
        try:
            while True:
                self._again.discard(at)
                try:
                    await self._read(at)
                except BrokerError as error:
                    log.warning("what a stream hinted at was not read: %s", error)
                if at not in self._again:
                    return
        finally:
            self._reading.pop(at, None)

    def close(self) -> None:
        """Read no more."""
        for task in list(self._reading.values()):
            task.cancel()
