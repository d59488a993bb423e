"""The way to Zerodha, or to a local Kite to rehearse against."""

import logging
from collections.abc import Callable

from brokers.connection import Connection
from brokers.contract import BrokerAccount
from brokers.kite.access import KiteRoots, kite_roots
from brokers.kite.broker import KiteBroker
from brokers.kite.life import KiteLife
from data.errors import BadInput
from data.records import replace
from data.repositories.connections import ConnectionRow
from data.vocabulary import ConnectionKind
from engine.desk import Desk
from tradedesk.compose.desk_access import ZERODHA, DeskAccess, access_of
from tradedesk.compose.foundation import Foundation, Way
from tradedesk.compose.signing import fitting, ground_of

log = logging.getLogger(__name__)


async def kite_way(
    base: Foundation,
    row: ConnectionRow,
    passphrase: Callable[[], str] | None = None,
    emergency: bool = False,
    needs_secrets: bool = True,
) -> Way:
    """The way to the Kite of a home, as its row says (`ground_of`). Raises `BadInput`."""
    roots = KiteRoots() if row.address == KiteRoots().rest else kite_roots(row.address)
    ground = await ground_of(base, row, roots, "kite_url", passphrase, emergency, needs_secrets)
    access = DeskAccess(ground.vault, ZERODHA)

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
    clocks = base.clock, ground.market_clock
    life = KiteLife(broker, access, roots.rest, clocks, base.settings.kite_feed, ground.trouble)

    there = Connection(row.name, row.kind, broker, life, row.address)
    return Way(there, ground.market_clock, fitting(base, access, ground))


def kite_row(url: str) -> ConnectionRow:
    """A connection to Zerodha's Kite, or to the local one at this address. Raises `BadInput`."""
    roots = kite_roots(url or None)
    kind = ConnectionKind.SIM if roots.is_local else ConnectionKind.LIVE
    return ConnectionRow("kite", kind, ZERODHA, roots.rest)


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
    return access_of(kite_connection(desk))
