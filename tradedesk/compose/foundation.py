"""What every desk of this program stands on: a home, its settings, rules, calendar and store."""

import logging
import os
import random
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from brokers.connection import Connection
from brokers.connections import Connections
from brokers.egress import EchoService
from data.clock import Clock, MarketClock, SystemClock
from data.home import calendar_files, log_file
from data.migrating import BooksFile
from data.proving.heads import HeadsFile
from data.proving.stored_audit import books_mark
from data.reference.phases import Calendar, load_calendar
from data.secrets import Vault
from data.store import Store
from data.vocabulary import DeskKind, Prunable
from engine.access.consent_needs import needs_from
from engine.access.judgement import judge_clients
from engine.between.line import DeskLine, NoLine
from engine.book.book import Book
from engine.book.kept import Kept
from engine.desk import Desk
from engine.events import Bus
from engine.instances import POLICIES, ThisEngine
from engine.market.shared_prices import SharedPrices
from engine.quiet import quiet_hours_from
from engine.rules import Rules, Waits
from engine.timing import Timing
from tradedesk.compose.carrying import AppriseCarrier
from tradedesk.compose.carrying_jobs import RedisCarrier
from tradedesk.compose.home import home_folder
from tradedesk.compose.settings import Settings
from tradedesk.compose.spare import keep_spare
from tradedesk.compose.vaults import vault_at
from tradedesk.jobs.doing import doers_of
from tradedesk.reports.day_exports import DayExports

if TYPE_CHECKING:
    from data.leasing.beside import BesideLeases
    from data.leasing.leases import Leases

log = logging.getLogger(__name__)


class Foundation(Struct, frozen=True):
    """A home and what its desk is opened with, before it is known which brokers it is for."""

    home: Path
    books: BooksFile
    settings: Settings
    clock: Clock
    calendar: Calendar
    rules: Rules
    waits: Waits
    random: random.Random

    def desk(
        self,
        kind: DeskKind,
        market_clock: MarketClock,
        connections: Sequence[Connection],
        passphrase: Callable[[], str] | None = None,
    ) -> Desk:
        """A desk with these connections, the one that brings the prices first; not yet open."""
        book = Book(
            connections, lambda: market_clock.trading_day, judge=judge_clients, needs=self.rules.consents
        )
        books, works = self.books, POLICIES[kind].works
        leases, beside = (None, self._beside()) if works else (self._leases(), None)
        store = Store(books.path, self.clock, books.unwritable, books.database, leases, beside)
        book.owned, book.elsewhere_in = store.owning.owned, store.owning.elsewhere
        if store.leases is not None:
            book.home_id = store.leases.who.home
        heads = HeadsFile(self.settings.audit_heads)

        def vault() -> Vault:
            return vault_at(self.home, self.settings, passphrase)

        kept = Kept(self.home, store, book, Bus(_listener_failed), heads, vault, self._line())
        desk = Desk(
            kept,
            Timing(self.clock, market_clock, self.calendar, self.waits, lambda: book.market_halts),
            ThisEngine(kept, self.settings.trader, kind, self.rules.looks_only),
            Connections(connections, book),
            self.rules,
            self.random,
        )
        if self.settings.auth_socket is not None:
            from tradedesk.auth.client import AuthService

            desk.signing.signer = AuthService(self.settings.auth_socket.expanduser(), self.clock)
            desk.signing.by_service = True
        desk.outbox.carrier = AppriseCarrier()
        if self.settings.echo_url:
            desk.probes.echo = EchoService(self.settings.echo_url)
        desk.close.others.exports = DayExports(self.home, desk.statements.of_day)
        desk.jobs.worker.doers = doers_of(desk)
        if self.settings.redis_url:
            desk.jobs.carrier, desk.jobs.works_here = RedisCarrier(self.settings.redis_url), False
        desk.workings.market_data.shared = self._shared_prices(desk)
        return desk

    def _line(self) -> DeskLine:
        """What takes to other desks what they should know soon; nothing does for a desk without any."""
        if not self.settings.redis_url or not self.settings.desk_clients:
            return NoLine()
        from tradedesk.firm.line import RedisLine

        return RedisLine(self.settings.redis_url, self.books_name, SystemClock())

    def books_name(self) -> str:
        """By what desks of the same books find each other in Redis."""
        return self.books.database.read(books_mark)

    def _shared_prices(self, desk: Desk) -> SharedPrices | None:
        """The firm's feed, for a desk that goes by it for as long as it is open."""
        wants = self.settings.quotes == "feed" and POLICIES[desk.kind].keeps_up
        if not wants or not self.settings.redis_url or not self.settings.desk_clients:
            return None
        from tradedesk.firm.feed.reading import FeedReader

        inside = desk.workings
        broker = inside.connections.feed.broker.name
        reader = FeedReader(self.settings.redis_url, self.books_name, broker, self.clock, SystemClock())
        return SharedPrices(reader, inside.market_data.quotes, self.clock)

    def _beside(self) -> "BesideLeases | None":
        """What a process without leases goes by beside desks that share the books; None where nobody does."""
        if not self.settings.desk_clients:
            return None
        from data.leasing.beside import BesideLeases

        return BesideLeases(self.books.database)

    def _leases(self) -> "Leases | None":
        """The leases of a desk that shares its books with others; None for one that has them alone."""
        if not self.settings.desk_clients:
            return None
        from data.leasing.leases import DeskName, Leases
        from data.leasing.processes import since_boot
        from data.server.belonging import home_id

        who = DeskName(home_id(self.home), f"{self.settings.trader}@{socket.gethostname()}")
        now = since_boot if isinstance(self.clock, SystemClock) else self.clock.monotonic
        return Leases(self.books.database, who, self.waits.send_timeout_s, now)


class Way(Struct, frozen=True):
    """A connection that can be opened: its market's clock, and what a desk with it is fitted with."""

    connection: Connection
    market_clock: MarketClock
    fit: Callable[[Desk], None] = lambda desk: None


def _listener_failed(problem: Exception) -> None:
    log.error("a listener failed", exc_info=problem)


def calendar_of(home: Path) -> Calendar:
    """The exchanges' calendar with the home's changes, if it has any. Raises `BadInput`."""
    return load_calendar(*calendar_files(home))


def rules_of(settings: Settings) -> Rules:
    """The engine's rules as a trader's settings say."""
    return Rules(
        policy=settings.policy,
        protection_bps=round(settings.protection_percent * 100),
        price_age_limit_s=settings.price_age_limit_s,
        drift_limit_bps=round(settings.drift_percent * 100),
        plan_valid_s=settings.plan_valid_s,
        mtf_most_stocks=settings.mtf_most_stocks,
        consents=needs_from(settings.consents, settings.consents_on_paper),
        halt_deletes_conditionals=settings.halt_deletes_conditionals,
        quiet_hours=quiet_hours_from(settings.quiet_hours),
        desk_clients=settings.desk_clients,
        stands_by_for_all=settings.vault == "rows",
        looks_only=settings.mode == "look",
        record_bytes=settings.record_prices_mb * 1_000_000,
        keep_days={
            Prunable.RECORDINGS: settings.keep_recordings_days,
            Prunable.REPLAYS: settings.keep_replays_days,
            Prunable.EXPORTS: settings.keep_exports_days,
            Prunable.BACKUPS: settings.keep_backups_days,
            Prunable.COPIES: settings.keep_copies_days,
            Prunable.LOGS: settings.keep_logs_days,
            Prunable.DELIVERIES: settings.keep_deliveries_days,
        },
    )


class PrivateLog(RotatingFileHandler):
    """A rotating log whose files their user alone may read: they name accounts and orders.

    What it cannot write, as on a full disk, is lost; nothing of it goes over a screen or among a command's
    answers, which say what is wrong in their own words.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Write nothing about it anywhere."""

    def _open(self) -> TextIOWrapper:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=private)


def prepare_home(spare: bool = True) -> Path:
    """The home, made if need be, with its log opened unless whoever runs us logs already.

    With `spare`, room is kept for a full disk.
    """
    home = home_folder()
    with suppress(OSError):  # opening the database says it in better words
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not logging.getLogger().handlers:
            start_logging(home)
        if spare:
            keep_spare(home)
    return home


def start_logging(home: Path) -> None:
    """Log to a rotating file in the home; no tokens and no client names are ever logged at INFO.

    Raises `OSError` where it cannot be written; nothing is logged then, on no terminal either.
    """
    root = logging.getLogger()
    try:
        root.addHandler(_log_in(home))
    except OSError:
        root.addHandler(logging.NullHandler())
        raise
    root.setLevel(logging.INFO)


def _log_in(home: Path) -> PrivateLog:
    newest = log_file(home)
    folder = newest.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for older in folder.glob(f"{newest.name}*"):
        with suppress(PermissionError):  # another's file that this user may write to
            older.chmod(0o600)
    handler = PrivateLog(newest, maxBytes=2_000_000, backupCount=5, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    return handler
