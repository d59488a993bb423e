"""The firm's feed of prices, as a process."""

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from data.errors import BadInput
from tradedesk.cli.exits import Exit
from tradedesk.cli.printing.output import say
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from engine.desk import Desk


def feed() -> None:
    """Take prices from the broker and tell them to every desk through Redis, until ctrl+c or a TERM.

    It streams with a client of its own, the one that this home's desk_clients names, and carries what desks
    want. A second one, of another home, stands by and goes on within three seconds.
    """
    from data.clock import SystemClock
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.settings import load_settings

    settings = load_settings(home_folder())
    if not settings.redis_url or not settings.desk_clients:
        missing = "redis_url" if not settings.redis_url else "desk_clients"
        expected = (
            "the feed is for desks that share a database and a Redis: set it, and whose session streams"
        )
        raise BadInput(missing, "", expected)

    async def until_told(desk: "Desk") -> Exit:
        from data.proving.stored_audit import books_mark
        from tradedesk.firm.feed.publishing import Publisher

        database = desk.workings.kept.store.database
        publisher = Publisher(desk, settings.redis_url, lambda: database.read(books_mark), SystemClock())
        task = asyncio.create_task(publisher.keep(say))
        for sign in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(sign, task.cancel)
        say(f"feed of {desk.home}: up")
        with suppress(asyncio.CancelledError):
            await task
        say(f"feed of {desk.home}: ended")
        return Exit.DONE

    run(until_told)
