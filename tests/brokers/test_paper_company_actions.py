"""Companies' actions at the paper exchange itself: shares, cash and the close before, once each."""

from datetime import date

import pytest

from brokers.contract import CompanyActs
from brokers.simulators.exchange.accounts import hear_actions
from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import ManualClock
from data.money import tick_down
from data.reference.files.mtf_files import kind_of
from data.vocabulary import DividendTo, Side
from tests.brokers.test_paper_exchange import CALENDAR, next_day, open_exchange, order, place

KEY, TICK = "NSE:RELIANCE", 10


@pytest.fixture
def exchange() -> PaperExchange:
    """One whose ANN holds ten RELIANCE, of which no price is held still."""
    made = open_exchange(ManualClock(CALENDAR.session_close(date(2026, 11, 17))))
    place(made, order(Side.BUY, 10))
    return made


def announce(exchange: PaperExchange, *purposes: str) -> None:
    ex_date = CALENDAR.next_trading_day(exchange.trading_day)
    hear_actions(
        exchange, [CompanyActs(KEY, ex_date, kind_of(one), one, DividendTo.BROKER) for one in purposes]
    )


def held(exchange: PaperExchange) -> int:
    return sum(one.free + one.t1 + one.today for one in exchange.holdings("ANN"))


def test_an_action_in_the_words_of_two_files_is_carried_out_once(exchange: PaperExchange) -> None:
    twice = ("Face Value Split From Rs 10/- To Rs 2/-", "Split 1:5", "Bonus 1:2", "Bonus Issue 1:2")
    announce(exchange, *twice, "Dividend Rs 3 Per Share", "Interim Dividend - Rs 3 Per Share")
    before = exchange.funds("ANN").available_paise
    next_day(exchange)
    assert held(exchange) == 75
    assert exchange.funds("ANN").available_paise - before <= 30_00, "of the ten, less the day's charges"
    next_day(exchange)
    assert held(exchange) == 75, "an ex-date begins once"


def test_a_price_that_walks_begins_at_the_close_before_in_shares_of_after_it(exchange: PaperExchange) -> None:
    announce(exchange, "Split 1:5")
    day = exchange.trading_day
    other = open_exchange(ManualClock(CALENDAR.session_close(date(2026, 11, 17))))
    next_day(other)
    unsplit = other.quotes([KEY])[KEY].prev_close_paise
    next_day(exchange)
    quote = exchange.quotes([KEY])[KEY]
    assert exchange.trading_day > day
    assert quote.prev_close_paise == tick_down(unsplit // 5, TICK)
    assert abs(quote.last_paise - quote.prev_close_paise) < quote.prev_close_paise // 10
