"""Brokers that are down: who has answered nobody for a while, so that its clients are red.

One read that fails says little: a line, a proxy, a moment. A desk that keeps up reads each client's books
once in `Waits.idle_poll_s`; a broker is down once reads of several clients have brought no answer, the latest
`Waits.down_after_s` behind the first, and none has brought one in between. Its clients buy nothing then. What
makes a position smaller is tried all the same, and so is every cancel.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta

from msgspec import to_builtins

from brokers.connection import Connection
from brokers.connections import Connections
from data.audit import AuditAction, AuditEntry
from data.repositories.meta import forget_facts, keep_facts
from data.store import Unit
from data.vocabulary import AlertKind, ClientStatus, SessionState
from engine.alert_figures import AnswersFigures, SilenceFigures
from engine.book.access_views import DOWN, DownView
from engine.book.kept import Kept
from engine.instances import POLICIES, ThisEngine
from engine.market_news import BrokerAnswers, BrokerDown
from engine.news import News
from engine.raising import AlertTold, raise_alert
from engine.timing import Timing

SEEN_OF = 3
"""Of how many clients reads have failed at least, where there are so many: one may have a line of its own."""


class BrokersDown:
    """Finds which brokers are down, and keeps that for every process of the home."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, connections: Connections) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = connections

    async def keep(self) -> None:
        """Keep what is found, and drop what is over or an ended engine had found. Raises `StoreError`."""
        known, found = self._kept.book.access.down, self._found()
        over = {name for name, one in known.items() if self._is_over(name, one, found)}
        begun = {name: one for name, one in found.items() if name not in known.keys() - over}
        if begun or over:
            ended = {name: known[name] for name in over}
            await self._kept.store.write(lambda unit: self._keep(unit, begun, ended))

    def _is_over(self, name: str, one: DownView, found: Collection[str]) -> bool:
        if one.engine == self._engine.id:
            return name not in found
        return not self._engine.lives(one.engine)

    def _found(self) -> Mapping[str, DownView]:
        if not POLICIES[self._engine.kind].keeps_up:
            return {}
        long_enough = timedelta(seconds=self._timing.waits.down_after_s)
        found: dict[str, DownView] = {}
        for connection in self._connections:
            silence = self._connections.silences.of(connection.name)
            if silence is None or silence.last - silence.since < long_enough:
                continue
            asked = self._asked(connection)
            if asked and len(silence.of & asked) >= min(SEEN_OF, len(asked)):
                found[connection.name] = DownView(self._engine.id, silence.since)
        return found

    def _asked(self, connection: Connection) -> set[int]:
        """The clients whose books are read there."""
        return {
            client.id
            for client in self._kept.book.clients.values()
            if client.connection == connection.name
            and client.status is ClientStatus.ACTIVE
            and client.session is SessionState.OK
        }

    def _keep(self, unit: Unit, begun: Mapping[str, DownView], over: Mapping[str, DownView]) -> None:
        """Keep who went down and who is not any more; that it answers is known of what this engine found."""
        forget_facts(unit, [DOWN + name for name in over])
        keep_facts(unit, {DOWN + name: one.fact for name, one in begun.items()})
        unit.touched.roster = True
        for connection in self._connections:
            name, broker = connection.name, connection.broker.name
            if (one := begun.get(name)) is not None:
                since, clients = self._timing.in_market(one.since), len(self._asked(connection))
                told = to_builtins(SilenceFigures(broker, since, clients))
                self._tell(unit, AlertKind.BROKER_DOWN, name, told, BrokerDown(broker, since, clients))
            elif (ended := over.get(name)) is not None and ended.engine == self._engine.id:
                down_s = int((unit.now - ended.since).total_seconds())
                told = to_builtins(AnswersFigures(broker, down_s))
                self._tell(unit, AlertKind.BROKER_ANSWERS, name, told, BrokerAnswers(broker))

    def _tell(
        self, unit: Unit, kind: AlertKind, name: str, told: Mapping[str, str | int], news: News
    ) -> None:
        """Tell it to audit, tape and trader, in the place of what was told of it earlier today."""
        actor, day = self._engine.actor, self._timing.market.trading_day
        unit.audit(AuditEntry(_ACTIONS[kind], actor, details={"connection": name, **told}))
        raise_alert(unit, AlertTold(kind, name, told=told, news=news), day, actor, again=True)


_ACTIONS = {
    AlertKind.BROKER_DOWN: AuditAction.BROKER_DOWN,
    AlertKind.BROKER_ANSWERS: AuditAction.BROKER_ANSWERS,
}
