"""The market-wide breaker at the paper exchange: it halts, purges, reopens by an auction, or ends the day."""

from datetime import datetime, time
from pathlib import Path

import pytest

from brokers.contract import Accepted, BrokerStatus, OrderChange, OrderRequest, Refused
from brokers.simulators.exchange.exchange import DEMO_DAY, PaperExchange
from data.clock import IST, ManualClock
from data.records import replace
from data.vocabulary import OrderType, PhaseKind, Product, Side
from tests.brokers.test_paper_exchange import CRORE, open_exchange

INDEX, CLOSE = "NSE:NIFTY 50", 2_500_000


def at(moment: str) -> datetime:
    return datetime.combine(DEMO_DAY, time.fromisoformat(moment), IST)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(at("09:15"))


@pytest.fixture
def exchange(clock: ManualClock) -> PaperExchange:
    return open_exchange(clock)


def falls(exchange: PaperExchange, percent: float) -> None:
    exchange.pin(INDEX, round(CLOSE * (1 + percent / 100) / 5) * 5, CLOSE)


def limit(side: Side, price: int, quantity: int = 10, kind: OrderType = OrderType.LIMIT) -> OrderRequest:
    made = OrderRequest("NSE", "RELIANCE", side, quantity, Product.CNC, kind, "tag", price_paise=price)
    return replace(made, price_paise=None, protection_bps=200) if kind is OrderType.MARKET else made


def phase(exchange: PaperExchange, symbol: str = "RELIANCE") -> PhaseKind:
    exchange.advance()
    instrument = exchange.market.listing(symbol).instrument
    return exchange.market.phase(instrument, exchange.books.state().market_us)


@pytest.mark.parametrize(
    ("begins", "percent", "until", "reopens"),
    [
        ("09:30", -10, "10:15", "10:30"),
        ("12:59", -10.4, "13:44", "13:59"),
        ("13:00", 10, "13:15", "13:30"),
        ("14:29:59", -10, "14:44:59", "14:59:59"),
        ("14:30", -10, None, "14:30"),
        ("12:59", -15, "14:44", "14:59"),
        ("13:00", -15, "13:45", "14:00"),
        ("14:00", -15, None, None),
        ("09:30", -20, None, None),
        ("15:20", -20, None, None),
    ],
)
def test_a_level_halts_by_the_table_of_the_hour(exchange, begins, percent, until, reopens):
    exchange.jump(at(begins))
    falls(exchange, percent)
    if until:
        assert phase(exchange) is PhaseKind.HALTED
        exchange.jump(at(until))
        assert phase(exchange) is PhaseKind.REOPENING
        exchange.jump(at(reopens))
    if reopens:
        assert phase(exchange) is PhaseKind.CONTINUOUS
    else:
        for later in ("15:22", "15:32", "15:55"):
            exchange.jump(at(later))
            assert phase(exchange) is PhaseKind.HALTED, "no auction on a day that the breaker has ended"


def test_what_rests_is_cancelled_and_nothing_is_taken_until_the_call_auction(exchange):
    resting = exchange.place("ANN", limit(Side.BUY, 240_000))
    assert isinstance(resting, Accepted)
    falls(exchange, -9.999)
    assert phase(exchange) is PhaseKind.CONTINUOUS
    falls(exchange, -10)
    (order,) = exchange.orders("ANN")
    assert (order.status, order.message) == (
        BrokerStatus.CANCELLED,
        "Order cancelled by the exchange: the whole market is halted.",
    )
    assert exchange.funds("ANN").available_paise == CRORE
    for kind in (OrderType.LIMIT, OrderType.MARKET):
        assert exchange.place("ANN", limit(Side.BUY, 240_000, kind=kind)) == Refused(
            "market_halted", "The market is halted: orders are not accepted now."
        )


def test_orders_of_the_call_auction_rest_and_trade_once_the_market_has_reopened(exchange, clock):
    exchange.jump(at("09:30"))
    falls(exchange, -10)
    exchange.jump(at("10:15"))
    entered = exchange.place("ANN", limit(Side.BUY, 260_000))
    assert isinstance(entered, Accepted)
    refused = exchange.place("ANN", limit(Side.BUY, 0, kind=OrderType.MARKET))
    assert isinstance(refused, Refused)
    changed = exchange.modify("ANN", entered.broker_order_id, OrderChange(price_paise=259_000))
    assert isinstance(changed, Accepted)
    exchange.jump(at("10:29:59"))
    assert exchange.orders("ANN")[0].filled_quantity == 0
    exchange.jump(at("10:30"))
    clock.shift(1)
    exchange.advance()
    assert exchange.orders("ANN")[0].status is BrokerStatus.COMPLETE


def test_a_further_level_halts_once_trading_goes_on_and_cancels_what_was_entered_before(exchange):
    exchange.jump(at("09:30"))
    falls(exchange, -10)
    exchange.jump(at("10:20"))
    left = [exchange.place("ANN", limit(Side.BUY, 240_000)) for _ in range(2)]
    withdrawn, entered = [one.broker_order_id for one in left if isinstance(one, Accepted)]
    assert isinstance(exchange.cancel("ANN", withdrawn), Accepted), "taken back as it was entered"
    falls(exchange, -15)  # it does not trade, so that nothing halts it further
    assert phase(exchange) is PhaseKind.REOPENING
    exchange.jump(at("10:30"))
    falls(exchange, -15)
    assert phase(exchange) is PhaseKind.HALTED
    by_number = {one.broker_order_id: one for one in exchange.orders("ANN")}
    assert by_number[entered].message.endswith("the whole market is halted.")
    assert not by_number[withdrawn].message.endswith("the whole market is halted.")
    exchange.jump(at("12:15"))
    assert phase(exchange) is PhaseKind.REOPENING


def test_prices_stand_still_while_the_market_is_halted(exchange):
    exchange.jump(at("09:30"))
    falls(exchange, -10)
    key = "NSE:RELIANCE"
    before = exchange.quotes([key])[key].last_paise
    exchange.jump(at("10:29:59"))
    assert exchange.quotes([key])[key].last_paise == before
    exchange.jump(at("11:30"))
    assert exchange.quotes([key])[key].last_paise != before


def test_a_level_halts_once_and_another_process_and_the_next_day_know(exchange, clock, tmp_path: Path):
    path = tmp_path / "exchange.db"
    first = open_exchange(clock, path)
    first.jump(at("09:30"))
    falls(first, -10)
    second = open_exchange(clock, path)
    assert phase(second) is PhaseKind.HALTED
    second.jump(at("10:30"))
    falls(second, -10.5)
    assert phase(second) is PhaseKind.CONTINUOUS, "this level has halted the day already"
    assert phase(first) is PhaseKind.CONTINUOUS
    second.jump(at("16:00"))
    assert second.trading_day > DEMO_DAY
    falls(second, -10)
    assert phase(second) is PhaseKind.HALTED
