"""Stamps as the trader's market has them: a simulated market has a time of its own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from data.clock import IST
from engine.words import formats

if TYPE_CHECKING:
    from engine.desk import Desk


def market_time(desk: Desk, at: datetime) -> str:
    """A stamp as the time of day the trader lives in: a simulated market has its own."""
    return formats.time_of_day(desk.shown_at(at))


def market_stamp(desk: Desk, at: datetime) -> str:
    """A stamp with its date where that is not the market's: `09:20:05`, `17 Nov 09:20:05`."""
    shown = desk.shown_at(at)
    return formats.time_of_day(shown) if _is_today(desk, shown) else f"{_date(shown)} {market_time(desk, at)}"


def market_when(desk: Desk, at: datetime) -> str:
    """A stamp in eight cells: the time of day, or the date where that is not the market's."""
    return traded_when(desk, desk.shown_at(at))


def traded_when(desk: Desk, at: datetime) -> str:
    """As `market_when`, of a stamp that the market itself made."""
    return formats.time_of_day(at) if _is_today(desk, at) else _date(at)


def _is_today(desk: Desk, shown: datetime) -> bool:
    return shown.astimezone(IST).date() == desk.market.now().astimezone(IST).date()


def _date(shown: datetime) -> str:
    return f"{shown.astimezone(IST):%d %b}"
