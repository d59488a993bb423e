"""Alerts: what the trader is told once a day, kept in the books so that no restart tells it again.

Before brokers end intraday positions by themselves, each that is still open is named, by the brokers' net.
Orders whose chase ended with its program (`lost_chases.py`) are named while they live.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from data.audit import AuditAction, AuditEntry
from data.clock import IST
from data.errors import BadInput
from data.json_values import read_as
from data.records import replace, values_of
from data.repositories.alerts import (
    StoredAlert,
    add_alert,
    end_alert,
    lost_chases_of,
    put_alert_off,
    read_alerts,
)
from data.store import Unit
from data.vocabulary import AlertKind, FlattenWhat, HaltScope
from engine.book.alert_views import AlertOrder, AlertPosition, AlertView
from engine.book.kept import Kept
from engine.colon.alerts import AT_FIRST, put_off_for
from engine.events import AlertsChanged, TapeLine
from engine.flatten.flattens import Flattens
from engine.instances import ThisEngine
from engine.news import SquareOffNear
from engine.review.lost_chases import LostChases
from engine.rules import SQUARE_OFF_AHEAD, SQUARE_OFF_TOLD_AT
from engine.timing import Timing

log = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
"""Seconds between two looks at whether something is due."""

NOTHING_FOR = timedelta(minutes=5)
"""How long after a read that found no intraday position the brokers are not asked for any again."""


class Alerts:
    """Raises alerts as they fall due, and knows those that the trader has not done with."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, flatten: Flattens, chases: LostChases
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._flatten = flatten
        self._chases = chases
        self._known: Sequence[StoredAlert] = ()
        self._nothing_until: datetime | None = None

    @property
    def standing(self) -> list[AlertView]:
        """The day's alerts that are neither done with nor put off, the newest first."""
        now = self._timing.wall.now()
        # By a clock that stands before an alert was raised, nothing says how long it is put off: it is shown.
        open_still = [
            self._view(one)
            for one in self._known
            if one.done_at is None and (one.later is None or one.later <= now or now < one.at)
        ]
        return [one for one in open_still if one.kind is not AlertKind.CHASES_LOST or one.orders]

    def of_kind(self, kind: str) -> AlertView:
        """The day's alert of a kind, put off or not. Raises `BadInput` where none is to be done with."""
        there = {one.kind.value: one for one in self._known if one.done_at is None}
        if kind not in there:
            words = f"give {', '.join(there)}" if there else "no alert of the day is to be done with"
            raise BadInput("alert", kind, words)
        return self._view(there[kind])

    def _view(self, one: StoredAlert) -> AlertView:
        made = AlertView(one.kind, one.trading_date, one.at)
        if one.kind is AlertKind.CHASES_LOST:
            return replace(made, orders=tuple(self._orders(one)))
        positions = tuple(AlertPosition(**read_as(values)) for values in one.positions)
        return replace(made, positions=positions, ends=self._ends())

    def _orders(self, one: StoredAlert) -> Iterable[AlertOrder]:
        """Those of its orders that live and follow no market still."""
        orders = self._kept.book.orders
        for lost in lost_chases_of(one):
            order = orders.get(lost.order_id)
            if order is None or not order.live or order.id not in self._chases.lost:
                continue
            yield AlertOrder(
                order.id,
                order.client_id,
                order.key,
                order.tradingsymbol,
                order.side,
                order.leaves,
                order.limit_paise or 0,
                lost.bound_paise,
            )

    def _ends(self) -> tuple[datetime, ...]:
        """When brokers end intraday positions today, the earliest first."""
        ends = {self._timing.intraday_end(fno) for fno in (True, False)}
        return tuple(sorted(end for end in ends if end is not None))

    # --- raising ---

    async def keep(self) -> None:
        """Raise what falls due, for as long as the desk lives."""
        while True:
            try:
                await self._look()
            except Exception as problem:  # whatever it was, the next look comes soon
                log.warning("alerts could not be looked at: %s", problem)
            await self._timing.wall.sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        await self.read()
        if self._is_due():
            await self._raise_square_off()

    async def read(self) -> None:
        """Know the day's alerts as they stand in the books."""
        async with self._kept.store.reader() as reader:
            self._known = await read_alerts(reader, self._timing.market.trading_day)

    def _is_due(self) -> bool:
        """Whether open intraday positions are to be looked for now."""
        now, ends = self._timing.market.now(), self._ends()
        if not ends or any(one.kind is AlertKind.SQUARE_OFF for one in self._known):
            return False
        told_at = datetime.combine(self._timing.market.trading_day, SQUARE_OFF_TOLD_AT, IST)
        begins = min(told_at, ends[0] - SQUARE_OFF_AHEAD)
        waits = self._nothing_until is not None and now < self._nothing_until
        return begins <= now < ends[-1] and not waits

    async def _raise_square_off(self) -> None:
        found = await self._flatten.prospect(HaltScope.EVERYTHING, "", FlattenWhat.MIS)
        positions = [
            AlertPosition(one.client_id, one.key, one.tradingsymbol, one.net)
            for one in found.positions
            if one.net
        ]
        now = self._timing.market.now()
        if not positions:
            self._nothing_until = now + NOTHING_FOR
            return
        day, ends = self._timing.market.trading_day, self._ends()
        values = [values_of(one) for one in positions]
        alert = StoredAlert(AlertKind.SQUARE_OFF, day, self._timing.wall.now(), values)
        of = frozenset(one.client_id for one in positions)
        clients = len(of)

        def unit_of_work(unit: Unit) -> None:
            if not add_alert(unit, alert):
                return
            details = {"alert": alert.kind.value, "positions": len(positions), "clients": clients}
            unit.audit(AuditEntry(AuditAction.ALERT_RAISED, self._engine.actor, details=details))
            unit.publish(TapeLine(unit.now, SquareOffNear(len(positions), clients, ends), of))

        await self._kept.store.write(unit_of_work)
        await self.look_again()

    async def look_again(self) -> None:
        """Know what was just written of them, and tell that they changed."""
        await self.read()
        self._kept.bus.publish([AlertsChanged()])

    # --- what the trader does ---

    async def done(self, alert: AlertView) -> None:
        """Be done with an alert: it is not shown again."""
        kind, day, actor = alert.kind, alert.trading_date, self._engine.actor

        def unit_of_work(unit: Unit) -> None:
            if end_alert(unit, kind, day, unit.now, actor):
                details: dict[str, object] = {"alert": kind.value}
                unit.audit(AuditEntry(AuditAction.ALERT_DONE, actor, details=details))

        await self._kept.store.write(unit_of_work)
        await self.look_again()

    async def put_off(self, alert: AlertView, how_long: str = AT_FIRST) -> datetime:
        """Show an alert again later; returns when. Raises `BadInput` for what is no span or time to come."""
        until = self._timing.wall.now() + put_off_for(how_long, self._timing.market.now())

        def unit_of_work(unit: Unit) -> None:
            if put_alert_off(unit, alert.kind, alert.trading_date, until):
                details = {"alert": alert.kind.value, "how_long": how_long, "until": until}
                unit.audit(AuditEntry(AuditAction.ALERT_PUT_OFF, self._engine.actor, details=details))

        await self._kept.store.write(unit_of_work)
        await self.look_again()
        return until
