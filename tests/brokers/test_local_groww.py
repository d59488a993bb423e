"""The local Groww: signing in, orders and their books, limits, addresses and faults."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from brokers.simulators.groww.apps import approved_app, own_app
from brokers.simulators.groww.limits import LIVE_DATA, MINTS, ORDERS, OTHERS, budget_of
from brokers.simulators.groww.switches import DOUBTS, GrowwSwitches
from brokers.simulators.groww.totp import code_of
from brokers.simulators.serving.delays import Delays
from brokers.simulators.serving.windows import CallWindows, Windows
from data.clock import ManualClock
from data.errors import BadInput
from tests.brokers.groww_house import MARKET, Client, House, opened, order

ROOT = Path(__file__).parents[2]
BY_REFERENCE = "/order/status/reference"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with opened() as open_house:
        yield open_house


# --- signing in -----------------------------------------------------------------------------------------


def test_codes_are_those_of_the_standards_own_table() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B, in base32
    vectors = {59: "287082", 1_111_111_109: "081804", 1_234_567_890: "005924", 20_000_000_000: "353130"}
    assert {at: code_of(secret, at // 30) for at in vectors} == vectors


async def test_a_key_with_codes_mints_a_token_that_ends_at_six(house: House) -> None:
    key = own_app("ANN")[0]
    told = (await house.mint(key, **house.code("ANN"))).body
    assert (told["expiry"], told["isActive"], "status" in told) == ("2026-11-19T06:00:00", True, False)
    client = await house.sign_in("ANN")
    assert (await client.get("/user/detail"))["ucc"] == "ANN"
    house.exchange.jump(datetime(2026, 11, 18, 12, 0, tzinfo=UTC))  # rolls to the next morning
    assert (await client.call("GET", "/user/detail")).code == "GA005"


async def test_a_code_is_good_a_step_before_and_after_its_own_and_no_other_is(house: House) -> None:
    key = own_app("ANN")[0]
    for steps, status in ((-1, 200), (0, 200), (1, 200), (-2, 400), (2, 400)):
        assert (await house.mint(key, **house.code("ANN", steps))).status == status, steps
    refused = await house.mint(key, key_type="totp", totp="000000")
    assert refused.body["error"]["displayMessage"] == "Invalid TOTP"
    assert (await house.mint("nobody's key", **house.code("ANN"))).status == 401
    assert (await house.mint(key, **house.checksum("ANN"))).status == 400


async def test_a_key_of_the_other_kind_is_approved_on_the_page_of_keys_every_day(house: House) -> None:
    key = approved_app("ANN")[0]
    refused = await house.mint(key, **house.checksum("ANN"))
    assert "approve" in refused.body["error"]["displayMessage"]
    page = f"{house.groww.url}/trade-api/api-keys"
    async with house.session.post(page, data={"user_id": "ANN", "api_key": key}) as answer:
        assert "is approved for today" in await answer.text()
    assert (await house.mint(key, **house.checksum("ANN"))).status == 200
    stamped = house.checksum("ANN")
    assert (await house.mint(key, **stamped | {"timestamp": str(stamped["timestamp"])})).status == 200
    assert (await house.mint(key, **house.checksum("ANN", age_s=601))).status == 400
    assert (await house.mint(key, **house.checksum("BOB"))).status == 400
    house.exchange.jump(datetime(2026, 11, 18, 12, 0, tzinfo=UTC))
    assert (await house.mint(key, **house.checksum("ANN"))).status == 400


async def test_a_call_names_its_version_where_that_is_asked_for(house: House) -> None:
    client = await house.sign_in("ANN")
    told = {"Authorization": f"Bearer {client.token}"}
    for needed, status in ((True, 400), (False, 200)):
        await house.control("switches", {"version_needed": needed})
        async with house.session.get(f"{house.groww.url}/v1/user/detail", headers=told) as answer:
            assert answer.status == status


# --- orders ---------------------------------------------------------------------------------------------


async def test_an_order_rests_is_changed_and_cancelled(house: House) -> None:
    client = await house.sign_in("ANN")
    told = (await client.send()).data
    assert (told["order_status"], told["order_reference_id"]) == ("APPROVED", "reference-1")
    order_id = told["groww_order_id"]
    (row,) = await client.book()
    assert (row["groww_order_id"], row["trading_symbol"], row["price"]) == (order_id, "ACC", 99)
    assert (row["filled_quantity"], row["remaining_quantity"], row["segment"]) == (0, 10, "CASH")
    assert (await client.modify(order_id, quantity=20)).data["groww_order_id"] == order_id
    row = await client.detail(order_id)
    assert (row["quantity"], row["price"], row["order_status"]) == (20, 98, "APPROVED")
    assert (await client.cancel(order_id)).data == {"groww_order_id": order_id, "order_status": "CANCELLED"}
    assert (await client.cancel(order_id)).code == (await client.modify(order_id)).code == "GA006"


async def test_a_protected_market_order_trades_and_takes_money(house: House) -> None:
    client = await house.sign_in("ANN")
    before = await client.get("/margins/detail/user")
    order_id = await client.place("bought-at-once", **MARKET)
    row = await client.detail(order_id)
    assert (row["order_status"], row["order_type"], row["average_fill_price"]) == ("EXECUTED", "LIMIT", 100)
    (trade,) = (await client.get(f"/order/trades/{order_id}?segment=CASH"))["trade_list"]
    assert (trade["quantity"], trade["price"], trade["groww_order_id"]) == (10, 100, order_id)
    money = await client.get("/margins/detail/user")
    left = money["equity_margin_details"]["cnc_balance_available"]
    assert left + money["net_margin_used"] == money["clear_cash"] == before["clear_cash"] == 1_000_000
    assert money["net_margin_used"] >= 1_000


async def test_a_reference_is_one_orders_and_finds_it(house: House) -> None:
    client, other = await house.sign_in("ANN"), await house.sign_in("BOB")
    order_id = await client.place("reference-a")
    again = await client.send(order_reference_id="reference-a")
    assert (again.status, again.code, len(await client.book())) == (409, "GA007", 1)
    found = await client.get(f"{BY_REFERENCE}/reference-a?segment=CASH")
    assert found == {
        "groww_order_id": order_id,
        "order_status": "APPROVED",
        "remark": "",
        "filled_quantity": 0,
        "order_reference_id": "reference-a",
    }
    assert (await client.call("GET", f"{BY_REFERENCE}/reference-b?segment=CASH")).code == "GA004"
    assert (await other.call("GET", f"{BY_REFERENCE}/reference-a?segment=CASH")).code == "GA004"
    assert (await other.send(order_reference_id="reference-a")).status == 200


async def test_a_refused_order_leaves_its_reference_free(house: House) -> None:
    client = await house.sign_in("ANN")
    assert (await client.send(price=200.0)).code == "GA006"
    assert (await client.send()).status == 200


async def test_two_sends_of_one_reference_at_once_are_one_order(house: House) -> None:
    client = await house.sign_in("ANN")
    answers = await asyncio.gather(*(client.send() for _ in range(5)))
    assert sorted(one.status for one in answers) == [200, 409, 409, 409, 409]
    assert len(await client.book()) == 1


@pytest.mark.parametrize(("for_ever", "status"), [(True, 409), (False, 200)])
async def test_a_reference_is_used_up_for_ever_or_for_its_day(for_ever: bool, status: int) -> None:
    async with opened(references_for_ever=for_ever) as house:
        await (await house.sign_in("ANN")).place("reference-a")
        house.exchange.jump(datetime(2026, 11, 18, 12, 0, tzinfo=UTC))
        house.exchange.jump(datetime(2026, 11, 19, 4, 0, tzinfo=UTC))
        client = await house.sign_in("ANN")
        assert (await client.send(order_reference_id="reference-a")).status == status


async def test_an_orders_segment_is_asked_for(house: House) -> None:
    client = await house.sign_in("ANN")
    order_id = await client.place("reference-a")
    for path in (f"/order/detail/{order_id}", f"/order/status/{order_id}", f"{BY_REFERENCE}/reference-a"):
        assert (await client.call("GET", path)).code == "GA001"
        assert (await client.call("GET", f"{path}?segment=FNO")).code == "GA004"
    assert (await client.cancel(order_id, segment=None)).code == "GA001"
    assert (await client.cancel(order_id, segment="FNO")).code == "GA004"
    assert (await client.cancel("GMK1")).code == "GA004"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"trading_symbol": "NOBODY"}, "GA001"),
    ({"trading_symbol": "NIFTY"}, "GA006"),
    ({"segment": "FNO"}, "GA001"),
    ({"segment": None}, "GA001"),
    ({"quantity": 0}, "GA001"),
    ({"quantity": "10"}, "GA001"),
    ({"quantity": 100_001}, "GA001"),
    ({"price": 0}, "GA001"),
    ({"price": 99.013}, "GA001"),
    ({"price": 200.0}, "GA006"),
    ({"order_type": "SL-M"}, "GA001"),
    ({"validity": "IOC"}, "GA001"),
    ({"product": "MTF"}, "GA001"),
    ({"transaction_type": "B"}, "GA001"),
    ({"order_reference_id": None}, "GA001"),
    ({"order_reference_id": "short"}, "GA001"),
    ({"order_reference_id": "x" * 21}, "GA001"),
    ({"order_reference_id": "a-b-c-d-e-f"}, "GA001"),
    ({"order_reference_id": "-leading1"}, "GA001"),
]


async def test_an_order_that_cannot_be_is_refused_by_its_code_and_nothing_stands(house: House) -> None:
    client = await house.sign_in("ANN")
    for more, code in REFUSED:
        assert (await client.send(**more)).code == code, more
    assert await client.book() == []


async def test_an_order_without_money_is_accepted_and_rejected_in_the_book(house: House) -> None:
    client = await house.sign_in("ANN")
    row = await client.detail(await client.place("too-much-asked", quantity=50_000))
    assert row["order_status"] == "REJECTED"
    assert "nsufficient" in row["remark"]


async def test_an_order_goes_through_its_statuses_one_by_one() -> None:
    async with opened(Delays()) as house:
        client = await house.sign_in("ANN")
        told = (await client.send()).data
        order_id, seen = told["groww_order_id"], [told["order_status"]]

        async def watch(ends: str) -> None:
            while seen[-1] != ends:
                await house.clock.advance(0.01)
                status = (await client.detail(order_id))["order_status"]
                if status != seen[-1]:
                    seen.append(status)

        await watch("APPROVED")
        assert seen == ["NEW", "ACKED", "APPROVED"]
        seen.append((await client.modify(order_id)).data["order_status"])
        await watch("APPROVED")
        seen.append((await client.cancel(order_id)).data["order_status"])
        await watch("CANCELLED")
    assert seen[3:] == ["MODIFICATION_REQUESTED", "APPROVED", "CANCELLATION_REQUESTED", "CANCELLED"]


@pytest.mark.parametrize("by_session", [True, False])
async def test_before_the_open_an_order_waits_or_is_refused(by_session: bool) -> None:
    async with opened(begins=time(8, 0), amo_by_session=by_session) as house:
        client = await house.sign_in("ANN")
        if not by_session:
            assert (await client.send()).code == "GA006"
            return
        order_id = await client.place("before-the-open")
        row = await client.detail(order_id)
        assert (row["order_status"], row["amo_status"]) == ("NEW", "PARKED")
        house.exchange.jump(datetime(2026, 11, 18, 3, 46, tzinfo=UTC))
        await house.until(lambda: house.groww.journal.counts() == {"OPEN": 1})
        assert (await client.detail(order_id))["amo_status"] == "PLACED"


async def test_the_list_is_read_page_by_page(house: House) -> None:
    client = await house.sign_in("ANN")
    placed = [await client.place(f"reference-{number:03d}") for number in range(30)]
    assert [row["groww_order_id"] for row in await client.book()] == placed[:4:-1]

    async def page(number: int, size: int) -> list[str]:
        told = await client.get(f"/order/list?segment=CASH&page={number}&page_size={size}")
        return [row["groww_order_id"] for row in told["order_list"]]

    assert [*await page(0, 20), *await page(1, 20), *await page(2, 20)] == placed[::-1]
    await house.control("switches", {"most_in_page": 25, "newest_first": False})
    assert (await page(0, 100), await page(1, 100)) == (placed[:25], placed[25:])
    assert (await client.call("GET", "/order/list?page=x")).code == "GA001"
    assert (await client.get("/order/list?segment=FNO"))["order_list"] == []


# --- limits, addresses and faults -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "windows", "a_second", "a_minute"),
    [("place", ORDERS, 10, 250), ("ltp", LIVE_DATA, 10, 300), ("orders", OTHERS, 20, 500)],
)
def test_each_class_of_calls_has_its_budget(
    route: str, windows: Windows, a_second: int, a_minute: int
) -> None:
    clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    counted, (budget, found) = CallWindows(clock), budget_of(route)
    assert found == windows

    def let_in(most: int) -> int:
        return sum(counted.count("ANN", budget, windows) for _ in range(most))

    assert let_in(100) == a_second
    assert counted.count("BOB", budget, windows)
    clock.shift(60.0)
    passed = 0
    for _ in range(59):
        passed += let_in(a_second)
        clock.shift(1.0)
    assert passed == a_minute


async def test_orders_changes_and_cancels_share_a_budget_and_reads_have_another() -> None:
    async with opened(rate_limits=True, mint_limits=True) as house:
        client = await house.sign_in("ANN")
        for _ in range(5):
            assert (await client.send(quantity=0)).status == 400
            assert (await client.cancel("GMK1")).status == 404
        assert (await client.modify("GMK1")).status == 429
        assert (await client.call("GET", "/order/list")).status == 200
        mints = [await house.mint(own_app("ANN")[0], **house.code("ANN")) for _ in range(5)]
        assert [one.status for one in mints] == [200] * 4 + [429]  # one was the sign-in
        assert MINTS[0] == (1.0, 5)


@pytest.mark.parametrize("told_as", [("403", "GA005"), ("401", "GA005"), ("400", "GA001")])
async def test_an_order_from_a_wrong_address_is_refused_and_reads_are_not(
    house: House, told_as: tuple[str, str]
) -> None:
    client = await house.sign_in("ANN")
    await house.control(
        "switches", {"wrong_ip_as": " ".join(told_as), "static_ips": {"ANN": ["127.0.9.9"], "BOB": []}}
    )
    for refused in (await client.send(), await (await house.sign_in("BOB")).send()):
        assert (str(refused.status), refused.code) == told_as
    assert await client.book() == []


async def test_a_client_without_a_ddpi_sells_no_shares_here(house: House) -> None:
    client = await house.sign_in("ANN")
    await house.control("switches", {"without_ddpi": ["ANN"]})
    assert (await client.get("/user/detail"))["ddpi_enabled"] is False
    refused = await client.send(transaction_type="SELL", price=101.0)
    assert (refused.code, "depository" in refused.body["error"]["message"]) == ("GA006", True)


@pytest.mark.parametrize(("statuses", "seen"), [("paired", {409, 404}), ("400", {400}), ("200", {200})])
async def test_refusals_come_with_their_codes_status_or_with_one_for_all(
    house: House, statuses: str, seen: set[int]
) -> None:
    client = await house.sign_in("ANN")
    await house.control("switches", {"error_statuses": statuses})
    await client.send()
    refused = [await client.send(), await client.cancel("GMK1")]
    assert {one.status for one in refused} == seen
    assert [one.code for one in refused] == ["GA007", "GA004"]
    client.token = "nonsense"
    assert (await client.send()).status == 401


async def test_an_order_stands_whose_answer_was_lost(house: House) -> None:
    client = await house.sign_in("ANN")
    await house.control("faults", {"fault": "drop_connection", "route": "place", "user": "ANN", "count": 1})
    with pytest.raises(aiohttp.ClientError):
        await client.place("lost-answer")
    assert (await client.get(f"{BY_REFERENCE}/lost-answer?segment=CASH"))["order_status"] == "APPROVED"
    assert (await client.send(order_reference_id="lost-answer")).code == "GA007"


async def test_faults_of_the_menu_are_answered_in_growws_envelopes(house: House) -> None:
    client = await house.sign_in("ANN")
    sent = 0

    async def meets(fault: str) -> tuple[int, Any]:
        nonlocal sent
        sent += 1
        await house.control("faults", {"fault": fault, "route": "place", "count": 1})
        body = order(order_reference_id=f"reference-{sent}")
        told = {"Authorization": f"Bearer {client.token}", "X-API-VERSION": "1.0"}
        async with client.session.post(f"{client.root}/v1/order/create", json=body, headers=told) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else text

    for fault, status in (("server_error", 500), ("unavailable", 503), ("rate_limited", 429)):
        assert (await meets(fault))[0] == status
    assert "<h1>502" in (await meets("bad_gateway"))[1]
    assert await client.book() == []
    assert (await meets("server_error_done"))[1]["error"]["code"] == "GA000"
    assert (await meets("null_data"))[1] == {"status": "SUCCESS", "payload": None}
    assert (await meets("empty_order_id"))[1]["payload"]["groww_order_id"] == ""
    assert (await meets("no_content_type"))[1]["payload"]["groww_order_id"]
    await meets("rms_reject")
    statuses = [row["order_status"] for row in await client.book()]
    assert statuses == ["REJECTED", *["APPROVED"] * 4]
    assert (await meets("token_expired"))[0] == 401
    assert (await client.call("GET", "/order/list")).code == "GA005"


async def test_an_order_its_reference_and_its_session_outlive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    async with opened(path=path) as house:
        client = await house.sign_in("ANN")
        order_id, token = await client.place("reference-a"), client.token
    async with opened(path=path) as house:
        client = Client(house.groww.url, house.session, token)
        assert (await client.detail(order_id))["order_status"] == "APPROVED"
        assert (await client.send(order_reference_id="reference-a")).code == "GA007"


# --- its switches ---------------------------------------------------------------------------------------


def test_every_doubtful_fact_is_a_switch_that_starts_in_its_first_position_and_is_documented() -> None:
    switches, page = GrowwSwitches(), (ROOT / "docs" / "local_groww.md").read_text()
    for doubt in DOUBTS:
        assert getattr(switches, doubt.switch) == doubt.positions[0]
        assert len(doubt.positions) > 1
        assert f"| `{doubt.switch}` |" in page
        with pytest.raises(BadInput, match=doubt.switch):
            switches.change({doubt.switch: 7})
