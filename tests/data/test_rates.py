"""Charges: the worked examples, the limits of each broker, rounding and dates."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import BadInput
from data.reference.dated import RatesNotLoaded
from data.reference.rates import Charges, estimate
from data.vocabulary import Product, Side

TODAY = date(2026, 11, 20)
LAKH = 100_000_00


def total(broker: str, product: Product, side: Side, notional: int, *, demat_sale: bool = False) -> int:
    return estimate(TODAY, broker, "NSE", product, side, notional, demat_sale=demat_sale).total_paise


def test_a_delivery_buy_line_by_line_each_rounded_up():
    charges = estimate(TODAY, "zerodha", "NSE", Product.CNC, Side.BUY, 76_500_00)
    assert charges == Charges(0, 76_50, 2_35, 8, 11_48, 44, 0)
    assert charges.total_paise == 90_85
    assert total("zerodha", Product.CNC, Side.BUY, 48_450_00) == 57_54


def test_brokerage_of_mtf_is_capped():
    charges = estimate(TODAY, "zerodha", "NSE", Product.MTF, Side.BUY, 324 * 1_530_00)
    assert charges.brokerage_paise == 20_00


@pytest.mark.parametrize(
    ("broker", "product", "with_depository", "rupees"),
    [
        ("zerodha", Product.CNC, True, "243.01"),
        ("upstox", Product.CNC, True, "298.47"),
        ("groww", Product.CNC, True, "298.47"),
        ("zerodha", Product.MTF, True, "290.21"),
    ],
)
def test_round_trips_of_the_brokers_pages(broker: str, product: Product, with_depository: bool, rupees: str):
    """100 shares bought at 1,000 and sold at 1,050; rounding up costs at most a few paise."""
    both = total(broker, product, Side.BUY, LAKH) + total(
        broker, product, Side.SELL, 105_000_00, demat_sale=with_depository
    )
    assert 0 <= both - int(Decimal(rupees) * 100) <= 10


@pytest.mark.parametrize("broker", ["zerodha", "upstox", "groww"])
def test_an_intraday_round_trip_costs_the_same_everywhere(broker: str):
    both = total(broker, Product.MIS, Side.BUY, LAKH) + total(broker, Product.MIS, Side.SELL, 100_800_00)
    # The published 82.70 rounds STT 25.20 and stamp duty to the rupee.
    assert abs(both - 82_70) <= 30


@pytest.mark.parametrize(
    ("broker", "product", "notional", "paise"),
    [
        ("zerodha", Product.MIS, 10_000_00, 3_00),
        ("upstox", Product.CNC, 10_000_00, 10_00),
        ("groww", Product.CNC, 10_000_00, 10_00),
        ("groww", Product.CNC, 1_000_00, 5_00),
        ("groww", Product.CNC, 100_00, 2_50),
        ("groww", Product.MTF, LAKH, 100_00),
        ("paper", Product.MTF, LAKH, 20_00),
        ("some other house", Product.CNC, LAKH, 0),
    ],
)
def test_brokerage_of_each_broker(broker: str, product: Product, notional: int, paise: int):
    assert estimate(TODAY, broker, "NSE", product, Side.BUY, notional).brokerage_paise == paise


def test_the_depository_is_paid_only_when_shares_leave_the_demat_account():
    def depository(broker: str, product: Product, side: Side, notional: int = LAKH) -> int:
        return estimate(TODAY, broker, "NSE", product, side, notional, demat_sale=True).dp_paise

    assert depository("zerodha", Product.CNC, Side.SELL) == 15_34
    assert depository("groww", Product.CNC, Side.SELL) == 23_60
    assert depository("groww", Product.CNC, Side.SELL, 99_99) == 4_13
    assert depository("zerodha", Product.CNC, Side.BUY) == 0
    assert depository("zerodha", Product.MIS, Side.SELL) == 0
    assert total("zerodha", Product.CNC, Side.SELL, LAKH) < total(
        "zerodha", Product.CNC, Side.SELL, LAKH, demat_sale=True
    )


def test_the_exchange_fee_follows_exchange_and_date():
    def fee(on: date, exchange: str) -> int:
        return estimate(on, "zerodha", exchange, Product.CNC, Side.BUY, 10_000_000_00).exchange_paise

    assert fee(TODAY, "NSE") == fee(date(2026, 2, 28), "NSE") == 307_00
    assert fee(TODAY, "BSE") == 375_00


def test_what_has_no_table_is_refused():
    with pytest.raises(RatesNotLoaded, match="rates are known from 01 Oct 2024"):
        estimate(date(2024, 9, 30), "zerodha", "NSE", Product.CNC, Side.BUY, LAKH)
    with pytest.raises(BadInput, match=r"exchange: 'MCX'.*BSE, NSE"):
        estimate(TODAY, "zerodha", "MCX", Product.CNC, Side.BUY, LAKH)
    with pytest.raises(BadInput, match="notional: -1"):
        estimate(TODAY, "zerodha", "NSE", Product.CNC, Side.BUY, -1)


@given(
    st.sampled_from(["zerodha", "upstox", "groww"]),
    st.sampled_from(["NSE", "BSE"]),
    st.sampled_from(list(Product)),
    st.sampled_from(list(Side)),
    st.booleans(),
    st.integers(0, 10**12),
    st.integers(0, 10**8),
)
def test_a_larger_order_never_costs_less_and_none_costs_nothing(
    broker: str, exchange: str, product: Product, side: Side, demat: bool, notional: int, more: int
):
    def charged(value: int) -> int:
        return estimate(TODAY, broker, exchange, product, side, value, demat_sale=demat).total_paise

    assert charged(0) == 0
    assert charged(notional) <= charged(notional + more)
