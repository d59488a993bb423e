"""Converting to delivery: the loan is repaid from cash, once; cut-offs, doubts, and the books after it."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from brokers.contract import Accepted, Ambiguous
from brokers.simulators.exchange.settlement import sale_order
from data.errors import BadInput
from data.money import amount_words
from data.records import replace
from data.reference.conversions import conversion_until
from data.vocabulary import (
    Bucket,
    ConversionState,
    FlattenWhat,
    HaltScope,
    OrderState,
    OrderType,
    Product,
    SizingKind,
)
from engine.booking.lots import Lot, trade_order
from engine.booking.lots import sale_order as lot_order
from engine.booking.stored import LOTS
from tests.desks import (
    WAITS,
    Wire,
    books_are_sound,
    buy,
    carry_out,
    in_time,
    paper_desk,
    sell,
    there,
    until,
)
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
MIS, MTF, CNC = Product.MIS, Product.MTF, Product.CNC
PRIYA, LENT = 15, 22
TCS, RELIANCE = "NSE:TCS", "NSE:RELIANCE"
LATE_S = WAITS.conversion_late_s


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
    assert found.why_not == f"cash short by ₹{amount_words(found.loan_paise - found.available_paise)}"
    with pytest.raises(BadInput, match="cash short by"):
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
    (held,) = [one for one in desk.holdings.of(PRIYA) if one.product is MIS]
    ends = there(desk.holdings.intraday_end(held)).at
    exchange_of(desk).jump(ends)
    await until(desk, lambda: desk.market.now() >= ends)
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


def bought_order(desk, client_id: int, product=CNC) -> list[tuple[str, int, int]]:
    """What is left of each purchase at the broker, in the order in which a sale takes it."""
    books = exchange_of(desk).books
    parcels = books.parcels(desk.clients.get(client_id).code)
    ordered = sale_order([one for one in parcels if one.product == product], books.state().trading_day)
    return [(one.product, one.quantity, one.cost_paise) for one in ordered]


async def lots_in_order(desk, client_id: int, product=CNC) -> list[tuple[str, int, int]]:
    """The same of our lots."""
    after_all = trade_order(datetime.max.replace(tzinfo=UTC), "")
    async with seam(desk).store.reader() as reader:
        lots = await reader.run_sync(lambda on: LOTS.left(on, [client_id]))
    those = (one for one in lots if one.product is product)
    ordered = sorted(those, key=lambda lot: lot_order(lot, after_all))
    return [(one.product.value, one.quantity_left, one.cost_left_paise) for one in ordered]


@pytest.mark.parametrize("delivery_first", [False, True])
async def test_converted_shares_are_sold_as_they_were_bought_in_both_books(desk, delivery_first):
    for price, product in ((2450_00, MTF), (2477_70, CNC))[:: -1 if delivery_first else 1]:
        exchange_of(desk).pin("RELIANCE", price, 2395_20)
        await desk.market.fetch([RELIANCE])
        await carry_out(desk, buy("RELIANCE", QTY, 10, LENT, product=product, again=True))
    for quantity in (4, 3):
        await desk.conversions.convert(LENT, RELIANCE, (MTF, CNC), quantity)
        assert await lots_in_order(desk, LENT) == bought_order(desk, LENT)
    for quantity in (8, 5):
        await carry_out(desk, replace(sell("RELIANCE", QTY, quantity, LENT), product=CNC))
        assert await lots_in_order(desk, LENT) == bought_order(desk, LENT)
        await books_are_sound(desk)


async def test_none_is_asked_for_while_an_order_sells_such_shares(desk):
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA))
    await carry_out(desk, buy("TCS", QTY, 10, PRIYA, product=MIS, again=True))
    above = desk.market.quote(TCS).last_paise * 105 // 100 // 100 * 100
    selling = replace(sell("TCS", QTY, 4, PRIYA), product=CNC, order_type=OrderType.LIMIT, limit_paise=above)
    _, run = await carry_out(desk, selling)
    words = "sells such shares in CNC; cancel it first"
    assert words in (await desk.conversions.prospect(PRIYA, TCS, (MIS, CNC), 4)).why_not
    with pytest.raises(BadInput, match=words):
        await desk.conversions.convert(PRIYA, TCS, (MIS, CNC), 4)
    await desk.orders.cancel(run.order_ids)
    await until(desk, lambda: desk.orders.get(run.order_ids[0]).state is OrderState.CANCELLED)
    assert (await desk.conversions.convert(PRIYA, TCS, (MIS, CNC), 4)).state is ConversionState.DONE
    assert held(desk, PRIYA) == at_venue(desk, PRIYA) == {CNC: 14, MIS: 6}


def test_a_sale_takes_no_shares_that_were_converted_after_it():
    made = datetime(2026, 11, 18, 5, 0, tzinfo=UTC)
    minute = timedelta(minutes=1)

    def lot(number: int, bucket: Bucket, arrived: datetime | None) -> Lot:
        day = made.date() if bucket is Bucket.TODAY else made.date() - timedelta(days=9)
        traded = made - 2 * minute if arrived else None
        of_trade = traded, "7" if arrived else None
        return Lot(
            number, 1, "X", CNC, bucket, day, 5, 500, 0, 0, 5, 500, 0, 0, None, None, arrived, *of_trade
        )

    kept, converted = lot(1, Bucket.FREE, None), lot(2, Bucket.TODAY, made + minute)
    for at, first in ((made, kept), (made + 2 * minute, converted)):
        assert min((kept, converted), key=lambda one, at=at: lot_order(one, trade_order(at, "8"))) is first
