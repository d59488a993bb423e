"""What a write to Upstox became: by the HTTP family and the route, never by the code; sent once."""

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
from brokers.upstox.broker import UpstoxBroker
from brokers.upstox.roots import upstox_roots
from brokers.wire.access import AccountRoute
from brokers.wire.calls import CallWaits
from data.clock import SystemClock
from data.records import replace
from data.reference.instruments import BrokerListing
from data.vocabulary import OrderType, Product, Side
from tests.brokers.kite_stub import ANN, DROP, TOKEN, Access, KiteStub, Reply, running_stub

PLACE, MODIFY, CANCEL = "POST /v3/order/place", "PUT /v3/order/modify", "DELETE /v3/order/cancel"
PROFILE, DETAILS = "GET /v2/user/profile", "GET /v2/order/details"
RELIANCE = "NSE_EQ|INE002A01018"
ORDER = OrderRequest(
    "NSE", "RELIANCE", Side.BUY, 10, Product.CNC, OrderType.LIMIT, tag="td1", price_paise=2_450_05
)
DONE = {"status": "success", "data": {"order_ids": ["240108010918222"]}, "metadata": {"latency": 30}}
WHO = {"user_id": "AB1234", "user_name": "Ann", "broker": "UPSTOX", "poa": False, "is_active": True}


def told(data: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps({"status": "success", "data": data}))


def refused(status: int, code: str = "UDAPI1052", words: str = "No.") -> Reply:
    error = {"errorCode": code, "message": words, "error_code": code, "property_path": None}
    return Reply(status, json.dumps({"status": "error", "errors": [error]}))


class RenewedAccess(Access):
    """Somebody else signed the client in meanwhile."""

    def newest_token(self, account: BrokerAccount) -> str | None:
        return "another"


@asynccontextmanager
async def at_stub(
    access: Access | None = None, **more: object
) -> AsyncIterator[tuple[UpstoxBroker, KiteStub, list[BrokerAccount]]]:
    lost: list[BrokerAccount] = []
    async with running_stub() as stub:
        broker = UpstoxBroker(
            access or Access(),
            upstox_roots(stub.base),
            SystemClock(),
            waits=CallWaits(send_s=0.5, cancel_s=0.5, read_s=0.5, connect_s=0.5),
            on_session_lost=lost.append,
            **more,  # pyright: ignore[reportArgumentType]
        )
        listing = BrokerListing("upstox", "NSE:RELIANCE", RELIANCE, "RELIANCE")
        broker.learn(lambda keys: [listing] * ("NSE:RELIANCE" in keys), lambda tokens: [])
        await broker.open()
        stub.on(PROFILE, told(WHO))
        try:
            yield broker, stub, lost
        finally:
            await broker.close()


async def test_an_order_is_sent_as_documented_to_the_letter():
    async with at_stub() as (broker, stub, _):
        stub.on(PLACE, Reply(200, json.dumps(DONE)))
        assert await broker.place(ANN, ORDER) == Accepted("240108010918222")
        (one,) = stub.asked_of(PLACE)
        assert one.headers["Authorization"] == f"Bearer {TOKEN}"
        assert json.loads(one.raw_form) == {
            "instrument_token": RELIANCE,
            "transaction_type": "BUY",
            "quantity": 10,
            "product": "D",
            "order_type": "LIMIT",
            "validity": "DAY",
            "price": 2450.05,
            "trigger_price": 0,
            "disclosed_quantity": 0,
            "is_amo": False,
            "tag": "td1",
            "slice": False,
        }


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (
            {"order_type": OrderType.MARKET, "price_paise": None, "protection_bps": 250},
            {"price": 0, "market_protection": 2.5, "order_type": "MARKET"},
        ),
        (
            {
                "order_type": OrderType.SL_M,
                "price_paise": None,
                "trigger_paise": 2_400_00,
                "protection_bps": 200,
            },
            {"price": 0, "market_protection": 2, "trigger_price": 2400, "order_type": "SL-M"},
        ),
        ({"product": Product.MTF, "disclosed_quantity": 3}, {"product": "MTF", "disclosed_quantity": 3}),
        ({"product": Product.MIS, "after_market": True}, {"product": "I", "is_amo": True}),
    ],
)
async def test_what_an_order_is_becomes_fields(request_: dict[str, object], fields: dict[str, object]):
    from data.records import replace

    async with at_stub() as (broker, stub, _):
        stub.on(PLACE, Reply(200, json.dumps(DONE)))
        assert isinstance(await broker.place(ANN, replace(ORDER, **request_)), Accepted)
        sent = json.loads(stub.asked_of(PLACE)[0].raw_form)
        assert {name: sent[name] for name in fields} == fields


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422, 423])
async def test_what_is_turned_down_is_refused_whatever_the_code(status: int):
    async with at_stub() as (broker, stub, _):
        for reply in (refused(status), refused(status, "NOBODYKNOWS"), Reply(status, "<html>", "text/html")):
            stub.on(PLACE, reply)
            outcome = await broker.place(ANN, ORDER)
            assert isinstance(outcome, Refused), (status, outcome)
            assert outcome.message


@pytest.mark.parametrize(
    "reply",
    [
        refused(500),
        refused(502),
        refused(504),
        refused(408),
        refused(499),
        refused(409),
        Reply(302, ""),
        DROP,
        Reply(200, "<html>"),
        Reply(200, '{"status": "success"}'),
        Reply(200, '{"status": "success", "data": {"order_ids": []}}'),
        Reply(200, '{"status": "success", "data": {"order_ids": ["1", "2"]}}'),
        Reply(200, '{"status": "success", "data": {"order_ids": [7]}}'),
        Reply(200, '{"status": "error", "data": null}'),
        Reply(held=asyncio.Event()),
    ],
)
async def test_what_may_have_been_taken_is_in_doubt_and_sent_once(reply: Reply):
    async with at_stub() as (broker, stub, _):
        stub.on(PLACE, reply)
        assert isinstance(await broker.place(ANN, ORDER), Ambiguous)
        assert len(stub.asked_of(PLACE)) == 1


@pytest.mark.parametrize("route", [MODIFY, CANCEL])
async def test_a_kept_line_that_breaks_brings_no_second_send(route: str):
    """aiohttp would make a change or a deletion once more by itself."""
    async with at_stub() as (broker, stub, _):
        stub.on(DETAILS, told({"order_type": "LIMIT", "validity": "DAY", "price": 10, "quantity": 5}))
        stub.on(route, told({"order_id": "7"}), DROP)

        async def ask() -> object:
            if route == CANCEL:
                return await broker.cancel(ANN, "7")
            return await broker.modify(ANN, "7", OrderChange(quantity=3))

        assert await ask() == Accepted("7")
        assert isinstance(await ask(), Ambiguous)
        assert len(stub.asked_of(route)) == 2


async def test_too_many_calls_are_not_sent_and_the_next_ones_rest():
    async with at_stub() as (broker, stub, _):
        stub.on(PLACE, refused(429, "UDAPI10005", "Too many"))
        assert isinstance(await broker.place(ANN, ORDER), NotSent)
        assert isinstance(await broker.place(ANN, ORDER), NotSent)
        assert len(stub.asked_of(PLACE)) == 1
        stub.on(CANCEL, told({"order_id": "7"}))
        assert await broker.cancel(ANN, "7") == Accepted("7")


async def test_nobody_listening_is_not_sent():
    async with running_stub() as stub:
        base = stub.base
    broker = UpstoxBroker(Access(), upstox_roots(base), SystemClock())
    broker.learn(
        lambda keys: [BrokerListing("upstox", "NSE:RELIANCE", RELIANCE, "RELIANCE")], lambda tokens: []
    )
    try:
        assert isinstance(await broker.place(ANN, ORDER), NotSent)
        assert isinstance(await broker.cancel(ANN, "1"), NotSent)
        assert isinstance(await broker.modify(ANN, "1", OrderChange(quantity=1)), NotSent)
    finally:
        await broker.close()


async def test_a_dead_proxy_is_not_sent():
    access = Access()
    async with at_stub(access) as (broker, stub, _):
        async with running_stub() as gone:
            proxy = gone.base
        access.routes[ANN] = AccountRoute("annkey", proxy=proxy)
        assert isinstance(await broker.place(ANN, ORDER), NotSent)
        assert stub.asked_of(PLACE) == []


async def test_an_orders_401_ends_no_session_that_a_profile_read_shows_to_hold():
    async with at_stub() as (broker, stub, lost):
        stub.on(PLACE, refused(401, "UDAPI100050", "Invalid token"))
        outcome = await broker.place(ANN, ORDER)
        assert isinstance(outcome, Refused)
        assert outcome.code == "route"
        assert "address" in outcome.message
        assert (lost, len(stub.asked_of(PROFILE))) == ([], 1)

        stub.on(PROFILE, refused(500))
        outcome = await broker.place(ANN, ORDER)
        assert isinstance(outcome, Refused)
        assert (outcome.code, lost) == ("UDAPI100050", []), "nothing is known of the session"

        stub.on(PROFILE, refused(401, "UDAPI100050", "Invalid token"))
        outcome = await broker.place(ANN, ORDER)
        assert isinstance(outcome, Refused)
        assert (outcome.code, lost) == ("session_expired", [ANN])


async def test_a_session_that_was_renewed_meanwhile_is_not_lost():
    access = RenewedAccess()
    async with at_stub(access) as (broker, stub, lost):
        stub.on(PROFILE, refused(401, "UDAPI100050", "Invalid token"))
        outcome = await broker.place(ANN, ORDER) if stub.on(PLACE, refused(401)) is None else None
        assert isinstance(outcome, Refused)
        assert (outcome.code, lost) == ("UDAPI1052", [])


async def test_a_read_that_is_turned_down_ends_a_session_only_with_its_profile():
    async with at_stub() as (broker, stub, lost):
        stub.on("GET /v2/order/retrieve-all", refused(401))
        with pytest.raises(Exception, match="No") as held:
            await broker.orders(ANN)
        assert not isinstance(held.value, SessionExpired)
        stub.on(PROFILE, refused(401))
        with pytest.raises(SessionExpired):
            await broker.orders(ANN)
        assert lost == [ANN]


async def test_an_address_that_is_not_registered_closes_the_route():
    async with at_stub() as (broker, stub, _):
        stub.on(PLACE, refused(403, "UDAPI1154", "No static IP configured"))
        outcome = await broker.place(ANN, ORDER)
        assert isinstance(outcome, Refused)
        assert outcome.code == "route"


async def test_the_name_of_an_algo_goes_with_its_apps_orders_and_none_leaves_without():
    async with at_stub(algos={"annkey": "Morning Buys"}) as (broker, stub, _):
        stub.on(PLACE, Reply(200, json.dumps(DONE)))
        await broker.place(ANN, ORDER)
        assert stub.asked_of(PLACE)[0].headers["X-Algo-Name"] == "Morning Buys"
    async with at_stub(algos={"annkey": ""}) as (broker, stub, _):
        assert isinstance(await broker.place(ANN, ORDER), Refused)
        stub.on(CANCEL, told({"order_id": "7"}))
        assert await broker.cancel(ANN, "7") == Accepted("7"), "what lives can be cancelled"
        assert stub.asked_of(PLACE) == []


ROW = {
    "exchange": "NSE", "product": "D", "status": "open", "tag": "td1", "order_id": "77", "quantity": 10,
    "instrument_token": RELIANCE, "trading_symbol": "RELIANCE", "order_type": "LIMIT", "validity": "DAY",
    "transaction_type": "BUY", "price": 2450.05, "order_timestamp": "2026-11-23 09:20:05",
}  # fmt: skip


async def test_two_reads_at_once_that_find_what_was_in_doubt_both_tell_the_book():
    async with at_stub() as (broker, stub, _):
        stub.on(PLACE, DROP)
        for tag in ("td1", "td2"):
            await broker.place(ANN, replace(ORDER, tag=tag))
        stub.on("GET /v2/order/retrieve-all", told([ROW | {"tag": "td2", "order_id": "78"}]))
        stub.on("GET /v2/order/history", told([ROW]))
        books = await asyncio.gather(broker.orders(ANN), broker.orders(ANN))
        assert [sorted(one.broker_order_id for one in book) for book in books] == [["77", "78"]] * 2


async def test_an_order_in_doubt_is_looked_for_by_its_tag_beside_the_book():
    async with at_stub() as (broker, stub, _):
        stub.on(PLACE, DROP)
        assert isinstance(await broker.place(ANN, ORDER), Ambiguous)
        stub.on("GET /v2/order/retrieve-all", told([]))
        states = [ROW | {"status": "put order req received"}, ROW, ROW | {"tag": "other", "order_id": "78"}]
        stub.on("GET /v2/order/history", refused(400, "UDAPI100010"), told(states))
        assert list(await broker.orders(ANN)) == []
        (found,) = await broker.orders(ANN)
        assert (found.broker_order_id, found.status_text, found.tags) == ("77", "open", ("td1",))
        assert stub.asked_of("GET /v2/order/history")[0].query == [("tag", "td1")]
        asked = len(stub.asked)
        stub.on("GET /v2/order/retrieve-all", told([ROW]))
        await broker.orders(ANN)
        assert len(stub.asked) == asked + 1, "what was found is not looked for again"


async def test_a_change_names_the_whole_order_as_the_broker_has_it():
    standing = {
        "order_type": "SL", "validity": "DAY", "price": 101.05, "trigger_price": 100, "quantity": 8,
        "disclosed_quantity": None,
    }  # fmt: skip
    async with at_stub() as (broker, stub, _):
        stub.on(DETAILS, told(standing))
        stub.on(MODIFY, told({"order_id": "7"}))
        assert await broker.modify(ANN, "7", OrderChange(trigger_paise=99_95)) == Accepted("7")
        assert json.loads(stub.asked_of(MODIFY)[0].raw_form) == {
            "order_id": "7", "order_type": "SL", "validity": "DAY", "price": 101.05, "trigger_price": 99.95,
            "quantity": 8, "disclosed_quantity": 0,
        }  # fmt: skip
        stub.on(DETAILS, refused(400, "UDAPI100010", "unknown order"))
        assert isinstance(await broker.modify(ANN, "7", OrderChange(quantity=1)), Refused)
        stub.on(DETAILS, refused(503))
        assert isinstance(await broker.modify(ANN, "7", OrderChange(quantity=1)), NotSent)
        assert len(stub.asked_of(MODIFY)) == 1
