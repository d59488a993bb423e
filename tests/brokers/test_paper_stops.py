"""Stop orders at the paper exchange: waiting, triggers, refusals, and the money they block."""

import random
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import pytest

from brokers.contract import (
    Accepted,
    BrokerOrder,
    BrokerStatus,
    OrderChange,
    OrderRequest,
    Refused,
)
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.exchange.prices import Listing
from data.clock import ManualClock
from data.money import ceil_div, own_share
from data.reference.instruments import BrokerInstrument
from data.reference.phases import load_calendar
from data.reference.rates import estimate
from data.vocabulary import OrderType, Policy, Product, Side, Validity
from tests.further import further

CALENDAR = load_calendar()
KEY = "NSE:ACC"
CASH = 1_000_000_00
RICH = 100 * CASH


def listing(token: int, symbol: str, **more: Any) -> Listing:
    facts: dict[str, Any] = {
        "tick_paise": 5,
        "mtf_margin_bps": 3_333,
        "prev_close_paise": 10_000,
        "band_bps": 1_000,
    }
    row = BrokerInstrument(
        token=str(token), exchange="NSE", tradingsymbol=symbol, name=symbol, **(facts | more)
    )
    return Listing(row, *(10_000, 10_000, 10_000, 10_000, 5_000))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture
def exchange(clock: ManualClock) -> PaperExchange:
    exchange = open_exchange(clock)
    exchange.pin("ACC", 10_000)
    return exchange


def open_exchange(clock: ManualClock, policy: Policy = Policy.WORST, cash: int = CASH) -> PaperExchange:
    exchange = PaperExchange(None, clock, CALENDAR, policy=policy)
    exchange.list_instruments([listing(1, "ACC"), listing(2, "ABB"), listing(3, "FUT", fno=True)])
    exchange.open_accounts([AccountOpening(name, cash, 5 * cash) for name in ("ANN", "BOB")])
    exchange.open_holdings(
        HoldingOpening("ANN", f"NSE:{symbol}", 500, 4_000_000) for symbol in ("ACC", "FUT")
    )
    return exchange


def stop(
    side: Side,
    quantity: int,
    trigger: int | None,
    limit: int | None = None,
    symbol: str = "ACC",
    **more: Any,
) -> OrderRequest:
    """An SL order with a limit, an SL-M order without."""
    facts: dict[str, Any] = {
        "order_type": OrderType.SL_M if limit is None else OrderType.SL,
        "protection_bps": 200 if limit is None else None,
        "price_paise": limit,
        "trigger_paise": trigger,
        "product": Product.CNC,
        "tag": "t",
    }
    return OrderRequest("NSE", symbol, side, quantity, **(facts | more))


def place(exchange: PaperExchange, request: OrderRequest, user: str = "ANN") -> str:
    outcome = exchange.place(user, request)
    assert isinstance(outcome, Accepted), outcome
    return outcome.broker_order_id


def find(exchange: PaperExchange, order_id: str, user: str = "ANN") -> BrokerOrder:
    return next(row for row in exchange.orders(user) if row.broker_order_id == order_id)


def refused(outcome: Accepted | Refused) -> tuple[str, str]:
    assert isinstance(outcome, Refused), outcome
    return outcome.code, outcome.message


def total(exchange: PaperExchange, user: str = "ANN") -> int:
    funds = exchange.funds(user)
    return funds.available_paise + funds.blocked_paise


# --- waiting and triggering -------------------------------------------------------------------------------


def test_a_stop_buy_waits_then_stands_at_its_limit_and_trades_there(exchange: PaperExchange):
    order_id = place(exchange, stop(Side.BUY, 100, 10_200, 10_250))
    row = find(exchange, order_id)
    assert (row.status, row.status_text, row.trigger_pending) == (BrokerStatus.OPEN, "TRIGGER PENDING", True)
    assert (row.order_type, row.price_paise, row.trigger_paise) == (OrderType.SL, 10_250, 10_200)
    assert exchange.funds("ANN").blocked_paise == 1_025_000
    # Its limit is above the market all the while: outside the book it meets nobody.
    exchange.pin("ACC", 10_195)
    exchange.pin("ACC", 9_500)
    assert find(exchange, order_id) == row
    seen = exchange.last_event()
    exchange.pin("ACC", 10_300)
    row = find(exchange, order_id)
    assert (row.status, row.status_text, row.trigger_pending) == (BrokerStatus.OPEN, "OPEN", False)
    assert (row.order_type, row.price_paise, row.trigger_paise) == (OrderType.SL, 10_250, 10_200)
    ((_, update),) = exchange.updates_after(seen)
    assert (update.order, update.trades) == (row, ())
    exchange.pin("ACC", 10_240)
    row = find(exchange, order_id)
    assert (row.status, row.average_price_paise) == (BrokerStatus.COMPLETE, 10_250)


def test_a_stop_that_trades_at_once_takes_the_market_price(exchange: PaperExchange):
    buy = place(exchange, stop(Side.BUY, 10, 10_200, 10_400))
    sell = place(exchange, stop(Side.SELL, 10, 9_800, 9_600))
    exchange.pin("ACC", 10_200)
    assert find(exchange, buy).average_price_paise == 10_200
    exchange.pin("ACC", 9_700)
    row = find(exchange, sell)
    assert (row.status, row.average_price_paise) == (BrokerStatus.COMPLETE, 9_700)


def test_a_protected_stop_shows_no_price_before_its_trigger_and_its_limit_after(exchange: PaperExchange):
    sell = place(exchange, stop(Side.SELL, 10, 9_800))
    row = find(exchange, sell)
    assert (row.order_type, row.price_paise, row.trigger_paise) == (OrderType.SL_M, None, 9_800)
    assert row.tags == ("t", "mktp", "mktp:2.00")
    # 2 % below the trigger is 96.04, on the tick 96.05: a market that fell through it leaves the order there.
    exchange.pin("ACC", 9_500)
    row = find(exchange, sell)
    assert (row.status_text, row.order_type, row.price_paise) == ("OPEN", OrderType.SL_M, 9_605)
    exchange.pin("ACC", 9_605)
    assert find(exchange, sell).average_price_paise == 9_605


@pytest.mark.parametrize("policy", list(Policy))
def test_a_protected_stop_blocks_its_worst_price_within_the_circuit(clock: ManualClock, policy: Policy):
    exchange = open_exchange(clock, policy)
    exchange.pin("ACC", 10_000)
    place(exchange, stop(Side.BUY, 100, 10_500))
    assert exchange.funds("ANN").blocked_paise == 100 * 10_710
    place(exchange, stop(Side.BUY, 100, 10_900), "BOB")
    assert exchange.funds("BOB").blocked_paise == 100 * 11_000
    place(exchange, stop(Side.BUY, 101, 10_900, product=Product.MTF), "BOB")
    assert exchange.funds("BOB").blocked_paise == 100 * 11_000 + ceil_div(101 * 11_000 * 3_333, 10_000)


def test_triggers_go_off_in_the_order_the_price_reaches_them_behind_what_stands(clock: ManualClock):
    exchange = open_exchange(clock)
    exchange.pin("ACC", 10_000)
    far = place(exchange, stop(Side.BUY, 10, 10_300, 10_500))
    near = place(exchange, stop(Side.BUY, 10, 10_200, 10_500), "BOB")
    exchange.pin("ACC", 10_900)
    standing = place(
        exchange,
        OrderRequest("NSE", "ACC", Side.BUY, 10, Product.CNC, OrderType.LIMIT, "t", price_paise=10_500),
    )
    exchange.pin("ACC", 10_500)
    trades = sorted(exchange.trades("ANN") + exchange.trades("BOB"), key=lambda fill: fill.trade_id)
    assert [fill.broker_order_id for fill in trades] == [near, far, standing]


def test_every_price_of_the_walk_is_watched(clock: ManualClock):
    exchange = open_exchange(clock)
    last = exchange.quotes([KEY])[KEY].last_paise
    order_ids = {
        side: place(exchange, stop(side, 5, last + move, last + 4 * move))
        for side, move in ((Side.BUY, 5), (Side.SELL, -15))
    }
    gone_off: set[Side] = set()
    for _ in range(3_600):
        clock.shift(1)
        price = exchange.quotes([KEY])[KEY].last_paise
        if price >= last + 5:
            gone_off.add(Side.BUY)
        if price <= last - 15:
            gone_off.add(Side.SELL)
        for side, order_id in order_ids.items():
            row = find(exchange, order_id)
            assert row.trigger_pending == (side not in gone_off)
            assert not row.filled_quantity or side in gone_off
    assert len(gone_off) == 2, "the hour must reach both"


def test_a_clock_a_hundred_times_faster_meets_the_same_market():
    """Each advance moves the market by two seconds at most, and both of them are matched."""
    ends: list[list[tuple[str, int]]] = []
    for step in (1.0, 100.0):
        clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
        exchange = open_exchange(clock)
        last = exchange.quotes([KEY])[KEY].last_paise
        limit = OrderRequest(
            "NSE", "ACC", Side.BUY, 5, Product.CNC, OrderType.LIMIT, "t", price_paise=last - 10
        )
        order_ids = [
            place(exchange, request)
            for request in (limit, stop(Side.BUY, 5, last + 15), stop(Side.SELL, 5, last - 15, last - 60))
        ]
        opened = exchange.market_clock.now()
        for _ in range(int(1_800 / min(step, 2.0))):
            clock.shift(step)
            exchange.advance()
        assert (exchange.market_clock.now() - opened).total_seconds() == 1_800
        rows = [find(exchange, order_id) for order_id in order_ids]
        ends.append([(row.status_text, row.average_price_paise) for row in rows])
        ends[-1] += [(fill.traded_at.isoformat(), fill.price_paise) for fill in exchange.trades("ANN")]
    assert ends[0] == ends[1]
    assert "COMPLETE" in dict(ends[0])


def test_the_closing_auction_and_the_close_end_what_still_waits(exchange: PaperExchange):
    waiting = place(exchange, stop(Side.BUY, 10, 10_500))
    held = place(exchange, stop(Side.SELL, 10, 9_500, 9_400, symbol="FUT"))
    exchange.jump(datetime(2026, 11, 18, 9, 47, tzinfo=UTC))
    # 15:17 in India: the hand-over of a stock with derivatives, continuous trading of another.
    row = find(exchange, held)
    assert (row.status, row.status_text, row.trigger_pending) == (BrokerStatus.CANCELLED, "CANCELLED", False)
    assert "closing auction" in row.message
    assert exchange.holdings("ANN")[1].blocked == 0
    assert find(exchange, waiting).trigger_pending
    assert refused(exchange.place("ANN", stop(Side.SELL, 10, 9_500, symbol="FUT")))[0] == "market_closed"
    seen = exchange.last_event()
    exchange.jump(CALENDAR.session_close(exchange.market_clock.trading_day))
    ((_, update),) = exchange.updates_after(seen)
    assert (update.order.status, update.order.trigger_pending) == (BrokerStatus.EXPIRED, False)
    assert exchange.funds("ANN").available_paise == CASH


def test_an_ioc_stop_keeps_nothing_in_the_book(exchange: PaperExchange):
    order_id = place(exchange, stop(Side.BUY, 10, 10_200, 10_250, validity=Validity.IOC))
    row = find(exchange, order_id)
    assert (row.trigger_pending, row.validity) == (True, Validity.IOC)
    exchange.pin("ACC", 10_300)
    row = find(exchange, order_id)
    assert (row.status, row.filled_quantity) == (BrokerStatus.CANCELLED, 0)
    assert total(exchange) == exchange.funds("ANN").available_paise == CASH


# --- refusals, change and cancel --------------------------------------------------------------------------

REFUSALS = [
    (stop(Side.BUY, 1, None, 10_200), "bad_trigger", "`trigger_price` is required for SL orders."),
    (stop(Side.SELL, 1, None), "bad_trigger", "`trigger_price` is required for SL-M orders."),
    (stop(Side.BUY, 1, 10_201, 10_300), "off_tick", "The trigger price is not a multiple of tick size"),
    (stop(Side.BUY, 1, 0, 10_300), "off_tick", "16316"),
    (stop(Side.BUY, 1, 11_005), "outside_price_band", "buy orders cannot be above the upper circuit price."),
    (stop(Side.SELL, 1, 8_995), "outside_price_band", "trigger price above 90.00."),
    (
        stop(Side.BUY, 1, 10_000),
        "trigger_passed",
        "buy orders should be above the last traded price (100.00)",
    ),
    (stop(Side.SELL, 1, 10_000), "trigger_passed", "sell orders should be below the last traded price"),
    (stop(Side.BUY, 1, 10_200, 10_195), "bad_trigger", "lower than or equal to the price"),
    (stop(Side.SELL, 1, 9_800, 9_805), "bad_trigger", "higher than or equal to the price"),
    (stop(Side.BUY, 1, 10_200, 10_203), "off_tick", "RATE NOT MULTIPLE OF TICK"),
    (stop(Side.BUY, 1, 10_900, 11_005), "outside_price_band", "upper circuit limit of 110.00"),
    (stop(Side.BUY, 1, 10_200, protection_bps=None), "no_market_protection", "without market protection"),
    (stop(Side.BUY, 1, 10_200, validity=Validity.IOC), "bad_validity", "IOC validity is not allowed"),
    (stop(Side.BUY, 1, 10_200, order_type=OrderType.SL), "bad_price", "`price` is required for SL orders."),
    (stop(Side.BUY, 9_500, 10_500, 10_600), "insufficient_funds", "Required margin is 1007000.00"),
    (stop(Side.BUY, 9_500, 10_500), "insufficient_funds", "Required margin is 1017450.00"),
    (stop(Side.SELL, 501, 9_500), "insufficient_holding", "Insufficient stock holding"),
]


@pytest.mark.parametrize(("request_", "code", "words"), REFUSALS)
def test_refused_stops_leave_no_trace(exchange: PaperExchange, request_: OrderRequest, code: str, words: str):
    before = exchange.funds("ANN")
    found, message = refused(exchange.place("ANN", request_))
    assert found == code
    assert words in message
    assert exchange.orders("ANN") == []
    assert exchange.funds("ANN") == before
    assert exchange.last_event() == 0


def test_a_waiting_stop_is_changed_under_the_same_checks(exchange: PaperExchange):
    order_id = place(exchange, stop(Side.BUY, 100, 10_200, 10_250))
    for change, code in (
        (OrderChange(trigger_paise=10_000), "trigger_passed"),
        (OrderChange(trigger_paise=10_255), "bad_trigger"),
        (OrderChange(trigger_paise=10_203), "off_tick"),
        (OrderChange(price_paise=10_195), "bad_trigger"),
        (OrderChange(quantity=20_000), "insufficient_funds"),
    ):
        before = find(exchange, order_id), exchange.funds("ANN")
        assert refused(exchange.modify("ANN", order_id, change))[0] == code
        assert (find(exchange, order_id), exchange.funds("ANN")) == before
    change = OrderChange(quantity=50, price_paise=10_500, trigger_paise=10_400)
    assert exchange.modify("ANN", order_id, change) == Accepted(order_id)
    row = find(exchange, order_id)
    assert (row.quantity, row.price_paise, row.trigger_paise) == (50, 10_500, 10_400)
    assert (row.trigger_pending, row.filled_quantity) == (True, 0)
    assert exchange.funds("ANN").blocked_paise == 50 * 10_500
    exchange.pin("ACC", 10_300)
    assert find(exchange, order_id).trigger_pending
    exchange.pin("ACC", 10_600)
    assert refused(exchange.modify("ANN", order_id, OrderChange(trigger_paise=10_800)))[0] == "bad_trigger"
    exchange.modify("ANN", order_id, OrderChange(price_paise=10_650, trigger_paise=10_400))
    assert find(exchange, order_id).average_price_paise == 10_600


def test_a_protected_stop_takes_its_limit_from_a_changed_trigger(exchange: PaperExchange):
    order_id = place(exchange, stop(Side.BUY, 100, 10_200))
    assert refused(exchange.modify("ANN", order_id, OrderChange(price_paise=10_300)))[0] == "bad_price"
    exchange.modify("ANN", order_id, OrderChange(trigger_paise=10_500))
    assert exchange.funds("ANN").blocked_paise == 100 * 10_710
    exchange.cancel("ANN", order_id)
    row = find(exchange, order_id)
    assert (row.status_text, row.trigger_pending) == ("CANCELLED", False)
    assert exchange.funds("ANN").available_paise == CASH
    exchange.pin("ACC", 10_600)
    assert find(exchange, order_id) == row


def test_shares_of_a_waiting_stop_cannot_be_sold_again(exchange: PaperExchange):
    order_id = place(exchange, stop(Side.SELL, 400, 9_500))
    assert exchange.holdings("ANN")[0].blocked == 400
    assert refused(exchange.place("ANN", stop(Side.SELL, 101, 9_500)))[0] == "insufficient_holding"
    assert refused(exchange.modify("ANN", order_id, OrderChange(quantity=501)))[0] == "insufficient_holding"
    exchange.cancel("ANN", order_id)
    assert isinstance(exchange.place("ANN", stop(Side.SELL, 500, 9_500)), Accepted)


# --- the whole money --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", further(range(6), 2))
def test_no_paisa_is_lost_over_placing_triggering_filling_and_cancelling(seed: int):
    """After every step cash, blocks, loan, fills and charges add up, and blocks are the live orders' own.

    Now and then an order comes back or trades too much; then what is owed counts too.
    """
    dice = random.Random(seed)
    clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    exchange = open_exchange(clock, cash=RICH)
    order_ids: list[str] = []
    resurrected: set[str] = set()
    kinds: set[tuple[str, bool]] = set()
    for _ in range(250):
        clock.shift(dice.choice([0.3, 1.0, 2.0]))
        exchange.advance()
        symbol = dice.choice(["ACC", "ABB"])
        last = exchange.quotes([f"NSE:{symbol}"])[f"NSE:{symbol}"].last_paise // 5 * 5
        side = dice.choice(list(Side))
        out = 5 * dice.randint(1, 8) * (1 if side is Side.BUY else -1)
        limit = last + 2 * out if dice.random() < 0.5 else None
        product = dice.choice([Product.CNC, Product.MTF])
        request = stop(side, dice.choice([10, 3_000, 60_000]), last + out, limit, symbol, product=product)
        outcome = exchange.place("ANN", request)
        if isinstance(outcome, Accepted):
            order_ids.append(outcome.broker_order_id)
        if order_ids and dice.random() < 0.2:
            exchange.cancel("ANN", dice.choice(order_ids))
        if order_ids and dice.random() < 0.3:
            change = OrderChange(dice.randint(1, 60_000), trigger_paise=last + out)
            exchange.modify("ANN", dice.choice(order_ids), change)
        if order_ids and dice.random() < 0.1:
            again = exchange.resurrect("ANN", dice.choice(order_ids))
            if isinstance(again, Accepted):
                resurrected.add(again.broker_order_id)
            exchange.overfill("ANN", dice.choice(order_ids), dice.randint(1, 50))
        if dice.random() < 0.1:
            exchange.pin(symbol, last + out)
        elif dice.random() < 0.3:
            exchange.unpin(symbol)
        rows = exchange.orders("ANN")
        kinds |= {(row.status_text, row.filled_quantity > 0) for row in rows}
        _adds_up(exchange, rows, resurrected)
    assert resurrected
    assert kinds >= {("TRIGGER PENDING", False), ("COMPLETE", True), ("CANCELLED", False), ("OPEN", True)}


def _adds_up(exchange: PaperExchange, rows: Collection[BrokerOrder], resurrected: Collection[str]) -> None:
    orders = {row.broker_order_id: row for row in rows}
    worth = dict.fromkeys(orders, 0)
    shares: dict[tuple[str, Product], int] = {}
    for fill in exchange.trades("ANN"):
        worth[fill.broker_order_id] += fill.price_paise * fill.quantity
        held = (fill.tradingsymbol, fill.product)
        shares[held] = shares.get(held, 0) + fill.quantity * (1 if fill.side is Side.BUY else -1)
    fees = {
        str(row[0]) for row in exchange.database.execute("SELECT order_id FROM orders WHERE from_demat = 1")
    }
    flow = 0
    for order_id, row in orders.items():
        day = exchange.market_clock.trading_day
        demat = order_id in fees
        charges = estimate(day, "paper", "NSE", row.product, row.side, worth[order_id], demat_sale=demat)
        flow += worth[order_id] * (1 if row.side is Side.SELL else -1) - charges.total_paise
    funds = exchange.funds("ANN")
    (owed,) = exchange.database.execute("SELECT owed_paise FROM account WHERE user_id = 'ANN'").fetchone()
    (unsettled,) = exchange.database.execute(
        "SELECT coalesce(sum(amount_paise), 0) FROM unsettled"
    ).fetchone()
    assert total(exchange) - owed - funds.mtf_loan_paise + unsettled == RICH + flow
    blocked = 0
    for order_id, row in orders.items():
        query = "SELECT limit_paise, own_blocked_paise FROM orders WHERE order_id = ?"
        limit, own = exchange.database.execute(query, (int(order_id),)).fetchone()
        live = row.status is BrokerStatus.OPEN and row.side is Side.BUY
        margin = 3_333 if row.product is Product.MTF else 10_000
        needed = own_share(limit * (row.quantity - row.filled_quantity), margin) if live else 0
        assert 0 <= own <= needed if order_id in resurrected else own == needed
        blocked += own
    assert funds.blocked_paise == blocked
    held = {
        (row.tradingsymbol, row.product): row.free + row.t1 + row.today for row in exchange.holdings("ANN")
    }
    for (symbol, product), quantity in shares.items():
        opening = 500 if (symbol, product) == ("ACC", Product.CNC) else 0
        assert held.get((symbol, product), 0) == opening + quantity


def test_the_closing_auction_takes_over_limits_of_its_band_alone(exchange: PaperExchange):
    def rests(price: int, symbol: str = "FUT", disclosed: int = 0) -> str:
        of = symbol, Side.BUY, 10, Product.CNC, OrderType.LIMIT
        return place(exchange, OrderRequest("NSE", *of, "", price_paise=price, disclosed_quantity=disclosed))

    exchange.pin("FUT", 10_000)
    near, far, other = rests(9_800), rests(9_600), rests(9_600, "ACC")  # ACC has no derivatives
    hidden, shown = rests(9_900, disclosed=2), rests(9_600, "ACC", disclosed=2)
    exchange.jump(datetime(2026, 11, 18, 9, 47, tzinfo=UTC))
    assert [find(exchange, one).status for one in (near, far, other, hidden, shown)] == [
        BrokerStatus.OPEN,
        BrokerStatus.CANCELLED,
        BrokerStatus.OPEN,
        BrokerStatus.CANCELLED,
        BrokerStatus.OPEN,
    ]
    assert find(exchange, hidden).message == (
        "Orders with a disclosed quantity are cancelled before the closing auction."
    )
    assert find(exchange, far).message == (
        "Orders outside its price range are cancelled before the closing auction."
    )
