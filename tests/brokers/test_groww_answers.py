"""Groww's file, rows and messages: every form where its documents leave one open, and odd ones."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from brokers.contract import BrokerError, BrokerStatus, Tick
from brokers.groww.answers.market import tick_of
from brokers.groww.answers.orders import orders_of, trades_of
from brokers.groww.answers.portfolio import GrowwPortfolio
from brokers.groww.answers.rows import GrowwRow, listed
from brokers.groww.instruments import read_dump
from brokers.groww.listings import Listed
from brokers.groww.streaming.line import NatsKey
from brokers.groww.streaming.messages import GrowwArrival, last_message, order_id_of, part_of, quote_message
from brokers.groww.streaming.sockets import subject_of
from brokers.wire.shares import GatheredShares, SoldCounting
from data.clock import IST
from data.vocabulary import Product
from tests.brokers.test_groww_outcomes import ROW

AT = datetime(2026, 11, 23, 4, tzinfo=UTC)
HEADER = (
    "exchange,exchange_token,trading_symbol,groww_symbol,name,instrument_type,segment,series,isin,"
    "underlying_symbol,underlying_exchange_token,expiry_date,strike_price,lot_size,tick_size,freeze_quantity,"
    "is_reserved,buy_allowed,sell_allowed"
)
NIFTY = "NSE,NIFTY,NIFTY,NSE-NIFTY,NIFTY 50,IDX,CASH,,NIFTY,,,,,,,,,0,0"
WHOLE = {"filled_quantity": 10, "remaining_quantity": 0}
SENSEX = "BSE,1,SENSEX,BSE-SENSEX,,IDX,CASH,,,,,,,,,,,0,0"
OPTION = "NSE,9,NIFTY25N1823400CE,x,NaN,CE,FNO,NaN,NaN,NIFTY,,2025-11-18,23400,75,0.05,1800,0,1,1"


def key_of(exchange: str, symbol: str) -> str:
    return f"{exchange}:{symbol}"


# --- the instruments' file --------------------------------------------------------------------------------


def share(symbol: str, number: int, tick: str = "0.05", **more: str) -> str:
    cell = {"series": "EQ", "isin": f"INE{number:06d}018", "exchange": "NSE"} | more
    head = f"{cell['exchange']},{number},{symbol},{cell['exchange']}-{symbol},{symbol} Ltd,EQ,CASH"
    return f"{head},{cell['series']},{cell['isin']},,,,,1,{tick},,0,1,1"


def dump(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "instrument.csv"
    path.write_text("\ufeff" + "\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(("ticks", "odd"), [(("0.05", "0.1", "0.01"), "7"), (("5", "10", "1"), "0.05")])
def test_shares_and_indices_are_taken_by_the_names_of_columns(
    ticks: tuple[str, ...], odd: str, tmp_path: Path
):
    rows = [share(name, n, tick) for n, (name, tick) in enumerate(zip("ABC", ticks, strict=True), start=1)]
    more = [
        share("ODD", 8, odd),
        NIFTY,
        SENSEX,
        OPTION,
        share("A", 500_001, ticks[0], exchange="BSE", series="X"),
    ]
    found = read_dump(dump(tmp_path, *rows, *more))
    listed_ = {f"{row.exchange}:{row.tradingsymbol}": row for row in found.rows}
    assert list(listed_) == ["NSE:A", "NSE:B", "NSE:C", "NSE:ODD", "NSE:NIFTY 50", "BSE:SENSEX", "BSE:A"]
    assert [listed_[f"NSE:{name}"].tick_paise for name in "ABC"] == [5, 10, 1]
    assert found.doubtful == {"NSE:ODD"}
    assert listed_["NSE:A"].token == "CASH|1|A"
    assert (listed_["NSE:NIFTY 50"].token, listed_["NSE:NIFTY 50"].isin) == ("IDX|NIFTY|NIFTY", "")
    assert (listed_["BSE:SENSEX"].segment, listed_["BSE:A"].series) == ("INDICES", "EQ")


def test_a_symbol_in_two_series_is_that_of_the_usual_one(tmp_path: Path):
    rows = [
        share("A", 1, series="N1"),
        share("A", 2),
        share("A", 3, series="N2"),
        share("SME", 4, series="BE"),
    ]
    found = {row.tradingsymbol: row for row in read_dump(dump(tmp_path, *rows)).rows}
    assert (found["A"].token, found["A"].series) == ("CASH|2|A", "EQ")
    assert (found["SME"].series, found["SME"].tradingsymbol) == ("BE", "SME")


def test_further_columns_in_another_order_are_let_be(tmp_path: Path):
    names = HEADER.split(",")
    cells = share("A", 1).split(",")
    turned = ",".join(reversed(["feed_key", *names]))
    found = read_dump(dump(tmp_path, ",".join(reversed(["x", *cells])), header=turned))
    assert [row.token for row in found.rows] == ["CASH|1|A"]


@pytest.mark.parametrize("fault", ["cut", "header", "empty", "odd", "binary"])
def test_a_damaged_file_is_none(fault: str, tmp_path: Path):
    rows = [share(f"S{n}", n) for n in range(1, 50)]
    path = dump(tmp_path, *rows)
    whole = path.read_bytes()
    path.write_bytes(
        {
            "cut": whole[:-20],
            "header": whole.replace(b"tick_size", b"tick"),
            "empty": HEADER.encode(),
            "odd": dump(tmp_path, *(share("", n) for n in range(9))).read_bytes(),
            "binary": b"\x1f\x8b\x08\x00" + whole,
        }[fault]
    )
    with pytest.raises(BrokerError, match="instruments"):
        read_dump(path)


# --- orders, trades ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "status", "filled"),
    [
        ({"order_status": "NEW"}, BrokerStatus.OPEN, 0),
        ({"order_status": "APPROVED", "filled_quantity": 4, "remaining_quantity": 6}, BrokerStatus.OPEN, 4),
        ({"order_status": "EXECUTED", "filled_quantity": 4, "remaining_quantity": 6}, BrokerStatus.OPEN, 4),
        ({"order_status": "EXECUTED", **WHOLE}, BrokerStatus.COMPLETE, 10),
        ({"order_status": "DELIVERY_AWAITED", **WHOLE}, BrokerStatus.COMPLETE, 10),
        ({"order_status": "FAILED", "remark": "RMS"}, BrokerStatus.REJECTED, 0),
        ({"order_status": "CANCELLATION_REQUESTED"}, BrokerStatus.OPEN, 0),
        ({"order_status": "PONDERING"}, BrokerStatus.UNRECOGNISED, 0),
    ],
)  # fmt: skip
def test_a_status_is_live_until_it_says_otherwise(fields: dict[str, Any], status: BrokerStatus, filled: int):
    (order,) = orders_of([ROW | fields], "ANN", key_of, AT)
    assert (order.status, order.filled_quantity, order.message) == (status, filled, fields.get("remark", ""))


@pytest.mark.parametrize(
    "written",
    ["2026-11-23T09:20:05", "2026-11-23 09:20:05", "2026-11-23T03:50:05Z", 1795405805, 1795405805000],
)
def test_times_are_read_in_every_form(written: object):
    (order,) = orders_of([ROW | {"created_at": written}], "ANN", key_of, AT)
    assert order.placed_at == datetime(2026, 11, 23, 9, 20, 5, tzinfo=IST)


def test_an_odd_row_hides_no_other_and_derivatives_are_passed_over():
    other = ROW | {
        "groww_order_id": "GMKFO1",
        "segment": "FNO",
        "product": "NRML",
        "trading_symbol": "NIFTY25",
    }
    odd = ROW | {"groww_order_id": "GMK8", "quantity": None}
    book = orders_of([ROW, odd, other, other | {"order_status": "EXECUTED"}, "x"], "ANN", key_of, AT)
    assert [one.broker_order_id for one in book] == ["GMK7"]
    assert [(one.broker_order_id, one.may_live) for one in book.unread] == [("GMK8", True), ("", True)]
    assert [(one.broker_order_id, one.what) for one in book.passed_over] == [("GMKFO1", "NSE FNO NRML")]
    with pytest.raises(BrokerError):
        listed({"orders": []}, "order_list")
    assert listed({}, "order_list") == listed({"order_list": None}, "order_list") == []


def test_a_trade_has_its_own_id_and_its_price_in_paise():
    row = {
        "price": 1451.05, "quantity": 4, "groww_order_id": "GMK7", "groww_trade_id": "T1", "exchange": "NSE",
        "segment": "CASH", "product": "CNC", "transaction_type": "SELL", "trading_symbol": "RELIANCE",
        "trade_date_time": None, "created_at": "2026-11-23T09:20:06",
    }  # fmt: skip
    trades = trades_of([row, row | {"groww_trade_id": None, "exchange_trade_id": None}], "ANN", key_of)
    (trade,) = trades
    assert (trade.trade_id, trade.price_paise, trade.quantity, len(trades.unread)) == ("T1", 1_451_05, 4, 1)
    assert trade.traded_at == datetime(2026, 11, 23, 9, 20, 6, tzinfo=IST)


# --- shares -----------------------------------------------------------------------------------------------


def shares(holdings: list[Any], positions: list[Any], last: int = 100_00) -> dict[Product, Any]:
    gathered = GatheredShares(SoldCounting(), "ANN", AT.date())
    found = GrowwPortfolio(key_of, lambda symbol: f"NSE:{symbol}", {"NSE:A": last}, gathered)
    rows = found.read(holdings, positions)
    assert rows.unread == ()
    return {one.product: one for one in rows}


HELD = {"isin": "INE1", "trading_symbol": "A", "quantity": 100, "average_price": 90, "t1_quantity": 20}
DAY = {
    "trading_symbol": "A", "segment": "CASH", "exchange": "NSE", "symbol_isin": "INE1", "product": "CNC",
    "credit_quantity": 10, "credit_price": 101.5, "debit_quantity": 0, "debit_price": 0, "quantity": 10,
}  # fmt: skip


@pytest.mark.parametrize("falls", [True, False])
def test_what_holdings_count_is_not_learnt_of_a_sale_between_the_reads_of_both(falls: bool):
    counting, learnt = SoldCounting(), list[bool]()
    counting.on_learnt = learnt.append
    day = AT.date()
    after = 90 if falls else 100
    counting.counts("ANN", "A", day, 100, 0)
    counting.counts("ANN", "A", day, 100, 10)  # holdings were read before the sale, positions behind it
    assert learnt == []
    for _ in range(2):
        counting.counts("ANN", "A", day, after, 10)
    assert learnt == [not falls]
    assert counting.counts("ANN", "A", day, after, 10) is not falls


@pytest.mark.parametrize(
    ("parts", "free"),
    [({"demat_free_quantity": 100}, 100), ({"demat_free_quantity": 80}, 80), ({}, 80)],
)
def test_shares_of_the_day_before_are_counted_once(parts: dict[str, int], free: int):
    held = shares([HELD | parts], [])[Product.CNC]
    assert (held.free, held.t1, held.today) == (free, 20, 0)


@pytest.mark.parametrize("sold_counts", [False, True])
@pytest.mark.parametrize("on_their_way_count", [False, True])
def test_shares_on_their_way_are_there_once_whatever_was_sold(sold_counts: bool, on_their_way_count: bool):
    counting, settled, sold = SoldCounting(), 100, 30
    counting.counted = sold_counts
    quantity = settled - (0 if sold_counts else sold) + (20 if on_their_way_count else 0)
    held = HELD | {"quantity": quantity, "demat_free_quantity": settled - sold}
    gathered = GatheredShares(counting, "ANN", AT.date())
    day = DAY | {"credit_quantity": 0, "debit_quantity": sold, "debit_price": 99, "quantity": -sold}
    found = GrowwPortfolio(key_of, lambda symbol: f"NSE:{symbol}", {"NSE:A": 100_00}, gathered)
    (one,) = found.read([held], [day])
    assert (one.free, one.t1) == (settled - sold, 20)


@pytest.mark.parametrize(("price", "last"), [(101.5, 100_00), (10150, 100_00), (101.5, 0)])
def test_prices_of_positions_are_in_the_unit_that_agrees_with_the_last_price(price: float, last: int):
    held = shares([], [DAY | {"credit_price": price}], last)[Product.CNC]
    assert (held.today, held.cost_paise) == (10, 1_015_00)


def test_what_was_carried_is_told_apart_whether_or_not_it_is_counted_in():
    carried = {"product": "MIS", "carry_forward_credit_quantity": 5, "net_price": 100}
    beside = shares([], [DAY | carried | {"credit_quantity": 10, "quantity": 15}])[Product.MIS]
    within = shares([], [DAY | carried | {"credit_quantity": 15, "quantity": 15}])[Product.MIS]
    assert (beside.today, within.today) == (15, 15)
    sold = {"product": "MIS", "credit_quantity": 0, "debit_quantity": 4, "debit_price": 99, "quantity": -4}
    assert (
        shares([], [DAY | sold])[Product.MIS].short,
        shares([], [DAY | sold])[Product.MIS].short_paise,
    ) == (4, 396_00)


# --- quotes and the feed ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ohlc",
    [
        {"open": 99, "high": 102.5, "low": 98, "close": 97},
        "{open: 99,high: 102.50,low: 98,close: 97}",
        None,
        "x",
    ],
)
def test_a_quote_is_read_with_its_day_as_an_object_or_as_text(ohlc: object):
    answer = {
        "last_price": 100.05, "ohlc": ohlc, "day_change": 2.05, "volume": 7, "last_trade_time": 1795405805000,
        "lower_circuit_limit": 90, "upper_circuit_limit": 110,
        "depth": {"buy": [{"price": 100, "quantity": 5}, {"price": 0, "quantity": 0}], "sell": None},
    }  # fmt: skip
    tick = tick_of("NSE:A", answer, AT)
    assert (tick.last_paise, tick.prev_close_paise, tick.bid_paise, tick.ask_paise) == (
        100_05,
        98_00,
        100_00,
        0,
    )
    assert tick.high_paise == (102_50 if ohlc not in (None, "x") else 0)
    assert tick.market_at == datetime(2026, 11, 23, 9, 20, 5, tzinfo=IST)


def day() -> Tick:
    return tick_of(
        "NSE:A", {"last_price": 100.0, "ohlc": {"close": 97, "high": 101}, "upper_circuit_limit": 110}, AT
    )


def test_a_price_and_a_book_put_together_are_one_tick_and_the_quote_fills_the_rest():
    sides = {"buy": [{"price": 99.95, "quantity": 3}], "sell": [{"price": 100.1, "quantity": 4}]}
    quote = tick_of("NSE:A", {"last_price": 1.0, "ohlc": {}, "depth": sides}, AT)
    book = quote_message(quote)
    arrival = GrowwArrival(AT, 0.0, 100, {"NSE:A": day()})
    tick = arrival.tick("NSE:A", (0, book + last_message(101_05)))
    assert (tick.last_paise, tick.bid_paise, tick.ask_paise) == (101_05, 99_95, 100_10)
    assert (tick.prev_close_paise, tick.upper_circuit_paise, tick.high_paise) == (97_00, 110_00, 101_05)
    in_paise = GrowwArrival(AT, 0.0, 1, {})
    assert in_paise.tick("NSE:A", (0, last_message(101_05))).last_paise == 101


@pytest.mark.parametrize("data", [b"", b"\xff\xff", b"\x12\x00", b"junk of a feed"])
def test_what_is_no_message_of_the_feed_is_none(data: bytes):
    assert part_of(data) is None
    assert order_id_of(b"\xff\xff") == ""


def test_subjects_are_those_of_the_official_client():
    assert subject_of(Listed("NSE", "CASH", "2885", "RELIANCE"), "book") == "/ld/eq/nse/book.2885"
    assert subject_of(Listed("BSE", "IDX", "1", "SENSEX"), "price") == "/ld/indices/bse/price.1"


def test_a_key_of_a_connection_is_written_as_nats_writes_users():
    key, other = NatsKey(), NatsKey()
    assert key.public != other.public
    assert (len(key.public), key.public[0]) == (56, "U")


def test_a_row_of_text_numbers_is_read_to_the_paisa():
    assert GrowwRow("smart order", {"trigger_price": "2600.05"}).paise("trigger_price") == 2_600_05
    with pytest.raises(BrokerError):
        GrowwRow("smart order", {"trigger_price": "NaN"}).number("trigger_price")
