"""Charts: a broker's bars of before, then the desk's own, and what is said where a broker tells none."""

from datetime import datetime
from pathlib import Path
from typing import cast

import pytest

from brokers.contract import Bar, BarSpan, BrokerError
from brokers.paper.broker import PaperBroker
from data.clock import IST, ManualClock
from engine.market.charts import ASK_AGAIN_S
from engine.words.market import chart_source
from tests.desks import START, paper_desk

KEY = "NSE:TCS"


async def test_the_broker_tells_what_was_before_and_is_not_asked_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(START)
    async with paper_desk(tmp_path, clock=clock, pins={}) as desk:
        assert desk.charts.chart(KEY, BarSpan.FIVE).bars == ()
        assert desk.charts.is_due(KEY, BarSpan.FIVE)
        await desk.charts.look_back(KEY, BarSpan.FIVE)
        chart = desk.charts.chart(KEY, BarSpan.FIVE)
        bars = [bar for bar in chart.bars if bar is not None]
        assert [bar.at for bar in bars] == sorted(bar.at for bar in bars)
        assert {bar.at.tzinfo for bar in bars} == {IST}
        assert chart_source(chart) == "paper to 15:10"
        assert not desk.charts.is_due(KEY, BarSpan.FIVE)
        assert desk.charts.is_due(KEY, BarSpan.DAY), "another span is another question"

        async def refused(*_: object) -> list[Bar]:
            raise BrokerError("Insufficient permission for that call.")

        monkeypatch.setattr(cast(PaperBroker, desk.connections.feed.broker), "bars", refused)
        clock.shift(ASK_AGAIN_S)
        await desk.charts.look_back(KEY, BarSpan.FIVE)
        assert desk.charts.chart(KEY, BarSpan.FIVE).bars == chart.bars, "what was told stands"
        await desk.charts.look_back(KEY, BarSpan.MINUTE)
        told = desk.charts.chart(KEY, BarSpan.MINUTE)
        assert told.bars == ()
        assert chart_source(told) == "no tick yet · no history: Insufficient permission for that call."


async def test_own_bars_follow_on_those_that_were_told(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with paper_desk(tmp_path, clock=clock, pins={}) as desk:
        await desk.charts.look_back(KEY, BarSpan.DAY)
        await desk.market.fetch([KEY])
        chart = desk.charts.chart(KEY, BarSpan.DAY)
        last = chart.bars[-1]
        quote = desk.market.quote(KEY)
        assert last is not None
        assert quote is not None
        assert (last.at, last.close_paise) == (datetime(2026, 11, 18, tzinfo=IST), quote.last_paise)
        assert chart.told_to == datetime(2026, 11, 17, tzinfo=IST)
        assert chart_source(chart) == "paper to 17 Nov, then own ticks"
