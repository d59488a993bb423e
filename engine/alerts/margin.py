"""Alerts about shares on margin: each warning once a day, none by a price that is too old."""

import logging

from msgspec import to_builtins

from data.store import Unit
from data.vocabulary import AlertKind, MtfLevel, MtfWarningKind
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.market.market import Market
from engine.mtf.service import Mtf
from engine.mtf.warnings import MtfWarning
from engine.raising import AlertTold, raise_alert
from engine.timing import Timing

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
"""Seconds between two looks at clients on margin."""

READ_EVERY = 6
"""Looks after which loans, lists and pledges are read again from the books."""

_BY_PRICE = (MtfWarningKind.FLOOR, MtfWarningKind.CALL)


class MtfAlerts:
    """Raises what `Mtf.warnings` finds."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, market: Market, mtf: Mtf) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market = market
        self._mtf = mtf
        self._told: set[tuple[object, str]] = set()

    async def keep(self) -> None:
        """Look for as long as the desk lives."""
        looks = 0
        while True:
            try:
                if looks % READ_EVERY == 0:
                    await self._mtf.read()
                await self.look()
            except Exception as problem:  # whatever it was, the next look comes soon
                log.warning("shares on margin could not be looked at: %s", problem)
            looks += 1
            await self._timing.wall.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Raise the warnings of now that were not raised today."""
        day, actor = self._timing.market.trading_day, self._engine.actor
        found = {_subject(one): one for one in self._mtf.warnings() if self._can_be_told(one)}
        fresh = {subject: one for subject, one in found.items() if (day, subject) not in self._told}
        if not fresh:
            return

        def unit_of_work(unit: Unit) -> None:
            for subject, one in fresh.items():
                raise_alert(unit, self._alert(subject, one), day, actor)

        await self._kept.store.write(unit_of_work)
        self._told = {(on, subject) for on, subject in self._told if on == day}
        self._told.update((day, subject) for subject in fresh)

    def _can_be_told(self, one: MtfWarning) -> bool:
        if one.kind not in _BY_PRICE:
            return True
        held = self._kept.book.holdings.get(one.client_id, ())
        return not any(self._market.stale(holding.key) for holding in held if holding.quantity)

    def _alert(self, subject: str, one: MtfWarning) -> AlertTold:
        code = self._kept.book.clients[one.client_id].code
        return AlertTold(
            AlertKind.MTF,
            subject=subject,
            client_ids=frozenset((one.client_id,)),
            told={"of": _of(one).value, "code": code, "warning": to_builtins(one)},
            urgent=one.kind in _BY_PRICE,
            codes=(code,),
        )


def _of(one: MtfWarning) -> MtfWarningKind | MtfLevel:
    """What it is of: a call and a sale are two."""
    return one.kind if one.rung is None else one.rung.threshold.level


def _subject(one: MtfWarning) -> str:
    """What there is one alert a day of: a client, what it is of, and of which of its stocks."""
    key = ""
    if one.pledge is not None:
        key = f"{one.pledge.key}@{one.pledge.bought_on.isoformat()}"
    elif one.stock is not None:
        key = one.stock.key
    return f"{one.client_id}:{_of(one).value}:{key}"
