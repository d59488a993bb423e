"""The ledger adds up under any sequence of trading, and every kind of tampering with it is found."""

from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from brokers.contract import BrokerStatus
from data.engines.looks import apart
from data.ledger import (
    Line,
    ShareLine,
    Transfer,
    Unbalanced,
    free_loans_and_shares,
    post,
    reserve_money,
    reserve_shares,
)
from data.tables.books import APPEND_ONLY, Client
from data.tables.columns import table
from data.vocabulary import LIVE_STATES, Account, Bucket, OrderState, Policy, Product, Side, TransferKind
from tests.bookkeeping import CLIENT, DAY, STOCKS, ledger
from tests.books import drop_trigger
from tests.further import further

PRICES = st.sampled_from([5, 99_95, 100_00, 1500_05, 2450_50])
SYMBOLS = st.sampled_from([("RELIANCE", Product.CNC), ("INFY", Product.MTF), ("INFY", Product.CNC)])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), SYMBOLS, st.integers(1, 60), PRICES),
        st.tuples(st.just("sell"), SYMBOLS, st.integers(1, 60), PRICES),
        st.tuples(st.just("fill"), st.integers(0, 9), st.integers(1, 60), st.integers(-3, 3)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("late"), st.integers(0, 9), st.integers(1, 5)),
        st.tuples(st.just("day")),
    ),
    min_size=3,
    max_size=25,
)


@pytest.mark.parametrize("policy", further(list(Policy)))
def test_any_sequence_of_trading_adds_up(policy):
    @settings(
        max_examples=20,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=cast("list[HealthCheck]", list(HealthCheck)),
    )
    @given(steps=STEPS, cash=st.sampled_from([50_000_00, 3_00_000_00]))
    def trade(steps, cash):
        with ledger(cash, mtf_limit_paise=1_00_000_00) as books:
            orders: list[int] = []
            for step in steps:
                before = books.money()
                told = _take(books, orders, step, policy)
                assert books.faults() == []
                money = books.money()
                assert min(money.values()) >= 0
                if told and Side(books.row(told)["side"]) is Side.BUY and not books.flags(told):
                    # A fill within its limit is paid from its own block, to the paisa.
                    assert money["available"] >= before["available"]
                    assert money["shortfall"] == before["shortfall"]
            for order in orders:
                if books.state(order) in LIVE_STATES - {OrderState.RESERVED}:
                    books.book(books.seen(order, BrokerStatus.CANCELLED))
            assert books.money()["blocked"] == books.money()["mtf_reserved"] == 0
            assert books.shares()["blocked"] == 0
            assert books.faults() == []

    trade()


def _take(books, orders, step, policy):
    match step:
        case ("buy" | "sell" as side, (symbol, product), quantity, price):
            order = books.reserve(Side(side.upper()), quantity, price, product, policy, symbol)
            orders.append(order)
            if books.state(order) is OrderState.RESERVED:
                books.claim(order)
                books.sent(order)
        case ("fill" | "late" as kind, which, quantity, *ticks):
            if not orders:
                return None
            order = orders[which % len(orders)]
            row = books.row(order)
            if (row["state"] in ("OPEN",)) != (kind == "fill") or not row["broker_order_id"]:
                return None
            if kind == "fill":
                quantity = min(quantity, row["quantity"] - row["filled_quantity"])
            price = max(5, row["reserve_price_paise"] + 5 * (ticks[0] if ticks else 1))
            told = books.trade(order, quantity, price)
            books.book(books.seen(order, BrokerStatus.OPEN, told))
            return order
        case ("cancel", which):
            if orders and books.row(orders[which % len(orders)])["broker_order_id"]:
                books.book(books.seen(orders[which % len(orders)], BrokerStatus.CANCELLED))
        case _:
            books.next_day()
    return None


@pytest.fixture
def traded():
    """Books with a holding of each bucket, a loan, a resting buy and a resting sell."""
    with ledger(10_00_000_00, mtf_limit_paise=5_00_000_00) as books:
        books.bought(10, 1000_00)
        books.bought(10, 1500_00, product=Product.MTF, symbol="INFY")
        books.next_day()
        books.bought(5, 1010_00)
        books.open(Side.BUY, 5, 990_00)
        books.open(Side.BUY, 5, 980_00)
        books.open(Side.SELL, 4, 1100_00)
        assert books.faults() == []
        for name in APPEND_ONLY:  # whoever owns the file can drop them
            for verb in ("update", "delete"):
                books.connection.exec_driver_sql(drop_trigger(name, verb))
        yield books


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        ("UPDATE funds SET available_paise = available_paise + 1", "available_paise is"),
        ("UPDATE funds SET blocked_paise = blocked_paise - 1", "blocked_paise is"),
        ("UPDATE funds SET unsettled_paise = 5", "unsettled_paise is 5, its postings give 0"),
        ("UPDATE funds SET charges_due_paise = 5", "charges_due_paise is 5"),
        ("UPDATE funds SET shortfall_paise = 5", "shortfall_paise is 5"),
        ("UPDATE funds SET mtf_loan_paise = mtf_loan_paise - 1", "mtf_loan_paise is"),
        ("UPDATE funds SET mtf_reserved_paise = 7", "mtf_reserved_paise is 7, its orders and holds give 0"),
        ("DELETE FROM posting WHERE account = 'blocked' AND amount_paise > 0", "not to zero"),
        ("DELETE FROM posting WHERE txn_id = 1", "available_paise is"),
        ("UPDATE posting SET amount_paise = amount_paise + 1 WHERE txn_id = 1 AND line = 1", "sums to 1"),
        ("UPDATE share_posting SET quantity = quantity + 1 WHERE line = 1", "not to zero"),
        ("UPDATE holding SET free = free + 1", "free is 1, its postings give 0"),
        ("UPDATE holding SET blocked = 0", "blocked is 0, its postings give 4"),
        ("UPDATE holding SET cost_paise = cost_paise + 1", "cost_paise is"),
        ("DELETE FROM holding", "today is 0, its postings give 5"),
        ("UPDATE orders SET blocked_paise = blocked_paise - 1 WHERE blocked_paise > 0", "blocked_paise is"),
        (
            "UPDATE orders SET blocked_paise = blocked_paise + CASE id % 2 WHEN 0 THEN 100 ELSE -100 END"
            " WHERE blocked_paise > 0",
            "order 4: blocked_paise is",
        ),
        ("UPDATE orders SET state = 'CANCELLED' WHERE blocked_shares > 0", "still blocks"),
        ("DELETE FROM fill WHERE id = 1", "filled_quantity is 10, its fills give 0"),
        ("UPDATE fill SET price_paise = price_paise + 5 WHERE id = 1", "filled_notional_paise is"),
        ("UPDATE lot SET quantity_left = quantity_left - 1 WHERE bucket = 't1'", "its lots give"),
        ("UPDATE lot SET loan_left_paise = loan_left_paise - 1 WHERE loan_left_paise > 0", "its lots give"),
    ],
)
def test_planted_corruption_is_found(traded, tampering, told):
    traded.connection.exec_driver_sql(tampering)
    found = traded.faults()
    assert any(told in line for line in found), found


def test_append_only_tables_refuse_change_and_deletion():
    with ledger() as books:
        books.bought(10, 1000_00)
        for name in APPEND_ONLY:
            if name not in ("txn", "posting", "share_posting", "fill"):
                # no ledger writes those: test_store.py, tests/engine/test_{runs,legs,gate,halt_round}.py
                # and tests/people/test_approvals.py
                continue
            column = "price_paise" if name == "fill" else "client_id"
            for statement in (f"UPDATE {name} SET {column} = 1", f"DELETE FROM {name}"):
                with pytest.raises(IntegrityError, match=f"{name} is append-only"), apart(books.connection):
                    books.connection.exec_driver_sql(statement)
        assert books.faults() == []


def test_a_transfer_that_does_not_balance_or_frees_without_proof_is_refused():
    one = [Line(Account.AVAILABLE, 100)]
    zero = [Line(Account.AVAILABLE, 100), Line(Account.BLOCKED, -100)]
    unknown = cast("TransferKind", "x")
    bad = (
        Transfer(CLIENT, unknown, DAY, one),
        Transfer(CLIENT, unknown, DAY, shares=[ShareLine("S", "CNC", Bucket.FREE, 1)]),
        Transfer(CLIENT, TransferKind.RELEASE, DAY, zero),
    )
    with ledger() as books:
        for transfer in bad:
            with pytest.raises(Unbalanced):
                post(books.unit(), [transfer])
        assert books.faults() == []


def test_reserving_serves_whom_it_can_and_nobody_else():
    with ledger(1000) as books:
        assert reserve_money(books.unit(), {CLIENT: (1001, 0), 99: (1, 0)}) == set()
        assert reserve_money(books.unit(), {CLIENT: (1000, 1)}) == set()
        assert books.money()["available"] == 1000
        assert reserve_money(books.unit(), {CLIENT: (1000, 0)}) == {CLIENT}
        assert reserve_money(books.unit(), {CLIENT: (1, 0)}) == set()
        assert (books.money()["available"], books.money()["blocked"]) == (0, 1000)


def test_loans_are_reserved_up_to_the_limit_and_only_for_a_client_who_is_active():
    with ledger(1000, mtf_limit_paise=500) as books:
        assert reserve_money(books.unit(), {CLIENT: (1, 501)}) == set()
        assert reserve_money(books.unit(), {CLIENT: (1, 500)}) == {CLIENT}
        assert reserve_money(books.unit(), {CLIENT: (1, 1)}) == set()
        books.connection.execute(table(Client).update().values(status="inactive"))
        assert reserve_money(books.unit(), {CLIENT: (1, 0)}) == set()
        assert (books.money()["available"], books.money()["mtf_reserved"]) == (999, 500)


def test_shares_on_their_way_are_reserved_unless_only_settled_ones_may_go():
    with ledger() as books:
        books.bought(10, 100_00)
        share = (CLIENT, STOCKS["RELIANCE"].security, "CNC")
        for bucket in ("today", "t1", "free"):
            held = books.shares()
            assert (held[bucket], sum(held[one] for one in ("today", "t1", "free"))) == (10, 10)
            settled = reserve_shares(books.unit(), [(*share, 4, True)])
            assert settled == ({share} if bucket == "free" else set())
            assert reserve_shares(books.unit(), [(*share, 11, False)]) == set()
            blocked = books.shares()["blocked"]
            assert reserve_shares(books.unit(), [(*share, 11 - blocked, False)]) == set()
            assert reserve_shares(books.unit(), [(*share, 10 - blocked, False)]) == {share}
            assert books.shares()["blocked"] == 10
            free_loans_and_shares(books.unit(), {}, {share: 10})
            books.next_day()
        books.connection.execute(table(Client).update().values(status="inactive"))
        assert reserve_shares(books.unit(), [(*share, 1, False)]) == set()


def test_a_new_day_collects_what_is_short_first_then_charges_and_never_more_than_there_is():
    with ledger(700) as books:
        due = [Line(Account.SHORTFALL, -500), Line(Account.CHARGES_DUE, -400), Line(Account.EXTERNAL, 900)]
        post(books.unit(), [Transfer(CLIENT, TransferKind.ADOPT, DAY, due, evidence="test")])
        books.next_day()
        money = books.money()
        assert (money["available"], money["shortfall"], money["charges_due"]) == (0, 0, 200)
        books.pay_in(300)
        books.next_day()
        assert (books.money()["available"], books.money()["charges_due"]) == (100, 0)
        assert books.faults() == []
