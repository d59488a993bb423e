"""Sales as the income tax sees them: days netted first, then first in, first out, terms by dated rows."""

from collections import deque
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import BadInput
from data.reference.tax import FinancialYear, gain_rates, gain_term, long_from, year_from_text, year_of
from data.vocabulary import GainTerm, Side, SizingKind
from engine.tax.queue import SharesIn, SharesOut, TaxTrade, tax_book
from tests.desks import buy, by_phone, carry_out, manual_clock, paper_desk, sell

MONDAY = date(2026, 11, 16)
NSE, BSE = "NSE", "BSE"


def trade(side: Side, quantity: int, rupees: int, day: date = MONDAY, **of: object) -> TaxTrade:
    """A trade of TCS; ten paise of charges a share, of which six are the tax on securities transactions."""
    told = {
        "exchange": NSE,
        "charges_paise": quantity * 10,
        "stt_paise": quantity * 6,
        "is_gross": False,
        **of,
    }
    return TaxTrade(
        day=day, tradingsymbol="TCS", side=side, quantity=quantity, price_paise=rupees * 100, **told
    )  # pyright: ignore[reportArgumentType]


def bought(quantity: int, rupees: int, day: date = MONDAY, **of: object) -> TaxTrade:
    return trade(Side.BUY, quantity, rupees, day, **of)


def sold(quantity: int, rupees: int, day: date = MONDAY, **of: object) -> TaxTrade:
    return trade(Side.SELL, quantity, rupees, day, **of)


def test_a_day_is_netted_before_the_oldest_shares_are_sold():
    held = SharesIn(MONDAY, 100, 100 * 900_00, date(2024, 1, 10))
    book = tax_book([bought(30, 1000), sold(50, 1010)], [held])
    trip, rest = book.sales
    assert (trip.term, trip.quantity, trip.bought_on) == (GainTerm.SPECULATIVE, 30, MONDAY)
    assert trip.gain_paise == 30 * 10_00 - 600  # all charges of both sides count
    assert (rest.term, rest.quantity, rest.bought_on) == (GainTerm.LONG_TERM, 20, date(2024, 1, 10))
    assert rest.gain_paise == 20 * 110_00 - 20 * 4  # without the tax on securities transactions
    assert [(lot.quantity, lot.cost_paise) for lot in book.lots] == [(80, 80 * 900_00)]


def test_a_sale_before_its_purchase_is_netted_too():
    (trip,) = tax_book([sold(10, 1010), bought(10, 1000)]).sales
    assert (trip.term, trip.gain_paise) == (GainTerm.SPECULATIVE, 10 * 10_00 - 200)


@pytest.mark.parametrize("other", [{"exchange": BSE}, {"is_gross": True}])
def test_what_the_exchange_does_not_net_is_delivered(other):
    held = SharesIn(MONDAY, 10, 10 * 900_00, date(2026, 1, 5))
    book = tax_book([bought(10, 1000), sold(10, 1010, **other)], [held])
    assert [(one.term, one.bought_on) for one in book.sales] == [(GainTerm.SHORT_TERM, date(2026, 1, 5))]
    assert [lot.bought_on for lot in book.lots] == [MONDAY]


def test_shares_that_nobody_told_the_purchase_of_are_named_so():
    later = MONDAY + timedelta(days=1)
    adopted = SharesIn(MONDAY, 10, 9_000_00, None)
    book = tax_book([sold(15, 1000, later)], [adopted])
    known, missing = book.sales
    assert (known.term, known.quantity, known.gain_paise) == (GainTerm.UNKNOWN, 10, 1_000_00 - 40)
    assert (missing.term, missing.quantity, missing.cost_paise, missing.gain_paise) == (
        GainTerm.UNKNOWN,
        5,
        None,
        None,
    )


def test_shares_that_left_without_a_trade_were_the_oldest():
    first, second = bought(10, 900, MONDAY), bought(10, 950, MONDAY + timedelta(days=1))
    gone = SharesOut(MONDAY + timedelta(days=2), 10)
    (sale,) = tax_book([first, second, sold(5, 1000, MONDAY + timedelta(days=3))], (), [gone]).sales
    assert sale.cost_paise == 5 * 950_00


_TRADES = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 40),
        st.integers(90, 110),
        st.integers(0, 4),
        st.sampled_from((NSE, BSE)),
    ),
    max_size=25,
)


@given(_TRADES, st.integers(0, 60))
def test_no_share_and_no_paisa_is_lost(rows, held):
    trades = [
        trade(side, quantity, price, MONDAY + timedelta(days=day), exchange=exchange)
        for side, quantity, price, day, exchange in sorted(rows, key=lambda row: row[3])
    ]
    came = [SharesIn(MONDAY, held, held * 100_00, date(2025, 5, 5))] if held else []
    book = tax_book(trades, came)
    buys = [one for one in trades if one.side is Side.BUY]
    sells = [one for one in trades if one.side is Side.SELL]
    matched = [one for one in book.sales if one.cost_paise is not None]
    assert sum(one.quantity for one in book.sales) == sum(one.quantity for one in sells)
    assert sum(one.proceeds_paise for one in book.sales) == sum(
        one.quantity * one.price_paise for one in sells
    )
    left = sum(lot.quantity for lot in book.lots)
    assert sum(one.quantity for one in matched) + left == sum(one.quantity for one in buys) + held
    cost = sum(one.quantity * one.price_paise for one in buys) + held * 100_00
    assert sum(one.cost_paise or 0 for one in matched) + sum(lot.cost_paise for lot in book.lots) == cost
    charges = sum(one.charges_paise for one in trades)
    assert (
        sum(one.charges_paise for one in book.sales) + sum(lot.charges_paise for lot in book.lots) == charges
    )


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 5)), min_size=1, max_size=8), st.integers(1, 60))
def test_the_queue_is_first_in_first_out(purchases, wanted):
    day, trades = MONDAY, []
    queue: deque[date] = deque()
    for quantity, after in purchases:
        day += timedelta(days=after)
        trades.append(bought(quantity, 100, day))
        queue.extend([day] * quantity)
    book = tax_book([*trades, sold(wanted, 100, day + timedelta(days=1))])
    taken = [one.bought_on for one in book.sales if one.cost_paise is not None for _ in range(one.quantity)]
    assert taken == [queue.popleft() for _ in range(min(wanted, len(queue)))]


@pytest.mark.parametrize(
    ("bought_on", "first"),
    [
        (date(2025, 11, 16), date(2026, 11, 17)),
        (date(2024, 2, 29), date(2025, 3, 1)),
        (date(2023, 2, 28), date(2024, 2, 29)),
    ],
)
def test_shares_are_held_for_long_after_twelve_months(bought_on, first):
    assert long_from(bought_on, first) == first
    assert gain_term(bought_on, first) is GainTerm.LONG_TERM
    assert gain_term(bought_on, first - timedelta(days=1)) is GainTerm.SHORT_TERM


def test_rates_are_those_of_the_day_of_the_sale():
    before, after = gain_rates(date(2024, 7, 22)), gain_rates(date(2026, 4, 1))
    assert (before.short_term_bps, before.long_term_bps, before.long_term_exempt_paise) == (
        1500,
        1000,
        1_00_000_00,
    )
    assert (after.short_term_bps, after.long_term_bps, after.long_term_exempt_paise) == (
        2000,
        1250,
        1_25_000_00,
    )
    with pytest.raises(BadInput, match="known from"):
        gain_rates(date(2017, 1, 1))


def test_a_financial_year_begins_in_april():
    assert str(year_of(date(2027, 3, 31))) == "2026-27"
    assert year_of(date(2027, 4, 1)) == FinancialYear(2027)
    assert year_from_text("1999-00") == FinancialYear(1999)
    for wrong in ("2026", "2026-28", "26-27"):
        with pytest.raises(BadInput, match="2026-27"):
            year_from_text(wrong)


async def test_the_books_tell_what_was_sold_in_a_year_across_products(tmp_path):
    async with paper_desk(tmp_path, shares=True) as desk:
        priya = desk.clients.find("PS1015").id
        lots = [lot for lot in await desk.statements.lots(priya) if lot.tradingsymbol == "TCS"]
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 4, priya))
        await carry_out(desk, sell("TCS", SizingKind.FIXED_QUANTITY, 10, priya))
        year = year_of(desk.market_clock.trading_day)
        (found,) = await desk.tax.year([priya], year)
        fast, slow = found.sales[1].sale, found.sales[0].sale
        assert {(one.sale.term, one.sale.quantity) for one in found.sales} == {
            (GainTerm.SPECULATIVE, 4),
            (GainTerm.SHORT_TERM, 6),
        }
        oldest = min(lots, key=lambda lot: lot.opened_on)
        assert (slow.bought_on, slow.cost_paise) == (
            oldest.opened_on,
            oldest.cost_paise * 6 // oldest.quantity,
        )
        assert found.sales[0].isin == "INE467B01029"
        assert fast.stt_paise + slow.stt_paise < fast.charges_paise + slow.charges_paise
        left = await desk.tax.lots(priya, year.last)
        assert sum(lot.quantity for lot in left["INE467B01029"]) == sum(lot.quantity for lot in lots) - 6
        (before,) = await desk.tax.year([priya], FinancialYear(year.begins_in - 1))
        assert (before.sales, {one.sales for one in before.totals()}) == ((), {0})


async def test_what_was_traded_by_phone_is_named_and_not_guessed(tmp_path):
    async with paper_desk(tmp_path) as desk:
        rohan = desk.clients.find("RG1008").id
        await desk.reconcile.check(rohan)
        for side, quantity in ((Side.BUY, 7), (Side.SELL, 2)):
            by_phone(desk, rohan, side, quantity)
            await manual_clock(desk).advance(15)
            await desk.reconcile.adopt(rohan, "by phone")
        await carry_out(desk, sell("INFY", SizingKind.FIXED_QUANTITY, 1, rohan))
        (found,) = await desk.tax.year([rohan], year_of(desk.market_clock.trading_day))
        (sale,) = found.sales
        assert (sale.sale.term, sale.sale.bought_on, sale.sale.quantity) == (GainTerm.UNKNOWN, None, 1)
        assert sum(one.gone.quantity for one in found.gone) == 0  # within the day both come to five more
        (lots,) = (await desk.tax.lots(rohan, desk.market_clock.trading_day)).values()
        assert [(lot.bought_on, lot.quantity) for lot in lots] == [(None, 4)]
