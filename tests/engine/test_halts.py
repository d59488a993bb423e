"""Halts: stop first, then cancel; from another process, with a locked or full store; resumed by number."""

import asyncio
import sqlite3

import pytest

from brokers.contract import Ambiguous, BrokerStatus, OrderRequest, Refused
from data.clock import ManualClock
from data.errors import BadInput
from data.store import StoreUnwritable
from data.vocabulary import (
    DeskKind,
    HaltScope,
    OrderState,
    OrderType,
    Product,
    Reason,
    RunCount,
    Side,
    SizingKind,
)
from engine.book.halt_file import halt_file_stands, read_halt_file, write_halt_file
from engine.halt.booked import FILE_ONLY
from engine.refusals import Halted
from tests.desks import (
    START,
    Wire,
    books_are_sound,
    buy,
    by_phone,
    carry_out,
    disk,
    filed_desk,
    manual_clock,
    paper_desk,
    there,
    until,
)
from tests.refusing import refuses
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

ROHAN, PRIYA, AMIT = 8, 15, 22
LOW = 2300_00


def resting(*clients, **named):
    return buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, *clients, limit_paise=LOW, **named)


@pytest.mark.parametrize("scope", [one for one in HaltScope if one is not HaltScope.DESK])
async def test_a_halt_cancels_and_stops_its_scope_and_nothing_else(tmp_path, scope):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, resting())
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, limit_paise=2400_00))
        group = desk.clients.groups()[0]
        values = {
            HaltScope.EVERYTHING: ("", lambda order: True),
            HaltScope.BROKER: ("zerodha", lambda order: order.broker == "zerodha"),
            HaltScope.GROUP: (group, lambda order: group in desk.clients.get(order.client_id).groups),
            HaltScope.CLIENT: (str(ROHAN), lambda order: order.client_id == ROHAN),
            HaltScope.SYMBOL: ("NSE:TCS", lambda order: order.key == "NSE:TCS"),
        }
        value, within = values[scope]
        live = desk.orders.all(live=True)
        expected = {order.id for order in live if within(order)}
        assert desk.halt.exposure(scope, value).orders == len(expected) > 0
        blocked = sum(order.blocked_paise for order in live if within(order))
        made = await desk.halt.fire("tester", scope, value)
        assert (made.ended, made.cancelled, made.released_paise) == (True, len(expected), blocked)
        assert {order.order_id for order in made.orders} == expected
        assert {order.id for order in desk.orders.all(live=True)} == {o.id for o in live} - expected
        assert (desk.home / "HALT").exists() == (scope is HaltScope.EVERYTHING)

        again = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 2))
        if scope is HaltScope.EVERYTHING:
            with refuses(Halted, r"halt 1 by tester.*resume it first"):
                await desk.runs.start(again, again.digest)
        else:
            halted = {line.client_id for line in again.lines if line.reason is Reason.HALTED}
            for client in desk.clients.all():
                covered = scope is HaltScope.SYMBOL or any(
                    order.client_id == client.id for order in made.orders
                )
                assert client.gate or (client.id in halted) == covered, client.code
        with pytest.raises(BadInput, match="type resume"):
            await desk.halt.resume(made.number, "yes", "tester")
        with pytest.raises(BadInput, match=f"halts that stand: {made.number}"):
            await desk.halt.resume(made.number + 1, "resume", "tester")
        await desk.halt.resume(made.number, " Resume ", "tester")
        assert desk.halt.active() == []
        assert not (desk.home / "HALT").exists()
        await books_are_sound(desk)


async def test_an_unknown_scope_is_named(tmp_path):
    async with paper_desk(tmp_path) as desk:
        for scope, value in (("group", "x"), ("client", "999"), ("symbol", ""), ("broker", "x")):
            with pytest.raises(BadInput, match=scope):
                await desk.halt.fire("tester", HaltScope(scope), value)
        assert desk.halt.active() == []


async def test_what_is_in_flight_when_the_file_is_written_is_cancelled_on_sight(
    tmp_path,
):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        go = asyncio.Event()

        async def place(account, request):
            assert not (desk.home / "HALT").exists()
            await go.wait()

        wire.on_place = place
        before = desk.funds.all()
        for _ in range(6):
            plan = await desk.plans.freeze(resting(ROHAN, PRIYA, again=True))
            await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: len(wire.placed) == 8, step_s=0.05)
        fired = desk.halt.fire_now("tester")
        await until(desk, lambda: desk.orders.all() and desk.counts().unsent == 0, step_s=0.05)
        assert (desk.home / "HALT").exists()
        go.set()
        made = await _certified(desk, fired)
        assert (made.ended, made.cancelled, made.unsent_freed) == (True, 12, 4)
        assert len(wire.placed) == 8
        assert desk.funds.all() == before
        await books_are_sound(desk)


async def _certified(desk, fired):
    await until(desk, fired.done)
    return fired.result()


async def test_the_certificate_tells_what_was_not_cancelled_and_another_desk_reads_it(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)

        async def place(account, request):
            return Ambiguous("lost") if account.client_id == AMIT else None

        async def cancel(account, number):
            if account.client_id == PRIYA:
                exchange_of(desk).pin("RELIANCE", LOW, 2395_20)  # the price comes down meanwhile
            return Refused("busy", "no") if account.client_id == ROHAN else None

        wire.on_place, wire.on_cancel = place, cancel
        plan = await desk.plans.freeze(resting(AMIT))
        await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.counts().unknown == 1)
        await carry_out(desk, resting(PRIYA))
        fired = desk.halt.fire_now("tester")
        made = await _certified(desk, fired)
        results = {order.client_id: order.result for order in made.orders}
        assert results == {AMIT: "unknown", PRIYA: "filled"}
        assert (made.ended, made.unknown, made.filled_meanwhile) == (False, 1, 1)
        assert made.still_blocked_paise == desk.orders.all(client_id=AMIT)[0].blocked_paise
        assert (desk.home / "certificates" / "halt-1.json").exists()
        await books_are_sound(desk)
    (tmp_path / "HALT").unlink()
    async with paper_desk(tmp_path, demo=False) as again:
        assert again.halt.latest() == again.halt.certificate(1) == made
        assert (tmp_path / "HALT").exists()
        assert [halt.number for halt in again.halt.active()] == [1]


async def test_another_process_cancels_the_orders_of_this_one(tmp_path):
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock, DeskKind.APP) as desk:
        before = desk.funds.all()
        plan = await desk.plans.freeze(resting())
        run = await desk.runs.start(plan, plan.digest)
        await until(
            desk, lambda: desk.runs.get(run.number).counts[RunCount.OPEN] == run.counts[RunCount.TOTAL]
        )
        async with filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as other:
            fired = other.halt.fire_now("cli")
            made = await _certified(other, fired)
            assert (made.ended, made.cancelled) == (True, run.counts[RunCount.TOTAL])
            await until(desk, lambda: desk.counts().live == 0 and desk.halt.latest(), step_s=0.1)
            assert desk.halt.latest() == made
            assert desk.funds.all() == before
            assert [halt.by for halt in desk.halt.active()] == ["cli"]
            with pytest.raises(Halted):
                await desk.runs.start(plan, plan.digest)
            await other.halt.resume(made.number, "resume", "cli")
            await until(desk, lambda: not desk.halt.active(), step_s=0.1)
        assert not (tmp_path / "HALT").exists()
        await books_are_sound(desk)


async def test_a_store_that_another_holds_does_not_hold_the_cancels(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, resting())
        phoned = by_phone(desk, ROHAN, quantity=4, limit_paise=LOW, symbol="TCS")
        await until(desk, lambda: seam(desk).book.external_orders.get(ROHAN))
        wire = Wire(desk)
        total = desk.counts().live
        frozen = sqlite3.connect(tmp_path / "desk.db", isolation_level=None)
        frozen.execute("BEGIN IMMEDIATE")
        fired = desk.halt.fire_now("tester")
        await until(desk, lambda: len(wire.cancelled) == total + 1, step_s=0.1)
        assert not fired.done()
        frozen.execute("COMMIT")
        frozen.close()
        made = await _certified(desk, fired)
        assert (made.ended, made.cancelled) == (True, total)
        assert [(one.broker_order_id, one.result) for one in made.external] == [(phoned, "ended")]
        await books_are_sound(desk)


async def test_a_full_disk_does_not_hold_the_cancels_and_a_part_halt_stays_in_its_part(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, resting())
        total = desk.counts().live
        wire = Wire(desk)
        await disk(desk, full=True)
        with pytest.raises(
            StoreUnwritable, match=f"free some space; the brokers took {total} cancels all the same"
        ):
            await desk.halt.fire("tester")
        assert len(wire.cancelled) == total
        assert (desk.home / "HALT").exists()
        told = desk.halt.unwritten
        assert told is not None
        assert (told.by, told.orders, told.taken) == ("tester", total, total)
        assert [(halt.number, halt.by) for halt in desk.halt.active()] == [(FILE_ONLY, "tester")]
        await disk(desk, full=False)
        await until(desk, lambda: desk.counts().live == 0)
        assert await desk.halt.resume(FILE_ONLY, "resume", "tester") == 1
        assert (desk.halt.active(), desk.halt.unwritten) == ([], None)
        assert not (desk.home / "HALT").exists()
        made = await desk.halt.fire("tester")
        await desk.halt.resume(made.number, "resume", "tester")
        await manual_clock(desk).advance(2)
        await carry_out(desk, resting(ROHAN, PRIYA, again=True))
        wire.cancelled.clear()
        await seam(desk).workers.canceller.without_store(
            [order.id for order in desk.orders.all(client_id=ROHAN, live=True)]
        )
        await until(desk, lambda: desk.counts().live == 1)
        (left,) = desk.orders.all(live=True)
        assert (left.client_id, left.state, len(wire.cancelled)) == (PRIYA, OrderState.OPEN, 1)
        await books_are_sound(desk)


async def test_a_halt_file_halts_whatever_stands_in_it(tmp_path):
    async with paper_desk(tmp_path) as desk:
        file = desk.home / "HALT"
        assert read_halt_file(file) is None
        for content in (b"", b"\xff\xfe", b"stop"):
            file.write_bytes(content)
            (halt,) = desk.halt.active()
            assert (halt.number, halt.by) == (FILE_ONLY, "the HALT file")
            assert halt.at.utcoffset() is not None
        write_halt_file(file, "anna by night", START)
        assert read_halt_file(file) == (START, "anna by night")


async def test_an_order_from_the_clients_phone_is_cancelled_too_and_stands_in_the_certificate(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 2, 8, limit_paise=2400_00))
        request = OrderRequest(
            "NSE", "INFY", Side.BUY, 3, Product.CNC, OrderType.LIMIT, "", price_paise=1400_00
        )
        for client_id in (8, 22):  # one of a client whose orders are known, one of a client without any
            exchange_of(desk).place(desk.clients.get(client_id).code, request)
        made = await desk.halt.fire("tester")
        assert (made.ended, made.cancelled, made.unreachable) == (True, 1, 0)
        assert [(s.client_id, s.key, s.result) for s in made.external] == [
            (8, "NSE:INFY", "ended"),
            (22, "NSE:INFY", "ended"),
        ]
        for client_id in (8, 22):
            orders = exchange_of(desk).orders(desk.clients.get(client_id).code)
            assert {order.status for order in orders} == {BrokerStatus.CANCELLED}
        (line,) = made.lines
        assert there(line.first_cancel_s) <= there(line.last_cancel_s) <= there(line.ended_s)


async def test_a_halt_that_died_in_the_middle_goes_on_to_its_certificate_by_itself(tmp_path):
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 2, 8, 22, limit_paise=2400_00))

        def die(point):
            if point == "halt_written":
                raise asyncio.CancelledError

        seam(desk).reached = die
        with pytest.raises(asyncio.CancelledError):
            await desk.halt.fire("tester")
        assert desk.halt.latest() is None
        assert desk.counts().live == 2
    async with filed_desk(tmp_path, clock) as desk:
        await until(desk, lambda: (made := desk.halt.latest()) is not None and made.ended)
        made = there(desk.halt.latest())
        assert (made.cancelled, made.by) == (2, "tester")
        assert desk.counts().live == 0
        await until(desk, lambda: not desk.halt.firing)
        assert (tmp_path / "certificates" / f"halt-{made.number}.json").exists()
        assert [halt.number for halt in desk.halt.active()] == [made.number]
        await books_are_sound(desk)


async def test_a_halted_group_is_the_group_as_it_was(tmp_path):
    async with paper_desk(tmp_path) as desk:
        group = desk.clients.groups()[0]
        inside = {c.id for c in desk.clients.all() if group in c.groups}
        await desk.halt.fire("tester", HaltScope.GROUP, group)
        (halt,) = desk.halt.active()
        assert halt.members == inside


def test_a_halt_file_that_nobody_can_look_for_halts(tmp_path):
    assert not halt_file_stands(tmp_path / "HALT")
    assert halt_file_stands(tmp_path / ("H" * 300)), "longer than any file's name"
