"""A symbol's facts in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.clock import IST
from data.vocabulary import PhaseKind
from engine.words import formats

if TYPE_CHECKING:
    from datetime import datetime

    from brokers.contract import BarSpan, Tick
    from data.reference.instruments import Instrument
    from data.reference.phases import IntradayEnd
    from engine.book.market_halt import MarketHalt
    from engine.market.charts import ChartView
    from engine.market.quotes import StockDetail

PHASES = {
    PhaseKind.CLOSED: ("closed", "closed"),
    PhaseKind.PRE_OPEN: ("pre-open", "pre"),
    PhaseKind.PRE_OPEN_LIMIT_ONLY: ("pre-open, limit only", "pre lmt"),
    PhaseKind.PRE_OPEN_MATCHING: ("pre-open matching", "matching"),
    PhaseKind.CONTINUOUS: ("continuous", "cont"),
    PhaseKind.AUCTION_REFERENCE: ("auction, no entry", "auct ref"),
    PhaseKind.AUCTION_ENTRY: ("auction", "auct"),
    PhaseKind.AUCTION_LIMIT_ONLY: ("auction, limit only", "auct lmt"),
    PhaseKind.AUCTION_MATCHING: ("auction matching", "auct match"),
    PhaseKind.POST_CLOSE: ("post-close", "post"),
    PhaseKind.HALTED: ("MARKET HALTED", "MKT HALTED"),
    PhaseKind.REOPENING: ("reopening, pre-open", "reopen"),
    PhaseKind.UNKNOWN: ("phase unknown", "phase ?"),
}
"""Phases in full and at 80 columns."""

WIDEST = 200
"""Cells that lines are made for before a screen has told its width."""


def held_words(detail: StockDetail) -> str:
    """Who holds a symbol."""
    return (
        f"held {formats.counted(detail.holder_count, 'client')} {formats.quantity(detail.held_quantity)} sh"
        if detail.held_quantity
        else "held by none"
    )


def price_words(quote: Tick | None, change_bps: int | None) -> str:
    """The last price and its change: `2,450.50 +2.31 %`."""
    return f"{formats.price(quote.last_paise if quote else None)} {formats.signed_percent(change_bps)} %"


def symbol_lines(instrument: Instrument | None, quote: Tick | None, held: str, width: int) -> list[str]:
    """Tick, band, day's range and who holds it, in two short lines of no more than `width` cells.

    What has no room is said more briefly or left out: a part of a figure reads as another one.
    """
    first = "" if instrument is None else f"tick {formats.price(instrument.tick_paise)}"
    if quote is None:
        return [first, _with_held("no price yet", held, width)]
    if quote.lower_circuit_paise:
        low, high = formats.price(quote.lower_circuit_paise), formats.price(quote.upper_circuit_paise)
        band = f" band {low}-{high}"
        first = (first + band if len(first + band) <= width else first).strip()
    day = f"day {formats.price(quote.low_paise)}-{formats.price(quote.high_paise)}"
    return [first, _with_held(day, held, width)]


def _with_held(before: str, held: str, width: int) -> str:
    """`held 47 clients 510 sh` behind other words, or `held 47: 510 sh`, or nothing, as there is room."""
    brief = held.replace(" clients ", ": ").replace(" client ", ": ")
    said = (f"{before}  {words}" for words in (held, brief))
    return next((line for line in said if len(line) <= width), before)


def span_words(span: BarSpan) -> str:
    """How much time a candle stands for: `5 min`."""
    return f"{span.minutes} min" if span.minutes else "days"


def chart_source(chart: ChartView) -> str:
    """Whence a chart's candles are: `kite to 10:12, then own ticks`, `own ticks from 09:31`."""
    day = not chart.span.minutes
    if chart.told_to is not None:
        to = f"{chart.told_to.astimezone(IST):%d %b}" if day else formats.time_of_day(chart.told_to)[:5]
        return f"{chart.told_by} to {to}{', then own ticks' if chart.own_since else ''}"
    why = f" · no history: {chart.problem}" if chart.problem else ""
    if chart.own_since is None:
        return f"no tick yet{why}"
    own = "the feed's own day" if day else f"own ticks from {formats.time_of_day(chart.own_since)[:5]}"
    return f"{own}{why}"


def chart_awaits(chart: ChartView, previous_close_paise: int | None) -> str:
    """What a chart without candles waits for, and the key that turns to a span that may have some."""
    close = f" · previous close {formats.price(previous_close_paise)}" if previous_close_paise else ""
    other = "days" if chart.span.minutes else "minutes"
    return f"awaiting the first tick{close} · , turns to {other}"


_BRIEF = {"NIFTY 50": "NIFTY", "NIFTY BANK": "BANKNIFTY", "NIFTY NEXT 50": "NEXT50"}
"""What traders call indices."""


def index_words(
    name: str, paper: bool, last_paise: int | None, change_bps: int | None, age_s: float | None
) -> tuple[str, str]:
    """An index on the strip, and more briefly: `NIFTY 24,565.65 +0.22 % 0.3s`, `NIFTY 24,566 +0.22 0.3s`."""
    called = f"{'paper ' if paper else ''}{_BRIEF.get(name, name)}"
    if last_paise is None:
        return f"{called} {formats.DASH}", ""
    change, age = formats.signed_percent(change_bps), formats.age(age_s)
    return (
        f"{called} {formats.price(last_paise)} {change} % {age}",
        f"{called} {formats.rupees(last_paise)} {change} {age}",
    )


def end_words(end: IntradayEnd) -> str:
    """When a broker ends intraday buying: `15:20`, or `15:00 unverified` where that is not certain."""
    return f"{formats.time_of_day(end.at)[:5]}{'' if end.verified else ' unverified'}"


def index_name(key: str) -> str:
    """An index as it is called: `NIFTY 50`."""
    return key.partition(":")[2]


def moved_words(key: str, moved_bps: int) -> str:
    """How far an index has moved: `NIFTY 50 at -10.12 %`."""
    return f"{index_name(key)} at {formats.signed_percent(moved_bps)} %"


def halt_until_words(until: datetime | None, reopens_at: datetime | None, move_bps: int) -> str:
    """Until when the market is halted: `until 11:45, pre-open to 12:00`."""
    if until is None or reopens_at is None:
        return "for the rest of the day" if move_bps else "until it is opened again, at most to the day's end"
    return f"until {formats.time_of_day(until)[:5]}, pre-open to {formats.time_of_day(reopens_at)[:5]}"


def why_halted_words(by: str, move_bps: int, index_key: str, index_bps: int | None) -> str:
    """What halted the market: `breaker 10 %: NIFTY 50 at -10.12 %`, `breaker 10 %, by Asha`."""
    level = f"breaker {move_bps // 100} %" if move_bps else ""
    if index_key and index_bps is not None:
        return f"{level}: {moved_words(index_key, index_bps)}"
    return f"{level}, by {by}" if level else f"by {by}"


def market_halt_words(halt: MarketHalt) -> str:
    """A halt of the market in a line: until when, what halted it, and why it was typed."""
    why = why_halted_words(halt.by, halt.move_bps, halt.index_key, halt.index_bps)
    reason = f" ({halt.reason})" if halt.reason else ""
    return f"{halt_until_words(halt.until, halt.reopens_at, halt.move_bps)}: {why}{reason}"
