"""What was confirmed before a halt never leaves after it, though the halt was resumed by then."""

import asyncio

import pytest

from brokers.contract import Refused
from data.errors import BadInput
from data.records import replace
from data.vocabulary import (
    ChaseEnd,
    ChaseWait,
    ConversionState,
    FlattenLineState,
    FlattenReason,
    FlattenWhat,
    HaltScope,
    LimitTo,
    OrderState,
    Product,
    SizingKind,
)
from engine.book.halt_file import write_halt_file
from engine.book.halt_scope import HaltView
from engine.execution.changes.new_limits import NewLimit
from engine.halt.booked import FILE_ONLY, open_halt, resume_halt
from engine.refusals import HaltedMeanwhile
from tests.desks import (
    START,
    Wire,
    books_are_sound,
    buy,
    carry_out,
    in_time,
    manual_clock,
    paper_desk,
    until,
)
from tests.refusing import refuses
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
MIS, CNC = Product.MIS, Product.CNC
ROHAN, PRIYA = 8, 15
TCS = "NSE:TCS"


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)


def fill_lane(desk, client_id):
    lane = desk.connections.lane(client_id)
    while not lane.wait_s(desk.clock.now()):
        lane.take(desk.clock.now())


async def halted_and_resumed(desk, scope=HaltScope.EVERYTHING, value=""):
    made = await in_time(desk, desk.halt.fire("tester", scope, value))
    await desk.halt.resume(made.number, "resume", "tester")
    assert desk.halt.active() == []


async def resting(desk, *client_ids):
    _, run = await carry_out(desk, buy("TCS", QTY, 2, *client_ids, limit_paise=2400_00))
    return list(run.order_ids)


def keeps_its_orders(wire):
    """Have the broker refuse every cancel, so that orders live on under a halt."""

    async def refused(account, broker_order_id):
        return Refused("busy", "not now")

    wire.on_cancel = refused


async def test_a_modify_that_waits_its_turn_is_not_sent_after_a_halt_that_was_resumed(desk):
    (order_id,), wire = await resting(desk, ROHAN), Wire(desk)
    keeps_its_orders(wire)
    desk.connections.lane(ROHAN).wait_s = lambda now, cancel=False: 0.0 if cancel else 45.0
    await desk.orders.modify(order_id, limit_paise=2410_00)
    await halted_and_resumed(desk, HaltScope.CLIENT, str(ROHAN))
    assert desk.orders.get(order_id).modifying
    del desk.connections.lane(ROHAN).wait_s
    await until(desk, lambda: not desk.orders.get(order_id).modifying)
    assert (wire.modified, desk.orders.get(order_id).limit_paise) == ([], 2400_00)
    (request,) = [one for one in (await desk.orders.life(order_id)).requests if one.kind == "modify"]
    assert "halted" in request.detail


async def test_a_list_of_modifies_whose_look_took_a_halt_is_not_asked_for(desk):
    (order_id,), wire = await resting(desk, ROHAN), Wire(desk)
    keeps_its_orders(wire)
    plan = await desk.modifies.look([order_id], NewLimit(LimitTo.PRICE, 2410_00))
    confirm = desk.modifies.confirm

    async def slowly(*words):
        why = await confirm(*words)
        await halted_and_resumed(desk, HaltScope.SYMBOL, TCS)
        seam(desk).workers.canceller.close()
        return why

    desk.modifies.confirm = slowly
    (asked,) = await desk.modifies.start(plan, plan.digest)
    assert isinstance(asked.problem, HaltedMeanwhile)
    assert wire.modified == []


async def test_conversions_that_wait_are_not_sent_after_a_halt_that_was_resumed(desk):
    for symbol in ("TCS", "INFY"):
        await carry_out(desk, buy(symbol, QTY, 3, PRIYA, product=MIS))
    found = await desk.several_conversions.prospects([PRIYA], (MIS, CNC))
    assert [one.why_not for one in found] == ["", ""]
    fill_lane(desk, PRIYA)
    converting = asyncio.create_task(desk.several_conversions.convert(found))
    while not await desk.conversions.open():
        await manual_clock(desk).advance(0)
    await halted_and_resumed(desk)
    await until(desk, converting.done)
    first, second = await converting
    assert (first.view.state, first.view.detail) == (ConversionState.REFUSED, "halted")
    assert isinstance(second.refusal, HaltedMeanwhile)
    assert {one.product for one in desk.holdings.of(PRIYA)} == {MIS}
    with pytest.raises(BadInput):
        await desk.conversions.convert(PRIYA, TCS, (MIS, CNC), 99)
    done = await in_time(desk, desk.conversions.convert(PRIYA, TCS, (MIS, CNC)))
    assert done.state is ConversionState.DONE, "what is confirmed after it goes"


@pytest.mark.parametrize("scope", [(HaltScope.EVERYTHING, ""), (HaltScope.CLIENT, str(ROHAN))])
async def test_a_plan_confirmed_before_a_halt_is_not_reserved_after_it(desk, scope):
    plan = await desk.plans.freeze(buy("TCS", QTY, 2, ROHAN, limit_paise=2400_00))
    other = await desk.plans.freeze(buy("TCS", QTY, 2, PRIYA, limit_paise=2400_00))
    is_as_stored = desk.plans.is_as_stored

    async def slowly(one):
        await halted_and_resumed(desk, *scope)
        return await is_as_stored(one)

    desk.plans.is_as_stored = slowly
    with refuses(HaltedMeanwhile, "a halt came after this was confirmed"):
        await desk.runs.start(plan, plan.digest)
    desk.plans.is_as_stored = is_as_stored
    assert desk.orders.all() == []
    await desk.runs.start(other, other.digest)
    await until(desk, lambda: [one.state for one in desk.orders.all()] == [OrderState.OPEN])


async def test_what_waits_unsent_under_the_file_alone_is_freed_as_that_is_resumed(desk):
    fill_lane(desk, ROHAN)
    wire = Wire(desk)
    plan = await desk.plans.freeze(buy("TCS", QTY, 2, ROHAN, limit_paise=2400_00))
    await desk.runs.start(plan, plan.digest)
    write_halt_file(desk.home / "HALT", "anna", START)
    (order,) = desk.orders.all()
    assert order.state is OrderState.RESERVED
    await desk.halt.resume(FILE_ONLY, "resume", "tester")
    await until(desk, lambda: not desk.orders.get(order.id).live)
    assert desk.orders.get(order.id).state is OrderState.CANCELLED
    assert (wire.placed, desk.funds.of(ROHAN).blocked_paise) == ([], 0)


async def seen_at_once(desk, scope=HaltScope.EVERYTHING, value=""):
    """Another process fires a halt and resumes it before this one has noticed either."""
    halt = HaltView(FILE_ONLY, scope, value, desk.clock.now(), "asha")
    clients = seam(desk).kept.book.clients

    def both(unit):
        return resume_halt(unit, open_halt(unit, replace(halt, at=unit.now), clients).halt, "asha")

    await seam(desk).store.write(both)


async def test_an_order_that_was_claimed_before_a_short_halt_does_not_leave_after_it(desk):
    wire = Wire(desk)

    async def meanwhile(account, request):
        await seen_at_once(desk)

    wire.on_place = meanwhile
    plan = await desk.plans.freeze(buy("TCS", QTY, 2, ROHAN, limit_paise=2400_00))
    await desk.runs.start(plan, plan.digest)
    (order,) = desk.orders.all()
    await until(desk, lambda: not desk.orders.get(order.id).live)
    assert desk.orders.get(order.id).state is OrderState.CANCELLED
    assert exchange_of(desk).orders(desk.clients.get(ROHAN).code) == []
    assert len(wire.placed) == 1
    assert desk.funds.of(ROHAN).blocked_paise == 0


async def test_a_chase_waits_for_the_trader_after_a_halt_however_short_it_was(desk):
    first, second = await resting(desk, ROHAN, PRIYA)
    plan = await desk.modifies.look([first, second], NewLimit(LimitTo.CHASE, 2450_00))
    of_rohan, of_priya = await desk.chases.start(plan, plan.digest)
    await seen_at_once(desk, HaltScope.CLIENT, str(ROHAN))
    await until(desk, lambda: of_priya.end is not None)
    assert of_rohan.pause is not None
    assert (of_rohan.pause.why, of_rohan.pricing.moved) == (ChaseWait.HALTED, 0)
    assert of_priya.end is ChaseEnd.AT_BOUND, "another client's goes on"


async def test_a_flatten_sends_nothing_more_after_a_halt_however_short_it_was(desk):
    await carry_out(desk, buy("INFY", QTY, 3, PRIYA, product=MIS))
    wire = Wire(desk)

    async def never(account, request):
        return Refused("busy", "not now")

    wire.on_place = never
    number = await desk.flatten.start(HaltScope.CLIENT, str(PRIYA), FlattenWhat.MIS)
    await until(desk, lambda: wire.placed)
    await manual_clock(desk).advance(0.01)
    await seen_at_once(desk)
    placed = len(wire.placed)
    made = await in_time(desk, desk.flatten.follow(number))
    (line,) = made.lines
    assert (line.state, line.reason) == (FlattenLineState.LEFT, FlattenReason.HALTED)
    assert len(wire.placed) == placed
