"""Numbers of jobs carried by Celery over Redis: to whichever worker is free, at least once or not at all.

Celery's own redelivery comes late (its visibility timeout is an hour), and what Redis forgets it never
delivers: `tradedesk beat` sends again what nobody has claimed. Nothing but a kind and a number goes to Redis.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any, cast

from celery import Celery, Task
from celery.worker import WorkController, state
from celery.worker.request import Request
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from data.repositories.jobs import Job
from data.vocabulary import JobKind
from engine.jobs.carrier import DoJob, NotCarried

log = logging.getLogger(__name__)

QUEUE = "tradedesk.jobs"
"""The queue in Redis."""

SEND_S = 5.0
"""Seconds for which a send waits for Redis."""

ANEW_S = 1.0
"""Seconds after which a consumer that ended by itself is begun anew."""

REDIS: Mapping[str, object] = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 5,
    "socket_connect_timeout": 2,
    "socket_timeout": 4,
    "socket_keepalive": True,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
}
"""How kombu uses Redis. What was sent to a worker that died is put back every interval times throttle
seconds (the first two of the three say so, where by default it would be 100 s), once it is an hour old.
"""

SETTINGS: Mapping[str, object] = {
    "broker_transport_options": REDIS,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "task_default_queue": QUEUE,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    "task_ignore_result": True,
    "result_backend": None,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_publish_retry": False,
    "worker_send_task_events": False,
    "worker_enable_remote_control": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}
"""Celery's settings: a number is acknowledged once its job has ended, one at a time; no result is kept."""


def task_name(kind: str) -> str:
    """Under which name the jobs of a kind go."""
    return f"tradedesk.{kind}"


class NumberCarried(Request):
    """A number that came. Where Redis is lost just as it is acknowledged, the consumer is begun anew.

    Celery logs that alone, takes no other number while this one counts as under way, and so never notices.
    """

    def acknowledge(self) -> None:
        """Acknowledge it, once its job has ended."""
        super().acknowledge()
        if not cast(Any, self).message.acknowledged:
            cast(Any, state).should_stop = 0  # an exit code: a warm shutdown


class JobTask(Task):
    """What does the jobs of a kind."""

    Request = NumberCarried


class CeleryCarrier:
    """Carries numbers of jobs over the Redis at an address."""

    def __init__(self, address: str) -> None:
        self._app = Celery("tradedesk", broker=address, set_as_current=False)
        self._app.conf.update(SETTINGS)
        self._stopping = Event()

    async def send(self, job: Job) -> None:
        """Put the number into the queue. Raises `NotCarried` where Redis does not take it."""
        try:
            await asyncio.wait_for(asyncio.to_thread(self._send, str(job.kind), job.number), SEND_S)
        except TimeoutError:
            raise NotCarried(f"Redis did not answer within {SEND_S:.0f} s") from None
        except (KombuError, RedisError, OSError) as problem:
            raise NotCarried(f"Redis does not take it: {problem}") from problem

    def _send(self, kind: str, number: int) -> None:
        send: Callable[..., object] = self._app.send_task
        send(task_name(kind), [number], task_id=f"job-{number}", retry=False)

    async def work(self, do: DoJob) -> None:
        """Do what comes, one at a time; where this is cancelled, the job that is being done ends first."""
        loop = asyncio.get_running_loop()

        def carried(number: int) -> None:
            asyncio.run_coroutine_threadsafe(_done(do, number), loop).result()

        task: Callable[..., Callable[[Callable[[int], None]], object]] = self._app.task
        for kind in JobKind:
            task(name=task_name(kind.value), base=JobTask)(carried)
        self._stopping.clear()
        working = asyncio.ensure_future(asyncio.to_thread(self._consume))
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            self._stopping.set()
            cast(Any, state).should_stop = 0  # an exit code: a warm shutdown
            await working
            raise

    def _consume(self) -> None:
        """Take numbers from the queue until told to stop, in this thread, which does them too.

        Celery ends where Redis goes just as a job's number is acknowledged: it is begun anew then.
        """
        while not self._stopping.is_set():
            cast(Any, state).should_stop = None
            worker = cast(Any, WorkController)(
                app=self._app,
                pool="solo",
                concurrency=1,
                loglevel=logging.WARNING,
                without_gossip=True,
                without_mingle=True,
                without_heartbeat=True,
            )
            try:
                worker.start()
            except Exception as problem:
                log.warning("Celery's consumer failed: %s", problem)
            if not self._stopping.wait(ANEW_S):
                log.warning("Celery's consumer ended by itself, and is begun anew")


async def _done(do: DoJob, number: int) -> None:
    """Do a job; whatever comes of it, its number has been carried."""
    try:
        await do(number)
    except Exception:
        log.exception("job %d could not be done", number)
