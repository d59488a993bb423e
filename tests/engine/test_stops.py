"""Stop orders through the desk: blocked at their worst, waiting, triggered, changed, cancelled."""

import pytest

from data.errors import BadInput
from data.records import replace
from data.vocabulary import OrderState, OrderType, Policy, SizingKind
from tests.desks import Wire, books_are_sound, buy, carry_out, paper_desk, sell, until
from tests.further import case
from tradedesk.compose.brokers.paper import exchange_of

QTY = SizingKind.FIXED_QUANTITY
ROHAN = 8


@pytest.fixture(params=list(Policy))
async def desk(tmp_path, request):
    async with paper_desk(tmp_path, policy=request.param) as one:
        yield one
        await books_are_sound(one)


def stop(intent, trigger_paise, limit_paise=None):
    kind = OrderType.SL_M if limit_paise is None else OrderType.SL
    return replace(intent, order_type=kind, trigger_paise=trigger_paise, limit_paise=limit_paise)


async def waiting(desk, intent):
    _, run = await carry_out(desk, intent)
    order = desk.orders.get(run.order_ids[0])
    assert (order.state, order.sub_status) == (OrderState.OPEN, "TRIGGER PENDING")
    assert run.settled
    return order.id


async def test_a_stop_to_sell_waits_for_its_trigger_and_trades_protected(desk):
    await carry_out(desk, buy("TCS", QTY, 10, ROHAN))
    order_id = await waiting(desk, stop(sell("TCS", QTY, 10, ROHAN), 2450_00))
    assert desk.holdings.of(ROHAN)[0].sellable == 0
    exchange_of(desk).pin("TCS", 2455_00, 2490_00)
    await desk.clock.advance(10)
    assert desk.orders.get(order_id).state is OrderState.OPEN
    exchange_of(desk).pin("TCS", 2448_00, 2490_00)
    await until(desk, lambda: not desk.orders.get(order_id).live)
    order = desk.orders.get(order_id)
    assert (order.state, order.filled_quantity, order.average_paise) == (OrderState.FILLED, 10, 2448_00)
    assert order.flags == ()


@pytest.mark.parametrize("limit_paise", [None, 2560_00])
async def test_a_stop_to_buy_is_paid_from_its_block_wherever_it_trades(desk, limit_paise):
    order_id = await waiting(desk, stop(buy("TCS", QTY, 10, ROHAN), 2550_00, limit_paise))
    blocked = desk.orders.get(order_id).blocked_paise
    worst = limit_paise or 2601_00
    assert blocked >= 10 * worst
    exchange_of(desk).pin("TCS", 2558_00, 2490_00)
    await until(desk, lambda: not desk.orders.get(order_id).live)
    order = desk.orders.get(order_id)
    assert (order.state, order.flags, order.blocked_paise) == (OrderState.FILLED, (), 0)
    assert desk.funds.of(ROHAN).shortfall_paise == 0


async def test_a_trigger_is_changed_with_its_block_and_a_cancel_frees_it(desk):
    before = desk.funds.of(ROHAN).available_paise
    order_id = await waiting(desk, stop(buy("TCS", QTY, 10, ROHAN), 2550_00))
    blocked = desk.orders.get(order_id).blocked_paise
    wire = Wire(desk)
    await desk.orders.modify(order_id, trigger_paise=2600_00)
    await desk.settle()
    assert [(one.trigger_paise, one.protection_bps) for one in wire.modified] == [(2600_00, 200)]
    order = desk.orders.get(order_id)
    assert (order.trigger_paise, order.modifying, order.flags) == (2600_00, False, ())
    assert order.blocked_paise > blocked
    await desk.orders.cancel([order_id])
    await until(desk, lambda: not desk.orders.get(order_id).live)
    assert desk.funds.of(ROHAN).available_paise == before


NO_STOPS = [
    (stop(buy("TCS", QTY, 1, ROHAN), 2499_00), "above the last price"),
    (stop(sell("TCS", QTY, 1, ROHAN), 2500_00), "below the last price"),
    (stop(buy("TCS", QTY, 1, ROHAN), 2550_00, 2540_00), "at or above its trigger"),
    (stop(buy("TCS", QTY, 1, ROHAN), None), "trigger"),
    (stop(buy("TCS", QTY, 1, ROHAN), 2550_01), "ticks"),
    (replace(buy("TCS", QTY, 1, ROHAN), trigger_paise=2550_00), "only SL"),
]


async def test_a_stop_that_no_broker_takes_is_refused_by_name(desk):
    for intent, words in NO_STOPS:
        with case(intent, words), pytest.raises(BadInput, match=words):
            await desk.plans.preview(intent)
