"""Conversions of which the answer comes late: what was traded and compared meanwhile comes behind them."""

from datetime import timedelta

import pytest

from brokers.contract import BrokerError
from data.records import replace
from data.vocabulary import ConversionState
from tests.desks import WAITS, books_are_sound, buy, carry_out, in_time, paper_desk, sell, until
from tests.engine.test_conversion import (
    CNC,
    LATE_S,
    LENT,
    MIS,
    MTF,
    PRIYA,
    QTY,
    RELIANCE,
    TCS,
    at_venue,
    bought_order,
    held,
    lots_in_order,
    silent,
)
from tests.engine.test_days import next_day
from tradedesk.compose.brokers.paper import exchange_of


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as desk:
        yield desk


def told_behind(desk, work) -> None:
    """Have the broker's answer to a conversion come once something else was done."""
    broker = desk.connections.feed.broker
    convert = broker.convert

    async def late(account, conversion):
        outcome = await convert(account, conversion)
        await work()
        return outcome

    broker.convert = late


async def test_a_sale_booked_before_a_conversion_is_told_takes_what_that_had_brought(desk):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA))
    for _ in range(3):
        await next_day(desk)
    exchange_of(desk).pin("TCS", 2550_00, 2450_00)
    await in_time(desk, desk.market.fetch([TCS]))
    await in_time(desk, carry_out(desk, buy("TCS", QTY, 5, PRIYA, product=MIS)))

    async def sold() -> None:
        exchange_of(desk).pin("TCS", 2560_00, 2450_00)
        await desk.market.fetch([TCS])
        await carry_out(desk, replace(sell("TCS", QTY, 3, PRIYA), product=CNC))

    told_behind(desk, sold)
    made = await in_time(desk, desk.conversions.convert(PRIYA, TCS, (MIS, CNC)))
    assert made.state is ConversionState.DONE
    (ours,) = (one for one in desk.holdings.of(PRIYA) if one.product is CNC)
    (theirs,) = (one for one in exchange_of(desk).holdings("PS1015") if one.product is CNC)
    assert (ours.today, ours.free) == (theirs.today, theirs.free) == (2, 10)
    assert desk.funds.of(PRIYA).available_paise == exchange_of(desk).funds("PS1015").available_paise
    await books_are_sound(desk)


async def same_purchases(desk) -> None:
    """Hold what is left of each purchase, and the money, against the broker's."""
    for product in (CNC, MTF):
        assert await lots_in_order(desk, LENT, product) == bought_order(desk, LENT, product)
    ours, theirs = desk.funds.of(LENT), exchange_of(desk).funds(desk.clients.get(LENT).code)
    assert (ours.available_paise, ours.mtf_loan_paise) == (theirs.available_paise, theirs.mtf_loan_paise)
    await books_are_sound(desk)


async def test_a_sale_booked_before_a_conversion_is_told_takes_what_that_had_left(desk):
    for price in (2450_00, 2477_70):
        exchange_of(desk).pin("RELIANCE", price, 2395_20)
        await desk.market.fetch([RELIANCE])
        await carry_out(desk, buy("RELIANCE", QTY, 10, LENT, product=MTF, again=True))
    selling = replace(sell("RELIANCE", QTY, 3, LENT), product=MTF, again=True)
    await carry_out(desk, selling)
    told_behind(desk, lambda: carry_out(desk, selling))
    made = await in_time(desk, desk.conversions.convert(LENT, RELIANCE, (MTF, CNC), 10))
    assert made.state is ConversionState.DONE
    assert len(await desk.audit.rows(action="FILL_REBOOKED")) == 2
    await same_purchases(desk)


async def test_a_purchase_booked_before_a_conversion_is_told_is_none_of_it(desk):
    await carry_out(desk, buy("RELIANCE", QTY, 10, LENT, product=MTF))
    for _ in range(3):
        await next_day(desk)
    exchange_of(desk).pin("RELIANCE", 2477_70, 2395_20)
    await in_time(desk, desk.market.fetch([RELIANCE]))
    told_behind(desk, lambda: carry_out(desk, buy("RELIANCE", QTY, 5, LENT, product=MTF)))
    made = await in_time(desk, desk.conversions.convert(LENT, RELIANCE, (MTF, CNC), 4))
    assert made.state is ConversionState.DONE
    await same_purchases(desk)


async def test_books_are_not_compared_while_a_conversion_is_under_way(desk):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA, product=MIS))
    quiet = desk.market.now() + timedelta(seconds=WAITS.quiet_s + 1)
    await until(desk, lambda: desk.market.now() > quiet)
    assert await in_time(desk, desk.reconcile.check(PRIYA))
    compared = list[bool]()

    async def check() -> None:
        compared.append(await desk.reconcile.check(PRIYA))

    told_behind(desk, check)
    await in_time(desk, desk.conversions.convert(PRIYA, TCS, (MIS, CNC)))
    assert compared == [False]
    assert await desk.audit.rows(action="BREAK_OPENED") == []
    await until(desk, lambda: desk.market.now() > quiet + timedelta(seconds=60))
    assert await in_time(desk, desk.reconcile.check(PRIYA))
    assert held(desk, PRIYA) == at_venue(desk, PRIYA) == {CNC: 10}


async def test_one_in_doubt_for_long_is_a_difference_of_the_books(desk, monkeypatch):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA, product=MIS))
    silent(desk, arrives=True)
    with monkeypatch.context() as patched:
        patched.setattr(desk.connections.feed.broker, "holdings", not_read)
        made = await in_time(desk, desk.conversions.convert(PRIYA, TCS, (MIS, CNC)))
    assert made.state is ConversionState.UNKNOWN
    assert not await in_time(desk, desk.reconcile.check(PRIYA))
    later = desk.market.now() + timedelta(seconds=LATE_S + WAITS.quiet_s)
    await until(desk, lambda: desk.market.now() > later, step_s=10)
    assert await in_time(desk, desk.reconcile.check(PRIYA))
    assert await desk.audit.rows(action="BREAK_OPENED") != []


async def not_read(account):
    raise BrokerError("not now")
