"""The book takes orders as they were written, and they are what a read of their rows yields."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from data.records import replace
from data.repositories.trading.orders import CLAIMING, take_over
from data.store import Unit
from data.tables.books import Client
from data.tables.market import FormerName
from data.vocabulary import OrderType, Policy, Product, Side, Validity
from data.writing.changes import Touched
from engine.book.reading import read_touched
from engine.book.views import OrderView
from engine.booking.order import WorkingOrder
from engine.booking.states import Flag, OrderEvent, born
from engine.booking.stored import ORDERS
from tests.data.test_noted import Undone, together
from tests.data.test_store import opened

DAY = date(2026, 11, 18)
DOES = ("claim", "trade", "flag", "end", "ask", "take_over", "touch", "odd_word")
STEPS = st.tuples(st.sampled_from(DOES), st.integers(1, 3))
UNITS = st.tuples(st.lists(STEPS, min_size=1, max_size=5), st.booleans())
BATCHES = st.lists(st.lists(UNITS, min_size=1, max_size=4), min_size=1, max_size=4)


def new_order(order_id: int, unit: Unit) -> WorkingOrder:
    """An order that nobody has sent yet; the second is of a security that has another name now."""
    return WorkingOrder(
        id=order_id,
        client_id=1,
        run_number=None,
        plan_number=None,
        broker="zerodha",
        exchange="NSE",
        tradingsymbol="OLD" if order_id == 2 else "TCS",
        security="INE1" if order_id == 2 else "INE2",
        side=Side.BUY,
        product=Product.CNC,
        order_type=OrderType.LIMIT,
        validity=Validity.DAY,
        quantity=10,
        limit_paise=100_00,
        trigger_paise=None,
        reserve_price_paise=100_00,
        margin_bps=10_000,
        policy=Policy.EXACT,
        state=born(),
        instance_id=1,
        trading_date=DAY,
        created_at=unit.now,
        updated_at=unit.now,
    )


def step(unit: Unit, what: str, order_id: int) -> None:
    """Do one thing to an order; one that is not there is put there."""
    found = ORDERS.by_id(unit, [order_id])
    unit.touched.orders.add(order_id)
    if not found:
        ORDERS.insert(unit, [new_order(order_id, unit)])
        return
    (order,) = found
    was = order.state
    order.now = unit.now + timedelta(microseconds=1)
    match what:
        case "claim" if order.state is born():
            order.claim(f"tag{order_id}")
            ORDERS.save(unit, [order], was, CLAIMING)
        case "trade":
            order.count(1, 99_95, 12)
        case "flag":
            order.flag(Flag.ANOMALY)
        case "end" if order.state is born():
            order.apply(OrderEvent.FREE)
        case "ask":
            order.asked_quantity = 5
        case "take_over":
            take_over(unit, [order_id], order.instance_id + 1)
        case "odd_word":
            order.validity = "ODD"  # type: ignore[assignment]
            own: Any = unit.connection.connection.driver_connection
            own.execute("UPDATE orders SET validity = 'ODD' WHERE id = ?", (order_id,))
        case _:
            pass
    if what in ("trade", "flag", "end", "ask", "odd_word"):
        ORDERS.save(unit, [order], was)


def assert_at_hand_as_stored(unit: Unit) -> set[int]:
    """What units before this one left at hand is what stands; returns which orders those are."""
    at_hand = unit.at_hand.of("orders")
    stored = ORDERS.by_id(Unit(unit.connection, unit.now), at_hand)
    assert [_cells(order) for order in stored] == [_cells(order) for _, order in sorted(at_hand.items())]
    return set(at_hand)


def _cells(order: WorkingOrder) -> list[object]:
    values = [(f.name, getattr(order, f.name)) for f in fields(order) if f.init]
    return [value.text() if name == "flags" else value for name, value in values]


def changing(steps: list[tuple[str, int]], fails: bool) -> Callable[[Unit], None]:
    """A unit that takes these steps, and may fail after them."""

    def unit_of_work(unit: Unit) -> None:
        assert_at_hand_as_stored(unit)
        for what, order_id in steps:
            step(unit, what, order_id)
        if fails:
            raise Undone

    return unit_of_work


def lay(unit: Unit) -> None:
    """The client of the orders, and a security that is called otherwise now."""
    client = {"id": 1, "code": "ONE", "name": "One", "broker": "zerodha", "broker_user_id": "ZX1"}
    stamps = {"created_at": unit.now, "updated_at": unit.now}
    unit.insert(Client, [client | {"status": "ACTIVE", "session": "NONE"} | stamps])
    renamed = {"exchange": "NSE", "tradingsymbol": "OLD", "security": "INE1", "now": "NEW"}
    unit.insert(FormerName, [renamed | {"token": 1, "at": unit.now}])


@pytest.mark.proof
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=cast("list[HealthCheck]", list(HealthCheck)),
)
@given(batches=BATCHES)
def test_orders_as_written_are_what_a_read_yields_however_units_of_a_batch_end(
    batches: list[list[tuple[list[tuple[str, int]], bool]]],
) -> None:
    told: list[tuple[dict[int, OrderView], dict[int, OrderView]]] = []

    def projector(connection: Connection, touched: Touched) -> object:
        def orders(of: Touched) -> dict[int, OrderView]:
            return read_touched(connection, of, DAY, lambda *_: None).orders  # type: ignore[arg-type,return-value]

        told.append((orders(touched), orders(replace(touched, written={}))))
        return None

    async def run(home: Path) -> None:
        async with opened(home / "desk.db", projector) as store:
            await store.write(lay)
            for batch in batches:
                done = await together(store, [changing(steps, fails) for steps, fails in batch])
                assert [type(one) for one in done] == [Undone if fails else type(None) for _, fails in batch]

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))
    by_number = [(sorted(made.items()), sorted(read.items())) for made, read in told]
    assert all(made == read and repr(made) == repr(read) for made, read in by_number)


@pytest.mark.in_file  # what is at hand is known beyond a batch by the number of a file's commits alone
async def test_an_order_at_hand_is_read_again_once_anything_else_has_changed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "desk.db"
    monkeypatch.setattr("data.store.POLL_S", 60.0)  # a writer that has nothing to do forgets

    def put(unit: Unit) -> None:
        ORDERS.insert(unit, [new_order(number, unit) for number in (1, 2, 3)])

    def by_a_statement_of_its_own(unit: Unit) -> None:
        assert assert_at_hand_as_stored(unit) == {1, 2, 3}
        own: Any = unit.connection.connection.driver_connection
        own.execute("UPDATE orders SET quantity = 11 WHERE id = 1")

    def for_nothing(unit: Unit) -> None:
        assert assert_at_hand_as_stored(unit) == {2, 3}
        ORDERS.by_id(unit, [2])[0].quantity = 12

    def then(unit: Unit) -> None:
        assert assert_at_hand_as_stored(unit) == {3}
        assert [order.quantity for order in ORDERS.by_id(unit, [1, 2, 3])] == [11, 10, 10]
        ORDERS.save(unit, ORDERS.by_id(unit, [1, 2, 3]), born())

    def nothing_at_hand(unit: Unit) -> list[int]:
        assert assert_at_hand_as_stored(unit) == set()
        return [order.quantity for order in ORDERS.by_id(unit, [1, 2, 3])]

    def fails(unit: Unit) -> None:
        ORDERS.save(unit, ORDERS.by_id(unit, [3]), born())
        raise Undone

    async with opened(path, lambda *_: None) as store:
        await store.write(lay)
        for unit in (put, by_a_statement_of_its_own, for_nothing, then):
            await store.write(unit)
        with closing(sqlite3.connect(path)) as other:
            other.execute("UPDATE orders SET quantity = 13 WHERE id = 3")
            other.commit()
        assert await store.write(nothing_at_hand) == [11, 10, 13]
        done = await together(store, [fails, nothing_at_hand])
        assert done[1] == [11, 10, 13]
