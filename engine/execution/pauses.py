"""Pausing a run: one write that says why, how old it was, and at which price; what is sent goes on."""

from sqlalchemy import func, select, update

from data.audit import AuditEntry
from data.columns import table
from data.order_tables import Order, RunRecord
from data.store import Unit
from data.vocabulary import OrderState, PauseReason, RunStatus
from engine.book.views import Pause, RunRow
from engine.events import TapeLine
from engine.execution.conditions import Standing
from engine.news import RunPaused


def pause(unit: Unit, run: RunRow, reason: PauseReason, at: Standing, actor: str) -> None:
    """Keep a run's unsent orders back from now on; nothing where it does not run any more."""
    runs = table(RunRecord)
    price = at.last_paise
    paused = unit.connection.execute(
        update(runs)
        .where(runs.c.number == run.number, runs.c.status == RunStatus.RUNNING.value)
        .values(
            status=RunStatus.PAUSED.value,
            pause_reason=reason.value,
            paused_at=unit.now,
            paused_age_s=int(at.age_s),
            paused_price_paise=price,
        )
    )
    if not paused.rowcount:
        return
    unsent, blocked = unsent_of(unit, run.number)
    unit.touched.runs.add(run.number)
    unit.audit(
        AuditEntry(
            "RUN_PAUSED",
            actor,
            plan_number=run.plan_number,
            run_number=run.number,
            details={
                "reason": reason.value,
                "age_s": int(at.age_s),
                "send_within_s": run.send_within_s,
                "priced_paise": run.priced_paise,
                "last_paise": price,
                "drift_limit_bps": run.drift_limit_bps,
                "unsent": unsent,
                "blocked_paise": blocked,
            },
        )
    )
    why = Pause(reason, int(at.age_s), run.send_within_s, run.priced_paise, price)
    unit.publish(TapeLine(unit.now, RunPaused(run.number, why, unsent, blocked)))


def unsent_of(unit: Unit, number: int) -> tuple[int, int]:
    """How many orders of a run are unsent, and the money that they keep blocked."""
    orders = table(Order)
    row = unit.connection.execute(
        select(func.count(), func.coalesce(func.sum(orders.c.blocked_paise), 0)).where(
            orders.c.run_number == number, orders.c.state == OrderState.RESERVED.value
        )
    ).one()
    return int(row[0]), int(row[1])
