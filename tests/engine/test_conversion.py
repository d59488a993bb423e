"""Converting to delivery: the loan is repaid from cash, once; cut-offs, doubts, and the books after it."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from brokers.contract import Accepted, Ambiguous
from data.errors import BadInput
from data.reference.conversions import conversion_until
from data.vocabulary import ConversionState, FlattenWhat, HaltScope, Product, SizingKind
from tests.desks import WAITS, Wire, books_are_sound, buy, carry_out, in_time, paper_desk, sell, until
from tradedesk.compose.paper import exchange_of

QTY = SizingKind.FIXED_QUANTITY
MIS, MTF, CNC = Product.MIS, Product.MTF, Product.CNC
PRIYA, LENT = 15, 22
TCS, RELIANCE = "NSE:TCS", "NSE:RELIANCE"
LATE_S = WAITS.modify_valid_s + WAITS.send_timeout_s + WAITS.absent_last_s


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as desk:
        yield desk


def held(desk, client_id: int) -> dict[Product, int]:
    return {one.product: one.quantity for one in desk.holdings.of(client_id)}


def at_venue(desk, client_id: int) -> dict[Product, int]:
    rows = exchange_of(desk).holdings(desk.clients.get(client_id).code)
    return {row.product: row.free + row.t1 + row.today for row in rows}


async def test_intraday_shares_become_the_clients_own_for_what_was_lent(desk):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA, product=MIS))
    before = desk.funds.of(PRIYA)
    found = await desk.conversions.prospect(PRIYA, TCS, (MIS, CNC))
    assert (found.quantity, found.loan_paise, found.why_not) == (10, before.intraday_loan_paise, "")
    made = await desk.conversions.convert(PRIYA, TCS, (MIS, CNC))
    assert made.state is ConversionState.DONE
    after = desk.funds.of(PRIYA)
    assert after.intraday_loan_paise == 0
    assert before.available_paise - after.available_paise == found.loan_paise
    assert held(desk, PRIYA) == at_venue(desk, PRIYA) == {CNC: 10}
    assert after.available_paise == exchange_of(desk).funds("PS1015").available_paise
    await books_are_sound(desk)
    await carry_out(desk, sell("TCS", QTY, 10, PRIYA))
    assert held(desk, PRIYA) == at_venue(desk, PRIYA) == {}
    await books_are_sound(desk)


async def test_a_part_of_a_margin_position_goes_and_the_rest_stays_lent(desk):
    await carry_out(desk, buy("RELIANCE", QTY, 10, LENT, product=MTF))
    loan = desk.funds.of(LENT).mtf_loan_paise
    made = await desk.conversions.convert(LENT, RELIANCE, (MTF, CNC), 4)
    assert made.state is ConversionState.DONE
    assert held(desk, LENT) == at_venue(desk, LENT) == {CNC: 4, MTF: 6}
    assert desk.funds.of(LENT).mtf_loan_paise == loan - made.loan_paise
    await books_are_sound(desk)


async def test_what_cannot_be_paid_or_is_not_there_is_refused_before_the_broker_is_asked(desk):
    found = await desk.conversions.prospect(PRIYA, TCS, (MIS, CNC))
    assert found.why_not == "0 shares are free in MIS"
    await carry_out(desk, buy("TCS", QTY, 90, PRIYA, product=MIS))
    found = await desk.conversions.prospect(PRIYA, TCS, (MIS, CNC))
    assert found.why_not.startswith("cash short by")
    with pytest.raises(BadInput):
        await desk.conversions.convert(PRIYA, TCS, (MIS, CNC))
    assert (await desk.conversions.prospect(PRIYA, TCS, (CNC, MIS))).why_not
    assert at_venue(desk, PRIYA) == {MIS: 90}


def silent(desk, arrives: bool) -> list[str]:
    """Let the broker answer no conversion, whether it arrives or not; the symbols that it was asked for."""
    broker, asked = desk.connections.feed.broker, list[str]()
    convert = broker.convert

    async def answer(account, conversion):
        asked.append(conversion.tradingsymbol)
        conversion.last_look()
        if arrives:
            assert isinstance(await convert(account, conversion), Accepted)
        return Ambiguous("no answer")

    broker.convert = answer
    return asked


async def test_one_in_doubt_is_done_once_the_brokers_positions_show_it(desk):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA, product=MIS))
    silent(desk, arrives=True)
    made = await desk.conversions.convert(PRIYA, TCS, (MIS, CNC))
    assert made.state is ConversionState.DONE
    assert held(desk, PRIYA) == at_venue(desk, PRIYA) == {CNC: 10}
    await books_are_sound(desk)


async def test_one_in_doubt_is_not_asked_for_again_before_its_call_can_no_longer_arrive(desk):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA, product=MIS))
    asked = silent(desk, arrives=False)
    made = await desk.conversions.convert(PRIYA, TCS, (MIS, CNC), 4)
    assert made.state is ConversionState.UNKNOWN
    with pytest.raises(BadInput, match="open still"):
        await desk.conversions.convert(PRIYA, TCS, (MIS, CNC), 4)
    assert len(asked) == 1
    later = desk.market.now() + timedelta(seconds=LATE_S)
    await until(desk, lambda: desk.market.now() > later, step_s=10)
    await desk.conversions.convert(PRIYA, TCS, (MIS, CNC), 4)
    assert len(asked) == 2
    assert (await desk.conversions.view(made.number)).state is ConversionState.REFUSED
    await books_are_sound(desk)


async def test_two_at_once_reach_the_broker_once(desk):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA, product=MIS))
    broker, asked, go_on = desk.connections.feed.broker, list[int](), asyncio.Event()
    convert = broker.convert

    async def slow(account, conversion):
        asked.append(conversion.quantity)
        await go_on.wait()
        return await convert(account, conversion)

    broker.convert = slow
    first = asyncio.create_task(desk.conversions.convert(PRIYA, TCS, (MIS, CNC), 4))
    await until(desk, lambda: asked)
    with pytest.raises(BadInput, match="open still"):
        await desk.conversions.convert(PRIYA, TCS, (MIS, CNC), 4)
    go_on.set()
    assert (await first).state is ConversionState.DONE
    assert held(desk, PRIYA) == at_venue(desk, PRIYA) == {MIS: 6, CNC: 4}
    assert asked == [4]
    await books_are_sound(desk)


async def test_shares_that_a_flatten_sells_are_not_converted_beside_it(desk):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA, product=MIS))
    broker, go_on = desk.connections.feed.broker, asyncio.Event()
    holdings = broker.holdings

    async def late(account):
        await go_on.wait()
        return await holdings(account)

    async def begun() -> int:
        number = await desk.flatten.start(HaltScope.EVERYTHING, "", FlattenWhat.MIS)
        broker.holdings = late
        return number

    number = await in_time(desk, begun())
    with pytest.raises(BadInput, match="takes these shares flat"):
        await desk.conversions.convert(PRIYA, TCS, (MIS, CNC))
    go_on.set()
    assert (await in_time(desk, desk.flatten.follow(number))).flat == 1


async def test_a_flatten_waits_for_a_conversion_under_way_and_sells_what_it_left(desk):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA, product=MIS))
    broker, asked, go_on = desk.connections.feed.broker, list[int](), asyncio.Event()
    wire = Wire(desk)
    convert = broker.convert

    async def slow(account, conversion):
        asked.append(conversion.quantity)
        await go_on.wait()
        return await convert(account, conversion)

    broker.convert = slow
    converting = asyncio.create_task(desk.conversions.convert(PRIYA, TCS, (MIS, CNC), 4))
    await until(desk, lambda: asked)
    number = await in_time(desk, desk.flatten.start(HaltScope.EVERYTHING, "", FlattenWhat.MIS))
    later = desk.market.now() + timedelta(seconds=3)
    await until(desk, lambda: desk.market.now() > later)
    assert wire.placed == []
    go_on.set()
    await converting
    assert (await in_time(desk, desk.flatten.follow(number))).flat == 1
    assert [(one.tradingsymbol, one.quantity) for one in wire.placed] == [("TCS", 6)]
    assert at_venue(desk, PRIYA) == {CNC: 4}
    await books_are_sound(desk)


async def test_none_is_asked_for_while_halted_or_after_the_cut_off(desk):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA, product=MIS))
    made = await desk.halt.fire("trader")
    assert (await desk.conversions.prospect(PRIYA, TCS, (MIS, CNC))).why_not == "halted"
    await desk.halt.resume(made.number, "resume", "trader")
    exchange_of(desk).jump(desk.market.intraday_end(TCS))
    await until(desk, lambda: desk.market.now() >= desk.market.intraday_end(TCS))
    assert (await desk.conversions.prospect(PRIYA, TCS, (MIS, CNC))).why_not


def test_the_cut_off_is_dated_data():
    ends = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
    day = date(2026, 11, 18)
    assert conversion_until("zerodha", (MIS, CNC), day, ends) == ends
    assert conversion_until("zerodha", (MTF, CNC), day, ends) == datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
    assert conversion_until("zerodha", (CNC, MIS), day, ends) is None
    assert conversion_until("zerodha", (MIS, CNC), date(2020, 1, 1), ends) is None


async def test_several_are_found_and_converted_and_one_refusal_keeps_no_other_back(desk):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA, product=MIS))
    await carry_out(desk, buy("RELIANCE", QTY, 2, PRIYA, product=MIS))
    await carry_out(desk, buy("TCS", QTY, 4, LENT, product=MIS))
    found = await desk.several_conversions.prospects([PRIYA, LENT], (MIS, CNC))
    assert sorted((one.client_id, one.tradingsymbol, one.quantity) for one in found) == [
        (PRIYA, "RELIANCE", 2),
        (PRIYA, "TCS", 10),
        (LENT, "TCS", 4),
    ]
    with pytest.raises(BadInput):
        await desk.several_conversions.prospects([PRIYA], (MIS, CNC), "NSE:INFY")
    await desk.several_conversions.convert([one for one in found if one.tradingsymbol == "RELIANCE"])
    ends = await desk.several_conversions.convert(found)
    assert {(end.wanted.client_id, end.wanted.tradingsymbol, end.view is not None) for end in ends} == {
        (PRIYA, "RELIANCE", False),
        (PRIYA, "TCS", True),
        (LENT, "TCS", True),
    }
    owned = [(one.product, one.quantity) for one in desk.holdings.of(PRIYA)]
    assert (sorted(owned), held(desk, LENT)) == ([(CNC, 2), (CNC, 10)], {CNC: 4})
    await books_are_sound(desk)
