"""Converting to delivery: the loan is repaid from cash, once; cut-offs, doubts, and the books after it."""

from datetime import UTC, date, datetime

import pytest

from brokers.contract import Accepted, Ambiguous
from data.errors import BadInput
from data.reference.conversions import conversion_until
from data.vocabulary import ConversionState, Product, SizingKind
from tests.desks import books_are_sound, buy, carry_out, paper_desk, sell, until
from tradedesk.compose.paper import exchange_of

QTY = SizingKind.FIXED_QUANTITY
MIS, MTF, CNC = Product.MIS, Product.MTF, Product.CNC
PRIYA, LENT = 15, 22
TCS, RELIANCE = "NSE:TCS", "NSE:RELIANCE"


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


@pytest.mark.parametrize("arrived", [True, False])
async def test_one_in_doubt_is_settled_by_the_brokers_positions(desk, arrived):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA, product=MIS))
    broker = desk.connections.feed.broker
    convert = broker.convert

    async def silent(account, conversion):
        conversion.last_look()
        if arrived:
            assert isinstance(await convert(account, conversion), Accepted)
        return Ambiguous("no answer")

    broker.convert = silent
    made = await desk.conversions.convert(PRIYA, TCS, (MIS, CNC))
    assert made.state is (ConversionState.DONE if arrived else ConversionState.REFUSED)
    assert held(desk, PRIYA) == at_venue(desk, PRIYA) == {CNC if arrived else MIS: 10}
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
