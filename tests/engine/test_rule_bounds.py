"""Pure rules at their bounds, where a sign or an equality turned round would go unseen in a whole day."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.vocabulary import Bucket, GateColour, OrderType, Product, RouteKind, Side
from engine.access.judgement import judge_consent
from engine.book.access_views import RouteView
from engine.booking.lots import Lot
from engine.execution.sending.conditions import Kind

DAY = date(2026, 11, 18)


def lot(quantity: int, cost_paise: int, loan_paise: int, charges_paise: int) -> Lot:
    return Lot(
        id=1,
        client_id=1,
        security="INE002A01018",
        product=Product.MTF,
        bucket=Bucket.FREE,
        opened_on=DAY,
        quantity=quantity,
        cost_paise=cost_paise,
        loan_paise=loan_paise,
        charges_paise=charges_paise,
        quantity_left=quantity,
        cost_left_paise=cost_paise,
        loan_left_paise=loan_paise,
        charges_left_paise=charges_paise,
        fill_id=1,
        bought_as=None,
        arrived_at=None,
        traded_at=datetime(2026, 11, 18, 4, tzinfo=UTC),
        trade_id="1",
    )


@given(
    quantity=st.integers(1, 1_000),
    cost=st.integers(0, 10**9),
    loan=st.integers(0, 10**9),
    charges=st.integers(0, 10**6),
    parts=st.lists(st.integers(1, 400), max_size=8),
)
def test_a_lot_sold_in_parts_is_the_whole_lot_and_repays_no_part_of_its_loan_short(
    quantity: int, cost: int, loan: int, charges: int, parts: list[int]
) -> None:
    bought = lot(quantity, cost, loan, charges)
    pieces = []
    for part in [*parts, quantity]:
        if not bought.quantity_left:
            break
        left, owed = bought.quantity_left, bought.loan_left_paise
        pieces.append(bought.take(part))
        assert pieces[-1].loan * left >= owed * pieces[-1].quantity
    sold = [sum(of) for of in zip(*((p.quantity, p.cost, p.loan, p.charges) for p in pieces), strict=True)]
    assert sold == [quantity, cost, loan, charges]
    assert (bought.quantity_left, bought.cost_left_paise, bought.loan_left_paise) == (0, 0, 0)


@pytest.mark.parametrize(
    ("side", "last_paise", "triggered"),
    [
        (Side.BUY, 99_95, False),
        (Side.BUY, 100_00, True),
        (Side.BUY, 100_05, True),
        (Side.SELL, 100_05, False),
        (Side.SELL, 100_00, True),
        (Side.SELL, 99_95, True),
    ],
)
def test_a_stop_is_triggered_by_its_very_trigger(side: Side, last_paise: int, triggered: bool) -> None:
    assert Kind("NSE:TCS", side, OrderType.SL_M, 100_00, False).triggered(last_paise) is triggered


@pytest.mark.parametrize(
    ("until", "colour"),
    [
        (date(2026, 11, 17), GateColour.RED),
        (DAY, GateColour.AMBER),
        (date(2026, 11, 25), GateColour.AMBER),
        (date(2026, 11, 26), GateColour.GREEN),
    ],
)
def test_a_consent_holds_on_its_last_day_and_turns_amber_a_week_before(
    until: date, colour: GateColour
) -> None:
    route = RouteView(1, RouteKind.OWN, consent="paper 1", consent_until=until)
    assert judge_consent(None, route, DAY).colour is colour
