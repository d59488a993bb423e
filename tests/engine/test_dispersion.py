"""What a run cost its clients beside its own average: by hand, and what must hold whatever was traded."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from data.vocabulary import Side
from engine.risk.dispersion import (
    Place,
    RunCost,
    Sent,
    costs_of,
    month_to_date,
    parts_of,
    places_of,
)


def sent(
    client_id: int, quantity: int, filled: int, price: int, side: Side = Side.BUY, close: int | None = None
):
    return Sent(client_id, 1, "NSE:TCS", side, quantity, filled, filled * price, 100_00, close)


def test_each_client_stands_against_the_average_of_the_run() -> None:
    first, second, third = parts_of(
        [sent(1, 10, 10, 100_00), sent(2, 10, 10, 101_00), sent(3, 10, 0, 0, close=103_00)]
    )
    assert (first.dispersion_paise, second.dispersion_paise) == (-500, 500)
    assert (first.dispersion_bps, second.dispersion_bps) == (-50, 50)
    assert (first.slippage_paise, second.slippage_paise) == (0, 1_000)
    assert second.slippage_bps == 100
    assert third.unfilled_paise == 10 * 250, "2.50 dearer a share at the close than at the average of 100.50"
    assert (third.average_paise, third.dispersion_bps) == (None, None)


def test_a_sale_below_the_average_costs() -> None:
    low, high = parts_of([sent(1, 10, 10, 99_00, Side.SELL), sent(2, 12, 10, 101_00, Side.SELL, 95_00)])
    assert (low.dispersion_paise, high.dispersion_paise) == (1_000, -1_000)
    assert high.unfilled_paise == 2 * 500, "what was not sold is worth 5.00 less at the close"


def test_before_the_close_nobody_knows_what_the_rest_costs_and_without_a_trade_the_plan_counts() -> None:
    (open_part,) = parts_of([sent(1, 10, 4, 100_00)])
    assert open_part.unfilled_paise is None
    (nothing,) = parts_of([sent(1, 10, 0, 0, close=101_00)])
    assert nothing.unfilled_paise == 1_000


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(1, 5_000_00), st.sampled_from(list(Side))),
        min_size=1,
        max_size=30,
    )
)
def test_costs_of_a_run_add_up_to_nothing_and_are_exact_to_the_paisa(
    trades: list[tuple[int, int, Side]],
) -> None:
    rows = [sent(at, filled, filled, price, side) for at, (filled, price, side) in enumerate(trades)]
    parts = parts_of(rows)
    assert abs(sum(one.dispersion_paise for one in parts)) <= len(parts)
    for row, part in zip(rows, parts, strict=True):
        same = [one for one in rows if one.side is row.side]
        shares, came_to = sum(one.filled for one in same), sum(one.notional_paise for one in same)
        average = Fraction(came_to, shares) if shares else Fraction()
        wanted = (row.notional_paise - row.filled * average) * (1 if row.side is Side.BUY else -1)
        assert abs(part.dispersion_paise - wanted) <= Fraction(1, 2)


def test_the_last_third_is_late_and_who_always_was_is_named() -> None:
    assert [one.late for one in places_of([7, 7, 8, 9])] == [False, False, True]
    assert [one.client_id for one in places_of([7, 8, 7])] == [7, 8]
    assert not any(one.late for one in places_of([1, 2])), "of two nobody is late"
    last, mixed = Place(1, 9, 9), Place(2, 1, 9)
    costs = costs_of([([], [last, mixed])] * 4 + [([], [last, Place(2, 8, 9)])])
    assert costs[1].always_late
    assert not costs[2].always_late
    assert not costs_of([([], [last])] * 4)[1].always_late, "four runs may be chance"


def test_a_month_is_its_closed_days_and_today() -> None:
    today = costs_of([(parts_of([sent(1, 1, 1, 101_00), sent(2, 1, 1, 99_00)]), places_of([1, 2]))])
    before = [RunCost(1, 2, 2, 500_00, 30, 10, -5), RunCost(3, 1, 0, 100_00, -30, 0, 0)]
    month = month_to_date(before, today)
    assert month[1] == RunCost(1, 3, 2, 601_00, 130, 10, 95)
    assert month[1].dispersion_bps == 22
    assert month[3].dispersion_paise == -30
    assert RunCost(9).dispersion_bps is None
