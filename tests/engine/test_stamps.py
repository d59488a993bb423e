"""After a restart stamps are the market's, and what was done before is there, dated."""

from datetime import timedelta
from pathlib import Path

import pytest

from data.clock import ManualClock
from data.vocabulary import OrderState, SizingKind
from engine.news import NewsTopic, PlanMade
from engine.words.tape import news_words
from tests.desks import START, buy, carry_out, filed_desk
from tests.engine.test_days import next_day

ROHAN = "RG1008"

NEAR = timedelta(minutes=2)
"""A clock moved by hand stands while the exchange's thread catches up with it."""


async def test_a_stamp_of_an_earlier_desk_is_shown_in_the_markets_time(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        rohan = desk.clients.find(ROHAN).id
        await clock.advance(5)
        _, run = await carry_out(desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, rohan))
        (order_id,) = run.order_ids
        stamp = desk.orders.get(order_id).created_at
        shown = desk.shown_at(stamp)
        assert abs(shown - desk.market_clock.now()) < NEAR
    clock.shift(timedelta(hours=11).total_seconds())
    async with filed_desk(tmp_path, clock) as desk:
        assert desk.market_clock.now() - shown < timedelta(minutes=1)
        assert abs(desk.shown_at(stamp) - shown) < NEAR
        now = desk.shown_at(desk.clock.now())
        assert abs(now - desk.market_clock.now()) < NEAR
        before_any = START - timedelta(hours=1)
        assert desk.shown_at(before_any) == before_any


async def test_yesterdays_orders_and_the_tape_are_there_after_a_restart(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        rohan = desk.clients.find(ROHAN).id
        _, run = await carry_out(desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, rohan))
        (order_id,) = run.order_ids
        denied = buy("TCS", SizingKind.FIXED_QUANTITY, 1, rohan, limit_paise=249000)
        plan = await desk.plans.freeze(denied)
        await desk.runs.start(plan, plan.digest)
        certificate = await desk.halt.fire("tester")
        await desk.halt.resume(certificate.number, "resume", "tester")
        topics = (NewsTopic.RUN, NewsTopic.HALT, NewsTopic.PLAN)
        told = {line.news.subject for line in desk.tape() if line.news.topic in topics}
        frozen = [(line.at, news_words(line.news)) for line in desk.tape() if isinstance(line.news, PlanMade)]
        assert len(frozen) == 2
        await next_day(desk)
    async with filed_desk(tmp_path, clock) as desk:
        order = desk.orders.get(order_id)
        assert order.state is OrderState.FILLED
        assert order.trading_date < desk.market_clock.trading_day
        assert desk.shown_at(order.created_at).date() == order.trading_date
        assert order_id in {one.id for one in desk.orders.all()}
        assert desk.orders.all(today=True) == []
        assert desk.orders.needs_attention() == []
        lines = desk.tape()
        assert {line.news.subject for line in lines} == told
        assert [
            (line.at, news_words(line.news)) for line in lines if isinstance(line.news, PlanMade)
        ] == frozen
        assert [line.at for line in lines] == sorted(line.at for line in lines)
        assert any(f"run {run.number} finished" in news_words(line.news) for line in lines)


@pytest.mark.proof
async def test_a_wall_that_is_set_back_moves_no_stamp_of_before_or_after(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        await clock.advance(600)
        before, shown = desk.clock.now(), desk.shown_at(desk.clock.now())
        clock.set_wall(-5_400)
        for _ in range(60):
            await clock.advance(1)
        assert abs(desk.shown_at(before) - shown) < NEAR
        assert abs(desk.shown_at(desk.clock.now()) - desk.market_clock.now()) < NEAR
        certificate = await desk.halt.fire("tester")
        assert abs(desk.shown_at(certificate.at) - desk.market_clock.now()) < NEAR
        later = desk.clock.now() + timedelta(hours=3)
        assert abs(desk.shown_at(later) - desk.market_clock.now() - timedelta(hours=3)) < NEAR
        stamped = desk.workings.stamps.stamped(desk.shown_at(desk.clock.now()))
        assert abs(stamped - desk.clock.now()) < NEAR
