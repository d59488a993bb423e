"""The local Upstox over HTTP: signing in, orders, books, money, refusals and what goes wrong on purpose."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from brokers.simulators.serving.delays import Delays
from brokers.simulators.serving.windows import CallWindows
from brokers.simulators.upstox.limits import ORDERS
from brokers.simulators.upstox.switches import DOUBTS, UpstoxSwitches
from data.clock import ManualClock
from data.errors import BadInput
from tests.brokers.upstox_house import ACC, LEADS_TO, MARKET, NIFTY, TCS, House, opened, order

ROOT = Path(__file__).parents[2]
FUNDS = "/v3/user/get-funds-and-margin"
BOOK = "/v2/order/retrieve-all"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with opened() as house:
        yield house


# --- signing in -----------------------------------------------------------------------------------------


async def test_a_person_signs_in_by_the_dialog_and_the_code_is_good_once(house: House) -> None:
    url = f"{house.upstox.url}/v2/login/authorization/dialog"
    query = {"response_type": "code", "client_id": "app", "redirect_uri": LEADS_TO, "state": "a/b"}
    async with house.session.get(url, params=query) as answer:
        page = await answer.text()
    assert "<form" in page
    assert 'value="a/b"' in page
    async with house.session.post(url, data={**query, "user_id": "zed"}) as answer:
        assert "no user ZED" in await answer.text()
    async with house.session.post(url, data={**query, "user_id": "ann"}, allow_redirects=False) as answer:
        led = answer.headers["Location"]
    assert led.startswith(f"{LEADS_TO}?code=")
    assert led.endswith("&state=a%2Fb")
    code = await house.code("ANN")
    told = await house.token(code)
    assert (told.status, told.body["user_id"], told.body["broker"]) == (200, "ANN", "UPSTOX")
    assert "status" not in told.body  # it has no envelope
    again = await house.token(code)
    assert (again.status, again.code) == (401, "UDAPI100016")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"client_secret": "wrong"}, "UDAPI100016"),
        ({"redirect_uri": "http://127.0.0.1:9/other"}, "UDAPI100068"),
        ({"grant_type": "refresh_token"}, "UDAPI100068"),
    ],
)
async def test_a_failed_exchange_is_told_why_and_uses_the_code_up(
    house: House, more: dict[str, str], code: str
) -> None:
    given = await house.code("ANN")
    assert (await house.token(given, **more)).code == code
    used_up = "grant_type" not in more
    assert ((await house.token(given)).status == 401) is used_up


async def test_an_unknown_app_and_a_call_without_a_token_are_refused(house: House) -> None:
    query = {"response_type": "code", "client_id": "nobody", "redirect_uri": LEADS_TO}
    async with house.session.get(f"{house.upstox.url}/v2/login/authorization/dialog", params=query) as answer:
        assert (await answer.json())["errors"][0]["error_code"] == "UDAPI100068"
    client = await house.sign_in("ANN")
    client.token = "nonsense"
    refused = await client.call("GET", "/v2/user/profile")
    assert (refused.status, refused.code) == (401, "UDAPI100050")


async def test_a_token_ends_at_half_past_three_whenever_it_was_made(house: House) -> None:
    client = await house.sign_in("ANN")
    house.exchange.jump(datetime(2026, 11, 18, 10, 25, tzinfo=UTC))
    assert (await client.get("/v2/user/profile"))["user_id"] == "ANN"
    house.exchange.jump(datetime(2026, 11, 18, 12, 0, tzinfo=UTC))  # rolls to the next morning
    assert (await client.call("GET", "/v2/user/profile")).code == "UDAPI100050"


async def test_signing_out_ends_the_session(house: House) -> None:
    client = await house.sign_in("ANN")
    assert (await client.call("DELETE", "/v2/logout")).data is True
    assert (await client.call("GET", BOOK)).status == 401


# --- orders ---------------------------------------------------------------------------------------------


async def test_an_order_rests_is_changed_and_cancelled(house: House) -> None:
    client = await house.sign_in("ANN")
    order_id = await client.place()
    (row,) = await client.get(BOOK)
    assert (row["order_id"], row["status"], row["tag"], row["price"]) == (order_id, "open", "t1", 99.0)
    assert (row["instrument_token"], row["trading_symbol"], row["product"]) == (ACC, "ACC", "D")
    assert (row["pending_quantity"], row["filled_quantity"], row["exchange"]) == (10, 0, "NSE")
    assert (await client.modify(order_id, quantity=20)).data == {"order_id": order_id}
    told = await client.get(f"/v2/order/details?order_id={order_id}")
    assert (told["quantity"], told["price"], told["status"]) == (20, 98.0, "open")
    assert (await client.cancel(order_id)).data == {"order_id": order_id}
    assert await client.status(order_id) == "cancelled"
    assert (await client.cancel(order_id)).code == "UDAPI100040"
    assert (await client.modify(order_id)).code == "UDAPI100041"


async def test_a_protected_market_order_trades_and_takes_money(house: House) -> None:
    client = await house.sign_in("ANN")
    assert (await client.get(FUNDS))["available_to_trade"]["total"] == 1_000_000.0
    order_id = await client.place(**MARKET)
    row = await client.get(f"/v2/order/details?order_id={order_id}")
    assert (row["status"], row["order_type"], row["average_price"]) == ("complete", "LIMIT", 100.0)
    (trade,) = await client.get(f"/v2/order/trades?order_id={order_id}")
    assert (trade["quantity"], trade["average_price"], trade["instrument_token"]) == (10, 100.0, ACC)
    assert await client.get("/v2/order/trades/get-trades-for-day") == [trade]
    money = (await client.get(FUNDS))["available_to_trade"]
    used = money["cash_available_to_trade"]["margin_used"]["total"]
    assert money["total"] + used == 1_000_000.0
    assert used >= 1_000.0


async def test_two_sends_of_one_tag_are_two_orders_found_by_it(house: House) -> None:
    client = await house.sign_in("ANN")
    ids = {await client.place(tag="same"), await client.place(tag="same")}
    await client.place(tag="another")
    assert len(ids) == 2
    rows = await client.get("/v2/order/history?tag=same")
    assert {row["order_id"] for row in rows} == ids
    one = min(ids)
    assert {row["order_id"] for row in await client.get(f"/v2/order/history?tag=same&order_id={one}")} == {
        one
    }
    assert next(row["status"] for row in rows if row["order_id"] == one) == "put order req received"
    assert not await client.get("/v2/order/history?tag=nobody")


async def test_a_client_sees_its_own_orders_alone(house: House) -> None:
    ann, bob = await house.sign_in("ANN"), await house.sign_in("BOB")
    order_id = await ann.place()
    assert await bob.get(BOOK) == []
    assert (await bob.cancel(order_id)).code == "UDAPI100010"


REFUSED = [
    ({"instrument_token": ""}, "UDAPI1026"),
    ({"instrument_token": "ACC"}, "UDAPI1011"),
    ({"instrument_token": "NSE_EQ|INE000000000"}, "UDAPI100011"),
    ({"instrument_token": NIFTY}, "UDAPI100036"),
    ({"quantity": 0}, "UDAPI1052"),
    ({"quantity": "10"}, "UDAPI100036"),
    ({"price": 0}, "UDAPI1043"),
    ({"price": 99.013}, "UDAPI100036"),
    ({"price": 200.0}, "UDAPI100036"),
    ({"order_type": None}, "UDAPI1004"),
    ({"order_type": "STOP"}, "UDAPI1056"),
    ({"validity": None}, "UDAPI1007"),
    ({"validity": "GTC"}, "UDAPI1055"),
    ({"product": "CNC"}, "UDAPI100036"),
    ({"is_amo": None}, "UDAPI100036"),
    ({"tag": "x" * 41}, "UDAPI1119"),
    ({**MARKET, "market_protection": 0}, "UDAPI1158"),
    ({**MARKET, "market_protection": 26}, "UDAPI1176"),
    ({**MARKET, "market_protection": -2}, "UDAPI1177"),
    ({"quantity": 100_001}, "UDAPI100036"),
]


async def test_an_order_that_cannot_be_is_refused_by_its_code_and_nothing_stands(house: House) -> None:
    client = await house.sign_in("ANN")
    for more, code in REFUSED:
        refused = await client.call("POST", "/v3/order/place", order(**more))
        assert (refused.status, refused.code, more) == (400, code, more)
    assert await client.get(BOOK) == []


async def test_an_order_without_money_is_accepted_and_rejected_in_the_book(house: House) -> None:
    client = await house.sign_in("ANN")
    order_id = await client.place(quantity=50_000)
    row = await client.get(f"/v2/order/details?order_id={order_id}")
    assert row["status"] == "rejected"
    assert "nsufficient" in row["status_message"]


async def test_a_large_order_is_sliced_where_it_asks_for_it(house: House) -> None:
    await house.control("switches", {"freeze_quantities": {"NSE:ACC": 40}})
    client = await house.sign_in("ANN")
    sliced = await client.call("POST", "/v3/order/place", order(quantity=100, slice=True))
    ids = sliced.data["order_ids"]
    rows = {row["order_id"]: row["quantity"] for row in await client.get(BOOK)}
    assert [rows[one] for one in ids] == [40, 40, 20]
    too_many = await client.call("POST", "/v3/order/place", order(quantity=1_001, slice=True))
    assert too_many.code == "UDAPI1118"


async def test_an_order_goes_through_its_statuses_one_by_one() -> None:
    async with opened(Delays()) as house:
        client = await house.sign_in("ANN")
        order_id = await client.place()
        assert await client.status(order_id) == "put order req received"
        await house.until(lambda: house.upstox.journal.counts() == {"OPEN": 1})
        history = await client.get(f"/v2/order/history?order_id={order_id}")
    statuses = [row["status"] for row in history]
    assert statuses == ["put order req received", "validation pending", "open pending", "open"]
    assert "guid" not in history[0]


async def test_before_the_open_an_order_waits_for_the_session() -> None:
    async with opened(begins=time(8, 0)) as house:
        client = await house.sign_in("ANN")
        first, second = await client.place(), await client.place()
        assert await client.status(first) == "after market order req received"
        await client.cancel(second)
        assert await client.status(second) == "cancelled after market order"
        house.exchange.jump(datetime(2026, 11, 18, 3, 46, tzinfo=UTC))
        await house.until(lambda: house.upstox.journal.counts() == {"OPEN": 1, "CANCELLED": 1})
        assert (await client.get(f"/v2/order/details?order_id={first}"))["is_amo"] is True


# --- limits, addresses and faults -----------------------------------------------------------------------


async def test_the_eleventh_order_of_a_second_is_turned_away_and_a_read_is_not() -> None:
    async with opened(rate_limits=True) as house:
        client = await house.sign_in("ANN")
        for _ in range(10):
            assert (await client.cancel("1")).status == 400
        refused = await client.cancel("1")
        assert (refused.status, refused.code) == (429, "UDAPI10005")
        assert (await client.call("GET", BOOK)).status == 200


def test_orders_have_ten_a_second_five_hundred_a_minute_and_two_thousand_in_half_an_hour() -> None:
    clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    counted = CallWindows(clock)

    def let_in() -> int:
        """How many orders pass, ten a second, before one is turned away."""
        for count in range(2_001):
            if count % 10 == 0:
                clock.shift(1.0)
            if not counted.count("ANN", "writes", ORDERS):
                return count
        return 2_001

    for _ in range(4):
        assert let_in() == 500
        clock.shift(60.0)
    assert let_in() == 0
    clock.shift(1_800.0)
    assert let_in() == 500


async def test_an_order_from_a_wrong_address_is_refused_and_reads_are_not(house: House) -> None:
    client = await house.sign_in("ANN")
    await house.control("switches", {"static_ips": {"ANN": ["127.0.9.9"]}})
    refused = await client.call("POST", "/v3/order/place", order())
    assert (refused.status, refused.code) == (403, "UDAPI1154")
    assert await client.get(BOOK) == []
    await house.control("switches", {"static_ips": {"ANN": []}})
    refused = await client.call("POST", "/v3/order/place", order())
    assert "No static IP" in refused.body["errors"][0]["message"]


async def test_an_app_for_algos_names_an_approved_one_with_every_order(house: House) -> None:
    await house.control("switches", {"algo_names": {"app": ["steady"]}})
    client, other = await house.sign_in("ANN"), await house.sign_in("BOB", "other")
    named = {"X-Algo-Name": "steady"}
    assert (await client.call("POST", "/v3/order/place", order())).code == "UDAPI1156"
    assert (await client.call("POST", "/v3/order/place", order(), **named)).status == 200
    assert (await other.call("POST", "/v3/order/place", order(), **named)).code == "UDAPI1156"


async def test_a_client_without_a_power_of_attorney_sells_no_shares_here(house: House) -> None:
    client = await house.sign_in("ANN")
    assert (await client.get("/v2/user/profile"))["poa"] is True
    await house.control("switches", {"without_poa": ["ANN"]})
    assert (await client.get("/v2/user/profile"))["poa"] is False
    refused = await client.call("POST", "/v3/order/place", order(transaction_type="SELL", price=101.0))
    assert (refused.status, "depository" in refused.body["errors"][0]["message"]) == (400, True)


async def test_an_order_stands_whose_answer_was_lost(house: House) -> None:
    client = await house.sign_in("ANN")
    await house.control("faults", {"fault": "drop_connection", "route": "place", "user": "ANN", "count": 1})
    with pytest.raises(aiohttp.ClientError):
        await client.place(tag="lost")
    (row,) = await client.get(BOOK)
    assert (row["tag"], row["status"]) == ("lost", "open")


async def test_faults_of_the_menu_are_answered_in_upstoxs_envelopes(house: House) -> None:
    client = await house.sign_in("ANN")

    async def meets(fault: str) -> tuple[int, Any]:
        await house.control("faults", {"fault": fault, "route": "place", "count": 1})
        told = client.session.post(
            f"{client.root}/v3/order/place", json=order(), headers={"Authorization": f"Bearer {client.token}"}
        )
        async with told as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else text

    for fault, status in (("server_error", 500), ("unavailable", 503), ("rate_limited", 429)):
        assert (await meets(fault))[0] == status
    assert "<h1>502" in (await meets("bad_gateway"))[1]
    assert await client.get(BOOK) == []
    assert (await meets("server_error_done"))[0] == 500
    assert (await meets("null_data"))[1] == {"status": "success", "data": None}
    assert (await meets("empty_order_id"))[1]["data"] == {"order_ids": []}
    assert (await meets("no_content_type"))[1]["data"]["order_ids"]
    await meets("rms_reject")
    assert [row["status"] for row in await client.get(BOOK)] == ["open"] * 4 + ["rejected"]
    assert (await meets("token_expired"))[0] == 401
    assert (await client.call("GET", BOOK)).code == "UDAPI100050"


async def test_a_frozen_broker_answers_nobody_until_it_thaws(house: House) -> None:
    client = await house.sign_in("ANN")
    await house.control("faults", {"fault": "frozen", "seconds": 60})
    calls = [asyncio.create_task(client.place()), asyncio.create_task(client.get(BOOK))]
    await house.until(lambda: sum(rule.struck for rule in house.upstox.mishaps.rules()) == 2)
    house.clock.shift(30)
    assert not any(call.done() for call in calls)
    await house.clock.advance(60)
    order_id, _ = await asyncio.gather(*calls)
    assert await client.status(order_id) == "open"


# --- files ----------------------------------------------------------------------------------------------


async def test_instruments_are_a_gzipped_array_that_anybody_may_read(house: House) -> None:
    async def rows(name: str) -> list[dict[str, Any]]:
        url = f"{house.upstox.url}/market-quote/instruments/exchange/{name}.json.gz"
        async with house.session.get(url) as answer:
            assert answer.status == 200
            return json.loads(gzip.decompress(await answer.read()))

    listed = {row["instrument_key"]: row for row in await rows("complete")}
    assert set(listed) == {ACC, TCS, NIFTY}
    assert (listed[ACC]["tick_size"], listed[ACC]["isin"]) == (5.0, "INE012A01025")
    assert (listed[NIFTY]["trading_symbol"], listed[NIFTY]["instrument_type"]) == ("NIFTY", "INDEX")
    assert await rows("BSE") == []
    url = f"{house.upstox.url}/market-quote/instruments/exchange/none.json.gz"
    async with house.session.get(url) as answer:
        assert answer.status == 404


async def test_an_order_and_its_session_outlive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    async with opened(path=path) as house:
        client = await house.sign_in("ANN")
        order_id = await client.place()
        token = client.token
    async with opened(path=path) as house:
        client = await house.sign_in("BOB")
        client.root, client.token = house.upstox.url, token
        assert await client.status(order_id) == "open"
        assert len(await client.get("/v2/order/history?tag=t1")) >= 4


# --- its switches ---------------------------------------------------------------------------------------


def test_every_doubtful_fact_is_a_switch_that_starts_in_its_first_position_and_is_documented() -> None:
    switches, page = UpstoxSwitches(), (ROOT / "docs" / "local_upstox.md").read_text()
    for doubt in DOUBTS:
        assert getattr(switches, doubt.switch) == doubt.positions[0]
        assert len(doubt.positions) > 1
        assert f"| `{doubt.switch}` |" in page
        with pytest.raises(BadInput, match=doubt.switch):
            switches.change({doubt.switch: 7})
