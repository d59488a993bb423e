"""The exchange's time and days: orders meet the prices of each moment, and the close begins the next day."""

from contextlib import suppress
from datetime import date, datetime, time

from brokers.contract import BrokerStatus
from brokers.simulators.exchange.accounts import act, charge_interest, note_day
from brokers.simulators.exchange.books import ExchangeBooks, State
from brokers.simulators.exchange.market import SECOND_US, ExchangeMarket, OtherMarket
from brokers.simulators.exchange.orders import OrderFlow, first_order_id
from brokers.simulators.exchange.schema import to_us
from data.clock import IST
from data.errors import BadInput
from data.reference.calendar_rows import CalendarNotLoaded
from data.reference.phases import Calendar

_MARKET_HALT = "Order cancelled by the exchange: the whole market is halted."


def beginning_us(calendar: Calendar, day: date, begins: time | None) -> int:
    """When a day begins here: as continuous trading opens, or at `begins` in India where that is earlier.

    Raises `BadInput` for a day without trading.
    """
    opens = calendar.session_open(day)
    if begins is not None:
        opens = min(opens, datetime.combine(day, begins, IST))
    return to_us(opens)


class MarketDays:
    """Moves the stored market on, inside a transaction of the exchange; moments are microseconds."""

    def __init__(
        self,
        books: ExchangeBooks,
        market: ExchangeMarket,
        orders: OrderFlow,
        calendar: Calendar,
        begins: time | None,
    ) -> None:
        self._books = books
        self._market = market
        self._orders = orders
        self._calendar = calendar
        self._begins = begins

    def follow(self, state: State, other: OtherMarket) -> None:
        """Be as late as the market that is followed; its next day begins here when it does there."""
        now, day = other.now(), other.trading_day
        if now is None or day < state.day:
            return
        if day > state.day:
            self._begin_day(state, day)
        if day == state.day:
            target_us = min(to_us(now), self._market.close_us - 1)
            if target_us < state.market_us:
                state.market_us = target_us
            self.move_to(state, target_us, every_second=False)

    def move_to(self, state: State, target_us: int, *, every_second: bool) -> None:
        """Go on to a moment: orders meet every second's prices, or the last ones; the close ends the day."""
        reached, began_us = min(target_us, self._market.close_us), state.market_us
        ends = sorted((end_us, *of) for of, end_us in self._market.intraday_ends_us.items())
        for end_us, broker, fno in ends:
            if began_us < end_us <= reached:
                state.market_us = end_us
                self._orders.square_off(state, broker, fno)
        seconds = range(state.market_us // SECOND_US + 1, reached // SECOND_US + 1)
        keys = self._books.live_keys() if seconds else []
        moments = [second * SECOND_US for second in seconds] if every_second else [reached] if seconds else []
        for at_us in moments:
            self.halt_market(state, at_us)
            for key in keys:
                self._orders.match(state, key, at_us)
        state.market_us = reached
        if reached == self._market.close_us:
            self._roll(state)

    def meet(self, state: State, key: str) -> None:
        """Let what stands meet a price that was just set: the breaker, then the symbol's orders."""
        self.halt_market(state, state.market_us)
        self._orders.match(state, key, state.market_us)

    def halt_market(self, state: State, at_us: int) -> None:
        """Halt the whole market where its breaker says so, and cancel what is live, as the exchanges do.

        NSE/CMTR/24709 of 11 Oct 2013: outstanding orders are cancelled, and it reopens with a call auction.
        """
        stop = self._market.stop_reached(at_us)
        if stop is None:
            return
        self._books.depth.halt(state.trading_day, stop)
        state.pin_version += 1
        self._market.load(state)
        for order in self._books.live_orders():
            order.updated_us = at_us
            self._orders.end(order, BrokerStatus.CANCELLED, _MARKET_HALT)

    def _roll(self, state: State) -> None:
        """Close the day and open the next one; where none is known the market stays closed."""
        with suppress(CalendarNotLoaded):
            self._begin_day(state, self._calendar.next_trading_day(state.day))

    def _begin_day(self, state: State, following: date) -> None:
        """Close the day and open a later one; nothing is done where that is no trading day that is known."""
        try:
            begins_us = beginning_us(self._calendar, following, self._begins)
            arrived = [
                traded_on
                for traded_on in sorted(self._books.trading_dates_open())
                if self._calendar.settlement_day(date.fromisoformat(traded_on)) < following
            ]
        except BadInput:
            return
        for order in self._books.live_orders():
            order.updated_us = state.market_us
            self._orders.end(order, BrokerStatus.EXPIRED, "Order expired at the end of the trading day.")
        self._books.take_over_the_day()
        self._orders.settle_shorts()
        for traded_on in arrived:
            self._books.settle(traded_on)
        note_day(self._books, self._market, state.day)
        self._books.collect_owed()
        self._books.collect_charges()
        charge_interest(self._books, state.day, following)
        keys = self._market.listings
        closes = {key: self._market.last_paise(key, state.market_us) for key in keys}
        self._books.depth.roll_pins()
        act(self._books, self._market, state.day, following, closes)
        self._books.start_day(closes)
        state.trading_day = following.isoformat()
        state.market_us = begins_us
        state.next_order = max(state.next_order, first_order_id(following))
        state.pin_version += 1
        self._market.load(state)
