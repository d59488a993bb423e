"""A plan and a run as people read them on the command line."""

from typing import TYPE_CHECKING

from data.vocabulary import Side
from engine.words.formats import DASH, amount, percent, quantity, rupees
from engine.words.runs import run_why
from tradedesk.cli.output import counted, line, table

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk
    from engine.execution.views import RunView
    from engine.planning.record import Alternative, Plan, PlanLine


def plan_words(plan: "Plan") -> str:
    """A plan's outcome in one line: `BUY TCS 25 % of capital: 45 orders · 1 skipped: 1 session expired`."""
    words = f"{plan.title}: {counted(plan.orders, 'order')}"
    return (
        f"{words} · {len(plan.skipped_lines)} skipped: {skipped_words(plan)}" if plan.skipped_lines else words
    )


def skipped_words(plan: "Plan") -> str:
    """How many lines each reason skips: `2 not enough funds, 1 session expired`."""
    from engine.words.reasons import words

    return ", ".join(f"{count} {words(reason)}" for reason, count in plan.skipped_by_reason.items())


def print_plan(plan: "Plan") -> None:
    """Print a plan, problems first."""
    from engine.words.plans import by_hand_words

    intent = plan.intent
    limit = " ".join(
        [
            intent.order_type.value,
            *([amount(intent.limit_paise)] if intent.limit_paise else []),
            *([f"trigger {amount(intent.trigger_paise)}"] if intent.trigger_paise else []),
        ]
    )
    product = intent.product.value if intent.product else "as held"
    reserve = f"  reserve ₹{rupees(plan.reserve_paise)}" if intent.side is Side.BUY else ""
    worst = amount(plan.reserve_price_paise or None)
    age = DASH if plan.age_s is None else f"{plan.age_s:.1f}s"
    line(
        f"plan {plan.number}  {plan.title}  {product}  {limit} worst {worst}"
        f"  clients {intent.selection.title} ({len(plan.lines)})  LTP {amount(plan.last_paise or None)} {age}"
    )
    line(
        f"{counted(plan.orders, 'order')}  {counted(plan.shares, 'share')}"
        f"  at LTP ₹{rupees(plan.at_last_paise if plan.last_paise else None)}{reserve}"
        f"  about {plan.eta_s} s, may leave within {plan.send_within_s} s  hash {plan.short_digest}"
    )
    if by_hand := by_hand_words(plan):
        line(by_hand)
    if plan.desk_halted:
        line("the desk is HALTED: plans may be made, nothing is sent before `tradedesk resume`")
    figures = _buy_figures if intent.side is Side.BUY else _sell_figures
    table(
        ("code", "client", *_FIGURES[intent.side], "verdict (problems first)"),
        [(entry.code, entry.name, *figures(entry), _verdict(entry, intent.side)) for entry in plan.lines],
    )
    line(plan_words(plan))


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
    from engine.words.plans import free_words

    return (
        entry.product.value,
        free_words(entry),
        quantity(entry.quantity),
        rupees(entry.sized_paise) if entry.ok else DASH,
    )


def _verdict(entry: "PlanLine", side: Side) -> str:
    if entry.reason is None:
        return f"{entry.verdict.value} {entry.detail}".strip()
    from engine.words.reasons import words

    why = words(entry.reason)
    why = f"{why}: {entry.detail}" if entry.detail and entry.detail != why else why
    return " · ".join([why, *(_alternative(way, side) for way in entry.alternatives)])


def _alternative(way: "Alternative", side: Side) -> str:
    from engine.words.plans import fewer_words

    if way.loan_paise:
        return (
            f"by MTF {counted(way.quantity, 'share')}: own {rupees(way.own_paise)}, borrowed "
            f"{rupees(way.loan_paise)}, limit used {percent(way.limit_used_before_bps)} % → "
            f"{percent(way.limit_used_after_bps)} %"
        )
    return f"{'can sell' if side is Side.SELL else 'affordable'} {fewer_words(way, side)}"


def why_words(order: "OrderView") -> str:
    """Why an order stands as it does, the broker's own words before the desk's; empty once it has filled."""
    from engine.words.reasons import words

    if order.state == "FILLED":
        return ""
    return order.reason_text or words(order.reason_code or order.sub_status)


def run_words(run: "RunView") -> str:
    """A run's counts in one line; `rejected` and `unknown` are always said."""
    always = ("filled", "rejected", "unknown")
    said = [
        f"{count} {word.replace('_', ' ')}"
        for word, count in run.counts.items()
        if word not in ("total", "sent", "skipped") and (count or word in always)
    ]
    why = run_why(run)
    status = f"{run.word}: {why}" if why else run.word
    from engine.words.runs import left_words

    return (
        f"run {run.number} {status}  {run.elapsed_s:.1f} s  {run.counts['sent']} sent  "
        f"{'  '.join(said)}  {run.skipped} skipped  {left_words(run)}"
    )


def paused_words(run: "RunView") -> str:
    """What a paused run keeps, and the two ways on from there."""
    unsent, number = run.counts["unsent"], run.number
    money = f", which keep ₹{amount(run.unsent_blocked_paise)} blocked" if run.unsent_blocked_paise else ""
    return (
        f"run {number} is PAUSED, {run_why(run)}: {counted(unsent, 'order')} unsent{money}.\n"
        f"`tradedesk run {number} resume --send {unsent}` sends them, "
        f"`tradedesk run {number} stop` frees them"
    )


def print_run(desk: "Desk", run: "RunView") -> None:
    """Print a run's counts, and every order that did not fill completely with the broker's words."""
    line(run_words(run))
    orders = [desk.orders.get(order_id) for order_id in run.order_ids]
    rest = [order for order in orders if order.filled_quantity < order.quantity]
    if rest:
        table(
            (">order", "code", "state", ">filled", ">of", "why"),
            [
                (
                    str(order.id),
                    desk.clients.get(order.client_id).code,
                    order.state.value,
                    quantity(order.filled_quantity),
                    quantity(order.quantity),
                    why_words(order),
                )
                for order in rest
            ],
        )
