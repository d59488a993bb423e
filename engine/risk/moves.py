"""How instruments moved from close to close, over days that all of them share.

A move is an integer of `SCALE`: 10 000 000 is 1 %. It is of adjusted closes, so that a split or a bonus is
none.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from msgspec import Struct

SCALE = 10**9

MOST_MOVES = 250
"""One-day moves that are looked back over; they need one close more."""

FEWEST_MOVES = 100
"""With fewer nothing is said."""

Closes = Mapping[date, int]
"""What an instrument closed at, in paise, by day."""


class Moves(Struct, frozen=True):
    """The newest moves, at most `MOST_MOVES`, of some instruments; `days` are those they led to.

    The oldest stand first. A move is None where an instrument has no close on its day or the day before.
    """

    days: tuple[date, ...]
    of: Mapping[str, tuple[int | None, ...]]


def moves_of(closes: Mapping[str, Closes]) -> Moves:
    """The moves of instruments by key, over the days on which any of them closed."""
    days = sorted({day for closed in closes.values() for day in closed})[-MOST_MOVES - 1 :]
    return Moves(tuple(days[1:]), {key: tuple(_each(closed, days)) for key, closed in closes.items()})


def _each(closed: Closes, days: list[date]) -> Iterable[int | None]:
    before = closed.get(days[0], 0) if days else 0
    for day in days[1:]:
        paise = closed.get(day, 0)
        # Rounded half up by integers, so that every machine has the same digit.
        yield (2 * (paise - before) * SCALE + before) // (2 * before) if before > 0 and paise > 0 else None
        before = paise
