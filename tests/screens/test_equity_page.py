"""The page of the day's equity, and what stands of it on a client's page and beside the gate."""

import pytest

from data.vocabulary import SizingKind
from screens.clients.page import ClientScreen
from screens.desk.course import CoursePane
from screens.equity.screen import EquityScreen
from tests.desks import buy
from tests.further import further
from tests.screens.bench import opened
from widgets.livegrid import LiveGrid


@pytest.mark.parametrize("size", further([(80, 24), (120, 40), (200, 50)]), ids=str)
async def test_the_day_s_equity_by_sector_and_client(size: tuple[int, int]) -> None:
    async with opened(size=size) as bench:
        desk = bench.desk
        await bench.pass_time(0.3)
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 3))
        await desk.runs.start(plan, plan.digest)
        await bench.until(lambda: len(desk.holdings.all()) > 20)
        await bench.until(lambda: any(desk.equity.desk_course()))
        await bench.keys("colon")
        await bench.type("equity")
        await bench.keys("enter")
        assert isinstance(bench.screen, EquityScreen)
        began = desk.equity.began or 0
        course = bench.screen.query_one(CoursePane)
        assert f"each minute from {began // 60:02}:{began % 60:02}" in course.title_words
        sectors = bench.screen.query_one("#sectors", LiveGrid)
        assert sectors.shown_keys == ("Information Technology",)
        assert "100" in bench.text
        clients = bench.screen.query_one("#day-clients", LiveGrid)
        nets = [
            desk.valuation.client(key).net_day_pnl_paise for key in clients.shown_keys if isinstance(key, int)
        ]
        assert nets == sorted(nets, reverse=True)
        await bench.keys("enter")
        assert isinstance(bench.screen, ClientScreen)
        assert "cash" in bench.text
