"""The connections of a home: kept with its books, added to, and who of its clients trades by which."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from brokers.connection import Connection
from brokers.connections import Connections, carrier
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput, TradedeskError
from data.repositories import connections as stored
from data.repositories.connections import ConnectionRow
from data.repositories.instances import beats
from data.store import Unit
from data.vocabulary import ConnectionKind
from engine.book.kept import Kept
from engine.instances import ThisEngine


class ConnectionsChanged(TradedeskError):  # noqa: N818 - what the trader is told
    """Another process has given this home other connections since this desk was made."""


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """One connection as it is shown: its row, how many clients it carries, and whether it brings the prices.

    `trouble` says why its venue cannot be reached or its secrets not be read, empty where nothing is wrong.
    """

    row: ConnectionRow
    clients: int
    brings_prices: bool
    trouble: str


def check_together(rows: Sequence[ConnectionRow]) -> None:
    """Raise `BadInput` where these connections may not be of one home.

    Where real money moves, nothing may look as if it did and does not: paper and live never share a home.
    """
    kinds = {one.kind for one in rows}
    if ConnectionKind.LIVE in kinds and len(kinds) > 1:
        others = ", ".join(sorted(kind.value for kind in kinds - {ConnectionKind.LIVE}))
        raise BadInput("connection", others, "a live connection shares its home with no other kind")
    names, brokers = Counter(one.name for one in rows), Counter(one.broker for one in rows)
    for name, count in names.items():
        if count > 1:
            raise BadInput("connection", name, "this home has a connection of that name")
    for broker, count in brokers.items():
        if count > 1:
            raise BadInput("connection", broker, "this home has a connection to it; one is enough for all")


def _row(of: Connection) -> ConnectionRow:
    return ConnectionRow(of.name, of.kind, of.broker.name, of.address, of.identity)


class Connecting:
    """Keeps the rows of a desk's connections."""

    def __init__(self, kept: Kept, engine: ThisEngine, connections: Connections) -> None:
        self._kept = kept
        self._engine = engine
        self._connections = connections

    def all(self) -> list[ConnectionView]:
        """Each connection of this desk, the one that brings the prices first."""
        carried = Counter(client.connection for client in self._kept.book.clients.values())
        feed = self._connections.feed
        return [
            ConnectionView(_row(one), carried[one.name], one is feed, one.life.trouble)
            for one in self._connections
        ]

    def keep(self, unit: Unit) -> None:
        """Keep this desk's connections with its books at the first opening, and know them again at others.

        Raises `ConnectionsChanged` where the home has others by now.
        """
        mine = {one.name: _row(one) for one in self._connections if not one.life.trouble}
        standing = {one.name: one for one in stored.every_connection(unit)}
        if not standing:
            stored.add_connections(unit, list(mine.values()))
            return
        if len(standing) > len(list(self._connections)):
            raise ConnectionsChanged("this home was given another connection just now; open it again")
        for name, row in mine.items():
            if row.identity and name in standing and not standing[name].identity:
                stored.save_identity(unit, row)

    async def add(self, row: ConnectionRow) -> None:
        """Give the home one more connection; it counts from the next opening, so that no desk else is open.

        Raises `BadInput` where it may not stand beside the others, or another engine lives.
        """

        def unit_of_work(unit: Unit) -> None:
            check_together([*stored.every_connection(unit), row])
            if any(one.id != self._engine.id and self._engine.lives(one.id) for one in beats(unit)):
                raise BadInput("home", str(self._kept.home), "it is open elsewhere; close the app first")
            stored.add_connections(unit, [row])
            details = {"name": row.name, "kind": row.kind.value, "broker": row.broker, "address": row.address}
            unit.audit(AuditEntry(AuditAction.CONNECTION_ADDED, self._engine.actor, details=dict(details)))

        await self._engine.write_signed_on(unit_of_work)

    async def carry(self, client_id: int, name: str) -> None:
        """Have a client trade by another connection from now on.

        Only one that has never traded here: its orders and shares are at the venue that it traded at. Raises
        `BadInput`.
        """
        client = self._kept.book.clients[client_id]
        found = carrier(self._connections, name)
        if found is None or not found.takes(client.broker):
            able = ", ".join(one.name for one in self._connections if one.takes(client.broker)) or "none"
            raise BadInput("connection", name, f"give one that takes clients of {client.broker}: {able}")

        def unit_of_work(unit: Unit) -> None:
            if stored.has_traded(unit, client_id):
                raise BadInput("client", client.code, "it has traded here: what it has is where it traded")
            stored.set_carrier(unit, client_id, name, unit.now)
            details = {"code": client.code, "from": client.connection, "to": name}
            unit.audit(
                AuditEntry(
                    AuditAction.CLIENT_CONNECTED,
                    self._engine.actor,
                    client_id=client_id,
                    details=dict(details),
                )
            )
            unit.touched.roster = True

        await self._engine.write_signed_on(unit_of_work)
