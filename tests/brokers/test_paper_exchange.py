"""The paper exchange: time, matching, refusals and days, on the exchange itself."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from brokers.contract import (
    Accepted,
    BrokerError,
    BrokerOrder,
    BrokerStatus,
    OrderChange,
    OrderRequest,
    Refused,
)
from brokers.simulators.exchange.day_prices import Pin, pinned_quote
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.exchange.prices import Listing, Quote
from data.clock import ManualClock
from data.errors import BadInput
from data.reference.instruments import BrokerInstrument, Instrument
from data.reference.phases import load_calendar
from data.vocabulary import OrderType, Policy, Product, Side, Validity

CALENDAR = load_calendar()
OPENING = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)
CRORE = 100 * 10_000_000


def instrument(symbol: str, last: int, tick: int, **more: Any) -> Listing:
    facts = {
        "mtf_margin_bps": 2_500,
        "mis_margin_bps": 2_000,
        "isin": f"INE{symbol}",
        "prev_close_paise": last,
        "band_bps": 1_000,
    }
    row = BrokerInstrument(
        token=str(last), exchange="NSE", tradingsymbol=symbol, name=symbol, tick_paise=tick, **(facts | more)
    )
    return Listing(row, last, last, last, last, 100_000)


MARKET = [
    instrument("RELIANCE", 245_000, 10, fno=True),
    instrument("SMALL", 10_000, 5, mtf_margin_bps=None),
    instrument("VOGL", 20_000, 1, series="BE", trade_to_trade=True, mtf_margin_bps=None),
    instrument("NIFTY 50", 2_500_000, 5, segment="INDICES", band_bps=0),
]


def open_exchange(
    clock: ManualClock, path: Path | None = None, policy: Policy = Policy.WORST, cash: int = CRORE
) -> PaperExchange:
    exchange = PaperExchange(path, clock, CALENDAR, policy=policy, seed=11)
    exchange.list_instruments(MARKET)
    exchange.open_accounts([AccountOpening(name, cash, 50_00_000_00) for name in ("ANN", "BOB")])
    return exchange


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 18, 0, tzinfo=UTC))


@pytest.fixture
def exchange(clock: ManualClock) -> PaperExchange:
    return open_exchange(clock)


def order(
    side: Side,
    quantity: int,
    limit: int | None = None,
    *,
    symbol: str = "RELIANCE",
    product: Product = Product.CNC,
    **more: Any,
) -> OrderRequest:
    facts: dict[str, Any] = {
        "order_type": OrderType.MARKET if limit is None else OrderType.LIMIT,
        "protection_bps": 200 if limit is None else None,
        "price_paise": limit,
        "tag": "t1",
    }
    return OrderRequest("NSE", symbol, side, quantity, product, **(facts | more))


def place(exchange: PaperExchange, request: OrderRequest, user: str = "ANN") -> str:
    outcome = exchange.place(user, request)
    assert isinstance(outcome, Accepted), outcome
    return outcome.broker_order_id


def find(exchange: PaperExchange, order_id: str, user: str = "ANN") -> BrokerOrder:
    return next(row for row in exchange.orders(user) if row.broker_order_id == order_id)


def pass_seconds(exchange: PaperExchange, clock: ManualClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.shift(1)
        exchange.advance()


def next_day(exchange: PaperExchange) -> None:
    exchange.jump(CALENDAR.session_close(exchange.market_clock.trading_day))


# --- time -------------------------------------------------------------------------------------------------


def test_market_time_follows_the_wall_while_driven_and_never_jumps(
    clock: ManualClock, exchange: PaperExchange
):
    assert exchange.market_clock.now() == OPENING
    clock.shift(0.25)
    exchange.advance()
    exchange.advance()
    assert exchange.market_clock.now() == OPENING + timedelta(seconds=0.25)
    clock.shift(9 * 3600)
    exchange.advance()
    exchange.advance()
    assert exchange.market_clock.now() == OPENING + timedelta(seconds=2.25)


def test_a_wall_clock_set_back_does_not_stop_the_market(clock: ManualClock, exchange: PaperExchange):
    clock.shift(-3600)
    exchange.advance()
    assert exchange.market_clock.now() == OPENING
    clock.shift(1)
    exchange.advance()
    assert exchange.market_clock.now() == OPENING + timedelta(seconds=1)


def test_two_instances_on_one_file_share_the_market(clock: ManualClock, tmp_path: Path):
    one = open_exchange(clock, tmp_path / "exchange.db")
    two = open_exchange(clock, tmp_path / "exchange.db")
    keys = [row.instrument.key for row in MARKET]
    for turn in range(40):
        clock.shift(0.7)
        (one, two)[turn % 2].advance()
        assert one.quotes(keys) == two.quotes(keys)
        assert (
            one.market_clock.now() == two.market_clock.now() == OPENING + timedelta(seconds=0.7 * (turn + 1))
        )
    one.pin("RELIANCE", 246_000)
    assert two.quotes(["NSE:RELIANCE"])["NSE:RELIANCE"].bid_paise == 246_000
    seen = two.last_event()
    mine = place(one, order(Side.BUY, 10))
    theirs = place(two, order(Side.BUY, 10), "BOB")
    assert int(theirs) > int(mine)
    assert find(two, mine).status is BrokerStatus.COMPLETE
    told = [(update.order.broker_order_id, len(update.trades)) for _, update in two.updates_after(seen)]
    assert told == [(mine, 1), (theirs, 1)]
    one.close()
    again = PaperExchange(tmp_path / "exchange.db", clock, CALENDAR, seed=99)
    assert again.quotes(keys) == two.quotes(keys), "the stored seed stands"


def test_two_instances_at_once_lose_nothing(clock: ManualClock, tmp_path: Path):
    exchanges = [open_exchange(clock, tmp_path / "exchange.db") for _ in range(2)]
    exchanges[0].pin("SMALL", 10_000)

    def trade(exchange: PaperExchange) -> list[str]:
        return [place(exchange, order(Side.BUY, 1, symbol="SMALL")) for _ in range(100)]

    with ThreadPoolExecutor(2) as pool:
        ids = [order_id for found in pool.map(trade, exchanges) for order_id in found]
    assert len(set(ids)) == 200
    assert exchanges[0].holdings("ANN")[0].today == 200
    assert len({trade.trade_id for trade in exchanges[1].trades("ANN")}) == 200


def test_listing_again_leaves_prices_and_money_alone(clock: ManualClock, exchange: PaperExchange):
    place(exchange, order(Side.BUY, 10, 240_000))
    pass_seconds(exchange, clock, 30)
    before = exchange.quotes(["NSE:RELIANCE"]), exchange.funds("ANN").available_paise
    exchange.list_instruments([instrument("RELIANCE", 260_000, 10, fno=True, mtf_margin_bps=4_000)])
    exchange.open_accounts([AccountOpening("ANN", 5)])
    assert (exchange.quotes(["NSE:RELIANCE"]), exchange.funds("ANN").available_paise) == before
    assert exchange.listings()[0].instrument.mtf_margin_bps == 4_000


# --- matching ---------------------------------------------------------------------------------------------


def test_a_market_order_fills_at_the_pinned_price_within_the_call(exchange: PaperExchange):
    exchange.pin("RELIANCE", 245_050, 239_525)
    order_id = place(exchange, order(Side.BUY, 102))
    row = find(exchange, order_id)
    assert (row.status, row.status_text, row.filled_quantity) == (BrokerStatus.COMPLETE, "COMPLETE", 102)
    assert row.average_price_paise == 245_050
    # As a broker shows it: a limit order at the protected price, marked.
    assert (row.order_type, row.price_paise) == (OrderType.LIMIT, 249_950)
    assert row.tags == ("t1", "mktp", "mktp:2.00")
    assert len(order_id) == 19
    (trade,) = exchange.trades("ANN")
    assert (trade.quantity, trade.price_paise, trade.trading_date) == (102, 245_050, date(2026, 11, 18))


def test_a_pin_must_be_a_possible_price(exchange: PaperExchange):
    for price, prev in ((245_005, None), (300_000, None), (245_000, 100_000), (0, None)):
        with pytest.raises(BadInput, match="RELIANCE"):
            exchange.pin("RELIANCE", price, prev)
    with pytest.raises(BadInput, match="NOSUCH"):
        exchange.pin("NOSUCH", 100)


def test_a_standing_order_trades_at_its_own_price_when_the_market_crosses(exchange: PaperExchange):
    exchange.pin("RELIANCE", 245_000)
    buy = place(exchange, order(Side.BUY, 10, 244_000))
    assert find(exchange, buy).status is BrokerStatus.OPEN
    exchange.pin("RELIANCE", 244_010)
    assert find(exchange, buy).filled_quantity == 0
    exchange.pin("RELIANCE", 243_500)
    assert find(exchange, buy).average_price_paise == 244_000
    sell = place(exchange, order(Side.SELL, 10, 244_100))
    exchange.pin("RELIANCE", 244_100)
    assert find(exchange, sell).status is BrokerStatus.COMPLETE


def test_a_standing_order_meets_the_walking_price(clock: ManualClock, exchange: PaperExchange):
    last = exchange.quotes(["NSE:RELIANCE"])["NSE:RELIANCE"].last_paise
    order_id = place(exchange, order(Side.BUY, 10, last - 60))
    for _ in range(3_600):
        clock.shift(1)
        ask = exchange.quotes(["NSE:RELIANCE"])["NSE:RELIANCE"].ask_paise
        filled = find(exchange, order_id).filled_quantity
        assert (filled > 0) == (ask <= last - 60)
        if filled:
            break
    assert find(exchange, order_id).average_price_paise == last - 60


def test_a_large_order_fills_in_parts_the_same_every_time():
    runs: list[list[tuple[int, int, datetime]]] = []
    for _ in range(2):
        clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
        exchange = open_exchange(clock, cash=100 * CRORE)
        exchange.advance()
        quote = exchange.quotes(["NSE:RELIANCE"])["NSE:RELIANCE"]
        order_id = place(exchange, order(Side.BUY, 30_000))
        first = exchange.trades("ANN")
        assert [(fill.price_paise, fill.quantity) for fill in first] == [
            (level.price_paise, level.quantity) for level in quote.asks
        ]
        again = place(exchange, order(Side.BUY, 5), "BOB")
        assert find(exchange, again, "BOB").filled_quantity == 0, "this second's depth is gone"
        row = find(exchange, order_id)
        assert (row.status, row.status_text) == (BrokerStatus.OPEN, "OPEN")
        pass_seconds(exchange, clock, 8)
        assert find(exchange, order_id).status is BrokerStatus.COMPLETE
        assert find(exchange, again, "BOB").status is BrokerStatus.COMPLETE
        runs.append([(fill.quantity, fill.price_paise, fill.traded_at) for fill in exchange.trades("ANN")])
    assert runs[0] == runs[1]
    assert len({at for _, _, at in runs[0]}) > 2
    assert sum(quantity for quantity, _, _ in runs[0]) == 30_000


def test_the_rest_of_a_market_order_stands_at_its_limit_once_the_market_has_left(clock: ManualClock):
    exchange = open_exchange(clock, cash=100 * CRORE)
    order_id = place(exchange, order(Side.BUY, 30_000))
    limit = find(exchange, order_id).price_paise
    traded = exchange.trades("ANN")
    assert limit is not None
    exchange.pin("RELIANCE", 260_000)
    exchange.pin("RELIANCE", 245_000)
    rest = exchange.trades("ANN")[len(traded) :]
    assert [fill.price_paise for fill in rest] == [limit]
    assert find(exchange, order_id).status is BrokerStatus.COMPLETE


def test_better_price_first_then_earlier_order(clock: ManualClock):
    exchange = open_exchange(clock, cash=100 * CRORE)
    late = place(exchange, order(Side.BUY, 30_000, 244_000))
    early = place(exchange, order(Side.BUY, 30_000, 244_000), "BOB")
    best = place(exchange, order(Side.BUY, 30_000, 244_500), "BOB")
    exchange.modify("ANN", late, OrderChange(price_paise=243_900))
    exchange.modify("ANN", late, OrderChange(price_paise=244_000))
    exchange.pin("RELIANCE", 244_000)
    trades = exchange.trades("BOB") + exchange.trades("ANN")
    assert [fill.broker_order_id for fill in sorted(trades, key=lambda fill: fill.trade_id)] == [
        best,
        early,
        late,
    ]


def test_an_ioc_order_keeps_nothing_in_the_book(clock: ManualClock):
    exchange = open_exchange(clock, cash=100 * CRORE)
    row = find(exchange, place(exchange, order(Side.BUY, 30_000, validity=Validity.IOC)))
    assert row.status is BrokerStatus.CANCELLED
    assert 0 < row.filled_quantity < 30_000
    assert exchange.funds("ANN").blocked_paise == 0


# --- refusals ---------------------------------------------------------------------------------------------

REFUSALS = [
    (
        order(Side.BUY, 10_000),
        "insufficient_funds",
        "Insufficient funds. Required margin is 24990000.00 but available margin is 10000000.00.",
    ),
    (
        order(Side.SELL, 1),
        "insufficient_holding",
        "Insufficient stock holding or there are pending sell orders",
    ),
    (order(Side.BUY, 1, 269_510), "outside_price_band", "upper circuit limit of 2695.00"),
    (order(Side.SELL, 1, 220_490), "outside_price_band", "lower circuit limit of 2205.00"),
    (order(Side.BUY, 1, 245_005), "off_tick", "RATE NOT MULTIPLE OF TICK [0.10000000]"),
    (order(Side.BUY, 100_001, 10_000, symbol="SMALL"), "over_order_limit", "Equity is 1,00,000"),
    (order(Side.BUY, 60_000, 245_000), "over_order_limit", "Rs 10,00,00,000"),
    (order(Side.BUY, 0), "bad_quantity", "positive multiple of 1"),
    (
        order(Side.BUY, 1, protection_bps=None),
        "no_market_protection",
        "without market protection are not allowed",
    ),
    (
        order(Side.BUY, 1, 10_000, symbol="SMALL", product=Product.MTF),
        "not_mtf_eligible",
        "MTF is not allowed",
    ),
    (order(Side.BUY, 3_000, 245_000, product=Product.MTF), "mtf_limit", "available limit is 5000000.00"),
    (
        order(Side.BUY, 1, symbol="VOGL", product=Product.MIS),
        "mis_not_allowed",
        "MIS is not allowed for VOGL",
    ),
    (order(Side.BUY, 1, symbol="NIFTY 50"), "not_tradable", "index"),
    (order(Side.BUY, 1, symbol="NOSUCH"), "unknown_instrument", "NSE:NOSUCH"),
    (order(Side.BUY, 1, tag="x" * 41), "bad_tag", "40 characters"),
]


@pytest.mark.parametrize(("request_", "code", "words"), REFUSALS, ids=[code for _, code, _ in REFUSALS])
def test_refusals_leave_no_trace(clock: ManualClock, request_: OrderRequest, code: str, words: str):
    exchange = open_exchange(clock, cash=CRORE)
    exchange.pin("RELIANCE", 245_000)
    before = exchange.funds("ANN")
    outcome = exchange.place("ANN", request_)
    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert words in outcome.message
    assert exchange.orders("ANN") == []
    assert exchange.funds("ANN") == before
    assert exchange.last_event() == 0


def test_an_unknown_client(exchange: PaperExchange):
    with pytest.raises(BrokerError, match="EVE"):
        exchange.funds("EVE")
    outcome = exchange.place("EVE", order(Side.BUY, 1))
    assert isinstance(outcome, Refused)
    assert outcome.code == "unknown_account"


def test_shares_in_open_sells_cannot_be_sold_again(exchange: PaperExchange):
    for _ in range(2):  # the second time they are there already
        exchange.open_holdings([HoldingOpening("ANN", "NSE:RELIANCE", 10, 2_000_000)])
    assert exchange.holdings("ANN")[0].free == 10
    first = place(exchange, order(Side.SELL, 7, 260_000))
    assert exchange.holdings("ANN")[0].blocked == 7
    assert isinstance(exchange.place("ANN", order(Side.SELL, 4, 260_000)), Refused)
    assert isinstance(exchange.modify("ANN", first, OrderChange(quantity=11)), Refused)
    assert isinstance(exchange.modify("ANN", first, OrderChange(quantity=10)), Accepted)
    exchange.cancel("ANN", first)
    assert exchange.holdings("ANN")[0].blocked == 0


def test_nothing_trades_outside_continuous_trading(exchange: PaperExchange):
    resting = place(exchange, order(Side.BUY, 1, 240_000))
    exchange.jump(datetime(2026, 11, 18, 9, 52, tzinfo=UTC))
    # 15:22 in India: the closing auction of a stock with derivatives, continuous trading of another.
    outcome = exchange.place("ANN", order(Side.BUY, 1))
    assert isinstance(outcome, Refused)
    assert outcome.message == "Market orders are currently not allowed."
    waiting = place(exchange, order(Side.BUY, 1, 260_000))
    assert find(exchange, waiting).filled_quantity == 0
    place(exchange, order(Side.BUY, 1, symbol="SMALL"))
    exchange.pin("RELIANCE", 239_000)
    assert find(exchange, resting).filled_quantity == 0
    exchange.jump(datetime(2026, 11, 18, 10, 10, tzinfo=UTC))
    outcome = exchange.place("ANN", order(Side.BUY, 1, 240_000))
    assert isinstance(outcome, Refused)
    assert outcome.code == "market_closed"


# --- cancel and modify ------------------------------------------------------------------------------------


def test_cancel_frees_the_block_once(exchange: PaperExchange):
    order_id = place(exchange, order(Side.BUY, 10, 240_000))
    assert exchange.funds("ANN").blocked_paise == 2_400_000
    seen = exchange.last_event()
    assert exchange.cancel("ANN", order_id) == Accepted(order_id)
    funds = exchange.funds("ANN")
    assert (funds.blocked_paise, funds.available_paise) == (0, CRORE)
    ((_, update),) = exchange.updates_after(seen)
    assert (update.order.status, update.order.status_text) == (BrokerStatus.CANCELLED, "CANCELLED")
    again = exchange.cancel("ANN", order_id)
    assert isinstance(again, Refused)
    assert again.code == "cannot_cancel"
    for stranger, number in (("BOB", order_id), ("ANN", "abc"), ("ANN", "9" * 30)):
        assert isinstance(exchange.cancel(stranger, number), Refused)
    assert exchange.last_event() == seen + 1


def test_modify_checks_and_blocks_as_a_placing_does(exchange: PaperExchange):
    exchange.pin("RELIANCE", 245_000)
    order_id = place(exchange, order(Side.BUY, 10, 240_000))
    exchange.modify("ANN", order_id, OrderChange(quantity=20, price_paise=241_000))
    assert exchange.funds("ANN").blocked_paise == 4_820_000
    for change, code in (
        (OrderChange(price_paise=241_005), "off_tick"),
        (OrderChange(price_paise=300_000), "outside_price_band"),
        (OrderChange(quantity=41_000), "insufficient_funds"),
        (OrderChange(quantity=0), "bad_quantity"),
        (OrderChange(trigger_paise=250_000), "bad_trigger"),
    ):
        outcome = exchange.modify("ANN", order_id, change)
        assert isinstance(outcome, Refused), change
        assert outcome.code == code
    assert exchange.funds("ANN").blocked_paise == 4_820_000
    exchange.modify("ANN", order_id, OrderChange(price_paise=246_000))
    row = find(exchange, order_id)
    assert (row.status, row.average_price_paise) == (BrokerStatus.COMPLETE, 245_000)
    assert isinstance(exchange.modify("ANN", order_id, OrderChange(quantity=30)), Refused)


# --- days -------------------------------------------------------------------------------------------------


def test_the_close_rolls_to_the_next_trading_day(clock: ManualClock, exchange: PaperExchange):
    exchange.pin("RELIANCE", 246_000)
    resting = place(exchange, order(Side.BUY, 10, 240_000))
    seen = exchange.last_event()
    next_day(exchange)
    assert exchange.market_clock.trading_day == date(2026, 11, 19)
    assert exchange.market_clock.now() == OPENING + timedelta(days=1)
    ((_, update),) = exchange.updates_after(seen)
    assert (update.order.broker_order_id, update.order.status) == (resting, BrokerStatus.EXPIRED)
    assert exchange.funds("ANN").available_paise == CRORE
    assert exchange.orders("ANN") == []
    quotes = exchange.quotes(["NSE:RELIANCE", "NSE:SMALL"])
    assert quotes["NSE:RELIANCE"].prev_close_paise == 246_000
    small = quotes["NSE:SMALL"]
    assert small.prev_close_paise == small.last_paise == small.high_paise
    later = place(exchange, order(Side.BUY, 1))
    assert int(later) > int(resting)
    assert later.startswith("261119")
    pass_seconds(exchange, clock, 2)
    assert exchange.market_clock.now() == OPENING + timedelta(days=1, seconds=2)


def test_shares_arrive_over_two_days(exchange: PaperExchange):
    exchange.pin("RELIANCE", 245_000)
    place(exchange, order(Side.BUY, 10))
    steps: list[tuple[int, int, int]] = []
    for _ in range(3):
        (holding,) = exchange.holdings("ANN")
        steps.append((holding.today, holding.t1, holding.free))
        assert holding.cost_paise == 2_450_000
        next_day(exchange)
    assert steps == [(10, 0, 0), (0, 10, 0), (0, 0, 10)]


def test_trade_to_trade_shares_wait_for_the_demat_account(exchange: PaperExchange):
    exchange.pin("VOGL", 20_000)
    place(exchange, order(Side.BUY, 10, symbol="VOGL"))
    sell = order(Side.SELL, 10, 20_000, symbol="VOGL")
    for _ in range(2):
        assert isinstance(exchange.place("ANN", sell), Refused)
        next_day(exchange)
    assert find(exchange, place(exchange, sell)).status is BrokerStatus.COMPLETE


def test_where_the_calendar_ends_the_market_stays_closed(clock: ManualClock):
    exchange = PaperExchange(None, clock, CALENDAR, first_day=date(2026, 12, 31))
    exchange.list_instruments(MARKET)
    exchange.open_accounts([AccountOpening("ANN", CRORE)])
    next_day(exchange)
    pass_seconds(exchange, clock, 3)
    assert exchange.market_clock.now() == CALENDAR.session_close(date(2026, 12, 31))
    assert isinstance(exchange.place("ANN", order(Side.BUY, 1, 245_000)), Refused)


class Elsewhere:
    """Another market, with one price for everything."""

    def __init__(self) -> None:
        self.at: datetime | None = OPENING
        self.trading_day = OPENING.date()
        self.price: int | None = None

    def now(self) -> datetime | None:
        return self.at

    def quote(self, key: str) -> Quote | None:
        if self.price is None:
            return None
        (listing,) = [one for one in MARKET if one.instrument.key == key]
        return pinned_quote(listing, Pin(self.price, listing.instrument.prev_close_paise))

    def instrument(self, key: str) -> Instrument | None:
        return None


def test_beside_another_market_it_keeps_that_ones_time_and_matches_at_its_prices_alone(
    clock: ManualClock, exchange: PaperExchange
):
    there = Elsewhere()
    exchange.follow(there)
    resting = place(exchange, order(Side.BUY, 1, 244_000))
    at_market = place(exchange, order(Side.BUY, 1))
    pass_seconds(exchange, clock, 30)
    assert exchange.market_clock.now() == OPENING, "its own clock is not asked"
    assert [find(exchange, one).filled_quantity for one in (resting, at_market)] == [0, 0], (
        "no price, no trade"
    )
    there.at, there.price = OPENING + timedelta(minutes=20), 244_500
    exchange.advance()
    assert [find(exchange, one).filled_quantity for one in (resting, at_market)] == [0, 1]
    there.at, there.price = OPENING + timedelta(minutes=21), 243_900
    exchange.advance()
    assert find(exchange, resting).filled_quantity == 1
    assert exchange.market_clock.now() == there.at


def test_beside_another_market_its_day_begins_with_that_ones_and_an_earlier_day_takes_no_order(
    clock: ManualClock, exchange: PaperExchange
):
    there = Elsewhere()
    there.price = 245_000
    exchange.follow(there)
    there.at = OPENING + timedelta(hours=7)
    exchange.advance()
    assert exchange.trading_day == date(2026, 11, 18), "after the close it waits"
    there.at, there.trading_day = OPENING + timedelta(days=2), date(2026, 11, 20)
    exchange.advance()
    assert exchange.trading_day == date(2026, 11, 20)
    there.at, there.trading_day = OPENING + timedelta(days=1), date(2026, 11, 19)
    refused = exchange.place("ANN", order(Side.BUY, 1))
    assert isinstance(refused, Refused)
    assert refused.code == "market_closed"
    assert exchange.trading_day == date(2026, 11, 20)
    there.at = None
    exchange.advance()
    assert exchange.market_clock.trading_day == date(2026, 11, 20)
