"""GTTs and alerts that stand at brokers and place orders on later days: read when a day is closed."""

import asyncio
from datetime import datetime

from msgspec import Struct

from brokers.connections import Connections, Readers
from brokers.contract import BrokerError, KeepsConditionals
from data.vocabulary import ClientStatus, ConnectionKind, SessionState
from engine.book.kept import Kept
from engine.book.views import ClientView
from engine.rules import READERS
from engine.timing import Timing


class RestingThere(Struct, frozen=True):
    """What was found at brokers when they were last asked; `at` is None of a desk that has not asked yet.

    `found` has the code and what it does, `unread` the code and why nothing is known of a client's.
    """

    at: datetime | None = None
    found: tuple[tuple[str, str], ...] = ()
    unread: tuple[tuple[str, str], ...] = ()


NEVER_ASKED = RestingThere()


class RestingAtBrokers:
    """Asks brokers for what rests there beside orders; the paper exchange keeps none."""

    def __init__(self, kept: Kept, timing: Timing, connections: Connections) -> None:
        self._kept = kept
        self._timing = timing
        self._connections = connections
        self.last = NEVER_ASKED

    def any_kept(self) -> bool:
        """Whether any client's broker is one that keeps such orders."""
        return bool(self._clients())

    async def look(self) -> None:
        """Ask every client's broker now."""
        readers = Readers(self._kept.book.carrier_of, READERS)
        told = await asyncio.gather(*(self._of(one, readers) for one in self._clients()))
        self.last = RestingThere(
            self._timing.wall.now(),
            tuple(row for found, _ in told for row in found),
            tuple(row for _, unread in told for row in unread),
        )

    def _clients(self) -> list[ClientView]:
        book = self._kept.book
        there = [(one, book.carrier_of(one.id)) for one in book.open_clients()]
        return [
            one
            for one, carrier in there
            if carrier is not None
            and carrier.kind is not ConnectionKind.PAPER
            and one.status is ClientStatus.ACTIVE
        ]

    async def _of(
        self, client: ClientView, readers: Readers
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """What stands for one client, and what of it is not known."""
        if client.session is not SessionState.OK or not self._connections.serves(client.id):
            return [], [(client.code, "not signed in")]
        broker, account = self._connections.broker_of(client.id)
        if not isinstance(broker, KeepsConditionals):
            return [], [(client.code, f"{broker.name} does not tell them here")]
        async with readers.of(client.id):
            try:
                async with self._timing.wall.timeout(self._timing.waits.read_timeout_s):
                    rows = await broker.conditionals(account)
            except TimeoutError:
                return [], [(client.code, "its broker did not answer")]
            except BrokerError as problem:
                return [], [(client.code, str(problem))]
        found = [(client.code, f"{row.kind.value.upper()} {row.what}") for row in rows if row.places_orders]
        return found, [(client.code, row.words) for row in rows.unread]
