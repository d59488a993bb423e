"""Guards in the books: set, taken away, tripped and armed again, each in one commit with what it does.

A guard's trip is a row of which one stands, written with the halt that it fires; the flatten that it begins
is written with its number in that row. So whichever engine comes second finds it done.
"""

from collections.abc import Collection
from datetime import date

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.records import replace
from data.repositories.alerting.alerts import stored_alert
from data.repositories.trading import guards
from data.repositories.trading.guards import StoredGuard, StoredTrip
from data.store import Unit
from data.vocabulary import AlertKind, GuardState, HaltScope, HaltStrength, TripKind
from engine.book.halt_scope import HaltView
from engine.book.reading import read_halts
from engine.book.watched.guard_views import GuardView
from engine.events import TapeLine
from engine.execution.changes.cancels import CancelsAsked
from engine.guards.asked import GuardWish
from engine.guards.news import GuardArmed, GuardSees, GuardSet, GuardTold, GuardTripped
from engine.halt.booked import block_scope, resume_halt
from engine.instances import ThisEngine
from engine.raising import AlertTold, raise_alert

NEXT_DAY = "the next day"
"""By what a trip ends that nobody has ended."""


class Whose(Struct, frozen=True):
    """Whose a guard is: a client's code, a group's name or `desk`, and the clients."""

    of: str
    client_ids: frozenset[int]


class Broken(Struct, frozen=True):
    """Why a guard trips, and at what: in paise, None where nothing could be seen."""

    kind: TripKind
    net_paise: int | None
    limit_paise: int | None
    base_paise: int
    flattens: bool


class Tripped(Struct, frozen=True):
    """A trip as written, and the cancels that it asked for."""

    trip: StoredTrip
    asked: CancelsAsked


def set_guard(unit: Unit, wish: GuardWish, whose: Whose, by: str) -> StoredGuard:
    """Write a guard, or other terms of the one that there is of its scope and set."""
    before = guards.guard_of(unit, wish.scope, wish.value, wish.what)
    number = unit.take_ids("guard", 1)[0] if before is None else before.number
    terms = (wish.loss_bps, wish.loss_paise, wish.target_bps, wish.target_paise)
    made = StoredGuard(number, wish.scope, wish.value, wish.what, wish.action, *terms, unit.now, by)
    if before is None:
        guards.add_guard(unit, made)
    else:
        guards.change_guard(unit, made)
    known = None if before is None or before.removed_at is not None else before
    details = {"guard": number, "of": whose.of, **_terms(made)}
    if known is not None:
        details["was"] = _terms(known)
    unit.audit(AuditEntry(AuditAction.GUARD_SET, by, client_id=client_of(made), details=details))
    unit.publish(TapeLine(unit.now, GuardSet(number, whose.of, wish.what, by), whose.client_ids))
    unit.touched.guards = True
    return made


def _terms(guard: StoredGuard) -> dict[str, object]:
    limits = {
        "loss_bps": guard.loss_bps,
        "loss_paise": guard.loss_paise,
        "target_bps": guard.target_bps,
        "target_paise": guard.target_paise,
    }
    known = {name: limit for name, limit in limits.items() if limit is not None}
    return {"what": guard.what.value, "action": guard.action.value, **known}


def client_of(guard: StoredGuard) -> int | None:
    """The one client that a guard is of; None for a group's or the desk's."""
    return int(guard.value) if guard.scope is HaltScope.CLIENT else None


def remove_guard(unit: Unit, number: int, whose: Whose, by: str) -> bool:
    """Take a guard away; returns whether it was set. A block for want of sight ends with it.

    Raises `BadInput` where it has tripped.
    """
    guard = _set(unit, number)
    if guard is None:
        return False
    trip = guards.standing_trip(unit, number)
    if trip is not None and trip.kind is not TripKind.BLIND:
        raise BadInput("guard", whose.of, "it has tripped; arm it again first, or leave it")
    end_trip(unit, guard, whose, by, TripKind.BLIND)
    guards.change_guard(unit, replace(guard, removed_at=unit.now, removed_by=by))
    details = {"guard": number, "of": whose.of, **_terms(guard)}
    unit.audit(AuditEntry(AuditAction.GUARD_REMOVED, by, client_id=client_of(guard), details=details))
    unit.publish(TapeLine(unit.now, GuardSet(number, whose.of, guard.what, by, off=True), whose.client_ids))
    unit.touched.guards = True
    return True


def _set(unit: Unit, number: int) -> StoredGuard | None:
    return next((one for one in guards.guards_set(unit) if one.number == number), None)


def trip_guard(
    unit: Unit,
    guard: StoredGuard,
    why: Broken,
    whose: Whose,
    opening: Collection[int],
    on: tuple[date, ThisEngine],
) -> Tripped | None:
    """Write that a guard trips, with its halt, unless it has or its terms are others by now.

    `opening` are the live orders that would make a position larger, which are cancelled; `on` are the trading
    day and the engine that saw it. A block for want of sight that stands gives its halt to the trip.
    """
    day, engine = on
    stands = _set(unit, guard.number)
    if stands is None or stands.set_at != guard.set_at:
        return None
    before = guards.standing_trip(unit, guard.number)
    halt_number = 0
    if before is not None:
        blind = before.kind is TripKind.BLIND and why.kind is not TripKind.BLIND
        if before.trading_date == day and not blind:
            return None
        guards.end_trip(unit, guard.number, unit.now, "seen again" if blind else NEXT_DAY)
        halt_number = before.halt_number
    by = f"guard {guard.number}"
    standing = {one.number: one for one in read_halts(unit)}
    if halt_number in standing:
        halt, asked = standing[halt_number], CancelsAsked({}, {}, ())
    else:
        members = whose.client_ids if guard.scope is HaltScope.GROUP else frozenset[int]()
        halt = HaltView(0, guard.scope, guard.value, unit.now, by, members, HaltStrength.REDUCE)
        halt, asked = block_scope(unit, halt, opening)
    nth = guards.next_trip(unit, guard.number, day)
    figures = (why.net_paise, why.limit_paise, why.base_paise)
    trip = StoredTrip(
        guard.number, day, nth, why.kind, unit.now, engine.id, *figures, why.flattens, halt.number
    )
    guards.add_trip(unit, trip)
    client_id = client_of(guard)
    details = {
        "guard": guard.number,
        "of": whose.of,
        "kind": why.kind.value,
        "nth": nth,
        "net_paise": why.net_paise,
        "limit_paise": why.limit_paise,
        "base_paise": why.base_paise,
        "halt": halt.number,
        "flattens": why.flattens,
    }
    unit.audit(AuditEntry(AuditAction.GUARD_TRIPPED, by, client_id=client_id, details=details))
    figures = (why.kind, why.net_paise, why.limit_paise, why.flattens)
    news = GuardTripped(guard.number, whose.of, guard.what, *figures)
    unit.publish(TapeLine(unit.now, news, whose.client_ids))
    state = GuardState.WAITING if why.kind is TripKind.BLIND else GuardState.TRIPPED
    alert_of(unit, day, guard.number, state, nth)
    unit.touched.guards = True
    return Tripped(trip, asked)


def end_trip(unit: Unit, guard: StoredGuard, whose: Whose, by: str, clears: TripKind | None = None) -> bool:
    """Arm a guard again, and end the halt that its trip fired; returns whether it had tripped.

    `clears` names the only kind that is ended, as where a blind guard sees again.
    """
    trip = guards.standing_trip(unit, guard.number)
    if trip is None or (clears is not None and trip.kind is not clears):
        return False
    guards.end_trip(unit, guard.number, unit.now, by)
    halt = next((one for one in read_halts(unit) if one.number == trip.halt_number), None)
    if halt is not None:
        resume_halt(unit, halt, by)
    details = {"guard": guard.number, "of": whose.of, "trip": trip.kind.value, "halt": trip.halt_number}
    action = AuditAction.GUARD_REARMED if clears is None else AuditAction.GUARD_SEES_AGAIN
    actor = f"guard {guard.number}" if by == NEXT_DAY else by
    unit.audit(AuditEntry(action, actor, client_id=client_of(guard), details=details))
    named = (guard.number, whose.of, guard.what)
    news = GuardArmed(*named, by) if clears is None else GuardSees(*named)
    unit.publish(TapeLine(unit.now, news, whose.client_ids))
    unit.touched.guards = True
    return True


def alert_of(unit: Unit, day: date, guard_number: int, state: GuardState, nth: int) -> bool:
    """Raise the day's alert for a guard after its `nth` trip; returns whether it was not told so yet."""
    told = stored_alert(unit, AlertKind.GUARDS, day)
    known = [] if told is None else list(told.positions)
    fresh: dict[str, object] = {"guard": guard_number, "state": state.value, "nth": nth}
    if fresh in known:
        return False
    figures = {"guard": guard_number, "state": state.value}
    raised = AlertTold(AlertKind.GUARDS, told=figures, named=[*known, fresh], on_tape=False)
    raise_alert(unit, raised, day, f"guard {guard_number}", again=True)
    return True


def tell(unit: Unit, day: date, view: GuardView, nth: int, whose: Whose) -> bool:
    """Raise it for a guard as it stands, and tell the tape; returns whether that was not told yet."""
    if not alert_of(unit, day, view.number, view.state, nth):
        return False
    news = GuardTold(view.number, view.of, view.what, view.state, view.wait)
    unit.publish(TapeLine(unit.now, news, whose.client_ids))
    return True


def begin_flatten(unit: Unit, guard_number: int, flatten_number: int) -> None:
    """Write which flatten a trip begins, in the commit that begins it. Raises `BadInput` where one was."""
    if not guards.trip_flattens(unit, guard_number, flatten_number):
        raise BadInput("guard", guard_number, "its trip has begun a flatten")
    trip = guards.standing_trip(unit, guard_number)
    assert trip is not None, "it was just written"
    details = {"guard": guard_number, "nth": trip.nth, "flatten": flatten_number}
    unit.audit(AuditEntry(AuditAction.GUARD_FLATTENS, f"guard {guard_number}", details=details))
    unit.touched.guards = True
