"""A plan and a run printed for people."""

from typing import TYPE_CHECKING

from data.vocabulary import Side
from engine.words.formats import DASH, amount, counted, quantity, rupees
from engine.words.trading.baskets import progress_words
from engine.words.trading.orders import why_words
from engine.words.trading.plans import (
    by_hand_words,
    free_words,
    late_words,
    limit_words,
    outcome_words,
    plan_through_words,
    price_words,
    report_verdict,
    whose_price,
)
from engine.words.trading.runs import run_words
from engine.words.trading.what_if import what_if_rows
from tradedesk.cli.printing.baskets import print_basket
from tradedesk.cli.printing.output import line, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.desk import Desk
    from engine.execution.views import RunView
    from engine.planning.plan import Plan, PlanLine
    from engine.planning.what_if import WhatIf


def print_plan(plan: "Plan") -> None:
    """Print a plan, problems first."""
    if plan.in_legs:
        print_basket(plan)
        return
    intent = plan.intent
    product = intent.product.value if intent.product else "as held"
    reserve = f"  reserve ₹{rupees(plan.reserve_paise)}" if intent.side is Side.BUY else ""
    may_leave = f"may leave within {plan.send_within_s} s"
    if words := limit_words(plan):
        may_leave += f", {words}"
    age = DASH if plan.age_s is None else f"{plan.age_s:.1f}s"
    line(
        f"plan {plan.number}  {plan.title}  {product}  {price_words(plan)}"
        f"  clients {intent.selection.title} ({len(plan.lines)})  LTP{whose_price(plan)} "
        f"{amount(plan.last_paise or None)} {age}"
    )
    line(
        f"{counted(plan.orders, 'order')}  {counted(plan.shares, 'share')}"
        f"  at LTP ₹{rupees(plan.at_last_paise if plan.last_paise else None)}{reserve}"
        f"  about {plan.eta_s} s, {may_leave}  hash {plan.short_digest}"
    )
    if by_hand := by_hand_words(plan):
        line(by_hand)
    if through := plan_through_words(plan):
        line(through)
    if late := late_words(plan):
        line(f"{late}: they will wait for typed words")
    if plan.desk_halted:
        line("the desk is HALTED: plans may be made, nothing is sent before `tradedesk resume`")
    figures = _buy_figures if intent.side is Side.BUY else _sell_figures
    table(
        ("code", "client", *_FIGURES[intent.side], "verdict (problems first)"),
        [
            (entry.code, entry.name, *figures(entry), report_verdict(entry, intent.side))
            for entry in plan.lines
        ],
    )
    line(outcome_words(plan))


def print_what_ifs(found: "Sequence[WhatIf]") -> None:
    """Print what lines would leave of their clients, before and after."""
    if found:
        rows = [
            (one.code, *(cell for _, before, after, _ in what_if_rows(one) for cell in (before, after)))
            for one in found
        ]
        heads = (">cash", ">after", ">MTF", ">after", ">weight", ">after", "", ">charges")
        table(("code", *heads), rows)


_FIGURES = {
    Side.BUY: (">base", ">qty", ">reserve", ">cash after"),
    Side.SELL: ("prod", ">free", ">qty", ">at LTP"),
}
"""The columns between a client and the verdict: a buy takes money, a sell shares."""


def _buy_figures(entry: "PlanLine") -> tuple[str, ...]:
    return (
        rupees(entry.base_paise),
        quantity(entry.quantity),
        rupees(entry.reserve_paise) if entry.ok else DASH,
        rupees(entry.available_after_paise),
    )


def _sell_figures(entry: "PlanLine") -> tuple[str, ...]:
    return (
        entry.product.value,
        free_words(entry),
        quantity(entry.quantity),
        rupees(entry.sized_paise) if entry.ok else DASH,
    )


def print_run(desk: "Desk", run: "RunView") -> None:
    """Print a run's counts, and every order that did not fill completely with the broker's words."""
    from engine.execution.views import by_leg

    line(run_words(run))
    orders = [desk.orders.get(order_id) for order_id in run.order_ids]
    legs = by_leg(orders)
    if len(legs) > 1:
        line(progress_words(legs))
    rest = [order for order in orders if order.filled_quantity < order.quantity]
    if rest:
        table(
            (">order", "code", *(["symbol"] if len(legs) > 1 else []), "state", ">filled", ">of", "why"),
            [
                (
                    str(order.id),
                    desk.clients.get(order.client_id).code,
                    *([order.tradingsymbol] if len(legs) > 1 else []),
                    order.state.value,
                    quantity(order.filled_quantity),
                    quantity(order.quantity),
                    why_words(order),
                )
                for order in rest
            ],
        )
