"""Money and shares: fills, ends, releases, and what an impossible fact does to the books."""

from datetime import timedelta

import pytest

from brokers.contract import BrokerStatus
from data.money import ceil_div, own_share
from data.reference.rates import estimate
from data.vocabulary import OrderState, Policy, Product, Side
from tests.bookkeeping import DAY, Ledger, ledger

COMPLETE, CANCELLED, OPEN = BrokerStatus.COMPLETE, BrokerStatus.CANCELLED, BrokerStatus.OPEN
BOTH = pytest.mark.parametrize("policy", [Policy.EXACT, Policy.WORST])


@pytest.fixture
def books():
    with ledger(10_00_000_00, mtf_limit_paise=5_00_000_00) as one:
        yield one
        assert one.faults() == []


def charges(side: Side, notional: int, product: Product = Product.CNC, demat: bool = False) -> int:
    return estimate(DAY, "zerodha", "NSE", product, side, notional, demat_sale=demat).total_paise


def test_a_fill_takes_from_the_block_and_the_end_gives_the_rest_back(books: Ledger):
    order = books.open(Side.BUY, 10, 1000_00)
    blocked = books.row(order)["blocked_paise"]
    assert blocked == 10_000_00 + charges(Side.BUY, 10_000_00) + 2
    assert books.money()["available"] == 10_00_000_00 - blocked

    books.book(books.seen(order, OPEN, books.trade(order, 4, 990_00)))
    paid = 3_960_00 + charges(Side.BUY, 3_960_00)
    total = 3_960_00 + 6_000_00
    rest = 6_000_00 + charges(Side.BUY, total) - charges(Side.BUY, 3_960_00) + 2
    assert books.row(order)["blocked_paise"] == rest
    assert books.money()["available"] == 10_00_000_00 - paid - rest

    books.book(books.seen(order, CANCELLED, filled=4))
    assert books.money() | {"available": 0} == {**dict.fromkeys(books.money(), 0), "mtf_limit": 5_00_000_00}
    assert books.money()["available"] == 10_00_000_00 - paid
    assert books.shares() == {
        **dict.fromkeys(books.shares(), 0),
        "today": 4,
        "cost_paise": 3_960_00,
    }


def test_a_dear_fill_is_paid_from_available_then_becomes_shortfall():
    with ledger(10_200_00) as books:
        order = books.open(Side.BUY, 10, 1000_00)
        dear = books.trade(order, 10, 1050_00)
        books.book(books.seen(order, COMPLETE, dear))
        owed = 10_500_00 + charges(Side.BUY, 10_500_00)
        assert books.state(order) is OrderState.FILLED
        assert books.flags(order) == {"PRICE_BREACH"}
        assert (books.money()["available"], books.money()["blocked"]) == (0, 0)
        assert books.money()["shortfall"] == owed - 10_200_00
        assert books.faults() == []


def test_more_than_asked_is_booked_and_flagged(books: Ledger):
    order = books.open(Side.BUY, 10, 1000_00)
    books.book(books.seen(order, COMPLETE, books.trade(order, 12, 1000_00)))
    assert books.flags(order) == {"OVERFILL"}
    assert books.shares()["today"] == 12
    assert books.money()["available"] == 10_00_000_00 - 12_000_00 - charges(Side.BUY, 12_000_00)


def test_a_trade_told_twice_is_booked_once_and_other_numbers_are_flagged(books: Ledger):
    order = books.open(Side.BUY, 10, 1000_00)
    trade = books.trade(order, 4, 1000_00, "T1")
    books.book(books.seen(order, OPEN, trade, trade))
    books.book(books.seen(order, OPEN, trade))
    before = books.everything()
    assert books.flags(order) == set()
    books.book(books.seen(order, OPEN, books.trade(order, 4, 1001_00, "T1"), filled=4))
    assert books.everything() == before
    assert books.flags(order) == {"ANOMALY"}


def test_a_fill_after_the_cancel_is_booked_from_what_is_there(books: Ledger):
    order = books.open(Side.BUY, 10, 1000_00)
    books.book(books.seen(order, CANCELLED))
    assert books.money()["available"] == 10_00_000_00
    books.book(books.seen(order, COMPLETE, books.trade(order, 10, 1000_00)))
    assert books.state(order) is OrderState.FILLED
    assert books.flags(order) >= {"LATE_FILL", "RESURRECTED"}
    assert books.money()["available"] == 10_00_000_00 - 10_000_00 - charges(Side.BUY, 10_000_00)


@BOTH
def test_mtf_lends_the_rest_piece_by_piece_within_two_paise(books: Ledger, policy):
    order = books.open(Side.BUY, 7, 1500_05, Product.MTF, policy, "INFY")
    lent_at_most = books.money()["mtf_reserved"]
    for quantity, price in ((1, 1500_05), (2, 1499_95), (3, 1500_05), (1, 1500_00)):
        books.book(books.seen(order, OPEN, books.trade(order, quantity, price)))
        assert books.faults() == []
    notional = 1500_05 + 2 * 1499_95 + 3 * 1500_05 + 1500_00
    own, money = own_share(notional, 2000), books.money()
    assert books.state(order) is OrderState.FILLED
    assert (money["mtf_loan"], money["mtf_reserved"]) == (notional - own, 0)
    assert money["mtf_loan"] <= lent_at_most
    paid = own + (0 if policy is Policy.EXACT else charges(Side.BUY, notional, Product.MTF))
    assert (money["available"], money["shortfall"]) == (10_00_000_00 - paid, 0)

    sale = books.open(Side.SELL, 7, 1600_00, Product.MTF, policy, "INFY")
    for quantity in (3, 4):
        books.book(books.seen(sale, OPEN, books.trade(sale, quantity, 1600_00)))
        assert books.faults() == []
    money = books.money()
    assert (books.state(sale), money["mtf_loan"]) == (OrderState.FILLED, 0)
    assert money["unsettled"] == 7 * 1600_00 - notional
    assert sum(lot["loan_left_paise"] for lot in books.lots()) == 0


def test_the_mtf_limit_caps_the_loan_of_all_open_orders(books: Ledger):
    for quantity, state in ((300, "RESERVED"), (116, "RESERVED"), (1, "DENIED")):
        order = books.reserve(Side.BUY, quantity, 1500_00, Product.MTF, symbol="INFY")
        assert books.row(order)["state"] == state
    assert books.row(order)["reason_code"] == "mtf_limit"
    assert books.money()["mtf_reserved"] == 416 * 1200_00 <= 5_00_000_00


@BOTH
@pytest.mark.parametrize(
    ("days", "price", "at_once"),
    [
        (0, 1100_00, 10_000_00),  # sold on its day: the cost at once, the profit after settlement
        (0, 900_00, 9_000_00),  # at a loss, all there is
        (1, 1100_00, 0),  # on its way to the demat account: nothing before settlement
        (2, 1100_00, 11_000_00),  # settled stock: all at once
    ],
)
def test_where_proceeds_go(books: Ledger, policy, days, price, at_once):
    bucket = ("today", "t1", "free")[days]
    books.bought(10, 1000_00, policy=policy)
    for _ in range(days):
        books.next_day()
    assert books.shares()[bucket] == 10
    before = books.money()
    sale = books.open(Side.SELL, 10, price, policy=policy)
    assert books.shares()["blocked"] == 10
    assert books.money() == before
    books.book(books.seen(sale, COMPLETE, books.trade(sale, 10, price)))
    cost = charges(Side.SELL, 10 * price, demat=days == 2)
    after = books.money()
    assert books.shares() == dict.fromkeys(books.shares(), 0)
    if policy is Policy.EXACT:
        assert after["charges_due"] - before["charges_due"] == cost
        cost = 0
    assert after["available"] - before["available"] == at_once - cost
    assert after["unsettled"] - before["unsettled"] == 10 * price - at_once


@pytest.mark.parametrize("left", [0, 3_00])
def test_charges_of_a_sale_come_from_its_waiting_proceeds_when_there_is_no_cash(left):
    bought = 10_000_00 + charges(Side.BUY, 10_000_00)
    with ledger(bought + 2 + left) as books:
        books.bought(10, 1000_00)
        books.next_day()
        before = books.money()
        note = 2 + left - before["available"] + before["charges_due"]
        assert 0 < note < 1_00, "the buy's contract note rounds to whole rupees"
        sale = books.open(Side.SELL, 10, 1100_00)
        books.book(books.seen(sale, COMPLETE, books.trade(sale, 10, 1100_00)))
        cost = charges(Side.SELL, 11_000_00)
        assert cost > 2 + left
        assert (books.money()["available"], books.money()["shortfall"]) == (0, 0)
        assert books.money()["unsettled"] == 11_000_00 + before["available"] - cost
        assert books.money()["charges_due"] == before["charges_due"]
        assert books.faults() == []


def test_the_depositorys_fee_is_paid_once_a_security_and_day(books: Ledger):
    books.bought(10, 1000_00)
    books.next_day()
    books.next_day()
    first, second = (books.open(Side.SELL, 4, 1000_00) for _ in range(2))
    facts = [books.seen(order, COMPLETE, books.trade(order, 4, 1000_00)) for order in (first, second)]
    books.book(facts[0])
    books.book(facts[1])
    paid = sum(books.row(order)["charges_paise"] for order in (first, second))
    fee = charges(Side.SELL, 4_000_00, demat=True) - charges(Side.SELL, 4_000_00)
    assert paid == 2 * charges(Side.SELL, 4_000_00) + fee
    assert fee > 0


def test_a_sale_takes_todays_shares_first_then_settled_then_those_on_their_way(books: Ledger):
    for price in (100_00, 200_00, 300_00):
        books.bought(10, price)
        if price < 300_00:
            books.next_day()
    assert [books.shares()[name] for name in ("free", "t1", "today")] == [10, 10, 10]
    sale = books.open(Side.SELL, 25, 400_00)
    books.book(books.seen(sale, OPEN, books.trade(sale, 12, 400_00)))
    assert [books.shares()[name] for name in ("free", "t1", "today")] == [8, 10, 0]
    assert books.shares()["blocked"] == 13
    books.book(books.seen(sale, COMPLETE, books.trade(sale, 13, 400_00), filled=25))
    assert [books.shares()[name] for name in ("free", "t1", "today")] == [0, 5, 0]
    assert books.shares()["cost_paise"] == 5 * 200_00


def test_shares_sold_beyond_the_books_are_explained_from_outside_and_shown_to_a_human(books: Ledger):
    books.bought(10, 1000_00)
    first, second = (books.open(Side.SELL, 5, 1000_00) for _ in range(2))
    books.book(books.seen(first, COMPLETE, books.trade(first, 10, 1000_00)))
    books.book(books.seen(second, COMPLETE, books.trade(second, 5, 1000_00)))
    assert books.flags(first) == {"OVERFILL"}
    assert books.flags(second) == {"NEEDS_HUMAN"}
    assert books.shares() == dict.fromkeys(books.shares(), 0)


def test_settlement_skips_days_the_desk_did_not_see(books: Ledger):
    books.bought(10, 1000_00)
    sale = books.open(Side.SELL, 4, 1100_00)
    books.book(books.seen(sale, COMPLETE, books.trade(sale, 4, 1100_00)))
    assert books.money()["unsettled"] == 400_00
    books.day = books.timing.calendar.next_trading_day(books.day)
    books.next_day()  # the desk stayed shut on the day after the trade
    assert books.day - DAY == timedelta(days=2)
    assert (books.shares()["free"], books.shares()["t1"]) == (6, 0)
    assert books.money()["unsettled"] == 0
    before = books.everything()
    books.next_day()
    assert books.everything() == before


def test_a_cheap_share_rounds_up_to_the_client_never_to_the_desk(books: Ledger):
    order = books.open(Side.BUY, 3, 1500_05, Product.MTF, Policy.EXACT, "INFY")
    assert books.row(order)["blocked_paise"] == ceil_div(3 * 1500_05, 5)
    books.book(books.seen(order, CANCELLED))
    assert books.money()["mtf_reserved"] == 0


@BOTH
def test_what_a_broker_sold_beyond_our_lots_waits_for_a_human_and_pays_for_nothing(
    books: Ledger, policy: Policy
):
    books.bought(5, 900_00, policy=policy)
    books.next_day()
    books.next_day()
    sale = books.open(Side.SELL, 5, 950_00, policy=policy)
    before = books.money()["available"]
    books.book(books.seen(sale, COMPLETE, books.trade(sale, 7, 1000_00)))
    cost = charges(Side.SELL, 7_000_00, demat=True) if policy is Policy.WORST else 0
    assert {"NEEDS_HUMAN", "OVERFILL"} <= books.flags(sale)
    assert books.money()["available"] == before + 5 * 1000_00 - cost
    assert books.money()["unsettled"] == 2 * 1000_00
    assert books.shares()["free"] == 0
