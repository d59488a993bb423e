"""A run in words: what waits in it and what it left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.vocabulary import Side
from engine.words import formats
from engine.words.formats import counted
from engine.words.reasons import counts_words

if TYPE_CHECKING:
    from engine.execution.resuming import Prospect
    from engine.execution.runs import RunView
    from engine.planning.record import Plan


def waiting_words(runs: Sequence[RunView]) -> str:
    """`3 orders unsent in run 4, paused by the trader`; empty where no run was paused by hand."""
    held = [run for run in runs if run.paused and not run.needs_trader]
    if not held:
        return ""
    unsent = sum(run.counts["unsent"] for run in held)
    numbers = ", ".join(str(run.number) for run in reversed(held))
    where = f"{'runs' if len(held) > 1 else 'run'} {numbers}"
    return f"{counted(unsent, 'order')} unsent in {where}, paused by the trader"


def left_words(of: Plan | RunView) -> str:
    """What rounding leaves of the allocations and, where there is any, what smaller quantities by hand do."""
    words = f"left by rounding ₹{formats.rupees(of.left_paise)}"
    return f"{words} · cut by hand ₹{formats.rupees(of.cut_paise)}" if of.cut_paise else words


def prospect_lines(prospect: Prospect, privacy: bool = False) -> list[str]:
    """What going on with a run would do, as a trader reads it before typing the answer.

    With `privacy` without amounts.
    """
    run, drift, before = prospect.run, prospect.drift_bps, prospect.run.priced_paise
    moved = "" if drift is None or before is None else f", {drift / 100:+.2f} % from {formats.price(before)}"
    blocked, needed = formats.amount(prospect.blocked_paise), formats.amount(prospect.need_paise)
    unmasked = not privacy and prospect.plan.intent.side is Side.BUY
    kept_out = counts_words(prospect.barred_by_reason)
    return [
        f"Run {run.number}, {run.title}: {prospect.unsent} orders are unsent.",
        f"Paused: {prospect.why_paused}.",
        f"It is {prospect.age_s:.0f} s old. The price is {formats.price(prospect.last_paise)}{moved}.",
        *([f"₹{blocked} is blocked, {needed} would be."] if unmasked else []),
        f"{len(prospect.going)} orders would go, with their quantities as they are.",
        *([f"Clients kept out, their orders denied: {kept_out}."] if kept_out else []),
    ]
