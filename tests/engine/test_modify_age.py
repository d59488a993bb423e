"""A modify's age and its last look: what waited too long, or is halted meanwhile, never leaves."""

from datetime import timedelta

import pytest

from data.vocabulary import OrderState, SizingKind
from engine.book.halt_file import write_halt_file
from engine.events import TapeLine
from engine.words.tape import news_words
from tests.desks import START, Wire, books_are_sound, buy, carry_out, paper_desk, until
from tradedesk.testing import seam

ROHAN = 8


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)


async def resting(desk):
    intent = buy("TCS", SizingKind.FIXED_QUANTITY, 10, ROHAN, limit_paise=2400_00)
    _, run = await carry_out(desk, intent)
    assert desk.orders.get(run.order_ids[0]).state is OrderState.OPEN
    return run.order_ids[0]


def fill_lane(desk):
    lane = desk.connections.lane(ROHAN)
    while not lane.wait_s(desk.clock.now()):
        lane.take(desk.clock.now())


def told(desk):
    lines = []
    desk.events.subscribe(
        lambda event: lines.append(news_words(event.news)) if isinstance(event, TapeLine) else None
    )
    return lines


async def never_sent(desk, order_id, before, lines, why):
    await until(desk, lambda: not desk.orders.get(order_id).modifying)
    order = desk.orders.get(order_id)
    assert (order.quantity, order.blocked_paise) == (before.quantity, before.blocked_paise)
    assert desk.funds.of(ROHAN).blocked_paise == before.blocked_paise
    (request,) = [row for row in (await desk.orders.life(order_id)).requests if row.kind == "modify"]
    assert (request.state, request.detail[:9]) == ("REFUSED", "not sent:")
    assert why in request.detail
    assert [line for line in lines if f"order {order_id} was not sent" in line and why in line]


@pytest.mark.parametrize("wall_s", [3600, 0, -3600])
async def test_one_that_waited_too_long_for_its_turn_is_not_sent(desk, wall_s):
    wire, order_id, lines = Wire(desk), await resting(desk), told(desk)
    before = desk.orders.get(order_id)
    fill_lane(desk)
    await desk.orders.modify(order_id, quantity=20)
    assert desk.orders.get(order_id).blocked_paise > before.blocked_paise
    desk.clock.shift(3600)
    desk.clock.set_wall(wall_s - 3600)
    await never_sent(desk, order_id, before, lines, "60 s are allowed")
    assert wire.modified == []


async def test_one_whose_turn_is_a_day_away_is_given_up_at_its_age(desk):
    wire, order_id, lines = Wire(desk), await resting(desk), told(desk)
    before = desk.orders.get(order_id)
    desk.connections.lane(ROHAN).wait_s = lambda now: 8 * 3600.0
    await desk.orders.modify(order_id, quantity=20)
    await never_sent(desk, order_id, before, lines, "60 s are allowed")
    assert (wire.modified, desk.clock.now() - START < timedelta(seconds=90)) == ([], True)


async def test_one_that_waits_its_turn_for_a_moment_is_sent(desk):
    wire, order_id = Wire(desk), await resting(desk)
    fill_lane(desk)
    await desk.orders.modify(order_id, quantity=20)
    assert wire.modified == []
    await until(desk, lambda: desk.orders.get(order_id).quantity == 20)


@pytest.mark.parametrize("late", ["halt", "age"])
async def test_what_comes_on_its_way_to_the_line_keeps_it_back(desk, late):
    """The look is the broker's to take, right before its bytes leave."""
    wire, order_id, lines = Wire(desk), await resting(desk), told(desk)
    before = desk.orders.get(order_id)
    why = {"halt": "halt", "age": "60 s are allowed"}[late]

    async def meanwhile(account, broker_order_id, change):
        if late == "halt":
            write_halt_file(seam(desk).halt_file, "tester", START)
        else:
            desk.clock.shift(61)

    wire.on_modify = meanwhile
    await desk.orders.modify(order_id, quantity=20)
    await never_sent(desk, order_id, before, lines, why)
    assert len(wire.modified) == 1
    assert (await desk.connections.feed.broker.orders(desk.connections.account(desk.clients.get(ROHAN))))[
        0
    ].quantity == 10
    seam(desk).halt_file.unlink(missing_ok=True)


async def test_a_call_given_up_before_its_look_was_taken_has_not_left(desk):
    wire, order_id, lines = Wire(desk), await resting(desk), told(desk)
    before = desk.orders.get(order_id)

    async def hang(*_):
        raise TimeoutError

    wire.on_modify = hang
    await desk.orders.modify(order_id, quantity=20)
    await never_sent(desk, order_id, before, lines, "before anything left")
    assert wire.modified[0].last_look() != "", "a thread that wakes later sends nothing"
