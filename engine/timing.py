"""The time of a desk: its two clocks, the exchanges' calendar, and how long its protocols wait."""

from datetime import date, datetime

from msgspec import Struct

from data.clock import Clock, MarketClock
from data.errors import BadInput
from data.reference.phases import Calendar, CalendarNotLoaded
from engine.rules import Waits


class Timing(Struct, frozen=True):
    """Wall time for audit and ages, market time for phases and trading days, and every wait in seconds."""

    wall: Clock
    market: MarketClock
    calendar: Calendar
    waits: Waits

    def awaited_day(self) -> date | None:
        """The trading day whose session has not begun; None while one is on, or past the calendar's end."""
        try:
            return self.calendar.awaited_day(self.market.now())
        except CalendarNotLoaded:
            return None

    @property
    def next_day(self) -> date | None:
        """The trading day after this one; None past the calendar's end."""
        try:
            return self.calendar.next_trading_day(self.market.trading_day)
        except CalendarNotLoaded:
            return None

    def intraday_end(self, fno: bool) -> datetime | None:
        """When today's intraday buying ends for instruments with (`fno`) or without live derivatives.

        None on a day without trading, or past the calendar's end.
        """
        try:
            return self.calendar.intraday_end(self.market.trading_day, fno)
        except BadInput:
            return None
