"""What does jobs for others: a worker, and the beat that sends again what nobody has claimed."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from data.acting import Actor
from data.errors import BadInput
from data.vocabulary import DeskKind
from tradedesk.cli.exits import Exit
from tradedesk.cli.printing.output import say
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from engine.desk import Desk


def worker() -> None:
    """Do jobs, one at a time, until ctrl+c or a TERM; the one that is being done ends first.

    Any number of workers may stand beside each other, on any machine that has the home's books and files.
    """
    _go_on("worker", lambda desk: desk.jobs.work())


def beat() -> None:
    """Look every ten seconds for jobs that are due and that nobody has claimed, and send them again.

    One is enough; two do no harm.
    """
    _go_on("beat", lambda desk: desk.jobs.keep_looking())


def _go_on(what: str, work: "Callable[[Desk], Coroutine[Any, Any, None]]") -> NoReturn:
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.settings import load_settings

    settings = load_settings(home_folder())
    if not settings.redis_url:
        expected = "set it, such as redis://127.0.0.1:6379/0: without it jobs are done where they are asked"
        raise BadInput("redis_url", "", expected)

    async def until_told(desk: "Desk") -> Exit:
        with desk.acting(Actor(desk.workings.engine.trader)):
            task = asyncio.create_task(work(desk))
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, task.cancel)
        say(f"{what} of {desk.home}: up")
        with suppress(asyncio.CancelledError):
            await task
        say(f"{what} of {desk.home}: ended")
        return Exit.DONE

    kind = DeskKind.WORKER if settings.desk_clients else DeskKind.COMMAND
    run(until_told, needs_secrets=False, kind=kind)
