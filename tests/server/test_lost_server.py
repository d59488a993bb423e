"""A server that is killed, frozen or cut off in the middle of work: what is told is what was kept."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert

from data.audit import AuditEntry
from data.clock import ManualClock
from data.engines.driver import fetch
from data.engines.postgres import PostgresBooks
from data.errors import StoreUnsure, StoreUnwritable
from data.proving.stored_audit import stored_rows
from data.proving.verifying import verify
from data.store import Store, Unit
from data.tables.books import Meta
from data.tables.columns import table
from data.writing.audit_writer import kept_heads
from tests.data.test_store import NOW, TEST
from tests.server.own_server import Cut, CutLine, OwnServer, cut_line, own_server


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with own_server() as one:
        yield one


@pytest.fixture
def line(server: OwnServer) -> Iterator[CutLine]:
    with cut_line(server) as one:
        yield one


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Store]:
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def store_at(tmp_path: Path, line: CutLine) -> Store:
    return Store(tmp_path / "desk.db", ManualClock(NOW), database=PostgresBooks(line.url))


def put(name: str, audited: bool = True) -> Callable[[Unit], str]:
    def unit_of_work(unit: Unit) -> str:
        unit.connection.execute(insert(table(Meta)), {"name": name, "value": "x"})
        if audited:
            unit.audit(AuditEntry(TEST, "tester", details={"name": name}))
        unit.touched.clients.add(1)
        return name

    return unit_of_work


def names(server: OwnServer) -> list[str]:
    return [
        name for (name,) in PostgresBooks(server.books).read(lambda one: fetch(one, "SELECT name FROM meta"))
    ]


def chain_is_whole(server: OwnServer) -> bool:
    return PostgresBooks(server.books).read(lambda one: verify(stored_rows(one), kept_heads(one))).ok


@pytest.mark.parametrize("where", [Cut.BEFORE, Cut.AFTER, None])
async def test_a_commit_that_is_not_answered_is_asked_for(
    tmp_path: Path, server: OwnServer, line: CutLine, where: Cut | None
) -> None:
    """Kept or not, its caller hears the truth, and it is done once."""
    async with opened(store_at(tmp_path, line)) as store:
        for number in range(8):  # the driver sends what it has sent often otherwise
            line.cut = where
            assert await store.write(put(f"{where} {number}")) == f"{where} {number}"
        found = [name for name in names(server) if name.startswith(str(where))]
        assert len(found) == len(set(found)) == 8
        assert chain_is_whole(server)
        assert line.cuts == (0 if where is None else 8)
        assert store.trouble is None


async def test_a_server_that_stays_away_is_told_and_looked_at_once_it_answers(
    tmp_path: Path, server: OwnServer, line: CutLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.writing.writer.LOCK_WAIT_S", 0.2)
    delivered: list[object] = []
    store = store_at(tmp_path, line)
    store.project(lambda connection, touched: touched.clients, lambda *told: delivered.append(told[0]))
    async with opened(store):
        await store.write(put("before"))
        delivered.clear()
        line.cut, line.then = Cut.AFTER, server.kill
        with pytest.raises(StoreUnsure, match="before it said whether this was kept"):
            await store.write(put("unsure"))
        assert "does not answer" in str(store.trouble)
        assert "not known yet" in str(store.trouble)
        with pytest.raises(StoreUnwritable, match="does not answer"):
            await store.write(put("meanwhile"))
        assert delivered == []
        server.start()
        await store.write(put("after"))
        assert store.trouble is None
        assert {"before", "unsure", "after"} & set(names(server)) == {"before", "unsure", "after"}
        assert "meanwhile" not in names(server)
        assert delivered == [{1}, {1}], "what was kept is told, late"
        assert chain_is_whole(server)


async def test_a_server_that_is_frozen_is_given_up_after_a_while(
    tmp_path: Path, server: OwnServer, line: CutLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was frozen in is rolled back as it thaws, and done again."""
    monkeypatch.setattr("data.engines.postgres.ANSWER_S", 0.8)
    monkeypatch.setattr("data.engines.postgres._ENDED_S", 0.3)

    def freezing(unit: Unit) -> None:
        if not frozen:
            frozen.append(True)
            server.freeze()
        put("frozen")(unit)

    frozen: list[bool] = []
    async with opened(store_at(tmp_path, line)) as store:
        writing = asyncio.ensure_future(store.write(freezing))
        done, _ = await asyncio.wait({writing}, timeout=1.0)
        assert not done
        server.thaw()
        await writing
        assert names(server).count("frozen") == 1
        assert chain_is_whole(server)


async def test_a_writer_that_idles_in_its_turn_loses_it_and_does_it_again(
    tmp_path: Path, server: OwnServer, line: CutLine
) -> None:
    idled: list[bool] = []

    def idling(unit: Unit) -> None:
        put("idle")(unit)
        if not idled:
            idled.append(True)
            unit.connection.exec_driver_sql("SET idle_in_transaction_session_timeout = 1")
            assert not threading.Event().wait(0.1)

    async with opened(store_at(tmp_path, line)) as store:
        await store.write(idling)
        assert names(server).count("idle") == 1
        assert store.trouble is None
