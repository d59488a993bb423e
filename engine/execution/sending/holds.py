"""Keeping back what waits of one instrument when its market has changed; what else its run sends goes on.

Once nothing but that waits, the run itself is paused, so that typed words go on with it.
"""

from brokers.contract import Tick
from data.audit import AuditAction, AuditEntry
from data.reference.phases import Phase
from data.repositories.trading import runs
from data.repositories.trading.orders import legs_unsent
from data.store import Unit
from data.vocabulary import PauseReason, PhaseKind
from engine.book.reading import read_runs
from engine.book.views import RunRow
from engine.events import TapeLine
from engine.execution.sending.conditions import OrderKind, Standing
from engine.execution.sending.pauses import pause
from engine.market_news import LegHeld

_MARKET_STOPPED = frozenset({PhaseKind.HALTED, PhaseKind.REOPENING})


def market_changed(run: RunRow, kind: OrderKind, phase: Phase, quote: Tick | None) -> PauseReason | None:
    """Why what waits of an instrument may not leave: its market is not the one it was confirmed in.

    `run` has the conditions of its leg. A run of a version before says of no phase and no band.
    """
    if kind.after_market or run.phase is None:
        return None
    if phase.kind is not run.phase:
        return PauseReason.MARKET_HALTED if phase.kind in _MARKET_STOPPED else PauseReason.PHASE_CHANGED
    band = (quote.lower_circuit_paise, quote.upper_circuit_paise) if quote is not None else (0, 0)
    was = run.lower_circuit_paise, run.upper_circuit_paise
    return PauseReason.BAND_MOVED if all(band) and all(was) and band != was else None


def hold(
    unit: Unit, run: RunRow, kind: OrderKind, reason: PauseReason, phase: Phase, at: Standing, actor: str
) -> None:
    """Keep back what waits of an order's leg; where nothing else waits of the run, pause that."""
    if kind.leg in runs.held_legs(unit, run.number):
        return
    runs.hold_leg(unit, run.number, kind.leg, reason, phase.kind, phase.ends_at)
    unit.touched.runs.add(run.number)
    if pause_held(unit, run, at, actor):
        return
    details = {
        "leg": kind.leg,
        "key": kind.key,
        "reason": reason.value,
        "phase": phase.kind.value,
        "until": phase.ends_at,
    }
    unit.audit(AuditEntry(AuditAction.LEG_HELD, actor, run_number=run.number, details=details))
    unit.publish(TapeLine(unit.now, LegHeld(run.number, kind.key, reason, phase.kind, phase.ends_at)))


def pause_held(unit: Unit, run: RunRow, at: Standing, actor: str) -> bool:
    """Pause a run of which nothing waits but what is kept back; returns whether that is so."""
    held, waiting = runs.held_legs(unit, run.number), legs_unsent(unit, run.number)
    if not waiting or not waiting <= held.keys():
        return False
    now = read_runs(unit, [run.number])[run.number]  # with what holds it
    pause(unit, now, held[min(waiting)], at, actor)
    return True
