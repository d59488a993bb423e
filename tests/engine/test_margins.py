"""Margins that a broker tells: asked once a day, kept with the instrument, and never in a plan's way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import update

from brokers.contract import BrokerError
from data.clock import ManualClock
from data.money import own_share
from data.records import replace
from data.tables.columns import table
from data.tables.market import InstrumentRecord
from data.vocabulary import Product, Reason, RouteKind, RunCount, Side, SizingKind
from engine.access.routes import NewRoute
from engine.desk import Desk
from engine.planning.plan import Plan
from engine.words.trading.why import detail_words
from tests.desks import Wire, books_are_sound, buy, carry_out, paper_desk, sell
from tests.signing import signing_desk
from tradedesk.testing import seam

KEY = "NSE:INFY"
ROHAN, SURESH = 8, 6
BY_MTF = buy("INFY", SizingKind.FIXED_QUANTITY, 10, ROHAN, product=Product.MTF)
BY_CNC = replace(BY_MTF, product=Product.CNC)
UNKNOWN = "no margin of INFY is known: its broker has not told it yet"


class Telling(Wire):
    """A broker that tells margins, as a test has them."""

    def __init__(self, desk):
        super().__init__(desk)
        self.shares: dict[Product, int | None] = {Product.MTF: 3_456, Product.MIS: None}
        self.asked: list[tuple[str, str, int]] = []
        self.problem = ""
        self.down: set[str] = set()
        self.held: asyncio.Event | None = None
        self.reached = asyncio.Event()

    async def margins(self, account, instrument, price_paise, products):
        self.asked.append((account.user_id, instrument.key, price_paise))
        self.reached.set()
        if self.held is not None:
            await self.held.wait()
        if self.problem or account.user_id in self.down:
            raise BrokerError(self.problem or "Down.")
        return {product: self.shares[product] for product in products}


async def forget(desk: Desk, **known: int | None) -> None:
    """Leave the instrument with these margins alone, as an instruments dump brings it."""
    records = table(InstrumentRecord)
    fields = {"mtf_margin_bps": None, "mis_margin_bps": None} | known
    statement = update(records).where(records.c.tradingsymbol == "INFY").values(**fields)
    await seam(desk).store.write(lambda unit: unit.connection.execute(statement))
    await desk.market.load()


@asynccontextmanager
async def telling_desk(home, **known: int | None) -> AsyncIterator[tuple[Desk, Telling]]:
    async with paper_desk(home) as desk:
        await forget(desk, **known)
        yield desk, Telling(desk)


@pytest.fixture
async def told(tmp_path):
    async with telling_desk(tmp_path) as pair:
        yield pair


def margins(desk: Desk) -> tuple[int | None, int | None]:
    instrument = desk.market.index.get(KEY)
    assert instrument is not None
    return instrument.mtf_margin_bps, instrument.mis_margin_bps


def why_not(plan: Plan) -> str:
    (line,) = plan.lines
    assert line.reason is Reason.NOT_MTF_ELIGIBLE
    return detail_words(line)


def clock_of(desk: Desk) -> ManualClock:
    assert isinstance(desk.clock, ManualClock)
    return desk.clock


async def test_two_plans_at_once_ask_once_and_both_have_the_answer(told):
    desk, broker = told
    first, second = await asyncio.gather(desk.plans.preview(BY_MTF), desk.plans.preview(BY_CNC))
    assert [plan.instrument.mtf_margin_bps for plan in (first, second)] == [3_456, 3_456]
    assert broker.asked == [("RG1008", KEY, 1_500_00)]
    (row,) = await desk.audit.rows(10, action="MARGINS_TOLD")
    assert row.details == {"key": KEY, "through": "RG1008", "mtf_margin_bps": 3_456, "mis_margin_bps": None}


async def test_what_was_told_is_what_an_order_reserves(told):
    desk, broker = told
    plan, run = await carry_out(desk, BY_MTF)
    (line,) = plan.lines
    value = 10 * plan.reserve_price_paise
    assert line.loan_paise == value - own_share(value, 3_456)
    assert run.counts[RunCount.FILLED] == 1
    assert desk.funds.of(ROHAN).mtf_loan_paise == 10 * 1_500_00 - own_share(10 * 1_500_00, 3_456)
    assert len(broker.asked) == 1
    await books_are_sound(desk)


async def test_what_was_told_is_there_after_reopening_and_asked_anew_the_next_day(tmp_path):
    async with telling_desk(tmp_path) as (desk, _):
        await desk.plans.preview(BY_CNC)
        assert margins(desk) == (3_456, None)
    async with paper_desk(tmp_path, demo=False) as desk:
        assert margins(desk) == (3_456, None)
        broker = Telling(desk)
        broker.shares = {Product.MTF: None, Product.MIS: 2_000}
        await desk.plans.preview(BY_CNC)
        assert margins(desk) == (None, 2_000), "a process that did not ask today asks"
        clock_of(desk).shift(3600)
        await desk.plans.preview(BY_CNC)
        assert len(broker.asked) == 1
        clock_of(desk).shift(24 * 3600)
        seam(desk).market_clock = clock_of(desk)
        broker.shares[Product.MTF] = 4_000
        await desk.plans.preview(BY_CNC)
        assert (len(broker.asked), margins(desk)) == (2, (4_000, 2_000))


async def test_a_broker_that_tells_nothing_is_no_plans_trouble_and_asked_again_in_ten_seconds(told, caplog):
    desk, broker = told
    broker.problem = "Down for maintenance."
    assert why_not(await desk.plans.freeze(BY_MTF)) == UNKNOWN
    assert "margins of NSE:INFY could not be read: Down for maintenance." in caplog.text
    assert (await desk.plans.preview(BY_CNC)).orders == 1
    clock_of(desk).shift(9.9)
    await desk.plans.preview(BY_MTF)
    assert len(broker.asked) == 1
    clock_of(desk).shift(0.2)
    broker.problem = ""
    plan = await desk.plans.preview(BY_MTF)
    assert plan.instrument.mtf_margin_bps == 3_456
    assert len(broker.asked) == 2


async def test_the_last_known_margin_stands_where_none_can_be_had(tmp_path):
    async with telling_desk(tmp_path, mtf_margin_bps=4_400) as (desk, broker):
        broker.problem = "Down."
        plan = await desk.plans.preview(BY_MTF)
        assert (plan.instrument.mtf_margin_bps, margins(desk)) == (4_400, (4_400, None))
        assert plan.orders == 1


async def test_a_slow_broker_holds_a_plan_up_for_a_moment_once_and_its_answer_counts_later(told, caplog):
    desk, broker = told
    seam(desk).waits = replace(seam(desk).waits, margin_s=0.05)
    broker.held = asyncio.Event()
    assert why_not(await desk.plans.preview(BY_MTF)) == UNKNOWN
    assert "slow to come" in caplog.text
    seam(desk).waits = replace(seam(desk).waits, margin_s=3.0)
    clock_of(desk).shift(30)
    assert why_not(await desk.plans.preview(BY_MTF)) == UNKNOWN, "nobody waits for the same try again"
    assert len(broker.asked) == 1
    broker.held.set()
    await asyncio.wait(seam(desk).background.loading)
    assert (await desk.plans.preview(BY_MTF)).instrument.mtf_margin_bps == 3_456
    assert (len(broker.asked), caplog.text.count("slow to come")) == (1, 1)


async def test_a_plan_that_is_given_up_leaves_the_answer_to_the_next(told):
    desk, broker = told
    broker.held = asyncio.Event()
    given_up = asyncio.create_task(desk.plans.preview(BY_MTF))
    await broker.reached.wait()
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    broker.held.set()
    assert (await desk.plans.preview(BY_MTF)).instrument.mtf_margin_bps == 3_456
    assert len(broker.asked) == 1


async def test_the_first_who_is_signed_in_is_asked(tmp_path, caplog):
    async with signing_desk(tmp_path, "C1", "C2", "C3") as (desk, _):
        await forget(desk)
        broker = Telling(desk)
        intent = replace(BY_CNC, selection=replace(BY_CNC.selection, client_ids=()))
        await desk.plans.preview(intent)
        assert "nobody of whom it could be asked is signed in" in caplog.text
        for number in (3, 2):
            await desk.sessions.sign_in(number, f"for-U{number}")
        clock_of(desk).shift(10)
        await desk.plans.preview(intent)
        assert [user_id for user_id, _, _ in broker.asked] == ["U2"]


async def test_an_account_whose_answer_may_not_hold_for_others_is_asked_last(tmp_path):
    async with signing_desk(tmp_path, "C1", "C2", "C3") as (desk, _):
        await forget(desk)
        broker = Telling(desk)
        for number in (1, 2):
            await desk.sessions.sign_in(number, f"for-U{number}")
        await desk.routes.set(1, NewRoute(RouteKind.OWN, api_key="key1", mtf_enabled=False))
        await desk.plans.preview(replace(BY_CNC, selection=replace(BY_CNC.selection, client_ids=(1, 2))))
        assert [user_id for user_id, _, _ in broker.asked] == ["U2"]


async def test_who_has_sold_the_stock_today_is_asked_last(told):
    desk, broker = told
    broker.problem = "Down."
    await carry_out(desk, BY_CNC)
    await carry_out(desk, sell("INFY", SizingKind.FIXED_QUANTITY, 10, ROHAN))
    assert {order.side for order in desk.orders.all()} == {Side.BUY, Side.SELL}
    clock_of(desk).shift(10)
    broker.asked.clear()
    await desk.plans.preview(buy("INFY", SizingKind.FIXED_QUANTITY, 1, ROHAN, SURESH))
    assert [user_id for user_id, _, _ in broker.asked] == ["SN1006", "RG1008"]


async def test_one_whose_reads_fail_keeps_nobody_waiting_and_a_try_goes_through_three(told):
    desk, broker = told
    broker.down = {"PS1015", "RG1008"}
    many = buy("INFY", SizingKind.FIXED_QUANTITY, 1)
    await desk.plans.preview(replace(many, selection=replace(many.selection, client_ids=(ROHAN, SURESH, 15))))
    assert [user_id for user_id, _, _ in broker.asked] == ["PS1015", "RG1008", "SN1006"]
    assert margins(desk) == (3_456, None)


async def test_sales_trade_to_trade_and_brokers_that_tell_none_ask_nobody(tmp_path, caplog):
    async with telling_desk(tmp_path) as (desk, broker):
        await desk.plans.preview(sell("INFY", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        await desk.plans.preview(buy("VOGL", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        assert broker.asked == []
    async with paper_desk(tmp_path, demo=False) as desk:
        await desk.plans.preview(BY_CNC)
    assert "margins" not in caplog.text
