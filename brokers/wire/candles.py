"""Candles of brokers' answers, and in how many calls they are asked for."""

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import cast

from brokers.contract import Bar, BrokerError
from brokers.wire.rows import AnswerRow, to_paise
from data.clock import IST

log = logging.getLogger(__name__)

_CANDLE = ("at", "open", "high", "low", "close", "volume", "open_interest")


def candles_of(rows: type[AnswerRow], answer: object) -> list[Bar]:
    """Candles, oldest first; an odd one is left out and logged. Raises `BrokerError` where they are no list.

    Each is a list: its time, in India's hours unless it says otherwise, open, high, low and close in rupees,
    volume, open interest.
    """
    candles = rows("candles", answer).get("candles")
    if not isinstance(candles, list):
        raise BrokerError(f"{rows.broker}: candles must be a list", "bad_row")
    found: dict[datetime, Bar] = {}
    for candle in cast("list[Sequence[object]]", candles):
        try:
            row = rows("candle", dict(zip(_CANDLE, candle, strict=False)))
            given = datetime.fromisoformat(row.text("at"))
            at = (given if given.tzinfo else given.replace(tzinfo=IST)).astimezone(UTC)
            opened, high, low, close = (to_paise(row.number(name)) for name in _CANDLE[1:5])
            found[at] = Bar(at, opened, high, low, close, row.count_or_zero("volume"))
        except (BrokerError, ValueError, TypeError) as error:
            log.warning("a bar is left out: %s", error)
    return [found[at] for at in sorted(found)]


def stretches(first: date, last: date, most: timedelta) -> Sequence[tuple[date, date]]:
    """The days from the first to the last in stretches that one call may ask for."""
    found: list[tuple[date, date]] = []
    while first <= last:
        ends = min(last, first + most)
        found.append((first, ends))
        first = ends + timedelta(days=1)
    return found
