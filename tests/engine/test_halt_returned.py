"""Orders of this desk that its books call ended and that live at the broker when a halt reads there."""

import pytest

from brokers.contract import Accepted, BrokerRows, BrokerStatus
from data.records import replace
from data.store import StoreUnwritable
from data.vocabulary import HaltScope, OrderState, SizingKind
from tests.desks import Wire, books_are_sound, buy, carry_out, disk, manual_clock, paper_desk, there, until
from tradedesk.compose.brokers.paper import exchange_of

ROHAN, PRIYA = 8, 15
ASTRAY = (OrderState.CANCELLED, BrokerStatus.OPEN)


async def resurrected(desk):
    """An order that the broker said was cancelled and that lives there again, unknown to the desk."""
    await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 2, ROHAN, limit_paise=2400_00))
    (order,) = desk.orders.all(client_id=ROHAN)
    await desk.orders.cancel([order.id])
    await until(desk, lambda: not desk.orders.all(client_id=ROHAN, live=True))
    await desk.clock.advance(1)  # so that the broker's next word has a later stamp
    code = desk.clients.get(ROHAN).code
    assert exchange_of(desk).resurrect(code, order.broker_order_id) == Accepted(order.broker_order_id)
    assert states(desk) == ASTRAY
    return order


def states(desk):
    (order,) = desk.orders.all(client_id=ROHAN)
    (there,) = exchange_of(desk).orders(desk.clients.get(ROHAN).code)
    return order.state, there.status


async def certified(desk, scope=HaltScope.EVERYTHING, value=""):
    fired = desk.halt.fire_now("tester") if scope is HaltScope.EVERYTHING else None
    if fired is None:
        return await desk.halt.fire("tester", scope, value)
    await until(desk, fired.done)
    return fired.result()


@pytest.mark.parametrize("scope", [HaltScope.EVERYTHING, HaltScope.CLIENT, HaltScope.SYMBOL])
async def test_an_order_that_came_back_is_cancelled_and_counted(tmp_path, scope):
    async with paper_desk(tmp_path) as desk:
        order = await resurrected(desk)
        value = {HaltScope.CLIENT: str(ROHAN), HaltScope.SYMBOL: "NSE:TCS"}.get(scope, "")
        made = await certified(desk, scope, value)
        assert states(desk) == (OrderState.CANCELLED, BrokerStatus.CANCELLED)
        assert (made.ended, made.cancelled, made.external) == (True, 1, ())
        assert [(one.order_id, one.result) for one in made.orders] == [(order.id, "cancelled")]
        await books_are_sound(desk)


async def test_an_order_out_of_the_scope_that_came_back_is_left_alone(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await resurrected(desk)
        made = await certified(desk, HaltScope.CLIENT, str(PRIYA))
        assert (made.ended, made.orders) == (True, ())
        assert states(desk)[1] is BrokerStatus.OPEN


async def test_while_it_lives_nothing_has_ended(tmp_path):
    async with paper_desk(tmp_path) as desk:
        order = await resurrected(desk)

        async def cancel(account, number):
            return Accepted(number)  # the broker takes it, and the order goes on living

        Wire(desk).on_cancel = cancel
        made = await certified(desk)
        assert (made.ended, made.unknown) == (False, 1)
        assert [(one.order_id, one.result) for one in made.orders] == [(order.id, "live")]


async def test_a_row_that_lives_under_an_old_stamp_is_cancelled_at_once_and_waited_for(tmp_path):
    """Its word is older than the end that the desk was told, so that only a later read may book it."""
    async with paper_desk(tmp_path) as desk:
        order = await resurrected(desk)
        wire = Wire(desk)
        reads = 0

        async def orders(account):
            nonlocal reads
            rows = await Wire.orders(wire, account)
            if account.client_id != ROHAN:
                return rows
            reads += 1
            return BrokerRows(tuple(replace(row, updated_at=order.created_at) for row in rows))

        wire.orders = orders
        made = await certified(desk)
        assert order.broker_order_id in wire.cancelled
        assert states(desk)[1] is BrokerStatus.CANCELLED
        assert (made.ended, [(one.order_id, one.result) for one in made.orders]) == (
            True,
            [(order.id, "cancelled")],
        )
        assert reads >= 2


async def test_what_cannot_be_written_is_cancelled_and_named_too(tmp_path):
    async with paper_desk(tmp_path) as desk:
        others = [c.id for c in desk.clients.all() if c.id != ROHAN and not c.gate]
        await carry_out(desk, buy("INFY", SizingKind.FIXED_QUANTITY, 1, *others, limit_paise=1400_00))
        order = await resurrected(desk)
        total = desk.counts().live
        await disk(desk, full=True)
        fired = desk.halt.fire_now("tester")
        await until(desk, fired.done)
        with pytest.raises(StoreUnwritable, match=f"took {total + 1} cancels all the same"):
            fired.result()
        made = there(desk.halt.unwritten).certificate
        assert states(desk)[1] is BrokerStatus.CANCELLED
        assert (made.ended, made.cancelled, made.external) == (True, total + 1, ())
        assert (order.id, "cancelled") in [(one.order_id, one.result) for one in made.orders]
        await disk(desk, full=False)


async def test_after_the_halt_is_resumed_new_orders_are_left_alone(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await resurrected(desk)
        wire = Wire(desk)

        async def cancel(account, number):
            return Accepted(number)

        wire.on_cancel = cancel
        made = await certified(desk)
        assert not made.ended
        await desk.halt.resume(made.number, "resume", "tester")
        await carry_out(desk, buy("INFY", SizingKind.FIXED_QUANTITY, 1, PRIYA, limit_paise=1400_00))
        (order,) = desk.orders.all(client_id=PRIYA)
        await manual_clock(desk).advance(60)
        await desk.settle()
        assert order.broker_order_id not in wire.cancelled
        assert desk.orders.all(client_id=PRIYA)[0].live
