"""Interest and terms of the margin trading facility: each broker's own form, by a second way of computing."""

from datetime import date, timedelta
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import BadInput
from data.reference.mtf import (
    MtfTermsNotLoaded,
    interest_a_day,
    interest_between,
    mtf_terms,
)
from data.vocabulary import CorporateAction, InterestForm

DAY = date(2026, 11, 18)
BROKERS = ("zerodha", "upstox", "groww")
loans = st.integers(0, 10**12)


def second_way(broker: str, loan: int) -> int:
    """A day's interest in exact fractions, as the brokers' pages word it."""
    rupees = Fraction(loan, 100)
    if broker == "zerodha":
        return ceil(rupees * Fraction(4, 10_000) * 100)
    if broker == "groww":
        return ceil(rupees * Fraction(1_495, 10_000) / 365 * 100)
    return ceil(rupees / 40_000) * 20 * 100


@given(st.sampled_from(BROKERS), loans)
def test_a_days_interest_is_what_the_brokers_page_says(broker, loan):
    assert interest_a_day(broker, DAY, loan) == second_way(broker, loan)


@given(st.sampled_from(BROKERS), loans, st.integers(0, 400))
def test_interest_runs_on_calendar_days(broker, loan, days):
    after = DAY - timedelta(days=days)
    assert interest_between(broker, after, DAY, loan) == days * second_way(broker, loan)


@given(st.sampled_from(BROKERS), loans, loans)
def test_interest_never_falls_when_the_loan_grows(broker, loan, more):
    assert interest_a_day(broker, DAY, loan) <= interest_a_day(broker, DAY, loan + more)


def test_the_figures_of_the_brokers_pages():
    assert interest_a_day("zerodha", DAY, 75_000_00) * 10 == 300_00
    assert [interest_a_day("upstox", DAY, paise) for paise in (1, 40_000_00, 40_000_01)] == [
        20_00,
        20_00,
        40_00,
    ]
    assert interest_a_day("groww", DAY, 1_00_000_00) == 40_96
    assert interest_a_day("paper", DAY, 1_00_000_00) == 40_00


def test_terms_are_dated_and_name_what_is_not_known():
    assert mtf_terms("upstox", DAY).interest.form is InterestForm.RUPEES_A_SLAB
    assert CorporateAction.MERGER in mtf_terms("zerodha", DAY).ends_before
    with pytest.raises(MtfTermsNotLoaded, match="known from 01 Oct 2024"):
        mtf_terms("zerodha", date(2024, 9, 30))
    with pytest.raises(BadInput):
        interest_a_day("zerodha", DAY, -1)
