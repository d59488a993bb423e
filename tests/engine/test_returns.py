"""TWR, XIRR, drawdown and the calendar of days, each against a second way of computing it."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from math import prod

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.history.returns import (
    FEWEST_XIRR_DAYS,
    INDEX,
    Day,
    Drawdown,
    calendar_of,
    drawdown,
    drawdown_paise,
    flows_of,
    index_of,
    twr_bps,
    xirr_bps,
)

FIRST = date(2026, 10, 1)


def days_of(moves: list[tuple[int, int]], begins: int = 10_00_000_00) -> list[Day]:
    """Days that each bring a permyriad of what they began with, after a flow."""
    days = [Day(FIRST, begins, 0, 0)]
    for at, (bps, flow) in enumerate(moves, start=1):
        began = days[-1].portfolio_paise + flow
        net = began * bps // 10_000
        days.append(Day(FIRST + timedelta(days=at), began + net, flow, net))
    return days


def test_a_deposit_is_no_return() -> None:
    days = days_of([(100, 0), (0, 5_00_000_00), (-50, 0)])
    assert twr_bps(days) == 50  # 1.01 x 0.995 = 1.00495
    assert index_of(days)[2] == INDEX * 101 // 100, "the day of the deposit moved nothing"
    assert twr_bps(days[:1]) is None
    assert twr_bps([]) is None
    assert index_of([]) == []


def test_drawdown_counts_from_the_highest_and_no_withdrawal_is_one() -> None:
    days = days_of([(1_000, 0), (-500, -2_00_000_00), (-500, 0), (200, 0)])
    found = drawdown(days)
    assert found.most_bps == 975  # 1 - 0.95 x 0.95
    assert found.now_bps == 795  # 1 - 0.95 x 0.95 x 1.02
    assert (found.peak_on, found.lowest_on) == (FIRST + timedelta(days=1), FIRST + timedelta(days=3))
    assert drawdown([]) == Drawdown()
    assert drawdown_paise([500, -200, -100, 50]) == 250
    assert drawdown_paise([-300]) == 300, "what was never gained is lost from nothing"
    assert drawdown_paise([]) == 0


def test_a_year_that_brings_a_tenth_has_a_yearly_rate_of_a_tenth() -> None:
    days = [Day(date(2025, 11, 18), 1_00_000_00, 0, 0), Day(date(2026, 11, 18), 1_10_000_00, 0, 10_000_00)]
    assert xirr_bps(days) == 1_000
    assert xirr_bps(days[:1]) is None
    short = [days[0], Day(date(2025, 11, 18) + timedelta(days=FEWEST_XIRR_DAYS - 1), 1_10_000_00, 0, 0)]
    assert xirr_bps(short) is None, "a few days are no year"


MOVES = st.lists(
    st.tuples(st.integers(-900, 900), st.integers(-50_000_00, 50_000_00)), min_size=1, max_size=40
)


@settings(deadline=None)
@given(MOVES)
def test_twr_is_the_product_of_the_days(moves: list[tuple[int, int]]) -> None:
    days = days_of(moves)
    by_hand = prod(
        Fraction(
            day.portfolio_paise - day.flow_paise - before.portfolio_paise,
            before.portfolio_paise + day.flow_paise,
        )
        + 1
        for before, day in pairwise(days)
    )
    found = twr_bps(days)
    assert found is not None
    assert abs(found - (by_hand - 1) * 10_000) <= Fraction(501, 1_000)


@settings(deadline=None)
@given(MOVES)
def test_drawdown_is_the_worst_of_all_pairs_of_days(moves: list[tuple[int, int]]) -> None:
    days = days_of(moves)
    index = index_of(days)
    worst = max(Fraction(high - low, high) for at, high in enumerate(index) for low in index[at:])
    found = drawdown(days)
    assert abs(found.most_bps - worst * 10_000) <= Fraction(1, 2)
    assert 0 <= found.now_bps <= found.most_bps


def worth_at(rate: float, flows: list[tuple[date, int]]) -> float:
    began = flows[0][0]
    return sum(amount / (1 + rate) ** ((day - began).days / 365) for day, amount in flows)


@settings(deadline=None, max_examples=50)
@given(MOVES)
def test_xirr_is_where_all_flows_are_worth_nothing(moves: list[tuple[int, int]]) -> None:
    days = days_of(moves)
    days.append(Day(FIRST + timedelta(days=365), days[-1].portfolio_paise, 0, 0))
    found = xirr_bps(days)
    assume(found is not None and found > -9_900)
    low, high, flows = -0.999, 100.0, flows_of(days)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if worth_at(middle, flows) > 0 else (low, middle)
    assert found == pytest.approx(low * 10_000, abs=1)


def test_the_calendar_has_each_day_in_its_month_and_a_month_counts_from_the_close_before() -> None:
    days = days_of([(100, 0)] * 40)
    november, october = calendar_of(days)
    assert (october.year, october.month, len(october.nets)) == (2026, 10, 31)
    assert sum(november.nets.values()) + sum(october.nets.values()) == sum(one.net_pnl_paise for one in days)
    assert november.net_paise == sum(one.net_pnl_paise for one in days if one.day.month == 11)
    at_october_end = next(one for one in days if one.day == date(2026, 10, 31))
    assert november.twr_bps == round((days[-1].portfolio_paise / at_october_end.portfolio_paise - 1) * 10_000)
