"""One-day historical simulation: what positions of now would have brought on each day of before.

Value at risk is the lower quantile, without interpolation: of `n` outcomes, sorted from the worst, the one
that stands at place `floor((n - 1) x q)` counted from 0, with q = 5 % or 1 %; of 250 days the 13th and the
3rd worst. It is told as a loss, and is 0 where that outcome is a gain. For several clients together their
outcomes are summed by date first.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from data.money import BPS, half_up
from engine.risk.moves import FEWEST_MOVES, SCALE, Moves

Outcomes = Mapping[date, int]
"""What positions would have brought, in paise, by day."""

TAIL_95, TAIL_99 = 500, 100
"""The part of outcomes that is worse than the value at risk, in basis points."""


def outcomes_of(worth: Mapping[str, int], moves: Moves) -> Outcomes:
    """What positions worth so many paise each, by key, would have brought on each day.

    A day on which one of them has no move is left out: a part of the positions says nothing of the whole.
    """
    rows = [(value, moves.of.get(key)) for key, value in worth.items() if value]
    if any(row is None for _, row in rows):
        return {}
    sums: list[int | None] = [0] * len(moves.days)
    for value, row in rows:
        assert row is not None
        if None in row or None in sums:
            sums = [None if a is None or b is None else a + value * b for a, b in zip(sums, row, strict=True)]
        else:  # nearly all of them, and a thousand clients have twenty each
            sums = [a + value * b for a, b in zip(sums, row, strict=True)]  # type: ignore[operator]
    return {
        day: (2 * each + SCALE) // (2 * SCALE)
        for day, each in zip(moves.days, sums, strict=True)
        if each is not None
    }


def summed(several: Sequence[Outcomes]) -> Outcomes:
    """Outcomes of several clients by date, on the days that all of them have."""
    if not several:
        return {}
    shared = set(several[0]).intersection(*several[1:])
    return {day: sum(each[day] for each in several) for day in sorted(shared)}


def value_at_risk(outcomes: Outcomes, tail_bps: int) -> int | None:
    """The loss in paise that only this part of the days exceeded; None of fewer days than are enough."""
    if len(outcomes) < FEWEST_MOVES:
        return None
    place = (len(outcomes) - 1) * tail_bps // BPS
    return max(0, -sorted(outcomes.values())[place])


def beta_bps(outcomes: Outcomes, portfolio_paise: int, index: Mapping[date, int]) -> int | None:
    """How a portfolio moved with an index over the same days, in basis points: 10 000 moves as it does.

    It is the covariance of both over the variance of the index, of the whole portfolio with its cash. None of
    fewer days than are enough, of an index that stood still, and of a portfolio worth nothing.
    """
    days = [day for day in outcomes if day in index]
    if len(days) < FEWEST_MOVES or portfolio_paise <= 0:
        return None
    brought, moved = [outcomes[day] for day in days], [index[day] for day in days]
    total = sum(moved)
    variance = len(days) * sum(one * one for one in moved) - total * total
    if not variance:
        return None
    covariance = len(days) * sum(a * b for a, b in zip(brought, moved, strict=True)) - sum(brought) * total
    return half_up(covariance * SCALE * BPS, variance * portfolio_paise)


def index_moves(moves: Moves, key: str) -> Mapping[date, int]:
    """The moves of an index by day, where it has one."""
    row = moves.of.get(key, ())
    return {day: move for day, move in zip(moves.days, row, strict=False) if move is not None}
