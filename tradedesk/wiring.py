"""The composition root: puts a home, its settings, its brokers and a Desk together."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from brokers.paper.exchange import PaperExchange
from brokers.paper.fault_menu import Faults
from data.clock import Clock, SystemClock
from data.phases import Calendar
from data.schema import prepare
from engine.rules import Rules, Waits
from tradedesk.foundation import Foundation, calendar_of, rules_of
from tradedesk.home import home_folder
from tradedesk.paper_desk import PaperDesk, check_paper_books, open_paper
from tradedesk.settings import Settings, load_settings


@asynccontextmanager
async def open_desk(
    home: Path | None = None,
    kind: str = "api",
    *,
    clock: Clock | None = None,
    settings: Settings | None = None,
    calendar: Calendar | None = None,
    rules: Rules | None = None,
    waits: Waits | None = None,
    exchange: PaperExchange | None = None,
    latency: tuple[float, float] | None = None,
    seed: int | None = None,
    emergency: bool = False,
    faults: Faults | None = None,
) -> AsyncIterator[PaperDesk]:
    """Open the desk of a home and close it again.

    `kind` is `app` (one at a time), `cli` or `api`. The rest is for tests and rehearsals: a clock moved by
    hand, another exchange, no latency in seconds, a seed for tags and rotation, faults of the broker. But
    cancel-all brings its own settings and calendar where the home's are broken, and its `emergency` opens
    even without the home's own paper exchange. Raises `BadInput`, `StoreError` or `AppAlreadyRuns`.
    """
    folder = home_folder(home)
    settings = settings or load_settings(folder)
    check_paper_books(folder)
    prepare(folder / "desk.db")
    base = Foundation(
        home=folder,
        settings=settings,
        clock=clock or SystemClock(),
        calendar=calendar or calendar_of(folder),
        rules=rules or rules_of(settings),
        waits=waits or Waits(),
        random=random.Random(seed) if seed is not None else random.SystemRandom(),
    )
    async with open_paper(base, kind, exchange, latency, emergency, faults) as desk:
        yield desk
