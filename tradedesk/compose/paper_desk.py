"""A desk on the built-in paper exchange, whose file lies in the home beside the books."""

import logging
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import select

from brokers.connection import Connection
from brokers.contract import (
    Broker,
    BrokerAccount,
    BrokerError,
    BrokerOrder,
    NotAsked,
    NotSent,
    Outcome,
    Rows,
)
from brokers.paper.broker import PaperBroker
from brokers.simulators.exchange.exchange import AccountOpening, PaperExchange
from brokers.simulators.faults.broker import FaultyBroker
from brokers.simulators.faults.menu import SHARES, Faults
from data.clock import Clock
from data.columns import table
from data.errors import BadInput
from data.home import books_file, paper_exchange_file
from data.reference.seed import universe
from data.store import StoreError, Unit
from data.tables import Meta
from data.vocabulary import ConnectionKind
from engine.accounts.client_file import BROKERS
from engine.desk import Desk
from engine.events import ClientsChanged, Event, InstrumentsRenamed
from tradedesk.compose.demonstration import demo_is_wanted, lay_demo_books
from tradedesk.compose.foundation import Foundation, fact_of_home

log = logging.getLogger(__name__)

OWN_EXCHANGE = "paper_exchange"
"""The row of `meta` that says which paper exchange these books belong to."""


class PaperDesk(Desk):
    """A desk on the built-in paper exchange: whoever and whatever is added here is known there too.

    `exchange_trouble` says why the home's own exchange could not be opened; then `exchange` is an empty one
    in memory, which knows no account and no order.
    """

    exchange: PaperExchange
    exchange_trouble = ""

    async def open(self) -> None:
        """Start, then open paper accounts for clients that have none."""
        await super().open()
        if self.exchange_trouble:
            return
        try:
            if not self.exchange.in_memory and fact_of_home(self._kept.store.path, OWN_EXCHANGE) is None:
                identity = self.exchange.identity
                await self._kept.store.write(lambda unit: _own(unit, identity))
            self.meet_exchange()
            self.rename_listings()
        except (BrokerError, sqlite3.Error, StoreError) as problem:
            if self.kind != "cli":  # a halt must be written even when the exchange cannot be
                raise
            log.error("the paper exchange cannot be written: %s", problem)
        self.events.subscribe(self._heard)

    def _heard(self, event: Event) -> None:
        if isinstance(event, ClientsChanged):
            self.meet_exchange()
        elif isinstance(event, InstrumentsRenamed):
            self.rename_listings()

    def rename_listings(self) -> None:
        """Have the exchange call every security what the books call it."""
        self.exchange.rename((one.key_before, one.key, one.security) for one in self.market.renames())

    def meet_exchange(self) -> None:
        """Give every client a paper account with its opening money."""
        self.exchange.open_accounts(
            AccountOpening(
                client.code,
                self.funds.of(client.id).available_paise,
                client.mtf_limit_paise,
                self.funds.of(client.id).held_paise,
                client.broker,
            )
            for client in self.clients.all()
        )


@asynccontextmanager
async def open_paper(
    base: Foundation,
    kind: str,
    exchange: PaperExchange | None = None,
    latency: tuple[float, float] | None = None,
    emergency: bool = False,
    faults: Faults | None = None,
) -> AsyncIterator[PaperDesk]:
    """Open the desk of a home on its paper exchange, or on the given one, and close both again.

    An `emergency` goes on without the home's own exchange where that cannot be opened. Raises `BadInput`.
    """
    trouble = ""
    if exchange is None:
        try:
            exchange = _exchange_of(base)
        except (BadInput, sqlite3.Error) as problem:
            if not emergency:
                raise
            trouble = str(problem)
            log.error("going on without the paper exchange: %s", trouble)
            exchange = PaperExchange(None, base.clock, base.calendar, policy=base.rules.policy)
    low, high = base.settings.paper_latency_ms
    round_trip = latency or (low / 1000, high / 1000)
    broker: Broker = PaperBroker(exchange, base.clock, latency=round_trip)
    if trouble:
        broker = _LostExchange(exchange, base.clock, latency=round_trip, why=trouble)
    if faults is not None:
        broker = _faulty(broker, exchange, base.clock, faults)
    connection = Connection("paper", ConnectionKind.PAPER, broker, frozenset(BROKERS))
    desk = base.desk(PaperDesk, kind, exchange.market_clock, connection)
    desk.exchange, desk.exchange_trouble = exchange, trouble
    try:
        await desk.open()
        yield desk
    finally:
        await desk.close()
        exchange.close()


class _LostExchange(PaperBroker):
    """In place of a home's own exchange that could not be opened: nobody's books are read, nothing leaves."""

    def __init__(
        self, exchange: PaperExchange, clock: Clock, *, latency: tuple[float, float], why: str
    ) -> None:
        super().__init__(exchange, clock, latency=latency)
        self._why = why

    async def orders(self, account: BrokerAccount) -> Rows[BrokerOrder]:
        """Raises `NotAsked`."""
        raise NotAsked(self._why)

    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        """Tried: nothing leaves."""
        return NotSent(self._why)


def check_paper_books(home: Path) -> None:
    """Refuse an exchange whose books are gone: empty ones beside it would know nothing of what it holds."""
    if _is_there(paper_exchange_file(home)) and not _is_there(books_file(home)):
        raise BadInput(
            "home",
            str(home),
            "desk.db, the books of the paper exchange in paper.db, is missing: put it back from a copy, "
            "or move paper.db away too and begin afresh",
        )


def _exchange_of(base: Foundation) -> PaperExchange:
    """The home's paper exchange, made with the books. Raises `BadInput` where it is not theirs."""
    home = base.home
    path = paper_exchange_file(home)
    owned = fact_of_home(books_file(home), OWN_EXCHANGE)
    if owned is not None and not _is_there(path):
        raise BadInput(
            "home",
            str(home),
            "paper.db, the paper exchange of the books in desk.db, is missing: put it back from a copy, "
            "or move desk.db away too and begin afresh",
        )
    try:
        exchange = PaperExchange(path, base.clock, base.calendar, policy=base.rules.policy)
    except sqlite3.DatabaseError as problem:
        if isinstance(problem, sqlite3.OperationalError):  # locked, full or read-only: its own words say it
            raise
        raise BadInput("database", str(path), f"this is not a paper exchange's file ({problem})") from problem
    if owned is not None and owned != exchange.identity:
        exchange.close()
        raise BadInput(
            "home",
            str(home),
            "paper.db is another desk's paper exchange, not that of the books in desk.db: put the two files "
            "that belong together back from one copy, or move both away and begin afresh",
        )
    return exchange


def _faulty(broker: Broker, exchange: PaperExchange, clock: Clock, faults: Faults) -> Broker:
    """The broker, going wrong as `faults` say."""
    shares = {name: faults.share(name) for name in SHARES if faults.share(name)}
    log.warning("faults are rehearsed, seed %s: %s", faults.seed, shares)
    return FaultyBroker(
        broker,
        clock,
        faults,
        random.Random(faults.seed),
        overfill=exchange.overfill,
        resurrect=exchange.resurrect,
    )


def _is_there(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _own(unit: Unit, identity: str) -> None:
    """Keep which exchange these books belong to, once."""
    meta = table(Meta)
    if unit.connection.execute(select(meta.c.name).where(meta.c.name == OWN_EXCHANGE)).first() is None:
        unit.insert(Meta, [{"name": OWN_EXCHANGE, "value": identity}])


async def prepare_demo(desk: PaperDesk) -> bool:
    """Lay the demonstration's market, clients and watchlist into an empty home; gives whether it did.

    Raises `BadInput` where the home has clients that are not the demonstration's.
    """
    if not demo_is_wanted(desk):
        return False
    desk.exchange.list_instruments(universe())
    await lay_demo_books(desk)
    return True
