"""Bars of the followed prices, a minute each, from the desk's own quotes of the trading day."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from brokers.contract import Bar, BarSpan, Tick
from data.clock import IST

BEYOND = 1
"""A bar takes extremes and volume told since the note before only if that is at most so many minutes old."""


def _longs() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class _Course:
    """An instrument's bars as columns, and what its last noted packet said of the whole day."""

    minutes: "array[int]" = field(default_factory=lambda: array("H"))
    opens: "array[int]" = field(default_factory=_longs)
    highs: "array[int]" = field(default_factory=_longs)
    lows: "array[int]" = field(default_factory=_longs)
    closes: "array[int]" = field(default_factory=_longs)
    volumes: "array[int]" = field(default_factory=_longs)
    seen: Tick | None = None


class MinuteBars:
    """Open, high, low, close and volume of each minute of the day by instrument key.

    A price is looked at every few seconds. What the day's high, low and volume have moved by since the look
    before is the bar's as well, so that no extreme between two looks is lost. A minute of which no packet
    came has no bar. At most the minutes of one day are kept; another day begins from nothing.
    """

    def __init__(self) -> None:
        self._day: date | None = None
        self._courses: dict[str, _Course] = {}

    def note(self, day: date, minute: int, tick: Tick) -> None:
        """Take a packet in at a minute of the market's day; one that was noted before changes nothing."""
        if day != self._day:
            self._day = day
            self._courses.clear()
        course = self._courses.get(tick.key)
        if course is None:
            course = self._courses[tick.key] = _Course()
        seen = course.seen
        if seen is not None and seen.received_at == tick.received_at:
            return
        last_minute = course.minutes[-1] if course.minutes else -1
        if minute < last_minute:
            return
        course.seen = tick
        price = high = low = tick.last_paise
        volume = 0
        if seen is not None and minute - last_minute <= BEYOND:
            volume = max(0, tick.volume - seen.volume)
            high = max(price, tick.high_paise if tick.high_paise > seen.high_paise else price)
            low = min(price, tick.low_paise if 0 < tick.low_paise < seen.low_paise else price)
        if minute == last_minute:
            course.highs[-1] = max(course.highs[-1], high)
            course.lows[-1] = min(course.lows[-1], low)
            course.closes[-1] = price
            course.volumes[-1] += volume
        else:
            course.minutes.append(minute)
            course.opens.append(price)
            course.highs.append(high)
            course.lows.append(low)
            course.closes.append(price)
            course.volumes.append(volume)

    def rename(self, moved: Mapping[str, str]) -> None:
        """Let bars go on under new keys."""
        self._courses = {moved.get(key, key): course for key, course in self._courses.items()}

    def of(self, key: str) -> list[Bar]:
        """The bars of the day, oldest first; none where nothing was noted today."""
        course = self._courses.get(key)
        if course is None or self._day is None:
            return []
        midnight = datetime.combine(self._day, time(), IST)
        columns = (course.opens, course.highs, course.lows, course.closes, course.volumes)
        return [
            Bar(midnight + timedelta(minutes=minute), *row)
            for minute, *row in zip(course.minutes, *columns, strict=True)
        ]


def together(bars: Sequence[Bar], at: datetime) -> Bar:
    """Bars that follow each other as one that begins at `at`."""
    return Bar(
        at,
        bars[0].open_paise,
        max(bar.high_paise for bar in bars),
        min(bar.low_paise for bar in bars),
        bars[-1].close_paise,
        sum(bar.volume for bar in bars),
    )


def in_span(bars: Iterable[Bar], span: BarSpan) -> list[Bar]:
    """Bars of a minute as bars of a span, each from a whole span of the clock on."""
    groups: dict[datetime, list[Bar]] = {}
    for bar in bars:
        groups.setdefault(begin_of(bar.at, span), []).append(bar)
    return [together(group, at) for at, group in groups.items()]


def begin_of(at: datetime, span: BarSpan) -> datetime:
    """When the bar begins that a moment is in."""
    local = at.astimezone(IST)
    midnight = datetime.combine(local.date(), time(), IST)
    if span is BarSpan.DAY:
        return midnight
    minute = local.hour * 60 + local.minute
    return midnight + timedelta(minutes=minute // span.minutes * span.minutes)


def joined(told: Sequence[Bar], own: Sequence[Bar]) -> list[Bar]:
    """A broker's bars and our own of the same span: ours follow on its last, which both have a part of."""
    if not told:
        return list(own)
    last = told[-1]
    later = [bar for bar in own if bar.at > last.at]
    same = next((bar for bar in own if bar.at == last.at), None)
    if same is None:
        return [*told, *later]
    whole = Bar(
        last.at,
        last.open_paise,
        max(last.high_paise, same.high_paise),
        min(last.low_paise, same.low_paise),
        same.close_paise,
        max(last.volume, same.volume),
    )
    return [*told[:-1], whole, *later]


def with_gaps(bars: Sequence[Bar], span: BarSpan) -> list[Bar | None]:
    """Bars in their order, with None for each span within a day of which there is none.

    Between two days, and among bars of whole days, nothing is missing: the exchange was closed.
    """
    found: list[Bar | None] = []
    before: Bar | None = None
    for bar in bars:
        if before is not None and span.minutes and before.at.date() == bar.at.date():
            missed = int((bar.at - before.at).total_seconds()) // (span.minutes * 60) - 1
            found.extend([None] * missed)
        found.append(bar)
        before = bar
    return found
