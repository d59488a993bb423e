"""Splits, bonuses, dividends and mergers in the books: once each, to the share and the paisa, and undone."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.contract import BrokerStatus
from data.errors import BadInput
from data.reference.company_actions import MICROS, ActionTerms, terms_of
from data.reference.files.mtf_files import kind_of
from data.repositories.accounts.actions import bookings_of
from data.repositories.accounts.comparisons import figures_of, shares_of
from data.repositories.mtf import StoredAction, keep_actions
from data.tables.lots import ClosedLotRecord
from data.tables.market import InstrumentRecord
from data.vocabulary import CorporateAction, DividendTo, Product, Side
from engine.corporate.booking import book_actions, book_again, take_back
from engine.corporate.proving import Proof, came, credited, exchanged, waiting_for_proof
from tests.bookkeeping import CLIENT, DAY, STOCKS, Ledger, ledger

EX = date(2026, 11, 19)
RELIANCE, TCS = STOCKS["RELIANCE"], STOCKS["TCS"]


def action(purpose: str, at: datetime, ex_date: date = EX, **more: Any) -> StoredAction:
    return StoredAction(RELIANCE.key, ex_date, purpose, kind_of(purpose), "told.csv", at, **more)


def announce(books: Ledger, purpose: str, **more: Any) -> StoredAction:
    told = action(purpose, books.unit().now, **more)
    keep_actions(books.unit(), [told])
    return told


def booked(books: Ledger) -> list[tuple[int, int, str, int]]:
    return [
        (one.entitled, one.shares, one.fraction, one.paise) for one in bookings_of(books.unit(), [CLIENT])
    ]


@pytest.mark.parametrize(
    ("purpose", "terms"),
    [
        ("Bonus 1:2", ActionTerms(Fraction(3, 2))),
        (
            "Face Value Split (Sub-Division) - From Rs 10/- Per Share To Rs 2/- Per Share",
            ActionTerms(Fraction(5)),
        ),
        ("Face Value Split From Rs 10/- To Re 1/-", ActionTerms(Fraction(10))),
        ("Stock split 1:5", ActionTerms(Fraction(5))),
        ("Consolidation of shares 10:1", ActionTerms(Fraction(1, 10))),
        ("Interim Dividend - Rs 5.75 Per Share", ActionTerms(micros=5_750_000)),
        ("Dividend Rs 3 Per Sh/Special Dividend - Rs 10 Per Sh", ActionTerms(micros=13 * MICROS)),
        ("Annual General Meeting/Dividend - Re 0.0125 Per Unit", ActionTerms(micros=12_500)),
        ("Amalgamation 3:5", ActionTerms(Fraction(3, 5))),
        ("Change of ISIN", ActionTerms()),
        ("Dividend 50%", None),
        ("Dividend Rs 5 (face value Rs 10)", None),
        ("Bonus 1:1 and Dividend Rs 2 Per Share", None),
        ("Bonus", None),
        ("Demerger", None),
        ("Rights 1:4 @ Premium Rs 100", None),
    ],
)
def test_words_of_an_exchange_say_what_becomes_of_a_share_or_nothing(
    purpose: str, terms: ActionTerms | None
) -> None:
    assert terms_of(kind_of(purpose), purpose) == terms


def test_a_split_makes_shares_that_are_due_as_old_and_as_dear_as_before() -> None:
    with ledger() as books:
        books.bought(7, 1_000_00)
        announce(books, "Split from Rs 10/- to Rs 2/-")
        cost = books.shares()["cost_paise"]
        books.next_day()
        assert books.shares() | {"cost_paise": 0} == {
            **dict.fromkeys(("today", "free", "pledged", "blocked", "cost_paise"), 0),
            "t1": 7,
            "due": 28,
        }
        assert books.shares()["cost_paise"] == cost
        assert {lot["opened_on"] for lot in books.lots()} == {DAY}
        assert booked(books) == [(7, 28, "", 0)]
        assert books.faults() == []


def test_a_bonus_costs_nothing_and_the_part_of_a_share_is_named() -> None:
    with ledger() as books:
        books.bought(5, 1_000_00)
        announce(books, "Bonus 1:2", allotted_on=EX + timedelta(days=1))
        books.next_day()
        (old, bonus) = sorted(books.lots(), key=lambda lot: lot["opened_on"])
        assert (old["quantity_left"], bonus["quantity_left"], bonus["cost_paise"]) == (5, 2, 0)
        assert bonus["opened_on"] == EX + timedelta(days=1)
        assert booked(books) == [(5, 2, "1/2", 0)]
        assert books.faults() == []


@pytest.mark.parametrize("to", list(DividendTo))
def test_a_dividend_is_earned_on_the_ex_date_by_who_held_before_it(to: DividendTo) -> None:
    with ledger() as books:
        books.bought(10, 1_000_00)
        announce(books, "Dividend Rs 2.50 Per Share", paid_to=to)
        before = books.money()
        books.next_day()
        books.bought(90, 1_000_00)
        assert booked(books) == [(10, 0, "", 25_00)]
        due = 25_00 if to is DividendTo.BROKER else 0
        assert books.money()["dividends_due"] == due
        if due:
            figures = figures_of(books.unit(), [CLIENT])
            proof = Proof(books.day, "tester")
            assert credited(books.unit(), proof, figures, {CLIENT: 24_00}, 99) == set()
            available = books.money()["available"]
            assert credited(books.unit(), proof, figures, {CLIENT: 25_01}, 100) == {CLIENT}
            assert books.money()["available"] == available + 25_00
            assert books.money()["dividends_due"] == 0
        assert before["available"] > 0
        assert books.faults() == []


def test_an_action_is_booked_once_and_for_who_traded_since_only_where_that_is_plain() -> None:
    with ledger() as books:
        books.bought(10, 1_000_00)
        split, bonus = (action(one, books.clock.now()) for one in ("Split 1:2", "Bonus 1:1"))
        books.next_day()
        order = books.open(Side.SELL, 4, 900_00)
        books.book(books.seen(order, BrokerStatus.COMPLETE, books.trade(order, 4, 900_00)))
        assert book_actions(books.unit(), [split], "tester") == 0  # the four were sold as unsplit shares
        assert book_actions(books.unit(), [bonus], "tester") == 1
        assert book_actions(books.unit(), [bonus], "tester") == 0
        assert booked(books) == [(10, 10, "", 0)]
        assert books.faults() == []


def test_due_shares_come_when_the_broker_has_exactly_them() -> None:
    with ledger() as books:
        books.bought(10, 1_000_00)
        announce(books, "Bonus 1:1")
        books.next_day()
        place = RELIANCE.security, "CNC"
        proof, held = Proof(books.day, "tester"), shares_of(books.unit(), [CLIENT])
        assert came(books.unit(), proof, held, {CLIENT: {place: (10, 19)}}) == {}
        assert came(books.unit(), proof, held, {CLIENT: {place: (10, 20)}}) == {CLIENT: {place}}
        assert (books.shares()["due"], books.shares()["free"]) == (0, 10)
        assert books.faults() == []


def test_a_merger_waits_until_the_brokers_books_show_it() -> None:
    with ledger() as books:
        books.bought(7, 1_000_00)
        books.bought(4, 1_100_00)
        announce(books, "Merger 3:5", becomes="TCS")
        cost = books.shares()["cost_paise"]
        books.next_day()
        assert booked(books) == []
        (waits,) = waiting_for_proof(books.unit(), books.day)
        proof = Proof(books.day, "tester")
        gone, there = (RELIANCE.security, "CNC"), (TCS.security, "CNC")
        assert exchanged(books.unit(), proof, [waits], {CLIENT: {gone: (11, 0), there: (0, 7)}}) == {}
        found = exchanged(books.unit(), proof, [waits], {CLIENT: {gone: (11, 0), there: (0, 6)}})
        assert found == {CLIENT: {gone, there}}
        assert books.shares()["t1"] == books.shares()["cost_paise"] == 0
        assert (books.shares(symbol="TCS")["free"], books.shares(symbol="TCS")["cost_paise"]) == (6, cost)
        assert {lot["opened_on"] for lot in books.lots()} == {DAY}
        assert booked(books) == [(11, 6, "3/5", 0)]
        assert books.faults() == []


@pytest.mark.parametrize("purpose", ["Split 1:3", "Bonus 2:3", "Dividend Rs 4 Per Share"])
def test_what_was_booked_is_taken_back_by_a_counter_entry_and_may_be_booked_again(purpose: str) -> None:
    with ledger() as books:
        books.bought(7, 1_000_01)
        told = announce(books, purpose)
        before = books.shares()["cost_paise"]
        books.next_day()
        (one,) = bookings_of(books.unit(), [CLIENT])
        take_back(books.unit(), one, "the company has put it off", "tester")
        assert (books.shares()["t1"], books.shares()["due"], books.shares()["cost_paise"]) == (7, 0, before)
        assert books.faults() == []
        assert book_actions(books.unit(), [told], "tester") == 0
        assert book_again(books.unit(), told, CLIENT, "tester")
        assert not book_again(books.unit(), told, CLIENT, "tester")
        assert [one.turn for one in bookings_of(books.unit(), [CLIENT])] == [3]
        assert books.faults() == []


def test_an_action_is_not_taken_back_under_a_later_one_that_its_shares_were_entitled_to() -> None:
    with ledger() as books:
        books.bought(7, 1_000_00)
        split = announce(books, "Split 1:2")
        announce(books, "Dividend Rs 4 Per Share", ex_date=EX + timedelta(days=1))
        books.next_day()
        books.next_day()
        first, second = bookings_of(books.unit(), [CLIENT])
        assert (second.entitled, second.paise) == (14, 56_00)
        with pytest.raises(BadInput, match="was booked behind it: take that back first"):
            take_back(books.unit(), first, "a mistake", "tester")
        take_back(books.unit(), second, "a mistake", "tester")
        take_back(books.unit(), first, "a mistake", "tester")
        assert books.faults() == []
        assert book_again(books.unit(), split, CLIENT, "tester")


def test_a_split_is_not_taken_back_once_its_shares_were_sold() -> None:
    with ledger() as books:
        books.bought(7, 1_000_00)
        announce(books, "Split 1:2")
        books.next_day()
        (one,) = bookings_of(books.unit(), [CLIENT])
        order = books.open(Side.SELL, 1, 500_00)
        books.book(books.seen(order, BrokerStatus.COMPLETE, books.trade(order, 1, 500_00)))
        with pytest.raises(BadInput, match="sold since"):
            take_back(books.unit(), one, "a mistake", "tester")


def test_a_share_goes_on_under_another_isin_and_what_is_held_of_it_stands() -> None:
    with ledger() as books:
        books.bought(7, 1_000_00)
        announce(books, "Change of ISIN", becomes="INE002A01026")
        books.next_day()
        (share,) = [one for one in books.rows(InstrumentRecord) if one["tradingsymbol"] == "RELIANCE"]
        assert (share["isin"], RELIANCE.isin) == ("INE002A01026", "INE002A01018")
        assert (books.shares()["t1"], booked(books)) == (7, [])
        assert books.faults() == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), st.integers(1, 40)),
        st.tuples(st.just("sell"), st.integers(1, 60)),
        st.tuples(st.just("day"), st.just(0)),
        st.tuples(
            st.sampled_from(
                ["Split 1:2", "Split 1:5", "Bonus 1:1", "Bonus 2:7", "Dividend Rs 1.37 Per Share"]
            ),
            st.integers(0, 1),
        ),
        st.tuples(st.just("came"), st.just(0)),
        st.tuples(st.just("undo"), st.just(0)),
    ),
    max_size=14,
)


class Story:
    """A client's trades and its company's actions, booked and held against a count of its own."""

    def __init__(self, books: Ledger) -> None:
        self.books = books
        self.put_in = 0
        """What all purchases have cost."""
        self.held = 0

    def step(self, what: str, how_many: int) -> None:
        match what:
            case "buy":
                self.books.bought(how_many, 100_00 + how_many)
                self.put_in += how_many * (100_00 + how_many)
                self.held += how_many
            case "sell":
                self.sell(how_many)
            case "day":
                self.books.next_day()
            case "came":
                self.arrive()
            case "undo":
                self.undo()
            case _:
                self.act(what, DividendTo.BROKER if how_many else DividendTo.BANK)

    def sell(self, how_many: int) -> None:
        held = self.books.shares()
        quantity = min(how_many, held["today"] + held["t1"] + held["free"])
        if quantity:
            order = self.books.open(Side.SELL, quantity, 90_00)
            self.books.book(
                self.books.seen(order, BrokerStatus.COMPLETE, self.books.trade(order, quantity, 90_00))
            )
            self.held -= quantity

    def act(self, purpose: str, to: DividendTo) -> None:
        ex_date = self.books.timing.calendar.next_trading_day(self.books.day)
        before = self.held
        announce(self.books, purpose, ex_date=ex_date, paid_to=to)
        self.books.next_day()
        terms = terms_of(kind_of(purpose), purpose)
        assert terms is not None
        self.held = int(before * terms.shares)

    def arrive(self) -> None:
        unit, due = self.books.unit(), self.books.shares()["due"]
        gap = {(RELIANCE.security, Product.CNC.value): (0, due)}
        came(unit, Proof(self.books.day, "tester"), shares_of(unit, [CLIENT]), {CLIENT: gap})

    def undo(self) -> None:
        unit = self.books.unit()
        for one in bookings_of(unit, [CLIENT])[-1:]:
            if one.stands and one.kind is not CorporateAction.DIVIDEND:
                try:
                    take_back(unit, one, "test", "tester")
                except BadInput:
                    continue
                self.held -= one.shares

    def check(self) -> None:
        held, lots = self.books.shares(), self.books.lots()
        assert sum(held[name] for name in ("today", "t1", "free", "pledged", "due")) == self.held
        assert sum(lot["quantity_left"] for lot in lots) == self.held
        sold = sum(row["cost_paise"] for row in self.books.rows(ClosedLotRecord))
        assert sum(lot["cost_left_paise"] for lot in lots) + sold == self.put_in
        assert self.books.faults() == []


@pytest.mark.proof
@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_whatever_is_traded_and_done_to_shares_their_cost_stays_and_the_books_are_sound(steps) -> None:
    with ledger() as books:
        story = Story(books)
        for what, how_many in steps:
            story.step(what, how_many)
            story.check()
