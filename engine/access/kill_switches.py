"""Clients' kill switches at brokers that have them: read, and set by a typed word of its own.

One bars every order of a segment for hours, those that would end a position too, so no halt sets it.
"""

from collections.abc import Sequence

from brokers.connections import Connections
from brokers.contract import (
    Ambiguous,
    BrokerAccount,
    BrokerError,
    HasKillSwitches,
    KillSwitch,
    NotSent,
    Refused,
)
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.store import Unit
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.timing import Timing


class SegmentLocks:
    """Reads and sets them."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, connections: Connections) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = connections

    def has(self, client_id: int) -> bool:
        """Whether a client's broker has them."""
        connection = self._kept.book.carrier_of(client_id)
        return connection is not None and isinstance(connection.broker, HasKillSwitches)

    async def read(self, client_id: int) -> Sequence[KillSwitch]:
        """Every segment of a client as its broker has it now. Raises `BadInput` where it cannot be read."""
        broker, account = self._broker(client_id)
        try:
            async with self._timing.wall.timeout(self._timing.waits.send_timeout_s):
                found = await broker.kill_switches(account)
        except (BrokerError, TimeoutError) as problem:
            words = str(problem) or "the broker did not answer in time"
            raise BadInput("client", self._code(client_id), words) from None
        self._connections.of(client_id).life.kill_switches_told(client_id, found)
        return found

    def word_for(self, client_id: int, segment: str) -> str:
        """What has to be typed to set one."""
        return f"lock {segment.strip().upper()} of {self._code(client_id)}"

    async def lock(self, client_id: int, segment: str, word: str) -> Sequence[KillSwitch]:
        """Bar a client's orders in a segment, and read what became of it; `word` must be that for it.

        The broker wants the segment flat and without open orders, and keeps it barred for hours. Raises
        `BadInput`, also where the broker does not show it as on afterwards.
        """
        broker, account = self._broker(client_id)
        wanted = segment.strip().upper()
        known = [one.segment for one in await self.read(client_id)]
        if wanted not in known:
            raise BadInput("segment", segment, f"give one of {', '.join(known)}")
        if " ".join(word.split()).casefold() != self.word_for(client_id, wanted).casefold():
            raise BadInput("word", word, f"type {self.word_for(client_id, wanted)!r}")
        details: dict[str, object] = {"code": self._code(client_id), "segment": wanted}
        action = AuditAction.KILL_SWITCH_SET

        def asked(unit: Unit) -> None:
            unit.audit(AuditEntry(action, self._engine.actor, client_id=client_id, details=details))

        await self._kept.store.write(asked)
        outcome = await broker.set_kill_switch(account, wanted)
        if isinstance(outcome, Refused):
            raise BadInput("segment", wanted, f"the broker refused it: {outcome.message}")
        found = await self.read(client_id)
        if not any(one.segment == wanted and one.on for one in found):
            why = outcome.why if isinstance(outcome, NotSent | Ambiguous) else "the broker shows it as off"
            raise BadInput("segment", wanted, f"it is not on: {why}")
        return found

    def _broker(self, client_id: int) -> tuple[HasKillSwitches, BrokerAccount]:
        code = self._code(client_id)
        if not self.has(client_id):
            raise BadInput("client", code, "its broker has no kill switch that can be read")
        broker, account = self._connections.broker_of(client_id)
        assert isinstance(broker, HasKillSwitches)
        return broker, account

    def _code(self, client_id: int) -> str:
        client = self._kept.book.clients.get(client_id)
        if client is None:
            raise BadInput("client", client_id, "no client has this id")
        return client.code
