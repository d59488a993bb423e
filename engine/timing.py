"""The time of a desk: its two clocks, the exchanges' calendar, and how long its protocols wait."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import overload

from msgspec import Struct

from data.clock import IST, Clock, MarketClock
from data.errors import BadInput
from data.reference.calendar_rows import CalendarNotLoaded
from data.reference.instruments import Instrument
from data.reference.phases import Calendar, IntradayEnd, Phase
from engine.book.market_halt import MarketHalt, phase_under, standing_halt
from engine.rules import Waits


def _never_halted() -> Sequence[MarketHalt]:
    return ()


class Timing(Struct, frozen=True):
    """Wall time for audit and ages, market time for phases and trading days, and every wait in seconds.

    `market_halts` are the day's halts of the whole market, as the book has them.
    """

    wall: Clock
    market: MarketClock
    calendar: Calendar
    waits: Waits
    market_halts: Callable[[], Sequence[MarketHalt]] = _never_halted

    def phase(self, instrument: Instrument, halts: Sequence[MarketHalt] | None = None) -> Phase:
        """What the exchange allows for an instrument now; `halts` are the market's where they were just read.

        `Phase.continuous` says whether it is in continuous trading; `kind` and `ends_at` say what it is in
        else, and until when.
        """
        return self.phase_of(instrument.fno, instrument.exchange, halts)

    def phase_of(self, fno: bool, exchange: str = "NSE", halts: Sequence[MarketHalt] | None = None) -> Phase:
        """The same for shares with live derivatives (`fno`), or for those without."""
        now, day = self.market.now(), self.market.trading_day
        known = self.market_halts() if halts is None else halts
        return phase_under(known, self.calendar, now, day, fno, exchange)

    def market_halt(self) -> MarketHalt | None:
        """What halts the whole market now, its reopening session too; None where nothing does."""
        return standing_halt(self.market_halts(), self.market.now(), self.market.trading_day)

    def awaited_day(self) -> date | None:
        """The trading day whose session has not begun; None while one is on, or past the calendar's end."""
        try:
            return self.calendar.awaited_day(self.market.now())
        except CalendarNotLoaded:
            return None

    def takes_after_market(self, broker: str) -> bool:
        """Whether a broker takes orders for the next session at this hour; assumed of one in no table."""
        now, day = self.market.now().astimezone(IST), self.market.trading_day
        hours = self.calendar.after_market(broker, day)
        if hours is None or self.awaited_day() != now.date():
            return True
        return now.time() < hours.closes  # on the morning of the session itself

    @overload
    def in_market(self, at: datetime) -> datetime: ...
    @overload
    def in_market(self, at: datetime | None) -> datetime | None: ...
    def in_market(self, at: datetime | None) -> datetime | None:
        """A moment of a while ago by the market's clock, which is not the wall's at a simulated one."""
        return None if at is None else self.market.now() - (self.wall.now() - at)

    @property
    def next_day(self) -> date | None:
        """The trading day after this one; None past the calendar's end."""
        try:
            return self.calendar.next_trading_day(self.market.trading_day)
        except CalendarNotLoaded:
            return None

    def intraday(self, fno: bool, broker: str) -> IntradayEnd | None:
        """When a broker ends today's intraday buying, and whether that is certain.

        It differs between instruments with (`fno`) and without live derivatives. None on a day without
        trading, or past the calendar's end.
        """
        try:
            return self.calendar.intraday(self.market.trading_day, fno, broker)
        except BadInput:
            return None

    def intraday_end(self, fno: bool, broker: str) -> datetime | None:
        """The same without how certain it is."""
        return self.intraday_end_of(fno, (broker,))

    def intraday_end_of(self, fno: bool, brokers: Iterable[str]) -> datetime | None:
        """When the first of several brokers does that."""
        ends = [end.at for broker in set(brokers) if (end := self.intraday(fno, broker)) is not None]
        return min(ends, default=None)

    def last_intraday_end(self, fno: bool, brokers: Iterable[str]) -> datetime | None:
        """When the last of several brokers does that."""
        ends = [end.at for broker in set(brokers) if (end := self.intraday(fno, broker)) is not None]
        return max(ends, default=None)

    def intraday_over(self, fno: bool, broker: str) -> datetime | None:
        """When a broker has done that today; None where it has not yet."""
        end = self.intraday_end(fno, broker)
        return end if end is not None and self.market.now() >= end else None

    def intraday_ends(self, brokers: Iterable[str]) -> list[IntradayEnd]:
        """When these brokers do that, whatever the instrument; each time once, the earliest first."""
        ends = [self.intraday(fno, broker) for broker in sorted(set(brokers)) for fno in (True, False)]
        each = {end.at: end for end in ends if end is not None}
        return [each[at] for at in sorted(each)]
