"""Differences between our books and the brokers', as stored, and facts that no booking took."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import select, update

from data.repositories.base import Change, On, Query, Rows, among, given, named_as
from data.tables.books import Break, UnbookedFact
from data.vocabulary import BreakKind


class BreakRow(Struct, frozen=True):
    """A difference that stands until it is closed; paise for cash and loan, else shares or rows unread."""

    id: int
    client_id: int
    kind: BreakKind
    security: str
    product: str
    tradingsymbol: str
    ours: int
    theirs: int
    trading_date: date
    opened_at: datetime


_BREAKS = Rows(Break, BreakRow)
_OF_FIGURES = _BREAKS.query(
    among(_BREAKS.c.client_id, "clients"),
    _BREAKS.c.kind != BreakKind.UNREAD.value,
    _BREAKS.c.closed_at.is_(None),
)
_CLOSE = Change(
    update(_BREAKS.table)
    .where(_BREAKS.c.id == given("id"), _BREAKS.c.closed_at.is_(None))
    .values(closed_at=given("at"), closed_how=given("how"))
)


def standing_breaks(on: On, client_ids: Collection[int]) -> dict[int, list[BreakRow]]:
    """These clients' figures that differ, by client; rows that could not be read are none of them."""
    found: defaultdict[int, list[BreakRow]] = defaultdict(list)
    for row in _OF_FIGURES.all(on, clients=sorted(client_ids)):
        found[row.client_id].append(row)
    return found


def open_breaks(on: On, rows: Sequence[BreakRow]) -> None:
    """Keep differences that were found."""
    _BREAKS.insert(on, rows)


def close_breaks(on: On, how: Mapping[int, str], at: datetime) -> None:
    """Keep since when differences stand no longer, and how each went."""
    _CLOSE.run_many(on, [{"id": number, "at": at, "how": why} for number, why in how.items()])


# --- rows of a broker's books that could not be read --------------------------------------------------------


class UnreadBook(Struct, frozen=True):
    """That so many rows of a client's book cannot be read, and words of them; `security` names the book."""

    id: int
    client_id: int
    kind: BreakKind
    security: str
    ours: int
    theirs: int
    detail: str
    trading_date: date
    opened_at: datetime


class StandingUnread(Struct, frozen=True):
    """What is told of a book with rows that cannot be read: how many, and words of them."""

    id: int
    security: str
    theirs: int
    detail: str


_UNREAD = Rows(Break, UnreadBook)
_STANDS_UNREAD = (_UNREAD.c.kind == BreakKind.UNREAD.value, _UNREAD.c.closed_at.is_(None))
_UNREAD_OF = Query(
    StandingUnread,
    select(*named_as(StandingUnread, _UNREAD.table)).where(
        _UNREAD.c.client_id == given("client"), among(_UNREAD.c.security, "books"), *_STANDS_UNREAD
    ),
)
_WITH_UNREAD = Query(
    int, select(_UNREAD.c.client_id).where(among(_UNREAD.c.security, "books"), *_STANDS_UNREAD).distinct()
)


def unread_books(on: On, client_id: int, books: Collection[str]) -> list[StandingUnread]:
    """What stands of these books of a client."""
    return _UNREAD_OF.all(on, client=client_id, books=sorted(books))


def clients_with_unread(on: On, books: Collection[str]) -> set[int]:
    """Clients of whom one of these books has rows that cannot be read."""
    return set(_WITH_UNREAD.all(on, books=sorted(books)))


def add_unread(on: On, book: UnreadBook) -> None:
    """Keep that a book has rows that cannot be read."""
    _UNREAD.insert(on, [book])


# --- facts that no booking took -----------------------------------------------------------------------------


class KeptFact(Struct, frozen=True):
    """A fact in words, what it speaks of, and what stood against booking it."""

    id: int
    identity: str
    client_id: int | None
    order_id: int | None
    broker_order_id: str
    body: str
    problem: str
    at: datetime
    last_at: datetime


class StandingFact(Struct, frozen=True):
    """A kept fact that is not settled, by what it is settled."""

    id: int
    client_id: int
    order_id: int | None
    broker_order_id: str


class FactProblem(Struct, frozen=True):
    """What stands against booking a kept fact."""

    identity: str
    problem: str


_FACTS = Rows(UnbookedFact, KeptFact)
_STANDS = _FACTS.c.closed_at.is_(None)
_STANDING_OF = Query(
    StandingFact,
    select(*named_as(StandingFact, _FACTS.table))
    .where(among(_FACTS.c.client_id, "clients"), _STANDS)
    .order_by(_FACTS.c.client_id, _FACTS.c.id),
)
_PROBLEMS = Query(FactProblem, select(*named_as(FactProblem, _FACTS.table)).where(_STANDS))
_TOLD_AGAIN = Change(
    update(_FACTS.table)
    .where(_FACTS.c.identity == given("identity"), _FACTS.c.body == given("body"), _STANDS)
    .values(times=_FACTS.c.times + 1, last_at=given("at"))
)
_SETTLE = Change(
    update(_FACTS.table)
    .where(_FACTS.c.id == given("id"), _STANDS)
    .values(closed_at=given("at"), closed_how=given("how"))
)


def count_fact(on: On, identity: str, body: str, at: datetime) -> bool:
    """Count a standing fact that is told again; returns whether one of these words stands."""
    return _TOLD_AGAIN.run(on, identity=identity, body=body, at=at) > 0


def add_fact(on: On, fact: KeptFact) -> None:
    """Keep a fact that no booking takes."""
    _FACTS.insert(on, [fact])


def standing_facts(on: On, client_ids: Collection[int]) -> list[StandingFact]:
    """These clients' kept facts that are not settled."""
    return _STANDING_OF.all(on, clients=sorted(client_ids))


def settle_facts(on: On, fact_ids: Collection[int], at: datetime, how: str) -> None:
    """Keep that facts are settled, and how."""
    _SETTLE.run_many(on, [{"id": number, "at": at, "how": how} for number in fact_ids])


def fact_problems(on: On) -> list[FactProblem]:
    """What stands against booking each fact that is not settled."""
    return _PROBLEMS.all(on)
