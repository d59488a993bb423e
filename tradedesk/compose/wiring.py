"""The composition root: puts a home, its settings, its brokers and a Desk together."""

import logging
import random
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

from brokers.paper.life import PaperLife
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.faults.menu import Faults
from data.clock import Clock, SystemClock
from data.engines.database import Database
from data.errors import BadInput
from data.home import books_file
from data.migrating import BooksFile, books_as_they_are, is_unwritable, prepare
from data.records import replace
from data.reference.phases import Calendar
from data.repositories.connections import (
    ConnectionRow,
    check_words,
    connections_in,
    kite_before_connections,
    let_stand_together,
)
from data.schema import HEAD
from data.spreadsheets.named import keep_files_in
from data.vocabulary import DeskKind
from engine.access.connecting import check_let_together, check_together
from engine.desk import Desk
from engine.instances import POLICIES
from engine.rules import Rules, Waits
from engine.startup import opened
from tradedesk.compose.brokers.at_brokers import CONNECTIONS, TITLES, row_at, way_maker
from tradedesk.compose.brokers.paper import PAPER, check_paper_books, paper_way
from tradedesk.compose.desk_access import ZERODHA
from tradedesk.compose.desk_market import DeskMarket
from tradedesk.compose.foundation import Foundation, Way, calendar_of, rules_of
from tradedesk.compose.home import home_folder
from tradedesk.compose.seats import renew_quietly, take_seat
from tradedesk.compose.server import belong, books_on_server
from tradedesk.compose.settings import Settings, load_settings

log = logging.getLogger(__name__)


def open_desk(
    home: Path | str | None = None,
    *,
    kind: DeskKind = DeskKind.SCRIPT,
    passphrase: Callable[[], str] | None = None,
) -> AbstractAsyncContextManager[Desk]:
    """Open the desk of a home, that which `TRADEDESK_HOME` names unless one is given, and close it again.

    An empty folder becomes a home. `kind` says what may stand beside an open app: a script and a command
    may, another app may not. `passphrase` is asked where secrets are in a file and none is named for it.
    Raises `BadInput`, `StoreError` or `AppAlreadyRuns`.
    """
    return compose_desk(None if home is None else Path(home), kind, passphrase=passphrase)


@asynccontextmanager
async def compose_desk(
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
    """Open the desk of a home as `open_desk` does, over connections, clocks and rules that may be given.

    `kind` says what it may do (`engine.instances.POLICIES`). Without `needs_secrets` a desk at a
    broker opens without them where they do not open, and calls nobody.
    The rest is for tests and rehearsals: a clock moved by hand, another exchange, no latency in seconds, a
    seed for tags and rotation, faults of the broker. But cancel-all brings its own settings and calendar
    where the home's are broken, and its `emergency` opens even without the home's own paper exchange;
    whatever `migrates` not reads books of another version and leaves them so. `told` hears of a migration
    that was done, and of what an emergency goes on without.
    Raises `BadInput`, `StoreError` or `AppAlreadyRuns`.
    """
    folder = home_folder(home)
    settings = settings or load_settings(folder)
    keep_files_in(settings.files_folder)
    server = books_on_server(settings.database_url)
    if server is None:
        check_paper_books(folder)
        _check_alone(settings, "books in a home are its own alone: name a database_url, or leave it empty")
    kite = None if emergency or server is not None else kite_before_connections(books_file(folder))
    if kite is not None:  # before the file is migrated for settings that its books do not belong to
        _wanted(folder, settings, {ZERODHA: kite})
    clock, rules = clock or SystemClock(), rules or rules_of(settings)
    if POLICIES[kind].works:
        rules = replace(rules, looks_only=True)
    bears_trouble = server is None and POLICIES[kind].bears_trouble
    if emergency or (bears_trouble and is_unwritable(books_file(folder))):
        migrates = False
    with _books(books_file(folder), server, migrates, clock, told) as books:
        base = Foundation(
            home=folder,
            books=books,
            settings=settings,
            clock=clock,
            calendar=calendar or calendar_of(folder),
            rules=rules,
            waits=waits or Waits(),
            random=random.Random(seed) if seed is not None else random.SystemRandom(),
        )
        if server is not None:
            belong(server, folder, settings.trader, clock.now(), shared=bool(settings.desk_clients))
        ways = list[Way]()
        rows = connections_of(base, emergency, told)
        if settings.mode == "look" and any(row.broker == PAPER.broker for row in rows):
            raise BadInput("mode", "look", 'only a desk at a broker alone looks; market = "kite"')
        for row in rows:
            if row.broker == PAPER.broker:
                _check_alone(settings, "" if exchange else "the paper exchange is one home's: take a broker")
                ways.append(paper_way(base, row, exchange, latency, emergency, faults))
                continue
            ways.append(await way_maker(row.broker)(base, row, passphrase, emergency, needs_secrets))
        if faults is not None and PAPER.kind not in {way.connection.kind for way in ways}:
            raise BadInput("faults", "", "only the paper exchange takes them; a stand-in has its own")
        desk = base.desk(kind, ways[0].market_clock, [way.connection for way in ways], passphrase)
        desk.connecting.bears_others = emergency
        for way in ways:
            way.fit(desk)
            if len(ways) > 1 and isinstance(way.connection.life, PaperLife):
                way.connection.life.exchange.follow(DeskMarket(desk))
        async with opened(desk):
            for_people = desk.for_people()
            take_seat(for_people)
            await renew_quietly(for_people)
            yield for_people


def _check_alone(settings: Settings, why: str) -> None:
    """Raise `BadInput` for a desk that shares its books though it cannot; an empty `why` says that it can."""
    if settings.desk_clients and why:
        raise BadInput("desk_clients", settings.desk_clients, why)


@contextmanager
def _books(
    database: Path, server: Database | None, migrates: bool, clock: Clock, told: Callable[[str], None]
) -> Generator[BooksFile]:
    if server is not None:  # whatever else opens it, `tradedesk db upgrade` alone changes its version
        yield BooksFile(database, server=server)
        return
    if not migrates:
        with books_as_they_are(database) as books:
            yield books
        return
    kept = prepare(database, clock)
    if kept is not None:
        told(f"{database.name} was brought to version {HEAD}; as it was before, it is kept in {kept.name}")
    yield BooksFile(database)


def connections_of(
    base: Foundation, emergency: bool = False, told: Callable[[str], None] = log.warning
) -> list[ConnectionRow]:
    """The connections of a home, the one that brings the prices first; of a fresh one what its settings name.

    Raises `BadInput` where the settings name a venue that the books do not belong to; an `emergency` goes by
    the books alone, and `told` hears of a row that it cannot go by.
    """
    known, books = {PAPER.broker: PAPER.name, **CONNECTIONS}, base.books.place
    stored = [row for row in connections_in(books) if row.broker in known]
    stored = [replace(row, name=row.name or known[row.broker]) for row in stored]
    try:
        check_words(books, known)
    except BadInput as problem:
        if not emergency:
            raise
        told(f"{problem}\ngoing on: what is live at a broker of an unknown word cannot be cancelled")
    if stored and emergency:
        return _prices_first(stored, base.settings.market)
    wanted = _wanted(base.home, base.settings, {row.broker: row.address for row in stored})
    if not stored:
        return [wanted]
    check_together(stored)
    check_let_together(stored, let_stand_together(books))
    return _prices_first(stored, base.settings.market)


def _wanted(home: Path, settings: Settings, owned: Mapping[str, str]) -> ConnectionRow:
    """What the settings name, which must be of the books where those own an address for any broker.

    Raises `BadInput`.
    """
    urls = {"kite": settings.kite_url, "upstox": settings.upstox_url, "groww": settings.groww_url}
    wanted = PAPER
    rows = {f"{name}_url": row_at(name, url) for name, url in urls.items() if url or settings.market == name}
    for setting, row in rows.items():
        if row.name == settings.market:
            wanted = row
        if owned.get(row.broker, row.address) != row.address:
            raise BadInput(setting, row.address, _belongs(home, owned[row.broker]))
    if owned and wanted.broker not in owned:
        broker, address = next(iter(owned.items()))
        theirs = f"{TITLES[broker]} at {address}" if broker in TITLES else "the paper exchange"
        raise BadInput("market", settings.market, _belongs(home, theirs))
    return wanted


def check_belongs(home: Path, settings: Settings) -> None:
    """Raise `BadInput` where settings name a venue that the books of a home do not belong to."""
    server, file = books_on_server(settings.database_url), books_file(home)
    if server is None and not file.exists():
        return
    owned = {row.broker: row.address for row in connections_in(server or file)}
    if server is None and (kite := kite_before_connections(file)) is not None:
        owned = {ZERODHA: kite}
    _wanted(home, settings, owned)


def _belongs(home: Path, theirs: str) -> str:
    return f"the books of {home} belong to {theirs}; use another home"


def _prices_first(rows: list[ConnectionRow], market: str) -> list[ConnectionRow]:
    """The one that the settings name as the market, then the others in their usual order.

    Paper last: beside another venue it follows that one's prices and clock.
    """
    usual = [*CONNECTIONS, PAPER.broker]

    def place(row: ConnectionRow) -> tuple[bool, int]:
        named = row.name == market and row.broker != PAPER.broker
        return not named, usual.index(row.broker)

    return sorted(rows, key=place)
