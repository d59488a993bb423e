"""Intraday shares (MIS) at the paper exchange: what they take, and how the broker ends their day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from brokers.contract import BrokerStatus, Refused
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from brokers.simulators.exchange.rms import SQUARE_OFF_FEE_PAISE
from data.clock import ManualClock
from data.reference.contract_notes import DayOrder, note_charges
from data.vocabulary import Product, Side
from tests.brokers.test_paper_exchange import CALENDAR, CRORE, find, next_day, open_exchange, order, place

MIS = Product.MIS
END = {
    "RELIANCE": datetime(2026, 11, 18, 9, 30, tzinfo=UTC),  # before the closing auction
    "SMALL": datetime(2026, 11, 18, 9, 40, tzinfo=UTC),  # the earliest: their broker is in no table
}
PRICES = {"RELIANCE": 245_000, "SMALL": 10_000}
SECOND = timedelta(seconds=1)


@pytest.fixture
def exchange() -> PaperExchange:
    exchange = open_exchange(ManualClock(datetime(2026, 11, 22, 18, 0, tzinfo=UTC)))
    for symbol, price in PRICES.items():
        exchange.pin(symbol, price)
    return exchange


def account(exchange: PaperExchange, user: str = "ANN"):
    return exchange.books.account(user)


def held(exchange: PaperExchange) -> list[tuple[Product, int, int, int]]:
    return [(one.product, one.today, one.t1, one.free) for one in exchange.holdings("ANN")]


def test_a_purchase_takes_its_own_share_and_no_limit_of_the_margin_facility(exchange: PaperExchange) -> None:
    place(exchange, order(Side.BUY, 10, 244_000, product=MIS))
    funds = exchange.funds("ANN")
    assert funds.blocked_paise == 10 * 244_000 // 5
    assert (account(exchange).mtf_blocked_paise, funds.mtf_loan_paise) == (0, 0)
    place(exchange, order(Side.BUY, 10, product=MIS))
    funds = exchange.funds("ANN")
    spent = CRORE - funds.available_paise - funds.blocked_paise
    assert 10 * 245_000 // 5 < spent < 10 * 245_000 // 5 + 20_00
    assert (funds.mtf_loan_paise, held(exchange)) == (0, [(MIS, 10, 0, 0)])


@pytest.mark.parametrize("price", [250_000, 240_000])
def test_a_sale_gives_the_own_share_back_less_the_loss(exchange: PaperExchange, price: int) -> None:
    place(exchange, order(Side.BUY, 10, product=MIS))
    exchange.pin("RELIANCE", price, 245_000)
    sold = find(exchange, place(exchange, order(Side.SELL, 10, product=MIS)))
    assert sold.filled_quantity == 10
    gain = 10 * (price - 245_000)
    cash = exchange.funds("ANN").available_paise
    assert CRORE + min(gain, 0) - 40_00 < cash < CRORE + min(gain, 0)  # a profit waits for its settlement
    assert held(exchange) == []
    next_day(exchange)
    next_day(exchange)
    assert CRORE + gain - 40_00 < exchange.funds("ANN").available_paise < CRORE + gain


@pytest.mark.parametrize("symbol", END)
def test_the_broker_cancels_and_sells_out_at_the_square_off_time(
    exchange: PaperExchange, symbol: str
) -> None:
    resting = place(exchange, order(Side.BUY, 5, PRICES[symbol] * 99 // 100, symbol=symbol, product=MIS))
    place(exchange, order(Side.BUY, 10, symbol=symbol, product=MIS))
    kept = place(exchange, order(Side.BUY, 5, PRICES[symbol] * 99 // 100, symbol=symbol))
    exchange.jump(END[symbol] - SECOND)
    assert held(exchange) == [(MIS, 10, 0, 0)]
    place(exchange, order(Side.BUY, 1, symbol=symbol, product=MIS))
    exchange.jump(END[symbol])
    assert find(exchange, resting).status is BrokerStatus.CANCELLED
    assert find(exchange, kept).status is BrokerStatus.OPEN
    sale = exchange.orders("ANN")[-1]
    assert (sale.side, sale.product, sale.filled_quantity, sale.tags[0]) == (Side.SELL, MIS, 11, "mktp")
    assert held(exchange) == []
    assert account(exchange).charges_due_paise == SQUARE_OFF_FEE_PAISE
    late = exchange.place("ANN", order(Side.BUY, 1, symbol=symbol, product=MIS))
    assert isinstance(late, Refused)
    assert (late.code, "square-off time" in late.message) == ("mis_not_allowed", True)


def test_only_the_instruments_whose_time_has_come_are_sold_out(exchange: PaperExchange) -> None:
    place(exchange, order(Side.BUY, 1, symbol="RELIANCE", product=MIS))
    place(exchange, order(Side.BUY, 1, symbol="SMALL", product=MIS))
    exchange.jump(END["RELIANCE"])
    assert [one.tradingsymbol for one in exchange.holdings("ANN")] == ["SMALL"]
    exchange.jump(END["SMALL"])
    assert held(exchange) == []


def test_a_jump_over_the_whole_afternoon_sells_out_both_at_their_times(exchange: PaperExchange) -> None:
    for symbol in END:
        place(exchange, order(Side.BUY, 1, symbol=symbol, product=MIS))
    exchange.jump(END["SMALL"] + timedelta(minutes=5))
    assert held(exchange) == []
    sold = [one.updated_at for one in exchange.orders("ANN") if one.side is Side.SELL]
    assert sold == [END["RELIANCE"], END["SMALL"]]


def test_a_position_beyond_one_order_is_sold_in_parts(exchange: PaperExchange) -> None:
    for _ in range(3):
        place(exchange, order(Side.BUY, 90_000, symbol="SMALL", product=MIS))
    exchange.jump(END["SMALL"])
    assert held(exchange) == []
    assert sum(one.filled_quantity for one in exchange.orders("ANN") if one.side is Side.SELL) == 270_000


def test_what_nobody_takes_becomes_the_clients_own_who_pays_or_owes_the_loan() -> None:
    clock = ManualClock(datetime(2026, 11, 22, 18, 0, tzinfo=UTC))
    exchange = open_exchange(clock, cash=11_000_000_00)
    exchange.pin("SMALL", 10_000)
    for _ in range(6):
        place(exchange, order(Side.BUY, 90_000, symbol="SMALL", product=MIS))
    exchange.unpin("SMALL")  # from here on its book has a depth that ends
    next_day(exchange)
    (rest,) = exchange.holdings("ANN")
    assert (rest.product, rest.today, rest.free) == (Product.CNC, 0, 0)
    assert 10_000 < rest.t1 < 400_000
    loan = rest.t1 * 10_000 * 4 // 5
    # What is delivered is taxed as that, by the day's note.
    orders = exchange.books.orders_where("WHERE filled > 0", ())
    day = [
        DayOrder(one.order_id, "SMALL", "NSE", MIS, Side(one.side), one.filled, one.notional_paise)
        for one in orders
    ]
    note = note_charges(date(2026, 11, 20), "paper", day).total_paise - sum(
        one.charges_paise for one in orders
    )
    assert note > 20_000_00
    assert account(exchange).available_paise == -6 * SQUARE_OFF_FEE_PAISE - note
    assert 0 < account(exchange).owed_paise < loan
    assert {parcel.loan_paise for parcel in exchange.books.parcels("ANN")} == {0}


def test_each_broker_sells_out_at_its_own_time(exchange: PaperExchange) -> None:
    exchange.open_accounts([AccountOpening("ZED", CRORE, rates="zerodha")])
    place(exchange, order(Side.BUY, 10, symbol="SMALL", product=MIS))
    place(exchange, order(Side.BUY, 10, symbol="SMALL", product=MIS), user="ZED")

    def left() -> list[int]:
        return [sum(one.today for one in exchange.holdings(user)) for user in ("ANN", "ZED")]

    exchange.jump(END["SMALL"] + SECOND)
    assert left() == [0, 10]
    exchange.jump(datetime(2026, 11, 18, 9, 50, 1, tzinfo=UTC))
    assert left() == [0, 0]


def test_the_days_end_comes_from_the_calendar() -> None:
    for symbol, fno in (("RELIANCE", True), ("SMALL", False)):
        assert CALENDAR.intraday_end(END[symbol].date(), fno) == END[symbol]


def test_a_sale_beyond_what_is_held_is_a_short_that_keeps_margin_until_it_is_bought_back(
    exchange: PaperExchange,
) -> None:
    place(exchange, order(Side.BUY, 4, product=MIS))
    place(exchange, order(Side.SELL, 10, product=MIS))
    (short,) = exchange.holdings("ANN")
    assert (short.product, short.today, short.short) == (MIS, 0, 6)
    assert exchange.funds("ANN").blocked_paise == 6 * 245_000 // 5
    exchange.pin("RELIANCE", 250_000, 245_000)
    place(exchange, order(Side.BUY, 6, product=MIS))
    assert (exchange.holdings("ANN"), exchange.funds("ANN").blocked_paise) == ([], 0)
    lost = CRORE - exchange.funds("ANN").available_paise
    assert 6 * 5_000 < lost < 6 * 5_000 + 60_00


def test_a_buy_beyond_a_short_holds_the_rest_and_a_short_needs_its_margin(exchange: PaperExchange) -> None:
    place(exchange, order(Side.SELL, 6, product=MIS))
    place(exchange, order(Side.BUY, 10, product=MIS))
    assert held(exchange) == [(MIS, 4, 0, 0)]
    poor = exchange.place("ANN", order(Side.SELL, 30_000, product=MIS))
    assert isinstance(poor, Refused)
    assert poor.code == "insufficient_funds"


@pytest.mark.parametrize("symbol", END)
def test_the_broker_buys_shorts_back_at_the_square_off_time(exchange: PaperExchange, symbol: str) -> None:
    place(exchange, order(Side.SELL, 10, symbol=symbol, product=MIS))
    exchange.jump(END[symbol])
    assert exchange.holdings("ANN") == []
    back = exchange.orders("ANN")[-1]
    assert (back.side, back.product, back.filled_quantity) == (Side.BUY, MIS, 10)
    late = exchange.place("ANN", order(Side.SELL, 1, symbol=symbol, product=MIS))
    assert isinstance(late, Refused)


def test_a_short_that_nobody_buys_back_ends_at_the_days_highest_price() -> None:
    clock = ManualClock(datetime(2026, 11, 22, 18, 0, tzinfo=UTC))
    exchange = open_exchange(clock, cash=11_000_000_00)
    exchange.pin("SMALL", 10_000)
    for _ in range(4):
        place(exchange, order(Side.SELL, 90_000, symbol="SMALL", product=MIS))
    exchange.unpin("SMALL")  # from here on its book has a depth that ends
    next_day(exchange)
    bought = sum(one.quantity for one in exchange.trades("ANN") if one.side is Side.BUY)
    assert bought < 360_000
    assert (exchange.holdings("ANN"), account(exchange).blocked_paise) == ([], 0)
