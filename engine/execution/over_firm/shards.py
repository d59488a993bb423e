"""A run over the clients of every desk: written before anything is reserved, then reserved in shards.

Nothing of it is a broker's to hear: each desk sends what is its clients' once every shard has ended.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta

from data.audit import AuditAction, AuditEntry
from data.clock import Clock
from data.errors import BadInput
from data.repositories.trading import runs
from data.repositories.trading.firm_runs import (
    FirmRun,
    FirmShard,
    begin_shards,
    end_shard,
    firm_run,
    open_shards,
    overdue_runs,
    shard_of,
    status_of,
)
from data.store import Unit
from data.vocabulary import RunStatus, Topic
from engine.book.book import Book
from engine.book.reading import read_halts
from engine.events import RunChanged, TapeLine
from engine.execution.reservation import (
    NOBODYS,
    begin_run,
    keep_orders,
    make_orders,
    served_before,
    tell_orders,
)
from engine.execution.rotation import PartLine, Rotation
from engine.instances import ThisEngine
from engine.news import RunBegan
from engine.planning.plan import Plan
from engine.refusals import AlreadyRun, DuplicateIntent, HaltedMeanwhile
from engine.rules import Rules

SHARD = 50
"""Clients of a shard."""

NEEDS_NO_LEASE = frozenset({Topic.CLIENTS, Topic.ORDERS, Topic.RUNS})
"""What reserving changes: it is guarded by its own statements, whoever has the client."""


def shards_of(rotation: Rotation) -> list[list[int]]:
    """The clients of a run in the order of its rotation, so many to a shard."""
    whose = list(dict.fromkeys(line.client_id for _, line in rotation.lines))
    return [whose[at : at + SHARD] for at in range(0, len(whose), SHARD)]


def begin_firm_wide(
    unit: Unit,
    plan: Plan,
    rotation: Rotation,
    engine: ThisEngine,
    rules: Rules,
    ask: Callable[[int, int], int],
) -> int:
    """Write a run that reserves, and what is to be reserved of it; returns its number.

    `ask` writes the job of a run's shard and returns its number. Raises `AlreadyRun`, `HaltedMeanwhile`, and
    `BadInput` for a plan of several stages.
    """
    assert plan.number is not None, "only a stored plan is carried out"
    if runs.of_plan(unit, plan.number) is not None:
        raise AlreadyRun(plan.number)
    if any(halt.stops_desk for halt in read_halts(unit)):
        raise HaltedMeanwhile
    if plan.stages > 1:
        raise BadInput(
            "plan", plan.number, "what waits for other orders to end is no desk's to begin for all"
        )
    unit.needs_no_lease |= NEEDS_NO_LEASE
    unit.of_anybody = True
    number = unit.take_ids("run", 1)[0]
    begin_run(unit, plan, rotation, number, engine, rules, RunStatus.RESERVING)
    shards = [
        FirmShard(number, place, ask(number, place), whose)
        for place, whose in enumerate(shards_of(rotation), start=1)
    ]
    until = unit.now + timedelta(seconds=(plan.expires_at - plan.frozen_at).total_seconds())
    begin_shards(unit, FirmRun(number, plan.digest, until, len(shards)), shards)
    unit.touched.runs.add(number)
    details = {
        "title": plan.title,
        "digest": plan.digest,
        "shards": len(shards),
        "clients": sum(len(one.client_ids) for one in shards),
        "skipped": len(plan.skipped_lines),
        "rotation_seed": rotation.seed,
        "rotation_start": rotation.start,
    }
    _tell(unit, AuditAction.RUN_STARTED, engine.actor, number, plan.number, details)
    unit.publish(TapeLine(unit.now, RunBegan(number, plan.title, plan.orders, len(plan.skipped_lines))))
    return number


def reserve_shard(
    unit: Unit, plan: Plan, number: int, shard: int, beside: "ReservesWith", against: str
) -> FirmShard:
    """Reserve the lines of a shard once, in the caller's one transaction; returns what came of it.

    `against` says what was seen that lets nothing of it be reserved, such as a price that has moved. So does
    a digest that is not the run's, a halt, and the time that it had.
    """
    unit.needs_no_lease |= NEEDS_NO_LEASE
    unit.of_anybody = True
    run, one = firm_run(unit, number), shard_of(unit, number, shard)
    if run is None or one is None:
        raise BadInput("run", number, f"it has no shard {shard}")
    if one.ended_at is not None:
        return one
    against = against or _against(unit, plan, run)
    reserved = denied = 0
    if not against:
        try:
            reserved, denied = _reserved(unit, plan, number, frozenset(one.client_ids), beside)
        except DuplicateIntent:
            against = "each of its clients was served by another run with the same"
    end_shard(unit, number, shard, reserved, denied, against)
    unit.touched.runs.add(number)
    details = {"shard": shard, "reserved": reserved, "denied": denied, "problem": against}
    _tell(unit, AuditAction.RUN_RESERVED, beside.engine.actor, number, plan.number, details)
    unit.publish(RunChanged(number))
    ended = shard_of(unit, number, shard)
    assert ended is not None
    return ended


class ReservesWith:
    """What a shard is reserved with, beside the books."""

    def __init__(self, book: Book, clock: Clock, engine: ThisEngine, rules: Rules) -> None:
        self.book, self.clock, self.engine, self.rules = book, clock, engine, rules


def _against(unit: Unit, plan: Plan, run: FirmRun) -> str:
    status = status_of(unit, run.run_number)
    if status is not RunStatus.RESERVING:
        return f"the run is {status}"
    if plan.digest != run.digest:
        return "the plan is not the one that was confirmed"
    if any(halt.stops_desk for halt in read_halts(unit)):
        return "a halt stands"
    if unit.now > run.reserve_until:
        return "the time had passed within which it was to be reserved"
    return ""


def _reserved(
    unit: Unit, plan: Plan, number: int, whose: Collection[int], beside: ReservesWith
) -> tuple[int, int]:
    """Make and keep the orders of these clients; returns how many are reserved and how many were denied."""
    lines: Sequence[PartLine] = [
        (part, line) for part in plan.parts for line in part.ok_lines if line.client_id in whose
    ]
    engine = beside.engine
    had = served_before(unit, plan, lines, beside.clock, engine, beside.rules)
    orders, consents = make_orders(unit, plan, number, lines, had, beside.book, NOBODYS)
    keep_orders(unit, orders)
    tell_orders(unit, orders, lines, engine.actor, consents)
    going = sum(order.live for order in orders)
    return going, len(orders) - going


def end_overdue(unit: Unit, actor: str) -> list[int]:
    """End the shards that nobody has reserved in time, so that their runs go on; returns those runs."""
    ended = list[int]()
    for run in overdue_runs(unit, unit.now):
        unit.of_anybody = True
        for one in open_shards(unit, run.run_number):
            problem = "nobody had reserved it in time"
            end_shard(unit, run.run_number, one.shard, 0, 0, problem)
            details = {"shard": one.shard, "reserved": 0, "denied": 0, "problem": problem}
            _tell(unit, AuditAction.RUN_RESERVED, actor, run.run_number, None, details)
        unit.touched.runs.add(run.run_number)
        ended.append(run.run_number)
    return ended


def _tell(
    unit: Unit, action: AuditAction, actor: str, run: int, plan: int | None, details: Mapping[str, object]
) -> None:
    unit.audit(AuditEntry(action, actor, plan_number=plan, run_number=run, details=details))
