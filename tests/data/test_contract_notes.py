"""Charges of a client's day: the worked examples of the three brokers to the paisa, netting, rounding."""

from datetime import date, timedelta

import pytest

from data.reference.contract_notes import DayOrder, note_charges
from data.reference.mtf import interest_a_day, interest_between
from data.reference.rates import Charges, charges_together
from data.vocabulary import Product, Side

TODAY = date(2026, 11, 20)
BUY, SELL = Side.BUY, Side.SELL


def order(side: Side, quantity: int, rupees: int, product: Product = Product.CNC, **more: object) -> DayOrder:
    number = more.pop("order_id", 1)
    return DayOrder(number, "INE1", "NSE", product, side, quantity, quantity * rupees * 100, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("broker", "brokerage", "gst", "dp", "total"),
    [
        ("zerodha", 0, 117, 1534, 243_01),
        ("upstox", 40_00, 837, 2360, 298_47),
        ("groww", 40_00, 837, 2360, 298_47),
    ],
)
def test_a_delivery_round_trip_of_two_days_to_the_paisa(
    broker: str, brokerage: int, gst: int, dp: int, total: int
):
    bought = note_charges(TODAY, broker, [order(BUY, 100, 1000)])
    sold = note_charges(TODAY, broker, [order(SELL, 100, 1050)], {"INE1": 105_000_00})
    both = Charges(*(getattr(bought, name) + getattr(sold, name) for name in Charges.__struct_fields__))
    assert both == Charges(brokerage, 205_00, 6_29, 21, 15_00, gst, dp)
    assert both.total_paise == total


@pytest.mark.parametrize("broker", ["zerodha", "upstox", "groww"])
@pytest.mark.parametrize("product", [Product.MIS, Product.CNC])
def test_an_intraday_round_trip_to_the_paisa_whatever_its_product(broker: str, product: Product):
    charges = note_charges(TODAY, broker, [order(BUY, 100, 1000, product), order(SELL, 100, 1008, product)])
    assert charges == Charges(40_00, 25_00, 6_16, 20, 3_00, 8_34, 0)
    assert charges.total_paise == 82_70


@pytest.mark.parametrize(("broker", "paise"), [("zerodha", 3_00), ("upstox", 10_00), ("groww", 10_00)])
def test_brokerage_of_a_small_intraday_order(broker: str, paise: int):
    assert note_charges(TODAY, broker, [order(BUY, 10, 1000, Product.MIS)]).brokerage_paise == paise


@pytest.mark.parametrize(
    ("broker", "brokerage", "gst", "interest", "pledges", "dp", "total"),
    [
        ("zerodha", 40_00, 8_37, 300_00, 35_40, 15_34, 625_61),
        ("upstox", 40_00, 8_37, 400_00, 47_20, 23_60, 745_67),  # two slabs of 40,000 begun
        # Charged a day at a time, each rounded up to the paisa: ten days together would be 307.19.
        ("groww", 205_00, 38_07, 307_20, 47_20, 23_60, 847_57),
    ],
)
def test_a_round_trip_on_margin_of_ten_days_to_the_paisa(
    broker: str, brokerage: int, gst: int, interest: int, pledges: int, dp: int, total: int
):
    margin = Product.MTF
    bought = note_charges(TODAY, broker, [order(BUY, 100, 1000, margin)])
    sold = note_charges(TODAY, broker, [order(SELL, 100, 1050, margin)], {"INE1": 105_000_00})
    both = charges_together([bought, sold])
    lent = interest_between(broker, TODAY, TODAY + timedelta(days=10), 75_000_00)
    assert both == Charges(brokerage, 205_00, 6_29, 21, 15_00, gst, pledges + dp)
    assert (bought.dp_paise, sold.dp_paise) == (pledges // 2, pledges // 2 + dp)
    assert lent == interest
    assert both.total_paise + lent == total


def test_a_day_of_a_loan_costs_what_the_brokers_say():
    assert [interest_a_day("zerodha", TODAY, rupees * 100) for rupees in (1, 75_000, 10_00_000)] == [
        1,
        30_00,
        400_00,
    ]
    assert [interest_a_day("upstox", TODAY, rupees * 100) for rupees in (1, 40_000, 40_001)] == [
        20_00,
        20_00,
        40_00,
    ]
    assert interest_a_day("groww", TODAY, 75_000_00) == 30_72


def test_shares_on_margin_that_are_sold_within_the_day_are_not_pledged():
    orders = [order(BUY, 100, 1000, Product.MTF), order(SELL, 100, 1008, Product.MTF)]
    assert note_charges(TODAY, "zerodha", orders).dp_paise == 0
    later = [order(SELL, 100, 1008, Product.MTF)]  # of T1: neither in the demat account nor pledged
    assert note_charges(TODAY, "zerodha", later).dp_paise == 0
