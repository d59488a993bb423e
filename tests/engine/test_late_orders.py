"""A plan warns of orders that its accounts' budgets cannot send before the session of their shares ends."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from brokers.pacing import Lane, eta_s, late_calls
from brokers.paper.broker import CAPABILITIES
from data.clock import IST
from data.records import replace
from data.vocabulary import SizingKind
from engine.planning.plan_record import from_json, to_json
from engine.words.trading.plans import late_words
from tests.desks import buy, paper_desk
from tradedesk.compose.brokers.paper import exchange_of

NOW = datetime(2026, 11, 18, 9, 40, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [0.0, 0.9, 1.0, 3.5, 30.0, 300.0])
def test_what_does_not_fit_into_the_seconds_that_are_left_is_late(seconds: float):
    lanes = {1: Lane(CAPABILITIES), 2: Lane(CAPABILITIES)}
    pending = {1: 480, 2: 2}
    late = late_calls(pending, lanes.__getitem__, NOW, seconds)
    in_time = pending[1] - late
    assert late_calls({}, lanes.__getitem__, NOW, seconds) == 0
    assert eta_s({1: in_time, 2: 2}, lanes.__getitem__, NOW) <= seconds
    if late:
        assert eta_s({1: in_time + 1}, lanes.__getitem__, NOW) > seconds


async def test_a_plan_made_seconds_before_the_auction_says_how_many_come_too_late(tmp_path: Path):
    async with paper_desk(tmp_path) as desk:
        day = desk.market_clock.trading_day
        wish = replace(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 3_000_000, 1))
        early = await desk.plans.preview(wish)
        assert (early.late_orders, late_words(early)) == (None, "")
        exchange_of(desk).jump(datetime.combine(day, time(15, 14, 58), IST))
        await desk.market.fetch(["NSE:RELIANCE"])
        ordinary = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, 1))
        assert ordinary.late_orders is None
        late = replace(ordinary, late_orders=140, late_at=datetime.combine(day, time(15, 15), IST))
        late = replace(late, late_at=late.late_at.astimezone(UTC) if late.late_at else None)
        assert late_words(late) == "last 140 after 15:15"
        assert from_json(to_json(late)) == late
        assert from_json(to_json(ordinary)) == ordinary
        assert "late_orders" not in to_json(ordinary)
        assert late.late_at is not None
        assert late.late_at - desk.market.now() <= timedelta(seconds=2)
