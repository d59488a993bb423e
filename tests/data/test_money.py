"""Numbers as people type them: a comma groups, Indian or Western, or the number is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import BadInput
from data.money import (
    bps_from_percent_text,
    count_from_text,
    grouped,
    moved_beyond,
    moved_bps,
    paise_from_text,
)

NO_GROUPING = [
    ",5",
    "5,",
    "2,5",
    "1,,0",
    "1,0",
    "1,00,00",
    "1000,50",
    "1,0000",
    "12,34,5",
    "1000,000",
    "0,500",
]


@pytest.mark.parametrize("text", NO_GROUPING)
@pytest.mark.parametrize("read", [paise_from_text, count_from_text, bps_from_percent_text])
def test_a_comma_that_groups_nothing_is_refused_by_its_name(read, text):
    with pytest.raises(BadInput) as bad:
        read(text, "size")
    assert bad.value.field == "size"
    assert bad.value.value == text
    assert "comma" in bad.value.expected


@pytest.mark.parametrize(
    ("text", "count"),
    [("1,00,000", 100_000), ("100,000", 100_000), ("1,000", 1_000), ("12,34,567", 1_234_567), ("7", 7)],
)
def test_indian_and_western_groups_are_taken(text, count):
    assert count_from_text(text, "quantity") == count
    assert paise_from_text(text) == count * 100
    assert paise_from_text(f" {text}.50 ") == count * 100 + 50


@pytest.mark.parametrize("text", ["1,000", "2,500", "1,00,000"])
def test_a_percentage_takes_no_comma_at_all(text):
    with pytest.raises(BadInput, match="decimals take a point"):
        bps_from_percent_text(text)


@pytest.mark.parametrize("text", ["", "2.5", "-1", "+1", "1e3", "²", "१२", "1 000", "1" * 13])
def test_a_count_is_plain_digits(text):
    with pytest.raises(BadInput, match="whole number"):
        count_from_text(text, "quantity")


@given(st.integers(0, 10**12 - 1))
def test_what_is_shown_grouped_is_read_back_the_same(number):
    assert count_from_text(grouped(number), "quantity") == number
    assert count_from_text(f"{number:,}", "quantity") == number


@given(st.text("0123456789,", max_size=12))
def test_commas_never_change_what_the_digits_between_them_mean(text):
    """Whatever is taken is one of the two ways to write it."""
    try:
        number = count_from_text(text, "quantity")
    except BadInput:
        return
    assert text.lstrip("0").zfill(1) in (str(number), grouped(number), f"{number:,}")


def test_a_price_at_its_limit_has_not_moved_beyond_it_and_a_tick_further_it_has():
    assert not moved_beyond(2400_00, 2412_00, 50)
    assert moved_beyond(2400_00, 2412_05, 50)
    assert moved_bps(2400_00, 2412_05) == 50, "by the rounded figure it had not"
    assert not moved_beyond(2400_00, 2388_00, 50)
    assert moved_beyond(2400_00, 2387_95, 50)
    assert moved_beyond(2400_00, 2400_05, 0)
