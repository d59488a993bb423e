"""Which clock a printed time was taken from: the wall's, or that of a market which is simulated."""

from datetime import datetime
from typing import TYPE_CHECKING

from data.clock import IST
from engine.words.formats import DASH, time_of_day

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.execution.views import RunView


def clock_words(desk: "Desk", below: str = "stamps below are wall time IST") -> str:
    """The head of a report with times: market time now, and whose time stands `below`."""
    if not desk.market_is_simulated:
        return "stamps below are IST"
    now = desk.market_clock.now().astimezone(IST)
    return f"market time {now:%a %d %b %H:%M} (simulated) · {below}"


def wall_time(desk: "Desk", moment: datetime | None) -> str:
    """A stamp of the wall clock, with its date where that is not today's: `09:15:02`, `17 Nov 09:15:02`."""
    return _dated(moment, desk.clock.now())


def run_stamp(desk: "Desk", run: "RunView") -> str:
    """When a run began, behind its trading day where that is not today's: `of 17 Nov  09:15:02`."""
    other = run.trading_date != desk.market_clock.trading_day
    return f"{f'of {run.trading_date:%d %b}  ' if other else ''}{wall_time(desk, run.started_at)}"


def market_stamp(desk: "Desk", moment: datetime) -> str:
    """A stamp of the wall clock as the market's, with its date where that is not the trading day's."""
    return _dated(desk.shown_at(moment), desk.market_clock.now())


def market_time(desk: "Desk", moment: datetime | None) -> str:
    """A stamp of the market's clock, with its date where that is not the trading day's."""
    return _dated(moment, desk.market_clock.now())


def _dated(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return DASH
    local = moment.astimezone(IST)
    same_day = local.date() == now.astimezone(IST).date()
    return time_of_day(moment) if same_day else f"{local:%d %b} {time_of_day(moment)}"
