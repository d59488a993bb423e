"""The guard service: guards set, shown, and armed again. What they do by themselves is in `tending.py`."""

from datetime import datetime

from data.errors import BadInput
from data.repositories.trading.guards import StoredGuard, StoredTrip
from data.vocabulary import FlattenState, FlattenWhat, GuardAction, HaltScope
from engine.book.kept import Kept
from engine.book.watched.guard_views import GuardView
from engine.events import AlertsChanged
from engine.execution.workers import Workers
from engine.flatten.flattens import Flattens
from engine.guards.asked import GuardWish, answer_of
from engine.guards.booked import end_trip, remove_guard, set_guard
from engine.guards.judging import broken, limits_of
from engine.guards.seeing import Seeing
from engine.guards.tending import Tending
from engine.guards.viewing import guard_view
from engine.instances import ThisEngine
from engine.market.market import Market
from engine.timing import Timing


class Guards:
    """Sets guards, looks at what they guard, and does once what each says."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        workers: Workers,
        market: Market,
        flatten: Flattens,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._seeing = Seeing(kept, timing, market, flatten)
        self._tending = Tending(kept, timing, engine, workers, market, self._seeing)

    async def keep(self) -> None:
        """Look at every guard twice a second, and do what follows, for as long as the desk lives."""
        await self._tending.keep()

    async def look(self) -> None:
        """Take one sample, and do what follows from it."""
        await self._tending.look()

    # --- looking ---

    def all(self) -> list[GuardView]:
        """Every guard that is set, as the last sample showed it: what needs the trader first."""
        return self._seeing.all()

    def of(self, client_id: int) -> list[GuardView]:
        """The guards of one client alone, that nearest to its limit first."""
        return self._seeing.of(client_id)

    def asking(self) -> list[GuardView]:
        """The guards that the trader must look at."""
        return self._seeing.asking()

    async def read(self) -> None:
        """Look once, with prices asked for: for a command that opens a desk of its own."""
        await self._seeing.read()

    def get(self, scope: HaltScope, value: str, what: FlattenWhat) -> GuardView:
        """The guard of a scope and set. Raises `BadInput` where there is none."""
        return self._seeing.view(self._find(scope, value, what))

    def _find(self, scope: HaltScope, value: str, what: FlattenWhat) -> StoredGuard:
        for one in self._kept.book.guards.values():
            if (one.scope, one.value, one.what) == (scope, value, what):
                return one
        raise BadInput("guard", f"{self._seeing.named(scope, value)} {what.value}", "no such guard is set")

    # --- setting ---

    def answer(self, wish: GuardWish) -> str:
        """What must be typed to set this guard as its set stands now; empty where nothing must.

        Raises `BadInput` for a wish that is none.
        """
        view = self.prospect(wish)
        return answer_of(wish, view.of, view.stands_broken)

    def prospect(self, wish: GuardWish) -> GuardView:
        """The guard as it would stand now. Raises `BadInput` for a wish that is none."""
        self._check(wish)
        at, by = self._timing.wall.now(), self._engine.actor
        guard = _unset(wish, at, by)
        watched = self._seeing.sampler.once(guard)
        named = self._seeing.named(wish.scope, wish.value)
        base = self._seeing.sampler.base_of(guard)
        return guard_view(guard, named, base, watched, self._timing.wall.monotonic(), None, None)

    def _check(self, wish: GuardWish) -> None:
        """Raise `BadInput` for a guard that would guard nothing, or that nobody may have."""
        named = self._seeing.named(wish.scope, wish.value)
        if wish.scope not in (HaltScope.CLIENT, HaltScope.GROUP, HaltScope.EVERYTHING):
            raise BadInput("guard", wish.scope.value, "guard a client, a group or the desk")
        if not wish.limited:
            raise BadInput("loss", "", "give a loss limit or a target, such as 2% or 5000")
        if wish.action is GuardAction.FLAT and wish.scope is not HaltScope.CLIENT:
            raise BadInput(
                "action", wish.action.value, "a guard of several blocks alone: no client is sold for another"
            )
        percent = wish.loss_bps is not None or wish.target_bps is not None
        if percent and self._seeing.sampler.base_of(_unset(wish, self._timing.wall.now(), "")) <= 0:
            raise BadInput("loss", named, "it has no sizing base that a percentage is of; give an amount")

    async def set(self, wish: GuardWish, answer: str = "") -> GuardView:
        """Set a guard, or change the terms of the one of its scope and set.

        `answer` must be what `answer` says. Raises `BadInput` for another, or for a wish that is none.
        """
        self._check(wish)
        named = self._seeing.named(wish.scope, wish.value)
        # Whoever was told that it trips at once may set it when it does so no longer, never the other way.
        told = [answer_of(wish, named, at_once=True), self.answer(wish)]
        if answer.casefold().split() not in [one.casefold().split() for one in told] and told[-1]:
            raise BadInput("answer", answer, f"type {told[-1]}{self._at_once(wish)}")
        by = self._engine.actor
        whose = self._seeing.whose(_unset(wish, self._timing.wall.now(), by))
        made = await self._engine.write_signed_on(lambda unit: set_guard(unit, wish, whose, by))
        self._seeing.sampler.watched.pop(made.number, None)
        return self.get(wish.scope, wish.value, wish.what)

    def _at_once(self, wish: GuardWish) -> str:
        return "; it trips at once" if self.prospect(wish).stands_broken else ""

    async def remove(self, scope: HaltScope, value: str, what: FlattenWhat) -> None:
        """Take a guard away. Raises `BadInput` where there is none, or where it has tripped."""
        guard, by = self._find(scope, value, what), self._engine.actor
        whose = self._seeing.whose(guard)
        await self._engine.write_signed_on(lambda unit: remove_guard(unit, guard.number, whose, by))

    async def arm(self, scope: HaltScope, value: str, what: FlattenWhat, answer: str) -> GuardView:
        """Arm a guard that has tripped again, and end the halt that came with it.

        `answer` must be `arm` and whose it is, such as `arm PS1015`. It lets nobody trade beyond a limit:
        raises `BadInput` while the limit stands broken, cannot be seen, or its flatten goes on.
        """
        guard, named = self._find(scope, value, what), self._seeing.named(scope, value)
        wanted = f"arm {named}"
        if answer.casefold().split() != wanted.casefold().split():
            raise BadInput("answer", answer, f"type {wanted}")
        trip = self._kept.book.trips.get(guard.number)
        if trip is None:
            raise BadInput("guard", named, "it has not tripped")
        await self._may_arm(guard, trip, named)
        by, whose = self._engine.actor, self._seeing.whose(guard)
        await self._engine.write_signed_on(lambda unit: end_trip(unit, guard, whose, by))
        self._seeing.sampler.watched.pop(guard.number, None)
        self._kept.bus.publish([AlertsChanged()])
        return self.get(scope, value, what)

    async def _may_arm(self, guard: StoredGuard, trip: StoredTrip, named: str) -> None:
        await self.read()
        taken = self._seeing.flattens.get(trip.flatten_number or 0)
        if (
            trip.flattens
            and (taken is None or taken.state is not FlattenState.DONE)
            and not self._seeing.held_back(guard)
        ):
            raise BadInput("guard", named, "its positions are being taken flat; wait for the certificate")
        watched = self._seeing.sampler.watched.get(guard.number)
        net = None if watched is None or watched.counted is None else watched.counted.net_paise
        if net is None:
            raise BadInput("guard", named, "what it guards cannot be seen now; it stays as it is")
        if broken(net, limits_of(guard, self._seeing.sampler.base_of(guard))) is not None:
            raise BadInput("guard", named, "its limit stands broken; set another limit first")


def _unset(wish: GuardWish, at: datetime, by: str) -> StoredGuard:
    """A guard as it would be stored."""
    terms = (wish.loss_bps, wish.loss_paise, wish.target_bps, wish.target_paise)
    return StoredGuard(0, wish.scope, wish.value, wish.what, wish.action, *terms, at, by)
