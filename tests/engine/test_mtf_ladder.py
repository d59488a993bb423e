"""The ladder and what restores it, against a second way of computing: the rules themselves, tried out."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from data.money import BPS, ceil_div
from data.vocabulary import MtfLevel, MtfRuleKind
from engine.mtf.ladder import (
    FundedStock,
    MarginAccount,
    Threshold,
    after_sale,
    alone,
    fall_bps,
    is_reached,
    nearest,
    pay_in,
    reached_at,
    rungs_of,
    shares_to_sell,
)

FLOOR = Threshold(MtfLevel.FLOOR, None, 7_000)
OWN = Threshold(MtfLevel.CALL, MtfRuleKind.LOSS_OF_OWN, 2_000)
EQUITY = Threshold(MtfLevel.CALL, MtfRuleKind.EQUITY_BELOW, 1_950)

paise = st.integers(0, 10**9)
thresholds = st.builds(
    Threshold,
    st.just(MtfLevel.CALL),
    st.sampled_from([None, *MtfRuleKind]),
    st.integers(1, BPS - 1),
)


@st.composite
def accounts(draw):
    stocks = []
    for place in range(draw(st.integers(1, 4))):
        cost = draw(st.integers(1, 10**9))
        loan = draw(st.integers(0, cost))
        stocks.append(
            FundedStock(
                f"NSE:S{place}",
                draw(st.integers(1, 400)),
                draw(st.integers(1, 10**6)),
                cost,
                loan,
            )
        )
    loan = sum(stock.loan_paise for stock in stocks)
    return MarginAccount(tuple(stocks), loan, draw(st.integers(-(10**8), 10**9)), draw(paise), draw(paise))


def holds(threshold: Threshold, account: MarginAccount, value: Fraction | int) -> bool:
    """Whether a rule holds, as its words say it, were the shares on margin worth so much."""
    share = Fraction(threshold.percent_bps, BPS)
    cash, loan = account.cash_paise, account.loan_paise
    if threshold.kind is MtfRuleKind.LOSS_OF_OWN:
        return account.cost_paise - value - cash >= share * account.own_paise
    if threshold.kind is MtfRuleKind.EQUITY_BELOW:
        return value + cash - loan < share * value
    return value - loan + cash + account.rest_paise <= share * account.base_paise


@given(accounts(), thresholds)
def test_a_threshold_is_reached_at_just_the_most_that_its_rule_holds_at(account, threshold):
    at = reached_at(threshold, account)
    assert holds(threshold, account, at)
    assert not holds(threshold, account, at + 1)
    assert is_reached(threshold, account) == holds(threshold, account, account.value_paise)


@pytest.mark.proof
@given(accounts(), thresholds)
def test_the_fall_is_the_least_in_basis_points_at_which_the_rule_holds(account, threshold):
    (rung,) = rungs_of(account, [threshold])
    value = account.value_paise
    tried = next(
        (bps for bps in range(BPS + 1) if holds(threshold, account, ceil_div(value * (BPS - bps), BPS))), None
    )
    if tried is None:
        at = reached_at(threshold, account)
        assert rung.fall_bps is None
        assert at < 0
    else:
        assert rung.fall_bps == tried


@given(accounts(), thresholds)
def test_a_stock_alone_falls_as_far_as_the_others_let_it(account, threshold):
    stock = account.stocks[0]
    fall = alone(stock, threshold, account)
    others = account.value_paise - stock.value_paise
    if fall.fall_bps is None:
        assert not holds(threshold, account, others)
        return
    assert fall.price_paise is not None
    assert holds(threshold, account, others + stock.quantity * fall.price_paise)
    if fall.price_paise < stock.last_paise:
        assert not holds(threshold, account, others + stock.quantity * (fall.price_paise + 1))
    assert fall.fall_bps == fall_bps(stock.value_paise, reached_at(threshold, account) - others)


@given(accounts(), thresholds)
def test_what_is_paid_in_is_the_least_that_takes_one_off_a_threshold(account, threshold):
    paid = pay_in(threshold, account)

    def reached(more: int) -> bool:
        with_it = MarginAccount(
            account.stocks,
            account.loan_paise,
            account.cash_paise + more,
            account.rest_paise,
            account.base_paise + more,
        )
        return holds(threshold, with_it, with_it.value_paise)

    assert not reached(paid)
    assert paid == 0 or reached(paid - 1)


@given(accounts(), thresholds, st.integers(0, 50_000), st.integers(0, 40))
def test_what_is_sold_is_the_fewest_shares_that_do(account, threshold, flat, bps):
    stock = account.stocks[0]

    def charged(of: FundedStock, quantity: int) -> int:
        return flat + quantity * of.last_paise * bps // BPS

    found = shares_to_sell(threshold, account, stock.key, charged)
    if not is_reached(threshold, account):
        assert found == 0
        return
    # Without a threshold that a sale moves by more than it costs, no count of shares is the fewest.
    tried = [
        quantity
        for quantity in range(1, stock.quantity + 1)
        if not is_reached(threshold, after_sale(account, stock.key, quantity, charged(stock, quantity)))
    ]
    if threshold.kind is None:
        assert found is None
    elif found is None:
        assert stock.quantity not in tried
    else:
        assert found in tried
        assert found - 1 not in tried


@given(accounts(), st.integers(1, 400))
def test_a_sale_keeps_the_portfolio_but_for_its_charges(account, quantity):
    stock = account.stocks[0]
    assume(quantity <= stock.quantity)
    after = after_sale(account, stock.key, quantity, 1_234)
    assert after.portfolio_paise == account.portfolio_paise - 1_234
    assert after.loan_paise == sum(one.loan_paise for one in after.stocks)


def test_the_nearest_is_what_is_reached_or_falls_least():
    account = MarginAccount(
        (FundedStock("NSE:INFY", 333, 150_000, 333 * 150_000, 39_960_000),), 39_960_000, 10_000, 0, 10_000_000
    )
    floor, call = rungs_of(account, [FLOOR, OWN])
    assert (floor.fall_bps, call.fall_bps) == (601, 403)
    assert nearest([floor, call]) is call
    assert nearest([]) is None
    (none,) = rungs_of(account, [EQUITY])
    assert none.fall_bps == 65
