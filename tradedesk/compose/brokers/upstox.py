"""The way to Upstox, or to a stand-in on this machine to rehearse against."""

from collections.abc import Callable

from brokers.connection import Connection
from brokers.contract import BrokerAccount
from brokers.upstox.broker import UpstoxBroker
from brokers.upstox.life import UpstoxLife
from brokers.upstox.roots import UpstoxRoots, upstox_roots
from data.records import replace
from data.repositories.connections import ConnectionRow
from data.vocabulary import ConnectionKind
from tradedesk.compose.desk_access import UPSTOX, DeskAccess
from tradedesk.compose.foundation import Foundation, Way
from tradedesk.compose.signing import fitting, ground_of


async def upstox_way(
    base: Foundation,
    row: ConnectionRow,
    passphrase: Callable[[], str] | None = None,
    emergency: bool = False,
    needs_secrets: bool = True,
) -> Way:
    """The way to the Upstox of a home, as its row says (`ground_of`). Raises `BadInput`."""
    roots = UpstoxRoots() if row.address == UpstoxRoots().rest else upstox_roots(row.address)
    ground = await ground_of(base, row, roots, "upstox_url", passphrase, emergency, needs_secrets)
    settings, access = base.settings, DeskAccess(ground.vault, UPSTOX)

    def session_lost(account: BrokerAccount) -> None:
        life.session_lost(account)

    port = settings.sign_in_port
    redirect = settings.upstox_redirect or (f"http://127.0.0.1:{port}/" if port else roots.redirect)
    broker = UpstoxBroker(
        access,
        replace(roots, redirect=redirect, looks_only=base.rules.looks_only),
        base.clock,
        rng=base.random,
        algos=settings.upstox_algos,
        on_session_lost=session_lost,
    )
    clocks = base.clock, ground.market_clock
    life = UpstoxLife(
        broker, access, roots.rest, clocks, settings.upstox_feed, ground.trouble, settings.upstox_algos
    )
    there = Connection(row.name, row.kind, broker, life, row.address)
    return Way(there, ground.market_clock, fitting(base, access, ground))


def upstox_row(url: str) -> ConnectionRow:
    """A connection to Upstox, or to the stand-in at this address. Raises `BadInput`."""
    roots = upstox_roots(url or None)
    kind = ConnectionKind.SIM if roots.is_local else ConnectionKind.LIVE
    return ConnectionRow("upstox", kind, UPSTOX, roots.rest)
