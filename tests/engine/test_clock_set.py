"""A wall clock that is set makes no plan younger and hides no run of the last minute."""

import pytest

from brokers.contract import Ambiguous, BrokerAccount, OrderRequest, Outcome
from data.clock import ManualClock
from data.records import replace
from data.vocabulary import DeskKind, OrderType, Reason, SizingKind
from engine.execution.sending.unanswered import NO_ANSWER
from engine.refusals import DuplicateIntent, PlanExpired
from engine.rules import Rules
from tests.desks import START, Wire, buy, carry_out, filed_desk, manual_clock, paper_desk, until
from tests.refusing import refuses
from tradedesk.testing import seam

ROHAN, OTHER = 8, 15
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


async def test_a_wall_set_back_puts_off_no_read_and_no_comparison(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        await carry_out(desk, replace(ONE, order_type=OrderType.LIMIT, limit_paise=1400_00))
        await manual_clock(desk).advance(30)
        reads = []

        async def read(account: BrokerAccount) -> None:
            reads.append(account)

        Wire(desk).on_read = read
        manual_clock(desk).set_wall(-5_400)
        compared = desk.reconcile.compared_at(OTHER)
        began = desk.clock.monotonic()
        await until(desk, lambda: len(reads) > 2, step_s=1)
        await until(desk, lambda: desk.reconcile.compared_at(OTHER) != compared, step_s=1)
        assert desk.clock.monotonic() - began < 60


async def test_a_wall_set_back_keeps_no_client_waiting_whose_broker_was_silent(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)

        async def silent(account: BrokerAccount, request: OrderRequest) -> Outcome:
            return Ambiguous(f"{NO_ANSWER} within 10 s")

        wire.on_place = silent
        for quantity in (1, 2):
            plan = await desk.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, quantity, ROHAN))
            await desk.runs.start(plan, plan.digest)
            await until(desk, lambda count=quantity: len(wire.placed) == count)
        wire.on_place = None
        manual_clock(desk).set_wall(-5_400)
        await desk.market.fetch([ONE.key])
        plan = await desk.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 3, ROHAN))
        await desk.runs.start(plan, plan.digest)
        began = desk.clock.monotonic()
        await until(desk, lambda: len(wire.placed) == 3, step_s=1)
        assert desk.clock.monotonic() - began <= seam(desk).waits.silent_pause_s + 1


async def test_an_instruction_of_before_the_wall_was_set_back_is_given_again(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, replace(ONE, ref="call 09:12"))
        assert await desk.plans.instruction(ROHAN) == "call 09:12"
        manual_clock(desk).set_wall(-5_400)
        assert await desk.plans.instruction(ROHAN) == ""
