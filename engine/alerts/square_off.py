"""Before brokers end intraday positions by themselves, each that is open still is named, by their net."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from data.clock import IST
from data.records import values_of
from data.repositories.alerting.alerts import StoredAlert
from data.vocabulary import AlertKind, FlattenWhat, HaltScope
from engine.book.kept import Kept
from engine.book.watched.alert_views import AlertPosition
from engine.flatten.flattens import Flattens
from engine.instances import ThisEngine
from engine.news import SquareOffNear
from engine.raising import AlertTold, raise_alert
from engine.rules import SQUARE_OFF_AHEAD, SQUARE_OFF_TOLD_AT
from engine.timing import Timing

NOTHING_FOR = timedelta(minutes=5)
"""How long after a read that found no intraday position the brokers are not asked for any again."""


class SquareOff:
    """Looks for open intraday positions once their end is near."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, flatten: Flattens) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._flatten = flatten
        self._nothing_until: datetime | None = None

    def ends(self) -> tuple[datetime, ...]:
        """When brokers end intraday positions today, the earliest first."""
        brokers = {client.broker for client in self._kept.book.open_clients()}
        return tuple(end.at for end in self._timing.intraday_ends(brokers))

    async def look(self, known: Iterable[StoredAlert]) -> None:
        """Raise the day's alert if it falls due and is not among those `known`."""
        if not self._is_due(known):
            return
        found = await self._flatten.prospect(HaltScope.EVERYTHING, "", FlattenWhat.MIS)
        positions = [
            AlertPosition(one.client_id, one.key, one.tradingsymbol, one.net)
            for one in found.positions
            if one.net
        ]
        if not positions:
            self._nothing_until = self._timing.market.now() + NOTHING_FOR
            return
        day, of = self._timing.market.trading_day, frozenset(one.client_id for one in positions)
        told = AlertTold(
            AlertKind.SQUARE_OFF,
            client_ids=of,
            told={"positions": len(positions), "clients": len(of)},
            named=[values_of(one) for one in positions],
            news=SquareOffNear(len(positions), len(of), self.ends()),
        )
        await self._kept.store.write(lambda unit: raise_alert(unit, told, day, self._engine.actor))

    def _is_due(self, known: Iterable[StoredAlert]) -> bool:
        """Whether open intraday positions are to be looked for now."""
        now, ends = self._timing.market.now(), self.ends()
        if not ends or any(one.kind is AlertKind.SQUARE_OFF for one in known):
            return False
        told_at = datetime.combine(self._timing.market.trading_day, SQUARE_OFF_TOLD_AT, IST)
        begins = min(told_at, ends[0] - SQUARE_OFF_AHEAD)
        waits = self._nothing_until is not None and now < self._nothing_until
        return begins <= now < ends[-1] and not waits
