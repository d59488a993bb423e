"""What carries jobs where the settings name a Redis: imported when the first is sent, by no desk before."""

from data.errors import BadInput
from data.repositories.jobs import Job
from engine.jobs.carrier import DoJob, JobCarrier, NotCarried


class RedisCarrier:
    """Carries jobs over the Redis at an address, once one is to be carried."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._made: JobCarrier | None = None

    async def send(self, job: Job) -> None:
        """Hand a job's number over. Raises `NotCarried`."""
        try:
            carrier = self._carrier()
        except BadInput as problem:
            raise NotCarried(problem.expected) from problem
        await carrier.send(job)

    async def work(self, do: DoJob) -> None:
        """Have each number that comes done, until this is cancelled. Raises `BadInput` without Celery."""
        await self._carrier().work(do)

    def _carrier(self) -> JobCarrier:
        if self._made is None:
            try:
                from tradedesk.firm.celery_carrier import CeleryCarrier
            except ImportError as problem:
                expected = f"it takes Celery ({problem}): install tradedesk-workstation[firm]"
                raise BadInput("redis_url", "(hidden)", expected) from problem
            self._made = CeleryCarrier(self._address)
        return self._made
