"""What carries a job's number to whoever does it; the row is the truth, and a carrier may lose or double."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from data.errors import TradedeskError
from data.repositories.jobs import Job

DoJob: TypeAlias = Callable[[int], Awaitable[object]]
"""Does the job of a number, if nobody else has it."""


class NotCarried(TradedeskError):  # noqa: N818 - what came of it
    """A number could not be handed over; the job waits until it is sent again. Says why, without a secret."""


class JobCarrier(Protocol):
    """Takes numbers of jobs from whoever asks to whoever works."""

    async def send(self, job: Job) -> None:
        """Hand a job's number over. Raises `NotCarried`."""
        ...

    async def work(self, do: DoJob) -> None:
        """Have each number that comes done, one at a time, until this is cancelled."""
        ...


class InlineCarrier:
    """Carries numbers within the process: jobs are done where they are asked for."""

    def __init__(self) -> None:
        self._numbers: asyncio.Queue[int] = asyncio.Queue()

    async def send(self, job: Job) -> None:
        """Put the number behind those that wait."""
        self._numbers.put_nowait(job.number)

    async def work(self, do: DoJob) -> None:
        """Do one after the other."""
        while True:
            await do(await self._numbers.get())
