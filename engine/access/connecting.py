"""The connections of a home: kept with its books, added to, and who of its clients trades by which."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from brokers.connection import Connection
from brokers.connections import Connections, carrier
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput, TradedeskError
from data.repositories import connections as stored
from data.repositories.connections import ConnectionRow
from data.repositories.instances import beats
from data.repositories.meta import LIVE_BESIDE, keep_facts
from data.store import Unit
from data.vocabulary import ConnectionKind
from engine.book.kept import Kept
from engine.instances import ThisEngine


class ConnectionsChanged(TradedeskError):  # noqa: N818 - what the trader is told
    """Another process has given this home other connections since this desk was made."""


class ConnectionView(Struct, frozen=True):
    """One connection as it is shown: its row, how many clients it carries, and whether it brings the prices.

    `trouble` says why its venue cannot be reached or its secrets not be read, empty where nothing is wrong.
    """

    row: ConnectionRow
    clients: int
    brings_prices: bool
    trouble: str


def word_for(rows: Sequence[ConnectionRow]) -> str:
    """What is typed to have these connections in one home: `live beside paper`; empty where nothing need be.

    Where real money moves, nothing may look as if it did and does not, unless somebody wants just that.
    """
    kinds = {one.kind for one in rows}
    others = " and ".join(sorted(kind.value for kind in kinds - {ConnectionKind.LIVE}))
    return f"live beside {others}" if others and ConnectionKind.LIVE in kinds else ""


def as_told(rows: Sequence[ConnectionRow]) -> str:
    """Connections as they are kept where they were let stand together: by all that says where money goes."""
    told = (f"{one.name} {one.kind.value} {one.broker} {one.address}" for one in rows)
    return "; ".join(sorted(map(str.strip, told)))


def check_let_together(rows: Sequence[ConnectionRow], let: str) -> None:
    """Raise `BadInput` where a live connection stands beside another and just these were not let to.

    `let` is which connections were, as the home's facts and audit say it.
    """
    if not _beside_live(rows) or let == as_told(rows):
        return
    word = word_for(rows)
    expected = f"nobody has typed {repr(word) if word else 'the words'} for these connections"
    if let:
        expected += (
            f", but for {let!r}: a row of them was changed by hand. Put it back as it was, or put back a copy"
            " of desk.db"
        )
    else:
        expected += (
            ": a row of them was changed by hand, or what the home and its audit keep of the typing. Put back"
            " a copy of desk.db, or delete the row of one from its table connection and let it stand again"
            " with `tradedesk connections add`"
        )
    raise BadInput("connection", as_told(rows), expected)


def _beside_live(rows: Sequence[ConnectionRow]) -> bool:
    return len(rows) > 1 and any(one.kind is ConnectionKind.LIVE for one in rows)


def check_together(rows: Sequence[ConnectionRow]) -> None:
    """Raise `BadInput` where a home has no room for these connections beside each other."""
    names, brokers = Counter(one.name for one in rows), Counter(one.broker for one in rows)
    for name, count in names.items():
        if count > 1:
            raise BadInput("connection", name, "this home has a connection of that name")
    for broker, count in brokers.items():
        if count > 1:
            raise BadInput("connection", broker, "this home has a connection to it; one is enough for all")


def _check_word(given: str, wanted: str, row: ConnectionRow) -> None:
    """Raise `BadInput` where what was typed is not the word that this connection takes here."""
    if " ".join(given.split()).casefold() == wanted.casefold():
        return
    if not wanted:
        expected = f"leave it out: with {row.name} no live connection is beside another kind"
        raise BadInput("word", given, expected)
    expected = (
        f"a live connection would share this home with another kind: type {wanted!r}, or give it as --word"
    )
    raise BadInput("word" if given else "connection", given or row.name, expected)


def _row(of: Connection) -> ConnectionRow:
    return ConnectionRow(of.name, of.kind, of.broker.name, of.address, of.identity)


class Connecting:
    """Keeps the rows of a desk's connections."""

    def __init__(self, kept: Kept, engine: ThisEngine, connections: Connections) -> None:
        self._kept = kept
        self._engine = engine
        self._connections = connections
        self.bears_others = False
        """Whether this desk goes on though its home has more connections, as an emergency does."""

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

        Raises `ConnectionsChanged` where the home has others by now and this desk does not bear that.
        """
        mine = {one.name: _row(one) for one in self._connections if not one.life.trouble}
        standing = {one.name: one for one in stored.every_connection(unit)}
        if not standing:
            stored.add_connections(unit, list(mine.values()))
            return
        if len(standing) > len(list(self._connections)) and not self.bears_others:
            raise ConnectionsChanged("this home was given another connection just now; open it again")
        for name, row in mine.items():
            if row.identity and name in standing and not standing[name].identity:
                stored.save_identity(unit, row)

    def word_for(self, row: ConnectionRow) -> str:
        """What has to be typed to give this home the connection; empty where nothing has."""
        return word_for([*(_row(one) for one in self._connections), row])

    async def add(self, row: ConnectionRow, word: str = "") -> None:
        """Give the home one more connection; it counts from the next opening, so that no desk else is open.

        Where a live one would stand beside another kind, `word` must be the one for that (`word_for`); the
        audit keeps who let them, by which way, and both kinds. Raises `BadInput` where it may not stand
        beside the others, or another engine lives.
        """

        def unit_of_work(unit: Unit) -> None:
            rows = [*stored.every_connection(unit), row]
            check_together(rows)
            _check_word(word, word_for(rows), row)
            if any(one.id != self._engine.id and self._engine.lives(one.id) for one in beats(unit)):
                raise BadInput("home", str(self._kept.home), "it is open elsewhere; close the app first")
            stored.add_connections(unit, [row])
            details = {"name": row.name, "kind": row.kind.value, "broker": row.broker, "address": row.address}
            unit.audit(AuditEntry(AuditAction.CONNECTION_ADDED, self._engine.actor, details=dict(details)))
            if _beside_live(rows):
                keep_facts(unit, {LIVE_BESIDE: as_told(rows)})
                kinds = sorted({one.kind.value for one in rows})
                told: dict[str, object] = {
                    "word": word_for(rows),
                    "kinds": kinds,
                    "connections": as_told(rows),
                }
                unit.audit(AuditEntry(AuditAction.LIVE_BESIDE_ALLOWED, self._engine.actor, details=told))

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
