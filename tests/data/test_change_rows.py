"""What a commit changed is told to others by rows, whatever the audit calls it; a gap reads everything."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.audit import AuditAction, AuditEntry
from data.clock import ManualClock
from data.store import Store, Unit
from data.vocabulary import Topic
from data.writing.changes import Touched, changes_since, prune_changes
from tests.books import change_by_hand, database_of, empty_books, rows_of

NOW = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)


def store_of(home: Path, clock: ManualClock | None = None) -> Store:
    """A store on the books of a home, wherever they stand."""
    file = empty_books(home) / "desk.db"
    return Store(file, clock or ManualClock(NOW), database=database_of(home))


class Reader:
    """A store on the same file that keeps what it was told to read again."""

    def __init__(self, home: Path) -> None:
        self.read: list[Touched] = []
        self.told = asyncio.Event()
        self.store = store_of(home)
        self.store.project(lambda connection, touched: touched, self._deliver)

    def _deliver(self, projection: Any, events: object, foreign: bool) -> None:
        self.read.append(projection)
        self.told.set()

    async def next(self) -> Touched:
        async with asyncio.timeout(20):
            await self.told.wait()
        self.told.clear()
        return self.read[-1]


@asynccontextmanager
async def two(home: Path, desk: int = 7) -> AsyncIterator[tuple[Store, Reader]]:
    writer, reader = store_of(home), Reader(home)
    writer.desk = desk
    await writer.open()
    await reader.store.open()
    try:
        await reader.store.write(lambda unit: None)
        yield writer, reader
    finally:
        await writer.close()
        await reader.store.close()


def rows(home: Path) -> list[tuple[int, int, str, list[int]]]:
    found = rows_of(home, "SELECT desk, seq, topic, CAST(ids AS TEXT) FROM change ORDER BY desk, seq")
    return [(desk, seq, topic, json.loads(ids)) for desk, seq, topic, ids in found]


CASES: dict[Topic, tuple[Callable[[Touched], object], Touched]] = {
    Topic.CLIENTS: (lambda touched: touched.clients.update((3, 1)), Touched(clients={1, 3})),
    Topic.ORDERS: (lambda touched: touched.orders.add(9), Touched(orders={9})),
    Topic.RUNS: (lambda touched: touched.runs.add(4), Touched(runs={4})),
    Topic.HALTS: (lambda touched: setattr(touched, "halts", True), Touched(halts=True)),
    Topic.GUARDS: (lambda touched: setattr(touched, "guards", True), Touched(guards=True)),
    Topic.ROSTER: (lambda touched: setattr(touched, "roster", True), Touched(roster=True)),
    Topic.MARKET: (lambda touched: setattr(touched, "market", True), Touched(market=True)),
    Topic.LIMITS: (lambda touched: setattr(touched, "limits", True), Touched(limits=True)),
    Topic.LEASES: (lambda touched: setattr(touched, "leases", True), Touched(leases=True)),
    Topic.PEOPLE: (lambda touched: setattr(touched, "people", True), Touched(people=True)),
    Topic.EVERYTHING: (lambda touched: setattr(touched, "everything", True), Touched(everything=True)),
}


@pytest.mark.parametrize("topic", Topic)
async def test_each_topic_is_read_again_by_others_and_only_that(tmp_path: Path, topic: Topic) -> None:
    change, expected = CASES[topic]
    async with two(tmp_path) as (writer, reader):
        await writer.write(lambda unit: change(unit.touched))
        assert await reader.next() == expected
    assert [(desk, seq, told) for desk, seq, told, _ in rows(tmp_path)] == [(7, 1, topic.value)]


async def test_what_the_audit_calls_it_says_nothing(tmp_path: Path) -> None:
    def audited(unit: Unit) -> None:
        unit.audit(AuditEntry(AuditAction.HALT_FIRED, "tester", client_id=5))

    async with two(tmp_path) as (writer, reader):
        await writer.write(audited)
        await writer.write(lambda unit: unit.touched.orders.add(2))
        assert await reader.next() == Touched(orders={2})


async def test_reading_for_oneself_is_told_to_nobody(tmp_path: Path) -> None:
    async with two(tmp_path) as (writer, reader):
        await writer.write(lambda unit: setattr(unit.touched, "unread", True))
        await writer.write(lambda unit: unit.touched.runs.add(1))
        assert await reader.next() == Touched(runs={1})


async def test_a_unit_that_failed_tells_nothing(tmp_path: Path) -> None:
    def fails(unit: Unit) -> None:
        unit.touched.orders.add(1)
        raise ValueError("no")

    async with two(tmp_path) as (writer, _):
        with pytest.raises(ValueError, match="no"):
            await writer.write(fails)
    assert rows(tmp_path) == []


async def test_a_writer_hears_of_others_in_its_own_next_commit(tmp_path: Path) -> None:
    async with two(tmp_path) as (writer, reader):
        await writer.write(lambda unit: unit.touched.orders.add(1))
        await reader.store.write(lambda unit: unit.touched.runs.add(2))
        assert any(touched.orders == {1} for touched in reader.read)
    assert [(desk, seq) for desk, seq, _, _ in rows(tmp_path)] == [(0, 1), (7, 1)]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM change WHERE seq = 2",
        "UPDATE change SET topic = 'weather' WHERE seq = 2",
        "UPDATE change SET ids = '\"x\"' WHERE seq = 2",
    ],
)
async def test_a_gap_or_a_row_that_cannot_be_read_has_everything_read(tmp_path: Path, damage: str) -> None:
    store = store_of(tmp_path)
    store.desk = 7
    await store.open()
    for number in (1, 2, 3):
        await store.write(lambda unit, number=number: unit.touched.orders.add(number))
    await store.close()
    whole, seen = database_of(tmp_path).read(lambda connection: changes_since(connection, {7: 1}))
    assert (whole, seen) == (Touched(orders={2, 3}), {7: 3})
    change_by_hand(tmp_path, damage)
    found, seen = database_of(tmp_path).read(lambda connection: changes_since(connection, {7: 1}))
    assert found.everything
    assert seen == {7: 3}


async def test_pruning_keeps_what_a_slow_engine_has_not_read_and_the_newest_of_each(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    store = store_of(tmp_path, clock)
    store.desk = 7
    await store.open()
    try:
        for number in (1, 2, 3):
            await store.write(lambda unit, number=number: unit.touched.orders.add(number))
            await clock.advance(10)
        await store.write(lambda unit: prune_changes(unit, NOW + timedelta(seconds=5)))
        assert [seq for _, seq, _, _ in rows(tmp_path)] == [2, 3]
        await store.write(lambda unit: prune_changes(unit, NOW + timedelta(hours=1)))
        assert [seq for _, seq, _, _ in rows(tmp_path)] == [3]
    finally:
        await store.close()
