"""What guards do by themselves: samples twice a second, trips, and all that follows from those, once.

What follows from a look is written by units that hold whether another engine has done it, so that two of
them do it once.
"""

import logging
from collections.abc import Mapping

from data.errors import BadInput, TradedeskError
from data.repositories.trading.guards import StoredGuard, StoredTrip
from data.store import GateMode
from data.vocabulary import GuardAction, GuardState, HaltScope, TripKind
from engine.book.kept import Kept
from engine.events import AlertsChanged, GuardsLooked
from engine.execution.changes.cancels import ask
from engine.execution.workers import Workers
from engine.guards.booked import NEXT_DAY, Broken, begin_flatten, client_of, end_trip, tell, trip_guard
from engine.guards.judging import broken, limits_of
from engine.guards.sampling import TripDue, opening_elsewhere, opening_orders
from engine.guards.seeing import Seeing
from engine.instances import ThisEngine
from engine.market.market import Market
from engine.timing import Timing

log = logging.getLogger(__name__)

SAMPLE_EVERY_S = 0.5
"""Seconds between two samples: what stands broken for two seconds is found so by samples a second apart."""

TEND_EVERY_S = 1.0
"""Seconds between two looks at what trips have begun."""

OWNER = "guards"
"""Under which name guards follow prices of what nobody holds in our books."""


class Tending:
    """Takes the samples of one engine, and does what follows from them."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        workers: Workers,
        market: Market,
        seeing: Seeing,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._canceller = workers.canceller
        self._market = market
        self._flatten = seeing.flatten
        self._seeing = seeing
        self._sampler = seeing.sampler
        self._shown: Mapping[int, tuple[object, StoredTrip | None]] = {}
        self._told: set[tuple[int, GuardState, int]] = set()
        self._asked: set[tuple[int, str]] = set()
        """External orders whose cancel was asked for."""
        self._refused: dict[int, str] = {}
        """Why a guard's set could not be taken flat when that was last tried."""
        self._tended_s: float | None = None
        self._failed = ""

    async def keep(self) -> None:
        """Look at every guard twice a second, and do what follows."""
        while True:
            try:
                await self.look()
                self._failed = ""
            except Exception as problem:  # whatever it was, the next look comes soon
                if repr(problem) != self._failed:
                    log.exception("guards could not be looked at")
                self._failed = repr(problem)
            await self._timing.wall.sleep(SAMPLE_EVERY_S)

    async def look(self) -> None:
        """Take one sample and do what follows from it."""
        book = self._kept.book
        if not book.guards:
            return
        due = self._sampler.sample()
        for one in due:
            await self._trip(one)
        now = self._timing.wall.monotonic()
        if self._tended_s is None or now - self._tended_s >= TEND_EVERY_S:
            self._tended_s = now
            await self._tend()
        self._tell_moved()

    async def _trip(self, due: TripDue) -> None:
        """Write a trip unless it stands already; what it cancels is cancelled at once."""
        guard, book, day = due.guard, self._kept.book, self._timing.market.trading_day
        stands = book.trips.get(guard.number)
        if stands is not None and stands.trading_date == day and not _gives_way(stands.kind, due.kind):
            return
        members = [client.id for client in self._sampler.members(guard)]
        opening = [one.id for one in opening_orders(book, self._market.index, members)]
        whose, on = self._seeing.whose(guard), (day, self._engine)
        why = _broken_by(due)
        done = await self._engine.write_signed_on(
            lambda unit: trip_guard(unit, guard, why, whose, opening, on), GateMode.ALONE
        )
        if done is None:
            return
        self._engine.reached("guard_tripped")
        if (watched := self._sampler.watched.get(guard.number)) is not None:
            watched.broken_as = None
        self._canceller.carry_out(done.asked.requests)
        self._kept.bus.publish([AlertsChanged()])

    async def _tend(self) -> None:
        """Carry on what trips have begun, end what has passed, and tell what the trader must know."""
        book, day = self._kept.book, self._timing.market.trading_day
        await self._follow_owed()
        for number, trip in list(book.trips.items()):
            guard = book.guards.get(number)
            if guard is None:
                continue
            if trip.trading_date < day:
                await self._end(guard, NEXT_DAY)
            elif trip.kind is TripKind.BLIND:
                await self._look_again(guard)
            else:
                await self._carry_on(guard, trip)
            await self._cancel_opening(guard)
        await self._seeing.look_at_flattens()
        await self._tell()

    async def _end(self, guard: StoredGuard, by: str, clears: TripKind | None = None) -> None:
        whose = self._seeing.whose(guard)
        await self._engine.write_signed_on(lambda unit: end_trip(unit, guard, whose, by, clears))

    async def _look_again(self, guard: StoredGuard) -> None:
        """End a block for want of sight once the guard sees, and its limit is not broken."""
        watched = self._sampler.watched.get(guard.number)
        net = None if watched is None or watched.counted is None else watched.counted.net_paise
        if net is not None and broken(net, limits_of(guard, self._sampler.base_of(guard))) is None:
            await self._end(guard, f"guard {guard.number}", TripKind.BLIND)

    async def _carry_on(self, guard: StoredGuard, trip: StoredTrip) -> None:
        """Begin the flatten of a trip, once; carry on one whose engine has ended."""
        client_id = client_of(guard)
        if not trip.flattens or client_id is None:
            return
        if trip.flatten_number is not None:
            dead = [one.number for one in self._flatten.going if not one.carried]
            if trip.flatten_number in dead:
                await self._flatten.carry_on(trip.flatten_number)
        elif not self._seeing.held_back(guard) and self._sampler.trades_any(guard):
            by = f"guard {guard.number}"
            try:
                await self._flatten.start_alone(
                    client_id,
                    guard.what,
                    by,
                    lambda unit, flatten: begin_flatten(unit, guard.number, flatten),
                )
                self._engine.reached("guard_flattens")
            except BadInput:  # another engine was first
                return
            except TradedeskError as problem:
                if self._refused.get(guard.number) != str(problem):
                    log.warning("guard %s cannot take its set flat now: %s", guard.number, problem)
                self._refused[guard.number] = str(problem)

    async def _cancel_opening(self, guard: StoredGuard) -> None:
        """Cancel live orders that open and that the trip's commit did not know, ours and others'."""
        if self._engine.looks_only:
            return
        book, index = self._kept.book, self._market.index
        trip = book.trips.get(guard.number)
        if trip is None or not any(one.number == trip.halt_number for one in book.halts):
            return
        members = [client.id for client in self._sampler.members(guard)]
        late = [
            one.id
            for one in opening_orders(book, index, members)
            if not self._canceller.is_cancelling(one.id)
        ]
        if late:
            why, by = f"guard {guard.number}", f"guard {guard.number}"
            asked = await self._kept.store.write(lambda unit: ask(unit, late, why, by, trip.halt_number))
            self._canceller.carry_out(asked.requests)
        for client_id in members:
            for one in opening_elsewhere(book, index, client_id):
                if (client_id, one.broker_order_id) in self._asked:
                    continue
                self._asked.add((client_id, one.broker_order_id))
                await self._canceller.cancel_external(client_id, one.broker_order_id)

    async def _follow_owed(self) -> None:
        """Have prices come of what is owed, which our books do not hold."""
        owed = frozenset(one.key for of_client in self._kept.book.owed.values() for one in of_client)
        if owed != self._market.followed_by(OWNER):
            await self._market.follow(owed, OWNER)

    async def _tell(self) -> None:
        """Raise the day's alert for guards that stand as they were not told to stand yet."""
        day, told = self._timing.market.trading_day, False
        for guard in list(self._kept.book.guards.values()):
            trip = self._kept.book.trips.get(guard.number)
            if trip is None and self._sampler.is_quiet(guard):
                continue
            view, nth = self._seeing.view(guard), 0 if trip is None else trip.nth
            worth = view.alarmed or view.state in (GuardState.NEAR, GuardState.FLAT, GuardState.LOCKED)
            if not worth or (view.number, view.state, nth) in self._told:
                continue
            whose = self._seeing.whose(guard)
            await self._engine.write_signed_on(
                lambda unit, view=view, nth=nth, whose=whose: tell(unit, day, view, nth, whose)
            )
            self._told.add((view.number, view.state, nth))
            told = True
        if told:
            self._kept.bus.publish([AlertsChanged()])

    def _tell_moved(self) -> None:
        """Tell which bars have moved since the last sample."""
        book, watched = self._kept.book, self._sampler.watched
        now = {
            number: (watched[number].shown if number in watched else None, book.trips.get(number))
            for number in book.guards  # one that was set behind the sample has nothing to show yet
        }
        moved = {number for number, shown in now.items() if self._shown.get(number) != shown}
        if moved or self._shown.keys() != now.keys() or self._seeing.flattens:
            of = (client_of(book.guards[number]) for number in {*moved, *book.trips} & book.guards.keys())
            self._kept.bus.publish([GuardsLooked(frozenset(one for one in of if one is not None))])
        self._shown = now


def _broken_by(due: TripDue) -> Broken:
    """Why a guard trips, and at what, by the sample that showed it."""
    guard, limits = due.guard, due.limits
    if due.kind is TripKind.BLIND:
        return Broken(due.kind, None, None, limits.base_paise, False)
    flattens = guard.action is GuardAction.FLAT and guard.scope is HaltScope.CLIENT
    limit = limits.loss_paise if due.kind is TripKind.LOSS else limits.target_paise
    return Broken(due.kind, due.net_paise, limit, limits.base_paise, flattens)


def _gives_way(stands: TripKind, due: TripKind) -> bool:
    """Whether a trip that stands gives its place to one that is due: what was not seen to what is seen."""
    return stands is TripKind.BLIND and due is not TripKind.BLIND
