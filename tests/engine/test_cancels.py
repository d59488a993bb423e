"""Cancelling: asked once, repeated until the end, sent on sight, and sent though nothing can be written."""

import asyncio
from collections import Counter

import pytest

from brokers.contract import Ambiguous, Refused
from data.records import replace
from data.store import StoreUnwritable
from data.vocabulary import OrderState, RunCount, SizingKind
from engine.refusals import TradingStopped
from engine.rules import PER_CLIENT
from tests.desks import (
    WAITS,
    Wire,
    books_are_sound,
    buy,
    carry_out,
    disk,
    in_time,
    manual_clock,
    paper_desk,
    until,
)
from tests.refusing import refuses
from tests.resting import rest
from tradedesk.testing import seam

ARUN, ROHAN, PRIYA = 1, 8, 15
LOW = 2300_00


def resting(*clients, quantity=1, **named):
    return buy("RELIANCE", SizingKind.FIXED_QUANTITY, quantity, *clients, limit_paise=LOW, **named)


async def test_a_cancel_asked_twice_is_one_request_and_frees_only_on_the_brokers_word(tmp_path):
    async with paper_desk(tmp_path) as desk:
        before = desk.funds.all()
        wire = Wire(desk)
        go = asyncio.Event()

        async def cancel(account, number):
            await go.wait()

        wire.on_cancel = cancel
        await carry_out(desk, resting(ROHAN))
        (order,) = desk.orders.all()
        results = [await desk.orders.cancel([order.id]) for _ in range(2)]
        assert [(r.asked, r.freed_unsent, r.ended) for r in results] == [(1, 0, ())] * 2
        assert desk.orders.get(order.id).state is OrderState.OPEN
        assert desk.funds.of(ROHAN).blocked_paise == order.blocked_paise > 0
        go.set()
        await until(desk, lambda: not desk.orders.get(order.id).live)
        assert (await desk.orders.cancel([order.id])).ended == (order.id,)
        life = await desk.orders.life(order.id)
        assert [(r.number, r.state) for r in life.requests] == [(1, "CONFIRMED")]
        assert desk.funds.all() == before
        await books_are_sound(desk)


async def test_a_refused_or_silent_cancel_is_repeated_until_the_order_has_ended(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        answers = [Refused("busy", "being processed"), Ambiguous("no answer"), None]

        async def cancel(account, number):
            return answers.pop(0)

        wire.on_cancel = cancel
        await carry_out(desk, resting(ROHAN))
        (order,) = desk.orders.all()
        await desk.orders.cancel([order.id])
        await until(desk, lambda: not desk.orders.get(order.id).live)
        assert len(wire.cancelled) == 3
        actions = [row.action for row in (await desk.orders.life(order.id)).audit]
        assert {"CANCEL_REQUESTED", "CANCEL_REFUSED", "CANCEL_UNKNOWN", "ORDER_CANCELLED"} <= set(actions)
        await books_are_sound(desk)


async def test_an_order_in_doubt_is_cancelled_as_soon_as_it_is_seen(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        held = []

        async def place(account, request):
            held.append((account, request))
            return Ambiguous("lost on the way")

        wire.on_place = place
        plan = await desk.plans.freeze(resting(ROHAN))
        await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.counts().unknown == 1)
        (order,) = desk.orders.all()
        await desk.orders.cancel([order.id])
        await manual_clock(desk).advance(2)
        assert wire.cancelled == []
        await wire.broker.place(*held[0])  # it arrives late
        await until(desk, lambda: not desk.orders.get(order.id).live)
        assert (desk.orders.get(order.id).state, len(wire.cancelled)) == (OrderState.CANCELLED, 1)
        await books_are_sound(desk)


async def test_one_clients_silence_keeps_no_other_clients_cancel_back(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.execution.changes.cancels.CANCEL_WORKERS", PER_CLIENT + 2)
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        asked, go = Counter(), asyncio.Event()

        async def cancel(account, number):
            asked[account.client_id] += 1
            if account.client_id == ROHAN:
                await go.wait()

        wire.on_cancel = cancel
        for _ in range(8):
            await carry_out(desk, resting(ROHAN, again=True))
            await manual_clock(desk).advance(0.2)
        await carry_out(desk, resting(PRIYA))
        orders = desk.orders.all(live=True)
        assert len(orders) == 9
        await desk.orders.cancel([order.id for order in reversed(orders)])
        await until(desk, lambda: not desk.orders.all(live=True, client_id=PRIYA), step_s=0.1)
        assert asked[PRIYA] == 1
        assert len(desk.orders.all(live=True, client_id=ROHAN)) == 8
        go.set()
        await until(desk, lambda: not desk.orders.all(live=True), step_s=1)
        await books_are_sound(desk)


async def test_no_book_is_read_while_cancels_of_other_clients_have_not_left(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.execution.changes.cancels.CANCEL_WORKERS", 1)
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, resting(ROHAN, PRIYA, ARUN))
        wire, hold, reads = Wire(desk), asyncio.Event(), []

        async def cancel(account, number):
            if len(wire.cancelled) == 2:
                await hold.wait()

        async def read(account):
            reads.append(len(wire.cancelled))

        wire.on_cancel, wire.on_read = cancel, read
        firing = desk.halt.fire_now("tester")
        await until(desk, lambda: desk.counts().live == 2, step_s=0)
        await rest()
        assert (len(wire.cancelled), reads) == (2, [])  # the last one waits for its turn
        hold.set()
        await until(desk, firing.done)
        certificate = firing.result()
        assert (certificate.cancelled, certificate.ended) == (3, True)
        assert min(reads) == 3


async def test_the_facts_of_many_calls_are_booked_together(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.desks.WAITS", replace(WAITS, gather_s=0.02))
    async with paper_desk(tmp_path) as desk:
        _, run = await in_time(desk, carry_out(desk, resting()))
        total, first = run.counts[RunCount.OPEN], 10
        wire, go = Wire(desk), asyncio.Event()

        async def cancel(account, number):
            if len(wire.cancelled) > first:
                await go.wait()

        wire.on_cancel = cancel
        await desk.orders.cancel([order.id for order in desk.orders.all()])
        await rest()
        await seam(desk).store.write(lambda unit: None)  # behind whatever is being written
        commits = desk.commits
        assert (len(wire.cancelled), desk.counts().live) == (total, total)
        await until(desk, lambda: desk.counts().live < total, step_s=0.005)
        assert (desk.counts().live, desk.commits) == (total - first, commits + 1)
        go.set()
        await until(desk, lambda: desk.counts().live == 0, step_s=0.005)
        await books_are_sound(desk)


async def test_with_a_full_disk_nothing_is_sent_but_cancels_are_and_the_books_catch_up(tmp_path):
    async with paper_desk(tmp_path) as desk:
        before = desk.funds.all()
        _, run = await carry_out(desk, resting())
        total = run.counts[RunCount.OPEN]
        assert total > 40
        wire = Wire(desk)
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        await disk(desk, full=True)
        stood = desk.funds.all()

        for _ in range(2):
            with refuses(
                TradingStopped,
                r"is full: free .* \(.* since \d\d:\d\d:\d\d wall\); once .*; cancels still go",
            ):
                await desk.runs.start(plan, plan.digest)
        assert desk.trading_disabled
        assert (wire.placed, desk.funds.all()) == ([], stood)

        with pytest.raises(
            StoreUnwritable, match=f"free some space; the brokers took {total} cancels all the same"
        ):
            await desk.orders.cancel([order.id for order in desk.orders.all()])
        assert len(wire.cancelled) == total
        assert desk.funds.all() == stood  # no money is freed before that is written
        await manual_clock(desk).advance(3)

        await disk(desk, full=False)
        await until(desk, lambda: desk.counts().live == 0)
        assert desk.trading_disabled is None
        assert desk.funds.all() == before
        assert {order.state for order in desk.orders.all()} == {OrderState.CANCELLED}
        await manual_clock(desk).advance(1)
        fresh = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        await desk.runs.start(fresh, fresh.digest)
        await books_are_sound(desk)
