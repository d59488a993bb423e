"""A worker or a beat as a process of its own, whose claims and looks are short: `… worker|beat HOME`.

A worker whose `TRADEDESK_TEST_STOPS_AT` names a file writes a line there as it begins each job, and goes on
with it once another file is there whose name ends in `.go`.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from brokers.simulators.exchange.exchange import PaperExchange
from data.acting import Actor
from data.clock import SystemClock
from data.reference.phases import load_calendar
from data.vocabulary import DeskKind
from engine.jobs.working import Doer, JobAtWork
from engine.rules import Waits
from tradedesk.compose.wiring import compose_desk

WAITS = Waits(job_claim_s=4.0, job_look_s=0.5)


async def stopping(file: str, doer: Doer, at_work: JobAtWork) -> Mapping[str, Any]:
    with Path(file).open("a") as begun:  # noqa: ASYNC230 - the process does nothing else
        begun.write(f"{at_work.job.number}\n")
    go, clock = Path(f"{file}.go"), SystemClock()
    while not go.exists():  # noqa: ASYNC240 - it is another process that lays it there
        await clock.sleep(0.05)
    return await doer(at_work)


async def main(what: str, home: Path) -> None:
    kind, venue = DeskKind.COMMAND, None
    if file := os.environ.get("TRADEDESK_TEST_VENUE"):  # that of several desks, beside which this one works
        kind, venue = DeskKind.WORKER, PaperExchange(Path(file), SystemClock(), load_calendar())
    opening = compose_desk(home, kind, waits=WAITS, exchange=venue, latency=(0.0, 0.0), needs_secrets=False)
    async with opening as desk:
        if file := os.environ.get("TRADEDESK_TEST_STOPS_AT"):
            doers = desk.jobs.worker.doers
            desk.jobs.worker.doers = {kind: partial(stopping, file, doer) for kind, doer in doers.items()}
        with desk.acting(Actor("worker")):
            task = asyncio.create_task(desk.jobs.work() if what == "worker" else desk.jobs.keep_looking())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        print("up", flush=True)
        with suppress(asyncio.CancelledError):
            await task


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
