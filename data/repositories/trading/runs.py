"""Runs as they are stored: begun, paused, gone on with, stopped and finished."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import select, update

from data.repositories.base import Change, On, Query, Rows, given
from data.tables.columns import table
from data.tables.orders import RunLeg, RunRecord
from data.vocabulary import PauseReason, RunStatus
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
    confirmed_at: datetime
    started_at: datetime


class LegConditions(Struct, frozen=True):
    """Until how far from which price what waits of a leg behind the first may leave."""

    run_number: int
    leg: int
    drift_limit_bps: int | None
    priced_paise: int | None


_BEGUN = Rows(RunRecord, Begun)
_LEGS = Rows(RunLeg, LegConditions)
_LEG = table(RunLeg)
_OF_LEG = _LEGS.query(_LEG.c.run_number == given("run"), _LEG.c.leg == given("leg"))
_PRICE_LEG = Change(
    update(_LEG)
    .where(_LEG.c.run_number == given("run"), _LEG.c.leg == given("leg"))
    .values(priced_paise=given("price"))
)
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
        priced_paise=given("price"),
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


def price_leg(unit: Unit, number: int, leg: int, price_paise: int) -> None:
    """Have a leg behind the first be held against this price from now on."""
    _PRICE_LEG.run(unit, run=number, leg=leg, price=price_paise)


def pause(unit: Unit, number: int, reason: PauseReason, age_s: int, price_paise: int | None) -> bool:
    """Mark a run that runs as paused; returns whether it ran."""
    values = {"run": number, "reason": reason.value, "age_s": age_s, "price": price_paise}
    return bool(_PAUSE.run(unit, **values, now=unit.now))


def go_on(unit: Unit, number: int, instance_id: int, price_paise: int | None) -> None:
    """Have a run run again, as an engine's own, confirmed now at this price."""
    _GO_ON.run(unit, run=number, instance=instance_id, price=price_paise, now=unit.now)


def stop(unit: Unit, number: int) -> bool:
    """Mark a run that has not ended as stopped; returns whether it had not."""
    return bool(_STOP.run(unit, run=number))


def finish(unit: Unit, number: int, status: RunStatus) -> None:
    """Mark a run that has not ended as ended in this way."""
    _FINISH.run(unit, run=number, status=status.value, now=unit.now)
