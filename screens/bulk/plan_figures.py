"""The lines around a plan's rows: its intent with the live price, its figures, what is to be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.words import formats
from engine.words.refusals import ONLY_SHOWS
from engine.words.trading.halted import halted_words
from engine.words.trading.plans import (
    by_hand_words,
    figures_line,
    fitting,
    intent_line,
    late_words,
    limit_words,
    plan_through_words,
    skipped_words,
    within_words,
)
from screens.frame.intent_fields import narrowed
from widgets.text import plain

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.planning.plan import Plan

Part = tuple[str, str]
"""Words and their style."""


def drift_part(plan: Plan, drift_bps: int | None) -> Part:
    """How far the price has moved, warned of from half of what the plan bears, or that it bears any move."""
    limit, moved = plan.drift_limit_bps, f"{formats.signed_percent(drift_bps)} %"
    if words := limit_words(plan):
        return f"{moved} {words}", "$text-warning bold"
    warns = drift_bps is not None and limit is not None and abs(drift_bps) * 2 >= limit
    return moved, "$text-warning bold" if warns else ""


def intent_content(desk: Desk, plan: Plan, drift: Part, brief: bool, width: int) -> Content:
    """What is wished, with the price as it is now, in `width` cells."""
    key = plan.instrument.key
    quote = desk.market.quote(key)
    live = f"{formats.price(quote.last_paise if quote else None)} {formats.age(desk.market.age(key))}"
    title = f" {plan.intent.side.value} {plan.instrument.tradingsymbol} "
    asked, now = plain(intent_line(plan, brief)), f"  {live}" if brief else f"   LTP {live} "
    if not brief and len(f"{title}│ {asked}{now}{drift[0]}") > width:
        asked = plain(intent_line(plan, True))  # the price and its drift must not be what is cut
    return Content.assemble((title, "bold"), "│ ", asked, now, *(() if brief else (drift,)))


def figures_content(plan: Plan, drift: Part, brief: bool, masked: str, width: int) -> Content:
    """The plan's figures, as many as `width` cells hold."""
    by_hand = f"{words} · " if (words := by_hand_words(plan)) else ""
    said = f" plan {plan.number} · {by_hand}{figures_line(plan, brief, masked)}"
    drift_now: tuple[str | Part, ...] = (" · ", drift) if brief else ()
    if late := late_words(plan):
        drift_now = (*drift_now, " · ", (late, "$text-warning bold"))
    more = fitting(
        said + "".join(part if isinstance(part, str) else part[0] for part in drift_now),
        (
            within_words(plan, brief),
            f"ETA {plan.eta_s} s",
            plan.short_digest,
            f"made {formats.time_of_day(plan.market_at)}",
        ),
        width,
    )
    return Content.assemble(said, *drift_now, *(f" · {words}" for words in more))


def sum_content(plan: Plan, brief: bool) -> Content:
    """How many can go and what keeps the others, behind what a limit far through the market means."""
    through = plan_through_words(plan)
    warned = ((through, "$text-warning bold"), " · ") if through else ()
    return Content.assemble(" ", *warned, skipped_words(plan, brief))


def answer_words(desk: Desk, plan: Plan) -> str:
    """What is to be typed, and what stands in the way."""
    if desk.looks_only:
        return ONLY_SHOWS
    if not plan.orders:
        return "nothing to send: correct a line above, or Esc goes back to the form"
    if desk.plans.expired(plan):
        return "too old to send: type anything and it is made anew"
    wanted = plan.intent.selection
    whose = f"{wanted.title} · " if narrowed(wanted, len(desk.clients.all())) else ""
    left = max(0, int(desk.plans.left_s(plan)))
    clients = [desk.clients.get(one) for one in dict.fromkeys(line.client_id for line in plan.lines)]
    words = halted_words(desk.halt.active(), clients, plan.instrument.key)
    halted = f"{words} · " if words else ""
    return f"{desk.mode}  {halted}{whose}type  {plan.answer}  and Enter to send ({left} s left):"
