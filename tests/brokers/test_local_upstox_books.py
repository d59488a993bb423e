"""The local Upstox's books and quotes, its kill switch and addresses, and every switch in each position."""

import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest

from brokers.simulators.upstox.switches import DOUBTS, SPELLED
from tests.brokers.upstox_house import ACC, MARKET, NIFTY, TCS, Client, House, opened, order

HOLDINGS = "/v2/portfolio/long-term-holdings"
POSITIONS = "/v2/portfolio/short-term-positions"
MTF = "/v3/portfolio/mtf-positions"
NEXT_DAY = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
"""After the close: the next trading day begins."""


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with opened() as house:
        yield house


# --- shares ---------------------------------------------------------------------------------------------


async def test_a_sale_leaves_the_holding_and_shows_as_a_negative_position(house: House) -> None:
    client = await house.sign_in("ANN")
    (before,) = await client.get(HOLDINGS)
    assert (before["quantity"], before["cnc_used_quantity"], before["average_price"]) == (500, 0, 80.0)
    assert (before["isin"], before["instrument_token"], before["pnl"]) == ("INE012A01025", ACC, 10_000.0)
    await client.place(**MARKET, transaction_type="SELL", quantity=120)
    await client.place(transaction_type="SELL", quantity=30, price=101.0)
    (after,) = await client.get(HOLDINGS)
    assert (after["quantity"], after["cnc_used_quantity"]) == (500, 150)
    await house.control("switches", {"sold_in_quantity": False})
    assert [row["quantity"] for row in await client.get(HOLDINGS)] == [380]
    (position,) = await client.get(POSITIONS)
    assert (position["quantity"], position["product"], position["sell_price"]) == (-120, "D", 100.0)


async def test_what_is_bought_today_is_a_position_and_then_on_its_way(house: House) -> None:
    client = await house.sign_in("BOB")
    await client.place(**MARKET, quantity=40)
    (position,) = await client.get(POSITIONS)
    assert (position["quantity"], position["buy_value"], position["last_price"]) == (40, 4_000.0, 100.0)
    assert await client.get(HOLDINGS) == []
    house.exchange.jump(NEXT_DAY)
    client = await house.sign_in("BOB")
    (holding,) = await client.get(HOLDINGS)
    assert (holding["quantity"], holding["t1_quantity"]) == (0, 40)
    await house.control("switches", {"t1_in_quantity": True})
    assert [row["quantity"] for row in await client.get(HOLDINGS)] == [40]
    assert await client.get(POSITIONS) == []


async def test_shares_on_margin_are_told_by_their_own_route(house: House) -> None:
    client = await house.sign_in("BOB")
    await client.place(**MARKET, quantity=40, product="MTF")
    (row,) = await client.get(MTF)
    assert (row["quantity"], row["overnight_quantity"], row["product"]) == (40, 0, "MTF")
    cash = (await client.get("/v3/user/get-funds-and-margin"))["available_to_trade"][
        "cash_available_to_trade"
    ]
    assert cash["margin_used"]["mtf"] == 1_000.0  # a quarter of the cost is the client's own
    assert cash["total"] + cash["margin_used"]["total"] == cash["cash"]["opening_balance"]
    assert await client.get(POSITIONS) == []
    house.exchange.jump(NEXT_DAY)
    client = await house.sign_in("BOB")
    (row,) = await client.get(MTF)
    assert (row["quantity"], row["overnight_quantity"], row["buy_price"]) == (40, 40, 100.0)
    assert await client.get(HOLDINGS) == []
    await house.control("switches", {"mtf_in_holdings": True})
    (holding,) = await client.get(HOLDINGS)
    assert (holding["product"], holding["t1_quantity"]) == ("MTF", 40)


async def test_a_position_of_the_day_is_converted_to_delivery(house: House) -> None:
    client = await house.sign_in("BOB")
    await client.place(**MARKET, quantity=40, product="I")
    wanted = {
        "instrument_token": ACC,
        "old_product": "I",
        "new_product": "D",
        "transaction_type": "BUY",
        "quantity": 40,
    }
    done = await client.call("PUT", "/v2/portfolio/convert-position", wanted)
    assert done.data == {"status": "complete"}
    assert [(row["product"], row["quantity"]) for row in await client.get(POSITIONS)] == [("D", 40)]
    again = await client.call("PUT", "/v2/portfolio/convert-position", wanted)
    assert (again.status, again.code) == (400, "UDAPI100036")


async def test_what_was_converted_and_the_days_opening_outlive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    wanted = {"instrument_token": ACC, "old_product": "I", "new_product": "D", "transaction_type": "BUY"}
    told: list[tuple[dict[str, int], Any]] = []
    for first in (True, False):
        async with opened(path=path) as house:
            client = await house.sign_in("BOB")
            if first:
                await client.get("/v2/user/get-funds-and-margin")
                await client.place(**MARKET, quantity=40, product="I")
                await client.call("PUT", "/v2/portfolio/convert-position", wanted | {"quantity": 30})
            rows = await client.get(POSITIONS)
            money = await client.get("/v2/user/get-funds-and-margin?segment=SEC")
            told.append(({row["product"]: row["quantity"] for row in rows}, money))
    assert told[0] == told[1]
    assert told[0][0] == {"I": 10, "D": 30}


async def test_margins_and_charges_of_orders_are_told_before_they_are_placed(house: House) -> None:
    client = await house.sign_in("ANN")
    one = {
        "instrument_key": ACC,
        "quantity": 100,
        "product": "MTF",
        "transaction_type": "BUY",
        "price": 100.0,
    }
    told = await client.call("POST", "/v2/charges/margin", {"instruments": [one, {**one, "product": "D"}]})
    assert [row["total_margin"] for row in told.data["margins"]] == [2_500.0, 10_000.0]
    assert told.data["required_margin"] == 12_500.0
    query = f"instrument_token={ACC}&quantity=100&product=D&transaction_type=BUY&price=100"
    charges = (await client.get(f"/v2/charges/brokerage?{query}"))["charges"]
    parts = charges["brokerage"] + sum(charges["taxes"].values()) + sum(charges["other_taxes"].values())
    assert charges["total"] == pytest.approx(parts)
    assert charges["taxes"]["stt"] == 10.0


# --- the market -----------------------------------------------------------------------------------------


async def test_quotes_are_keyed_by_segment_and_symbol(house: House) -> None:
    client = await house.sign_in("ANN")
    ltp = await client.get(f"/v3/market-quote/ltp?instrument_key={ACC},{NIFTY},NSE_EQ|INE000000000")
    assert set(ltp) == {"NSE_EQ:ACC", "NSE_INDEX:Nifty 50"}
    assert (ltp["NSE_EQ:ACC"]["last_price"], ltp["NSE_EQ:ACC"]["instrument_token"]) == (100.0, ACC)
    ohlc = (await client.get(f"/v3/market-quote/ohlc?interval=1d&instrument_key={TCS}"))["NSE_EQ:TCS"]
    assert ohlc["live_ohlc"]["close"] == ohlc["prev_ohlc"]["close"] == 100.0
    full = (await client.get(f"/v2/market-quote/quotes?instrument_key={ACC}"))["NSE_EQ:ACC"]
    assert (len(full["depth"]["buy"]), full["upper_circuit_limit"]) == (5, 110.0)
    assert full["last_trade_time"].isdigit()
    newer = (await client.get(f"/v3/market-quote/quotes?instrument_key={ACC}"))["NSE_EQ:ACC"]
    assert newer["prev_close_price"] == 100.0
    for query, code in (("", "UDAPI1009"), ("ACC", "UDAPI1087"), ("a|b," * 501, "UDAPI100043")):
        assert (await client.call("GET", f"/v3/market-quote/ltp?instrument_key={query}")).code == code


async def test_the_market_tells_when_it_trades() -> None:
    async with opened(begins=time(8, 0)) as house:
        client = await house.sign_in("ANN")
        assert (await client.get("/v2/market/status/NSE"))["status"] == "NORMAL_CLOSE"
        house.exchange.jump(datetime(2026, 11, 18, 3, 46, tzinfo=UTC))
        assert (await client.get("/v2/market/status/NSE"))["status"] == "NORMAL_OPEN"
        assert (await client.get("/v2/market/status/MCX"))["status"] == "NORMAL_CLOSE"
        days = {row["date"]: row["description"] for row in await client.get("/v2/market/holidays")}
        assert "2026-01-26" in days
        assert len(await client.get("/v2/market/holidays/2026-01-26")) == 1
        assert await client.get("/v2/market/timings/2026-01-26") == []
        timings = await client.get("/v2/market/timings/2026-11-18")
        assert [row["exchange"] for row in timings] == ["NSE", "BSE"]
        assert (await client.call("GET", "/v2/market/timings/soon")).code == "UDAPI100036"


# --- the account ----------------------------------------------------------------------------------------


async def test_a_kill_switch_needs_a_flat_segment_bars_orders_and_is_locked_for_twelve_hours(
    house: House,
) -> None:
    client = await house.sign_in("ANN")

    async def switch(action: str) -> Any:
        return await client.call("POST", "/v2/user/kill-switch", [{"segment": "NSE_EQ", "action": action}])

    order_id = await client.place()
    assert (await switch("ENABLE")).code == "UDAPI100036"
    await client.cancel(order_id)
    await client.place(**MARKET)
    assert "open orders or positions" in (await switch("ENABLE")).body["errors"][0]["message"]
    await client.place(**MARKET, transaction_type="SELL")
    rows = {row["segment"]: row["kill_switch_enabled"] for row in (await switch("ENABLE")).data}
    assert (rows["NSE_EQ"], rows["BSE_EQ"]) == (True, False)
    refused = await client.call("POST", "/v3/order/place", order())
    assert (refused.status, refused.code) == (403, "UDAPI100049")
    assert "twelve hours" in (await switch("DISABLE")).body["errors"][0]["message"]
    house.exchange.jump(NEXT_DAY)
    client = await house.sign_in("ANN")
    assert not any(row["kill_switch_enabled"] for row in (await switch("DISABLE")).data)
    await client.place()


async def test_changing_ones_address_ends_every_session_of_the_user(house: House) -> None:
    client, other = await house.sign_in("ANN"), await house.sign_in("BOB")
    told = await client.call("PUT", "/v2/user/ip", {"primary_ip": "127.0.0.1"})
    assert (told.data["primary_ip"], told.data["access_tokens_invalidated"]) == ("127.0.0.1", True)
    assert (await client.call("GET", "/v2/user/profile")).status == 401
    taken = await other.call("PUT", "/v2/user/ip", {"primary_ip": "127.0.0.1"})
    assert "another customer" in taken.body["errors"][0]["message"]
    client = await house.sign_in("ANN")
    assert (await client.get("/v2/user/ip"))["primary_ip"] == "127.0.0.1"
    await client.place()


async def test_a_gtt_order_is_kept_changed_and_cancelled(house: House) -> None:
    client = await house.sign_in("ANN")
    rule = {"strategy": "ENTRY", "trigger_type": "BELOW", "trigger_price": 95.0}
    body = {"type": "SINGLE", "quantity": 5, "product": "D", "rules": [rule], "instrument_token": ACC}
    (number,) = (await client.call("POST", "/v3/order/gtt/place", body)).data["gtt_order_ids"]
    changed = {"gtt_order_id": number, "quantity": 6, "rules": [rule | {"trigger_price": 94}]}
    assert (await client.call("PUT", "/v3/order/gtt/modify", changed)).status == 200
    (row,) = await client.get("/v3/order/gtt")
    assert (row["quantity"], row["rules"][0]["trigger_price"], row["trading_symbol"]) == (6, 94.0, "ACC")
    assert (await client.call("DELETE", "/v3/order/gtt/cancel", {"gtt_order_id": number})).status == 200
    assert await client.get(f"/v3/order/gtt?gtt_order_id={number}") == []


# --- what nobody would send -----------------------------------------------------------------------------

ODD: list[Any] = [None, True, 0, -1, 1.5, 10**30, "", "x", "A|B", "\x00", [], [None], {}, "9" * 50]
RULE = {"strategy": "ENTRY", "trigger_type": "BELOW", "trigger_price": 95}
BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v3/order/place", order(market_protection=-1, slice=False)),
    ("PUT", "/v3/order/modify", {"order_id": "1", "order_type": "LIMIT", "validity": "DAY", "quantity": 1}),
    ("POST", "/v3/order/gtt/place", {"type": "SINGLE", "quantity": 1, "product": "D", "rules": [RULE]}),
    ("PUT", "/v2/portfolio/convert-position", {"old_product": "I", "new_product": "D", "quantity": 1}),
    ("POST", "/v2/charges/margin", {"instrument_key": ACC, "quantity": 1, "product": "D", "price": 1}),
    ("POST", "/v2/user/kill-switch", {"segment": "NSE_EQ", "action": "DISABLE"}),
]
"""Bodies of which one field after the other is made odd."""


async def test_no_odd_field_of_a_body_breaks_the_server(house: House) -> None:
    client = await house.sign_in("ANN")
    for method, path, whole in BODIES:
        whole = {"instrument_token": ACC, "transaction_type": "BUY", **whole}
        for name in whole:
            for odd in ODD:
                body: Any = {**whole, name: odd}
                if path.endswith("margin"):
                    body = {"instruments": [body]}
                elif path.endswith("kill-switch"):
                    body = [body]
                answer = await client.call(method, path, body)
                assert answer.status in (200, 400), (path, name, odd, answer.status)
        for nonsense in ODD:
            assert (await client.call(method, path, nonsense)).status == 400, (path, nonsense)
    for query in ("price=nan", "price=inf", "price=-1", "price=1&quantity=1.5"):
        told = f"product=D&transaction_type=BUY&instrument_token={ACC}&quantity=1&{query}"
        given = await client.call("GET", f"/v2/charges/brokerage?{told}")
        assert given.status == (200 if "1.5" in query else 400)


# --- its switches ---------------------------------------------------------------------------------------


async def walk(client: Client, tag: str = "walk") -> dict[str, Any]:
    """A round through the books: what a client does whatever the doubtful facts are."""
    before = await money(client)
    order_id = await client.place(tag=tag)
    assert (await client.modify(order_id, quantity=20)).status == 200
    book = [row for row in await client.get("/v2/order/retrieve-all") if row["tag"] == tag]
    assert [(row["order_id"], row["quantity"], row["price"]) for row in book] == [(order_id, 20, 98.0)]
    assert book[0]["status"].lower() == "open"
    assert (await client.cancel(order_id)).status == 200
    assert (await client.status(order_id)).lower() == "cancelled"
    assert len(await client.get(f"/v2/order/history?order_id={order_id}&tag={tag}")) > 4
    bought = await client.place(quantity=30, price=101.0)  # above the market
    (trade,) = await client.get(f"/v2/order/trades?order_id={bought}")
    assert (trade["quantity"], trade["average_price"]) == (30, 100.0)
    assert 3_000.0 <= before - await money(client) < 3_010.0
    return book[0]


async def money(client: Client) -> float:
    """What a client may trade with."""
    return (await client.get("/v3/user/get-funds-and-margin"))["available_to_trade"]["total"]


async def test_a_morning_comes_to_the_same_in_each_position_of_each_switch(house: House) -> None:
    for doubt in DOUBTS:
        for position in (*doubt.positions[1:], doubt.positions[0]):
            await house.control("switches", {doubt.switch: position})
            await walk(await house.sign_in("BOB"), f"{doubt.switch} {position}")


async def test_switches_show_in_what_is_told() -> None:
    async with opened() as house:
        await house.control("switches", {"order_times": SPELLED, "null_numbers": True, "pledge_total": True})
        more = {"capital_statuses": True, "tick_in_paise": False, "index_names": "long"}
        await house.control("switches", more)
        client = await house.sign_in("BOB")
        row = await walk(client)
        assert row["order_timestamp"] == "18-Nov-2026 09:15:00"
        assert (row["average_price"], row["status"]) == (None, "Open")
        funds = await client.get("/v3/user/get-funds-and-margin")
        assert "total" in funds["available_to_trade"]["pledge_available_to_trade"]
        url = f"{house.upstox.url}/market-quote/instruments/exchange/NSE.json.gz"
        async with house.session.get(url) as answer:
            rows = {row["instrument_key"]: row for row in json.loads(gzip.decompress(await answer.read()))}
        assert (rows[ACC]["tick_size"], rows[NIFTY]["trading_symbol"]) == (0.05, "Nifty 50")


async def test_switches_decide_what_is_taken() -> None:
    async with opened(bare_market_orders=True, amo_by_session=False) as house:
        client = await house.sign_in("BOB")
        bare = await client.place(order_type="MARKET", price=0)
        assert (await client.status(bare)) == "complete"
        late = await client.call("POST", "/v3/order/place", order(is_amo=True))
        assert late.code == "UDAPI100039"
        await house.control("switches", {"protection_for_all": False, "wrong_ip_as": "401 UDAPI100050"})
        assert (await client.call("POST", "/v3/order/place", order(**MARKET))).code == "UDAPI1177"
        await house.control("switches", {"static_ips": {"BOB": []}, "error_names": "camel"})
        refused = await client.call("POST", "/v3/order/place", order())
        assert (refused.status, refused.code) == (401, "UDAPI100050")
        assert "error_code" not in refused.body["errors"][0]
        assert (await client.get("/v2/user/profile"))["user_id"] == "BOB"  # the session goes on
        await house.control("switches", {"refuse_bare_agents": True})
        async with house.session.get(
            f"{client.root}/v2/user/profile", headers={"User-Agent": "python-requests/2"}
        ) as answer:
            assert (answer.status, answer.content_type) == (403, "text/html")


async def test_money_and_orders_have_hours_where_that_is_switched_on() -> None:
    async with opened(begins=time(5, 0)) as house:
        client = await house.sign_in("BOB")
        closed = await client.call("GET", "/v3/user/get-funds-and-margin")
        assert (closed.status, closed.code) == (423, "UDAPI100072")
        refused = await client.call("POST", "/v3/order/place", order())
        assert (refused.status, refused.code) == (423, "UDAPI100074")
        assert await client.get("/v2/order/retrieve-all") == []
        await house.control("switches", {"funds_hours": False, "order_hours": False})
        assert await money(client) == 1_000_000.0
        assert (await client.status(await client.place())) == "after market order req received"
        await house.control("switches", {"funds_hours": True, "order_hours": True})
        house.exchange.jump(datetime(2026, 11, 18, 0, 1, tzinfo=UTC))  # 05:31 in India
        await client.place()
        assert await money(client) == 1_000_000.0


async def test_refusals_at_once_late_histories_and_older_tokens_are_switched() -> None:
    async with opened(margin_refusal_at_post=True, tag_history_at_once=False) as house:
        client = await house.sign_in("BOB")
        refused = await client.call("POST", "/v3/order/place", order(quantity=50_000))
        assert (refused.status, await client.get("/v2/order/retrieve-all")) == (400, [])
        await client.place(tag="late")
        assert await client.get("/v2/order/history?tag=late") == []
        house.exchange.jump(datetime(2026, 11, 18, 3, 46, tzinfo=UTC))
        assert len(await client.get("/v2/order/history?tag=late")) > 2
        older = client
        client = await house.sign_in("BOB")
        assert (await older.call("GET", "/v2/user/profile")).status == 401
        await house.control("switches", {"older_token_ends": False, "jwt_tokens": False})
        newer = await house.sign_in("BOB")
        assert "." not in newer.token
        assert (await client.get("/v2/user/profile"))["user_id"] == "BOB"
