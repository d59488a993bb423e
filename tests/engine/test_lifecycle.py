"""Facts in any order, in doubt, twice, and against a cancel: what the books say in the end."""

from datetime import date, timedelta
from itertools import permutations

import pytest
from sqlalchemy import update

from brokers.contract import Accepted, Ambiguous, BrokerStatus, NotSent, Refused
from data.records import replace
from data.tables.columns import table
from data.tables.orders import Order
from data.vocabulary import LIVE_STATES, TERMINAL_STATES, OrderState, Policy, Product, Side
from engine.booking.facts import ProvenAbsent, SendEnded
from engine.booking.overdue import end_of_day, may_be_sent
from engine.booking.seen import BOOK_LAG
from engine.booking.states import Flag
from tests.bookkeeping import DAY, ENDS, Ledger, ledger

BEFORE, NEXT = date(2026, 11, 17), date(2026, 11, 19)
COMPLETE, CANCELLED, OPEN = BrokerStatus.COMPLETE, BrokerStatus.CANCELLED, BrokerStatus.OPEN


@pytest.fixture
def books():
    with ledger(10_00_000_00, mtf_limit_paise=5_00_000_00) as one:
        yield one
        assert one.faults() == []


def test_a_fill_before_the_answer_is_found_by_its_tag(books: Ledger):
    order = books.reserve(Side.BUY, 10, 1000_00)
    books.claim(order)
    books.book(books.seen(order, OPEN, books.trade(order, 4, 1000_00)))
    assert (books.state(order), books.row(order)["broker_order_id"]) == (OrderState.OPEN, f"B{order}")
    books.sent(order)
    books.book(books.seen(order, COMPLETE, books.trade(order, 6, 1000_00), filled=10))
    assert (books.state(order), books.row(order)["filled_quantity"]) == (OrderState.FILLED, 10)
    assert books.flags(order) == set()


@pytest.mark.parametrize("late", [Ambiguous("late"), Refused("x", "late"), NotSent("late")])
def test_an_answer_that_the_broker_has_overtaken_changes_nothing(books: Ledger, late):
    order = books.reserve(Side.BUY, 10, 1000_00)
    books.claim(order)
    books.book(books.seen(order, OPEN, books.trade(order, 4, 1000_00)))
    before = books.everything()
    books.sent(order, late)
    assert books.everything() == before


@pytest.mark.parametrize("status", [COMPLETE, CANCELLED])
def test_no_money_is_freed_while_a_status_is_ahead_of_its_trades(books: Ledger, status):
    order = books.open(Side.BUY, 10, 1000_00)
    told = 10 if status is COMPLETE else 4
    before = books.money()
    applied = books.book(books.seen(order, status, filled=told))
    assert applied.read_again == {1}
    assert (books.state(order), books.money()) == (OrderState.OPEN, before)
    applied = books.book(books.seen(order, status, books.trade(order, told, 1000_00)))
    assert applied.read_again == set()
    assert books.state(order) is (OrderState.FILLED if status is COMPLETE else OrderState.CANCELLED)
    assert books.money()["blocked"] == 0


def test_complete_without_a_quantity_is_not_taken_for_a_fill_of_nothing(books: Ledger):
    order = books.open(Side.BUY, 10, 1000_00)
    before = books.money()
    assert books.book(books.seen(order, COMPLETE)).read_again == {1}
    assert (books.state(order), books.money()) == (OrderState.OPEN, before)


def test_money_stays_blocked_in_doubt_and_a_refusal_frees_it(books: Ledger):
    doubtful, refused = (books.reserve(Side.BUY, 10, 1000_00) for _ in range(2))
    for order in (doubtful, refused):
        books.claim(order)
    blocked = books.row(doubtful)["blocked_paise"]
    books.sent(doubtful, Ambiguous("no answer"))
    books.sent(refused, Refused("margin", "no"))
    assert (books.state(doubtful), books.state(refused)) == (OrderState.UNKNOWN, OrderState.REJECTED)
    assert books.money()["blocked"] == blocked
    books.book(books.seen(doubtful, OPEN))
    assert books.state(doubtful) is OrderState.OPEN
    assert books.money()["blocked"] == blocked


def test_not_sent_is_reserved_again_unless_its_cancel_was_asked_for(books: Ledger):
    again, unwanted = (books.reserve(Side.BUY, 10, 1000_00) for _ in range(2))
    for order in (again, unwanted):
        books.claim(order)
    assert books.cancel(unwanted).requests == {unwanted: 1}
    for order in (again, unwanted):
        books.sent(order, NotSent("429"))
    assert books.state(again) is OrderState.RESERVED
    assert books.state(unwanted) is OrderState.CANCELLED
    assert books.money()["blocked"] == books.row(again)["blocked_paise"]
    first = books.row(again)["tag"]
    assert books.claim(again) != first
    assert books.row(again)["attempts"] == 2
    # The first attempt had arrived after all: its tag still finds the order.
    books.book(books.seen(again, OPEN, tags=(first,)))
    assert books.state(again) is OrderState.OPEN


def test_a_second_order_under_one_tag_has_its_trades_booked_and_calls_a_human(books: Ledger):
    order = books.open(Side.BUY, 10, 1000_00)
    twin = books.trade(order, 10, 1000_00)
    books.book(books.seen(order, COMPLETE, twin, broker_order_id="B-other"))
    assert books.flags(order) == {"DUPLICATE_TAG", "NEEDS_HUMAN"}
    assert (books.state(order), books.shares()["today"]) == (OrderState.OPEN, 10)
    assert books.row(order)["broker_order_id"] == f"B{order}"


def test_a_smaller_order_that_nobody_asked_for_frees_money_only_on_a_read_after_the_lag_of_books(
    books: Ledger,
):
    order = books.open(Side.BUY, 10, 1000_00)
    books.book(books.seen(order, OPEN))
    blocked = books.money()["blocked"]
    books.book(books.seen(order, OPEN, quantity=1))
    assert (books.row(order)["quantity"], books.money()["blocked"]) == (10, blocked)
    books.clock.shift(BOOK_LAG.total_seconds())
    read = replace(books.seen(order, OPEN, quantity=1), read_at=books.clock.now())
    books.book(read)
    assert (books.row(order)["quantity"], books.flags(order)) == (1, {"CHANGED_OUTSIDE"})
    assert books.money()["blocked"] < blocked * 0.2


def test_an_older_row_read_before_a_change_of_the_same_batch_does_not_undo_it(books: Ledger):
    order = books.open(Side.BUY, 6, 1000_00)
    books.book(books.seen(order, OPEN))
    books.clock.shift(60)
    newer = books.seen(order, OPEN, quantity=11)
    older = replace(books.seen(order, OPEN), read_at=books.clock.now())
    books.book(newer, older)
    assert books.row(order)["quantity"] == 11


def test_an_order_given_up_that_shows_up_is_live_again_with_its_money(books: Ledger):
    order = books.in_state(OrderState.UNKNOWN)
    row = books.row(order)
    books.book(ProvenAbsent(order, "test"))
    assert (books.state(order), books.money()["blocked"]) == (OrderState.NOT_RECEIVED, 0)
    books.book(books.seen(order, OPEN))
    assert books.state(order) is OrderState.OPEN
    assert books.flags(order) == {"RESURRECTED"}
    assert books.row(order)["blocked_paise"] == row["blocked_paise"]


@pytest.mark.parametrize("together", [True, False])
def test_an_order_that_came_back_short_of_shares_blocks_them_once_another_sale_ends(books: Ledger, together):
    books.bought(8, 1000_00)
    first = books.open(Side.SELL, 8, 1100_00)
    books.clock.shift(1)
    books.book(books.seen(first, CANCELLED))
    second = books.open(Side.SELL, 1, 1100_00)
    books.clock.shift(1)
    back, ended = books.seen(first, OPEN), books.seen(second, CANCELLED)
    if together:
        books.book(back, ended)
    else:
        books.book(back)
        assert books.row(first)["blocked_shares"] == 7
        books.book(ended)
    assert (books.row(first)["blocked_shares"], books.shares()["blocked"]) == (8, 8)


def test_an_order_that_came_back_short_of_money_blocks_it_once_some_is_free(books: Ledger):
    first = books.open(Side.BUY, 600, 1000_00)
    books.clock.shift(1)
    books.book(books.seen(first, CANCELLED))
    second = books.open(Side.BUY, 600, 1000_00)
    needed = books.row(second)["blocked_paise"]
    books.clock.shift(1)
    books.book(books.seen(first, OPEN))
    assert 0 < books.row(first)["blocked_paise"] < needed
    books.book(books.seen(second, CANCELLED))
    assert books.row(first)["blocked_paise"] == books.money()["blocked"] == needed


def test_shares_bought_in_the_same_unit_cover_an_order_that_came_back_short(books: Ledger):
    books.bought(8, 1000_00)
    first = books.open(Side.SELL, 8, 1100_00)
    books.clock.shift(1)
    books.book(books.seen(first, CANCELLED))
    books.open(Side.SELL, 1, 1100_00)
    books.clock.shift(1)
    books.book(books.seen(first, OPEN))
    purchase = books.open(Side.BUY, 5, 1000_00)
    books.book(books.seen(purchase, COMPLETE, books.trade(purchase, 5, 1000_00)))
    assert books.row(first)["blocked_shares"] == 8


def test_what_others_free_does_not_make_an_order_younger_that_lacks_nothing(books: Ledger):
    order = books.open(Side.BUY, 500, 1000_00)
    books.clock.shift(1)
    books.book(books.seen(order, OPEN, quantity=501))
    stamp = books.clock.now()
    for _ in range(3):
        other = books.open(Side.BUY, 1, 1000_00)
        books.clock.shift(5)
        books.book(books.seen(other, CANCELLED))
    smaller = books.seen(order, OPEN, quantity=100, updated_at=stamp)
    books.book(replace(smaller, read_at=books.clock.now()))
    assert books.row(order)["quantity"] == 100


def test_the_end_of_a_day_gives_only_what_it_ended(books: Ledger):
    first = books.open(Side.BUY, 5, 1000_00)
    books.next_day()
    second = books.open(Side.BUY, 5, 1000_00)
    books.clock.shift(1)
    books.book(books.seen(second, OPEN, quantity=6))
    ended = end_of_day(books.unit(), books.day, None, books.timing.calendar, "tester")
    assert (ended, books.state(second)) == ([first], OrderState.OPEN)


@pytest.mark.parametrize("state", map(OrderState, ENDS))
def test_an_older_live_word_brings_no_ended_order_back(books: Ledger, state):
    order = books.in_state(state)
    before = books.everything()
    books.book(books.seen(order, OPEN, ago_s=1))
    assert books.everything() == before


BACK = TERMINAL_STATES - {OrderState.FILLED}
LIVE_WORDS = (OPEN, BrokerStatus.UNRECOGNISED)


@pytest.mark.parametrize("state", sorted(set(OrderState) - {OrderState.SENDING}))
@pytest.mark.parametrize("status", list(BrokerStatus))
def test_any_word_of_the_broker_in_any_state_leaves_sound_books(books: Ledger, state, status):
    order = books.in_state(state)
    if not books.row(order)["tag"]:
        books.connection.exec_driver_sql(f"UPDATE orders SET broker_order_id = 'B{order}' WHERE id = {order}")
    for trades in ((), (books.trade(order, 4, 100_00),)):
        books.book(books.seen(order, status, *trades))
        assert books.faults() == []
        after = books.state(order)
        assert (books.row(order)["blocked_paise"] == 0) or after in LIVE_STATES
        if state in BACK and status in LIVE_WORDS:
            assert (after, "RESURRECTED" in books.flags(order)) == (OrderState.OPEN, True)
        elif state in TERMINAL_STATES and status in LIVE_WORDS:
            assert after is state
    assert books.row(order)["filled_quantity"] == (14 if state is OrderState.FILLED else 4)


def _scenario(books: Ledger, policy: Policy):
    """A buy filled in two parts and cancelled, and a sell of another stock's shares of two days, as facts."""
    books.bought(5, 900_00, policy=policy)
    books.next_day()
    books.bought(5, 950_00, policy=policy)
    order = books.reserve(Side.BUY, 10, 1000_00, Product.MTF, policy, "INFY")
    books.claim(order)
    sale = books.open(Side.SELL, 8, 1100_00, policy=policy)
    first, second = books.trade(order, 3, 1000_00), books.trade(order, 4, 999_00)
    out = books.trade(sale, 8, 1100_00)
    return [
        SendEnded(order, Accepted(f"B{order}")),
        books.seen(order, OPEN, first),
        books.seen(order, OPEN, second, filled=7),
        books.seen(order, CANCELLED, first, second),
        books.seen(sale, COMPLETE, out),
    ]


@pytest.mark.parametrize("policy", list(Policy))
def test_the_order_in_which_facts_arrive_does_not_change_the_books(books: Ledger, policy):
    facts = _scenario(books, policy)
    ends = {}
    for number, order in enumerate(permutations(facts)):
        books.connection.exec_driver_sql("SAVEPOINT one")
        if number % 2:
            books.book(*order)
        else:
            for fact in order:
                books.book(fact)
        ends[repr(books.everything())] = order
        if number % 12 == 0:
            assert books.faults() == []
        books.connection.exec_driver_sql("ROLLBACK TO one")
    assert list(ends) == [repr(_straight(books, facts))]


def _straight(books: Ledger, facts):
    books.book(*facts)
    return books.everything()


def test_the_end_of_the_day_ends_what_nobody_told_the_end_of(books: Ledger):
    made = {state: books.in_state(state) for state in (OrderState.RESERVED, OrderState.OPEN)}
    doubt = books.in_state(OrderState.UNKNOWN)
    blocked = books.row(doubt)["blocked_paise"]
    books.next_day()
    assert sorted(end_of_day(books.unit(), books.day, None, books.timing.calendar, "tester")) == sorted(
        [*made.values(), doubt]
    )
    assert books.state(made[OrderState.RESERVED]) is OrderState.CANCELLED
    assert books.state(made[OrderState.OPEN]) is OrderState.EXPIRED
    assert (books.state(doubt), books.flags(doubt)) == (OrderState.UNKNOWN, {"NEEDS_HUMAN"})
    assert books.money()["blocked"] == blocked
    for state in ENDS:
        assert books.state(books.in_state(OrderState(state))).value == state
    assert end_of_day(books.unit(), books.day, None, books.timing.calendar, "tester") == [doubt]


@pytest.mark.parametrize(
    ("after_market", "trading_date", "awaited", "may"),
    [
        (False, DAY, None, True),
        (False, DAY, NEXT, False),  # its session is over: a broker may keep it for the next
        (False, BEFORE, None, False),
        (True, DAY, DAY, True),
        (True, NEXT, NEXT, True),
        (True, DAY, None, False),  # the session that it was to wait for has begun
        (True, DAY, NEXT, False),
    ],
)
def test_an_order_is_sent_in_its_time_alone(after_market, trading_date, awaited, may):
    assert may_be_sent(after_market, trading_date, DAY, awaited) is may


@pytest.mark.parametrize(("heard", "state"), [(False, OrderState.OPEN), (True, OrderState.EXPIRED)])
def test_an_order_for_a_session_ends_with_it_only_if_it_was_heard_of_there(books, heard, state):
    order = books.open(Side.BUY, 10, 1000_00)
    begin = books.timing.calendar.session_begin(DAY)
    told_at = begin + timedelta(minutes=1) if heard else begin - timedelta(minutes=1)
    books.connection.execute(update(table(Order)).values(told_at=told_at, after_market=True))
    blocked = books.row(order)["blocked_paise"]
    end_of_day(books.unit(), NEXT, None, books.timing.calendar, "tester")
    assert (books.state(order), books.row(order)["blocked_paise"]) == (state, 0 if heard else blocked)
    assert (Flag.NEEDS_HUMAN.value in books.flags(order)) is not heard


def test_an_order_made_smaller_elsewhere_and_then_complete_is_of_that_size(books: Ledger):
    order = books.open(Side.BUY, 10, 1000_00)
    books.book(books.seen(order, COMPLETE, books.trade(order, 1, 1000_00), filled=1, quantity=1))
    row = books.row(order)
    assert (row["state"], row["quantity"], row["filled_quantity"]) == (OrderState.FILLED, 1, 1)
    assert books.flags(order) == {Flag.CHANGED_OUTSIDE.value}
    assert books.money()["blocked"] == 0
