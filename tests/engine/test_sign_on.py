"""An engine that could not sign on at its opening: it cancels, and reserves, sends and takes over nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from brokers.contract import NotSent
from data.clock import ManualClock
from data.errors import StoreBusy
from data.vocabulary import ClientStatus, DeskKind, OrderState, RunCount, SizingKind
from engine.accounts.client_file import NewClient
from engine.refusals import TradingStopped
from tests.desks import START, Wire, books_are_sound, buy, carry_out, filed_desk, until
from tests.refusing import refuses
from tradedesk.testing import seam

ROHAN = 8
ONE = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN)
RESTING = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, ROHAN, limit_paise=2400_00)


@contextmanager
def locked(home: Path) -> Iterator[sqlite3.Connection]:
    """Another process in the middle of writing."""
    other = sqlite3.connect(home / "desk.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield other
    finally:
        other.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.writing.writer.LOCK_WAIT_S", 0.05)


def rows(home: Path) -> list[Any]:
    """Everything that an order, a run, a request or a sign-on would have written."""
    with sqlite3.connect(home / "desk.db") as connection:
        tables = ("run", "orders", "request", "instance", "posting", "client", "audit")
        return [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables]


async def a_home_with_a_plan_a_resting_order_and_an_unsent_one(home: Path, clock: ManualClock) -> str:
    """Returns the digest of the plan."""
    async with filed_desk(home, clock) as desk:
        await carry_out(desk, RESTING)
        wire = Wire(desk)

        async def place(account: object, request: object) -> NotSent:
            return NotSent("429")

        wire.on_place = place
        unsent = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        run = await desk.runs.start(unsent, unsent.digest)
        await until(desk, lambda: wire.placed and desk.runs.get(run.number).counts[RunCount.UNSENT])
        await desk.runs.pause(run.number)
        return (await desk.plans.freeze(ONE)).digest


@pytest.mark.in_file
async def test_nothing_is_reserved_modified_taken_over_or_imported_by_an_engine_that_cannot_send(
    tmp_path: Path,
) -> None:
    clock = ManualClock(START)
    digest = await a_home_with_a_plan_a_resting_order_and_an_unsent_one(tmp_path, clock)
    before = rows(tmp_path)
    with locked(tmp_path):
        async with filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as desk:
            assert "held the database" in (desk.trading_disabled or "")
            plan = await desk.plans.by_digest(digest)
            with refuses(TradingStopped, "held the database"):
                await desk.runs.start(plan, plan.digest)
            with refuses(TradingStopped, "held the database"):
                await desk.runs.go_on(2, 1)
            with refuses(TradingStopped, "held the database"):
                await desk.orders.modify(1, limit_paise=2401_00)
            with pytest.raises(StoreBusy):
                await desk.plans.preview(ONE)
            with pytest.raises(StoreBusy):
                await desk.reconcile.adopt(ROHAN, "they are right")
            new = NewClient("XX0001", "New", "zerodha", "XX0001", ClientStatus.ACTIVE, 0, 0)
            with pytest.raises(StoreBusy):
                await desk.clients.add([new])
            assert (desk.runs.get(2).counts[RunCount.UNSENT], desk.orders.get(1).state) == (
                1,
                OrderState.OPEN,
            )
    assert rows(tmp_path) == before


@pytest.mark.in_file
async def test_it_signs_on_when_it_is_first_asked_to_trade_and_then_sends(tmp_path: Path) -> None:
    clock = ManualClock(START)
    digest = await a_home_with_a_plan_a_resting_order_and_an_unsent_one(tmp_path, clock)
    with locked(tmp_path) as other:
        async with filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as desk:
            assert desk.trading_disabled
            other.execute("ROLLBACK")
            plan = await desk.plans.by_digest(digest)
            run = await desk.runs.start(plan, plan.digest)
            assert desk.trading_disabled is None
            await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == 1)
            assert seam(desk).engine.lives(desk.orders.all(run=run.number)[0].instance_id)
            await desk.runs.go_on(2, 1)
            await until(desk, lambda: desk.runs.get(2).counts[RunCount.FILLED] == 1)
            await books_are_sound(desk)


@pytest.mark.in_file
async def test_an_order_reserved_beside_a_lock_is_sent_or_not_there(tmp_path: Path) -> None:
    """The lock comes between the opening and the order: the reservation waits for it and fails whole."""
    clock = ManualClock(START)
    digest = await a_home_with_a_plan_a_resting_order_and_an_unsent_one(tmp_path, clock)
    async with filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as desk:
        plan = await desk.plans.by_digest(digest)
        await desk.plans.preview(ONE)
        before = rows(tmp_path)
        with locked(tmp_path), pytest.raises((TradingStopped, StoreBusy)):
            await desk.runs.start(plan, plan.digest)
        assert rows(tmp_path)[:2] == before[:2]
