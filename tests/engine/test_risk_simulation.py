"""Value at risk, beta and adjusted closes, each against a second way of computing it."""

import itertools
import statistics
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from heapq import nsmallest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.vocabulary import CorporateAction
from engine.risk.adjusting import Action, ToldClose, adjusted
from engine.risk.moves import FEWEST_MOVES, MOST_MOVES, Moves, moves_of
from engine.risk.simulation import (
    TAIL_95,
    TAIL_99,
    beta_bps,
    index_moves,
    outcomes_of,
    summed,
    value_at_risk,
)

FIRST = date(2026, 1, 1)


def by_day(closes: list[int]) -> dict[date, int]:
    return {FIRST + timedelta(days=at): paise for at, paise in enumerate(closes)}


def walked(seed: int, count: int) -> list[int]:
    """Closes that move by a rule of their own, up to 3 % a day."""
    closes = [1_000_00 + seed]
    for at in range(1, count):
        closes.append(closes[-1] + closes[-1] * ((at * at * 7 + at * seed * 13) % 601 - 300) // 10_000)
    return closes


CLOSES = {"A": by_day(walked(1, 261)), "B": by_day(walked(2, 261)), "I": by_day(walked(3, 261))}
MOVES = moves_of(CLOSES)
WORTH = {"A": 4_00_000_00, "B": 2_50_000_00}


def exactly(worth: Mapping[str, int]) -> list[Fraction]:
    """The outcomes by fractions, day for day."""
    days = sorted(CLOSES["A"])[-MOST_MOVES - 1 :]
    return [
        sum(
            (value * (Fraction(CLOSES[key][day], CLOSES[key][before]) - 1) for key, value in worth.items()),
            Fraction(),
        )
        for before, day in itertools.pairwise(days)
    ]


def test_value_at_risk_is_the_thirteenth_and_the_third_worst_of_250_days() -> None:
    outcomes = outcomes_of(WORTH, MOVES)
    by_hand = exactly(WORTH)
    assert len(outcomes) == len(by_hand) == MOST_MOVES
    assert value_at_risk(outcomes, TAIL_95) == -round(nsmallest(13, by_hand)[-1])
    assert value_at_risk(outcomes, TAIL_99) == -round(nsmallest(3, by_hand)[-1])


def test_beta_is_the_slope_of_the_portfolio_over_the_index() -> None:
    portfolio = 10_00_000_00
    index = [float(one) for one in exactly({"I": 1})]
    brought = [float(one / portfolio) for one in exactly(WORTH)]
    slope = statistics.linear_regression(index, brought).slope
    found = beta_bps(outcomes_of(WORTH, MOVES), portfolio, index_moves(MOVES, "I"))
    assert found == pytest.approx(slope * 10_000, abs=0.51)
    whole = outcomes_of({"I": portfolio}, MOVES)
    assert beta_bps(whole, portfolio, index_moves(MOVES, "I")) == 10_000, "the index moves as itself"
    assert beta_bps(whole, 2 * portfolio, index_moves(MOVES, "I")) == 5_000, "half of it in cash, half as far"
    assert beta_bps(whole, portfolio, {}) is None
    assert beta_bps(whole, 0, index_moves(MOVES, "I")) is None


def test_fewer_than_a_hundred_days_say_nothing() -> None:
    enough = moves_of({"A": by_day(walked(1, FEWEST_MOVES + 1))})
    assert value_at_risk(outcomes_of({"A": 100_00}, enough), TAIL_95) is not None
    short = moves_of({"A": by_day(walked(1, FEWEST_MOVES))})
    assert value_at_risk(outcomes_of({"A": 100_00}, short), TAIL_95) is None
    assert outcomes_of({"A": 100_00, "UNKNOWN": 1}, enough) == {}, "a part says nothing of the whole"


def test_days_without_a_close_of_one_position_are_left_out() -> None:
    gappy = dict(CLOSES["B"])
    gone = FIRST + timedelta(days=200)
    del gappy[gone]
    moves = moves_of({"A": CLOSES["A"], "B": gappy})
    both = outcomes_of(WORTH, moves)
    assert {gone, gone + timedelta(days=1)}.isdisjoint(both)
    assert len(both) == MOST_MOVES - 2
    assert len(outcomes_of({"A": 100_00}, moves)) == MOST_MOVES


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["A", "B", "I"]), st.integers(1, 10**9), min_size=1),
        min_size=1,
        max_size=6,
    )
)
def test_the_desk_is_its_clients_by_date_and_risks_no_more_than_they_do_together(
    clients: list[dict[str, int]],
) -> None:
    each = [outcomes_of(one, MOVES) for one in clients]
    desk = summed(each)
    for day in desk:
        assert desk[day] == sum(one[day] for one in each)
    at_once = {key: sum(one.get(key, 0) for one in clients) for key in ("A", "B", "I")}
    netted = outcomes_of(at_once, MOVES)
    assert all(abs(netted[day] - desk[day]) <= len(clients) for day in desk), "but for roundings of a paisa"
    worst = [value_at_risk(desk, tail) for tail in (TAIL_99, TAIL_95)]
    assert worst[0] is not None
    assert worst[1] is not None
    assert worst[0] >= worst[1] >= 0


def test_a_gain_on_every_day_puts_nothing_at_risk() -> None:
    rising = moves_of({"A": by_day([100_00 + 10 * at for at in range(FEWEST_MOVES + 1)])})
    assert value_at_risk(outcomes_of({"A": 100_00}, rising), TAIL_99) == 0
    assert summed([]) == {}
    assert moves_of({}) == Moves((), {})


def test_closes_go_over_into_the_shares_of_today() -> None:
    ex, told = date(2026, 6, 10), date(2026, 6, 9)
    closes = {
        date(2026, 6, 8): ToldClose(900_00, told),
        date(2026, 6, 9): ToldClose(903_00, told),
        ex: ToldClose(301_00, ex),
    }
    bonus = Action(ex, CorporateAction.BONUS, "Bonus 2:1")
    assert adjusted(closes, [bonus]) == {
        date(2026, 6, 8): 300_00,
        date(2026, 6, 9): 301_00,
        ex: 301_00,
    }
    split = Action(ex, CorporateAction.SPLIT, "Face Value Split From Rs 10/- Per Share To Rs 2/- Per Share")
    assert adjusted(closes, [split])[date(2026, 6, 8)] == 180_00
    paid = Action(ex, CorporateAction.DIVIDEND, "Dividend - Rs 12 Per Share")
    assert adjusted(closes, [paid])[date(2026, 6, 8)] == 900_00
    later = {date(2026, 6, 8): ToldClose(300_00, ex)}
    assert adjusted(later, [bonus])[date(2026, 6, 8)] == 300_00, "told since the ex-date, it is in there"
    unsaid = Action(ex, CorporateAction.SPLIT, "Sub-division of shares")
    assert adjusted(closes, [unsaid]) == {ex: 301_00}, "what is not known is left out"
