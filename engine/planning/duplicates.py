"""The look for the same intent in other runs: at planning, and again in the transaction that reserves."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Connection, and_, or_, select, tuple_

from data.clock import Clock
from data.columns import table
from data.order_tables import Order, PlanLeg, RunRecord
from data.reference.instruments import Instrument
from data.vocabulary import OrderState
from engine.instances import ThisEngine
from engine.planning.intent import Intent
from engine.rules import Rules

_NEVER_AT_BROKER = [OrderState.DENIED.value, OrderState.REJECTED.value, OrderState.NOT_RECEIVED.value]
_MAY_YET_LEAVE = [OrderState.RESERVED.value, OrderState.SENDING.value]


def same_intent(
    connection: Connection,
    intent: Intent,
    instrument: Instrument,
    clock: Clock,
    engine: ThisEngine,
    rules: Rules,
    but_for_run: int | None = None,
) -> dict[int, int]:
    """Clients whom another run served with the same side, instrument and sizing, with the newest such run.

    The intent is of one leg, and so is what it is compared with.

    The instrument is the same by its security and exchange, whatever either run calls it.
    It counts when it began within the duplicate window by either clock, since the wall's may be set forward,
    or still has orders that may yet leave. An order that was refused, never received, or cancelled before a
    byte left does not count, unless shares traded under it. A run that
    looks on its own behalf names itself as `but_for_run`. Inside a `Unit` it is a lock: nothing else reserves
    until that transaction has ended.
    """
    runs, legs, orders = table(RunRecord), table(PlanLeg), table(Order)
    window_s = rules.duplicate_window_s
    since, steady = clock.now() - timedelta(seconds=window_s), clock.monotonic() - window_s
    begun = [number for number, moment in list(engine.begun.items()) if moment > steady]
    unsent = select(orders.c.run_number).where(orders.c.state.in_(_MAY_YET_LEAVE))
    candidates = (
        select(runs.c.number, legs.c.leg)
        .join(legs, legs.c.plan_number == runs.c.plan_number)
        .where(
            legs.c.side == intent.side.value,
            legs.c.sizing == intent.sizing.kind.value,
            legs.c.sizing_value == intent.sizing.value,
            or_(runs.c.started_at > since, runs.c.number.in_(begun), runs.c.number.in_(unsent)),
        )
    )
    same = [tuple(leg) for leg in connection.execute(candidates) if leg.number != but_for_run]
    never_left = or_(
        orders.c.state.in_(_NEVER_AT_BROKER),
        and_(orders.c.state == OrderState.CANCELLED.value, orders.c.broker_order_id.is_(None)),
    )
    rows = connection.execute(
        select(orders.c.client_id, orders.c.run_number)
        .where(
            tuple_(orders.c.run_number, orders.c.leg).in_(same),
            orders.c.security == instrument.security,
            orders.c.exchange == instrument.exchange,
            or_(~never_left, orders.c.filled_quantity > 0),
        )
        .order_by(orders.c.run_number)
    )
    return {row.client_id: row.run_number for row in rows}


def run_words(numbers: Collection[int]) -> str:
    """Runs as a sentence's subject: `run 7`, or `runs 7, 9`."""
    noun = "run" if len(numbers) == 1 else "runs"
    return f"{noun} {', '.join(str(number) for number in sorted(numbers))}"
