"""What days brought, what could be lost and what runs cost, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.money import half_up
from engine.words.formats import DASH, counted, percent, rupees, signed, signed_percent

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.history.views import FlowView, HistoryView
    from engine.risk.dispersion import RunCost
    from engine.risk.views import DispersionView, RiskView, RunDispersion

UNCLASSED = "flows unclassed"
"""In place of a return while nobody has said what came in or went out."""


def ratio(bps: int | None) -> str:
    """A ratio of two digits, such as a beta of `0.94`."""
    if bps is None:
        return DASH
    hundredths = half_up(bps, 100)
    return f"{'-' if hundredths < 0 else ''}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def returned(view: HistoryView, bps: int | None) -> str:
    """A return, or why there is none."""
    return UNCLASSED if view.unclassed else DASH if bps is None else f"{signed_percent(bps)} %"


def return_lines(view: HistoryView) -> list[str]:
    """What the days of a history returned, as a line each of TWR and XIRR."""
    since = f" since {view.days[0].day:%d %b %Y}" if view.days else ""
    return [
        f"TWR {returned(view, view.twr_bps)}{since} · "
        f"{returned(view, view.twr_year_bps)} this year · {returned(view, view.twr_month_bps)} this month",
        f"XIRR {returned(view, view.xirr_bps)}",
    ]


def drawdown_words(view: HistoryView) -> str:
    """How far under its highest a history stands, and stood."""
    return f"drawdown {percent(view.drawdown.now_bps)} %, at most {percent(view.drawdown.most_bps)} %"


def returns_line(view: HistoryView) -> str:
    """All of it in one line."""
    return " · ".join([*return_lines(view), drawdown_words(view)])


def sources_words(view: HistoryView) -> str:
    """Where days of before the books are from; empty where there are none."""
    return f"days before the books: {', '.join(view.sources)}" if view.sources else ""


def risk_lines(view: RiskView, code_of: Callable[[int], str]) -> list[str]:
    """The risk of some clients together."""
    at = view.concentration
    reach = f"{counted(view.days, 'day')} to {view.last:%d %b}" if view.last else "no closes of before"
    several = len(view.clients) > 1
    each = f" · average ₹{rupees(view.average_value_paise)}" if several else ""
    ways = f" · {view.profitable} up {view.losing} down" if several else ""
    lines = [
        f"value ₹{rupees(view.total_value_paise)}{each} · net today {signed(view.todays_pnl_paise)}{ways}",
        f"VaR 95 {rupees(view.var95_paise)} · VaR 99 {rupees(view.var99_paise)} (a day, by {reach}) · "
        f"beta {ratio(view.beta_bps)} to {view.index.partition(':')[2]} · "
        f"drawdown ₹{rupees(view.drawdown_paise)}",
    ]
    if at.top_key:
        lines.append(
            f"largest {at.top_key.partition(':')[2]} {percent(at.top_bps)} %, "
            f"five largest {percent(at.top_five_bps)} % of the portfolio"
        )
    if several and view.best and view.worst:
        best, worst = code_of(view.best.client_id), code_of(view.worst.client_id)
        lines.append(
            f"best {best} {signed(view.best.todays_pnl_paise)} · "
            f"worst {worst} {signed(view.worst.todays_pnl_paise)}"
        )
    broken = view.breaches
    if broken.days:
        lines.append(
            f"lost more than was at risk on {broken.at_95} (95 %) and {broken.at_99} (99 %) "
            f"of {counted(broken.days, 'day')}"
        )
    if view.left_out:
        codes = ", ".join(code_of(one) for one in view.left_out)
        lines.append(f"not in the VaR, too few closes: {codes}")
    return lines


def run_line(run: RunDispersion, code_of: Callable[[int], str]) -> str:
    """A run's order of sending, and what it cost beyond the price planned at."""
    first = code_of(run.places[0].client_id) if run.places else DASH
    drawn = "" if run.seed is None else f", seed {run.seed}, start {run.start}"
    open_words = "" if run.final else "; what is not filled counts at the close"
    return (
        f"run {run.number} {run.title}: {counted(len(run.places), 'client')}, first {first}{drawn} · "
        f"slippage ₹{rupees(run.slippage_paise)} of ₹{rupees(run.notional_paise)}{open_words}"
    )


def dispersion_lines(view: DispersionView, code_of: Callable[[int], str]) -> list[str]:
    """A day's runs, a line each, and who is always among the last."""
    lines = [run_line(one, code_of) for one in view.runs] or [f"no run on {view.day:%d %b %Y}"]
    return lines + [late_words(one, code_of) for one in view.always_late]


def late_words(one: RunCost, code_of: Callable[[int], str]) -> str:
    """That a client was among the last in every run."""
    return f"{code_of(one.client_id)} was among the last in all of its {one.runs} runs"


def flow_line(flow: FlowView, code: str) -> str:
    """What a flow was: `flow 12 of PS1015, +50,000 on 18 Nov 2026: pay in`."""
    was = UNCLASSED if flow.kind is None else flow.kind.value.replace("_", " ")
    return f"flow {flow.number} of {code}, {signed(flow.amount_paise)} on {flow.day:%d %b %Y}: {was}"
