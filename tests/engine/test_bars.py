"""Bars of a minute made of the desk's own quotes, and how they go together."""

from datetime import UTC, date, datetime, timedelta

from brokers.contract import Bar, BarSpan, Tick
from data.clock import IST
from data.records import replace
from engine.market.bars import MinuteBars, in_span, joined, with_gaps

DAY = date(2026, 11, 18)
NINE_FIFTEEN = 9 * 60 + 15
OPEN = datetime(2026, 11, 18, 9, 15, tzinfo=IST)
KEY = "NSE:TCS"
FIRST = Tick(KEY, 100, 95, 98, 104, 96, 1_000, 0, 0, 0, 0, OPEN, datetime(2026, 11, 18, tzinfo=UTC))


def tick(second: int, last: int, high: int = 104, low: int = 96, volume: int = 1_000) -> Tick:
    at = FIRST.received_at + timedelta(seconds=second)
    return replace(FIRST, last_paise=last, high_paise=high, low_paise=low, volume=volume, received_at=at)


def bar(minute: int, *figures: int) -> Bar:
    return Bar(OPEN + timedelta(minutes=minute), *figures)


def test_a_bar_has_the_extremes_and_the_volume_between_two_looks() -> None:
    bars = MinuteBars()
    bars.note(DAY, NINE_FIFTEEN, tick(0, 100))
    assert bars.of(KEY) == [bar(0, 100, 100, 100, 100, 0)], "what traded before is of no bar"
    bars.note(DAY, NINE_FIFTEEN, tick(5, 101, high=109, volume=1_040))
    bars.note(DAY, NINE_FIFTEEN, tick(10, 99, high=109, low=90, volume=1_050))
    assert bars.of(KEY) == [bar(0, 100, 109, 90, 99, 50)]
    bars.note(DAY, NINE_FIFTEEN + 1, tick(65, 98, high=109, low=90, volume=1_060))
    assert bars.of(KEY)[1] == bar(1, 98, 98, 98, 98, 10)


def test_what_was_looked_at_before_makes_no_bar_of_another_minute() -> None:
    bars = MinuteBars()
    bars.note(DAY, NINE_FIFTEEN, tick(0, 100))
    bars.note(DAY, NINE_FIFTEEN + 1, tick(0, 100))
    assert len(bars.of(KEY)) == 1
    bars.note(DAY, NINE_FIFTEEN + 9, tick(540, 120, high=130, volume=9_000))
    assert bars.of(KEY)[1] == bar(9, 120, 120, 120, 120, 0), "nor is a gap's volume that of the bar after it"


def test_a_clock_set_back_changes_nothing_and_another_day_begins_from_nothing() -> None:
    bars = MinuteBars()
    bars.note(DAY, NINE_FIFTEEN + 2, tick(0, 100))
    bars.note(DAY, NINE_FIFTEEN, tick(5, 200))
    assert bars.of(KEY) == [bar(2, 100, 100, 100, 100, 0)]
    bars.rename({KEY: "NSE:TCSNEW"})
    assert bars.of(KEY) == [] != bars.of("NSE:TCSNEW")
    bars.note(DAY + timedelta(days=1), NINE_FIFTEEN, tick(10, 90))
    assert [one.close_paise for one in bars.of(KEY)] == [90]
    assert bars.of("NSE:TCSNEW") == []


def test_bars_of_a_minute_go_together_from_whole_spans_of_the_clock_on() -> None:
    minutes = [bar(2, 10, 15, 9, 12, 5), bar(4, 12, 20, 11, 19, 6), bar(5, 19, 19, 18, 18, 7)]
    assert in_span(minutes, BarSpan.FIVE) == [bar(0, 10, 20, 9, 19, 11), bar(5, 19, 19, 18, 18, 7)]
    day = in_span(minutes, BarSpan.DAY)
    assert [(one.at.hour, *one[1:]) for one in day] == [(0, 10, 20, 9, 18, 18)]


def test_a_gap_within_a_day_is_a_gap_and_a_night_is_none() -> None:
    first, third = bar(0, 1, 1, 1, 1, 1), bar(10, 1, 1, 1, 1, 1)
    next_day = bar(24 * 60 + 10, 1, 1, 1, 1, 1)
    assert with_gaps([first, third, next_day], BarSpan.FIVE) == [first, None, third, next_day]


def test_own_bars_go_on_where_the_broker_s_end_and_share_its_last() -> None:
    told = [bar(0, 10, 12, 9, 11, 100), bar(1, 11, 11, 11, 11, 5)]
    own = [bar(0, 50, 50, 50, 50, 1), bar(1, 12, 14, 12, 13, 3), bar(2, 13, 13, 13, 13, 2)]
    assert joined(told, own) == [told[0], bar(1, 11, 14, 11, 13, 5), own[2]]
    assert joined([], own) == own
    assert joined(told, own[:1]) == told
