"""What is larger than the broker takes in one order goes as several, each with a tag of its own."""

from typing import Any

import pytest

from data.records import replace
from data.vocabulary import OrderState, Product, Reason, SizingKind
from engine.words.trading.why import detail_words
from tests.desks import books_are_sound, buy, carry_out, paper_desk, sell

QTY = SizingKind.FIXED_QUANTITY
ROHAN, AMIT = 8, 22


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        broker = one.connections.feed.broker
        kind: Any = type(broker)
        small = replace(broker.capabilities, max_order_quantity=3, max_order_value_paise=8_000_00)
        kind.capabilities, kept = property(lambda _: small), kind.capabilities
        yield one
        kind.capabilities = kept
        await books_are_sound(one)


async def test_a_buy_is_sliced_by_quantity_and_its_need_is_that_of_its_slices(desk):
    plan, run = await carry_out(desk, buy("TCS", QTY, 8, ROHAN))
    assert (plan.slice_quantity, plan.orders, plan.answer) == (3, 3, "buy 3")
    orders = [desk.orders.get(order_id) for order_id in run.order_ids]
    assert sorted(order.quantity for order in orders) == [2, 3, 3]
    assert len({order.tag for order in orders}) == 3
    assert {order.state for order in orders} == {OrderState.FILLED}
    assert [detail_words(line) for line in plan.lines] == ["in 3 orders of 3 at most"]
    (reserved,) = [line.reserve_paise for line in plan.lines if line.ok]
    blocked = [
        row.details["blocked_paise"]
        for row in await desk.audit.rows(action="ORDER_RESERVED", client_id=ROHAN)
    ]
    assert sum(blocked) == reserved


async def test_a_sell_is_sliced_and_its_shares_are_blocked_together(desk):
    await carry_out(desk, buy("TCS", QTY, 8, ROHAN))
    plan, run = await carry_out(desk, sell("TCS", QTY, 7, ROHAN))
    assert plan.orders == 3
    assert sorted(desk.orders.get(order_id).quantity for order_id in run.order_ids) == [1, 3, 3]
    (held,) = [one for one in desk.holdings.of(ROHAN) if one.product is Product.CNC]
    assert (held.quantity, held.blocked) == (1, 0)


async def test_the_limit_of_value_slices_dear_shares_and_more_than_ten_orders_are_refused(desk):
    plan = await desk.plans.freeze(buy("MARUTI", QTY, 1, ROHAN))
    assert [line.reason for line in plan.lines] == [Reason.OVER_ORDER_LIMIT]
    assert detail_words(plan.lines[0]) == "an order may be worth 8,000 at most, less than one lot"
    plan = await desk.plans.freeze(buy("TCS", QTY, 31, AMIT))
    assert [line.reason for line in plan.lines] == [Reason.OVER_ORDER_LIMIT]
    assert detail_words(plan.lines[0]) == "31 shares, at most 10 orders of 3"
    plan = await desk.plans.freeze(buy("TCS", QTY, 30, AMIT))
    assert plan.orders == 10
