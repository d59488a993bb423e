"""Rows of tables as typed objects: read, written and counted by position, whatever the dialect's text is."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.ext.asyncio import create_async_engine

from data.engines.dialect import UNLESS_THERE
from data.engines.driver import TOGETHER, insert_many
from data.engines.sqlite import writer_engine
from data.repositories.base import Change, DatabaseError, Query, Rows, among, compile_ahead, given
from data.tables.books import Posting
from data.tables.orders import FillRecord, RequestRecord
from data.urls import sqlite_url
from data.vocabulary import RequestKind, RequestState
from tests.books import empty_books

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)

pytestmark = pytest.mark.in_file
"""Its rows are of an empty file; on a server they are those of scenarios."""


@dataclass(slots=True)
class Words:
    """A text of words as their tuple."""

    words: tuple[str, ...]

    @classmethod
    def of_text(cls, text: str) -> "Words":
        return cls(tuple(text.split()))

    def text(self) -> str:
        return " ".join(self.words)


@dataclass(slots=True)
class Ask:
    order_id: int
    number: int
    kind: RequestKind
    state: RequestState
    why: Words
    requested_at: datetime
    quantity: int | None = None
    noted: list[str] = field(default_factory=list[str], init=False)


ASKS = Rows(RequestRecord, Ask)
OF_ORDERS = ASKS.query(among(ASKS.c.order_id, "orders"), order_by=[ASKS.c.order_id, ASKS.c.number])


@pytest.fixture
def connection(tmp_path):
    engine = writer_engine(empty_books(tmp_path) / "desk.db")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        yield connection
    engine.dispose()


def ask(order_id: int, number: int = 1, state: RequestState = RequestState.REQUESTED) -> Ask:
    return Ask(order_id, number, RequestKind.CANCEL, state, Words(("too", "dear")), NOON)


def test_what_is_inserted_is_read_again_with_its_types(connection: Connection) -> None:
    ASKS.insert(connection, [ask(1), ask(2)])
    found = OF_ORDERS.all(connection, orders={2, 1})
    assert found == [ask(1), ask(2)]
    assert found[0].state is RequestState.REQUESTED
    stored = connection.exec_driver_sql("SELECT kind, why, requested_at, instance_id, detail FROM request")
    assert stored.first() == ("cancel", "too dear", "2026-11-18 12:00:00.000000", 0, "")


@pytest.mark.parametrize("count", [1, TOGETHER - 1, TOGETHER, 2 * TOGETHER + 1])
def test_however_many_rows_are_inserted_each_is_once_and_in_order(connection: Connection, count: int) -> None:
    rows = [ask(number) for number in range(1, count + 1)]
    ASKS.insert(connection, rows)
    assert OF_ORDERS.all(connection, orders=range(1, count + 1)) == rows


def test_many_rows_are_inserted_with_constants_and_but_for_those_that_are_there(
    connection: Connection,
) -> None:
    connection.exec_driver_sql("CREATE TEMP TABLE pair (one INTEGER PRIMARY KEY, zero INTEGER, two TEXT)")
    inserting = f"INSERT INTO pair (one, zero, two) VALUES (?, 0, ?) {UNLESS_THERE}"
    insert_many(connection, inserting, [(3, "three")])
    insert_many(connection, inserting, [(number, "x") for number in range(2 * TOGETHER)])
    found = connection.exec_driver_sql("SELECT * FROM pair ORDER BY one").all()
    assert found == [(number, 0, "three" if number == 3 else "x") for number in range(2 * TOGETHER)]


def test_rows_are_added_but_for_those_that_are_there_which_stay_as_they_are(connection: Connection) -> None:
    ASKS.insert(connection, [ask(2)])
    ASKS.add(connection, [ask(number, state=RequestState.CONFIRMED) for number in range(1, 4)])
    found = [one.state for one in OF_ORDERS.all(connection, orders={1, 2, 3})]
    assert found == [RequestState.CONFIRMED, RequestState.REQUESTED, RequestState.CONFIRMED]


def test_a_row_of_many_that_may_not_stand_is_told_as_an_error(connection: Connection) -> None:
    with pytest.raises(DatabaseError, match="UNIQUE"):
        ASKS.insert(connection, [ask(number % TOGETHER) for number in range(TOGETHER + 1)])


def test_many_rows_are_saved_by_their_key_and_counted(connection: Connection) -> None:
    ASKS.insert(connection, [ask(1), ask(1, 2), ask(2)])
    changed = [ask(1, 2, RequestState.SENT), ask(2, 1, RequestState.SENT), ask(3, 1, RequestState.SENT)]
    changed[1].quantity = 7
    assert ASKS.save(connection, changed, "state") == 2
    found = OF_ORDERS.all(connection, orders=[1, 2])
    assert [(one.state, one.quantity) for one in found] == [
        (RequestState.REQUESTED, None),
        (RequestState.SENT, None),
        (RequestState.SENT, None),
    ]


@pytest.mark.parametrize("count", [1, TOGETHER - 1, TOGETHER, 2 * TOGETHER + 1])
def test_however_many_rows_are_saved_each_gets_its_own_values_and_is_counted_once(
    connection: Connection, count: int
) -> None:
    numbers = range(1, count + 1)
    ASKS.insert(connection, [ask(0), *map(ask, numbers)])
    rows = [ask(number, state=RequestState.SENT) for number in reversed(numbers)]
    for row in rows:
        row.quantity, row.why = row.order_id * 10, Words(("of", f"{row.order_id}"))
    there = [*rows, ask(count + 1)]
    assert ASKS.save(connection, there, "state", "quantity", "why") == count
    assert OF_ORDERS.all(connection, orders=numbers) == rows[::-1]
    assert OF_ORDERS.all(connection, orders=[0]) == [ask(0)]


def test_of_a_row_that_is_saved_twice_the_last_values_stand(connection: Connection) -> None:
    rows = [ask(number) for number in range(1, TOGETHER + 1)]
    ASKS.insert(connection, rows)
    twice = [ask(1, state=RequestState.SENT), *rows[1:], ask(1, state=RequestState.REFUSED)]
    assert ASKS.save(connection, twice, "state") == TOGETHER + 1
    assert OF_ORDERS.all(connection, orders=[1]) == [ask(1, state=RequestState.REFUSED)]


def test_nothing_is_written_for_no_rows(connection: Connection) -> None:
    ASKS.insert(connection, [])
    assert ASKS.save(connection, [], "state") == 0
    assert Change(update(ASKS.table).values(state=given("state"))).run_many(connection, []) == 0


def test_a_change_takes_named_values_and_constants(connection: Connection) -> None:
    ASKS.insert(connection, [ask(1), ask(2), ask(3, 1, RequestState.SENT)])
    ending = Change(
        update(ASKS.table)
        .where(among(ASKS.c.order_id, "orders"), ASKS.c.state.in_(["REQUESTED", "UNKNOWN"]))
        .values(state="SUPERSEDED", ended_at=given("now"))
    )
    assert ending.run(connection, orders=[1, 3], now=NOON) == 1
    query = "SELECT order_id, ended_at FROM request WHERE state = 'SUPERSEDED'"
    assert connection.exec_driver_sql(query).all() == [(1, "2026-11-18 12:00:00.000000")]
    assert ending.run_many(connection, [{"orders": [2], "now": NOON}, {"orders": [9], "now": NOON}]) == 1


def test_a_query_makes_what_it_is_told_to_of_its_columns(connection: Connection) -> None:
    ASKS.insert(connection, [ask(1), ask(2)])
    pairs = Query(lambda *cells: cells, select(ASKS.c.order_id, ASKS.c.requested_at))
    assert pairs.all(connection) == [(1, NOON), (2, NOON)]
    assert (
        Query(int, select(ASKS.c.number).where(ASKS.c.order_id == given("order"))).first(connection, order=9)
        is None
    )


def test_an_unknown_word_stays_the_text_it_is_and_is_written_as_it_was(connection: Connection) -> None:
    ASKS.insert(connection, [ask(1), ask(2)])
    connection.exec_driver_sql("UPDATE request SET state = 'PERHAPS' WHERE order_id = 1")
    found = OF_ORDERS.all(connection, orders=[1, 2])
    assert [one.state for one in found] == ["PERHAPS", RequestState.REQUESTED]
    assert ASKS.save(connection, found, "state") == 2
    assert OF_ORDERS.all(connection, orders=[1])[0].state == "PERHAPS"


def test_a_value_that_is_not_named_is_refused(connection: Connection) -> None:
    with pytest.raises(KeyError, match="orders"):
        OF_ORDERS.all(connection)


async def test_readers_of_the_event_loop_read_the_same_rows(connection: Connection, tmp_path) -> None:
    ASKS.insert(connection, [ask(4)])
    engine = create_async_engine(sqlite_url(tmp_path / "desk.db", "sqlite+aiosqlite"))
    async with engine.connect() as reader:
        assert await OF_ORDERS.read(reader, orders=[4]) == [ask(4)]
    await engine.dispose()


def test_days_and_moments_keep_their_kind(connection: Connection) -> None:
    @dataclass(slots=True)
    class Trade:
        id: int
        client_id: int
        order_id: int
        exchange: str
        trading_date: date
        trade_id: str
        broker_order_id: str
        quantity: int
        traded_at: datetime
        booked_at: datetime

    trades = Rows(FillRecord, Trade)
    trade = Trade(1, 1, 1, "NSE", NOON.date(), "7", "A", 5, NOON, NOON)
    trades.insert(connection, [trade])
    assert trades.query().all(connection) == [trade]


@dataclass(slots=True)
class Line:
    txn_id: int
    line: int
    client_id: int
    account: str
    amount_paise: int
    security: str


def test_rows_share_the_text_of_a_column_that_holds_few(connection):
    lines = Rows(Posting, Line)
    isin = "INE002A01018"
    lines.insert(connection, [Line(1, 1, 8, "free", -5, isin), Line(1, 2, 8, "stock_cost", 5, isin)])
    first, second = lines.query().all(connection)
    assert first.security == isin
    assert first.security is second.security


def test_what_was_not_run_yet_is_compiled_ahead_and_once(connection: Connection) -> None:
    list(compile_ahead(connection.dialect))
    late, run = (ASKS.query(ASKS.c.number == given("number")) for _ in range(2))
    run.all(connection, number=1)
    assert len(list(compile_ahead(connection.dialect))) == 1, "but for what was run meanwhile"
    assert late.all(connection, number=1) == []
    assert not list(compile_ahead(connection.dialect))
