"""Pure rules at their bounds, where a sign or an equality turned round would go unseen in a whole day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.contract import BrokerFunds
from data.repositories.accounts.comparisons import Figures
from data.vocabulary import (
    BreakKind,
    Bucket,
    ConsentKind,
    GateColour,
    GateItem,
    OrderState,
    OrderType,
    Product,
    RouteKind,
    SessionState,
    Side,
)
from engine.access.judgement import admit, judge_consent
from engine.book.access_views import Access, Applicant, ConsentNeed, ConsentView, RouteView
from engine.booking.lots import Lot
from engine.booking.overdue import is_over, may_be_sent
from engine.execution.sending.conditions import OrderKind
from engine.execution.sending.unanswered import GIVEN_UP, LastLook
from engine.reconciliation.differences import money_differences

DAY = date(2026, 11, 18)
AT = datetime(2026, 11, 18, 4, tzinfo=UTC)


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
    assert OrderKind("NSE:TCS", side, OrderType.SL_M, 100_00, False).triggered(last_paise) is triggered


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
    given = [ConsentView(1, 1, ConsentKind.TRADING, "paper 1", None, until, "tester", AT)]
    assert judge_consent(ConsentNeed(ConsentKind.TRADING, hard=True), given, DAY).colour is colour
    soft = GateColour.AMBER if colour is GateColour.RED else colour
    assert judge_consent(ConsentNeed(ConsentKind.TRADING, hard=False), given, DAY).colour is soft


@pytest.mark.parametrize(
    ("available", "loan", "due", "told", "found"),
    [
        (1_000_00, 0, 0, {}, []),
        (1_001_00, 0, 0, {}, []),
        (1_001_01, 0, 0, {}, [BreakKind.CASH]),
        (998_99, 0, 0, {}, [BreakKind.CASH]),
        (1_006_00, 0, 5_00, {}, []),
        (1_006_01, 0, 5_00, {}, [BreakKind.CASH]),
        (1_000_00, 1_00, 0, {}, []),
        (1_000_00, 1_01, 5_00, {}, [BreakKind.LOAN]),
        (1_000_00, 1_01, 0, {"loan_whole": False}, []),
        (1_000_00, 1_01, 0, {"loan_of_today": False}, [BreakKind.LOAN]),
        (2_000_00, 0, 0, {"orders_blocked": False}, [BreakKind.CASH]),
    ],
)
def test_a_rupee_is_rounding_and_a_paisa_more_is_a_break(
    available: int, loan: int, due: int, told: dict[str, bool], found: list[BreakKind]
) -> None:
    ours = Figures(1, available - 200_00, 200_00, due, loan, 0, dividends_due_paise=0)
    theirs = BrokerFunds(1_000_00, 0, 0, 0, datetime(2026, 11, 18, 4, tzinfo=UTC), **told)
    assert [one.kind for one in money_differences(ours, theirs, False, False)] == found
    kept = [one for one in found if told.get("orders_blocked", True) or one is not BreakKind.CASH]
    kept = [one for one in kept if told.get("loan_of_today", True) or one is not BreakKind.LOAN]
    assert [one.kind for one in money_differences(ours, theirs, True, True)] == kept


@pytest.mark.parametrize(
    ("after_market", "trading_date", "awaited", "sent"),
    [
        (False, DAY, None, True),
        (False, DAY - timedelta(days=1), None, False),
        (False, DAY, DAY, False),
        (False, DAY, date(2026, 11, 19), False),
        (True, DAY, DAY, True),
        (True, date(2026, 11, 19), date(2026, 11, 19), True),
        (True, DAY, date(2026, 11, 19), False),
        (True, DAY, None, False),
    ],
)
def test_an_order_leaves_in_its_session_and_one_that_waits_for_it_only_before(
    after_market: bool, trading_date: date, awaited: date | None, sent: bool
) -> None:
    assert may_be_sent(after_market, trading_date, DAY, awaited) is sent
    assert is_over(OrderState.RESERVED, after_market, trading_date, DAY, awaited) is not sent
    assert is_over(OrderState.OPEN, after_market, trading_date, DAY, awaited) is (trading_date < DAY)


@pytest.mark.parametrize(
    ("until", "against"), [(DAY, None), (DAY - timedelta(days=1), GateColour.RED), (None, None)]
)
def test_a_waiver_lets_what_is_amber_pass_and_nothing_that_has_turned_red_since(
    until: date | None, against: GateColour | None
) -> None:
    need = ConsentNeed(ConsentKind.TRADING, hard=True)
    consents = {1: (ConsentView(1, 1, ConsentKind.TRADING, "paper 1", None, until, "tester", AT),)}
    route = RouteView(1, RouteKind.OWN)
    applicant = Applicant(1, "C1", None, True, SessionState.OK, (need,))
    access = Access(
        {1: route}, consents=consents, waivers={(1, GateItem.CONSENT): "known", (1, GateItem.ROUTE): "known"}
    )
    judged = admit(applicant, access, (), DAY)
    assert judged.route_verdict is not None, "no connection carries it, whatever was waived"
    assert judged.route_verdict.colour is GateColour.RED
    assert (judged.consent_verdict and judged.consent_verdict.colour) == against
    unwaived = admit(applicant, Access({1: route}, consents=consents), (), DAY).consent_verdict
    assert (unwaived is None) == (until is None)


def test_nothing_leaves_by_a_look_that_was_given_up_and_what_passed_before_may_have_left() -> None:
    never_asked, passed, kept_back = LastLook(lambda: ""), LastLook(lambda: ""), LastLook(lambda: "halted")
    assert never_asked.close() is False
    assert never_asked() == GIVEN_UP
    assert passed() == ""
    assert passed.close() is True
    assert passed() == GIVEN_UP
    assert kept_back() == "halted"
    assert kept_back.close() is False
