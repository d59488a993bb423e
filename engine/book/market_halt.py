"""A halt of the whole market: by the exchanges' breaker or as a trader typed it, and the phase it makes."""

from collections.abc import Sequence
from datetime import date, datetime

from msgspec import Struct

from data.reference.phases import Calendar, Phase
from data.vocabulary import PhaseKind

_NO_SESSION = frozenset({PhaseKind.CLOSED, PhaseKind.UNKNOWN})


class MarketHalt(Struct, frozen=True):
    """A halt of the market on a trading day.

    By the market's clock it is halted from `began_at` until `until`, then in its pre-open session until
    `reopens_at`; None is for the rest of the day. `move_bps` is the level of the breaker, 0 where none was
    named; `index_key` and `index_bps` are the index that told it and how far it had moved, where one did.
    From `ended_at` (wall time) on it is over, since a trader said so.
    """

    number: int
    trading_date: date
    began_at: datetime
    until: datetime | None
    reopens_at: datetime | None
    move_bps: int
    index_key: str
    index_bps: int | None
    reason: str
    at: datetime
    by: str
    ended_at: datetime | None = None
    ended_by: str = ""

    def stands_at(self, now: datetime, day: date) -> bool:
        """Whether it keeps the market from continuous trading at a market time of a trading day."""
        over = self.ended_at is not None or (self.reopens_at is not None and now >= self.reopens_at)
        return self.trading_date == day and not over


def standing_halt(halts: Sequence[MarketHalt], now: datetime, day: date) -> MarketHalt | None:
    """The newest of these halts that stands; None where none does."""
    return next((halt for halt in reversed(halts) if halt.stands_at(now, day)), None)


def phase_under(
    halts: Sequence[MarketHalt], calendar: Calendar, now: datetime, day: date, fno: bool, exchange: str
) -> Phase:
    """The phase of a class of shares at a market time, by the calendar and what halts the market."""
    phase = calendar.phase(now, fno, exchange)
    halt = standing_halt(halts, now, day) if halts else None
    if halt is None or phase.kind in _NO_SESSION:
        return phase
    if halt.until is None:
        return Phase(PhaseKind.HALTED, None, None)
    if now < halt.until:
        return Phase(PhaseKind.HALTED, halt.until, PhaseKind.REOPENING)
    after = None if halt.reopens_at is None else calendar.phase(halt.reopens_at, fno, exchange).kind
    return Phase(PhaseKind.REOPENING, halt.reopens_at, after)
