"""Doubt resolved: by the tag, by proof of absence, or by the trader."""

from datetime import timedelta

import pytest

from brokers.contract import Ambiguous, BrokerError, BrokerRows, OrderRequest, UnreadRow
from data.errors import BadInput
from data.records import replace
from data.vocabulary import OrderState, Product, Side, SizingKind
from engine.booking.facts import ProvenAbsent
from tests.desks import Wire, books_are_sound, buy, carry_out, on_tape, paper_desk, until
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY


async def never_arrives(account, request):
    return Ambiguous("connection reset")


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)


def elapsed(desk, order):
    return (order.updated_at - order.sent_at).total_seconds()


async def unknown(desk, wire, quantity=5, limit_paise=None):
    """An order of Rohan Gupta whose send ended in doubt, nothing of it at the broker."""
    wire.on_place = never_arrives
    _, run = await carry_out(desk, buy("TCS", QTY, quantity, 8, limit_paise=limit_paise))
    order = desk.orders.get(run.order_ids[0])
    assert order.state is OrderState.UNKNOWN
    return order.id


async def test_an_order_that_never_arrived_is_proven_absent_and_its_money_freed(desk):
    wire = Wire(desk)
    before = desk.funds.of(8).available_paise
    order_id = await unknown(desk, wire)
    assert desk.funds.of(8).available_paise < before
    await until(desk, lambda: not desk.orders.get(order_id).live, step_s=5)
    order = desk.orders.get(order_id)
    assert order.state is OrderState.NOT_RECEIVED
    assert 190 <= elapsed(desk, order) <= 200
    assert "complete reads" in order.reason_text
    assert desk.funds.of(8).available_paise == before
    life = await desk.orders.life(order_id)
    released = [row for row in life.postings if row.kind == "release"]
    assert released
    assert all(row.evidence.startswith("absent:") for row in released)
    assert len(wire.placed) == 1


async def test_an_order_placed_late_is_found_by_its_tag_and_not_sent_again(desk):
    wire = Wire(desk)
    order_id = await unknown(desk, wire)
    await until(desk, lambda: elapsed_since(desk, order_id) > 85, step_s=5)
    assert desk.orders.get(order_id).state is OrderState.UNKNOWN
    exchange_of(desk).place(desk.clients.get(8).code, wire.placed[0])
    await until(desk, lambda: not desk.orders.get(order_id).live)
    assert desk.orders.get(order_id).state is OrderState.FILLED
    assert len(wire.placed) == 1


def elapsed_since(desk, order_id):
    return (desk.clock.now() - desk.orders.get(order_id).sent_at).total_seconds()


async def test_an_order_that_turns_up_after_it_was_given_up_is_booked_and_flagged(desk):
    wire = Wire(desk)
    order_id = await unknown(desk, wire)
    await until(desk, lambda: not desk.orders.get(order_id).live, step_s=5)
    exchange_of(desk).place(desk.clients.get(8).code, wire.placed[0])
    await until(desk, lambda: desk.orders.get(order_id).filled_quantity == 5)
    assert {"RESURRECTED", "LATE_FILL"} & set(desk.orders.get(order_id).flags)


async def test_incomplete_and_failed_reads_prove_nothing(desk):
    wire = Wire(desk)
    _, run = await carry_out(desk, buy("INFY", QTY, 1, 8, limit_paise=1400_00))
    resting = desk.orders.get(run.order_ids[0])
    order_id = await unknown(desk, wire)
    broker = wire.broker

    async def truncated(account):
        orders = await broker.orders(account)
        return BrokerRows(tuple(one for one in orders if one.broker_order_id != resting.broker_order_id))

    wire.orders = truncated
    await until(desk, lambda: elapsed_since(desk, order_id) > 230, step_s=5)
    assert desk.orders.get(order_id).state is OrderState.UNKNOWN
    await until(desk, lambda: "NEEDS_HUMAN" in desk.orders.get(order_id).flags, step_s=5)
    assert "no complete read" in desk.orders.get(order_id).reason_text

    async def failing(account):
        raise BrokerError("gateway")

    wire.orders = failing
    await desk.clock.advance(60)
    assert desk.orders.get(order_id).state is OrderState.UNKNOWN
    wire.orders = broker.orders
    await until(desk, lambda: not desk.orders.get(order_id).live, step_s=5)
    assert desk.orders.get(order_id).state is OrderState.NOT_RECEIVED
    assert "NEEDS_HUMAN" not in desk.orders.get(order_id).flags


async def test_absence_takes_three_complete_reads_the_first_and_the_last_late_enough(desk):
    wire = Wire(desk)
    order = desk.orders.get(await unknown(desk, wire))
    resolver, waits = seam(desk).workers.watcher.resolver, seam(desk).timing.waits
    since = order.sent_at + timedelta(seconds=waits.send_timeout_s)
    assert (waits.absent_reads, waits.absent_first_s, waits.absent_last_s) == (3, 15.0, 180.0)

    def proven(*moments, unread=()):
        rows = BrokerRows((), unread)
        resolver.session_lost(8)
        facts = [resolver.book_read(8, rows, since + timedelta(seconds=at)) for at in moments]
        assert not any(facts[:-1])
        return [type(fact) for fact in facts[-1]] == [ProvenAbsent]

    assert proven(15, 16, 180)
    assert not proven(15, 180)
    assert not proven(14.9, 180, 181)
    assert not proven(15, 16, 17, 179.9)
    book = seam(desk).book
    book.orders[order.id] = replace(order, trading_date=order.trading_date - timedelta(days=1))
    assert not proven(15, 16, 180), "today's book tells nothing of an order of yesterday"
    book.orders[order.id] = order
    assert not proven(15, 16, 180, unread=(UnreadRow("an order without a status"),))


async def test_an_order_of_the_same_kind_without_our_tag_goes_to_the_trader(desk):
    wire = Wire(desk)
    order_id = await unknown(desk, wire, limit_paise=2400_00)
    code = desk.clients.get(8).code
    exchange_of(desk).place(code, replace(wire.placed[0], tag=""))
    await until(desk, lambda: "NEEDS_HUMAN" in desk.orders.get(order_id).flags, step_s=5)
    (name,) = seam(desk).book.external_orders[8]
    assert name in desk.orders.get(order_id).reason_text
    assert on_tape(desk, "not from this desk")
    await desk.clock.advance(300)
    assert desk.orders.get(order_id).state is OrderState.UNKNOWN
    await desk.orders.adopt(order_id, name, "the client's app shows it")
    order = desk.orders.get(order_id)
    assert (order.state, order.broker_order_id) == (OrderState.OPEN, name)
    assert "NEEDS_HUMAN" not in order.flags


async def test_the_trader_ends_a_doubt_with_a_reason_and_only_one_that_was_raised(desk):
    wire = Wire(desk)
    order_id = await unknown(desk, wire, limit_paise=2400_00)
    with pytest.raises(BadInput, match="not been raised"):
        await desk.orders.declare_absent(order_id, "I looked")
    request = OrderRequest(
        "NSE", "TCS", Side.BUY, 5, Product.CNC, wire.placed[0].order_type, "", price_paise=2400_00
    )
    exchange_of(desk).place(desk.clients.get(8).code, request)
    await until(desk, lambda: "NEEDS_HUMAN" in desk.orders.get(order_id).flags, step_s=5)
    with pytest.raises(BadInput, match="reason"):
        await desk.orders.declare_absent(order_id, "  ")
    await desk.orders.declare_absent(order_id, "the dealer confirmed that it never came")
    assert desk.orders.get(order_id).state is OrderState.NOT_RECEIVED
    rows = await desk.audit.rows(order_id=order_id)
    assert any("the dealer confirmed" in str(row.details) and row.actor == "tester" for row in rows)


async def test_an_end_told_with_an_older_stamp_is_believed_when_the_book_still_says_so(desk):
    """A cancelled order that came back and filled while its broker's stamps ran backwards."""
    wire = Wire(desk)
    broker = wire.broker
    _, run = await carry_out(desk, buy("TCS", QTY, 5, 8, limit_paise=2400_00))
    order_id = run.order_ids[0]
    await desk.orders.cancel([order_id])
    await until(desk, lambda: not desk.orders.get(order_id).live)
    name = desk.orders.get(order_id).broker_order_id
    code = desk.clients.get(8).code
    told = next(o for o in exchange_of(desk).orders(code) if o.broker_order_id == name)

    async def backwards(account):
        earlier = told.updated_at - timedelta(seconds=2)
        rows = [
            replace(order, updated_at=earlier) if order.broker_order_id == name else order
            for order in await broker.orders(account)
        ]
        return BrokerRows(tuple(rows))

    wire.orders = backwards
    desk.connections.client_of = lambda *told: None  # the stream is silent about it
    exchange_of(desk).resurrect(code, name)
    exchange_of(desk).pin("TCS", 2399_00, 2490_00)
    await seam(desk).workers.watcher.read(8)
    assert "LATE_FILL" in desk.orders.get(order_id).flags
    assert desk.orders.get(order_id).state is OrderState.CANCELLED
    await until(desk, lambda: desk.orders.get(order_id).state is OrderState.FILLED, step_s=5)
    assert desk.orders.get(order_id).filled_quantity == 5
