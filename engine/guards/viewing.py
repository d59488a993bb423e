"""The view of a guard, made of its row, of what samples have shown, and of its trip."""

from data.repositories.trading.guards import StoredGuard, StoredTrip
from data.vocabulary import (
    FlattenReason,
    FlattenState,
    GuardState,
    GuardWait,
    TripKind,
)
from engine.book.watched.guard_views import GuardTrip, GuardView
from engine.flatten.views import FlattenLineView, FlattenView
from engine.guards.booked import client_of
from engine.guards.counting import Counted
from engine.guards.judging import Watched, limits_of, near

NOT_LOOKED = Counted(None)
"""What is known of a guard before the first sample."""


def guard_view(
    guard: StoredGuard,
    named: str,
    base_paise: int,
    watched: Watched | None,
    at: float,
    trip: StoredTrip | None,
    taken: FlattenView | None,
) -> GuardView:
    """A guard at a moment of the monotonic clock; `taken` is the flatten that its trip began."""
    counted = NOT_LOOKED if watched is None or watched.counted is None else watched.counted
    limits = limits_of(guard, base_paise)
    wait = GuardWait.BASE if limits.unknown and not counted.wait else counted.wait
    net = None if limits.unknown else counted.net_paise
    blind = watched is not None and watched.is_blind(at)
    state = GuardState.ARMED
    if trip is not None and trip.kind is not TripKind.BLIND:
        state = _after(taken)
    elif trip is not None or wait:
        state = GuardState.WAITING
    elif net is not None and near(net, limits):
        state = GuardState.NEAR
    return GuardView(
        number=guard.number,
        scope=guard.scope,
        value=guard.value,
        of=named,
        client_id=client_of(guard),
        what=guard.what,
        action=guard.action,
        state=state,
        wait=wait,
        unseen=tuple(key.partition(":")[2] for key in counted.unseen),
        net_paise=net,
        realised_paise=counted.realised_paise,
        open_paise=counted.open_paise,
        charges_paise=counted.charges_paise,
        interest_paise=counted.interest_paise,
        exit_paise=counted.exit_paise,
        positions=counted.open,
        base_paise=base_paise,
        loss_bps=guard.loss_bps,
        loss_limit_paise=limits.loss_paise,
        target_bps=guard.target_bps,
        target_limit_paise=limits.target_paise,
        locked=tuple(key.partition(":")[2] for key in counted.locked),
        trip=None if trip is None else _trip(trip, taken),
        set_at=guard.set_at,
        set_by=guard.set_by,
        alarmed=blind or limits.unknown or (watched is not None and watched.alarmed),
    )


def _after(taken: FlattenView | None) -> GuardState:
    """How a guard stands whose trip has begun this flatten."""
    if taken is None or taken.state is not FlattenState.DONE:
        return GuardState.TRIPPED
    if not taken.left and not any(line.net is None for line in taken.lines):
        return GuardState.FLAT
    return GuardState.LOCKED if any(_is_locked(line) for line in taken.lines) else GuardState.TRIPPED


def _is_locked(line: FlattenLineView) -> bool:
    return line.reason is FlattenReason.CIRCUIT


def _trip(trip: StoredTrip, taken: FlattenView | None) -> GuardTrip:
    return GuardTrip(
        kind=trip.kind,
        at=trip.at,
        trading_date=trip.trading_date,
        net_paise=trip.net_paise,
        limit_paise=trip.limit_paise,
        halt_number=trip.halt_number,
        halted=False,
        flattens=trip.flattens,
        flatten_number=trip.flatten_number,
        flat=0 if taken is None else taken.flat,
        left=0 if taken is None else taken.left,
        going=0 if taken is None else taken.going,
        locked=()
        if taken is None
        else tuple(
            f"{line.tradingsymbol} {line.net:+d}" for line in taken.lines if _is_locked(line) and line.net
        ),
    )
