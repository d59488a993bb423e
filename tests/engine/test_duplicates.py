"""The same intent twice: whoever looks when, the second sends nothing unless it says again."""

import asyncio

import pytest

from brokers.contract import NotSent, Refused
from data.clock import ManualClock
from data.records import replace
from data.vocabulary import DeskKind, OrderState, Reason, RunCount, RunStatus, SizingKind
from engine.refusals import DuplicateIntent
from tests.desks import START, Wire, books_are_sound, buy, carry_out, filed_desk, paper_desk, until
from tests.refusing import refuses

ROHAN, PRIYA, AMIT = 8, 15, 22
ONE = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN)


async def test_two_plans_of_one_intent_frozen_before_either_went_out_send_once(tmp_path):
    async with paper_desk(tmp_path) as desk:
        first, second = await desk.plans.freeze(ONE), await desk.plans.freeze(ONE)
        assert second.orders == 1, "nothing was sent when it was made"
        run = await desk.runs.start(first, first.digest)
        await desk.runs.settled(run.number, 30)
        await desk.settle()
        funds = desk.funds.of(ROHAN)
        with refuses(DuplicateIntent, rf"run {run.number} .*again"):
            await desk.runs.start(second, second.digest)
        assert [view.number for view in desk.runs.all()] == [run.number]
        assert desk.funds.of(ROHAN) == funds
        assert len(desk.orders.all()) == 1
        await books_are_sound(desk)


async def test_two_engines_that_send_one_intent_at_once_send_it_once(tmp_path):
    clock = ManualClock(START)
    async with (
        filed_desk(tmp_path, clock) as desk,
        filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as other,
    ):
        plans = [await engine.plans.freeze(ONE) for engine in (desk, other, desk, other)]
        results = await asyncio.gather(
            *(e.runs.start(p, p.digest) for e, p in zip((desk, other, desk, other), plans, strict=True)),
            return_exceptions=True,
        )
        assert sorted(type(result).__name__ for result in results) == [*["DuplicateIntent"] * 3, "RunView"]
        await until(desk, lambda: any(order.filled_quantity for order in desk.orders.all()))
        assert (
            len(await desk.connections.feed.broker.orders(desk.connections.account(desk.clients.get(ROHAN))))
            == 1
        )
        await books_are_sound(desk)


async def test_clients_that_had_it_are_denied_by_name_and_the_others_are_sent_to(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wide = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN, PRIYA, AMIT))
        _, had = await carry_out(desk, ONE)
        run = await desk.runs.start(wide, wide.digest)
        run = await desk.runs.settled(run.number, 30)
        orders = {order.client_id: order for order in desk.orders.all(run=run.number)}
        assert orders[ROHAN].state is OrderState.DENIED
        assert orders[ROHAN].reason_code == Reason.DUPLICATE_INTENT
        assert f"run {had.number}" in orders[ROHAN].reason_text
        assert {orders[PRIYA].state, orders[AMIT].state} == {OrderState.FILLED}
        assert (run.counts[RunCount.DENIED], run.counts[RunCount.FILLED]) == (1, 2)
        await books_are_sound(desk)


async def test_again_is_of_the_plan_and_only_of_the_plan(tmp_path):
    async with paper_desk(tmp_path) as desk:
        said = await desk.plans.freeze(replace(ONE, again=True))
        unsaid = await desk.plans.freeze(ONE)
        await carry_out(desk, ONE)
        assert (await desk.runs.start(said, said.digest)).counts[RunCount.DENIED] == 0
        with pytest.raises(DuplicateIntent):
            await desk.runs.start(unsaid, unsaid.digest)


async def test_what_a_run_has_not_sent_yet_counts_however_long_ago_it_began(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)

        async def place(account, request):
            return NotSent("429")

        wire.on_place = place
        plan = await desk.plans.freeze(ONE)
        old = (await desk.runs.start(plan, plan.digest)).number
        await until(desk, lambda: wire.placed and desk.runs.get(old).counts[RunCount.UNSENT] == 1)
        await desk.runs.pause(old)
        assert isinstance(desk.clock, ManualClock)
        await desk.clock.advance(120)
        assert (await desk.plans.preview(ONE)).lines[0].reason is Reason.DUPLICATE_INTENT
        said = replace(ONE, selection=replace(ONE.selection, client_ids=(ROHAN, AMIT)))
        both = await desk.plans.freeze(said)
        assert [line.client_id for line in both.ok_lines] == [AMIT]
        await desk.runs.stop(old, live=False)
        assert (await desk.plans.preview(ONE)).lines[0].ok, "cancelled before a byte left"


async def test_what_never_reached_the_broker_is_no_duplicate_and_what_traded_is(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire, answers = Wire(desk), [Refused("margin", "no")]

        async def place(account, request):
            return answers.pop() if answers else None

        wire.on_place = place
        again = await desk.plans.freeze(ONE)
        plan = await desk.plans.freeze(ONE)
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.FINISHED)
        assert desk.runs.get(run.number).counts[RunCount.REJECTED] == 1
        run = await desk.runs.start(again, again.digest)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == 1)
        await desk.settle()
        assert (await desk.plans.preview(ONE)).lines[0].reason is Reason.DUPLICATE_INTENT


async def test_a_resting_order_that_was_cancelled_had_left_and_counts(tmp_path):
    async with paper_desk(tmp_path) as desk:
        resting = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN, limit_paise=2400_00)
        late = await desk.plans.freeze(resting)
        plan = await desk.plans.freeze(resting)
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.OPEN] == 1)
        await desk.runs.stop(run.number, live=True)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.CANCELLED] == 1)
        with pytest.raises(DuplicateIntent):
            await desk.runs.start(late, late.digest)
        await books_are_sound(desk)
