"""Trades of one day heard of in another order than they were made."""

from datetime import timedelta
from itertools import islice, permutations

import pytest

from brokers.contract import BrokerStatus
from data.records import replace
from data.vocabulary import Policy, Product, Side
from tests.bookkeeping import ledger

OPEN = BrokerStatus.OPEN


def _traded(books, order, quantity, price, second):
    """A trade made `second` seconds into the day, numbered in that order."""
    trade = books.trade(order, quantity, price)
    at = books.clock.now().replace(hour=4, minute=0, second=0, microsecond=0) + timedelta(seconds=second)
    return replace(trade, trade_id=str(1000 + second), traded_at=at)


ARRIVALS = [(Policy.WORST, 5), (Policy.EXACT, 5), pytest.param(Policy.WORST, 1, marks=pytest.mark.proof)]
"""Policies, and which of the orders of arrival are tried: every fifth, in the long proof each."""


@pytest.mark.parametrize(("policy", "every"), ARRIVALS)
def test_a_days_trades_end_in_the_same_books_in_whatever_order_they_are_heard(policy, every):
    ends = set()
    with ledger(10_00_000_00) as books:
        books.bought(10, 900_00, policy=policy)
        books.next_day()
        books.next_day()
        first_buy = books.open(Side.BUY, 4, 1000_00, policy=policy)
        second_buy = books.open(Side.BUY, 6, 1010_00, policy=policy)
        sale = books.open(Side.SELL, 7, 950_00, policy=policy)
        facts = [
            books.seen(order, OPEN, _traded(books, order, quantity, price, second), filled=quantity)
            for order, quantity, price, second in (
                (first_buy, 3, 999_00, 1),
                (sale, 5, 990_00, 2),
                (first_buy, 1, 1000_00, 3),
                (sale, 2, 980_00, 4),
                (second_buy, 6, 1005_00, 5),
            )
        ]
        for order_of_arrival in islice(permutations(facts), 0, None, every):
            books.connection.exec_driver_sql("SAVEPOINT arrival")
            for fact in order_of_arrival:
                books.book(fact)
                assert books.faults() == []
            lots = sorted(
                (lot["bucket"], lot["quantity_left"], lot["cost_left_paise"]) for lot in books.lots()
            )
            ends.add(str((books.everything(), lots)))
            books.connection.exec_driver_sql("ROLLBACK TO arrival")
    assert len(ends) == 1, "\n".join(ends)


def test_a_sale_heard_before_its_purchase_is_explained_once_that_is_known():
    with ledger(10_00_000_00) as books:
        books.bought(5, 900_00)
        books.next_day()
        books.next_day()
        buy = books.open(Side.BUY, 5, 1000_00)
        sale = books.open(Side.SELL, 5, 950_00)
        bought, sold = _traded(books, buy, 5, 999_00, 1), _traded(books, sale, 5, 990_00, 2)
        books.book(books.seen(sale, OPEN, sold, filled=5))
        assert books.shares()["free"] == 0
        with_fee = books.row(sale)
        assert with_fee["demat_sale"]
        books.book(books.seen(buy, OPEN, bought, filled=5))
        assert not books.row(sale)["demat_sale"], "what was bought today was never in the demat account"
        assert books.row(sale)["charges_paise"] < with_fee["charges_paise"]
        assert (books.shares()["free"], books.shares()["today"]) == (5, 0)
        assert books.shares()["cost_paise"] == 5 * 900_00
        assert books.faults() == []
        books.book(books.seen(sale, OPEN, sold, filled=5))
        assert books.faults() == []


@pytest.mark.parametrize("policy", list(Policy))
def test_a_loss_that_is_owed_is_the_same_in_whatever_order_its_trades_are_heard(policy):
    ends = set()
    with ledger(2_700_00) as books:
        first = books.open(Side.BUY, 7, 1000_00, product=Product.MIS, policy=policy)
        books.book(books.seen(first, OPEN, _traded(books, first, 7, 1000_00, 5), filled=7))
        second = books.open(Side.BUY, 4, 940_00, product=Product.MIS, policy=policy)
        sale = books.open(Side.SELL, 7, 400_00, product=Product.MIS, policy=policy)
        facts = [
            books.seen(order, OPEN, _traded(books, order, quantity, price, moment), filled=quantity)
            for order, quantity, price, moment in (
                (second, 4, 940_00, 1),
                (sale, 3, 500_00, 6),
                (sale, 4, 450_00, 7),
            )
        ]
        for order_of_arrival in permutations(facts):
            books.connection.exec_driver_sql("SAVEPOINT arrival")
            for fact in order_of_arrival:
                books.book(fact)
                assert books.faults() == []
            assert books.money()["shortfall"] > 0
            ends.add(str(sorted(books.money().items())))
            books.connection.exec_driver_sql("ROLLBACK TO arrival")
    assert len(ends) == 1, "\n".join(ends)
