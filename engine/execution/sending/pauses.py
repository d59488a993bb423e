"""Pausing a run: one write that says why, how old it was, and at which price; what is sent goes on."""

from data.audit import AuditAction, AuditEntry
from data.repositories.trading import runs
from data.repositories.trading.orders import of_state
from data.repositories.trading.stages import end_staged
from data.store import Unit
from data.vocabulary import OrderState, PauseReason, StagedState
from engine.book.pause import Pause
from engine.book.views import RunRow
from engine.events import TapeLine
from engine.execution.sending.conditions import Standing
from engine.news import RunPaused


def pause(unit: Unit, run: RunRow, reason: PauseReason, at: Standing, actor: str) -> None:
    """Keep a run's unsent orders back from now on; nothing where it does not run any more."""
    price = at.last_paise
    if not runs.pause(unit, run.number, reason, int(at.age_s), price):
        return
    unsent, blocked = of_state(unit, run.number, OrderState.RESERVED)
    unit.touched.runs.add(run.number)
    unit.audit(
        AuditEntry(
            AuditAction.RUN_PAUSED,
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
                "unsent": unsent + run.staged,
                "blocked_paise": blocked,
                **(
                    {} if run.held_phase is None else {"phase": run.held_phase.value, "until": run.goes_on_at}
                ),
            },
        )
    )
    market = run.phase, run.held_phase, run.goes_on_at
    why = Pause(reason, int(at.age_s), run.send_within_s, run.priced_paise, price, *market)
    unit.publish(TapeLine(unit.now, RunPaused(run.number, why, unsent + run.staged, blocked)))


def mark_stopped(unit: Unit, number: int, actor: str) -> None:
    """Mark a run that has not ended as stopped."""
    if runs.stop(unit, number):
        end_staged(unit, number, StagedState.STOPPED)
        unit.touched.runs.add(number)
        unit.audit(AuditEntry(AuditAction.RUN_STOPPED, actor, run_number=number))
