"""A server that ends, freezes or is cut off in the middle of a run: each order is sent and booked once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.vocabulary import RunCount, SizingKind
from engine.desk import Desk
from tests.books import POSTGRES, stand_at
from tests.desks import Wire, books_are_sound, buy, manual_clock, paper_desk, until
from tests.server.own_server import Cut, CutLine, OwnServer, cut_line, own_server
from tradedesk.testing import seam

on_server = pytest.mark.parametrize("books_engine", [POSTGRES], indirect=True)


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with own_server() as one:
        yield one


@pytest.fixture
def line(server: OwnServer) -> Iterator[CutLine]:
    server.refresh()
    with cut_line(server) as one:
        yield one


async def started(desk: Desk) -> tuple[int, Wire]:
    """A run of which some orders have left; returns its number."""
    wire = Wire(desk)
    plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, again=True))
    run = await desk.runs.start(plan, plan.digest)
    await until(desk, lambda: len(wire.placed) > 5, step_s=0.0)
    return run.number, wire


async def ended(desk: Desk, number: int, wire: Wire) -> None:
    total = desk.runs.get(number).counts[RunCount.TOTAL]
    assert total > 40
    async with asyncio.timeout(60):
        while desk.runs.get(number).counts[RunCount.FILLED] < total:
            await manual_clock(desk).advance(0.25)
            await asyncio.to_thread(asyncio.Event)
    assert len({request.tag for request in wire.placed}) == len(wire.placed) == total
    assert len(desk.orders.all()) == total
    async with seam(desk).store.reader() as connection:
        fills = (await connection.exec_driver_sql("SELECT DISTINCT order_id FROM fill")).all()
    assert len(fills) == total
    await until(desk, lambda: desk.trading_disabled is None)
    await books_are_sound(desk)


@on_server
@pytest.mark.parametrize("patience_s", [10.0, 0.05])
async def test_a_server_killed_and_started_again_under_a_run(
    tmp_path: Path, server: OwnServer, line: CutLine, patience_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer waits for it, or what is to be written is refused and tried again."""
    stand_at(tmp_path, line.url.render_as_string(hide_password=False))
    async with paper_desk(tmp_path) as desk:
        monkeypatch.setattr("data.writing.writer.LOCK_WAIT_S", patience_s)
        number, wire = await started(desk)
        await asyncio.to_thread(server.kill)
        if patience_s < 1:
            await until(desk, lambda: seam(desk).store.trouble is not None)
            assert "does not answer" in str(desk.trading_disabled)
        await asyncio.to_thread(server.start)
        await ended(desk, number, wire)


@on_server
async def test_a_server_frozen_under_a_run(
    tmp_path: Path, server: OwnServer, line: CutLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.engines.postgres.ANSWER_S", 0.8)
    monkeypatch.setattr("data.engines.postgres._ENDED_S", 0.3)
    stand_at(tmp_path, line.url.render_as_string(hide_password=False))
    async with paper_desk(tmp_path) as desk:
        number, wire = await started(desk)
        server.freeze()
        await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=1.2)
        server.thaw()
        await ended(desk, number, wire)


@on_server
@pytest.mark.parametrize("where", Cut)
async def test_each_commit_of_a_run_is_cut_off(
    tmp_path: Path, server: OwnServer, line: CutLine, where: Cut
) -> None:
    stand_at(tmp_path, line.url.render_as_string(hide_password=False))
    async with paper_desk(tmp_path) as desk:
        line.always = where
        number, wire = await started(desk)
        await ended(desk, number, wire)
        line.always = None
        assert line.cuts > 2
