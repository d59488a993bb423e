"""What is typed about the whole market: that it is halted or open again, what a day is, a year's list."""

from collections.abc import Sequence

from data.errors import BadInput
from engine.colon.asked import AskedCalendar, AskedMarket, MarketDo
from engine.colon.files import day_from, file_from
from engine.colon.limits import IMPORT

FORM = "nothing, halted [10|15|20] [REASON], or open [REASON]"
"""What may be typed behind `market`."""

SETTLEMENT = "settlement"
"""What is typed behind a list of the days on which nothing settles."""


def market_from(words: Sequence[str]) -> AskedMarket:
    """What is said of the market, at which level of the breaker and why. Raises `BadInput`."""
    if not words:
        return AskedMarket()
    do, *behind = words
    match do.casefold():
        case MarketDo.HALTED:
            level = behind[0].removesuffix("%") if behind else ""
            if level.isdecimal():
                return AskedMarket(MarketDo.HALTED, int(level), " ".join(behind[1:]))
            return AskedMarket(MarketDo.HALTED, None, " ".join(behind))
        case MarketDo.OPEN:
            return AskedMarket(MarketDo.OPEN, None, " ".join(behind))
        case _:
            raise BadInput("market", do, f"give {FORM}")


def calendar_from(words: Sequence[str]) -> AskedCalendar:
    """A day, the market's own where none is named, or `import FILE [settlement]`. Raises `BadInput`."""
    if not words:
        return AskedCalendar()
    if words[0].casefold() != IMPORT:
        if len(words) > 1:
            raise BadInput("word", words[1], "give a day as YYYY-MM-DD, or import FILE [settlement]")
        return AskedCalendar(day_from(words[0]))
    *named, last = words[1:] or ("",)
    settlement = bool(named) and last.casefold() == SETTLEMENT
    return AskedCalendar(None, file_from(named if settlement else words[1:], ".csv or .json"), settlement)
