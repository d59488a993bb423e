"""The day's alerts: those that stand, and what the trader does about them.

They are rows of the books, so that no restart tells one again. Orders whose chase ended with its program
(`lost_chases.py`) are named while they live.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.json_values import read_as
from data.records import replace
from data.repositories.alerting.alerts import (
    StoredAlert,
    end_alert,
    lost_chases_of,
    put_alert_off,
    read_alerts,
)
from data.store import Unit
from data.vocabulary import AlertKind
from engine.alerts.hand_over import begins_at, still_dying
from engine.alerts.square_off import SquareOff
from engine.book.kept import Kept
from engine.book.watched.alert_views import AlertFigure, AlertIndex, AlertOrder, AlertPosition, AlertView
from engine.colon.alerts import AT_FIRST, put_off_for
from engine.events import AlertRaised, AlertsChanged, Event
from engine.guards.guards import Guards
from engine.instances import ThisEngine
from engine.raising import AlertTold, raise_alert
from engine.review.lost_chases import LostChases
from engine.timing import Timing

log = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
"""Seconds between two looks at whether something is due, and at what other processes raised."""


class Alerts:
    """Knows the day's alerts, and which of them the trader has not done with."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        square_off: SquareOff,
        chases: LostChases,
        guards: Guards,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._square_off = square_off
        self._chases = chases
        self._guards = guards
        self._raised = asyncio.Event()
        self._known: Sequence[StoredAlert] = ()

    @property
    def standing(self) -> list[AlertView]:
        """The day's alerts that are neither done with nor put off, the newest first."""
        now = self._timing.wall.now()
        # By a clock that stands before an alert was raised, nothing says how long it is put off: it is shown.
        open_still = [
            self.view_of(one)
            for one in self._known
            if one.done_at is None and (one.later is None or one.later <= now or now < one.at)
        ]
        still = (AlertKind.CHASES_LOST, AlertKind.GUARDS, AlertKind.HAND_OVER)
        standing = [
            one for one in open_still if one.kind not in still or one.orders or one.guards or one.dying
        ]
        return [one for one in standing if self._holds(one)]

    def _holds(self, one: AlertView) -> bool:
        """Whether what an alert says of a run or a broker is so now."""
        match one.kind:
            case AlertKind.BUYS_WAIT:
                return self._waits(one)
            case AlertKind.BROKER_DOWN:
                return one.subject in self._kept.book.access.down
            case AlertKind.BROKER_ANSWERS:
                return one.subject not in self._kept.book.access.down
            case _:
                return True

    def _waits(self, one: AlertView) -> bool:
        """Whether the run that buys waited in has still to order some."""
        run = self._kept.book.runs.get(int(one.subject))
        return run is not None and run.staged > 0

    def named(self, word: str) -> AlertView:
        """The alert of the day with this number, or the newest of this kind, put off or not.

        Raises `BadInput` where none such is to be done with.
        """
        to_do = [one for one in self._known if one.done_at is None]
        for one in to_do:
            if word in (str(one.number), one.kind.value):
                return self.view_of(one)
        there = [f"{one.kind.value} ({one.number})" for one in to_do]
        words = f"give {', '.join(there[:6])}" if there else "no alert of the day is to be done with"
        raise BadInput("alert", word, words)

    def view_of(self, one: StoredAlert) -> AlertView:
        """A stored alert as it is shown."""
        made = AlertView(
            one.kind,
            one.trading_date,
            one.at,
            number=one.number,
            subject=one.subject,
            told=one.told,
            client_ids=None if one.client_ids is None else tuple(one.client_ids),
            urgent=one.urgent,
        )
        if one.kind is AlertKind.CHASES_LOST:
            return replace(made, orders=tuple(self._orders(one)))
        if one.kind is AlertKind.SQUARE_OFF:
            positions = tuple(AlertPosition(**read_as(values)) for values in one.positions)
            return replace(made, positions=positions, ends=self._square_off.ends())
        if one.kind is AlertKind.HAND_OVER:
            dying = tuple(still_dying(self._kept.book, one))
            return replace(made, dying=dying, dies_at=begins_at(self._timing))
        if one.kind is AlertKind.MARKET_FALL:
            return replace(made, index=next((AlertIndex(**read_as(told)) for told in one.positions), None))
        if one.kind is AlertKind.GUARDS:
            return replace(made, guards=tuple(self._guards.asking()))
        figures = tuple(AlertFigure(**read_as(values)) for values in one.positions)
        return replace(made, figures=figures)

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

    # --- knowing ---

    async def keep(self) -> None:
        """Raise what falls due, and read what others raised, for as long as the desk lives."""
        while True:
            try:
                await self._look()
            except Exception as problem:  # whatever it was, the next look comes soon
                log.warning("alerts could not be looked at: %s", problem)
            await self._pause()

    async def _pause(self) -> None:
        """Wait for the next look, which comes at once where an alert was raised."""
        told = asyncio.create_task(self._raised.wait())
        patience = asyncio.create_task(self._timing.wall.sleep(LOOK_EVERY_S))
        try:
            await asyncio.wait({told, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
            patience.cancel()

    async def _look(self) -> None:
        self._raised.clear()
        before = self._known
        await self.read()
        if before != self._known:
            self._kept.bus.publish([AlertsChanged()])
        await self._square_off.look(self._known)

    async def read(self) -> None:
        """Know the day's alerts as they stand in the books."""
        async with self._kept.store.reader() as reader:
            self._known = await read_alerts(reader, self._timing.market.trading_day)

    async def look_again(self) -> None:
        """Know what was just written of them, and tell that they changed."""
        await self.read()
        self._kept.bus.publish([AlertsChanged()])

    def heard(self, event: Event) -> None:
        """Read again what somebody has raised on this desk."""
        if isinstance(event, AlertRaised):
            self._raised.set()

    async def test(self) -> int:
        """Raise an alert that says nothing but that alerts arrive; returns its number."""
        told = AlertTold(AlertKind.TEST, subject=self._timing.wall.now().isoformat())
        return await self._raise(told)

    async def _raise(self, told: AlertTold) -> int:
        day, actor = self._timing.market.trading_day, self._engine.actor
        number = await self._kept.store.write(lambda unit: raise_alert(unit, told, day, actor))
        await self.read()
        return number

    # --- what the trader does ---

    async def done(self, alert: AlertView) -> None:
        """Be done with an alert: it is not shown again."""
        actor = self._engine.actor

        def unit_of_work(unit: Unit) -> None:
            if end_alert(unit, alert.number, unit.now, actor):
                details: dict[str, object] = {"alert": alert.kind.value, "number": alert.number}
                unit.audit(AuditEntry(AuditAction.ALERT_DONE, actor, details=details))

        await self._kept.store.write(unit_of_work)
        await self.look_again()

    async def put_off(self, alert: AlertView, how_long: str = AT_FIRST) -> datetime:
        """Show an alert again later; returns when. Raises `BadInput` for what is no span or time to come."""
        until = self._timing.wall.now() + put_off_for(how_long, self._timing.market.now())

        def unit_of_work(unit: Unit) -> None:
            if put_alert_off(unit, alert.number, until):
                details: dict[str, object] = {
                    "alert": alert.kind.value,
                    "number": alert.number,
                    "how_long": how_long,
                    "until": until,
                }
                unit.audit(AuditEntry(AuditAction.ALERT_PUT_OFF, self._engine.actor, details=details))

        await self._kept.store.write(unit_of_work)
        await self.look_again()
        return until
