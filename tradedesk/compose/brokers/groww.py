"""The way to Groww, or to a stand-in on this machine to rehearse against."""

from collections.abc import Callable

from brokers.connection import Connection
from brokers.contract import BrokerAccount
from brokers.groww.broker import GrowwBroker
from brokers.groww.life import GrowwLife
from brokers.groww.roots import GrowwRoots, groww_roots
from data.records import replace
from data.repositories.connections import ConnectionRow
from data.vocabulary import ConnectionKind
from tradedesk.compose.desk_access import GROWW, DeskAccess
from tradedesk.compose.foundation import Foundation, Way
from tradedesk.compose.signing import fitting, ground_of


async def groww_way(
    base: Foundation,
    row: ConnectionRow,
    passphrase: Callable[[], str] | None = None,
    emergency: bool = False,
    needs_secrets: bool = True,
) -> Way:
    """The way to the Groww of a home, as its row says (`ground_of`). Raises `BadInput`."""
    roots = GrowwRoots() if row.address == GrowwRoots().rest else groww_roots(row.address)
    ground = await ground_of(base, row, roots, "groww_url", passphrase, emergency, needs_secrets)
    access = DeskAccess(ground.vault, GROWW)

    def session_lost(account: BrokerAccount) -> None:
        life.session_lost(account)

    broker = GrowwBroker(
        access,
        replace(roots, looks_only=base.rules.looks_only),
        base.clock,
        rng=base.random,
        on_session_lost=session_lost,
    )
    clocks = base.clock, ground.market_clock
    life = GrowwLife(broker, access, roots.rest, clocks, base.settings.groww_feed, ground.trouble)
    there = Connection(row.name, row.kind, broker, life, row.address)
    return Way(there, ground.market_clock, fitting(base, access, ground))


def groww_row(url: str) -> ConnectionRow:
    """A connection to Groww, or to the stand-in at this address. Raises `BadInput`."""
    roots = groww_roots(url or None)
    kind = ConnectionKind.SIM if roots.is_local else ConnectionKind.LIVE
    return ConnectionRow("groww", kind, GROWW, roots.rest)
