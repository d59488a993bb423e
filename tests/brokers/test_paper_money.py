"""What the paper exchange blocks, books and settles, to the paisa."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest

from brokers.contract import Accepted, BrokerStatus, OrderChange, OrderRequest, Refused
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.exchange.prices import Listing
from data.clock import ManualClock
from data.money import own_share
from data.reference.contract_notes import DayOrder, note_charges
from data.reference.instruments import BrokerInstrument
from data.reference.mtf import interest_between
from data.reference.phases import load_calendar
from data.reference.rates import estimate
from data.vocabulary import OrderType, Policy, Product, Side

CALENDAR = load_calendar()
DAY = date(2026, 11, 18)
CASH = 1_000_000_00
LIMIT = 5_000_000_00


def open_exchange(policy: Policy = Policy.WORST, cash: int = CASH) -> PaperExchange:
    exchange = PaperExchange(None, ManualClock(datetime(2026, 11, 22, tzinfo=UTC)), CALENDAR, policy=policy)
    exchange.list_instruments(
        Listing(
            BrokerInstrument(
                token=str(number),
                exchange="NSE",
                tradingsymbol=symbol,
                name=symbol,
                tick_paise=5,
                mtf_margin_bps=3_333,
                prev_close_paise=10_000,
            ),
            *(10_000, 10_000, 10_000, 10_000, 5_000),
        )
        for number, symbol in enumerate(("ACC", "ABB"))
    )
    exchange.open_accounts([AccountOpening("ANN", cash, LIMIT)])
    exchange.pin("ACC", 10_000)
    return exchange


def place(
    exchange: PaperExchange,
    side: Side,
    quantity: int,
    limit: int | None = None,
    product: Product = Product.CNC,
    symbol: str = "ACC",
) -> str:
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    protection = 200 if limit is None else None
    request = OrderRequest(
        "NSE", symbol, side, quantity, product, kind, "t", price_paise=limit, protection_bps=protection
    )
    outcome = exchange.place("ANN", request)
    assert isinstance(outcome, Accepted), outcome
    return outcome.broker_order_id


def noted(*orders: tuple[Side, int, int], left_demat: Mapping[str, int] | None = None) -> int:
    """What the contract note of a day has for orders of ACC by side, shares and worth."""
    day = [DayOrder(n, "ACC", "NSE", Product.CNC, *one) for n, one in enumerate(orders)]
    return note_charges(DAY, "paper", day, left_demat).total_paise


def charges(side: Side, notional: int, product: Product = Product.CNC, *, demat: bool = False) -> int:
    return estimate(DAY, "paper", "NSE", product, side, notional, demat_sale=demat).total_paise


def money(exchange: PaperExchange) -> tuple[int, int, int]:
    funds = exchange.funds("ANN")
    return funds.available_paise, funds.blocked_paise, funds.mtf_loan_paise


def next_day(exchange: PaperExchange) -> None:
    exchange.jump(CALENDAR.session_close(exchange.market_clock.trading_day))


def test_a_buy_blocks_its_limit_and_pays_its_fills():
    exchange = open_exchange()
    order_id = place(exchange, Side.BUY, 100, 9_900)
    assert money(exchange) == (CASH - 990_000, 990_000, 0)
    exchange.cancel("ANN", order_id)
    place(exchange, Side.BUY, 100, 10_100)
    assert money(exchange) == (CASH - 1_000_000 - charges(Side.BUY, 1_000_000), 0, 0)


def test_a_hold_is_blocked_besides_the_cash():
    exchange = open_exchange()
    exchange.open_accounts([AccountOpening("BOB", 500, hold_paise=300)])
    funds = exchange.funds("BOB")
    assert (funds.available_paise, funds.blocked_paise) == (500, 300)


def test_policies_differ_by_the_protected_price_and_when_charges_are_paid():
    refused = open_exchange(Policy.WORST, cash=1_000_000).place("ANN", _hundred_at_market())
    assert isinstance(refused, Refused)
    assert refused.message.startswith("Insufficient funds. Required margin is 10200.00")
    exact = open_exchange(Policy.EXACT, cash=1_000_000)
    assert isinstance(exact.place("ANN", _hundred_at_market()), Accepted)
    assert money(exact) == (0, 0, 0)
    next_day(exact)
    assert money(exact) == (-noted((Side.BUY, 100, 1_000_000)), 0, 0)


def _hundred_at_market() -> OrderRequest:
    return OrderRequest("NSE", "ACC", Side.BUY, 100, Product.CNC, OrderType.MARKET, "t", protection_bps=200)


def test_mtf_lends_the_rest_and_a_sale_repays_it_first():
    exchange = open_exchange()
    waiting = place(exchange, Side.BUY, 101, 9_900, Product.MTF)
    # 33.33 % of 9,999.00, rounded up to the paisa.
    assert money(exchange) == (CASH - 333_267, 333_267, 0)
    exchange.cancel("ANN", waiting)
    place(exchange, Side.BUY, 101, 10_000, Product.MTF)
    own, loan = 336_633, 673_367
    paid = charges(Side.BUY, 1_010_000, Product.MTF)
    assert money(exchange) == (CASH - own - paid, 0, loan)
    (holding,) = exchange.holdings("ANN")
    assert (holding.product, holding.today, holding.cost_paise) == (Product.MTF, 101, 1_010_000)
    exchange.pin("ACC", 9_500)
    place(exchange, Side.SELL, 101, 9_500, Product.MTF)
    fees = charges(Side.SELL, 959_500, Product.MTF)
    assert money(exchange) == (CASH - own - paid + 959_500 - loan - fees, 0, 0)


def test_parts_together_round_the_own_share_up_once():
    exchange = open_exchange(cash=100 * CASH)
    exchange.unpin("ACC")
    order_id = place(exchange, Side.BUY, 60_000, product=Product.MTF)
    fills = exchange.trades("ANN")
    notional = sum(fill.quantity * fill.price_paise for fill in fills)
    assert len(fills) > 2
    assert [row.filled_quantity for row in exchange.orders("ANN")] == [sum(fill.quantity for fill in fills)]
    assert exchange.funds("ANN").mtf_loan_paise == notional - own_share(notional, 3_333)
    exchange.cancel("ANN", order_id)
    assert exchange.funds("ANN").blocked_paise == 0


def test_the_loan_room_counts_what_open_orders_would_draw():
    exchange = open_exchange(cash=100 * CASH)
    place(exchange, Side.BUY, 10_000, 9_900, Product.MTF)
    request = OrderRequest(
        "NSE", "ACC", Side.BUY, 70_000, Product.MTF, OrderType.LIMIT, "t", price_paise=9_900
    )
    refused = exchange.place("ANN", request)
    assert isinstance(refused, Refused)
    assert refused.code == "mtf_limit"
    assert "available limit is 4339967.00" in refused.message


def test_shares_of_today_return_their_cost_and_the_profit_waits():
    exchange = open_exchange()
    place(exchange, Side.BUY, 100)
    after_buy = money(exchange)[0]
    exchange.pin("ACC", 10_500)
    place(exchange, Side.SELL, 50)
    paid = charges(Side.SELL, 525_000)
    assert money(exchange)[0] == after_buy + 500_000 - paid
    # The note of the day taxes what was sold again as intraday.
    paid += noted((Side.BUY, 100, 1_000_000), (Side.SELL, 50, 525_000)) - charges(Side.BUY, 1_000_000) - paid
    next_day(exchange)
    assert money(exchange)[0] == after_buy + 500_000 - paid
    next_day(exchange)
    assert money(exchange)[0] == after_buy + 525_000 - paid


def test_settled_shares_bring_cash_at_once_and_shares_on_their_way_later():
    exchange = open_exchange()
    exchange.open_holdings([HoldingOpening("ANN", "NSE:ACC", 10, 50_000)])
    place(exchange, Side.BUY, 10)
    next_day(exchange)
    start = money(exchange)[0]
    place(exchange, Side.SELL, 15, 10_000)
    # Ten settled, five bought yesterday; the depository's fee is due once.
    assert money(exchange)[0] == start + 100_000 - charges(Side.SELL, 150_000, demat=True)
    (holding,) = exchange.holdings("ANN")
    assert (holding.free, holding.t1, holding.cost_paise) == (0, 5, 50_000)
    before = money(exchange)[0]
    next_day(exchange)
    next_day(exchange)
    note = noted((Side.SELL, 15, 150_000), left_demat={"ACC": 150_000})
    assert money(exchange)[0] == before + 50_000 + charges(Side.SELL, 150_000, demat=True) - note


def test_the_depository_is_paid_once_a_day_for_a_security():
    exchange = open_exchange()
    exchange.open_holdings([HoldingOpening("ANN", "NSE:ACC", 20, 100_000)])
    place(exchange, Side.SELL, 10)
    place(exchange, Side.SELL, 10)
    paid = charges(Side.SELL, 100_000, demat=True) + charges(Side.SELL, 100_000)
    assert money(exchange)[0] == CASH + 200_000 - paid


def over_night(exchange: PaperExchange) -> int:
    """Begin the next day; returns the interest that was charged until its opening."""
    before = exchange.market_clock.trading_day
    next_day(exchange)
    return interest_between("paper", before, exchange.market_clock.trading_day, money(exchange)[2])


@pytest.mark.parametrize("policy", list(Policy))
def test_every_paisa_is_accounted_for_through_a_random_fortnight(policy: Policy):
    dice = random.Random(5)
    exchange = open_exchange(policy)
    exchange.unpin("ACC")
    flow = paid = filled = 0
    open_ids: list[str] = []
    for _ in range(8):
        opening = exchange.market_clock.now()
        for step in range(60):
            exchange.jump(datetime.fromtimestamp(opening.timestamp() + 330 * (step + 1), UTC))
            symbol = dice.choice(["ACC", "ABB"])
            last = exchange.quotes([f"NSE:{symbol}"])[f"NSE:{symbol}"].last_paise
            limit = dice.choice([None, last + 5 * dice.randint(-30, 30)])
            kind = OrderType.LIMIT if limit else OrderType.MARKET
            request = OrderRequest(
                *("NSE", symbol, dice.choice(list(Side)), dice.randint(1, 4_000)),
                *(dice.choice([Product.CNC, Product.MTF]), kind, "t"),
                price_paise=limit,
                protection_bps=None if limit else 200,
            )
            outcome = exchange.place("ANN", request)
            if isinstance(outcome, Accepted):
                open_ids.append(outcome.broker_order_id)
            if open_ids and dice.random() < 0.3:
                exchange.cancel("ANN", dice.choice(open_ids))
            if open_ids and dice.random() < 0.3:
                exchange.modify("ANN", dice.choice(open_ids), OrderChange(quantity=dice.randint(1, 4_000)))
        for row in exchange.orders("ANN"):
            if row.status is BrokerStatus.OPEN:
                exchange.cancel("ANN", row.broker_order_id)
        products = {row.broker_order_id: row for row in exchange.orders("ANN")}
        worth: dict[str, int] = {}
        day, left_demat = list[DayOrder](), dict[str, int]()
        for fill in exchange.trades("ANN"):
            notional = fill.price_paise * fill.quantity
            flow += notional if fill.side is Side.SELL else -notional
            worth[fill.broker_order_id] = worth.get(fill.broker_order_id, 0) + notional
            filled += fill.quantity if fill.side is Side.BUY else -fill.quantity
        query = "SELECT order_id FROM orders WHERE from_demat = 1"
        paid_demat = {str(row[0]) for row in exchange.database.execute(query)}
        for order_id, notional in worth.items():
            row = products[order_id]
            symbol = f"NSE:{row.tradingsymbol}"
            day.append(
                DayOrder(int(order_id), symbol, "NSE", row.product, row.side, row.filled_quantity, notional)
            )
            if order_id in paid_demat:
                left_demat[symbol] = notional
        paid += note_charges(exchange.market_clock.trading_day, "paper", day, left_demat).total_paise
        paid += over_night(exchange)
        assert sum(row.free + row.t1 + row.today for row in exchange.holdings("ANN")) == filled
    paid += over_night(exchange)
    due = over_night(exchange)
    available, blocked, loan = money(exchange)
    assert blocked == 0
    assert filled > 0
    assert available - loan == CASH + flow - paid
    next_day(exchange)
    assert money(exchange)[0] - loan == CASH + flow - paid - due, "interest is taken a day later"
