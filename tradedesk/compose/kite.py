"""The way to Zerodha, or to a local Kite to rehearse against."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, time
from functools import partial

from brokers.connection import Connection
from brokers.contract import BrokerAccount, BrokerError
from brokers.kite.access import KiteRoots, kite_roots
from brokers.kite.broker import KiteBroker
from brokers.kite.life import KiteLife
from brokers.kite.local_clock import SimulatedMarketClock, market_time
from data.clock import IST, MarketClock, WallMarketClock
from data.errors import BadInput
from data.records import replace
from data.repositories.connections import ConnectionRow
from data.repositories.days import newest_day_in
from data.secrets import ClosedVault, NoVault, Vault, open_vault
from data.vocabulary import ConnectionKind
from engine.desk import Desk
from tradedesk.compose.foundation import Foundation, Way
from tradedesk.compose.kite_access import ZERODHA, DeskAccess
from tradedesk.compose.vault_look import look

log = logging.getLogger(__name__)


async def kite_way(
    base: Foundation,
    row: ConnectionRow,
    passphrase: Callable[[], str] | None = None,
    emergency: bool = False,
    needs_secrets: bool = True,
) -> Way:
    """The way to the Kite of a home, as its row says.

    An `emergency` goes on without its secrets where those cannot be read. A desk that needs none calls nobody
    where they do not open. Raises `BadInput`.
    """
    roots = KiteRoots() if row.address == KiteRoots().rest else kite_roots(row.address)
    if row.kind is not ConnectionKind.LIVE and not roots.is_local and not emergency:
        expected = f"{row.address} is live: its row was changed by hand"
        raise BadInput("connection", f"{row.name} {row.kind.value}", expected)
    vault, trouble = await _vault_of(base, passphrase, emergency, needs_secrets)
    market_clock, silence = await _market_clock(base, roots, emergency)
    trouble = trouble or silence
    access = DeskAccess(vault)

    def session_lost(account: BrokerAccount) -> None:
        life.session_lost(account)

    def no_stream(account: BrokerAccount) -> None:
        life.no_stream(account)

    broker = KiteBroker(
        access,
        replace(roots, looks_only=base.rules.looks_only),
        base.clock,
        rng=base.random,
        on_session_lost=session_lost,
        on_no_stream=no_stream,
    )
    clocks = base.clock, market_clock
    life = KiteLife(broker, access, roots.rest, clocks, base.settings.kite_feed, trouble)

    def fit(desk: Desk) -> None:
        access.route_of = desk.routes.of
        access.session_of = desk.sessions.of
        if port := base.settings.sign_in_port:
            from brokers.kite.listener import RedirectListener  # a web server, for those who set it alone

            desk.sessions.redirects = partial(RedirectListener, port)
        desk.doctor.look_at_secrets = look_at_secrets

    def look_at_secrets() -> tuple[bool, str]:
        found = look(base.home, base.settings.vault, lambda: vault, market_clock.now())
        return found.ok, found.words

    return Way(Connection(row.name, row.kind, broker, life, row.address), market_clock, fit)


def kite_row(url: str) -> ConnectionRow:
    """A connection to Zerodha's Kite, or to the local one at this address. Raises `BadInput`."""
    roots = kite_roots(url or None)
    kind = ConnectionKind.SIM if roots.is_local else ConnectionKind.LIVE
    return ConnectionRow("kite", kind, ZERODHA, roots.rest)


async def _market_clock(base: Foundation, roots: KiteRoots, emergency: bool) -> tuple[MarketClock, str]:
    """The clock of the market there, and why it is guessed where it is. Raises `BadInput`."""
    if not roots.is_local:
        return WallMarketClock(base.clock), ""
    try:
        return SimulatedMarketClock(base.clock, await market_time(roots.rest)), ""
    except BrokerError as problem:
        day = newest_day_in(base.books.path)
        if not emergency or day is None:
            expected = f"start it with `tradedesk simulate kite` first ({problem})"
            raise BadInput("kite_url", roots.rest, expected) from problem
        noon = datetime.combine(day, time(12, tzinfo=IST))
        return SimulatedMarketClock(base.clock, noon), str(problem)


def kite_connection(desk: Desk) -> Connection:
    """A desk's connection to Kite. Raises `BadInput` where there is none."""
    for connection in desk.connections:
        if isinstance(connection.life, KiteLife):
            return connection
    raise BadInput("home", str(desk.home), "this desk has no connection to Kite")


def kite_of(desk: Desk) -> KiteLife:
    """How a desk's connection to Kite lives. Raises `BadInput` where there is none."""
    life = kite_connection(desk).life
    assert isinstance(life, KiteLife)
    return life


def secrets_of(desk: Desk) -> DeskAccess:
    """Where the secrets of a desk's connection to Kite are kept. Raises `BadInput` where there is none."""
    access = kite_of(desk).access
    assert isinstance(access, DeskAccess)
    return access


async def _vault_of(
    base: Foundation, passphrase: Callable[[], str] | None, emergency: bool, needs_secrets: bool = True
) -> tuple[Vault, str]:
    """The home's vault; in an emergency one without secrets, and why, where it cannot be read.

    A closed one where it cannot be read and nobody needs it.
    """

    def opened() -> Vault:
        vault = open_vault(base.home, passphrase, base.settings.vault)
        vault.get("probe")
        return vault

    try:
        return await asyncio.to_thread(opened), ""
    except BadInput as problem:
        if not emergency and not needs_secrets:
            return ClosedVault(problem), ""
        if not emergency:
            raise
        log.error("going on without secrets: %s", problem)
        return NoVault(), f"no client's token can be read ({problem})"
