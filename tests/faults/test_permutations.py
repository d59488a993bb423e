"""The order in which facts arrive does not change the final books (I13), nor does hearing one twice (I14).

Each scenario is a handful of facts about one order. Every order of arrival is walked as a tree, so that
arrivals which begin alike are booked once; beyond 720 of them a seeded sample is drawn. As the desk does, its
client's book is read at the end where a word came ahead of its trades.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from math import factorial, prod

import pytest

from brokers.contract import Accepted, Ambiguous, BrokerStatus
from data.tables.orders import Order
from data.vocabulary import Policy, Product, Side
from engine.booking.facts import Fact, Seen, SendEnded
from tests.bookkeeping import Ledger, ledger

pytestmark = pytest.mark.proof


OPEN, COMPLETE, CANCELLED = BrokerStatus.OPEN, BrokerStatus.COMPLETE, BrokerStatus.CANCELLED
MOST = 720
PRICE = 1000_00


def told(
    books: Ledger, order: int, first: int, second: int, last: BrokerStatus, lives: bool = False
) -> list[Fact]:
    """What is told of an order that was sent: its answer, that it `lives`, two trades, its end with its fill.

    The broker stamps each word later than the one before; the second trade is told twice.
    """
    one, two = books.trade(order, first, PRICE - 5_00), books.trade(order, second, PRICE)
    words: list[Seen] = []
    for status, trades, filled in (
        (OPEN, (), 0),
        (OPEN, (one,), first),
        (OPEN, (two,), first + second),
        (last, (one, two), first + second),
    ):
        books.clock.shift(1)
        words.append(books.seen(order, status, *trades, filled=filled))
    return [SendEnded(order, Accepted(f"B{order}")), *words[0 if lives else 1 :], words[2]]


def sent(books: Ledger, side: Side, quantity: int, product: Product, policy: Policy) -> int:
    order = books.reserve(side, quantity, PRICE, product, policy)
    books.claim(order)
    return order


def buy_cancelled(books: Ledger, policy: Policy) -> list[Fact]:
    return told(books, sent(books, Side.BUY, 10, Product.CNC, policy), 3, 4, CANCELLED, lives=True)


def buy_completed(books: Ledger, policy: Policy) -> list[Fact]:
    return told(books, sent(books, Side.BUY, 10, Product.CNC, policy), 3, 7, COMPLETE)


def buy_on_margin(books: Ledger, policy: Policy) -> list[Fact]:
    return told(books, sent(books, Side.BUY, 7, Product.MTF, policy), 3, 2, CANCELLED)


def sale_of_two_days(books: Ledger, policy: Policy) -> list[Fact]:
    for price in (900_00, 950_05):
        books.bought(4, price, policy=policy)
        books.next_day()
    books.bought(3, 1010_00, policy=policy)
    return told(books, sent(books, Side.SELL, 10, Product.CNC, policy), 5, 4, CANCELLED)


def sale_on_margin(books: Ledger, policy: Policy) -> list[Fact]:
    books.bought(5, 950_05, product=Product.MTF, policy=policy)
    books.next_day()
    books.bought(5, 990_00, product=Product.MTF, policy=policy)
    return told(books, sent(books, Side.SELL, 8, Product.MTF, policy), 3, 5, COMPLETE)


def sale_within_the_day(books: Ledger, policy: Policy) -> list[Fact]:
    books.bought(5, 950_05, product=Product.MIS, policy=policy)
    books.bought(5, 990_00, product=Product.MIS, policy=policy)
    return told(books, sent(books, Side.SELL, 8, Product.MIS, policy), 3, 5, COMPLETE)


def answer_in_doubt(books: Ledger, policy: Policy) -> list[Fact]:
    """The call ended without an answer, and its order is found by the tag."""
    order = sent(books, Side.BUY, 10, Product.CNC, policy)
    _, *words = told(books, order, 3, 4, CANCELLED)
    return [SendEnded(order, Ambiguous("no answer")), *words]


def buy_and_sale_of_one_stock(books: Ledger, policy: Policy) -> list[Fact]:
    """Beyond 720 orders of arrival: the exchange nets the day in its own order, whatever ours is."""
    books.bought(6, 900_00, policy=policy)
    books.next_day()
    sale = told(books, sent(books, Side.SELL, 6, Product.CNC, policy), 2, 4, COMPLETE)
    buy = told(books, sent(books, Side.BUY, 10, Product.CNC, policy), 3, 4, CANCELLED)
    return sale + buy


Scenario = Callable[[Ledger, Policy], list[Fact]]
SCENARIOS: tuple[Scenario, ...] = (
    buy_cancelled,
    buy_completed,
    buy_on_margin,
    sale_of_two_days,
    sale_on_margin,
    sale_within_the_day,
    answer_in_doubt,
)


def ways(facts: Sequence[Fact]) -> int:
    """In how many orders these facts can arrive."""
    alike = {id(fact): sum(other is fact for other in facts) for fact in facts}
    return factorial(len(facts)) // prod(factorial(count) for count in alike.values())


def arrivals(books: Ledger, facts: list[Fact]) -> Iterator[None]:
    """Book facts in every order of arrival, one by one; stands at the end of each in turn."""
    if not facts:
        yield
        return
    depth, tried = len(facts), set[int]()
    for number, fact in enumerate(facts):
        if id(fact) in tried:
            continue
        tried.add(id(fact))
        books.connection.exec_driver_sql(f"SAVEPOINT arrival_{depth}")
        books.book(fact)
        yield from arrivals(books, facts[:number] + facts[number + 1 :])
        books.connection.exec_driver_sql(f"ROLLBACK TO arrival_{depth}")


def final(books: Ledger, facts: Sequence[Fact], sound: set[str]) -> str:
    """The books after a read of the client's order book, in which each order stands as last told.

    They are gone through for faults unless they are among those found `sound`.
    """
    last: dict[str, Seen] = {}
    for fact in facts:
        if isinstance(fact, Seen):
            stands = last.get(fact.order.broker_order_id)
            if stands is None or fact.order.updated_at > stands.order.updated_at:
                last[fact.order.broker_order_id] = fact
    books.connection.exec_driver_sql("SAVEPOINT read")
    books.book(*last.values())
    found = repr(
        (
            books.everything(),
            [(row["id"], row["flags"]) for row in books.rows(Order)],
            sorted(
                (
                    lot["product"],
                    lot["bucket"],
                    lot["opened_on"],
                    lot["cost_left_paise"],
                    lot["loan_left_paise"],
                )
                for lot in books.lots()
            ),
        )
    )
    if found not in sound:
        assert books.faults() == []
    books.connection.exec_driver_sql("ROLLBACK TO read")
    return found


@pytest.fixture
def books() -> Iterator[Ledger]:
    with ledger(10_00_000_00, mtf_limit_paise=5_00_000_00) as one:
        yield one


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_order_of_arrival_gives_the_same_books(books: Ledger, scenario: Scenario, policy: Policy):
    facts = scenario(books, policy)
    ends: set[str] = set()
    seen = sum(1 for _ in arrivals(books, facts) if ends.add(final(books, facts, ends)) is None)
    assert seen == ways(facts) <= MOST
    assert len(ends) == 1, "\n".join(sorted(ends))


@pytest.mark.parametrize("policy", list(Policy))
def test_a_sample_of_the_arrivals_of_a_whole_day_gives_the_same_books(books: Ledger, policy: Policy):
    facts = buy_and_sale_of_one_stock(books, policy)
    assert ways(facts) > MOST
    chance, ends = random.Random(11), set[str]()
    for _ in range(60):
        arrived = chance.sample(facts, len(facts))
        books.connection.exec_driver_sql("SAVEPOINT arrival")
        size = chance.choice((1, 3, len(facts)))
        for start in range(0, len(facts), size):
            books.book(*arrived[start : start + size])
        ends.add(final(books, facts, ends))
        books.connection.exec_driver_sql("ROLLBACK TO arrival")
    assert len(ends) == 1, "\n".join(sorted(ends))
