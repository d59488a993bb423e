"""The composition root: puts a home, its settings, its brokers and a Desk together."""

import logging
import random
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from brokers.kite.access import KITE_OF_HOME
from brokers.paper.life import OWN_EXCHANGE
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.faults.menu import Faults
from data.clock import Clock, SystemClock
from data.errors import BadInput
from data.home import books_file
from data.migrating import Books, books_as_they_are, prepare
from data.reference.phases import Calendar
from data.schema import HEAD
from engine.desk import Desk
from engine.instances import DeskKind
from engine.rules import Rules, Waits
from engine.startup import opened
from tradedesk.compose.foundation import Foundation, calendar_of, fact_of_home, rules_of
from tradedesk.compose.home import home_folder
from tradedesk.compose.paper import check_paper_books, paper_way
from tradedesk.compose.settings import Settings, load_settings

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_desk(
    home: Path | None = None,
    kind: DeskKind = DeskKind.SCRIPT,
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
    passphrase: Callable[[], str] | None = None,
    needs_secrets: bool = True,
    migrates: bool = True,
    told: Callable[[str], None] = log.warning,
) -> AsyncIterator[Desk]:
    """Open the desk of a home, on the paper exchange or at Kite as its settings say, and close it again.

    `kind` says what it may do (`engine.startup.POLICIES`); `passphrase` is asked where secrets are in a file;
    without `needs_secrets` a desk at Kite opens without them where they do not open, and calls nobody. The
    rest is for tests and rehearsals: a clock moved by hand, another exchange, no latency in seconds, a seed
    for tags and rotation, faults of the broker. But cancel-all brings its own settings and calendar where
    the home's are broken, and its `emergency` opens even without the home's own paper exchange; whatever
    `migrates` not reads books of another version and leaves them so. `told` hears of a migration that was
    done. Raises `BadInput`, `StoreError` or `AppAlreadyRuns`.
    """
    folder = home_folder(home)
    settings = settings or load_settings(folder)
    check_paper_books(folder)
    clock = clock or SystemClock()
    with _books(books_file(folder), migrates and not emergency, clock, told) as books:
        base = Foundation(
            home=folder,
            books=books,
            settings=settings,
            clock=clock,
            calendar=calendar or calendar_of(folder),
            rules=rules or rules_of(settings),
            waits=waits or Waits(),
            random=random.Random(seed) if seed is not None else random.SystemRandom(),
        )
        if _is_at_kite(base, emergency):
            if faults is not None:
                raise BadInput("faults", "", "only the paper exchange takes them; a local Kite has its own")
            from tradedesk.compose.kite import kite_way  # HTTP and sockets take a second to import

            ways = [await kite_way(base, passphrase, emergency, needs_secrets)]
        else:
            ways = [paper_way(base, exchange, latency, emergency, faults)]
        desk = base.desk(kind, ways[0].market_clock, [way.connection for way in ways])
        for way in ways:
            way.fit(desk)
        async with opened(desk):
            yield desk


@contextmanager
def _books(database: Path, migrates: bool, clock: Clock, told: Callable[[str], None]) -> Generator[Books]:
    if not migrates:
        with books_as_they_are(database) as books:
            yield books
        return
    kept = prepare(database, clock)
    if kept is not None:
        told(f"{database.name} was brought to version {HEAD}; as it was before, it is kept in {kept.name}")
    yield Books(database)


def _is_at_kite(base: Foundation, emergency: bool) -> bool:
    """Whether the desk is one at Kite. Books of elsewhere are refused, or followed in an emergency."""
    books = books_file(base.home)
    kite, paper = fact_of_home(books, KITE_OF_HOME), fact_of_home(books, OWN_EXCHANGE)
    if emergency and (kite or paper):
        return kite is not None
    wants = base.settings.market == "kite"
    if (wants and paper) or (not wants and kite):
        theirs = "the paper exchange" if paper else f"Kite at {kite}"
        raise BadInput(
            "market", base.settings.market, f"the books of {base.home} belong to {theirs}; use another home"
        )
    return wants
