"""A plan and a run as people read them on the command line."""

from typing import TYPE_CHECKING

from tradedesk.output import line, table
from widgets.formats import DASH, amount, percent, quantity, rupees

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.orders.plan_record import Alternative, Plan, PlanLine
    from engine.orders.runs import RunView


def plan_words(plan: "Plan") -> str:
    """A plan's outcome in one line: `BUY RELIANCE 25 % of capital: 45 orders · 1 skipped: 1 mtf_limit`."""
    skipped = ", ".join(f"{count} {reason.value}" for reason, count in plan.skipped_by_reason.items())
    noun = "order" if plan.orders == 1 else "orders"
    words = f"{plan.title}: {plan.orders} {noun}"
    return f"{words} · {len(plan.skipped_lines)} skipped: {skipped}" if skipped else words


def print_plan(plan: "Plan") -> None:
    """Print a plan, problems first."""
    intent = plan.intent
    limit = f"LIMIT {amount(intent.limit_paise)}" if intent.limit_paise else "MARKET"
    product = intent.product.value if intent.product else "as held"
    age = DASH if plan.age_s is None else f"{plan.age_s:.1f}s"
    line(
        f"plan {plan.number}  {plan.title}  {product}  {limit} worst {amount(plan.reserve_price_paise)}"
        f"  clients {intent.selection.title} ({len(plan.lines)})  LTP {amount(plan.last_paise)} {age}"
    )
    noun = "order" if plan.orders == 1 else "orders"
    line(
        f"{plan.orders} {noun}  {quantity(plan.shares)} shares  at LTP ₹{rupees(plan.at_last_paise)}"
        f"  reserve ₹{rupees(plan.reserve_paise)}  about {plan.eta_s} s  hash {plan.digest[:12]}"
    )
    if plan.desk_halted:
        line("the desk is halted: plans may be made, nothing is sent")
    table(
        ("code", "client", ">base", ">qty", ">reserve", ">cash after", "verdict (problems first)"),
        [_row(entry) for entry in plan.lines],
    )
    line(plan_words(plan))


def _row(entry: "PlanLine") -> tuple[str, ...]:
    return (
        entry.code,
        entry.name,
        rupees(entry.base_paise),
        quantity(entry.quantity),
        rupees(entry.reserve_paise) if entry.ok else DASH,
        rupees(entry.available_after_paise),
        _verdict(entry),
    )


def _verdict(entry: "PlanLine") -> str:
    if entry.reason is None:
        return entry.verdict.value
    words = f"{entry.reason.value}: {entry.detail}" if entry.detail else entry.reason.value
    return " · ".join([words, *(_alternative(way) for way in entry.alternatives)])


def _alternative(way: "Alternative") -> str:
    if way.loan_paise:
        return (
            f"by MTF {quantity(way.quantity)} shares: own {rupees(way.own_paise)}, borrowed "
            f"{rupees(way.loan_paise)}, limit used {percent(way.limit_used_before_bps)} % → "
            f"{percent(way.limit_used_after_bps)} %"
        )
    return f"affordable {quantity(way.quantity)} shares ({quantity(way.quantity_at_last)} at LTP, no charges)"


def run_words(run: "RunView") -> str:
    """A run's counts in one line; `rejected` and `unknown` are always said."""
    always = ("filled", "rejected", "unknown")
    said = [
        f"{count} {word.replace('_', ' ')}"
        for word, count in run.counts.items()
        if word not in ("total", "sent", "skipped") and (count or word in always)
    ]
    return (
        f"run {run.number} {run.status.value}  {run.elapsed_s:.1f} s  {run.counts['sent']} sent  "
        f"{'  '.join(said)}  {run.skipped} skipped  left ₹{rupees(run.left_paise)}"
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
                    order.reason_text or order.reason_code or order.sub_status,
                )
                for order in rest
            ],
        )
