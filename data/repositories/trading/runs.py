"""Runs as they are stored: begun, paused, gone on with, stopped and finished."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import literal, null, select, union_all, update

from data.repositories.base import Change, On, Query, Rows, given
from data.tables.columns import table
from data.tables.orders import RunLeg, RunRecord
from data.vocabulary import PauseReason, PhaseKind, RunStatus
from data.writing.unit import Unit

_RUNS = table(RunRecord)
_OF = _RUNS.c.number == given("run")
_NOT_ENDED = _RUNS.c.finished_at.is_(None)


class Begun(Struct, frozen=True):
    """A run as it begins."""

    number: int
    plan_number: int
    title: str
    status: RunStatus
    actor: str
    instance_id: int
    skipped: int
    left_paise: int
    cut_paise: int
    send_within_s: int
    drift_limit_bps: int | None
    priced_paise: int | None
    priced_by: str
    phase: str
    lower_circuit_paise: int | None
    upper_circuit_paise: int | None
    rotation_seed: int | None
    rotation_start: int | None
    confirmed_at: datetime
    started_at: datetime


class LegConditions(Struct, frozen=True):
    """Until how far from which price what waits of a leg behind the first may leave, and in which market.

    `phase` is empty for orders that wait for a session.
    """

    run_number: int
    leg: int
    drift_limit_bps: int | None
    priced_paise: int | None
    priced_by: str
    phase: str
    lower_circuit_paise: int | None
    upper_circuit_paise: int | None


class HeldLeg(Struct, frozen=True):
    """A leg of which what waits is kept back, and why."""

    leg: int
    held: PauseReason


class ConfirmedMarket(Struct, frozen=True):
    """The market of a leg's instrument as it was confirmed: last price, phase, and band where it is known."""

    leg: int
    priced_paise: int | None
    priced_by: str
    phase: PhaseKind | None
    lower_circuit_paise: int | None
    upper_circuit_paise: int | None


_BEGUN = Rows(RunRecord, Begun)
_LEGS = Rows(RunLeg, LegConditions)
_LEG = table(RunLeg)
_OF_LEG = _LEGS.query(_LEG.c.run_number == given("run"), _LEG.c.leg == given("leg"))
_THE_LEG = (_LEG.c.run_number == given("run"), _LEG.c.leg == given("leg"))
_CONFIRMED = {
    "priced_paise": given("price"),
    "priced_by": given("by"),
    "phase": given("phase"),
    "lower_circuit_paise": given("lower"),
    "upper_circuit_paise": given("upper"),
    "held": "",
    "held_phase": "",
    "goes_on_at": null(),
}
_CONFIRM_LEG = Change(update(_LEG).where(*_THE_LEG).values(**_CONFIRMED))
_CONFIRM_FIRST = Change(update(_RUNS).where(_OF).values(**_CONFIRMED))
_FOUND = {"held_phase": given("phase"), "goes_on_at": given("at")}
_HOLD_LEG = Change(update(_LEG).where(*_THE_LEG).values(held=given("reason"), **_FOUND))
_HOLD_FIRST = Change(update(_RUNS).where(_OF).values(held=given("reason")))
_HOLDS = Change(update(_RUNS).where(_OF).values(**_FOUND))
_OF_LEGS = select(_LEG.c.leg, _LEG.c.held).where(_LEG.c.run_number == given("run"), _LEG.c.held != "")
_OF_FIRST = select(literal(1).label("leg"), _RUNS.c.held).where(_OF, _RUNS.c.held != "")
_HELD = union_all(_OF_FIRST, _OF_LEGS).subquery()
_HELD_LEGS = Query(HeldLeg, select(_HELD.c.leg, _HELD.c.held))
_OF_PLAN = Query(int, select(_RUNS.c.number).where(_RUNS.c.plan_number == given("plan")))
_PAUSE = Change(
    update(_RUNS)
    .where(_OF, _RUNS.c.status == RunStatus.RUNNING.value)
    .values(
        status=RunStatus.PAUSED.value,
        pause_reason=given("reason"),
        paused_at=given("now"),
        paused_age_s=given("age_s"),
        paused_price_paise=given("price"),
    )
)
_GO_ON = Change(
    update(_RUNS)
    .where(_OF)
    .values(
        status=RunStatus.RUNNING.value,
        instance_id=given("instance"),
        confirmed_at=given("now"),
    )
)
_STOP = Change(update(_RUNS).where(_OF, _NOT_ENDED).values(status=RunStatus.STOPPED.value))
_FINISH = Change(
    update(_RUNS).where(_OF, _NOT_ENDED).values(status=given("status"), finished_at=given("now"))
)


def of_plan(on: On, plan_number: int) -> int | None:
    """The run of a plan, if it was begun."""
    return _OF_PLAN.first(on, plan=plan_number)


def begin(unit: Unit, run: Begun, further: Sequence[LegConditions] = ()) -> None:
    """Write a run that begins, with the conditions of its legs behind the first."""
    _BEGUN.insert(unit, [run])
    if further:
        _LEGS.insert(unit, further)


def conditions_of_leg(on: On, number: int, leg: int) -> LegConditions | None:
    """The conditions of a leg behind the first; None where the run has no such leg."""
    return _OF_LEG.first(on, run=number, leg=leg)


def confirm_market(unit: Unit, number: int, market: ConfirmedMarket) -> None:
    """Have a leg be held against this price, phase and band from now on; nothing holds it back any more."""
    values = {
        "run": number,
        "price": market.priced_paise,
        "by": market.priced_by,
        "phase": market.phase.value if market.phase else "",
        "lower": market.lower_circuit_paise,
        "upper": market.upper_circuit_paise,
    }
    if market.leg == 1:
        _CONFIRM_FIRST.run(unit, **values)
    else:
        _CONFIRM_LEG.run(unit, **values, leg=market.leg)


def hold_leg(
    unit: Unit, number: int, leg: int, reason: PauseReason, phase: PhaseKind, until: datetime | None
) -> None:
    """Keep back what waits of a leg, since its market is in this phase, until then where that is known."""
    if leg == 1:
        _HOLD_FIRST.run(unit, run=number, reason=reason.value)
    else:
        _HOLD_LEG.run(unit, run=number, leg=leg, reason=reason.value, phase=phase.value, at=until)
    _HOLDS.run(unit, run=number, phase=phase.value, at=until)


def held_legs(on: On, number: int) -> dict[int, PauseReason]:
    """The legs of a run of which what waits is kept back for their market's sake, each with why."""
    return {one.leg: one.held for one in _HELD_LEGS.all(on, run=number)}


def pause(unit: Unit, number: int, reason: PauseReason, age_s: int, price_paise: int | None) -> bool:
    """Mark a run that runs as paused; returns whether it ran."""
    values = {"run": number, "reason": reason.value, "age_s": age_s, "price": price_paise}
    return bool(_PAUSE.run(unit, **values, now=unit.now))


def go_on(unit: Unit, number: int, instance_id: int) -> None:
    """Have a run run again, as an engine's own, confirmed now."""
    _GO_ON.run(unit, run=number, instance=instance_id, now=unit.now)


def stop(unit: Unit, number: int) -> bool:
    """Mark a run that has not ended as stopped; returns whether it had not."""
    return bool(_STOP.run(unit, run=number))


def finish(unit: Unit, number: int, status: RunStatus) -> bool:
    """Mark a run that has not ended as ended in this way; returns whether it had not."""
    return bool(_FINISH.run(unit, run=number, status=status.value, now=unit.now))
