"""The closes of the demonstration's market on the days before its first, by the walk that its prices go.

`python -m tests.demo_closes` writes `data/reference/seed/closes.csv` anew, in some minutes; a test holds
a part of the file to it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from brokers.contract import BarSpan
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.history import prices_before
from data.clock import IST, ManualClock
from data.reference.phases import load_calendar
from data.reference.seed import universe

FILE = Path(__file__).parents[1] / "data" / "reference" / "seed" / "closes.csv"

START = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)
"""The opening of the demonstration's first day."""

DAYS = 260
"""So many days before it have closes."""

LOOKS_BACK = timedelta(days=420)


def closes_of(keys: Sequence[str], back: timedelta = LOOKS_BACK) -> dict[str, dict[str, int]]:
    """The closes of some instruments in paise, by day and key."""
    exchange = PaperExchange(None, ManualClock(START), load_calendar())
    exchange.list_instruments(universe())
    found: dict[str, dict[str, int]] = {}
    for key in keys:
        prices = prices_before(exchange, key)
        assert prices is not None
        for bar in prices.bars(BarSpan.DAY, START - back, START)[-DAYS:]:
            found.setdefault(bar.at.astimezone(IST).date().isoformat(), {})[key] = bar.close_paise
    return found


def text() -> str:
    """The file's text: a day a row, an instrument a column."""
    keys = [one.instrument.key for one in universe()]
    closes = closes_of(keys)
    lines = [["day", *keys], *([day, *(str(closes[day][key]) for key in keys)] for day in sorted(closes))]
    return "".join(",".join(cells) + "\n" for cells in lines)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
