"""Which sales of elsewhere become orders of ours: those of intraday shares that this desk bought, no more."""

import pytest

from brokers.contract import BrokerStatus
from data.records import replace
from data.vocabulary import OrderState, Product, Side
from engine.booking.facts import Seen
from tests.bookkeeping import Ledger, ledger

MIS = Product.MIS


@pytest.fixture
def books():
    with ledger(10_00_000_00) as one:
        yield one


def elsewhere(books: Ledger, bought: int, number: str, quantity: int, **changed: object) -> Seen:
    """The broker's word of an order that this desk did not send, in the shares of a purchase of ours."""
    side = changed.pop("side", Side.SELL)
    trade = replace(
        books.trade(bought, quantity, 1010_00, f"T{number}"), broker_order_id=number, side=side, product=MIS
    )
    terms = {"side": side, "quantity": quantity, "tags": ("theirs",)} | changed
    fact = books.seen(bought, BrokerStatus.COMPLETE, trade, filled=quantity, broker_order_id=number)
    return replace(fact, order=replace(fact.order, **terms))


def taken(books: Ledger, *facts: Seen) -> set[str]:
    return {name for _, name in books.book(*facts).booked_external}


def test_a_sale_of_what_we_hold_is_booked_and_nothing_beyond_it(books):
    bought = books.bought(10, 1000_00, product=MIS)
    facts = [elsewhere(books, bought, number, shares) for number, shares in (("E1", 6), ("E2", 5), ("E3", 4))]
    assert taken(books, *facts) == {"E1", "E3"}
    assert books.shares(MIS)["today"] == 0
    assert books.faults() == []
    assert taken(books, elsewhere(books, bought, "E4", 1)) == set()


def test_what_is_heard_again_is_booked_once(books):
    bought = books.bought(10, 1000_00, product=MIS)
    fact = elsewhere(books, bought, "E1", 6)
    assert taken(books, fact, fact) == {"E1"}
    assert taken(books, fact) == set()
    assert books.shares(MIS)["today"] == 4


@pytest.mark.parametrize(
    "changed",
    [
        {"side": Side.BUY},
        {"product": Product.CNC},
        {"tradingsymbol": "TCS"},
        {"exchange": "BSE"},
        {"filled_quantity": 0},
    ],
)
def test_anything_else_is_left_to_the_trader(books, changed):
    bought = books.bought(10, 1000_00, product=MIS)
    fact = elsewhere(books, bought, "E1", 6, **changed)
    applied = books.book(fact)
    assert applied.booked_external == frozenset()
    assert [order.broker_order_id for _, order in applied.external] == ["E1"]
    assert books.shares(MIS)["today"] == 10


def test_shares_of_another_day_and_a_sale_of_ours_in_doubt_are_left_to_the_trader(books):
    bought = books.bought(10, 1000_00, product=MIS)
    late = elsewhere(books, bought, "E1", 6)
    sale = books.reserve(Side.SELL, 2, 900_00, MIS)
    books.claim(sale)
    assert books.row(sale)["state"] == OrderState.SENDING.value
    assert taken(books, late) == set()
    books.next_day()
    assert taken(books, elsewhere(books, bought, "E2", 4)) == set()
