from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.words import formats


@pytest.mark.parametrize(
    ("paise", "amount", "rupees", "short", "signed"),
    [
        (None, "—", "—", "—", "—"),
        (0, "0.00", "0", "0", "0"),
        (-40, "-0.40", "0", "0", "0"),
        (-50, "-0.50", "-1", "-1", "-1"),
        (123_456_750, "12,34,567.50", "12,34,568", "12.3 L", "+12,34,568"),
        (-99_999_49, "-99,999.49", "-99,999", "-99,999", "-99,999"),
        (99_999_50, "99,999.50", "1,00,000", "1.00 L", "+1,00,000"),
        (1_11_111_00, "1,11,111.00", "1,11,111", "1.11 L", "+1,11,111"),
        (62_30_000_00, "62,30,000.00", "62,30,000", "62.3 L", "+62,30,000"),
        (99_95_000_00, "99,95,000.00", "99,95,000", "1.00 cr", "+99,95,000"),
        (-1_22_00_000_00, "-1,22,00,000.00", "-1,22,00,000", "-1.22 cr", "-1,22,00,000"),
        (12_345_00_00_000_00, "1,23,45,00,00,000.00", "1,23,45,00,00,000", "12,345 cr", "+1,23,45,00,00,000"),
    ],
)
def test_money_is_shown_the_indian_way(
    paise: int | None, amount: str, rupees: str, short: str, signed: str
) -> None:
    shown = (formats.amount(paise), formats.rupees(paise), formats.short(paise), formats.signed(paise))
    assert shown == (amount, rupees, short, signed)


@given(st.integers(-(10**16), 10**16))
def test_an_amount_reads_back_as_itself(paise: int) -> None:
    text = formats.amount(paise)
    assert int(text.replace(",", "").replace(".", "")) == paise
    groups = text.lstrip("-").split(".")[0].split(",")
    assert len(groups[-1]) <= 3
    assert all(len(group) == 2 for group in groups[1:-1])
    assert groups[0]


@given(st.integers(-(10**16), 10**16))
def test_a_short_form_is_within_half_a_unit_of_its_last_figure(paise: int) -> None:
    text = formats.short(paise)
    number, _, word = text.replace(",", "").partition(" ")
    scale = {"": 100, "L": 100_000 * 100, "cr": 10_000_000 * 100}[word]
    decimals = len(number.partition(".")[2])
    assert abs(int(number.replace(".", "")) * scale - paise * 10**decimals) * 2 <= scale
    assert len(number.lstrip("-").replace(".", "")) == 3 or not decimals


def test_signs_percentages_counts_and_ages() -> None:
    assert [formats.signed_percent(bps) for bps in (231, -40, 0, None)] == ["+2.31", "-0.40", "0.00", "—"]
    assert [formats.percent(bps) for bps in (2500, 1250, 1205, 0, -50)] == [
        "25",
        "12.5",
        "12.05",
        "0",
        "-0.5",
    ]
    assert [formats.signed_amount(paise) for paise in (1250, -5, 0)] == ["+12.50", "-0.05", "0.00"]
    assert formats.signed_short(1_23_000_00) == "+1.23 L"
    assert [formats.volume(n) for n in (999, 84_100, 999_960, 2_500_000, 3_200_000_000, None)] == [
        *("999", "84.1k", "1.0M", "2.5M", "3.2B", "—")
    ]
    assert [formats.quantity(n) for n in (1_10_000, -1_140, 0, None)] == ["1,10,000", "-1,140", "0", "—"]
    ages = [formats.age(s) for s in (0.2, 0.3, 9.99, 14.7, 59.9, 185, 7_300, 200_000, -1, None)]
    assert ages == ["0.2s", "0.3s", "9.9s", "14s", "59s", "3m", "2h", "2d", "0.0s", "—"]


def test_times_are_shown_in_india_and_never_guessed() -> None:
    assert formats.time_of_day(datetime(2026, 3, 2, 3, 47, 42, tzinfo=UTC)) == "09:17:42"
    with pytest.raises(ValueError, match="aware"):
        formats.time_of_day(datetime(2026, 3, 2, 9, 17))  # noqa: DTZ001 - the fault under test
