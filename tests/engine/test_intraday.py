"""Intraday shares (MIS) on a whole desk: own share, loan of the day, sale, and the broker's sell-out."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from brokers.contract import Ambiguous
from data.clock import ManualClock
from data.errors import BadInput
from data.tables.books import Posting
from data.tables.columns import table
from data.vocabulary import Account, BreakKind, OrderState, Product, RunCount, Side, SizingKind
from engine.refusals import PlanExpired
from tests.desks import (
    START,
    Wire,
    books_are_sound,
    buy,
    by_phone,
    carry_out,
    filed_desk,
    on_tape,
    paper_desk,
    sell,
    until,
)
from tests.engine.test_days import next_day
from tests.refusing import refuses
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
ROHAN = 8
SELL_OUT = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
"""15:00 in India, fifteen minutes before the closing auction of shares with derivatives."""


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)


async def total(desk, account):
    postings = table(Posting)
    query = select(func.coalesce(func.sum(postings.c.amount_paise), 0)).where(
        postings.c.client_id == ROHAN, postings.c.account == account.value
    )
    async with seam(desk).store.reader() as connection:
        return (await connection.execute(query)).scalar_one()


async def agrees(desk):
    """Compare with the broker's books; returns the kinds of the differences."""
    await desk.clock.advance(15)
    await desk.reconcile.check(ROHAN)
    return {one.kind for one in desk.reconcile.breaks(ROHAN)}


async def test_a_purchase_pays_its_own_share_and_the_loan_is_the_days(desk):
    before = desk.funds.of(ROHAN)
    _, run = await carry_out(desk, buy("INFY", QTY, 10, ROHAN, product=Product.MIS))
    assert run.counts[RunCount.FILLED] == 1
    (held,) = desk.holdings.of(ROHAN)
    value = 10 * 1500_00
    assert (held.product, held.quantity, held.cost_paise) == (Product.MIS, 10, value)
    funds = desk.funds.of(ROHAN)
    assert value // 5 < before.available_paise - funds.available_paise < value // 5 + 20_00
    assert funds.mtf_loan_paise == funds.mtf_reserved_paise == before.mtf_loan_paise == 0
    assert await total(desk, Account.INTRADAY_LOAN) == -value * 4 // 5
    assert await agrees(desk) == set()


@pytest.mark.parametrize("price", [1520_00, 1480_00])
async def test_a_sale_repays_the_loan_and_realises_what_is_left(desk, price):
    before = desk.funds.of(ROHAN).available_paise
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN, product=Product.MIS))
    exchange_of(desk).pin("INFY", price, 1491_00)
    await carry_out(desk, sell("INFY", QTY, 4, ROHAN))
    assert await total(desk, Account.INTRADAY_LOAN) == -6 * 1500_00 * 4 // 5
    await carry_out(desk, sell("INFY", QTY, 6, ROHAN))
    assert await total(desk, Account.INTRADAY_LOAN) == 0
    assert await total(desk, Account.REALISED) == -10 * (price - 1500_00)
    assert desk.holdings.of(ROHAN) == []
    loss = min(0, 10 * (price - 1500_00))
    assert -60_00 < desk.funds.of(ROHAN).available_paise - before - loss < 0
    assert await agrees(desk) == set()


async def test_a_resting_order_that_is_made_larger_needs_no_room_for_a_loan(desk):
    low = buy("INFY", QTY, 10, ROHAN, product=Product.MIS, limit_paise=1400_00)
    _, run = await carry_out(desk, low)
    (order_id,) = run.order_ids
    await desk.orders.modify(order_id, quantity=20)
    await until(desk, lambda: desk.orders.get(order_id).quantity == 20)
    funds = desk.funds.of(ROHAN)
    assert 20 * 1400_00 // 5 < funds.blocked_paise < 20 * 1400_00 // 5 + 30_00
    assert funds.mtf_reserved_paise == 0


async def test_what_the_broker_sells_out_is_booked_as_the_sale_it_is(desk):
    before = desk.funds.of(ROHAN).available_paise
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN, product=Product.MIS))
    _, resting = await carry_out(
        desk, buy("INFY", QTY, 1, ROHAN, product=Product.MIS, limit_paise=1400_00, again=True)
    )
    await carry_out(desk, buy("TCS", QTY, 2, ROHAN))
    exchange_of(desk).pin("INFY", 1520_00, 1491_00)
    exchange_of(desk).jump(SELL_OUT)
    await until(desk, lambda: desk.runs.get(resting.number).counts["cancelled"] == 1)
    await until(desk, lambda: [held.tradingsymbol for held in desk.holdings.of(ROHAN)] == ["TCS"])
    (sold,) = (one for one in desk.orders.all(client_id=ROHAN) if one.side is Side.SELL)
    assert (sold.state, sold.filled_quantity, sold.run_number) == (OrderState.FILLED, 10, None)
    assert sold.reason_text == "", "these are the broker's own words"
    (closed,) = await desk.holdings.transactions(ROHAN)
    assert (closed.quantity, closed.proceeds_paise - closed.cost_paise) == (10, 10 * 20_00)
    assert await total(desk, Account.INTRADAY_LOAN) == 0
    told = "SELL 10 INFY MIS at ₹1,520.00 booked, not from this desk"
    assert on_tape(desk, told)
    assert sold.sent_at is None, "nobody here sent it"
    assert [row.order_id for row in await desk.audit.rows(action="ORDER_TAKEN_IN")] == [sold.id]
    assert await agrees(desk) == set()
    assert -60_00 < desk.funds.of(ROHAN).available_paise - before + 2 * 2500_00 < 0
    with pytest.raises(BadInput, match="intraday buying of NSE:INFY ended at 15:00"):
        await desk.plans.preview(buy("INFY", QTY, 1, ROHAN, product=Product.MIS))
    assert (await desk.plans.preview(buy("TCS", QTY, 1, 15))).lines[0].ok


async def test_a_plan_of_before_the_end_of_intraday_buying_is_not_sent_after_it(desk):
    exchange_of(desk).jump(SELL_OUT - timedelta(seconds=2))
    plan = await desk.plans.freeze(buy("INFY", QTY, 1, ROHAN, product=Product.MIS))
    exchange_of(desk).jump(SELL_OUT)
    with refuses(PlanExpired, "intraday buying of NSE:INFY has ended since plan 1"):
        await desk.runs.start(plan, plan.digest)
    assert desk.orders.all() == []


async def test_intraday_shares_sold_by_phone_are_booked_and_other_shares_are_a_break(desk):
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN, product=Product.MIS))
    await carry_out(desk, buy("INFY", QTY, 4, ROHAN, again=True))
    assert await agrees(desk) == set()
    by_phone(desk, ROHAN, Side.SELL, 6, product=Product.MIS)
    await until(desk, lambda: desk.holdings.of(ROHAN)[0].quantity + desk.holdings.of(ROHAN)[1].quantity == 8)
    assert not await desk.reconcile.check(ROHAN), "a sale of this moment may stand in one book alone"
    assert await agrees(desk) == set()
    by_phone(desk, ROHAN, Side.SELL, 3)
    assert await agrees(desk) == {BreakKind.CASH, BreakKind.SHARES}


async def test_a_sale_while_one_of_ours_is_in_doubt_is_left_to_the_trader(desk):
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN, product=Product.MIS))
    wire = Wire(desk)

    async def lost(account, request):
        return Ambiguous("no answer")

    wire.on_place = lost
    await carry_out(desk, sell("INFY", QTY, 4, ROHAN))
    by_phone(desk, ROHAN, Side.SELL, 6, product=Product.MIS)
    await desk.clock.advance(5)
    await desk.settle()
    assert [order.run_number for order in desk.orders.all(client_id=ROHAN) if order.side is Side.SELL] == [2]
    assert desk.holdings.of(ROHAN)[0].quantity == 10
    await until(desk, lambda: desk.orders.all(client_id=ROHAN)[0].state is OrderState.NOT_RECEIVED, step_s=5)
    await desk.clock.advance(15)
    await desk.reconcile.adopt(ROHAN, "sold by phone")


async def test_a_desk_that_was_shut_books_the_sell_out_when_it_opens(tmp_path):
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        await carry_out(desk, buy("INFY", QTY, 10, ROHAN, product=Product.MIS))
        exchange_of(desk).jump(SELL_OUT - timedelta(seconds=1))
    async with filed_desk(tmp_path, clock) as desk:
        await until(desk, lambda: desk.reconcile.is_compared(ROHAN))
        exchange_of(desk).jump(SELL_OUT)
    async with filed_desk(tmp_path, clock) as desk:
        await until(desk, lambda: desk.reconcile.is_compared(ROHAN))
        await until(desk, lambda: desk.holdings.of(ROHAN) == [])
        assert desk.reconcile.breaks(ROHAN) == []
        assert [order.run_number for order in desk.orders.all(client_id=ROHAN)] == [None, 1]
        await books_are_sound(desk)


async def test_what_is_left_over_night_is_adopted_as_the_next_day_opens(desk):
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN, product=Product.MIS))
    await next_day(desk)
    await until(desk, lambda: desk.reconcile.is_compared(ROHAN), step_s=5)
    await until(desk, lambda: desk.holdings.of(ROHAN) == [], step_s=5)
    assert await agrees(desk) == set()
    assert await total(desk, Account.INTRADAY_LOAN) == 0
    theirs = await desk.connections.feed.broker.funds(desk.connections.account(desk.clients.get(ROHAN)))
    assert desk.funds.of(ROHAN).available_paise == theirs.available_paise


async def test_shares_bought_for_the_day_by_phone_are_adopted_with_their_loan(desk):
    await carry_out(desk, buy("TCS", QTY, 1, ROHAN))
    await agrees(desk)
    by_phone(desk, ROHAN, quantity=5, product=Product.MIS)
    assert await agrees(desk) == {BreakKind.CASH, BreakKind.SHARES}
    await desk.clock.advance(15)
    await desk.reconcile.adopt(ROHAN, "the client bought by phone")
    assert await total(desk, Account.INTRADAY_LOAN) == -5 * 1500_00 * 4 // 5
    await carry_out(desk, sell("INFY", QTY, 5, ROHAN))
    assert await total(desk, Account.INTRADAY_LOAN) == 0
    assert await agrees(desk) == set()
