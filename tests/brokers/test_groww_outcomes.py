"""What a write to Groww became: by the HTTP family, but for codes that leave it in doubt; sent once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from brokers.contract import (
    Accepted,
    Ambiguous,
    BrokerAccount,
    NotSent,
    OrderChange,
    OrderRequest,
    Refused,
    SessionExpired,
)
from brokers.groww.broker import GrowwBroker
from brokers.groww.orders import protected
from brokers.groww.roots import groww_roots
from brokers.wire.calls import CallWaits
from data.clock import SystemClock
from data.records import replace
from data.reference.instruments import BrokerListing
from data.vocabulary import OrderType, Product, Side, Validity
from tests.brokers.kite_stub import ANN, DROP, TOKEN, Access, KiteStub, Reply, running_stub

PLACE, MODIFY, CANCEL = "POST /v1/order/create", "POST /v1/order/modify", "POST /v1/order/cancel"
PROFILE, DETAIL, LIST = "GET /v1/user/detail", "GET /v1/order/detail/GMK7", "GET /v1/order/list"
REFERENCE = "GET /v1/order/status/reference/td123456"
QUOTE = "GET /v1/live-data/quote"
ORDER = OrderRequest(
    "NSE",
    "RELIANCE",
    Side.BUY,
    10,
    Product.CNC,
    OrderType.LIMIT,
    tag="td123456",
    price_paise=2_450_05,
    tick_paise=5,
)
DONE = {"groww_order_id": "GMK7", "order_status": "OPEN", "order_reference_id": "td123456", "remark": ""}
WHO = {"ucc": "AB1234", "vendor_user_id": "V1", "ddpi_enabled": True, "active_segments": ["CASH"]}
ROW = {
    "groww_order_id": "GMK7", "trading_symbol": "RELIANCE", "order_status": "OPEN", "remark": None,
    "quantity": 10, "price": 2450.05, "trigger_price": None, "filled_quantity": 0, "remaining_quantity": 10,
    "average_fill_price": 0, "validity": "DAY", "exchange": "NSE", "order_type": "LIMIT", "segment": "CASH",
    "transaction_type": "BUY", "product": "CNC", "created_at": "2026-11-23T09:20:05",
    "order_reference_id": "td123456",
}  # fmt: skip


def told(payload: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps({"status": "SUCCESS", "payload": payload}))


def refused(status: int, code: str = "GA001", words: str = "No.") -> Reply:
    error = {"code": code, "message": words, "metadata": None}
    return Reply(status, json.dumps({"status": "FAILURE", "error": error}))


@asynccontextmanager
async def at_stub(
    access: Access | None = None,
) -> AsyncIterator[tuple[GrowwBroker, KiteStub, list[BrokerAccount]]]:
    lost: list[BrokerAccount] = []
    async with running_stub() as stub:
        waits = CallWaits(send_s=0.5, cancel_s=0.5, read_s=0.5)
        broker = GrowwBroker(
            access or Access(),
            groww_roots(stub.base),
            SystemClock(),
            waits=waits,
            on_session_lost=lost.append,
        )
        listing = BrokerListing("groww", "NSE:RELIANCE", "CASH|2885|RELIANCE", "RELIANCE")
        broker.learn(lambda keys: [listing] * ("NSE:RELIANCE" in keys), [])
        await broker.open()
        stub.on(PROFILE, told(WHO))
        stub.on(LIST, told({"order_list": []}))
        try:
            yield broker, stub, lost
        finally:
            await broker.close()


async def test_an_order_is_sent_as_documented_to_the_letter():
    async with at_stub() as (broker, stub, _):
        stub.on(PLACE, told(DONE))
        assert await broker.place(ANN, ORDER) == Accepted("GMK7")
        (one,) = stub.asked_of(PLACE)
        assert one.headers["Authorization"] == f"Bearer {TOKEN}"
        assert one.headers["X-API-VERSION"] == "1.0"
        assert json.loads(one.raw_form) == {
            "trading_symbol": "RELIANCE",
            "quantity": 10,
            "price": 2450.05,
            "validity": "DAY",
            "exchange": "NSE",
            "segment": "CASH",
            "product": "CNC",
            "order_type": "LIMIT",
            "transaction_type": "BUY",
            "order_reference_id": "td123456",
        }


async def test_an_order_at_the_markets_price_is_sent_with_the_limit_of_its_protection():
    quote = {"last_price": 2400.0, "ohlc": {}, "lower_circuit_limit": 2300, "upper_circuit_limit": 2430.0}
    market = replace(ORDER, order_type=OrderType.MARKET, price_paise=None, protection_bps=200)
    stop = replace(market, order_type=OrderType.SL_M, trigger_paise=2_420_00, side=Side.SELL)
    async with at_stub() as (broker, stub, _):
        stub.on(PLACE, told(DONE))
        stub.on(QUOTE, told(quote))
        for request, sent in (
            (market, {"order_type": "LIMIT", "price": 2430}),  # not beyond the day's band
            (replace(market, protection_bps=100), {"order_type": "LIMIT", "price": 2424}),
            (replace(market, side=Side.SELL), {"order_type": "LIMIT", "price": 2352}),
            (stop, {"order_type": "SL", "price": 2371.6, "trigger_price": 2420}),
        ):
            assert await broker.place(ANN, request) == Accepted("GMK7")
            fields = json.loads(stub.asked_of(PLACE)[-1].raw_form)
            assert {name: fields[name] for name in sent} == sent
        stub.on(QUOTE, refused(500, "GA000"))
        assert isinstance(await broker.place(ANN, market), NotSent), "without a price there is no limit"
        assert len(stub.asked_of(PLACE)) == 4


@pytest.mark.parametrize(
    ("near", "bps", "side", "tick", "limit"),
    [
        (100_05, 200, Side.BUY, 5, 102_05),
        (100_05, 200, Side.SELL, 5, 98_05),
        (100_00, 100, Side.BUY, 100, 101_00),
        (99_99, 100, Side.SELL, 100, 99_00),
    ],
)
def test_a_protected_limit_is_on_the_tick_and_never_beyond(
    near: int, bps: int, side: Side, tick: int, limit: int
):
    found = protected(near, bps, side, tick)
    assert found == limit
    assert found % tick == 0
    assert abs(found - near) * 10_000 <= near * bps


@pytest.mark.parametrize(
    "wrong",
    [
        {"tag": "td12345"},
        {"tag": "td-1-2-3-456"},
        {"tag": "td_123456"},
        {"tag": "x" * 21},
        {"validity": Validity.IOC},
        {"product": Product.MTF},
        {"after_market": True},
        {"disclosed_quantity": 5},
        {"order_type": OrderType.MARKET, "price_paise": None},
        {"order_type": OrderType.MARKET, "price_paise": None, "protection_bps": 200, "tick_paise": 0},
        {"tradingsymbol": "NOSUCH"},
    ],
)
async def test_what_groww_does_not_take_is_refused_and_never_asked(wrong: dict[str, object]):
    async with at_stub() as (broker, stub, _):
        outcome = await broker.place(ANN, replace(ORDER, **wrong))
        assert isinstance(outcome, Refused)
        assert (bool(outcome.message), stub.asked_of(PLACE)) == (True, [])


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422])
async def test_what_is_turned_down_is_refused(status: int):
    async with at_stub() as (broker, stub, _):
        for reply in (refused(status), refused(status, "GA006"), Reply(status, "<html>", "text/html")):
            stub.on(PLACE, reply)
            outcome = await broker.place(ANN, ORDER)
            assert isinstance(outcome, Refused), (status, outcome)
            assert outcome.message


@pytest.mark.parametrize(
    "reply",
    [
        refused(500, "GA000"),
        refused(503, "GA003"),
        refused(504),
        refused(409, "GA007"),
        refused(400, "GA007", "Duplicate order reference id"),
        refused(400, "GA003"),
        refused(422, "GA000"),
        refused(200, "GA006"),
        Reply(302, ""),
        DROP,
        Reply(200, "<html>"),
        told(None),
        told({}),
        told({"groww_order_id": ""}),
        told({"groww_order_id": "GMK7", "order_reference_id": "another1"}),
        Reply(held=asyncio.Event()),
    ],
)
async def test_what_may_have_been_taken_is_in_doubt_and_sent_once(reply: Reply):
    async with at_stub() as (broker, stub, _):
        stub.on(PLACE, reply)
        assert isinstance(await broker.place(ANN, ORDER), Ambiguous)
        assert len(stub.asked_of(PLACE)) == 1


async def test_an_order_in_doubt_is_looked_for_by_its_reference_and_never_sent_again():
    async with at_stub() as (broker, stub, _):
        stub.on(PLACE, DROP)
        assert isinstance(await broker.place(ANN, ORDER), Ambiguous)
        stub.on(REFERENCE, refused(404, "GA004"), told({"groww_order_id": "GMK7"}))
        stub.on(DETAIL, told(ROW))
        assert list(await broker.orders(ANN)) == []
        (found,) = await broker.orders(ANN)
        assert (found.broker_order_id, found.tags) == ("GMK7", ("td123456",))
        asked = len(stub.asked_of(REFERENCE))
        await broker.orders(ANN)
        assert len(stub.asked_of(REFERENCE)) == asked, "what was found is not looked for again"
        assert len(stub.asked_of(PLACE)) == 1


async def test_too_many_calls_are_not_sent_and_the_next_ones_rest():
    async with at_stub() as (broker, stub, _):
        stub.on(PLACE, refused(429))
        assert isinstance(await broker.place(ANN, ORDER), NotSent)
        assert isinstance(await broker.place(ANN, ORDER), NotSent)
        assert len(stub.asked_of(PLACE)) == 1
        stub.on(CANCEL, told({"groww_order_id": "GMK7", "order_status": "CANCELLATION_REQUESTED"}))
        assert await broker.cancel(ANN, "GMK7") == Accepted("GMK7")
        assert json.loads(stub.asked_of(CANCEL)[0].raw_form) == {"groww_order_id": "GMK7", "segment": "CASH"}


@pytest.mark.parametrize(("status", "code"), [(401, "GA005"), (403, "GA005"), (400, "GA005")])
async def test_an_order_that_is_not_authorised_ends_no_session_that_a_profile_read_shows_to_hold(
    status: int, code: str
):
    async with at_stub() as (broker, stub, lost):
        stub.on(PLACE, refused(status, code, "User not authorised"))
        outcome = await broker.place(ANN, ORDER)
        assert isinstance(outcome, Refused)
        assert (outcome.code, lost) == ("route", [])
        stub.on(PROFILE, refused(status, code))
        outcome = await broker.place(ANN, ORDER)
        assert isinstance(outcome, Refused)
        assert (outcome.code, lost) == ("session_expired", [ANN])
        stub.on("GET /v1/margins/detail/user", refused(status, code))
        with pytest.raises(SessionExpired):
            await broker.funds(ANN)


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_an_address_that_is_not_registered_closes_the_route(status: int):
    async with at_stub() as (broker, stub, lost):
        stub.on(PLACE, refused(status, "GA005", "Request from an unregistered IP address"))
        outcome = await broker.place(ANN, ORDER)
        assert isinstance(outcome, Refused)
        assert (outcome.code, lost) == ("route", [])


async def test_a_change_names_the_whole_order_as_the_broker_has_it():
    standing = ROW | {"order_type": "SL", "price": 2440.0, "trigger_price": 2430.0}
    async with at_stub() as (broker, stub, _):
        stub.on(MODIFY, told({"groww_order_id": "GMK7", "order_status": "MODIFICATION_REQUESTED"}))
        named = {"groww_order_id": "GMK7", "segment": "CASH", "order_type": "SL"}
        for change, sent in (
            (OrderChange(quantity=4), {"quantity": 4, "price": 2440, "trigger_price": 2430}),
            (OrderChange(trigger_paise=2_400_00), {"quantity": 10, "price": 2440, "trigger_price": 2400}),
            (
                OrderChange(trigger_paise=2_400_00, protection_bps=100, tick_paise=5),
                {"quantity": 10, "price": 2424, "trigger_price": 2400},
            ),
        ):
            stub.on(DETAIL, told(standing))
            assert await broker.modify(ANN, "GMK7", change) == Accepted("GMK7")
            assert json.loads(stub.asked_of(MODIFY)[-1].raw_form) == named | sent
        stub.on(DETAIL, refused(404, "GA004", "unknown order"))
        assert isinstance(await broker.modify(ANN, "GMK7", OrderChange(quantity=1)), Refused)
        stub.on(DETAIL, refused(503, "GA003"))
        assert isinstance(await broker.modify(ANN, "GMK7", OrderChange(quantity=1)), NotSent)
        assert len(stub.asked_of(MODIFY)) == 3


async def test_nobody_listening_is_not_sent():
    async with running_stub() as stub:
        base = stub.base
    broker = GrowwBroker(Access(), groww_roots(base), SystemClock())
    listing = BrokerListing("groww", "NSE:RELIANCE", "CASH|2885|RELIANCE", "RELIANCE")
    broker.learn(lambda keys: [listing], [])
    try:
        assert isinstance(await broker.place(ANN, ORDER), NotSent)
        assert isinstance(await broker.cancel(ANN, "GMK1"), NotSent)
        assert isinstance(await broker.modify(ANN, "GMK1", OrderChange(quantity=1)), NotSent)
    finally:
        await broker.close()
