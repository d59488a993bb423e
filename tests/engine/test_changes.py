"""Modifies: the larger form stays blocked while one is open; the order book says what became of it."""

import pytest

from brokers.contract import Accepted, Ambiguous, NotSent, OrderChange, Refused
from data.errors import BadInput
from data.records import replace
from data.vocabulary import OrderState, OrderType, SizingKind
from engine.refusals import Halted, Refusal
from tests.desks import Wire, books_are_sound, buy, carry_out, paper_desk, sell, until
from tests.refusing import refuses
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
ROHAN = 8


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)


async def resting(desk, quantity=10, limit_paise=2400_00):
    _, run = await carry_out(desk, buy("TCS", QTY, quantity, ROHAN, limit_paise=limit_paise))
    order = desk.orders.get(run.order_ids[0])
    assert order.state is OrderState.OPEN
    return order.id


async def requests(desk, order_id):
    return [(row.kind, row.state) for row in (await desk.orders.life(order_id)).requests]


def blocked(desk, order_id):
    order = desk.orders.get(order_id)
    assert desk.funds.of(ROHAN).blocked_paise == order.blocked_paise
    return order.blocked_paise


async def test_a_modify_upwards_blocks_first_and_is_confirmed_by_the_book(desk):
    wire, order_id = Wire(desk), await resting(desk)
    before = blocked(desk, order_id)
    during = []

    async def look(account, broker_order_id, change):
        during.append(blocked(desk, order_id))

    wire.on_modify = look
    await desk.orders.modify(order_id, quantity=20, limit_paise=2410_00)
    await desk.settle()
    order = desk.orders.get(order_id)
    assert (order.quantity, order.limit_paise, order.modifying) == (20, 2410_00, False)
    assert during == [blocked(desk, order_id)]
    assert 2.0 < during[0] / before < 2.02
    assert await requests(desk, order_id) == [("modify", "CONFIRMED")]


async def test_a_limit_outside_the_days_band_is_refused_with_the_band_before_anything_is_sent(desk):
    wire, order_id = Wire(desk), await resting(desk)
    before = desk.orders.get(order_id)
    for ask in (desk.orders.change_needs, desk.orders.modify):
        with pytest.raises(BadInput, match=r"limit: .*8.* the day's band [\d,.]+ to [\d,.]+"):
            await ask(order_id, limit_paise=8_00)
    assert desk.orders.get(order_id) == before
    assert wire.modified == []


async def test_a_modify_downwards_frees_nothing_before_the_book_says_so(desk):
    wire, order_id = Wire(desk), await resting(desk)
    before = blocked(desk, order_id)
    during = []

    async def look(account, broker_order_id, change):
        during.append(blocked(desk, order_id))

    wire.on_modify = look
    await desk.orders.modify(order_id, quantity=5)
    await desk.settle()
    assert during == [before]
    assert blocked(desk, order_id) < before * 0.51
    assert desk.orders.get(order_id).quantity == 5


@pytest.mark.parametrize("answer", [Refused("bad", "no"), NotSent("429")])
async def test_what_was_refused_or_never_left_gives_its_extra_block_back(desk, answer):
    wire, order_id = Wire(desk), await resting(desk)
    before = blocked(desk, order_id)

    async def refuse(*_):
        return answer

    wire.on_modify = refuse
    await desk.orders.modify(order_id, quantity=20)
    await desk.settle()
    order = desk.orders.get(order_id)
    assert (order.quantity, order.modifying, blocked(desk, order_id)) == (10, False, before)
    assert await requests(desk, order_id) == [("modify", "REFUSED")]


async def test_a_modify_in_doubt_that_was_done_is_found_in_the_book(desk):
    wire, order_id = Wire(desk), await resting(desk)

    async def lose_answer(account, broker_order_id, change):
        await wire.broker.modify(account, broker_order_id, change)
        return Ambiguous("connection reset")

    wire.on_modify = lose_answer
    await desk.orders.modify(order_id, quantity=20)
    await desk.settle()
    await until(desk, lambda: not desk.orders.get(order_id).modifying)
    assert desk.orders.get(order_id).quantity == 20
    assert len(wire.modified) == 1
    assert await requests(desk, order_id) == [("modify", "CONFIRMED")]


async def test_a_modify_in_doubt_that_was_never_done_keeps_the_larger_block_until_that_is_proven(desk):
    wire, order_id = Wire(desk), await resting(desk)
    before = blocked(desk, order_id)

    async def lose(*_):
        return Ambiguous("connection reset")

    wire.on_modify = lose
    await desk.orders.modify(order_id, quantity=20)
    await desk.settle()
    await until(desk, lambda: desk.clock.monotonic() > 170, step_s=5)
    assert desk.orders.get(order_id).modifying
    assert blocked(desk, order_id) > before * 1.9
    with pytest.raises(BadInput, match="under way"):
        await desk.orders.modify(order_id, quantity=30)
    await until(desk, lambda: not desk.orders.get(order_id).modifying, step_s=5)
    assert blocked(desk, order_id) == before
    assert await requests(desk, order_id) == [("modify", "SUPERSEDED")]


async def test_a_fill_of_either_form_during_a_modify_is_paid_from_the_block(desk):
    wire, order_id = Wire(desk), await resting(desk)

    async def fill_whole(account, broker_order_id, change):
        await wire.broker.modify(account, broker_order_id, change)
        exchange_of(desk).pin("TCS", 2400_00, 2490_00)
        return Ambiguous("connection reset")

    wire.on_modify = fill_whole
    available = desk.funds.of(ROHAN).available_paise
    await desk.orders.modify(order_id, quantity=20)
    await until(desk, lambda: desk.orders.get(order_id).state is OrderState.FILLED)
    order = desk.orders.get(order_id)
    assert (order.filled_quantity, order.flags, order.blocked_paise) == (20, (), 0)
    assert desk.funds.of(ROHAN).shortfall_paise == 0
    assert desk.funds.of(ROHAN).available_paise < available
    assert await requests(desk, order_id) == [("modify", "CONFIRMED")]


async def test_more_than_the_client_has_is_refused_and_changes_nothing(desk):
    wire, order_id = Wire(desk), await resting(desk)
    before = (desk.funds.of(ROHAN), desk.orders.get(order_id))
    with refuses(Refusal, "more of the client's money"):
        await desk.orders.modify(order_id, quantity=10_000)
    assert (desk.funds.of(ROHAN), desk.orders.get(order_id)) == before
    assert wire.modified == []


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"quantity": 0}, "quantity"),
        ({"limit_paise": 2400_01}, "tick"),
        ({"trigger_paise": 2400_00}, "trigger"),
        ({}, "nothing"),
        ({"quantity": 10, "limit_paise": 2400_00}, "nothing"),
    ],
)
async def test_a_wish_that_makes_no_sense_is_refused_by_name(desk, wish, words):
    order_id = await resting(desk)
    with pytest.raises(BadInput, match=words):
        await desk.orders.modify(order_id, **wish)


async def test_a_halt_stops_modifies_and_a_cancel_does_not_wait_for_one(desk):
    wire, order_id = Wire(desk), await resting(desk)

    async def lose(*_):
        return Ambiguous("connection reset")

    wire.on_modify = lose
    await desk.orders.modify(order_id, quantity=20)
    await desk.settle()
    await desk.halt.fire("tester")
    assert desk.orders.get(order_id).state is OrderState.CANCELLED
    assert blocked(desk, order_id) == 0
    assert await requests(desk, order_id) == [("modify", "SUPERSEDED"), ("cancel", "CONFIRMED")]
    with pytest.raises((Halted, BadInput)):
        await desk.orders.modify(order_id, quantity=5)


async def test_a_change_made_outside_is_taken_over_and_flagged(desk):
    order_id = await resting(desk)
    name = desk.orders.get(order_id).broker_order_id
    before = blocked(desk, order_id)
    exchange_of(desk).modify(desk.clients.get(ROHAN).code, name, OrderChange(quantity=12))
    await until(desk, lambda: desk.orders.get(order_id).quantity == 12)
    assert desk.orders.get(order_id).flags == ("CHANGED_OUTSIDE",)
    assert blocked(desk, order_id) > before * 1.19


async def test_a_sell_that_grows_blocks_shares_and_not_more_than_there_are(desk):
    await carry_out(desk, buy("TCS", QTY, 20, ROHAN))
    wish = sell("TCS", QTY, 10, ROHAN)

    _, run = await carry_out(desk, replace(wish, order_type=OrderType.LIMIT, limit_paise=2600_00))
    order_id = run.order_ids[0]
    with refuses(Refusal, "more shares"):
        await desk.orders.modify(order_id, quantity=21)
    await desk.orders.modify(order_id, quantity=20)
    await desk.settle()
    (held,) = desk.holdings.of(ROHAN)
    assert (held.blocked, held.sellable) == (20, 0)
    await desk.orders.modify(order_id, quantity=3)
    await desk.settle()
    assert desk.holdings.of(ROHAN)[0].blocked == 3


async def test_a_modify_that_was_taken_and_never_carried_out_does_not_bar_the_next_for_ever(desk):
    wire, order_id = Wire(desk), await resting(desk)
    before = blocked(desk, order_id)

    async def take(account, broker_order_id, change):
        return Accepted(broker_order_id)

    wire.on_modify = take
    await desk.orders.modify(order_id, quantity=20)
    await desk.settle()
    await until(desk, lambda: not desk.orders.get(order_id).modifying, step_s=5)
    assert (blocked(desk, order_id), desk.orders.get(order_id).quantity) == (before, 10)
    wire.on_modify = None
    await desk.orders.modify(order_id, quantity=12)
    await desk.settle()
    assert desk.orders.get(order_id).quantity == 12
    await until(
        desk, lambda: not seam(desk).workers.watcher.resolver.changes_followed, step_s=5
    )  # no evidence is kept of either
