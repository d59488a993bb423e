"""The store: one commit for many units, trouble that is told and gets over, two on one file."""

import asyncio
import queue
import sqlite3
import threading
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import cast

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from data.audit import AuditAction, AuditEntry
from data.clock import ManualClock
from data.errors import StoreBusy, StoreFailed
from data.proving.stored_audit import stored_rows
from data.proving.verifying import verify
from data.store import Store, StoreClosed, StoreError, StoreUnread, StoreUnwritable
from data.tables.audit import Audit
from data.tables.books import Meta
from data.tables.columns import table
from data.writing.audit_writer import kept_heads
from tests.books import database_of, empty_books

pytestmark = pytest.mark.both

NOW = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)

TEST = cast("AuditAction", "TEST")
"""An action that no tradedesk takes."""


@asynccontextmanager
async def opened(path, projector=None, deliver=None):
    empty_books(path.parent)
    store = Store(path, ManualClock(NOW), database=database_of(path.parent))
    if projector or deliver:
        store.project(projector or (lambda connection, touched: touched), deliver or (lambda *told: None))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def put(name, fail=None, audit=True):
    """A unit that writes one fact and its audit row, and may fail after that."""

    def unit_of_work(unit):
        unit.connection.execute(insert(table(Meta)), {"name": name, "value": "x"})
        if audit:
            unit.audit(AuditEntry(TEST, "tester", details={"name": name}))
        unit.touched.clients.add(1)
        if fail is not None:
            raise fail
        return name

    return unit_of_work


async def names(store):
    async with store.reader() as connection:
        return set((await connection.execute(select(table(Meta).c.name))).scalars())


async def chain_of(store):
    async with store.reader() as connection:
        return await connection.run_sync(lambda sync: verify(stored_rows(sync), kept_heads(sync)))


@asynccontextmanager
async def writer_busy(store):
    """Hold the writer inside a unit, so that what comes in meanwhile is one batch."""
    entered, go = threading.Event(), threading.Event()

    def hold(unit):
        entered.set()
        assert go.wait(10)

    holding = asyncio.create_task(store.write(hold))
    await asyncio.to_thread(entered.wait, 10)
    try:
        yield
    finally:
        go.set()
        await holding


async def test_units_that_wait_share_a_commit_and_fail_alone(tmp_path):
    async with opened(tmp_path / "desk.db") as store:
        async with writer_busy(store):
            units = (
                put("first"),
                put("second", ValueError("no")),
                put("third", StopIteration()),
                put("first"),
                put("last"),
            )
            callers = [asyncio.create_task(store.write(unit)) for unit in units]
            cancelled = asyncio.create_task(store.write(put("orphan")))
            await ManualClock(NOW).sleep(0)
            cancelled.cancel()
            before = store.commits
            assert not any(caller.done() for caller in callers)
        results = await asyncio.gather(*callers, return_exceptions=True)
        assert store.commits == before + 2
        assert (results[0], results[4]) == ("first", "last")
        assert [type(result) for result in results[1:4]] == [ValueError, StoreError, IntegrityError]
        assert await names(store) == {"first", "last", "orphan"}
        report = await chain_of(store)
        assert (report.ok, report.rows) == (True, 3)


@pytest.mark.in_file
async def test_callers_resume_after_the_commit_with_what_was_read_back(tmp_path):
    seen = []
    committed = []

    def deliver(projection, events, foreign):
        with sqlite3.connect(tmp_path / "desk.db") as other:
            committed.append(other.execute("SELECT count(*) FROM meta").fetchone()[0])
        seen.append((projection.clients, list(events), foreign))

    async with opened(tmp_path / "desk.db", deliver=deliver) as store:
        unit = put("one")
        await store.write(lambda u: (unit(u), u.publish("told")))
        assert seen == [({1}, ["told"], False)]
        assert committed == [1]


@pytest.mark.parametrize("where", ["projector", "deliver"])
async def test_what_cannot_be_read_back_or_told_fails_its_callers_and_heals(tmp_path, where):
    broken = [True]
    told = []

    def projector(connection, touched):
        if where == "projector" and broken[0]:
            raise RuntimeError("no")
        return touched

    def deliver(projection, events, foreign):
        if where == "deliver" and broken[0]:
            raise RuntimeError("no")
        told.append(projection.everything)

    async with opened(tmp_path / "desk.db", projector, deliver) as store:
        with pytest.raises(StoreUnread, match="it was kept"):
            await asyncio.wait_for(store.write(put("one")), 10)
        broken[0] = False
        await store.write(put("two"))
        assert told[0] is True  # everything, since what the first changed is not known
        assert await names(store) == {"one", "two"}


async def test_a_writer_that_ends_fails_its_callers_and_refuses_more(tmp_path, monkeypatch):
    async with opened(tmp_path / "desk.db") as store:
        async with writer_busy(store):
            waiting = asyncio.create_task(store.write(put("one")))
            await ManualClock(NOW).sleep(0)

            def broken(*given):
                raise MemoryError

            monkeypatch.setattr("data.writing.writer.Writer.write", broken)
        with pytest.raises(StoreClosed, match="writer has ended"):
            await asyncio.wait_for(waiting, 10)
        with pytest.raises(StoreClosed, match="writer has ended"):
            await store.write(put("two"))
    with pytest.raises(StoreClosed):
        await store.write(put("three"))


@pytest.mark.in_file
async def test_a_missing_file_is_told_and_hangs_nobody(tmp_path):
    store = Store(tmp_path / "nowhere" / "desk.db", ManualClock(NOW))
    await store.open()
    with pytest.raises(StoreClosed, match="unable to open"):
        await asyncio.wait_for(store.write(put("one")), 10)
    await store.close()


@pytest.mark.in_file
async def test_a_full_disk_is_trouble_until_there_is_room(tmp_path):
    async with opened(tmp_path / "desk.db") as store:
        await store.write(put("before"))
        await store.write(_pages(None))
        big = "x" * 200_000
        results = await asyncio.gather(
            store.write(put(big)), store.write(put("beside")), return_exceptions=True
        )
        assert [type(result) for result in results] == [StoreUnwritable, StoreUnwritable]
        assert store.trouble is not None
        assert "full" in store.trouble
        assert await names(store) == {"before"}
        await store.write(_pages(1_000_000))
        await store.write(put(big))
        assert store.trouble is None
        assert (await chain_of(store)).rows == 2


def _pages(limit):
    def unit_of_work(unit):
        pages = unit.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        limit_now = pages if limit is None else limit
        unit.connection.exec_driver_sql(f"PRAGMA max_page_count = {limit_now}")

    return unit_of_work


async def test_a_commit_that_fails_fails_all_and_forgets_nothing(tmp_path):
    async with opened(tmp_path / "desk.db") as store, opened(tmp_path / "desk.db") as other:
        await store.write(put("one"))

        def failing(unit):
            put("two")(unit)

            def refuse(connection, cursor, statement, *rest):
                if statement == "COMMIT":
                    event.remove(unit.connection.engine, "before_cursor_execute", refuse)
                    raise RuntimeError("power")

            event.listen(unit.connection.engine, "before_cursor_execute", refuse)

        results = await asyncio.gather(
            store.write(failing), store.write(put("three")), return_exceptions=True
        )
        assert [type(result) for result in results] == [StoreError, StoreError]
        await other.write(put("four"))
        await store.write(put("five"))
        assert await names(store) == {"one", "four", "five"}
        report = await chain_of(store)
        assert (report.ok, report.rows) == (True, 3)


async def test_two_on_one_file_see_each_others_changes(tmp_path):
    heard = queue.SimpleQueue()
    wake = asyncio.Event()

    def deliver(projection, events, foreign):
        heard.put((foreign, projection.clients))
        wake.set()

    path = tmp_path / "desk.db"
    async with opened(path, deliver=deliver) as one, opened(path) as two:

        def elsewhere(unit):
            put("far")(unit)
            unit.audit(AuditEntry(TEST, "tester"))
            unit.touched.clients.add(42)

        await one.write(put("near"))  # its writer is at work: what comes now is another's change
        assert heard.get_nowait() == (False, {1})
        wake.clear()
        await two.write(elsewhere)
        await asyncio.wait_for(wake.wait(), 10)
        assert heard.get_nowait() == (True, {1, 42})
        # Between them, in turn and at once: nothing is lost, and one chain holds both.
        both = [store.write(put(f"{i} {id(store)}")) for i in range(100) for store in (one, two)]
        await asyncio.gather(*both)
        report = await chain_of(one)
        assert (report.ok, report.rows) == (True, 203)


@pytest.mark.in_file
async def test_a_writer_waits_for_anothers_lock_and_says_when_it_was_too_long(tmp_path, monkeypatch):
    async with opened(tmp_path / "desk.db") as store:
        other = sqlite3.connect(tmp_path / "desk.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(store.write(put("one")))
        done, _ = await asyncio.wait({waiting}, timeout=0.05)
        assert not done
        other.execute("COMMIT")
        assert await waiting == "one"
        monkeypatch.setattr("data.writing.writer.LOCK_WAIT_S", 0.01)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="another process"):
            await store.write(put("two"))
        other.close()
        assert await store.write(put("three")) == "three"


async def test_numbers_are_given_out_once_between_two(tmp_path):
    path = tmp_path / "desk.db"
    async with opened(path) as one, opened(path) as two:
        taken = await asyncio.gather(
            *(
                store.write(lambda unit: (list(unit.take_ids("order", 3)), list(unit.take_ids("run", 3))))
                for _ in range(20)
                for store in (one, two)
            )
        )
        orders, runs = (
            sorted(number for numbers in kind for number in numbers) for kind in zip(*taken, strict=True)
        )
        assert runs == list(range(1, 121))
        assert (len(set(orders)), orders[0]) == (120, 1)
        assert (orders[-1] > 1_000) == one.on_server, "each takes a block of its own where many write"
        assert one.on_server or orders[-1] == 120


async def test_readers_cannot_write_and_the_audit_cannot_be_changed(tmp_path):
    async with opened(tmp_path / "desk.db") as store:
        await store.write(put("one"))
        async with store.reader() as connection:
            with pytest.raises(DBAPIError, match=r"read-?only"):
                await connection.execute(insert(table(Meta)), {"name": "two", "value": "x"})
        for name, change in (("audit", "actor = 'x'"), ("proof_layout", "number = 9")):
            for statement in (f"UPDATE {name} SET {change}", f"DELETE FROM {name}"):
                with pytest.raises(IntegrityError, match=f"{name} is append-only"):
                    await store.write(lambda unit, s=statement: unit.connection.execute(text(s)))
        async with store.reader() as connection:
            assert (await connection.execute(select(table(Audit).c.actor))).scalars().all() == ["tester"]


@pytest.mark.in_file
async def test_what_the_database_could_not_do_is_told_apart_from_what_a_unit_did_wrong(tmp_path):
    def asks_what_is_not_there(unit):
        unit.insert(Meta, [{"name": "kept by nobody", "value": "x"}])
        unit.connection.execute(text("SELECT * FROM nowhere"))

    async with opened(tmp_path / "desk.db") as store:
        await store.write(put("first"))
        results = await asyncio.gather(
            store.write(asks_what_is_not_there),
            store.write(put("first")),
            store.write(put("second")),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [StoreFailed, IntegrityError, str]
        assert "no such table" in str(results[0])
        assert await names(store) == {"first", "second"}
