"""A desk's life: one app, what a dead engine left behind, and a book that follows other processes."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from brokers.contract import NotSent
from data.acting import Actor, acting
from data.clock import ManualClock
from data.tables.books import Instance
from data.tables.columns import table
from data.tables.orders import AttemptRecord, Order
from data.vocabulary import ClientStatus, DeskKind, OrderState, PauseReason, RunCount, RunStatus, SizingKind
from engine.instances import AppAlreadyRuns
from tests.desks import (
    START,
    Wire,
    books_are_sound,
    buy,
    carry_out,
    filed_desk,
    paper_desk,
    sends_nothing,
    until,
)
from tradedesk.testing import seam

ROHAN, PRIYA, AMIT = 8, 15, 22


async def test_one_app_at_a_time_and_the_command_line_beside_it(tmp_path):
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock, DeskKind.APP) as desk:
        with pytest.raises(AppAlreadyRuns, match="another tradedesk app"):
            async with filed_desk(tmp_path, clock, DeskKind.APP, seed=8):
                pass
        async with filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as other:
            assert seam(desk).engine.lives(seam(other).engine.id)
            await other.clients.set_status(ROHAN, ClientStatus.INACTIVE, "asked us to")
            await until(desk, lambda: desk.clients.get(ROHAN).status is ClientStatus.INACTIVE, step_s=0.1)
            with acting(Actor("asha")):  # the traders of the two are not the same
                await other.watchlists.add("NSE:RIIL", "Mine")
                await until(desk, lambda: desk.watchlists.keys("Mine") == ["NSE:RIIL"], step_s=0.1)
            number = seam(other).engine.id
        assert not seam(desk).engine.lives(number)
    async with filed_desk(tmp_path, clock, DeskKind.APP) as desk:
        assert desk.clients.get(ROHAN).status is ClientStatus.INACTIVE


async def test_what_a_dead_engine_left_is_in_doubt_adopted_by_tag_or_sent_on_by_hand(tmp_path):
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        wire = Wire(desk)

        async def place(account, request):
            if account.client_id == ROHAN:
                await wire.broker.place(account, request)  # it arrived, and the answer never comes
            await asyncio.Event().wait()

        wire.on_place = place
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN, PRIYA))
        sent = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: len(wire.placed) == 2, step_s=0.0)
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, AMIT))
        sends_nothing(desk)  # dies between the commit and the first claim
        unsent = await desk.runs.start(plan, plan.digest)
        # The process is killed here: nothing of what comes in after this reaches its books.
        seam(desk).waits = type(seam(desk).waits)(send_timeout_s=0.05)
        seam(desk).workers.recorder.put = lambda fact: None
        seam(desk).background.cancel()
    async with filed_desk(tmp_path, clock, seed=8) as desk:
        await until(
            desk, lambda: desk.runs.get(sent.number).counts[RunCount.FILLED] == desk.counts().unknown == 1
        )
        states = {order.client_id: order.state for order in desk.orders.all()}
        assert states == {
            ROHAN: OrderState.FILLED,
            PRIYA: OrderState.UNKNOWN,
            AMIT: OrderState.RESERVED,
        }
        assert len((await desk.orders.life(1)).attempts) == 1
        left = desk.runs.get(unsent.number)
        assert (left.status, left.pause_reason) == (RunStatus.PAUSED, PauseReason.ENGINE_DIED)
        await desk.runs.go_on(unsent.number, 1)
        await until(desk, lambda: desk.runs.get(unsent.number).status is RunStatus.FINISHED)
        assert desk.runs.get(unsent.number).counts[RunCount.FILLED] == 1
        assert desk.orders.all(client_id=PRIYA)[0].blocked_paise > 0
        await books_are_sound(desk)


async def test_an_engine_that_dies_beside_this_one_leaves_doubt_not_silence(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)

        async def place(account, request):
            return NotSent("429")

        wire.on_place = place
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.UNSENT] == 1 and wire.placed)
        await desk.runs.pause(run.number)
        orders, attempts, instances = table(Order), table(AttemptRecord), table(Instance)

        def another_engine_claimed_it_and_died(unit):
            number = unit.take_ids("instance", 1)[0]
            row = {"id": number, "kind": "cli", "pid": 1, "process_started": "", "heartbeat_at": unit.now}
            unit.insert(Instance, [{**row, "started_at": unit.now}])
            unit.connection.execute(update(orders).values(state="SENDING", instance_id=number))
            unit.connection.execute(update(attempts).values(instance_id=number))
            unit.touched.everything = True
            return unit.connection.execute(instances.select()).all()

        await seam(desk).store.write(another_engine_claimed_it_and_died)
        await until(desk, lambda: desk.counts().unknown == 1)
        await books_are_sound(desk)


async def test_the_stream_that_fails_is_opened_anew(tmp_path):
    async with paper_desk(tmp_path) as desk:
        real, broken = seam(desk).book.by_code, []

        class Breaks(dict):
            def get(self, key, default=None):
                if not broken:
                    broken.append(key)
                    raise RuntimeError("no")
                return super().get(key, default)

        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        seam(desk).book.by_code = Breaks(real)
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.FINISHED)
        assert broken
        _, run = await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.FINISHED)
        await books_are_sound(desk)


async def test_a_command_beside_a_running_app_need_not_read_the_books_again(tmp_path):
    clock = ManualClock(START)
    one = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN)
    async with filed_desk(tmp_path, clock, DeskKind.APP) as desk:
        assert await desk.reconcile.check(ROHAN)
        at = desk.reconcile.compared_at(ROHAN)
        await desk.clients.set_status(PRIYA, ClientStatus.INACTIVE, "away")
        async with filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as other:
            assert other.reconcile.compared_at(ROHAN) == at
            assert not other.reconcile.is_compared(PRIYA)
            broker: Any = other.connections.feed.broker
            broker.holdings = None  # whoever asks for books fails
            assert (await other.plans.preview(one)).orders == 1
        clock.shift(seam(desk).waits.compare_every_s + 1)
        async with filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as other:
            assert not other.reconcile.is_compared(ROHAN), "what is old is read again"
        assert await desk.reconcile.check(ROHAN)
    async with filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as other:
        assert not other.reconcile.is_compared(ROHAN), "nobody keeps these books true"
