"""Guards and their trips as they are stored."""

from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import func, select, update

from data.repositories.base import Change, On, Query, Rows, given
from data.tables.guards import GuardRecord, GuardTripRecord
from data.vocabulary import FlattenWhat, GuardAction, HaltScope, TripKind


class StoredGuard(Struct, frozen=True):
    """A guard of one set: of whom, its limits in basis points of the base or in paise, what it does."""

    number: int
    scope: HaltScope
    value: str
    what: FlattenWhat
    action: GuardAction
    loss_bps: int | None
    loss_paise: int | None
    target_bps: int | None
    target_paise: int | None
    set_at: datetime
    set_by: str
    removed_at: datetime | None = None
    removed_by: str = ""


class StoredTrip(Struct, frozen=True):
    """A trip of a guard; `flattens` says that its set is to be taken flat, by the flatten of the number."""

    guard_number: int
    trading_date: date
    nth: int
    kind: TripKind
    at: datetime
    instance_id: int
    net_paise: int | None
    limit_paise: int | None
    base_paise: int
    flattens: bool
    halt_number: int
    flatten_number: int | None = None
    ended_at: datetime | None = None
    ended_by: str = ""


_GUARDS, _TRIPS = Rows(GuardRecord, StoredGuard), Rows(GuardTripRecord, StoredTrip)
_G, _T = _GUARDS.c, _TRIPS.c
_SET = _GUARDS.query(_G.removed_at.is_(None), order_by=[_G.number])
_OF_SET = _GUARDS.query(_G.scope == given("scope"), _G.value == given("value"), _G.what == given("what"))
_STANDING = _TRIPS.query(_T.ended_at.is_(None), order_by=[_T.guard_number])
_STANDING_OF = _TRIPS.query(_T.guard_number == given("guard"), _T.ended_at.is_(None))
_OF_DAY = _TRIPS.query(
    _T.guard_number == given("guard"), _T.trading_date == given("day"), order_by=[_T.nth.desc()]
)
_LAST = Query(
    int,
    select(func.coalesce(func.max(_T.nth), 0)).where(
        _T.guard_number == given("guard"), _T.trading_date == given("day")
    ),
)
_END = Change(
    update(_TRIPS.table)
    .where(_T.guard_number == given("guard"), _T.ended_at.is_(None))
    .values(ended_at=given("at"), ended_by=given("by"))
)
_BEGAN = Change(
    update(_TRIPS.table)
    .where(_T.guard_number == given("guard"), _T.ended_at.is_(None), _T.flatten_number.is_(None))
    .values(flatten_number=given("flatten"))
)


def guards_set(on: On) -> list[StoredGuard]:
    """The guards that are set, by number."""
    return _SET.all(on)


def guard_of(on: On, scope: HaltScope, value: str, what: FlattenWhat) -> StoredGuard | None:
    """The guard of a scope and set, one that was taken away too; None where there never was one."""
    return _OF_SET.first(on, scope=scope.value, value=value, what=what.value)


def add_guard(on: On, guard: StoredGuard) -> None:
    """Keep a guard of a scope and set that had none."""
    _GUARDS.insert(on, [guard])


def change_guard(on: On, guard: StoredGuard) -> None:
    """Keep other terms of a guard, or that it is taken away."""
    limits = ("loss_bps", "loss_paise", "target_bps", "target_paise")
    _GUARDS.save(on, [guard], "action", *limits, "set_at", "set_by", "removed_at", "removed_by")


def standing_trips(on: On) -> list[StoredTrip]:
    """The trips that stand, by guard."""
    return _STANDING.all(on)


def standing_trip(on: On, guard_number: int) -> StoredTrip | None:
    """The trip of a guard that stands; None where none does."""
    return _STANDING_OF.first(on, guard=guard_number)


def trips_of(on: On, guard_number: int, day: date) -> list[StoredTrip]:
    """A guard's trips of a day, the newest first."""
    return _OF_DAY.all(on, guard=guard_number, day=day)


def next_trip(on: On, guard_number: int, day: date) -> int:
    """Which trip of a guard on a day the next one is."""
    return 1 + (_LAST.first(on, guard=guard_number, day=day) or 0)


def add_trip(on: On, trip: StoredTrip) -> None:
    """Keep a trip. Raises `DatabaseError` where one of its guard stands."""
    _TRIPS.insert(on, [trip])


def end_trip(on: On, guard_number: int, at: datetime, by: str) -> bool:
    """Keep that a guard's trip stands no longer; returns whether one did."""
    return bool(_END.run(on, guard=guard_number, at=at, by=by))


def trip_flattens(on: On, guard_number: int, flatten_number: int) -> bool:
    """Keep which flatten a trip began; returns False where it has begun one, or does not stand."""
    return bool(_BEGAN.run(on, guard=guard_number, flatten=flatten_number))
