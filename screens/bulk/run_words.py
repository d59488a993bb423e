"""A run in words and signs: its bar, what it was for, how it has ended or what the keys would do now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from data.vocabulary import OrderState, RunCount, Side
from engine.words.formats import counted, price
from engine.words.trading.orders import flagged_why
from engine.words.trading.plans import title_of, wish_words
from engine.words.trading.runs import left_words, run_why
from widgets.text import clip, plain

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.execution.views import RunView
    from engine.planning.intent import Intent
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

WIDE, WIDE_BAR, LEAST_BAR = 110, 40, 8
"""Cells of a line from which on the bar may be wide, how wide it is then, and what it has at least."""


def counts_line(counts: dict[RunCount, int], room: int) -> list[tuple[str, str] | str]:
    """The run's bar and its counts in `room` cells: the bar gets what the counts leave."""
    others = [word for word, _, _ in BAR if counts[word] and word not in ALWAYS]
    words = "  " + " ".join(f"{word.words} {counts[word]}" for word in (*ALWAYS, *others))
    widest = WIDE_BAR if room >= WIDE else WIDE_BAR // 2
    return [*bar(counts, max(LEAST_BAR, min(widest, room - len(words)))), words]


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


def run_title(run: RunView, plan: Plan | None, orders: Iterable[OrderView] = ()) -> str:
    """What the run was for; of orders that were modified since, the limits that they have."""
    lines = run.counts[RunCount.TOTAL] + run.skipped
    if plan is None or plan.in_legs:
        return title_of(run.title, lines)
    wish = title_of(wish_words(plan.intent), lines)
    title = f"{plan.intent.side.value} {plan.instrument.tradingsymbol} {wish} {plan.price_terms}".rstrip()
    limits = {order.limit_paise for order in orders if order.limit_paise is not None}
    if plan.intent.limit_paise is None or limits <= {plan.intent.limit_paise}:
        return title
    low, high = min(limits), max(limits)
    return f"{title}, modified to {price(low)}{'' if low == high else f'-{price(high)}'}"


def result_words(
    run: RunView, orders: Iterable[OrderView], masked: bool, waiting: int = 0, left: int | None = None
) -> str:
    """The result once nothing is at work, else what the keys would do now. `orders` are the run's.

    `waiting` are buys of a later stage of which no order was made; `left` are clients whom the run's
    repairs have left to another, None where that is all.
    """
    counts, orders = run.counts, list(orders)
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
    if waiting:
        parts.append(f"{counted(waiting, 'buy', 'wait')} for cash")
    if (run.left_paise or run.cut_paise) and not masked:
        parts.append(left_words(run))
    line = " · ".join(parts)
    repairable = repairable_words(run) if left is None else f"the {left} left" if left else ""
    keys = [f"r plans a repair of {repairable}"] if repairable else []
    if back := _reversal_words(run.number, orders):
        keys.append(back)
    return f"{line}\n {'   '.join(keys)}" if keys else line


def _reversal_words(number: int, orders: Sequence[OrderView]) -> str:
    """How what has filled is reversed: by the key of the other side, of several legs each by itself."""
    sides = {order.side for order in orders if order.filled_quantity}
    if not sides:
        return ""
    if len({order.leg for order in orders}) == 1:
        return "S sells what it bought" if sides == {Side.BUY} else "B buys back what it sold"
    keys = " ".join(key for key, side in (("B", Side.SELL), ("S", Side.BUY)) if side in sides)
    return f"{keys} reverses the leg here, :reverse {number} all"


def reversing_side(orders: Iterable[OrderView]) -> Side | None:
    """The side that reverses all that these filled; None where nothing has filled, or both have."""
    sides = {order.side for order in orders if order.filled_quantity}
    return (Side.SELL if Side.BUY in sides else Side.BUY) if len(sides) == 1 else None


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


def left_to_repair(run: RunView, intent: Intent | None) -> int | None:
    """How many clients a repair would plan, where earlier ones have served others; None where that is all.

    Of several legs only whether any is left can be told.
    """
    if intent is None:
        return 0
    left = len(intent.selection.client_ids)
    return None if intent.in_legs or left >= sum(run.counts[word] for word in REPAIRABLE) else left


def repairable_words(run: RunView) -> str:
    """What a repair of the run would plan anew; empty where there is nothing."""
    return " + ".join(f"{run.counts[word]} {word.words}" for word in REPAIRABLE if run.counts[word])
