"""Faults that the rule machine and its making have found, each as short as it can be told."""

from collections.abc import Iterator

import pytest

from brokers.contract import Accepted, Ambiguous, BrokerStatus, OrderChange, Refused
from data.records import replace
from data.tables.orders import RequestRecord
from data.vocabulary import OrderState, Side
from engine.booking.facts import ChangeAbsent, ChangeEnded, InDoubt, ProvenAbsent
from engine.execution.changes.modifies import ask_change
from engine.execution.changes.terms import ModifyWish
from tests.bookkeeping import Ledger, ledger

COMPLETE, CANCELLED, OPEN = BrokerStatus.COMPLETE, BrokerStatus.CANCELLED, BrokerStatus.OPEN


@pytest.fixture
def books() -> Iterator[Ledger]:
    with ledger(10_00_000_00) as one:
        yield one
        assert one.faults() == []


def blocked(books: Ledger, order: int) -> int:
    assert books.money()["blocked"] == books.row(order)["blocked_paise"]
    return books.row(order)["blocked_paise"]


def ask(books: Ledger, order: int, quantity: int) -> int:
    wish, index = ModifyWish(OrderChange(quantity), "test"), books.market_data.index
    return ask_change(books.unit(), order, wish, books.projection, books.engine, index)


def request_states(books: Ledger) -> list[str]:
    return [row["state"] for row in books.rows(RequestRecord)]


@pytest.mark.parametrize("asked_here", [True, False])
def test_newer_trades_beside_an_older_row_do_not_fill_a_grown_order(books: Ledger, asked_here: bool):
    """Orders are read before trades: the shares may be of a larger order than the row still shows."""
    order = books.open(Side.BUY, 10, 1000_00)
    row = books.seen(order, OPEN)
    if asked_here:
        ask(books, order, 20)
    trade = books.trade(order, 10, 1000_00)
    books.clock.shift(1)
    grown = books.seen(order, OPEN, trade, quantity=20)
    books.book(replace(row, trades=(trade,)))
    assert books.state(order) is OrderState.OPEN
    books.book(grown)
    assert (books.state(order), books.row(order)["quantity"]) == (OrderState.OPEN, 20)
    assert blocked(books, order) > 10_000_00
    books.book(books.seen(order, COMPLETE, books.trade(order, 10, 1000_00)))
    assert (books.state(order), blocked(books, order)) == (OrderState.FILLED, 0)


def test_an_order_in_doubt_leaves_the_traders_list_when_a_status_comes_ahead_of_its_trades(books: Ledger):
    order = books.in_state(OrderState.UNKNOWN)
    books.book(InDoubt(order, "test"))
    books.book(books.seen(order, COMPLETE))
    assert (books.flags(order), books.row(order)["reason_code"]) == (set(), "")


def test_an_order_in_doubt_leaves_the_traders_list_with_its_late_answer(books: Ledger):
    order = books.in_state(OrderState.UNKNOWN)
    books.book(InDoubt(order, "test"))
    books.sent(order)
    assert (books.flags(order), books.row(order)["reason_code"]) == (set(), "")


def test_an_answer_after_the_proof_of_absence_blocks_again(books: Ledger):
    order = books.in_state(OrderState.UNKNOWN)
    before = blocked(books, order)
    books.book(ProvenAbsent(order, "test"))
    books.sent(order, Accepted(f"B{order}"))
    assert (books.state(order), books.flags(order)) == (OrderState.OPEN, {"RESURRECTED"})
    assert blocked(books, order) == before


def test_what_grew_outside_before_the_desk_knew_of_it_is_blocked_for(books: Ledger):
    order = books.in_state(OrderState.UNKNOWN)
    before = blocked(books, order)
    books.book(books.seen(order, OPEN, quantity=20))
    assert books.flags(order) == {"CHANGED_OUTSIDE"}
    assert blocked(books, order) > 1.9 * before


@pytest.mark.parametrize("word", [ChangeAbsent, ChangeEnded])
def test_late_word_of_a_modify_that_has_ended_frees_nothing_of_the_next_one(books: Ledger, word: type):
    order = books.open(Side.BUY, 10, 1000_00)
    first = ask(books, order, 20)
    books.book(ChangeEnded(order, first, Ambiguous("test")))
    books.book(books.seen(order, OPEN, quantity=20))
    ask(books, order, 40)
    before = blocked(books, order)
    books.book(word(order, first, Refused("late", "no") if word is ChangeEnded else "test"))
    assert blocked(books, order) == before
    assert books.row(order)["asked_quantity"] == 40
    assert request_states(books) == ["CONFIRMED", "REQUESTED"]


def test_a_modify_ends_with_its_order_even_if_that_comes_back(books: Ledger):
    order = books.open(Side.BUY, 10, 1000_00)
    before = blocked(books, order)
    ask(books, order, 20)
    books.book(books.seen(order, CANCELLED))
    books.book(books.seen(order, OPEN))
    assert (books.state(order), blocked(books, order)) == (OrderState.OPEN, before)
    assert (books.row(order)["asked_quantity"], request_states(books)) == (None, ["SUPERSEDED"])


def test_the_late_answer_of_a_modify_does_not_open_it_again(books: Ledger):
    order = books.open(Side.BUY, 10, 1000_00)
    number = ask(books, order, 20)
    books.book(books.seen(order, CANCELLED))
    books.book(ChangeEnded(order, number, Accepted("")))
    assert request_states(books) == ["SUPERSEDED"]


def test_requests_of_several_orders_end_in_one_batch(books: Ledger):
    orders = [books.open(Side.BUY, 10, 1000_00) for _ in range(3)]
    numbers = [ask(books, order, 20) for order in orders]
    answers = (Accepted(""), Refused("busy", "no"), Ambiguous("test"))
    books.book(*(ChangeEnded(*one) for one in zip(orders, numbers, answers, strict=True)))
    assert request_states(books) == ["SENT", "REFUSED", "UNKNOWN"]


def test_more_than_what_an_order_was_reduced_to_is_told_with_the_reduction(books: Ledger):
    order = books.open(Side.BUY, 10, 1000_00)
    ask(books, order, 1)
    books.book(books.seen(order, COMPLETE, books.trade(order, 2, 1000_00), quantity=1))
    assert (books.state(order), books.flags(order)) == (OrderState.FILLED, {"OVERFILL"})
