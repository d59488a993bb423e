"""The change of day, and our books against the broker's before and after it."""

from functools import partial

import pytest

from brokers.contract import Refused
from data.tables.books import SizingBase, TradingDay
from data.tables.columns import table
from data.tables.lots import LotRecord
from data.vocabulary import DayState, OrderState, Policy, Product, RunCount, SizingKind
from data.writing.changes import Touched
from engine.days import roll_day
from engine.refusals import CannotGoOn
from tests.desks import Wire, books_are_sound, buy, carry_out, paper_desk, sell, sends_nothing, until
from tests.further import further
from tests.refusing import refuses
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

ROHAN, PRIYA, AMIT = 8, 15, 22
BOTH = pytest.mark.parametrize("policy", list(Policy))


async def next_day(desk):
    """Move the market to its next trading day and let the desk notice."""
    day = desk.market_clock.trading_day
    exchange_of(desk).jump(seam(desk).calendar.session_close(day))
    assert desk.market_clock.trading_day > day
    await until(desk, lambda: seam(desk).day == desk.market_clock.trading_day)
    await desk.settle()


async def compared(desk, client_id):
    """Our figures and the broker's, and shares by symbol and product."""
    broker, account = desk.connections.broker_of(client_id)
    theirs, ours = await broker.funds(account), desk.funds.of(client_id)
    held = {
        (h.tradingsymbol, h.product): (h.today, h.t1, h.free, h.blocked, h.cost_paise)
        for h in desk.holdings.of(client_id)
    }
    holds = {
        (h.tradingsymbol, h.product): (h.today, h.t1, h.free, h.blocked, h.cost_paise)
        for h in await broker.holdings(account)
    }
    return ours, theirs, held, holds


async def agree(desk, client_id):
    """Fail unless a client without live orders has at the desk what it has at the broker."""
    ours, theirs, held, holds = await compared(desk, client_id)
    assert held == holds
    assert (ours.mtf_loan_paise, ours.blocked_paise) == (theirs.mtf_loan_paise, theirs.blocked_paise)
    assert ours.available_paise - ours.shortfall_paise == theirs.available_paise


@BOTH
async def test_our_books_are_the_brokers_through_a_day_and_two_rolls(tmp_path, policy):
    async with paper_desk(tmp_path, policy) as desk:
        await carry_out(desk, buy("RELIANCE", SizingKind.PERCENT_OF_CAPITAL, 1000))
        await carry_out(desk, buy("INFY", SizingKind.FIXED_QUANTITY, 20, ROHAN, AMIT, product=Product.MTF))
        await carry_out(desk, buy("HDFCBANK", SizingKind.FIXED_QUANTITY, 10, ROHAN, AMIT))
        exchange_of(desk).pin("HDFCBANK", 1650_00, 1590_00)
        exchange_of(desk).pin("INFY", 1520_00, 1491_00)
        await desk.market.fetch(["NSE:HDFCBANK", "NSE:INFY"])
        await carry_out(desk, sell("HDFCBANK", SizingKind.FIXED_QUANTITY, 6, ROHAN, AMIT))
        await carry_out(desk, sell("INFY", SizingKind.FIXED_QUANTITY, 7, ROHAN, AMIT))
        traded = [order.client_id for order in desk.orders.all() if order.filled_quantity]
        assert len(set(traded)) > 40
        for client_id in set(traded):
            await agree(desk, client_id)

        await next_day(desk)
        for client_id in set(traded):
            await agree(desk, client_id)
        await carry_out(desk, sell("HDFCBANK", SizingKind.FIXED_QUANTITY, 2, ROHAN, AMIT))
        await carry_out(desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        for client_id in (ROHAN, AMIT):
            await agree(desk, client_id)
        await next_day(desk)
        await next_day(desk)
        await carry_out(desk, sell("HDFCBANK", SizingKind.FIXED_QUANTITY, 1, ROHAN, AMIT))
        await next_day(desk)
        for client_id in set(traded):
            await agree(desk, client_id)
            assert desk.funds.of(client_id).unsettled_paise == 0
            interest = desk.valuation.client(client_id).interest_today_paise
            assert desk.funds.of(client_id).charges_due_paise == interest
        await books_are_sound(desk)


def unsettled(desk, client_id):
    """What the broker owes a client for sales that have not settled."""
    user_id = desk.connections.broker_of(client_id)[1].user_id
    query = "SELECT coalesce(sum(amount_paise), 0) FROM unsettled WHERE user_id = ?"
    return exchange_of(desk).database.execute(query, (user_id,)).fetchone()[0]


def parcels(desk, client_id):
    """What is left of each of a client's fills at the broker, in the order of the fills."""
    user_id = desk.connections.broker_of(client_id)[1].user_id
    query = "SELECT quantity, cost_paise, loan_paise FROM parcel WHERE user_id = ? ORDER BY parcel_id"
    return exchange_of(desk).database.execute(query, (user_id,)).fetchall()


async def lots(desk, client_id):
    """What is left of each of a client's lots at our desk, in the order of the fills."""
    stored = table(LotRecord)
    query = stored.select().where(stored.c.client_id == client_id, stored.c.quantity_left > 0)
    async with seam(desk).store.reader() as connection:
        rows = (await connection.execute(query.order_by(stored.c.id))).mappings().all()
    return [(row["quantity_left"], row["cost_left_paise"], row["loan_left_paise"]) for row in rows]


@BOTH
@pytest.mark.parametrize("product", further([Product.CNC, Product.MTF]))
async def test_shares_of_several_prices_are_sold_by_both_books_in_the_same_order(tmp_path, policy, product):
    async with paper_desk(tmp_path, policy) as desk:

        async def trade(price, intent):
            exchange_of(desk).pin("RELIANCE", price, 2395_20)
            await desk.market.fetch(["NSE:RELIANCE"])
            _, run = await carry_out(desk, intent)
            (order,) = desk.orders.all(run=run.number)
            assert (order.state, order.flags) == (OrderState.FILLED, ())
            await same()

        async def buying(price, quantity):
            kind = SizingKind.FIXED_QUANTITY
            await trade(price, buy("RELIANCE", kind, quantity, ROHAN, product=product, again=True))

        async def selling(price, quantity):
            await trade(price, sell("RELIANCE", SizingKind.FIXED_QUANTITY, quantity, ROHAN))

        async def same():
            await agree(desk, ROHAN)
            assert desk.funds.of(ROHAN).unsettled_paise == unsettled(desk, ROHAN)
            assert await lots(desk, ROHAN) == parcels(desk, ROHAN)

        for price in (2450_00, 2477_70, 2433_30):
            await buying(price, 2)
        await selling(2490_00, 3)
        assert [(held.today, held.cost_paise) for held in desk.holdings.of(ROHAN)] == [(3, 7344_30)]
        await next_day(desk)
        await same()
        await selling(2461_10, 2)
        assert [(held.t1, held.cost_paise) for held in desk.holdings.of(ROHAN)] == [(1, 2433_30)]
        for price in (2470_30, 2444_40):
            await buying(price, 3)
        await next_day(desk)
        await same()
        await buying(2455_50, 1)
        # Today's one, the settled one, and two of the four that are on their way.
        await selling(2481_00, 4)
        (held,) = desk.holdings.of(ROHAN)
        assert (held.today, held.free, held.t1) == (0, 0, 4)
        assert held.cost_paise == 2470_30 + 3 * 2444_40
        await next_day(desk)
        await next_day(desk)
        await same()
        await selling(2399_90, 1)
        await next_day(desk)
        await same()
        assert desk.funds.of(ROHAN).unsettled_paise == 0
        await books_are_sound(desk)


async def test_a_day_opens_once_with_frozen_bases_and_fresh_figures(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("HDFCBANK", SizingKind.FIXED_QUANTITY, 10, ROHAN))
        await carry_out(desk, sell("HDFCBANK", SizingKind.FIXED_QUANTITY, 10, ROHAN))
        assert seam(desk).book.figures[ROHAN].charges_paise > 0
        capital = desk.clients.get(ROHAN).capital_paise
        await seam(desk).store.write(_capital(desk, capital + 5_00))
        assert desk.clients.get(ROHAN).capital_paise == capital
        await next_day(desk)
        assert desk.clients.get(ROHAN).capital_paise == capital + 5_00
        assert seam(desk).book.figures[ROHAN].charges_paise == 0
        assert desk.holdings.of(ROHAN) == []
        before = desk.funds.all()
        day = desk.market_clock.trading_day
        roll = partial(roll_day, day=day, calendar=seam(desk).calendar, actor=desk.actor)
        opened = [await seam(desk).store.write(roll) for _ in range(2)]
        assert opened == [False, False]
        assert desk.funds.all() == before
        rows = await desk.audit.rows(action="DAY_OPENED")
        assert [row.details["trading_day"] for row in rows] == ["2026-11-18", "2026-11-19"]
        async with seam(desk).store.reader() as connection:
            bases = (await connection.execute(table(SizingBase).select())).all()
            assert len(bases) == 2 * len(desk.clients.all())
            days = (await connection.execute(table(TradingDay).select())).all()
            states = [(row.day.isoformat(), row.state) for row in days]
            assert states == [("2026-11-18", DayState.ENDED), ("2026-11-19", DayState.OPEN)]
            assert [row.opened_at for row in days] == [row.at for row in rows]


def _capital(desk, paise):
    def unit_of_work(unit):
        unit.connection.exec_driver_sql(f"UPDATE client SET capital_paise = {paise} WHERE id = {ROHAN}")
        unit.touched.roster = True

    return unit_of_work


async def test_orders_left_over_from_a_day_end_with_it_and_are_never_sent_on_the_next(tmp_path):
    async with paper_desk(tmp_path) as desk:
        before = desk.funds.all()
        low = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN, limit_paise=2300_00)
        await carry_out(desk, low)
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, PRIYA))
        sends_nothing(desk)
        run = await desk.runs.start(plan, plan.digest)
        await desk.runs.pause(run.number)
        wire = Wire(desk)
        await next_day(desk)
        del seam(desk).workers.dispatcher.submit
        with refuses(CannotGoOn, r"session of run|has ended"):
            await desk.runs.go_on(run.number, 1)
        await until(desk, lambda: not desk.orders.all(live=True))
        assert wire.placed == []
        ends = {order.client_id: order.state for order in desk.orders.all()}
        assert ends == {ROHAN: OrderState.EXPIRED, PRIYA: OrderState.CANCELLED}
        assert desk.funds.all() == before
        assert not any(order.flags for order in desk.orders.all())
        await books_are_sound(desk)


async def test_a_stamp_from_before_a_jump_of_the_market_is_shown_as_it_was_then(tmp_path):
    async with paper_desk(tmp_path) as desk:
        stamp, shown = desk.clock.now(), desk.shown_at(desk.clock.now())
        await next_day(desk)
        assert desk.shown_at(desk.clock.now()).date() > shown.date()
        assert abs((desk.shown_at(stamp) - shown).total_seconds()) <= 1


async def test_what_was_rejected_yesterday_asks_for_nobody_and_its_run_is_not_told_in_part(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)

        async def refused(account, request):
            return Refused("rms", "Blocked by the broker's risk checks.")

        wire.on_place = refused
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        assert desk.counts().needs_attention == 1
        await next_day(desk)
        assert desk.counts().needs_attention == 0
        assert [run.counts[RunCount.REJECTED] for run in desk.runs.all()] == [1], "what was seen stays whole"
        everything = Touched(everything=True)
        fresh = await seam(desk).store.read_aside(lambda c: seam(desk).book.project(c, everything))
        assert (set(fresh.orders), set(fresh.runs)) == ({1}, {1}), "a desk opened today tells it whole"
