"""A run in words and signs: its bar, what it was for, how it has ended or what the keys would do now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from data.vocabulary import OrderState, RunCount
from engine.words.trading.orders import flagged_why
from engine.words.trading.plans import title_of, wish_words
from engine.words.trading.runs import left_words, run_why
from widgets.text import clip, plain

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.execution.views import RunView
    from engine.planning.plan import Plan

BAR = (
    (RunCount.FILLED, "█", "$pnl-up"),
    (RunCount.OPEN, "▓", "$foreground"),
    (RunCount.SENDING, "▒", "$foreground"),
    (RunCount.UNKNOWN, "?", "$armed bold"),
    (RunCount.REJECTED, "×", "$text-warning"),
    (RunCount.DENIED, "×", "$text-warning"),
    (RunCount.NOT_RECEIVED, "×", "$text-warning"),
    (RunCount.CANCELLED, "-", "$text-muted"),
    (RunCount.EXPIRED, "-", "$text-muted"),
    (RunCount.UNSENT, "·", "$text-muted"),
)
"""Which count draws which sign of the bar, in the order they stand."""

REPAIRABLE = (RunCount.REJECTED, RunCount.DENIED, RunCount.NOT_RECEIVED, RunCount.SKIPPED)
"""Counts of what provably failed or was never sent."""

ENDED_UNFILLED = (
    RunCount.REJECTED,
    RunCount.DENIED,
    RunCount.NOT_RECEIVED,
    RunCount.CANCELLED,
    RunCount.EXPIRED,
)
"""Counts of orders that have ended without filling, as a result tells them."""

RANKS = {
    state: rank
    for rank, state in enumerate(
        (
            OrderState.UNKNOWN,
            OrderState.REJECTED,
            OrderState.DENIED,
            OrderState.NOT_RECEIVED,
            None,
            OrderState.OPEN,
            OrderState.SENDING,
            OrderState.RESERVED,
            OrderState.CANCELLED,
            OrderState.EXPIRED,
            OrderState.FILLED,
        )
    )
}
"""Problems first, clients that were skipped (None) among them, then what is still at work."""

ALWAYS = (
    RunCount.FILLED,
    RunCount.OPEN,
    RunCount.SENDING,
    RunCount.UNSENT,
    RunCount.REJECTED,
    RunCount.UNKNOWN,
)
"""Counts that are shown even when they are zero."""


def bar(counts: dict[RunCount, int], width: int) -> list[tuple[str, str]]:
    """The run as a bar of `width` signs; whatever there is one of gets one sign at least."""
    total = counts[RunCount.TOTAL]
    if not total:
        return [("·" * width, "$text-muted")]
    shares = {word: counts[word] * width // total for word, _, _ in BAR}
    for word, _, _ in BAR:
        if counts[word] and not shares[word]:
            shares[word] = 1
    spare = width - sum(shares.values())
    largest = max(shares, key=lambda word: shares[word])
    shares[largest] = max(1, shares[largest] + spare)
    return [(sign * shares[word], style) for word, sign, style in BAR if shares[word]]


def run_title(run: RunView, plan: Plan | None) -> str:
    """What the run was for."""
    lines = run.counts[RunCount.TOTAL] + run.skipped
    if plan is None or plan.in_legs:
        return title_of(run.title, lines)
    wish = title_of(wish_words(plan.intent), lines)
    return f"{plan.intent.side.value} {plan.instrument.tradingsymbol} {wish} {plan.price_terms}".rstrip()


def result_words(run: RunView, orders: Iterable[OrderView], masked: bool) -> str:
    """The result once nothing is at work, else what the keys would do now. `orders` are the run's."""
    counts = run.counts
    if run.finished_at is None and not run.settled:
        return _key_words(run)
    parts = [f"{counts[RunCount.FILLED]} filled"]
    if counts[RunCount.OPEN]:
        parts.append(f"{counts[RunCount.OPEN]} open")
    for word in ENDED_UNFILLED:
        if counts[word]:
            parts.append(f"{counts[word]} {word.words}{_why(orders, word)}")
    parts.append(f"{counts[RunCount.UNKNOWN]} unknown")
    parts.append(f"{counts[RunCount.SKIPPED]} skipped")
    if (run.left_paise or run.cut_paise) and not masked:
        parts.append(left_words(run))
    line = " · ".join(parts)
    if repairable := repairable_words(run):
        line += f"\n r plans a repair of {repairable}; what filled, is live or unknown stays as it is"
    return line


def _key_words(run: RunView) -> str:
    unsent, live = run.unsent, run.at_brokers
    also = f", or them and {live} live" if live else ""
    if run.paused:
        return f"{run_why(run)}\n p asks to send the {unsent} unsent   x frees the {unsent} unsent{also}"
    keys = [f"{run_why(run)}\n"] if run.frozen_since else []
    if unsent:
        keys.append("p pauses the unsent")
        keys.append(f"x stops the {unsent} unsent{also}")
    elif live:
        keys.append(f"x cancels the {live} live of this run")
    return "   ".join(keys) or "reading back from the brokers…"


def _why(orders: Iterable[OrderView], word: RunCount) -> str:
    """The broker's words where all of one kind have the same, for the first of them."""
    if word not in (RunCount.REJECTED, RunCount.DENIED):
        return ""
    state = OrderState.REJECTED if word is RunCount.REJECTED else OrderState.DENIED
    texts = {flagged_why(order) for order in orders if order.state is state} - {""}
    return f": {clip(plain(texts.pop()), 40)}" if len(texts) == 1 else " (broker's words below)"


def repairable_words(run: RunView) -> str:
    """What a repair of the run would plan anew; empty where there is nothing."""
    return " + ".join(f"{run.counts[word]} {word.words}" for word in REPAIRABLE if run.counts[word])
