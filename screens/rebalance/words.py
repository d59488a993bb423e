"""The lines around the clients' drift: the rules, how old the look is, what a plan would send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.words import formats
from engine.words.formats import counted
from engine.words.trading.rebalancing import (
    changed_words,
    idle_words,
    percent,
    rules_words,
    unfinished_words,
    wish_words,
)
from screens.bulk.plan_figures import drift_part
from widgets.text import plain

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.planning.plan import Plan
    from engine.rebalancing.model import Wish
    from engine.rebalancing.service import Rebalance

NO_MODEL = "no model yet: :models import FILE"
"""Said in the place of rows."""

MODEL_FILE = "a CSV of sector,target,symbol,weight, as IT,25,INFY,60"
"""What such a file has."""


def title_figures(looked: Rebalance) -> tuple[str, ...]:
    """How many trade, for how much, and the largest drift."""
    most = max((one.drift_before_bps for one in looked.proposals), default=0)
    turnover = sum(one.sold_paise + one.bought_paise for one in looked.proposed)
    return (
        f"{len(looked.proposed)} to trade",
        f"drift to {percent(most)} %",
        f"turnover ₹{formats.rupees(turnover)}",
        counted(len(looked.proposals), "client"),
    )


def rules_line(looked: Rebalance, whose: str, at: str, brief: bool) -> str:
    """By what the model is kept, for whom, what is wanted beside, and when it was looked at."""
    wish = wish_words(looked.wish)
    parts = [whose, rules_words(looked.model.rules), wish, f"looked at {at}"]
    if brief:
        parts = [whose, wish, f"at {at}", rules_words(looked.model.rules)]
    return " · ".join(filter(None, parts))


def plan_line(desk: Desk, plan: Plan, whose: str, wish: Wish, brief: bool) -> Content:
    """Whom the plan is for, what is wanted beside, its figures, and the price that moved furthest since."""
    drifts = [(part, desk.plans.drift_bps(part) or 0) for part in plan.parts]
    part, moved = max(drifts, key=lambda one: abs(one[1]))
    stages = "" if plan.stages == 1 else " · buys wait for the sales of their stock"
    digest = "" if brief else f" · {plan.short_digest}"
    wanted = f" · {plain(words)}" if (words := wish_words(wish)) else ""
    said = f"plan {plan.number} · {plain(whose)}{wanted} · {counted(plan.orders, 'order')}{digest}"
    said += "" if brief else stages
    return Content.assemble(said, f" · {plain(part.instrument.tradingsymbol)} ", drift_part(part, moved))


def sum_line(looked: Rebalance, out: int) -> str:
    """Who cannot finish today, the cash that is left idle, and who is left out by hand."""
    parts = [changed_words(looked), unfinished_words(looked), idle_words(looked)]
    if out:
        parts.append(f"{out} left out by hand")
    return " · ".join(filter(None, parts))
