"""The way to the built-in paper exchange, whose file lies in the home beside the books."""

import logging
import random
from pathlib import Path

from brokers.connection import Connection
from brokers.contract import (
    Broker,
    BrokerAccount,
    BrokerOrder,
    BrokerRows,
    NotAsked,
    NotSent,
    Outcome,
)
from brokers.paper.broker import PaperBroker
from brokers.paper.life import PaperLife
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.faults.broker import FaultyBroker
from brokers.simulators.faults.menu import SHARES, Faults
from data.clock import Clock
from data.engines.at_rest import FileBusy, FileDamaged, FileError
from data.errors import BadInput
from data.home import books_file, paper_exchange_file
from data.reference.seed import universe
from data.repositories.connections import ConnectionRow
from data.vocabulary import ConnectionKind
from engine.desk import Desk
from tradedesk.compose.demo.books import demo_is_wanted, lay_demo_books
from tradedesk.compose.foundation import Foundation, Way

log = logging.getLogger(__name__)

PAPER = ConnectionRow("paper", ConnectionKind.PAPER, "paper")
"""The paper exchange of a home before it is known which one that is."""


def paper_way(
    base: Foundation,
    row: ConnectionRow,
    exchange: PaperExchange | None = None,
    latency: tuple[float, float] | None = None,
    emergency: bool = False,
    faults: Faults | None = None,
) -> Way:
    """The way to a home's paper exchange, or to the given one, which is closed with the desk.

    An `emergency` goes on without the home's own exchange where that cannot be opened. Raises `BadInput`.
    """
    if row.kind is not PAPER.kind and not emergency:
        expected = f"the paper exchange is of kind {PAPER.kind.value!r}: its row was changed by hand"
        raise BadInput("connection", f"{row.name} {row.kind.value}", expected)
    trouble = ""
    if exchange is None:
        try:
            exchange = _exchange_of(base, row.identity)
        except (BadInput, FileError) as problem:
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
    life = PaperLife(exchange, trouble)
    identity = "" if exchange.in_memory else exchange.identity
    return Way(Connection(row.name, PAPER.kind, broker, life, identity=identity), exchange.market_clock)


def exchange_of(desk: Desk) -> PaperExchange:
    """The paper exchange that a desk has a connection to. Raises `BadInput` where there is none."""
    for connection in desk.connections:
        if isinstance(connection.life, PaperLife):
            return connection.life.exchange
    raise BadInput("home", str(desk.home), "this desk has no connection to a paper exchange")


class _LostExchange(PaperBroker):
    """In place of a home's own exchange that could not be opened: nobody's books are read, nothing leaves."""

    def __init__(
        self, exchange: PaperExchange, clock: Clock, *, latency: tuple[float, float], why: str
    ) -> None:
        super().__init__(exchange, clock, latency=latency)
        self._why = why

    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
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


def _exchange_of(base: Foundation, owned: str) -> PaperExchange:
    """The home's paper exchange, made with the books. Raises `BadInput` where it is not theirs."""
    home = base.home
    path = paper_exchange_file(home)
    if owned and not _is_there(path):
        raise BadInput(
            "home",
            str(home),
            "paper.db, the paper exchange of the books in desk.db, is missing: put it back from a copy, "
            "or move desk.db away too and begin afresh",
        )
    try:
        exchange = PaperExchange(path, base.clock, base.calendar, policy=base.rules.policy)
    except FileDamaged as problem:
        if isinstance(problem, FileBusy):  # locked, full or read-only: its own words say it
            raise
        raise BadInput("database", str(path), f"this is not a paper exchange's file ({problem})") from problem
    if owned and owned != exchange.identity:
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


async def prepare_demo(desk: Desk, *, shares: bool = True) -> bool:
    """Lay the demonstration's market, clients and watchlist into an empty home; returns whether it did.

    Without `shares` each client has its cash alone. Raises `BadInput` where the home has clients that are
    not the demonstration's.
    """
    if not demo_is_wanted(desk):
        return False
    exchange_of(desk).list_instruments(universe())
    await lay_demo_books(desk, shares=shares)
    return True
