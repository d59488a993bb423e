"""Kite's rows in the contract's shapes, with the oddities of its own samples."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from brokers.contract import BrokerError, BrokerFunds, BrokerStatus
from brokers.kite.answers.account import funds_of, profile_of
from brokers.kite.answers.market import ticks_of
from brokers.kite.answers.orders import order_of, orders_of, trades_of
from brokers.kite.answers.portfolio import holdings_of
from brokers.wire.rows import percent_text, rupees_text, to_paise
from data.vocabulary import Demat, OrderType, Product, Side, Validity
from tests.brokers.kite_stub import order_row

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


def test_an_order_of_the_book():
    order = order_of(order_row(), "AB1234")
    assert order.broker_order_id == "1895678901234567890"
    assert (order.side, order.product, order.order_type) == (Side.BUY, Product.CNC, OrderType.LIMIT)
    assert (order.quantity, order.filled_quantity, order.price_paise) == (10, 0, 1500_05)
    assert order.trigger_paise is None
    assert order.placed_at == datetime(2026, 11, 23, 3, 50, 5, tzinfo=UTC)
    assert order.updated_at == datetime(2026, 11, 23, 3, 50, 6, tzinfo=UTC)
    # The official client makes naive dates of some of these fields.
    naive = order_row(order_timestamp=datetime(2026, 11, 23, 9, 20, 5))  # noqa: DTZ001
    assert order_of(naive, "AB1234") == order


def test_a_protected_market_order_and_a_waiting_stop():
    row = order_row(
        price=159.82,
        average_price=156.70333333333335,
        filled_quantity=10,
        status="COMPLETE",
        tag=None,
        tags=["mktp", "mktp:2.00"],
    )
    order = order_of(row, "AB1234")
    assert order.tags == ("mktp", "mktp:2.00")
    assert (order.price_paise, order.average_price_paise) == (159_82, 156_70)
    waiting = order_of(
        order_row(status="TRIGGER PENDING", order_type="SL-M", price=0, trigger_price=0.30000000000000004),
        "AB1234",
    )
    assert (waiting.trigger_pending, waiting.trigger_paise, waiting.price_paise) == (True, 30, None)
    assert (waiting.order_type, waiting.status) == (OrderType.SL_M, BrokerStatus.OPEN)


def test_a_rejected_a_cancelled_and_an_unheard_of_order():
    rejected = order_row(
        status="REJECTED",
        exchange_timestamp=None,
        exchange_update_timestamp=None,
        status_message="Insufficient funds.\x1b[31m",
        average_price=None,
        validity="IOC",
    )
    order = order_of(rejected, "AB1234")
    assert (order.status, order.message) == (BrokerStatus.REJECTED, "Insufficient funds.[31m")
    assert order.updated_at == order.placed_at
    assert order.validity is Validity.IOC
    # A cancelled row may still show a pending quantity; what was filled counts.
    partly = order_of(
        order_row(status="CANCELLED", filled_quantity=4, pending_quantity=6, average_price=10), "AB1234"
    )
    assert (partly.status, partly.filled_quantity) == (BrokerStatus.CANCELLED, 4)
    odd = order_of(order_row(status="WAITING FOR GODOT"), "AB1234")
    assert (odd.status, odd.status_text) == (BrokerStatus.UNRECOGNISED, "WAITING FOR GODOT")


def test_a_frame_of_the_stream_names_its_user():
    assert order_of(order_row(user_id="CD5678", tags=["t1", "x"])).user_id == "CD5678"
    with pytest.raises(BrokerError, match="order update, user_id: missing"):
        order_of(order_row())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order_id", None),
        ("order_id", 7),
        ("status", None),
        ("quantity", None),
        ("quantity", "10"),
        ("quantity", 1.5),
        ("quantity", True),
        ("filled_quantity", -1),
        ("price", "1500"),
        ("price", float("nan")),
        ("price", float("inf")),
        ("transaction_type", "HOLD"),
        ("order_type", None),
        ("order_timestamp", None),
        ("order_timestamp", "09:20:05"),
        ("validity", None),
    ],
)
def test_a_null_or_a_wrong_type_names_row_and_field(field: str, value: object):
    rows = orders_of([order_row(), order_row(order_id="8") | {field: value}], "AB1234").rows
    (order,), (unread,) = rows, rows.unread
    assert f"order row 2, {field}: " in unread.words
    assert order.broker_order_id != "8"
    assert unread.broker_order_id == ("" if field == "order_id" else "8")


def test_what_the_desk_does_not_trade_hides_nothing():
    rows = [
        order_row(order_id="1", exchange="NFO", product="NRML", status="OPEN", tradingsymbol="INFY26NOVFUT"),
        order_row(order_id="2", product="CO", order_type="odd", status="COMPLETE"),
        "no row at all",
        order_row(order_id="3", variety="amo", status="AMO REQ RECEIVED"),
        order_row(order_id="4", variety="amo", status="OPEN"),
    ]
    found = orders_of(rows, "AB1234")
    answering = {order.broker_order_id: found.varieties[order.broker_order_id] for order in found.rows}
    assert answering == {"3": "amo", "4": "regular"}, "once at the exchange it answers as any other"
    (other,) = found.rows.passed_over
    assert (other.broker_order_id, other.what, other.tradingsymbol) == ("1", "NFO NRML", "INFY26NOVFUT")
    assert [row.words for row in found.rows.unread] == ["order row 3 must be an object, not str"]
    with pytest.raises(BrokerError, match="the order rows must be a list"):
        orders_of({}, "AB1234")


def test_a_trade_is_dated_by_its_fill():
    trade: dict[str, Any] = {
        "trade_id": "10000000",
        "order_id": "200000000000000",
        "exchange": "NSE",
        "tradingsymbol": "M&M",
        "instrument_token": 519937,
        "product": "CNC",
        "average_price": 1500.05,
        "quantity": 3,
        "exchange_order_id": "300000000000000",
        "transaction_type": "SELL",
        "fill_timestamp": "2026-11-23 09:16:39",
        "order_timestamp": "09:16:39",
        "exchange_timestamp": "2026-11-23 09:16:38",
    }
    (found,) = trades_of([trade], "AB1234")
    assert (found.side, found.quantity, found.price_paise) == (Side.SELL, 3, 1500_05)
    assert (found.trading_date, found.traded_at) == (
        date(2026, 11, 23),
        datetime(2026, 11, 23, 3, 46, 39, tzinfo=UTC),
    )
    (late,) = trades_of([trade | {"fill_timestamp": None}], "AB1234")
    assert late.traded_at.second == 38
    (old,) = trades_of([{k: v for k, v in trade.items() if k != "quantity"} | {"filled": 5}], "AB1234")
    assert old.quantity == 5
    (odd,) = trades_of([trade | {"trade_id": None}], "AB1234").unread
    assert "trade row 1, trade_id" in odd.words


def test_funds_are_the_servers_own_figures_without_binary_noise():
    margins = {
        "enabled": True,
        "net": 99725.05000000002,
        "available": {"cash": 245431.6, "live_balance": 99725.05000000002, "opening_balance": 245431.6},
        "utilised": {"debits": 145706.55, "payout": -250.5},
    }
    mtf = {
        "quantity": 100,
        "used_quantity": 0,
        "average_price": 100,
        "value": 10000.0,
        "initial_margin": 2500.0,
    }
    assert funds_of(margins, [{"mtf": mtf}, {"mtf": {"quantity": 0}}], NOW) == BrokerFunds(
        available_paise=99725_05,
        blocked_paise=250_50,
        mtf_limit_paise=0,
        mtf_loan_paise=7500_00,
        as_of=NOW,
        orders_blocked=False,
        loan_of_today=False,
    )
    with pytest.raises(BrokerError, match="margins, available, live_balance: None"):
        funds_of(margins | {"available": {"live_balance": None}}, [], NOW)


def holding(**changes: Any) -> dict[str, Any]:
    return {
        "tradingsymbol": "INFY",
        "exchange": "NSE",
        "isin": "INE009A01021",
        "product": "CNC",
        "quantity": 0,
        "used_quantity": 0,
        "t1_quantity": 0,
        "collateral_quantity": 0,
        "average_price": 100.0,
        "mtf": {"quantity": 0, "used_quantity": 0, "average_price": 0, "value": 0, "initial_margin": 0},
    } | changes


def position(**changes: Any) -> dict[str, Any]:
    return {
        "tradingsymbol": "INFY",
        "exchange": "NSE",
        "product": "CNC",
        "quantity": 0,
        "day_buy_quantity": 0,
        "day_buy_value": 0,
        "day_sell_quantity": 0,
        "day_sell_value": 0,
    } | changes


def buckets(holdings: list[Any], positions: list[Any]) -> list[tuple[str, str, int, int, int, int]]:
    found = holdings_of(holdings, {"net": positions, "day": []})
    return [
        (one.tradingsymbol, one.product.value, one.free, one.t1, one.today, one.cost_paise) for one in found
    ]


def test_a_sale_of_held_shares_counts_once():
    # 60 settled and 40 not yet delivered; 50 sold today stand in both answers.
    held = holding(quantity=10, t1_quantity=40, used_quantity=50)
    assert buckets([held], [position(quantity=-50, day_sell_quantity=50)]) == [
        ("INFY", "CNC", 10, 40, 0, 5000_00)
    ]
    # The same shares sold on the other exchange.
    elsewhere = position(exchange="BSE", quantity=-50, day_sell_quantity=50)
    assert buckets([held], [elsewhere]) == [("INFY", "CNC", 10, 40, 0, 5000_00)]
    # The holdings lag behind the sale.
    behind = holding(quantity=60, t1_quantity=40)
    assert buckets([behind], [position(quantity=-70, day_sell_quantity=70)]) == [
        ("INFY", "CNC", 0, 30, 0, 3000_00)
    ]


def test_what_was_bought_today_is_todays_and_costs_what_it_cost():
    bought = position(quantity=10, day_buy_quantity=10, day_buy_value=1200.0)
    assert buckets([holding(quantity=5)], [bought]) == [("INFY", "CNC", 5, 0, 10, 1700_00)]
    both = bought | {"quantity": -40, "day_sell_quantity": 50}
    assert buckets([holding(quantity=10, used_quantity=50)], [both]) == [("INFY", "CNC", 10, 0, 10, 2200_00)]
    sold_again = bought | {"quantity": 6, "day_sell_quantity": 4}
    assert buckets([], [sold_again]) == [("INFY", "CNC", 0, 0, 6, 720_00)]
    assert buckets([], [position(day_buy_quantity=4, day_buy_value=400, day_sell_quantity=4)]) == []


def test_funded_intraday_and_pledged_shares_stand_apart():
    funded = {"quantity": 7, "used_quantity": 0, "average_price": 90.5, "value": 633.5, "initial_margin": 200}
    (own, lent) = holdings_of([holding(quantity=3, collateral_quantity=20, mtf=funded)], {"net": []})
    assert (own.free, own.pledged, own.cost_paise) == (3, 20, 2300_00)
    assert (lent.product, lent.free, lent.cost_paise, lent.isin) == (Product.MTF, 7, 633_50, "INE009A01021")
    intraday = position(product="MIS", quantity=5, day_buy_quantity=5, day_buy_value=500)
    assert buckets([], [intraday]) == [("INFY", "MIS", 0, 0, 5, 500_00)]
    sold = position(product="MIS", quantity=-5, day_sell_quantity=5)
    assert buckets([], [sold]) == [("INFY", "MIS", 0, 0, 0, 0)]
    assert [one.short for one in holdings_of([], {"net": [sold]})] == [5]
    assert buckets([], [position(exchange="NFO", product="NRML", quantity=75)]) == []
    rows = holdings_of([holding(quantity=None), holding(tradingsymbol="TCS", quantity=3)], {"net": []})
    assert [one.tradingsymbol for one in rows] == ["TCS"]
    assert [row.words for row in rows.unread] == [
        "INFY: holdings row 1, quantity: None; it must be a whole number"
    ]


def test_quotes_of_a_share_and_of_an_index():
    share = {
        "instrument_token": 408065,
        "timestamp": "2026-11-23 09:20:05",
        "last_trade_time": None,
        "last_price": 1412.95,
        "volume": 5360244,
        "lower_circuit_limit": 1250.7,
        "upper_circuit_limit": 1528.6,
        "ohlc": {"open": 1396, "high": 1421.75, "low": 1395.55, "close": 1389.65},
        "depth": {
            "buy": [{"price": 1412.9, "quantity": 10, "orders": 2}, {"price": 0, "quantity": 0, "orders": 0}],
            "sell": [{"price": 0, "quantity": 0, "orders": 0}],
        },
    }
    index = {"last_price": 23406.85, "ohlc": {"open": 1, "high": 2, "low": 1, "close": 23264.85}}
    found = ticks_of({"NSE:INFY": share, "NSE:NIFTY 50": index}, NOW)
    tick = found["NSE:INFY"]
    assert (tick.last_paise, tick.prev_close_paise, tick.bid_paise, tick.ask_paise) == (
        1412_95,
        1389_65,
        1412_90,
        0,
    )
    assert (tick.lower_circuit_paise, tick.upper_circuit_paise) == (1250_70, 1528_60)
    assert (len(tick.bids), tick.asks) == (1, ())
    assert tick.market_at == datetime(2026, 11, 23, 3, 50, 5, tzinfo=UTC)
    nifty = found["NSE:NIFTY 50"]
    assert (nifty.last_paise, nifty.upper_circuit_paise, nifty.market_at) == (23406_85, 0, NOW)
    odd = {"NSE:INFY": share | {"last_price": None}, "NSE:NIFTY 50": index}
    assert list(ticks_of(odd, NOW)) == ["NSE:NIFTY 50"]


def test_what_is_sent_has_no_binary_noise():
    assert [rupees_text(paise) for paise in (5, 30, 100_50, 1500_05)] == [
        "0.05",
        "0.30",
        "100.50",
        "1500.05",
    ]
    assert [percent_text(bps) for bps in (200, 250, 225, 1000, 10_000)] == [
        "2",
        "2.5",
        "2.25",
        "10",
        "100",
    ]
    assert to_paise(Decimal("0.005")) == 1


@pytest.mark.parametrize(
    ("meta", "demat"),
    [
        ({"demat_consent": "consent"}, Demat.DDPI),
        ({"demat_consent": "physical"}, Demat.POA),
        ({"demat_consent": ""}, Demat.NONE),
        ({"demat_consent": None}, Demat.UNKNOWN),
        ({"demat_consent": "esign"}, Demat.UNKNOWN),
        ({}, Demat.UNKNOWN),
        (None, Demat.UNKNOWN),
    ],
)
def test_a_profile_tells_by_what_right_shares_are_sold(meta: object, demat: Demat):
    row = {"user_id": "AB1234", "user_name": "Ann", "broker": "ZERODHA", "meta": meta}
    assert profile_of(row).demat is demat


def test_what_is_released_for_sale_and_not_sold_yet_is_told():
    row = {"tradingsymbol": "INFY", "exchange": "NSE", "isin": "INE009A01021", "average_price": 1500.0}
    counts = {"quantity": 7, "used_quantity": 3, "t1_quantity": 0, "collateral_quantity": 0}
    (held,) = holdings_of([row | counts | {"authorised_quantity": 5}], {"net": [], "day": []})
    assert (held.free, held.authorised) == (7, 2)
