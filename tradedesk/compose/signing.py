"""What ways to brokers whose clients sign in have alike: the vault, the market's clock, fitting the desk."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, time
from functools import partial
from typing import Protocol

from msgspec import Struct

from brokers.contract import BrokerError
from brokers.wire.local_clock import SimulatedMarketClock, market_time
from data.clock import IST, MarketClock, WallMarketClock
from data.errors import BadInput
from data.repositories.connections import ConnectionRow, connections_in
from data.repositories.days import newest_day_in
from data.secrets import ClosedVault, NoVault, Vault
from data.vocabulary import ConnectionKind
from engine.desk import Desk
from tradedesk.compose.desk_access import DeskAccess
from tradedesk.compose.foundation import Foundation
from tradedesk.compose.vault_look import look
from tradedesk.compose.vaults import vault_at

log = logging.getLogger(__name__)


class Roots(Protocol):
    """Where a broker's interfaces are."""

    @property
    def rest(self) -> str:
        """Where its REST calls go."""
        ...

    @property
    def is_local(self) -> bool:
        """Whether it is a stand-in on this machine."""
        ...


class Ground(Struct, frozen=True):
    """What a way to a broker stands on; a `trouble` says why its secrets or its market's time are not had."""

    vault: Vault
    market_clock: MarketClock
    trouble: str


async def ground_of(
    base: Foundation,
    row: ConnectionRow,
    roots: Roots,
    setting: str,
    passphrase: Callable[[], str] | None,
    emergency: bool,
    needs_secrets: bool,
) -> Ground:
    """The vault and the market's clock for a connection whose address has this `setting`.

    An `emergency` goes on without its secrets where those cannot be read. A desk that needs none calls nobody
    where they do not open. Raises `BadInput`, also where the row's kind is not that of its address.
    """
    if row.kind is not ConnectionKind.LIVE and not roots.is_local and not emergency:
        expected = f"{row.address} is live: its row was changed by hand"
        raise BadInput("connection", f"{row.name} {row.kind.value}", expected)
    vault, trouble = await vault_of(base, passphrase, emergency, needs_secrets)
    local_url = roots.rest if roots.is_local else ""
    market_clock, silence = await market_clock_of(base, local_url, setting, emergency)
    return Ground(vault, market_clock, trouble or silence)


async def market_clock_of(
    base: Foundation, local_url: str, setting: str, emergency: bool
) -> tuple[MarketClock, str]:
    """The clock of the market at a broker, or at a stand-in's address; and why it is guessed where it is.

    One that is silent keeps only its own clients: its market's time is told by another stand-in of the home,
    until it answers again. Raises `BadInput` naming the `setting` where none answers.
    """
    if not local_url:
        return WallMarketClock(base.clock), ""
    try:
        return SimulatedMarketClock(base.clock, await market_time(local_url)), ""
    except BrokerError as problem:
        if (told := await _told_by_another(base, local_url)) is not None:
            log.warning("the market's time is that of another broker: %s", problem)
            return SimulatedMarketClock(base.clock, told), ""
        day = newest_day_in(base.books.database)
        if not emergency or day is None:
            expected = f"start it with `tradedesk simulate {setting.partition('_')[0]}` first ({problem})"
            raise BadInput(setting, local_url, expected) from problem
        noon = datetime.combine(day, time(12, tzinfo=IST))
        return SimulatedMarketClock(base.clock, noon), str(problem)


async def _told_by_another(base: Foundation, silent: str) -> datetime | None:
    """What another stand-in of the home, at the same market, tells as its time; None where none answers."""
    for row in connections_in(base.books.place):
        if row.kind is ConnectionKind.SIM and row.address and row.address != silent:
            with suppress(BrokerError):
                return await market_time(row.address)
    return None


async def vault_of(
    base: Foundation, passphrase: Callable[[], str] | None, emergency: bool, needs_secrets: bool = True
) -> tuple[Vault, str]:
    """The home's vault; in an emergency one without secrets, and why, where it cannot be read.

    A closed one where it cannot be read and nobody needs it.
    """

    def opened() -> Vault:
        vault = vault_at(base.home, base.settings, passphrase)
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


def fitting(base: Foundation, access: DeskAccess, ground: Ground) -> Callable[[Desk], None]:
    """What fits a desk with a broker's sign-in: routes and sessions, the listener, the look at secrets."""

    def fit(desk: Desk) -> None:
        access.route_of = desk.routes.of
        access.session_of = desk.sessions.of
        if port := base.settings.sign_in_port:
            from brokers.wire.listener import RedirectListener  # a web server, for those who set it alone

            desk.sessions.redirects = partial(RedirectListener, port)
        desk.doctor.look_at_secrets = look_at_secrets

    def look_at_secrets() -> tuple[bool, str]:
        found = look(base.home, base.settings, lambda: ground.vault, ground.market_clock.now())
        return found.ok, found.words

    return fit
