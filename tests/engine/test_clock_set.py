"""A wall clock that is set makes no plan younger and hides no run of the last minute."""

import pytest

from data.clock import ManualClock
from data.vocabulary import DeskKind, Reason, SizingKind
from engine.refusals import DuplicateIntent, PlanExpired
from engine.rules import Rules
from tests.desks import START, buy, carry_out, filed_desk, manual_clock, paper_desk
from tests.refusing import refuses

ROHAN = 8
ONE = buy("INFY", SizingKind.FIXED_QUANTITY, 2, ROHAN)


async def test_a_plan_of_before_the_wall_was_set_back_is_as_old_as_it_is(tmp_path):
    async with paper_desk(tmp_path) as desk:
        plan = await desk.plans.freeze(ONE)
        assert desk.plans.left_s(plan) == 60
        manual_clock(desk).shift(40)
        manual_clock(desk).set_wall(-300)
        assert (desk.plans.expired(plan), desk.plans.left_s(plan)) == (False, 20)
        manual_clock(desk).shift(20.1)
        await desk.market.fetch([ONE.key])
        assert desk.plans.expired(plan)
        with refuses(PlanExpired, "older than 60 s"):
            await desk.runs.start(plan, plan.digest)
        assert desk.orders.all() == []


async def test_a_plan_of_before_the_wall_was_set_forward_is_too_old(tmp_path):
    async with paper_desk(tmp_path) as desk:
        plan = await desk.plans.freeze(ONE)
        manual_clock(desk).set_wall(61)
        await desk.market.fetch([ONE.key])
        with refuses(PlanExpired, "older than 60 s"):
            await desk.runs.start(plan, plan.digest)


async def test_a_plan_of_another_process_from_the_future_is_refused(tmp_path):
    clock = ManualClock(START)
    async with (
        filed_desk(tmp_path, clock) as desk,
        filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as other,
    ):
        plan = await desk.plans.freeze(ONE)
        same = await other.plans.by_digest(plan.digest)
        assert not other.plans.expired(same)
        clock.set_wall(-1)
        await other.market.fetch([ONE.key])
        assert other.plans.expired(same)
        with refuses(PlanExpired, "the clock was set back"):
            await other.runs.start(same, plan.digest)
        assert not desk.plans.expired(plan)


async def test_a_wall_set_forward_hides_no_run_of_the_last_minute(tmp_path):
    async with paper_desk(tmp_path, rules=Rules(duplicate_window_s=50.0)) as desk:
        await carry_out(desk, ONE)
        manual_clock(desk).set_wall(120)
        await desk.market.fetch([ONE.key])
        plan = await desk.plans.freeze(ONE)
        assert [line.reason for line in plan.lines] == [Reason.DUPLICATE_INTENT]
        manual_clock(desk).shift(61)
        await desk.market.fetch([ONE.key])
        plans = [await desk.plans.freeze(ONE) for _ in range(2)]
        assert [plan.orders for plan in plans] == [1, 1]
        run = await desk.runs.start(plans[0], plans[0].digest)
        await desk.runs.settled(run.number, 30)
        await desk.settle()
        manual_clock(desk).set_wall(59.5)
        await desk.market.fetch([ONE.key])
        with pytest.raises(DuplicateIntent):
            await desk.runs.start(plans[1], plans[1].digest)
