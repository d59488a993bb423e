"""Files that fail under a desk: full, read-only, held by another, torn; and a broker whose clock is off.

Whatever happens, nothing is half-written, cancels still go out, and the books are sound afterwards.
"""

import asyncio
import shutil
import sqlite3
import sys
from collections import Counter
from contextlib import asynccontextmanager, closing

import pytest
from sqlalchemy import event

from brokers.contract import BrokerStatus
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.faults.broker import FaultyBroker
from brokers.simulators.faults.menu import Faults
from data.audit import AuditAction
from data.clock import ManualClock
from data.errors import StoreBusy
from data.reference.phases import load_calendar
from data.store import StoreUnwritable
from data.vocabulary import ClientStatus, OrderState, RunCount, SizingKind
from engine.halt.booked import FILE_ONLY
from engine.refusals import TradingStopped
from engine.review.boot import boot_problem
from tests.books import empty_books
from tests.desks import (
    MISSION_PINS,
    START,
    WAITS,
    Wire,
    books_are_sound,
    buy,
    carry_out,
    disk,
    filed_desk,
    manual_clock,
    paper_desk,
    until,
)
from tests.further import further
from tests.refusing import refuses
from tradedesk.compose.brokers.paper import exchange_of, prepare_demo
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

ROHAN, PRIYA, AMIT = 8, 15, 22
LOW = 2300_00


def resting(*clients, **named):
    return buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, *clients, limit_paise=LOW, **named)


def stored(path):
    """Everything in a database, as another process reads it."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


# --- a full disk --------------------------------------------------------------------------------------------


async def test_fills_and_cancels_that_meet_a_full_disk_are_booked_once_when_there_is_room(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, resting())
        wire = Wire(desk)
        orders = [order.id for order in desk.orders.all(live=True)]
        unwanted = orders[::2]
        await disk(desk, full=True)
        with pytest.raises(StoreUnwritable, match=f"took {len(unwanted)} cancels all the same"):
            await desk.orders.cancel(unwanted)
        assert len(wire.cancelled) == len(unwanted)
        exchange_of(desk).pin("RELIANCE", LOW - 100, LOW)  # the others trade while nothing can be written
        await manual_clock(desk).advance(3)
        await books_are_sound(desk)
        await disk(desk, full=False)
        await until(desk, lambda: desk.counts().live == 0)
        assert desk.trading_disabled is None
        states = Counter(desk.orders.get(order_id).state for order_id in orders)
        assert states == {
            OrderState.CANCELLED: len(unwanted),
            OrderState.FILLED: len(orders) - len(unwanted),
        }
        assert {desk.orders.get(order_id).state for order_id in unwanted} == {OrderState.CANCELLED}
        assert len(await fills(desk)) == len(orders) - len(unwanted)
        await books_are_sound(desk)


async def fills(desk):
    async with seam(desk).store.reader() as connection:
        return (await connection.exec_driver_sql("SELECT order_id, trade_id FROM fill")).all()


# --- a database that turns read-only ------------------------------------------------------------------------


async def read_only(desk):
    """Let SQLite refuse every write from the next transaction on; returns what lets it write again."""
    refused = asyncio.Event()
    refused.set()

    def begin(connection, cursor, statement, *rest):
        if statement == "BEGIN IMMEDIATE":
            cursor.execute(f"PRAGMA query_only = {'ON' if refused.is_set() else 'OFF'}")

    def unit_of_work(unit):
        event.listen(unit.connection.engine, "before_cursor_execute", begin)

    await seam(desk).store.write(unit_of_work)
    return refused.clear


@pytest.mark.in_file
async def test_a_database_that_turns_read_only_keeps_what_it_has_and_holds_no_cancel(tmp_path):
    async with paper_desk(tmp_path) as desk:
        funds = desk.funds.all()
        await carry_out(desk, resting())
        total = desk.counts().live
        assert total > 40
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        wire = Wire(desk)
        writable_again = await read_only(desk)
        before = stored(tmp_path / "desk.db")

        with refuses(TradingStopped, "can only be read: .*; cancels still go"):
            await desk.runs.start(plan, plan.digest)
        with pytest.raises(StoreUnwritable, match="can only be read"):
            await desk.clients.set_status(ROHAN, ClientStatus.INACTIVE, "asked us to")
        with pytest.raises(StoreUnwritable, match=f"took {total} cancels all the same"):
            await desk.halt.fire("tester")
        await manual_clock(desk).advance(3)
        assert desk.trading_disabled
        assert (len(wire.placed), len(wire.cancelled)) == (0, total)
        assert stored(tmp_path / "desk.db") == before
        await books_are_sound_but_for_the_halt(desk)

        writable_again()
        await until(desk, lambda: desk.counts().live == 0 and desk.trading_disabled is None)
        assert desk.funds.all() == funds
        await desk.halt.resume(FILE_ONLY, "resume", "tester")
        await books_are_sound(desk)
        _, run = await carry_out(desk, plan.intent)
        assert run.counts[RunCount.FILLED] > 40
        await books_are_sound(desk)


async def books_are_sound_but_for_the_halt(desk):
    """Only the halt that could not be written is told as a fault."""
    assert {check.name for check in await desk.doctor.run() if not check.ok} == {"halts"}


# --- another process that holds the write lock --------------------------------------------------------------

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT INTO meta VALUES ('held', 'never committed')")
print("held", flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def held_elsewhere(path):
    """Another process in the middle of a transaction; it is killed at the end."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(path), stdin=pipe, stdout=pipe
    )
    assert child.stdout is not None
    try:
        assert await asyncio.wait_for(child.stdout.readline(), 30) == b"held\n"
        yield
    finally:
        child.kill()
        await child.wait()


@pytest.mark.in_file
async def test_a_lock_held_for_longer_than_the_wait_stops_orders_and_no_cancel(tmp_path, monkeypatch):
    async with paper_desk(tmp_path) as desk:
        funds = desk.funds.all()
        await carry_out(desk, resting())
        total = desk.counts().live
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        wire = Wire(desk)
        before = stored(tmp_path / "desk.db")
        monkeypatch.setattr("data.writing.writer.LOCK_WAIT_S", 0.05)
        async with held_elsewhere(tmp_path / "desk.db"):
            with refuses(TradingStopped, "another process"):
                await desk.runs.start(plan, plan.digest)
            with pytest.raises(StoreBusy, match=f"took {total} cancels all the same"):
                await desk.orders.cancel([order.id for order in desk.orders.all()])
            await manual_clock(desk).advance(3)
            assert (len(wire.placed), len(wire.cancelled)) == (0, total)
            assert stored(tmp_path / "desk.db") == before
            await books_are_sound(desk)
        await until(desk, lambda: desk.counts().live == 0)
        assert desk.funds.all() == funds
        assert not any("never committed" in line for line in stored(tmp_path / "desk.db"))
        run = await desk.runs.start(plan, plan.digest)  # the refused start left nothing behind
        await until(
            desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == run.counts[RunCount.TOTAL]
        )
        assert len(wire.placed) == run.counts[RunCount.TOTAL] > 40
        await books_are_sound(desk)


# --- a torn end of the write-ahead log ----------------------------------------------------------------------


def frames(wal):
    """Where the frames of a write-ahead log begin, and which of them end a transaction; and their size."""
    size, salt, at = 24 + int.from_bytes(wal[8:12], "big"), wal[16:24], 32
    found = []
    while at + size <= len(wal) and wal[at + 8 : at + 16] == salt:
        found.append((at, any(wal[at + 4 : at + 8])))
        at += size
    return found, size


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]


TORN = {
    "the last page is half there": lambda wal, last, size: wal[: last + size // 2],
    "the last frame's head is half there": lambda wal, last, size: wal[: last + 10],
    "a bit of the last page is off": lambda wal, last, size: flipped(wal, last + size // 2),
    "a bit of its checksum is off": lambda wal, last, size: flipped(wal, last + 20),
    "its room is there, its bytes are not": lambda wal, last, size: wal[:last] + bytes(2 * size),
}


async def told_rows(desk):
    """The rows of the audit, without those of alerts and the like, which come at times of their own."""
    return [row.hash for row in await desk.audit.rows(1000) if row.action != AuditAction.ROWS_CHANGED]


@pytest.mark.in_file
@pytest.mark.parametrize("tear", further(TORN, 2))
async def test_a_torn_end_of_the_log_loses_the_torn_commit_and_nothing_before_it(tmp_path, tear):
    live, copy = tmp_path / "live", tmp_path / "copy"
    copy.mkdir()
    async with paper_desk(live) as desk:
        for client in (ROHAN, PRIYA):
            await desk.clients.set_status(client, ClientStatus.INACTIVE, "asked us to")
        wal = (live / "desk.db-wal").read_bytes()
        shutil.copy(live / "desk.db", copy)
        told = await told_rows(desk)
    found, size = frames(wal)
    assert found[-1][1]
    assert len(found) < 900  # far from a checkpoint, after which the log could be lost without harm
    (copy / "desk.db-wal").write_bytes(TORN[tear](wal, found[-1][0], size))
    async with paper_desk(copy, demo=False) as desk:
        assert await boot_problem(seam(desk).store, desk.audit, desk.clock) == ""
        assert (await desk.audit.verify()).ok
        assert await told_rows(desk) == told[:-1]
        statuses = [desk.clients.get(client).status for client in (ROHAN, PRIYA)]
        assert statuses == [ClientStatus.INACTIVE, ClientStatus.ACTIVE]
        await books_are_sound(desk)
        await desk.clients.set_status(PRIYA, ClientStatus.INACTIVE, "asked us again")
        await books_are_sound(desk)


@pytest.mark.in_file
async def test_fills_lost_with_the_end_of_the_log_are_booked_again_from_the_broker(tmp_path):
    live, copy = tmp_path / "live", tmp_path / "copy"
    copy.mkdir()
    clock = ManualClock(START)
    async with filed_desk(live, clock) as desk:
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, ROHAN, PRIYA, AMIT))
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == 3)
        await desk.settle()
        funds, holdings = desk.funds.all(), desk.holdings.all()
        wal = (live / "desk.db-wal").read_bytes()
        shutil.copy(live / "desk.db", tmp_path / "desk.db")
        with (
            closing(sqlite3.connect(live / "paper.db")) as exchange,
            closing(sqlite3.connect(copy / "paper.db")) as target,
        ):
            exchange.backup(target)
    found, size = frames(wal)
    states = set[str]()
    for at in reversed([at for at, ends in found if ends]):
        shutil.copy(tmp_path / "desk.db", copy)
        (copy / "desk.db-wal").write_bytes(wal[: at + size // 2])
        with closing(sqlite3.connect(copy / "desk.db")) as connection:
            (booked,) = connection.execute("SELECT count(*) FROM fill").fetchone()
            states = {row[0] for row in connection.execute("SELECT state FROM orders")}
        if not booked:
            break
    assert states <= {"SENDING", "OPEN"}
    assert states
    async with filed_desk(copy, ManualClock(clock.now()), seed=8) as desk:
        wire = Wire(desk)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == 3)
        assert (wire.placed, len(set(await fills(desk)))) == ([], len(await fills(desk)))
        assert (desk.funds.all(), desk.holdings.all()) == (funds, holdings)
        assert all(order.flags == () for order in desk.orders.all())
        await books_are_sound(desk)


# --- a broker whose clock is off ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", further(range(3)))
async def test_stamps_two_seconds_off_either_way_change_no_end_and_raise_no_alarm(tmp_path, seed):
    clock = ManualClock(START)
    exchange = PaperExchange(None, clock, load_calendar())
    faults = Faults(clock_skew_s=2.0, reorder_update=0.3, duplicate_update=0.3, seed=seed)
    async with compose_desk(
        empty_books(tmp_path),
        clock=clock,
        settings=Settings(trader="tester"),
        waits=WAITS,
        exchange=exchange,
        latency=(0.0, 0.0),
        seed=7,
        faults=faults,
    ) as desk:
        await prepare_demo(desk)
        for symbol, (last, previous) in MISSION_PINS.items():
            exchange.pin(symbol, last, previous)
        for intent in (buy("TCS", SizingKind.FIXED_QUANTITY, 1), resting()):
            plan = await desk.plans.freeze(intent)
            run = await desk.runs.start(plan, plan.digest)
            await until(desk, lambda run=run: desk.runs.get(run.number).settled)
        waiting = [order.id for order in desk.orders.all(live=True)]
        assert len(waiting) > 40
        await desk.orders.cancel(waiting[::2])
        await until(desk, lambda: desk.counts().live == len(waiting[1::2]))
        exchange.pin("RELIANCE", LOW - 100, LOW)
        await until(desk, lambda: desk.counts().live == 0)
        await manual_clock(desk).advance(
            15
        )  # books are read again, with stamps older and newer than those booked
        broker = desk.connections.feed.broker
        assert isinstance(broker, FaultyBroker)
        assert broker.struck["clock_skew_s"] > 80
        ends = {BrokerStatus.COMPLETE: OrderState.FILLED, BrokerStatus.CANCELLED: OrderState.CANCELLED}
        for order in desk.orders.all():
            _, account = desk.connections.broker_of(order.client_id)
            truth = {row.broker_order_id: row for row in await broker.inner.orders(account)}
            told = truth[order.broker_order_id or ""]
            assert (order.state, order.filled_quantity) == (ends[told.status], told.filled_quantity)
            assert order.flags == ()
        cancelled = {order.id for order in desk.orders.all() if order.state is OrderState.CANCELLED}
        assert cancelled == set(waiting[::2])
        await books_are_sound(desk)
