"""Sending: never twice, never after a halt, within every budget, and nobody waits for a slow client."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from brokers.contract import Ambiguous, NotSent
from brokers.pacing import Lane
from brokers.paper.broker import CAPABILITIES
from data.vocabulary import OrderState, RunCount, RunStatus, SizingKind
from engine.events import OrderChanged
from engine.execution.sending.unanswered import NO_ANSWER
from engine.rules import PER_CLIENT
from tests.desks import START, Wire, books_are_sound, buy, manual_clock, paper_desk, until
from tradedesk.testing import seam

ROHAN, PRIYA, AMIT = 8, 15, 22


async def started(desk, *clients, quantity=1, **named):
    plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, quantity, *clients, **named))
    return await desk.runs.start(plan, plan.digest)


async def test_not_sent_is_claimed_again_with_another_tag_and_doubt_never(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        tries = Counter()

        async def place(account, request):
            tries[account.client_id] += 1
            if account.client_id == ROHAN:
                return Ambiguous("no answer")
            return NotSent("429") if tries[account.client_id] < 3 else None

        wire.on_place = place
        run = await started(desk, ROHAN, PRIYA)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == 1)
        await manual_clock(desk).advance(20)
        await desk.settle()
        assert tries == {ROHAN: 1, PRIYA: 3}
        assert len({request.tag for request in wire.placed}) == 4
        doubt, sent = sorted(desk.orders.all(), key=lambda order: order.client_id)
        assert (doubt.state, sent.state) == (OrderState.UNKNOWN, OrderState.FILLED)
        assert doubt.blocked_paise > 0
        life = await desk.orders.life(sent.id)
        assert [attempt.outcome for attempt in life.attempts] == ["not_sent", "not_sent", "accepted"]
        assert [row.action for row in life.audit].count("ORDER_SENDING") == 3
        await books_are_sound(desk)


async def test_the_desk_rests_only_once_what_was_submitted_is_claimed_sent_and_booked(tmp_path):
    async with paper_desk(tmp_path) as desk:
        run = await started(desk, ROHAN, PRIYA)
        await desk.settle()
        assert desk.runs.get(run.number).counts[RunCount.FILLED] == 2


async def test_an_order_that_did_not_leave_is_not_forgotten_while_others_are_sent(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        seen = set()

        async def place(account, request):
            first = account.client_id not in seen
            seen.add(account.client_id)
            return NotSent("429") if first else None

        wire.on_place = place
        run = await started(desk)
        assert run.counts["total"] > 40
        await until(
            desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == run.counts[RunCount.TOTAL]
        )
        assert len(wire.placed) == 2 * run.counts["total"]
        await books_are_sound(desk)


async def test_an_order_that_never_arrived_is_found_absent_by_nobody_and_found_by_its_tag(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)

        async def place(account, request):
            await wire.broker.place(account, request)  # it arrives, but the answer is lost
            raise TimeoutError

        wire.on_place = place
        run = await started(desk, ROHAN)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED])
        assert len(wire.placed) == 1
        assert desk.orders.all()[0].flags == ()
        await books_are_sound(desk)


@pytest.mark.parametrize("how", ["file", "row"])
async def test_a_halt_between_claim_and_send_keeps_the_order_back(tmp_path, how):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        halts = []

        def hear(event):
            if isinstance(event, OrderChanged) and not halts:
                orders = [desk.orders.get(order_id) for order_id in event.order_ids]
                if any(order.state is OrderState.SENDING for order in orders):
                    halts.append(desk.halt.fire_now("tester"))
                    if how == "file":
                        (desk.home / "HALT").touch()

        desk.events.subscribe(hear)
        if how == "row":  # the claim's sender is held up until the halt is in the book
            dispatcher: Any = seam(desk).workers.dispatcher
            wait = dispatcher.outcome

            async def late(order, tag):
                await halts[0]
                return await wait(order, tag)

            dispatcher.outcome = late
            (desk.home / "HALT").unlink(missing_ok=True)
            seam(desk).waits = type(seam(desk).waits)(halt_deadline_s=0.0)
        run = await started(desk, ROHAN)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.CANCELLED])
        await until(desk, lambda: halts[0].done())  # a book that is not read yet is read again in a while
        made = halts[0].result()
        assert wire.placed == []
        assert made.number == desk.halt.active()[0].number
        (order,) = desk.orders.all()
        assert (order.state, order.blocked_paise) == (OrderState.CANCELLED, 0)
        await books_are_sound(desk)


async def test_a_slow_client_delays_nobody_and_takes_few_workers(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        go = asyncio.Event()

        async def place(account, request):
            if account.client_id == ROHAN:
                await go.wait()

        wire.on_place = place
        runs = [await started(desk, ROHAN, quantity=n, again=True) for n in range(1, 7)]
        run = await started(desk)
        total = run.counts["total"]
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == total, step_s=0.1)
        sending = [o for o in desk.orders.all(client_id=ROHAN) if o.state is OrderState.SENDING]
        assert len(sending) == PER_CLIENT
        go.set()
        await until(desk, lambda: all(desk.runs.get(r.number).counts[RunCount.FILLED] for r in runs))
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.FINISHED)
        await books_are_sound(desk)


def test_no_calendar_second_minute_or_day_is_driven_beyond_its_budget():
    dice, lane, now = random.Random(7), Lane(CAPABILITIES), START
    calls, cancels = Counter(), Counter()
    made = placements = 0
    while made < 6_000:
        cancel = dice.random() < 0.3
        wait = lane.wait_s(now, cancel=cancel)
        if wait:
            now += timedelta(seconds=wait)
            assert wait <= 60
            assert cancel or lane.wait_s(now, cancel=True) <= wait
            continue
        lane.take(now, cancel=cancel)
        made += 1
        placements += not cancel
        for unit, length in (("s", 1), ("m", 60)):
            calls[unit, int(now.timestamp()) // length] += 1
            cancels[unit, int(now.timestamp()) // length] += cancel
        now += timedelta(milliseconds=dice.choice((0, 0, 0, 1, 40, 300)))
    for (unit, moment), number in calls.items():
        limit, kept = (10, 2) if unit == "s" else (400, 100)
        assert number <= limit
        assert number - cancels[unit, moment] <= limit - kept
    assert placements <= CAPABILITIES.orders_per_day


async def test_clients_whose_broker_never_answers_delay_nobody_and_are_left_alone_for_a_while(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        everyone = sorted(client.id for client in desk.clients.all() if client.gate is None)
        dead = set(everyone[:40])
        answered = asyncio.Event()

        async def place(account, request):
            if account.client_id in dead:
                await answered.wait()
            return

        wire.on_place = place
        many = [await started(desk, *everyone, quantity=number) for number in (1, 2, 3)]
        alive = [o for o in desk.orders.all() if o.client_id not in dead]
        await until(desk, lambda: all(desk.orders.get(o.id).state is OrderState.FILLED for o in alive))
        assert desk.clock.monotonic() < 5
        assert {desk.runs.get(run.number).status for run in many} == {RunStatus.RUNNING}
        answered.set()
        await desk.settle()
        await books_are_sound(desk)


async def test_a_client_that_was_silent_twice_rests_before_its_next_order_is_tried(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        tries = []

        async def place(account, request):
            tries.append(desk.clock.monotonic())
            return Ambiguous(f"{NO_ANSWER} within 10 s")

        wire.on_place = place
        for number in range(3):
            await started(desk, ROHAN, quantity=number + 1)
        await until(desk, lambda: len(tries) == 3)
        assert tries[1] == tries[0]
        assert tries[2] - tries[1] >= seam(desk).waits.silent_pause_s
