"""A large file is looked at while the app is open already: nothing is sent before that has ended well."""

import asyncio
from pathlib import Path

import pytest

from data.clock import ManualClock
from data.reference.seed import universe
from data.store import Store
from data.vocabulary import DeskKind, RunCount, SizingKind
from engine.execution.runs import RunView
from engine.refusals import TradingStopped
from engine.review import boot
from screens.frame.strip import strip
from tests.desks import START, Wire, buy, filed_desk, paper_desk, until
from tests.refusing import refuses
from tradedesk.compose.brokers.paper import exchange_of

pytestmark = pytest.mark.in_file  # a server looks at its own pages


class Walk:
    """Stands for walking a large file: it ends when the test says how."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(boot, "LONG_BYTES", 0)
        walk = self

        async def quick_check(store: Store) -> str:
            walk.count += 1
            return await asyncio.shield(walk.found)

        monkeypatch.setattr(Store, "quick_check", quick_check)

    def end(self, found: str = "") -> None:
        self.found.set_result(found)


async def test_a_run_started_meanwhile_waits_for_the_end_of_the_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with paper_desk(tmp_path):
        pass
    walk = Walk(monkeypatch)
    async with paper_desk(tmp_path, kind=DeskKind.APP, demo=False) as desk:
        exchange_of(desk).list_instruments(universe())
        wire = Wire(desk)
        assert desk.trading_disabled == "checking the books"
        _, segments = strip(desk, None, None, (), armed_seconds=0, frozen=False, privacy=False)
        assert any("checking the books" in segment.text for segment in segments)
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, 1))
        starting = asyncio.create_task(desk.runs.start(plan, plan.digest))
        await desk.settle()
        assert (desk.runs.all(), wire.placed, starting.done()) == ([], [], False)
        walk.end()
        run: RunView = await starting
        run = await desk.runs.settled(run.number, 30)
        assert run.counts[RunCount.FILLED] == 1
        assert desk.trading_disabled is None


async def test_what_the_look_finds_stops_trading_and_no_order_was_sent_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with paper_desk(tmp_path):
        pass
    walk = Walk(monkeypatch)
    async with paper_desk(tmp_path, kind=DeskKind.APP, demo=False) as desk:
        exchange_of(desk).list_instruments(universe())
        wire = Wire(desk)
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, 1))
        starting = asyncio.create_task(desk.runs.start(plan, plan.digest))
        walk.end("Tree 7 page 9: btreeInitPage() returns error code 11")
        with refuses(TradingStopped, r"desk\.db is damaged"):
            await starting
        await until(desk, lambda: "desk.db is damaged" in (desk.trading_disabled or ""))
        assert wire.placed == []


async def test_a_large_file_is_walked_once_a_day_a_small_one_at_each_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = Walk(monkeypatch)
    walk.end()
    looked: list[int] = []

    def unreadable(_: object, newest: int) -> list[str]:
        looked.append(newest)
        return []

    monkeypatch.setattr(boot, "unreadable", unreadable)
    for day, walks in ((0, 1), (0, 1), (1, 2)):
        clock = ManualClock(START)
        clock.shift(day * 86_400)
        async with filed_desk(tmp_path, clock, DeskKind.APP) as desk:
            await until(desk, lambda desk=desk: desk.trading_disabled is None)
        assert walk.count == walks
    assert looked == [boot.NEWEST, boot.FEW, boot.NEWEST], "rows whose values are looked at"
    monkeypatch.setattr(boot, "LONG_BYTES", 50_000_000)
    async with filed_desk(tmp_path, clock, DeskKind.APP):
        assert walk.count == 3


async def test_closing_does_not_wait_for_a_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = Walk(monkeypatch)
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        assert desk.trading_disabled == "checking the books"
    assert walk.count == 1
