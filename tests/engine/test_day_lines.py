"""The course of a price over the day: a price a slot, gaps left, another day from nothing."""

from datetime import UTC, datetime, timedelta

from engine.market.day_lines import SLOT_S, DayLines

OPEN = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)
"""09:15 in India."""


def at(slot: int, second: int = 0) -> datetime:
    return OPEN + timedelta(seconds=slot * SLOT_S + second)


def test_the_last_price_of_a_slot_stands_and_gaps_stay() -> None:
    lines = DayLines()
    lines.note("NSE:TCS", at(0), 100)
    lines.note("NSE:TCS", at(0, SLOT_S - 1), 101)
    lines.note("NSE:TCS", at(3), 105)
    assert lines.of("NSE:TCS") == [101, None, None, 105]
    assert lines.of("NSE:INFY") == []


def test_a_clock_that_was_set_back_changes_nothing_that_is_noted() -> None:
    lines = DayLines()
    lines.note("NSE:TCS", at(0), 100)
    lines.note("NSE:TCS", at(2), 102)
    lines.note("NSE:TCS", at(1), 999)
    assert lines.of("NSE:TCS") == [100, None, 102]


def test_another_day_begins_from_nothing() -> None:
    lines = DayLines()
    lines.note("NSE:TCS", at(0), 100)
    lines.note("NSE:INFY", at(0), 100)
    lines.note("NSE:TCS", at(5) + timedelta(days=1), 90)
    assert lines.of("NSE:TCS") == [90]
    assert lines.of("NSE:INFY") == []
