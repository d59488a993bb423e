"""The page of a symbol: its candles, the span of them, who holds it and its live orders."""

import pytest

from screens.desk.chart import SPANS, ChartPane
from screens.desk.symbol import SymbolScreen
from tests.further import further
from tests.screens.bench import opened
from widgets.candles import CandleChart


@pytest.mark.parametrize("size", further([(80, 24), (120, 40), (200, 50)]), ids=str)
async def test_enter_shows_a_symbol_s_candles_and_a_comma_turns_their_span(size: tuple[int, int]) -> None:
    async with opened(size=size) as bench:
        await bench.priced()
        await bench.keys("shift+tab")
        await bench.keys("enter")
        assert isinstance(bench.screen, SymbolScreen)
        pane, chart = bench.screen.query_one(ChartPane), bench.screen.query_one(CandleChart)
        assert chart.size.height >= 5 <= chart.size.width
        for span in ("5 min", "15 min", "days", "1 min", "5 min"):
            assert f"▸{span}" in pane.title_words
            await bench.keys(",")
        assert "paper to" in pane.title_words
        assert len(SPANS) == 4
        await bench.keys("escape")
        await bench.keys("colon")
        await bench.type("chart infy")
        await bench.keys("enter")
        assert bench.screen.here().key == "NSE:INFY"
