"""A run in words: what waits in it and what it left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.clock import span_words
from data.vocabulary import DeskKind, OrderState, PauseReason, PhaseKind, RunCount, Side
from engine.words import formats
from engine.words.formats import counted
from engine.words.market import PHASES
from engine.words.trading.orders import STATE_WORDS
from engine.words.trading.reasons import counts_words

if TYPE_CHECKING:
    from datetime import datetime

    from engine.book.pause import Pause
    from engine.execution.changes.cancelled import CancelledOrder
    from engine.execution.prospect import Prospect
    from engine.execution.views import RunView
    from engine.planning.plan import Plan


def waiting_words(runs: Sequence[RunView]) -> str:
    """`3 orders unsent in run 4, paused by the trader`; empty where no run was paused by hand."""
    held = [run for run in runs if run.paused and not run.needs_attention]
    if not held:
        return ""
    unsent = sum(run.unsent for run in held)
    numbers = ", ".join(str(run.number) for run in reversed(held))
    where = f"{'runs' if len(held) > 1 else 'run'} {numbers}"
    return f"{counted(unsent, 'order')} unsent in {where}, paused by the trader"


def left_words(of: Plan | RunView) -> str:
    """What rounding leaves of the allocations and, where there is any, what smaller quantities by hand do."""
    words = f"rounding leaves ₹{formats.rupees(of.left_paise)}"
    return f"{words} · smaller quantities leave ₹{formats.rupees(of.cut_paise)}" if of.cut_paise else words


def pause_words(pause: Pause) -> str:
    """Why a run was paused, with the figures."""
    match pause.reason:
        case PauseReason.TRADER:
            return "by the trader"
        case PauseReason.ENGINE_DIED:
            return "its program ended"
        case PauseReason.BOOKS_DIFFER:
            return "the books are not as tradedesk left them, `tradedesk audit verify` says more"
        case PauseReason.OTHER_SECURITY:
            return "the instruments do not say what its security is called now, stop it and plan again"
        case PauseReason.VENUES_DIFFER:
            return "the venues of this desk were not of one day, or its clock was off: go on once they agree"
        case PauseReason.MARKET_HALTED:
            return f"the whole market is halted{_until(pause)}"
        case PauseReason.PHASE_CHANGED:
            return f"its market went from {_phase(pause.phase)} to {_phase(pause.phase_now)}{_until(pause)}"
        case PauseReason.BAND_MOVED:
            return "the exchange has moved its price band"
        case PauseReason.TOO_OLD:
            return (
                f"confirmed {span_words(pause.age_s)} ago, its orders may leave for {pause.send_within_s} s"
            )
        case PauseReason.DRIFTED:
            if not pause.priced_paise or pause.price_paise is None:
                return "the price it was confirmed at is not known"
            prices = f"{formats.price(pause.priced_paise)} to {formats.price(pause.price_paise)}"
            moved = formats.signed_percent(pause.moved_bps)
            return f"the price moved {moved} % since it was confirmed, {prices}"


def _phase(kind: PhaseKind | None) -> str:
    return PHASES[kind or PhaseKind.UNKNOWN][0]


def _until(pause: Pause) -> str:
    return "" if pause.until is None else f", until {formats.time_of_day(pause.until)[:5]}"


def held_words(reason: PauseReason, phase: PhaseKind, until: datetime | None) -> str:
    """Why what waits of one instrument is kept back: `closing auction, no entry, until 15:20`."""
    if reason is PauseReason.BAND_MOVED:
        return "the exchange has moved its price band"
    ends = "" if until is None else f", until {formats.time_of_day(until)[:5]}"
    return f"{_phase(phase)}{ends}"


def frozen_words(kind: DeskKind, pid: int, silent_s: float) -> str:
    """Which engine does nothing, and for how long nothing has come from it."""
    return f"{who_words(kind, pid)} lives and is frozen: nothing from it for {span_words(silent_s)}"


def who_words(kind: DeskKind, pid: int) -> str:
    """An engine as a trader knows it: the program it is part of, and its process."""
    return f"{'the app' if kind is DeskKind.APP else 'a command'} (process {pid})"


def run_why(run: RunView) -> str:
    """Why a run does not send: its engine is frozen, or it is paused; empty where neither is so."""
    if run.frozen is not None:
        return frozen_words(run.frozen.kind, run.frozen.pid, run.frozen_s)
    return pause_words(run.pause) if run.pause is not None else ""


def cancelled_words(told: Sequence[CancelledOrder]) -> str:
    """How many orders of a run were cancelled, how many were not, and what that gave back."""
    failed = sum(not one.cancelled for one in told)
    released = sum(one.released_paise for one in told)
    not_so = f", {failed} not" if failed else ""
    return f"{len(told) - failed} cancelled{not_so}, ₹{formats.amount(released)} released"


def not_cancelled_words(one: CancelledOrder) -> str:
    """Why an order was not cancelled; empty where it was."""
    if one.cancelled:
        return ""
    if not one.order.live:
        return f"it had ended before: {STATE_WORDS[one.order.state]}"
    if one.order.state is OrderState.UNKNOWN:
        return "its send is in doubt; its cancel leaves as soon as the broker shows it"
    return f"the broker did not take it: {one.refused}" if one.refused else "not ended yet; it is tried again"


def prospect_lines(prospect: Prospect, privacy: bool = False) -> list[str]:
    """What going on with a run would do, as a trader reads it before typing the answer.

    With `privacy` without amounts.
    """
    run, drift, before = prospect.run, prospect.drift_bps, prospect.run.priced_paise
    moved = (
        ""
        if drift is None or before is None or len(prospect.prices) > 1
        else f", {drift / 100:+.2f} % from {formats.price(before)}"
    )
    blocked, needed = formats.amount(prospect.blocked_paise), formats.amount(prospect.need_paise)
    now = [formats.price(price.last_paise) for _, price in sorted(prospect.prices.items())]
    prices = f"The price is {now[0]}" if len(now) == 1 else f"The prices of its legs are {', '.join(now)}"
    unmasked = not privacy and prospect.plan.intent.side is Side.BUY
    kept_out = counts_words(prospect.barred_by_reason)
    return [
        f"Run {run.number}, {run.title}: {counted(prospect.unsent, 'order', 'are')} unsent.",
        f"Paused: {pause_words(run.pause) if run.pause else 'by the trader'}.",
        f"It is {span_words(prospect.age_s)} old. {prices}{moved}.",
        *([f"₹{blocked} is blocked, {needed} would be."] if unmasked else []),
        f"{counted(len(prospect.going), 'order', 'would')} go, with quantities as they are.",
        *([f"Clients kept out, their orders denied: {kept_out}."] if kept_out else []),
    ]


def run_words(run: RunView) -> str:
    """A run's counts in one line; `rejected` and `unknown` are always said."""
    always = (RunCount.FILLED, RunCount.REJECTED, RunCount.UNKNOWN)
    said = [
        f"{count} {word.words}"
        for word, count in run.counts.items()
        if word not in (RunCount.TOTAL, RunCount.SENT, RunCount.SKIPPED) and (count or word in always)
    ]
    why = run_why(run)
    status = f"{run.word}: {why}" if why else run.word
    return (
        f"run {run.number} {status}  {_elapsed(run)}  {run.counts[RunCount.SENT]} sent  "
        f"{'  '.join(said)}  {run.skipped} skipped  {left_words(run)}"
    )


def _elapsed(run: RunView) -> str:
    return f"{run.elapsed_s:.1f} s" if run.elapsed_s < 120 else span_words(run.elapsed_s)


def paused_words(run: RunView) -> str:
    """What a paused run keeps, and the two ways on from there."""
    unsent, number = run.unsent, run.number
    money = (
        f", which keep ₹{formats.amount(run.unsent_blocked_paise)} blocked"
        if run.unsent_blocked_paise
        else ""
    )
    return (
        f"run {number} is PAUSED, {run_why(run)}: {counted(unsent, 'order')} unsent{money}.\n"
        f"`tradedesk run {number} resume --send {unsent}` sends them, "
        f"`tradedesk run {number} stop` frees them"
    )


def not_ordered_words(goes_on: bool) -> str:
    """Of a buy of a later stage that is no order: what it waits for."""
    if goes_on:
        return "waits for the sales of its stock, then for its client's cash"
    return "no cash came for it: first in the next look at its model"
