"""Our books against the broker's: adopted as a day opens, a break afterwards, and never a guess."""

import pytest

from brokers.contract import BrokerError
from brokers.simulators.exchange.openings import HoldingOpening
from data.errors import BadInput
from data.records import replace
from data.vocabulary import BreakKind, OrderType, Product, Reason, RunCount, Side, SizingKind
from engine.book.break_views import BreakView
from engine.book.views import HoldingView, free_to_sell
from engine.reconciliation.reconciler import CALLS
from engine.words.trading.why import detail_words
from tests.desks import (
    START,
    Wire,
    books_are_sound,
    buy,
    by_phone,
    carry_out,
    in_time,
    on_tape,
    paper_desk,
    sell,
    until,
)
from tests.engine.test_days import next_day
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
ROHAN, PRIYA, LENT = 8, 15, 22


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)


async def quiet(desk):
    compared = desk.reconcile.compared_at(ROHAN)
    await until(desk, lambda: desk.reconcile.compared_at(ROHAN) != compared, step_s=5)
    await desk.settle()


async def reason_for(desk, intent):
    (line,) = (await desk.plans.preview(intent)).lines
    return line.reason


async def test_a_desk_that_agrees_has_no_break_after_a_day_of_every_kind_of_trade(desk):
    await carry_out(desk, buy("TCS", QTY, 20, ROHAN))
    await carry_out(desk, buy("RELIANCE", QTY, 3, 22, product=Product.MTF))
    await carry_out(desk, sell("TCS", QTY, 8, ROHAN))
    await carry_out(desk, buy("TCS", QTY, 5, ROHAN, limit_paise=2400_00))
    await quiet(desk)
    assert desk.reconcile.breaks() == []
    rows = await desk.audit.rows(action="DAY_OPEN_ADOPTED")
    assert rows == []


async def test_a_trade_made_by_phone_is_a_break_that_only_allows_sales_until_it_is_adopted(desk):
    await carry_out(desk, buy("INFY", QTY, 5, ROHAN))
    await quiet(desk)
    before = desk.funds.of(ROHAN).available_paise
    by_phone(desk, ROHAN)
    await until(desk, lambda: desk.reconcile.breaks(ROHAN), step_s=5)
    await desk.settle()
    kinds = {one.kind: one for one in desk.reconcile.breaks(ROHAN)}
    assert kinds.keys() == {BreakKind.CASH, BreakKind.SHARES}
    assert (kinds[BreakKind.SHARES].ours, kinds[BreakKind.SHARES].theirs) == (5, 7)
    assert kinds[BreakKind.CASH].ours - kinds[BreakKind.CASH].theirs > 2 * 1500_00
    assert desk.funds.of(ROHAN).available_paise == before
    assert await reason_for(desk, buy("INFY", QTY, 1, ROHAN)) is Reason.OPEN_BREAK
    assert await reason_for(desk, sell("INFY", QTY, 1, ROHAN)) is None
    assert await reason_for(desk, buy("INFY", QTY, 1, PRIYA)) is None
    with pytest.raises(BadInput, match="reason"):
        await desk.reconcile.adopt(ROHAN, " ")
    await desk.reconcile.adopt(ROHAN, "the client traded by phone")
    assert desk.reconcile.breaks() == []
    (held,) = desk.holdings.of(ROHAN)
    funds = await desk.connections.feed.broker.funds(desk.connections.account(desk.clients.get(ROHAN)))
    assert (held.quantity, desk.funds.of(ROHAN).available_paise) == (7, funds.available_paise)
    assert await reason_for(desk, buy("INFY", QTY, 1, ROHAN)) is None
    (row,) = await desk.audit.rows(action="BREAK_ADOPTED")
    assert "by phone" in str(row.details)


async def test_no_more_is_planned_for_sale_than_the_broker_has(desk):
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN))
    await carry_out(desk, sell("INFY", QTY, 1, ROHAN))
    resting = sell("INFY", QTY, 2, ROHAN)
    await carry_out(desk, replace(resting, order_type=OrderType.LIMIT, limit_paise=1600_00))
    await quiet(desk)
    by_phone(desk, ROHAN, Side.SELL, 3)
    await until(desk, lambda: desk.reconcile.breaks(ROHAN), step_s=5)
    (line,) = (await desk.plans.preview(sell("INFY", SizingKind.PERCENT_OF_POSITION, 10_000, ROHAN))).lines
    assert (line.reason, line.sellable, line.quantity) == (None, 4, 4)
    (line,) = (await desk.plans.preview(sell("INFY", QTY, 5, ROHAN))).lines
    assert detail_words(line) == "short 1 shares, 4 free to sell; the broker has 6 of 9"
    await carry_out(desk, sell("INFY", QTY, 4, ROHAN))  # the difference stands as it was found before
    (line,) = (await desk.plans.preview(sell("INFY", SizingKind.PERCENT_OF_POSITION, 10_000, ROHAN))).lines
    assert (line.quantity, line.reason) == (0, Reason.INSUFFICIENT_HOLDING)
    assert detail_words(line) == "holds 5 in CNC, none free to sell; the broker has 2 of 5"
    (held,) = desk.holdings.of(ROHAN)
    assert (desk.holdings.free_to_sell(held), held.sellable) == (0, 3)
    await desk.clock.advance(15)
    await in_time(desk, desk.reconcile.adopt(ROHAN, "sold by phone"))  # while an order lives


async def test_more_shares_at_the_broker_limit_no_sale(desk):
    await carry_out(desk, buy("INFY", QTY, 5, ROHAN))
    await quiet(desk)
    by_phone(desk, ROHAN, quantity=10)
    await until(desk, lambda: desk.reconcile.breaks(ROHAN), step_s=5)
    (line,) = (await desk.plans.preview(sell("INFY", QTY, 6, ROHAN))).lines
    assert detail_words(line) == "short 1 shares, 5 free to sell"
    await desk.reconcile.adopt(ROHAN, "bought by phone")


async def test_adopted_shares_stand_where_the_broker_has_them(desk):
    await desk.reconcile.check(ROHAN)
    by_phone(desk, ROHAN, quantity=6)
    await desk.clock.advance(15)
    await desk.reconcile.adopt(ROHAN, "bought by phone")
    (held,) = desk.holdings.of(ROHAN)
    assert (held.today, held.t1, held.free) == (6, 0, 0)
    exchange_of(desk).pin("INFY", 1600_00, 1491_00)
    await carry_out(desk, sell("INFY", QTY, 2, ROHAN))
    await quiet(desk)
    assert desk.reconcile.breaks(ROHAN) == []  # the profit waits for settlement in both books
    by_phone(desk, PRIYA, quantity=5)
    await next_day(desk)
    await until(desk, lambda: desk.reconcile.is_compared(PRIYA), step_s=5)
    await until(desk, lambda: desk.holdings.of(PRIYA), step_s=5)
    (held,) = desk.holdings.of(PRIYA)
    assert (held.today, held.t1, held.free) == (0, 5, 0)
    before = desk.funds.of(PRIYA).available_paise
    await carry_out(desk, sell("INFY", QTY, 5, PRIYA))
    assert desk.funds.of(PRIYA).available_paise <= before  # before it settles it brings nothing
    await desk.clock.advance(15)
    await desk.reconcile.check(PRIYA)
    assert desk.reconcile.breaks(PRIYA) == []


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
async def test_shares_on_margin_that_are_adopted_carry_the_whole_loan(desk, side):
    await carry_out(desk, buy("INFY", QTY, 6, LENT, product=Product.MTF))
    await carry_out(desk, buy("RELIANCE", QTY, 2, LENT, product=Product.MTF))
    await until(desk, lambda: desk.reconcile.compared_at(LENT) is not None, step_s=5)
    by_phone(desk, LENT, side, 3, product=Product.MTF)
    await until(desk, lambda: len(desk.reconcile.breaks(LENT)) > 1, step_s=5)
    await desk.settle()
    await desk.reconcile.adopt(LENT, "the client traded by phone")
    assert desk.reconcile.breaks(LENT) == []
    theirs = await desk.connections.feed.broker.funds(desk.connections.account(desk.clients.get(LENT)))
    assert desk.funds.of(LENT).mtf_loan_paise == theirs.mtf_loan_paise > 0
    await books_are_sound(desk)
    _, run = await carry_out(desk, sell("INFY", QTY, 9 if side is Side.BUY else 3, LENT))
    _, other = await carry_out(desk, sell("RELIANCE", QTY, 2, LENT))
    assert run.counts[RunCount.FILLED] == other.counts[RunCount.FILLED] == 1
    assert desk.funds.of(LENT).mtf_loan_paise == 0


async def test_a_break_closes_by_itself_when_both_agree_again(desk):
    await carry_out(desk, buy("INFY", QTY, 1, ROHAN))
    name = by_phone(desk, ROHAN, limit_paise=1400_00)
    await quiet(desk)
    assert desk.reconcile.breaks() == []  # what is merely blocked there is still the client's
    exchange_of(desk).pin("INFY", 1390_00, 1491_00)
    await until(desk, lambda: len(desk.reconcile.breaks(ROHAN)) == 2, step_s=20)
    sold = by_phone(desk, ROHAN, Side.SELL, 2)
    assert sold != name
    await until(
        desk, lambda: not any(b.kind is BreakKind.SHARES for b in desk.reconcile.breaks(ROHAN)), step_s=20
    )
    rows = await desk.audit.rows(action="BREAK_CLOSED")
    assert rows


async def test_what_a_client_brings_is_adopted_once_as_the_day_opens(desk):
    code = desk.clients.get(ROHAN).code
    exchange_of(desk).open_holdings([HoldingOpening(code, "NSE:TCS", 12, 12 * 2000_00)])
    assert await desk.reconcile.check(ROHAN)
    (held,) = desk.holdings.of(ROHAN)
    assert (held.quantity, held.sellable, held.cost_paise) == (12, 12, 12 * 2000_00)
    (row,) = await desk.audit.rows(action="DAY_OPEN_ADOPTED")
    assert row.client_id == ROHAN
    await desk.reconcile.check(ROHAN)
    assert len(await desk.audit.rows(action="DAY_OPEN_ADOPTED")) == 1
    _, run = await carry_out(desk, sell("TCS", QTY, 12, ROHAN))
    assert run.counts[RunCount.FILLED] == 1


async def test_a_client_whose_books_cannot_be_read_is_skipped_by_name_and_nobody_else(desk):
    wire = Wire(desk)
    broker = wire.broker

    async def orders(account):
        if account.client_id == ROHAN:
            raise BrokerError("gateway")
        return await broker.orders(account)

    wire.orders = orders
    assert await reason_for(desk, buy("INFY", QTY, 1, ROHAN)) is Reason.NOT_RECONCILED
    assert await reason_for(desk, buy("INFY", QTY, 1, PRIYA)) is None
    wire.orders = broker.orders
    await until(desk, lambda: ROHAN in seam(desk).book.reconciled)
    assert await reason_for(desk, buy("INFY", QTY, 1, ROHAN)) is None


async def test_nothing_is_compared_while_an_order_moves_or_is_in_doubt(desk):
    await carry_out(desk, buy("INFY", QTY, 1, ROHAN))
    by_phone(desk, ROHAN)
    assert not await desk.reconcile.check(ROHAN)  # its order was filled a moment ago
    assert desk.reconcile.breaks() == []
    with pytest.raises(BadInput, match="still moving"):
        await desk.reconcile.adopt(ROHAN, "by phone")


async def test_a_wait_that_a_brokers_budget_makes_is_told_once(desk):
    broker = desk.connections.feed.broker
    broker.read_eta_s = lambda accounts, calls: len(accounts) * calls / 8
    desk.reconcile.forget()
    await until(desk, lambda: on_tape(desk, "reading the books of"))
    told = on_tape(desk, "reading the books of")
    ready = desk.counts().ready
    assert told == [f"reading the books of {ready} clients, about {ready * CALLS / 8:.0f} s"]


@pytest.mark.parametrize(
    ("free", "t1", "today", "pledged", "blocked", "found", "whole", "on_settled_alone"),
    [
        (7, 0, 0, 0, 2, (9, 6), 2, 2),  # a resting sale, filled in part since
        (5, 0, 0, 10, 0, (15, 12), 2, 2),
        (3, 7, 0, 0, 0, (10, 8), 8, 1),
        (5, 0, 10, 0, 0, (5, 0), 10, 0),  # bought since
        (5, 0, 0, 0, 0, (5, 8), 5, 5),
    ],
)
def test_shares_that_the_broker_lacks_are_none_of_those_free_to_sell(
    free, t1, today, pledged, blocked, found, whole, on_settled_alone
):
    held = HoldingView(
        ROHAN, "INE", "NSE:INFY", "INFY", Product.CNC, today, t1, free, pledged, blocked, 100_00
    )
    lacking = BreakView(1, ROHAN, BreakKind.SHARES, "INE", "CNC", "INFY", found[0], found[1], START)
    others = BreakView(2, ROHAN, BreakKind.SHARES, "INE", "MTF", "INFY", 4, 0, START)
    assert free_to_sell(held, [others, lacking], False) == whole
    assert free_to_sell(held, [others, lacking], True) == on_settled_alone
