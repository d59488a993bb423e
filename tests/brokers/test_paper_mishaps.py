"""A broker's mishaps at the paper exchange: trades beyond an order, orders that come back, early files."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from brokers.contract import Accepted, BrokerOrder, BrokerStatus, OrderRequest, Refused
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.exchange.prices import Listing
from data.clock import ManualClock
from data.reference.contract_notes import DayOrder, note_charges
from data.reference.instruments import BrokerInstrument
from data.reference.phases import load_calendar
from data.reference.rates import estimate
from data.vocabulary import OrderType, Product, Side, Validity

CALENDAR = load_calendar()
CASH = 1_000_000
ACC = BrokerInstrument("NSE", "ACC", "ACC", 5, token="1", mtf_margin_bps=2_500, prev_close_paise=10_000)


def open_exchange(path: Path | None = None, cash: int = CASH) -> tuple[PaperExchange, ManualClock]:
    clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    exchange = PaperExchange(path, clock, CALENDAR)
    exchange.list_instruments([Listing(ACC, *(10_000, 10_000, 10_000, 10_000, 5_000))])
    exchange.open_accounts([AccountOpening("ANN", cash, 100 * CASH)])
    exchange.pin("ACC", 10_000)
    return exchange, clock


def place(
    exchange: PaperExchange,
    side: Side,
    quantity: int,
    limit: int,
    product: Product = Product.CNC,
    validity: Validity = Validity.DAY,
) -> str:
    request = OrderRequest(
        "NSE", "ACC", side, quantity, product, OrderType.LIMIT, "t", validity, price_paise=limit
    )
    outcome = exchange.place("ANN", request)
    assert isinstance(outcome, Accepted), outcome
    return outcome.broker_order_id


def find(exchange: PaperExchange, order_id: str) -> BrokerOrder:
    return next(row for row in exchange.orders("ANN") if row.broker_order_id == order_id)


def charges(exchange: PaperExchange, side: Side, notional: int, product: Product = Product.CNC) -> int:
    return estimate(exchange.market_clock.trading_day, "paper", "NSE", product, side, notional).total_paise


def money(exchange: PaperExchange) -> tuple[int, int, int]:
    """Available, blocked and owed."""
    funds = exchange.funds("ANN")
    (owed,) = exchange.database.execute("SELECT owed_paise FROM account").fetchone()
    return funds.available_paise, funds.blocked_paise, owed


def next_day(exchange: PaperExchange) -> None:
    exchange.jump(CALENDAR.session_close(exchange.market_clock.trading_day))


@pytest.mark.parametrize(("product", "own_of_four"), [(Product.CNC, 4), (Product.MTF, 1)])
def test_an_overfill_is_a_trade_at_the_order_s_price(product: Product, own_of_four: int):
    exchange, _ = open_exchange()
    order_id = place(exchange, Side.BUY, 40, 10_000, product)
    exchange.pin("ACC", 10_500)
    seen = exchange.last_event()
    assert exchange.overfill("ANN", order_id, 4) == Accepted(order_id)
    ((_, update),) = exchange.updates_after(seen)
    assert update.order == find(exchange, order_id)
    assert (update.order.quantity, update.order.filled_quantity) == (40, 44)
    assert [(fill.quantity, fill.price_paise) for fill in update.trades] == [(40, 10_000), (4, 10_000)]
    paid = 440_000 * own_of_four // 4 + charges(exchange, Side.BUY, 440_000, product)
    assert money(exchange) == (CASH - paid, 0, 0)
    assert exchange.holdings("ANN")[0].today == 44


def test_an_overfill_beyond_the_cash_is_owed_until_the_close():
    exchange, _ = open_exchange(cash=450_000)
    order_id = place(exchange, Side.BUY, 40, 10_000)
    exchange.overfill("ANN", order_id, 10)
    owed = 500_000 + charges(exchange, Side.BUY, 500_000) - 450_000
    assert money(exchange) == (0, 0, owed)
    # Shares of today return their cost to cash; what is owed stays owed until the close.
    place(exchange, Side.SELL, 20, 10_000)
    available = 200_000 - charges(exchange, Side.SELL, 200_000)
    assert money(exchange) == (available, 0, owed)
    booked = charges(exchange, Side.BUY, 500_000) + charges(exchange, Side.SELL, 200_000)
    day = exchange.market_clock.trading_day
    noted = note_charges(day, "paper", [traded(Side.BUY, 50, 500_000), traded(Side.SELL, 20, 200_000)])
    next_day(exchange)
    assert money(exchange) == (available - owed + booked - noted.total_paise, 0, 0)


def traded(side: Side, quantity: int, paise: int) -> DayOrder:
    return DayOrder(1, "ACC", "NSE", Product.CNC, side, quantity, paise)


def test_an_overfill_of_a_live_order_trades_its_rest_too():
    exchange, _ = open_exchange()
    order_id = place(exchange, Side.BUY, 40, 9_900)
    assert exchange.overfill("ANN", order_id, 1) == Accepted(order_id)
    row = find(exchange, order_id)
    assert (row.status, row.filled_quantity, row.average_price_paise) == (BrokerStatus.COMPLETE, 41, 10_000)
    assert money(exchange) == (CASH - 410_000 - charges(exchange, Side.BUY, 410_000), 0, 0)


def test_an_oversell_takes_free_shares_only():
    exchange, _ = open_exchange()
    exchange.open_holdings([HoldingOpening("ANN", "NSE:ACC", 50, 400_000)])
    order_id = place(exchange, Side.SELL, 30, 10_000)
    waiting = place(exchange, Side.SELL, 15, 10_500)
    refused = exchange.overfill("ANN", order_id, 6)
    assert isinstance(refused, Refused)
    assert refused.code == "insufficient_holding"
    assert isinstance(exchange.overfill("ANN", order_id, 5), Accepted)
    exchange.pin("ACC", 10_500)
    assert find(exchange, waiting).status is BrokerStatus.COMPLETE
    assert exchange.holdings("ANN") == []


def test_what_cannot_happen_to_an_order_is_refused():
    exchange, _ = open_exchange()
    cancelled = place(exchange, Side.BUY, 1, 9_900)
    exchange.cancel("ANN", cancelled)
    at_once = place(exchange, Side.BUY, 1, 9_900, validity=Validity.IOC)
    done = place(exchange, Side.BUY, 1, 10_000)
    before = exchange.orders("ANN"), exchange.funds("ANN")
    for outcome in (
        exchange.overfill("ANN", cancelled, 1),
        exchange.overfill("ANN", done, 0),
        exchange.overfill("ANN", "7", 1),
        exchange.overfill("BOB", done, 1),
        exchange.resurrect("ANN", done),
        exchange.resurrect("ANN", at_once),
        exchange.resurrect("ANN", "7"),
    ):
        assert isinstance(outcome, Refused)
    assert (exchange.orders("ANN"), exchange.funds("ANN")) == before
    next_day(exchange)
    assert isinstance(exchange.resurrect("ANN", cancelled), Refused)


def test_an_order_that_comes_back_blocks_again_and_trades():
    exchange, clock = open_exchange()
    order_id = place(exchange, Side.BUY, 50, 9_900)
    exchange.cancel("ANN", order_id)
    seen = exchange.last_event()
    assert exchange.resurrect("ANN", order_id) == Accepted(order_id)
    assert money(exchange) == (CASH - 495_000, 495_000, 0)
    ((_, update),) = exchange.updates_after(seen)
    assert (update.order.status, update.order.status_text) == (BrokerStatus.OPEN, "OPEN")
    assert isinstance(exchange.resurrect("ANN", order_id), Refused)
    exchange.pin("ACC", 9_900)
    clock.shift(1)
    exchange.advance()
    assert find(exchange, order_id).status is BrokerStatus.COMPLETE
    assert money(exchange) == (CASH - 495_000 - charges(exchange, Side.BUY, 495_000), 0, 0)


def test_an_order_that_comes_back_without_its_money_pays_from_what_there_is_and_owes_the_rest():
    exchange, clock = open_exchange()
    lost = place(exchange, Side.BUY, 90, 9_900)
    exchange.cancel("ANN", lost)
    place(exchange, Side.BUY, 60, 9_100)
    assert exchange.resurrect("ANN", lost) == Accepted(lost)
    assert money(exchange) == (0, CASH, 0)
    exchange.pin("ACC", 9_900)
    clock.shift(1)
    exchange.advance()
    assert find(exchange, lost).status is BrokerStatus.COMPLETE
    owed = 891_000 + charges(exchange, Side.BUY, 891_000) - (CASH - 546_000)
    # The other order keeps its block: what is short is owed, never taken from another order.
    assert money(exchange) == (0, 546_000, owed)


def test_a_sell_whose_shares_are_gone_does_not_come_back():
    exchange, _ = open_exchange()
    exchange.open_holdings([HoldingOpening("ANN", "NSE:ACC", 50, 400_000)])
    lost = place(exchange, Side.SELL, 50, 10_500)
    exchange.cancel("ANN", lost)
    place(exchange, Side.SELL, 1, 10_000)
    refused = exchange.resurrect("ANN", lost)
    assert isinstance(refused, Refused)
    assert refused.code == "insufficient_holding"


def test_a_stop_that_comes_back_waits_again():
    exchange, _ = open_exchange()
    request = OrderRequest(
        *("NSE", "ACC", Side.BUY, 10, Product.CNC, OrderType.SL, "t"),
        price_paise=10_300,
        trigger_paise=10_200,
    )
    outcome = exchange.place("ANN", request)
    assert isinstance(outcome, Accepted)
    order_id = outcome.broker_order_id
    assert isinstance(exchange.overfill("ANN", order_id, 1), Refused)
    exchange.cancel("ANN", order_id)
    exchange.resurrect("ANN", order_id)
    assert find(exchange, order_id).status_text == "TRIGGER PENDING"
    exchange.pin("ACC", 10_200)
    assert find(exchange, order_id).average_price_paise == 10_200


def test_a_file_of_an_early_version_opens_with_its_orders(tmp_path: Path):
    exchange, clock = open_exchange(tmp_path / "paper.db")
    order_id = place(exchange, Side.BUY, 10, 9_900)
    rows = exchange.orders("ANN")
    exchange.close()
    with sqlite3.connect(tmp_path / "paper.db") as early:
        for name in ("trigger_paise", "trigger_pending", "protection_bps"):
            early.execute(f"ALTER TABLE orders DROP COLUMN {name}")
        early.execute("ALTER TABLE account DROP COLUMN owed_paise")
    early.close()
    again = PaperExchange(tmp_path / "paper.db", clock, CALENDAR)
    assert again.orders("ANN") == rows
    place(again, Side.BUY, 10, 9_900)
    again.pin("ACC", 9_900)
    assert find(again, order_id).status is BrokerStatus.COMPLETE
    again.close()


def test_every_part_of_an_order_without_its_money_is_paid_or_owed():
    """Trade after trade takes from the order's block, and the account is never below nothing."""
    cash = 50 * CASH
    exchange, _ = open_exchange(cash=cash)
    lost = place(exchange, Side.BUY, 5_000, 9_200, Product.MTF)
    assert find(exchange, lost).filled_quantity == 0
    exchange.cancel("ANN", lost)
    standing = place(exchange, Side.BUY, 4_900, 9_200)
    exchange.resurrect("ANN", lost)
    assert money(exchange) == (0, cash, 0)
    assert exchange.overfill("ANN", standing, 3_000) == Accepted(standing)
    exchange.pin("ACC", 9_100)
    for quantity in (700, 1_100):
        assert exchange.funds("ANN").available_paise == 0
        exchange.overfill("ANN", lost, quantity)
    fills = exchange.trades("ANN")
    paid = sum(
        charges(
            exchange,
            Side.BUY,
            sum(f.price_paise * f.quantity for f in fills if f.broker_order_id == row),
            product,
        )
        for row, product in ((lost, Product.MTF), (standing, Product.CNC))
    )
    spent = sum(fill.price_paise * fill.quantity for fill in fills)
    available, blocked, owed = money(exchange)
    assert (available, blocked) == (0, 0)
    assert owed == spent + paid - cash - exchange.funds("ANN").mtf_loan_paise > 0
