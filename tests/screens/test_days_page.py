"""The page of what days have brought: of a client, of the desk, and as a file."""

import pytest

from data.records import replace
from engine.colon.records.asked import OfWhom
from engine.risk.dispersion import RunCost
from engine.risk.views import DispersionView
from screens.frame.pane import Pane
from screens.history.costs import DispersionScreen
from screens.history.figures import FiguresScreen
from screens.history.screen import HistoryScreen
from tests.screens.bench import opened


async def test_history_is_of_the_client_named_and_typed_alone_of_the_desk() -> None:
    async with opened(size=(120, 40)) as bench:
        await bench.keys("colon", *"history", "space", *"ps1015", "enter")
        screen = bench.screen
        assert isinstance(screen, HistoryScreen)
        assert bench.desk.clients.get(screen.here().client_id or 0).code == "PS1015"
        await bench.until(lambda: "Equity by day · PS1015" in bench.text)
        table = screen.table()
        assert table is not None
        assert table.record is not None
        assert [list(table.record(row)) for row in table.rows] == [["month", "days", "net", "TWR %"]]
        await bench.keys("colon", *"history", "enter")
        assert bench.screen is screen
        await bench.until(lambda: "Equity by day · the desk" in bench.text)
        screen.turn_to(OfWhom(screen.desk.clients.find("PS1015").id))
        screen.redraw()
        assert screen.query_one("#history-line", Pane).title == "Equity by day · the desk"
        await bench.until(lambda: "Equity by day · PS1015" in bench.text)
        screen.turn_to(OfWhom(group="nobody's"))
        await bench.until(lambda: "the days of group nobody's cannot be told" in bench.text)
        assert "Equity by day · PS1015" in bench.text


async def test_the_cursor_stays_on_its_client_where_another_reading_has_another_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(size=(120, 40)) as bench:
        first, second = (RunCost(one.id, runs=1) for one in bench.desk.clients.all()[:2])
        told = await bench.desk.dispersion.of_day()
        readings = [replace(told, month=(first, second)), replace(told, month=(second, first))]

        async def read() -> DispersionView:
            return readings.pop(0)

        monkeypatch.setattr(bench.desk.dispersion, "of_day", read)
        bench.app.push_screen(DispersionScreen())
        await bench.settle()
        await bench.keys("down")
        screen = bench.screen
        assert isinstance(screen, DispersionScreen)
        assert screen.here().client_id == second.client_id
        await bench.clock.advance(FiguresScreen.EVERY_S)
        await bench.settle()
        assert readings == []
        assert screen.here().client_id == second.client_id
