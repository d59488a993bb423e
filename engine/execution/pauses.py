"""Pausing a run: one write that says why, how old it was, and at which price; what is sent goes on."""

from sqlalchemy import func, select, update

from data.audit import AuditEntry
from data.columns import table
from data.money import BPS, amount_words, half_up
from data.order_tables import Order, RunRecord
from data.store import Unit
from data.vocabulary import OrderState, PauseReason, RunStatus
from engine.book.views import RunRow
from engine.events import TapeLine
from engine.execution.conditions import Standing


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
    kept = f"{unsent} unsent keep ₹{amount_words(blocked)} blocked" if blocked else f"{unsent} unsent"
    words = f"run {run.number} PAUSED: {pause_words(run, reason, int(at.age_s), price)}; {kept}"
    unit.publish(TapeLine(unit.now, words, "run", f"run:{run.number}"))


def unsent_of(unit: Unit, number: int) -> tuple[int, int]:
    """How many orders of a run are unsent, and the money that they keep blocked."""
    orders = table(Order)
    row = unit.connection.execute(
        select(func.count(), func.coalesce(func.sum(orders.c.blocked_paise), 0)).where(
            orders.c.run_number == number, orders.c.state == OrderState.RESERVED.value
        )
    ).one()
    return int(row[0]), int(row[1])


def pause_words(run: RunRow, reason: PauseReason, age_s: int, price_paise: int | None) -> str:
    """Why a run was paused, with the figures, as a trader reads it."""
    match reason:
        case PauseReason.TRADER:
            return "by the trader"
        case PauseReason.ENGINE_DIED:
            return "its program ended"
        case PauseReason.BOOKS_DIFFER:
            return "the books are not as tradedesk left them, `tradedesk audit verify` says more"
        case PauseReason.OTHER_SECURITY:
            return "the instruments do not say what its security is called now, stop it and plan again"
        case PauseReason.TOO_OLD:
            return f"{age_s} s old, its orders may leave within {run.send_within_s} s"
        case PauseReason.DRIFTED:
            if not run.priced_paise or price_paise is None:
                return "the price it was confirmed at is not known"
            move = half_up((price_paise - run.priced_paise) * BPS, run.priced_paise) / 100
            prices = f"{amount_words(run.priced_paise)} to {amount_words(price_paise)}"
            return f"the price moved {move:+.2f} % since it was confirmed, {prices}"
