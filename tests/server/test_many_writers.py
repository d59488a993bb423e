"""Several writers on one ledger at once, each beside the others: all of it adds up and is sealed."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from data.audit import AuditAction, AuditEntry
from data.clock import ManualClock
from data.engines.driver import fetch
from data.engines.postgres import PostgresBooks
from data.engines.shared.gate import GateMode
from data.engines.sqlite import SqliteFile
from data.home import books_file
from data.proving.evidence import not_both_ways, recompute
from data.proving.rederive import differences
from data.proving.stored_audit import chains_standing, stored_rows
from data.proving.verifying import AuditReport, verify
from data.server.copying import copy_books
from data.server.saving import save_books
from data.store import Store
from data.writing.audit_writer import kept_heads
from data.writing.sealing import seal
from engine.execution.changes.cancels import ask
from tests.books import POSTGRES, database_of, empty_books
from tests.desks import START
from tests.seats import Seat, open_clients, stores_beside, work
from tests.tampering import tamper

on_server = pytest.mark.parametrize("books_engine", [POSTGRES], indirect=True)

WRITERS, OWN = 4, 3
SHARED = 90
"""A client for whom every writer reserves, so that what two change at once is met."""


@asynccontextmanager
async def seats(home: Path, clock: ManualClock) -> AsyncIterator[list[tuple[Store, Seat]]]:
    empty_books(home)
    owned = [list(range(1 + OWN * one, 1 + OWN * (one + 1))) for one in range(WRITERS)]
    async with stores_beside(books_file(home), database_of(home), clock, WRITERS) as stores:
        await stores[0].write(lambda unit: open_clients(unit, [*range(1, 1 + OWN * WRITERS), SHARED]))
        yield [(store, Seat([*clients, SHARED])) for store, clients in zip(stores, owned, strict=True)]


def wrong(reader: Connection) -> Sequence[str]:
    return [
        *verify(stored_rows(reader), kept_heads(reader)).found,
        *recompute(reader).found,
        *not_both_ways(reader),
        *differences(reader),
    ]


def report(home: Path) -> AuditReport:
    return database_of(home).read(lambda one: verify(stored_rows(one), kept_heads(one)))


async def noted(store: Store) -> None:
    """A commit that writes a row of the audit and nothing else."""
    await store.write(lambda unit: unit.audit(AuditEntry(AuditAction.ROWS_CHANGED, "tester")))


async def sealed(store: Store) -> bool:
    return await store.write(lambda unit: seal(unit, now=True))


@on_server
async def test_writers_beside_each_other_leave_books_that_add_up_and_chains_that_hold(
    tmp_path: Path, books_engine: str
) -> None:
    async with seats(tmp_path, ManualClock(START)) as desks:
        await asyncio.gather(
            *(
                work(store, seat, 6, random.Random(number), GateMode.SHARED)
                for number, (store, seat) in enumerate(desks)
            )
        )
        assert await sealed(desks[0][0])
    database = database_of(tmp_path)
    assert database.read(wrong) == []
    assert database.read(chains_standing) == list(range(WRITERS))
    orders = "SELECT state, count(*) FROM orders GROUP BY state ORDER BY state"
    made = WRITERS * (OWN + 1) * 6
    assert database.read(lambda one: fetch(one, orders)) == [
        ("CANCELLED", made // 2),
        ("RESERVED", made // 2),
    ]
    ids = database.read(lambda one: fetch(one, "SELECT id FROM orders"))
    assert {int(number) // 1_000 for (number,) in ids} == set(range(WRITERS)), "of a block each"


@on_server
async def test_a_row_that_followed_from_another_has_the_higher_number_whosever_chain_it_is_in(
    tmp_path: Path, books_engine: str
) -> None:
    async with seats(tmp_path, ManualClock(START)) as desks:
        (one, first), (other, _) = desks[:2]
        ids = await one.write(first.buy)
        await noted(one)
        await other.write(lambda unit: ask(unit, [ids[0]], "cancelled", "tester"))
    rows = database_of(tmp_path).read(lambda reader: list(stored_rows(reader)))
    told = [(row.action, row.chain) for row in rows if row.order_id == ids[0]]
    assert told == [("ORDER_RESERVED", 0), ("ORDER_CANCELLED", 1)]
    assert [row.seq for row in rows] == sorted({row.seq for row in rows})


@on_server
async def test_what_a_seal_names_cannot_be_cut_and_what_came_after_it_can(
    tmp_path: Path, books_engine: str
) -> None:
    cut = (
        "DELETE FROM audit WHERE chain = 1 AND seq = (SELECT max(seq) FROM audit WHERE chain = 1)",
        "UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit WHERE chain = 1 ORDER BY seq DESC"
        " LIMIT 1) WHERE name = 'written' AND chain = 1",
    )
    async with seats(tmp_path, ManualClock(START)) as desks:
        (first, _), (other, _) = desks[:2]
        for _ in range(2):
            await noted(other)
        assert await sealed(first)
        assert not await sealed(first), "nothing was written since"
        assert not await sealed(other), "whoever has the first chain seals"
        await noted(other)
    assert report(tmp_path).ok
    books = books_file(tmp_path)
    tamper(books, *cut)
    assert report(tmp_path).ok, "nobody has sealed it"
    tamper(books, *cut)
    assert "of chain 1 is missing, which row" in report(tmp_path).message


@on_server
async def test_books_of_many_chains_are_saved_and_copied_whole_and_the_next_row_goes_on_behind_all(
    tmp_path: Path, books_engine: str
) -> None:
    home, copy, again = tmp_path / "home", tmp_path / "copy.db", tmp_path / "again"
    async with seats(home, ManualClock(START)) as desks:
        for store, seat in desks:
            await store.write(seat.buy)
        assert await sealed(desks[0][0])
    database = database_of(home)
    assert isinstance(database, PostgresBooks)
    save_books(database, copy)
    saved = SqliteFile(copy)
    assert saved.read(wrong) == []
    rows = saved.read(lambda one: list(stored_rows(one)))
    assert rows == database.read(lambda one: list(stored_rows(one)))

    other = database_of(empty_books(again))
    assert isinstance(other, PostgresBooks)
    copy_books(copy, other, wrong)
    async with stores_beside(books_file(again), other, ManualClock(START), 2) as stores:
        for store in stores:
            await noted(store)
    after = other.read(lambda one: list(stored_rows(one)))
    assert after[: len(rows)] == rows
    assert [row.chain for row in after[len(rows) :]] == [0, 1]
    assert other.read(wrong) == []


@on_server
async def test_a_chain_that_is_written_without_seals_is_told(tmp_path: Path, books_engine: str) -> None:
    clock = ManualClock(START)
    async with seats(tmp_path, clock) as desks:
        (first, _), (other, _) = desks[:2]
        for minute in range(8):
            await noted(other)
            if minute == 5:
                assert await sealed(first)
            clock.shift(timedelta(minutes=1).total_seconds())
    found = report(tmp_path)
    assert (found.ok, found.found) == (True, ()), "it stops nobody's trading"
    assert "chain 1 was written for over 3 minutes without a seal" in found.message


@on_server
async def test_the_first_chain_goes_to_another_when_its_writer_has_ended(
    tmp_path: Path, books_engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.writing.writer.LEADS_S", 0.0)
    async with seats(tmp_path, ManualClock(START)) as desks:
        (first, _), (other, _), *_ = desks
        await noted(other)
        assert not await sealed(other)
        await first.close()
        assert await sealed(other)
        chain = await other.write(lambda unit: unit.chain)
        assert chain == 0
    assert report(tmp_path).ok
    assert database_of(tmp_path).read(wrong) == []
