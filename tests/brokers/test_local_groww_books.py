"""The local Groww's shares, positions, margins, market data and smart orders, and its switches."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from brokers.simulators.groww.market import COLUMNS
from brokers.simulators.groww.switches import AS_DOCUMENTED, DOUBTS, EPOCH, SPACED, ZONED
from tests.brokers.groww_house import MARKET, Client, House, opened

TODAY, TOMORROW = "2026-11-18T00:00:00", "2026-11-19T00:00:00"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with opened() as open_house:
        yield open_house


async def positions(client: Client) -> dict[str, Any]:
    rows = (await client.get("/positions/user?segment=CASH"))["positions"]
    return {row["product"]: row for row in rows}


# --- shares ---------------------------------------------------------------------------------------------


async def test_a_sale_from_the_holdings_is_a_position_and_leaves_fewer_shares(house: House) -> None:
    client = await house.sign_in("ANN")
    (held,) = (await client.get("/holdings/user"))["holdings"]
    assert (held["trading_symbol"], held["quantity"], held["average_price"]) == ("ACC", 500, 80)
    assert not {"exchange", "last_price"} & set(held)
    await client.place("resting-sale", transaction_type="SELL", price=105.0, quantity=20)
    await client.place("sold-at-once", transaction_type="SELL", quantity=30, **MARKET)
    for counted, quantity in ((False, 470), (True, 500)):
        await house.control("switches", {"sold_in_quantity": counted})
        (held,) = (await client.get("/holdings/user"))["holdings"]
        assert (held["quantity"], held["groww_locked_quantity"]) == (quantity, 20)
        assert held["demat_free_quantity"] == 450
    row = (await positions(client))["CNC"]
    assert (row["credit_quantity"], row["debit_quantity"], row["quantity"]) == (0, 30, -30)
    assert (row["debit_price"], row["net_price"], row["realised_pnl"]) == (100, 100, 0)


async def test_what_is_bought_today_is_a_position_by_product(house: House) -> None:
    client = await house.sign_in("BOB")
    await client.place("for-delivery", quantity=10, **MARKET)
    await client.place("for-the-day", quantity=5, product="MIS", **MARKET)
    house.exchange.pin("ACC", 10_200)
    await client.place("out-again", quantity=5, product="MIS", transaction_type="SELL", **MARKET)
    rows = await positions(client)
    assert (rows["CNC"]["quantity"], rows["CNC"]["net_price"], rows["CNC"]["credit_price"]) == (10, 100, 100)
    assert (rows["MIS"]["quantity"], rows["MIS"]["realised_pnl"]) == (0, 10)
    of_one = await client.get("/positions/trading-symbol?trading_symbol=ACC&segment=CASH")
    assert len(of_one["positions"]) == 2
    assert (await client.get("/positions/user?segment=FNO"))["positions"] == []
    assert (await client.get("/holdings/user"))["holdings"] == []
    await house.control("switches", {"positions_in_paise": True})
    assert (await positions(client))["CNC"]["net_price"] == 10_000


async def test_the_margin_of_an_order_is_what_it_takes_and_a_basket_is_refused(house: House) -> None:
    client = await house.sign_in("ANN")
    order = {"trading_symbol": "ACC", "transaction_type": "BUY", "quantity": 10, "price": 100}
    order |= {"order_type": "LIMIT", "product": "CNC", "exchange": "NSE"}
    path = "/margins/detail/orders?segment=CASH"
    told = (await client.call("POST", path, [order])).data
    assert told["cash_cnc_margin_required"] == 1_000
    assert told["total_requirement"] == 1_000 + told["brokerage_and_charges"]
    told = (await client.call("POST", path, [order | {"product": "MIS", "price": None}])).data
    assert (told["cash_cnc_margin_required"], told["cash_mis_margin_required"]) == (0, 200)
    for odd in ([order, order], [], {}, [order | {"trading_symbol": "NIFTY"}], [order | {"quantity": 0}]):
        assert (await client.call("POST", path, odd)).code == "GA001"


# --- the market -----------------------------------------------------------------------------------------


async def test_instruments_are_a_file_that_anybody_may_read(house: House) -> None:
    async def rows() -> tuple[list[str], dict[str, dict[str, str]]]:
        async with house.session.get(f"{house.groww.url}/instruments/instrument.csv") as answer:
            table = csv.DictReader(io.StringIO(await answer.text()))
            return list(table.fieldnames or ()), {row["trading_symbol"]: row for row in table}

    header, listed = await rows()
    assert (tuple(header), set(listed)) == (COLUMNS, {"ACC", "TCS", "NIFTY"})
    assert (listed["ACC"]["tick_size"], listed["ACC"]["isin"]) == ("5", "INE012A01025")
    assert (listed["NIFTY"]["instrument_type"], listed["NIFTY"]["exchange_token"]) == ("IDX", "NIFTY")
    await house.control("switches", {"tick_in_paise": False, "more_columns": True})
    header, other = await rows()
    assert (header[0], header[-2:]) == ("sell_allowed", ["feed_key", "internal_trading_symbol"])
    assert other["ACC"]["tick_size"] == "0.05"
    assert {name: other["ACC"][name] for name in COLUMNS if name != "tick_size"} == {
        name: text for name, text in listed["ACC"].items() if name != "tick_size"
    }


async def test_quotes_are_told_of_fifty_at_most_and_however_they_are_named(house: House) -> None:
    client = await house.sign_in("ANN")
    path = "/live-data/ltp?segment=CASH&exchange_symbols="
    both = {"NSE_ACC": 100, "NSE_NIFTY": 100}
    assert await client.get(f"{path}NSE_ACC,NSE_NIFTY,NSE_NOBODY") == both
    assert await client.get(f"{path}NSE_ACC&exchange_symbols=NSE_NIFTY") == both
    names = [f"NSE_S{number}" for number in range(51)]
    for odd in ("", "ACC", ",".join(names)):
        assert (await client.call("GET", f"{path}{odd}")).code == "GA001"
    assert await client.get(path + ",".join(names[1:])) == {}
    await house.control("switches", {"without_data": ["ANN"]})
    refused = await client.call("GET", f"{path}NSE_ACC")
    assert (refused.status, refused.code) == (403, "GA005")


async def test_the_days_prices_are_a_text_or_an_object(house: House) -> None:
    client = await house.sign_in("ANN")
    path = "/live-data/quote?exchange=NSE&segment=CASH&trading_symbol="
    quote = await client.get(f"{path}ACC")
    assert quote["ohlc"] == "{open: 100,high: 100,low: 100,close: 100}"
    assert (quote["last_price"], quote["upper_circuit_limit"], quote["depth"]["buy"][0]["price"]) == (
        100,
        110,
        100,
    )
    await house.control("switches", {"ohlc_as_text": False})
    prices = {"open": 100, "high": 100, "low": 100, "close": 100}
    assert (await client.get(f"{path}NIFTY"))["ohlc"] == prices
    assert await client.get("/live-data/ohlc?segment=CASH&exchange_symbols=NSE_ACC") == {"NSE_ACC": prices}
    assert (await client.call("GET", f"{path}NOBODY")).code == "GA001"


async def test_candles_end_at_the_close_and_a_request_may_not_be_of_too_many_days(house: House) -> None:
    client = await house.sign_in("ANN")
    house.exchange.unpin("ACC")
    path = "/historical/candles?exchange=NSE&segment=CASH&groww_symbol=NSE-ACC"
    times = "&start_time=2026-11-17 09:15:00&end_time=2026-11-17 15:30:00"
    told = await client.get(f"{path}{times}&candle_interval=15minute")
    first, last = told["candles"][0], told["candles"][-1]
    assert (first[0], told["start_time"]) == ("2026-11-17T09:15:00", "2026-11-17 09:15:00")
    assert (told["closing_price"], told["interval_in_minutes"], last[6]) == (last[4], 15, None)
    (day,) = (await client.get(f"{path}{times[:-8]}23:00:00&candle_interval=1day".replace("09:15", "00:00")))[
        "candles"
    ]
    assert day[4] == last[4]
    for odd in (f"{times}&candle_interval=7minute", "&candle_interval=1day", f"{times}&candle_interval="):
        assert (await client.call("GET", f"{path}{odd}")).code == "GA001"
    long = times.replace("start_time=2026-11", "start_time=2026-09")
    assert (await client.call("GET", f"{path}{long}&candle_interval=1minute")).code == "GA001"


# --- smart orders ---------------------------------------------------------------------------------------


def gtt(**more: Any) -> dict[str, Any]:
    facts = {
        "reference_id": "smart-ref-1",
        "smart_order_type": "GTT",
        "segment": "CASH",
        "trading_symbol": "ACC",
        "quantity": 10,
        "trigger_price": "95.00",
        "trigger_direction": "DOWN",
        "order": {"order_type": "LIMIT", "price": "95.50", "transaction_type": "BUY"},
        "product_type": "CNC",
        "exchange": "NSE",
        "duration": "DAY",
    }
    return facts | more


def oco(**more: Any) -> dict[str, Any]:
    facts = gtt(smart_order_type="OCO", product_type="MIS", net_position_quantity=10, transaction_type="SELL")
    facts["target"] = {"trigger_price": "110.00", "order_type": "LIMIT", "price": "110.00"}
    facts["stop_loss"] = {"trigger_price": "90.00", "order_type": "SL_M", "price": None}
    return facts | more


async def create(client: Client, body: dict[str, Any]) -> Any:
    told = await client.call("POST", "/order-advance/create", body)
    return told.body["payload"] if told.status == 201 else told.code


async def numbers(client: Client, query: str) -> list[str]:
    return [row["smart_order_id"] for row in (await client.get(f"/order-advance/list{query}"))["orders"]]


async def test_a_gtt_is_kept_changed_listed_and_cancelled(house: House) -> None:
    client, other = await house.sign_in("ANN"), await house.sign_in("BOB")
    made = await create(client, gtt())
    number = made["smart_order_id"]
    assert (made["status"], made["expire_at"]) == ("ACTIVE", "2027-11-18T09:15:00")
    assert await create(client, gtt()) == "GA007"
    body = {"smart_order_type": "GTT", "segment": "CASH", "trigger_price": "94.00", "exchange": "BSE"}
    changed = await client.call("PUT", f"/order-advance/modify/{number}", body)
    assert (changed.status, changed.body["payload"]["trigger_price"]) == (202, "94.00")
    status = f"/order-advance/status/CASH/GTT/internal/{number}"
    assert (await client.get(status))["exchange"] == "NSE"  # which no change changes
    assert await numbers(client, "?smart_order_type=GTT") == [number]
    assert await numbers(client, "") == await numbers(other, "?smart_order_type=GTT") == []
    assert (await other.call("GET", status)).code == "GA004"
    ended = await client.call("POST", f"/order-advance/cancel/CASH/GTT/{number}")
    assert (ended.status, ended.body["payload"]["status"]) == (202, "CANCELLED")
    assert await numbers(client, "?smart_order_type=GTT") == []
    assert await numbers(client, "?smart_order_type=GTT&status=CANCELLED") == [number]
    assert (await client.call("POST", f"/order-advance/cancel/CASH/GTT/{number}")).code == "GA006"


async def test_an_oco_is_intraday_and_not_above_the_position(house: House) -> None:
    client = await house.sign_in("ANN")
    made = await create(client, oco())
    assert (made["smart_order_id"][:4], made["expire_at"]) == ("oco_", None)
    assert await numbers(client, "") == [made["smart_order_id"]]
    for number, odd in enumerate(({"product_type": "CNC"}, {"quantity": 11}, {"target": None})):
        assert await create(client, oco(reference_id=f"smart-ref-{number + 2}", **odd)) == "GA001"
    await house.control("switches", {"oco_for_cash": False})
    assert await create(client, oco(reference_id="smart-ref-9")) == "GA006"


async def test_a_list_of_smart_orders_is_of_a_month_at_most_and_of_today_where_none_is_named(
    house: House,
) -> None:
    client = await house.sign_in("ANN")
    number = (await create(client, gtt()))["smart_order_id"]
    house.exchange.jump(datetime(2026, 11, 18, 12, 0, tzinfo=UTC))
    client = await house.sign_in("ANN")
    assert await numbers(client, "?smart_order_type=GTT") == []
    window = f"?smart_order_type=GTT&start_date_time={TODAY}&end_date_time={TOMORROW}"
    assert await numbers(client, window) == [number]
    for odd in (window.replace("11-19", "12-20"), window.replace("start", "x").replace("11-19", "01-01")):
        assert (await client.call("GET", f"/order-advance/list{odd}")).code == "GA001"


# --- its switches ---------------------------------------------------------------------------------------


async def walk(client: Client, number: int) -> dict[str, Any]:
    """A round through the books: what a client does whatever the doubtful facts are."""
    before = await money(client)
    reference = f"round-{number:04d}-a"
    order_id = await client.place(reference)
    assert (await client.modify(order_id, quantity=20)).status == 200
    row = await client.detail(order_id)
    assert (row["quantity"], row["price"], row["order_reference_id"]) == (20, 98, reference)
    assert row["order_status"] in ("APPROVED", "OPEN")
    again = await client.send(order_reference_id=reference)
    assert again.code == "GA007"
    assert (await client.cancel(order_id)).status == 200
    assert (await client.detail(order_id))["order_status"] == "CANCELLED"
    bought = await client.place(f"round-{number:04d}-b", quantity=30, price=101.0)  # above the market
    (trade,) = (await client.get(f"/order/trades/{bought}?segment=CASH"))["trade_list"]
    assert (trade["quantity"], trade["price"]) == (30, 100)
    assert (await client.detail(bought))["order_status"] in ("EXECUTED", "DELIVERY_AWAITED", "COMPLETED")
    assert 3_000 <= before - await money(client) < 3_010
    return trade


async def money(client: Client) -> float:
    """What a client may buy shares with."""
    return (await client.get("/margins/detail/user"))["equity_margin_details"]["cnc_balance_available"]


async def test_a_morning_comes_to_the_same_in_each_position_of_each_switch(house: House) -> None:
    number = 0
    for doubt in DOUBTS:
        for position in (*doubt.positions[1:], doubt.positions[0]):
            await house.control("switches", {doubt.switch: position})
            house.groww.sessions.approve("lgbob")
            client = await house.sign_in("BOB")
            await house.control("switches", {"mint_limits": False})
            number += 1
            await walk(client, number)


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (AS_DOCUMENTED, "2026-11-18T09:15:00"),
        (SPACED, "2026-11-18 09:15:00"),
        (ZONED, "2026-11-18T03:45:00Z"),
        (EPOCH, 1_794_973_500_000),
    ],
)
async def test_times_are_written_as_switched(times: str, told: str | int) -> None:
    async with opened(order_times=times) as house:
        client = await house.sign_in("BOB")
        assert (await walk(client, 1))["trade_date_time"] == told
        assert {row["created_at"] for row in await client.book()} == {told}


async def test_an_order_in_parts_is_told_as_switched(house: House) -> None:
    client = await house.sign_in("ANN")
    await house.control("faults", {"fault": "partial_fill", "route": "place", "count": 1})
    order_id = await client.place("half-of-it", **MARKET)
    row = await client.detail(order_id)
    assert (row["order_status"], row["filled_quantity"], row["remaining_quantity"]) == ("APPROVED", 5, 5)
    await house.control("switches", {"executed_in_parts": True})
    await house.control("fills", {"user": "ANN", "order": order_id, "quantity": 1})
    row = await client.detail(order_id)
    assert (row["order_status"], row["filled_quantity"], row["remaining_quantity"]) == ("EXECUTED", 6, 4)


async def test_what_is_taken_is_as_switched(house: House) -> None:
    client = await house.sign_in("ANN")
    wanted = [{"validity": "IOC", "price": 100.0}, {"product": "MTF"}, {"order_type": "MARKET"}]
    switches = ["ioc_orders", "mtf_orders", "market_orders"]
    for number, (more, switch) in enumerate(zip(wanted, switches, strict=True)):
        for taken in (False, True):
            await house.control("switches", {switch: taken})
            told = await client.send(order_reference_id=f"reference-{number}", **more)
            assert (told.status == 200) is taken, switch
