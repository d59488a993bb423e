"""The morning's look at routes: by which address each client's calls really leave, before the first order.

One harmless read goes to each client's broker by its own route, so that a way out which leads nowhere is
known before the first order. But a broker takes orders from the address on its list alone, and looks at it
for orders alone, so that no read proves the address. What can be known of that without an order: which
address a service that the trader names (the setting `echo_url`) sees when it is asked through a client's own
way out, and which addresses the broker has on its list, where it tells that. Neither is the broker's own
sight of an order; the gate says whose word it is.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import date, time
from typing import Protocol

from msgspec import Struct

from brokers.connections import Connections, Readers
from brokers.contract import BrokerError, TellsAddresses
from data.audit import AuditAction, AuditEntry
from data.clock import IST
from data.errors import BadInput
from data.repositories.accounts.probes import StoredProbe, add_probes, seen_before
from data.store import StoreError, Unit
from data.vocabulary import ClientStatus, RouteKind, SessionProblem, SessionState
from engine.book.access_views import ProbeView, RouteView
from engine.book.kept import Kept
from engine.instances import POLICIES, ThisEngine
from engine.rules import READERS
from engine.timing import Timing

log = logging.getLogger(__name__)

PROBED_FROM = time(7, 30)
"""From when of a trading day, in India, routes are probed by themselves: sessions begin at six."""

AGAIN_S = 300.0
"""How long after it a probe that could not tell is made again, and another client's is looked for."""

NO_ECHO = "no service that tells it is set (echo_url)"
"""Why nobody sees an address where the trader has named no service."""

NOT_SIGNED_IN = "the broker tells its list to who is signed in"
"""Why the addresses on a broker's list are not known before that."""

_AND = "; "


class Echo(Protocol):
    """Asks through a client's way out which address that is seen as."""

    @property
    def name(self) -> str:
        """Whose word it is."""
        ...

    async def seen(self, route: RouteView) -> str:
        """The address in its usual form. Raises `BrokerError`."""
        ...


class NoEcho:
    """Stands where the trader has named no service."""

    name = ""

    async def seen(self, route: RouteView) -> str:
        """Raises `BrokerError`."""
        raise BrokerError(NO_ECHO)


class _Probed(Struct, frozen=True):
    client_id: int
    way_out: str
    told_by: str
    seen: str
    registered: str
    problem: str


class RouteProbes:
    """Looks by which address clients' calls leave, and keeps what it saw; the gate judges it.

    `check` asks a client's broker by its route whose session it is, and keeps whether it was reached.
    """

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        connections: Connections,
        check: Callable[[int], Awaitable[bool]],
    ) -> None:
        self._check = check
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = connections
        self._readers = Readers(kept.book.carrier_of, READERS)
        self.echo: Echo = NoEcho()

    def of(self, client_id: int) -> ProbeView | None:
        """What the newest probe of today found of a client's route; None before one."""
        return self._kept.book.access.probes.get(client_id)

    def _wanted(self) -> list[int]:
        """Active clients whose calls leave by a route of their own."""
        book, found = self._kept.book, list[int]()
        for client in book.open_clients():
            route, carrier = book.access.routes.get(client.id), book.carrier_of(client.id)
            with_route = route is not None and route.kind is not RouteKind.PAPER
            if with_route and client.status is ClientStatus.ACTIVE and carrier is not None:
                found += [client.id] if carrier.capabilities.needs_route else []
        return found

    async def look(self, client_ids: Collection[int] | None = None) -> list[ProbeView]:
        """Look now at the routes of these clients, or of all that have one. Raises `BadInput`.

        One that hangs keeps none of another broker from being looked at.
        """
        wanted = self._wanted()
        if client_ids is not None:
            for client_id in client_ids:
                if client_id not in wanted:
                    code = self._kept.book.clients[client_id].code
                    raise BadInput("client", code, "it has no route of its own whose address could be seen")
            wanted = [one for one in wanted if one in set(client_ids)]
        if not wanted:
            return []
        found = await asyncio.gather(*(self._look(client_id) for client_id in wanted))
        await self._engine.write_signed_on(lambda unit: self._keep(unit, found))
        probes = self._kept.book.access.probes
        return [probes[client_id] for client_id in wanted if client_id in probes]

    async def keep(self) -> None:
        """Look each trading day once for as long as the desk lives, and again where nothing could be told."""
        if not POLICIES[self._engine.kind].alone:
            return
        while True:
            now = self._timing.market.now().astimezone(IST)
            if now.date() == self._timing.market.trading_day and now.time() >= PROBED_FROM:
                try:
                    await self.look(self._unknown())
                except (StoreError, BadInput) as problem:
                    log.warning("routes could not be probed: %s", problem)
            await self._timing.wall.sleep(AGAIN_S)

    def _unknown(self) -> list[int]:
        """Whose route was not looked at today, or could not be told all of, which may have changed since."""
        found: list[int] = []
        for client_id in self._wanted():
            probe, session = self.of(client_id), self._kept.book.access.sessions.get(client_id)
            unreached = session is not None and session.problem is SessionProblem.UNREACHABLE
            if unreached or probe is None or self._may_tell_more(probe):
                found.append(client_id)
        return found

    def _may_tell_more(self, probe: ProbeView) -> bool:
        """Whether a look now could tell what the last one could not."""
        stands = {NO_ECHO} if self._signed_in(probe.client_id) else {NO_ECHO, NOT_SIGNED_IN}
        return bool(probe.problem) and not stands.issuperset(probe.problem.split(_AND))

    async def _look(self, client_id: int) -> _Probed:
        route = self._kept.book.access.routes[client_id]
        async with self._readers.of(client_id):
            if self._signed_in(client_id):
                await self._check(client_id)
            (seen, by, why), (registered, more) = await asyncio.gather(
                self._seen(route), self._registered(client_id)
            )
        return _Probed(client_id, route.way_out, by, seen, registered, _AND.join(filter(None, (why, more))))

    def _signed_in(self, client_id: int) -> bool:
        return self._kept.book.clients[client_id].session is SessionState.OK

    async def _seen(self, route: RouteView) -> tuple[str, str, str]:
        try:
            async with self._timing.wall.timeout(self._timing.waits.send_timeout_s):
                return await self.echo.seen(route), self.echo.name, ""
        except BrokerError as problem:
            return "", "", str(problem)
        except TimeoutError:
            return "", "", f"{self.echo.name} did not answer by {route.way_out}"

    async def _registered(self, client_id: int) -> tuple[str, str]:
        """The addresses on the broker's list, and why they are not known; neither where it never tells."""
        broker, account = self._connections.broker_of(client_id)
        if not isinstance(broker, TellsAddresses):
            return "", ""
        if not self._signed_in(client_id):
            return "", NOT_SIGNED_IN
        try:
            async with self._timing.wall.timeout(self._timing.waits.send_timeout_s):
                return " ".join(sorted(await broker.registered_addresses(account))), ""
        except TimeoutError:
            return "", "the broker did not tell its list in time"
        except BrokerError as problem:
            return "", f"the broker did not tell its list: {problem}"

    def _keep(self, unit: Unit, found: Collection[_Probed]) -> None:
        day: date = self._timing.market.trading_day
        numbers = unit.take_ids("route_probe", len(found))
        rows = [
            StoredProbe(
                number,
                one.client_id,
                day,
                one.way_out,
                one.told_by,
                one.seen,
                seen_before(unit, one.client_id, one.way_out, day),
                one.registered,
                one.problem[:300],
                unit.now,
            )
            for number, one in zip(numbers, found, strict=True)
        ]
        add_probes(unit, rows)
        details: dict[str, object] = {
            "routes": len(rows),
            "seen": sum(bool(one.seen) for one in rows),
            "told_by": self.echo.name,
        }
        unit.audit(AuditEntry(AuditAction.ROUTES_PROBED, self._engine.actor, details=details))
        unit.touched.roster = True
