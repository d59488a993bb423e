"""The adapter of Zerodha's Kite over real sockets: what it sends, its threads, sessions and reads."""

import asyncio
import gzip
import json
import logging
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest

from brokers.contract import (
    Accepted,
    Ambiguous,
    Bar,
    BarSpan,
    Broker,
    BrokerAccount,
    BrokerError,
    NoAnswer,
    NotSent,
    OrderChange,
    OrderRequest,
    OrderUpdate,
    SessionExpired,
    TurnedAway,
)
from brokers.kite import calls
from brokers.kite.access import KiteRoots, kite_roots
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import KiteWaits
from brokers.kite.reads import ReadBudget, Spaced
from brokers.meter import CallKind
from brokers.wire.access import AccountRoute
from data.clock import ManualClock, SystemClock
from data.errors import BadInput
from data.records import replace
from data.vocabulary import OrderType, Product, Side, Validity
from tests.brokers.kite_stub import (
    ANN,
    BEN,
    HTML,
    SECRET,
    TOKEN,
    Access,
    Asked,
    KiteStub,
    Reply,
    done,
    order_row,
    refused,
    running_stub,
    until,
)

PLACE = "POST /orders/regular"
PLACED = done({"order_id": "7"})
ORDER = OrderRequest("NSE", "INFY", Side.BUY, 1, Product.CNC, OrderType.LIMIT, "t1", price_paise=1500_05)
QUICK = KiteWaits(queue_s=0.1, connect_s=0.5, send_s=5.0, cancel_s=2.0, cool_down_s=0.0, turned_away_s=0.0)


@pytest.fixture
async def stub() -> AsyncIterator[KiteStub]:
    async with running_stub() as stub:
        yield stub


@pytest.fixture
def access() -> Access:
    return Access()


@pytest.fixture
async def kite(stub: KiteStub, access: Access) -> AsyncIterator[KiteBroker]:
    broker = KiteBroker(access, stub.roots, SystemClock(), waits=QUICK)
    await broker.open()
    yield broker
    await broker.close()


# --- what is sent ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "path", "expected"),
    [
        (
            OrderRequest(
                *("NSE", "M&M", Side.BUY, 10, Product.CNC, OrderType.LIMIT, "abc123"), price_paise=100_50
            ),
            "/orders/regular",
            "exchange=NSE&order_type=LIMIT&price=100.50&product=CNC&quantity=10&tag=abc123"
            "&tradingsymbol=M%26M&transaction_type=BUY&validity=DAY&variety=regular",
        ),
        (
            OrderRequest(
                *("NSE", "INFY", Side.SELL, 3, Product.MTF, OrderType.MARKET, "t"),
                protection_bps=250,
                validity=Validity.IOC,
            ),
            "/orders/regular",
            "exchange=NSE&market_protection=2.5&order_type=MARKET&product=MTF&quantity=3&tag=t"
            "&tradingsymbol=INFY&transaction_type=SELL&validity=IOC&variety=regular",
        ),
        (
            OrderRequest(
                *("BSE", "INFY", Side.SELL, 3, Product.MIS, OrderType.SL_M, "t"),
                trigger_paise=30,
                protection_bps=200,
                after_market=True,
            ),
            "/orders/amo",
            "exchange=BSE&market_protection=2&order_type=SL-M&product=MIS&quantity=3&tag=t"
            "&tradingsymbol=INFY&transaction_type=SELL&trigger_price=0.30&validity=DAY&variety=amo",
        ),
        (
            OrderRequest(
                *("NSE", "INFY", Side.BUY, 3, Product.CNC, OrderType.SL, "t"),
                price_paise=101_00,
                trigger_paise=100_00,
                protection_bps=200,
            ),
            "/orders/regular",
            "exchange=NSE&order_type=SL&price=101.00&product=CNC&quantity=3&tag=t"
            "&tradingsymbol=INFY&transaction_type=BUY&trigger_price=100.00&validity=DAY&variety=regular",
        ),
    ],
)
async def test_an_order_as_it_is_sent(
    kite: KiteBroker, stub: KiteStub, request_: OrderRequest, path: str, expected: str
):
    stub.on(f"POST {path}", PLACED)
    assert await kite.place(ANN, request_) == Accepted("7")
    (asked,) = stub.asked
    assert "&".join(sorted(asked.raw_form.split("&"))) == expected
    assert asked.headers["Authorization"] == f"token annkey:{TOKEN}"
    assert asked.headers["X-Kite-Version"] == "3"


async def test_a_change_names_only_what_changes(kite: KiteBroker, stub: KiteStub):
    stub.on("PUT /orders/regular/7", PLACED)
    assert await kite.modify(ANN, "7", OrderChange(price_paise=99_95)) == Accepted("7")
    assert await kite.modify(ANN, "7", OrderChange(quantity=5, trigger_paise=99_00)) == Accepted("7")
    stop = OrderChange(trigger_paise=99_00, protection_bps=150)
    assert await kite.modify(ANN, "7", stop) == Accepted("7")
    always = {"variety": "regular", "order_id": "7"}
    assert [one.form for one in stub.asked] == [
        always | {"price": "99.95"},
        always | {"quantity": "5", "trigger_price": "99.00"},
        always | {"trigger_price": "99.00", "market_protection": "1.5"},
    ]


async def test_an_after_market_order_is_cancelled_under_either_variety(kite: KiteBroker, stub: KiteStub):
    stub.on("POST /orders/amo", PLACED)
    stub.on("DELETE /orders/amo/7", refused(503, "NetworkException", "No response"))
    stub.on("DELETE /orders/regular/7", PLACED)
    await kite.place(ANN, OrderRequest(*_market(), after_market=True))
    assert await kite.cancel(ANN, "7") == Accepted("7")
    assert await kite.cancel(ANN, "7") == Accepted("7")
    # The second time it was known where the order answers.
    assert [one.path for one in stub.asked[1:]] == ["/orders/amo/7", "/orders/regular/7", "/orders/regular/7"]


async def test_the_book_tells_varieties_and_a_change_in_doubt_is_not_tried_again(
    kite: KiteBroker, stub: KiteStub
):
    waiting = order_row(order_id="7", variety="amo", status="AMO REQ RECEIVED")
    stub.on("GET /orders", done([waiting, order_row(order_id="8")]))
    stub.on("PUT /orders/amo/7", refused(503, "NetworkException", "No response"))
    stub.on("PUT /orders/regular/8", refused(400, "InputException", "Price is below the circuit limit."))
    stub.on("DELETE /orders/regular/8", refused(400, "OrderException", "Couldn't find that order_id."))
    stub.on("DELETE /orders/amo/8", refused(400, "OrderException", "Something else."))
    assert [order.broker_order_id for order in await kite.orders(ANN)] == ["7", "8"]
    assert isinstance(await kite.modify(ANN, "7", OrderChange(quantity=1)), Ambiguous)
    await kite.modify(ANN, "8", OrderChange(quantity=1))
    assert [one.path for one in stub.asked[1:]] == ["/orders/amo/7", "/orders/regular/8"]
    outcome = await kite.cancel(ANN, "8")
    assert getattr(outcome, "message", "") == "Couldn't find that order_id."
    assert [one.path for one in stub.asked[3:]] == ["/orders/regular/8", "/orders/amo/8"]


async def test_calls_are_measured_by_kind_and_a_refusal_is_no_failure(kite: KiteBroker, stub: KiteStub):
    refusal = refused(400, "InputException", "Price is below the circuit limit.")
    stub.on("POST /orders/regular", PLACED, refusal, refused(503, "NetworkException", "No response"))
    stub.on("GET /orders", done([]))
    for _ in range(3):
        await kite.place(ANN, ORDER)
    kept_back = replace(ORDER, last_look=lambda: "the desk is halted")
    assert isinstance(await kite.place(ANN, kept_back), NotSent)
    await kite.orders(ANN)
    placed = kite.meter.lately(CallKind.PLACE)
    assert (placed.calls, placed.refused, placed.failed) == (3, 1, 1), "what was kept back was no call"
    assert kite.meter.kinds() == [CallKind.PLACE, CallKind.ORDERS]
    assert (placed.p95_ms or 0) > 0


def _market() -> tuple[Any, ...]:
    return ("NSE", "INFY", Side.BUY, 1, Product.CNC, OrderType.MARKET, "t")


# --- threads --------------------------------------------------------------------------------------------


async def test_a_placement_that_was_given_up_while_it_waited_is_never_sent(
    stub: KiteStub, access: Access, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(calls, "PLACE_WORKERS", 1)
    kite = KiteBroker(access, stub.roots, SystemClock(), waits=KiteWaits(queue_s=30.0))
    release = asyncio.Event()
    stub.on(PLACE, Reply(body=PLACED.body, held=release), PLACED)
    stub.on("DELETE /orders/regular/9", done({"order_id": "9"}))
    stub.on("GET /trades", done([]))
    first = asyncio.create_task(kite.place(ANN, ORDER))
    await until(lambda: len(stub.asked) == 1)
    second = asyncio.create_task(kite.place(BEN, ORDER))
    await asyncio.wait({second}, timeout=0.05)
    # Cancels and reads have threads of their own.
    assert await kite.cancel(ANN, "9") == Accepted("9")
    assert list(await kite.trades(ANN)) == []
    for task in (second, first):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    release.set()
    third = await kite.place(ANN, ORDER)  # the thread has finished what it had begun, and took nothing else
    assert third == Accepted("7")
    await kite.close()
    assert [one.headers["Authorization"] for one in stub.asked_of(PLACE)] == [f"token annkey:{TOKEN}"] * 2
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_placement_without_a_free_thread_is_given_back_as_not_sent(
    stub: KiteStub, access: Access, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(calls, "PLACE_WORKERS", 1)
    kite = KiteBroker(access, stub.roots, SystemClock(), waits=QUICK)
    release = asyncio.Event()
    stub.on(PLACE, Reply(body=PLACED.body, held=release))
    first = asyncio.create_task(kite.place(ANN, ORDER))
    await until(lambda: len(stub.asked) == 1)
    assert await kite.place(BEN, ORDER) == NotSent(calls.BUSY)
    release.set()
    assert await first == Accepted("7")
    await kite.close()
    assert len(stub.asked) == 1


async def test_closing_drops_what_waits_and_finishes_what_was_sent(
    stub: KiteStub, access: Access, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(calls, "PLACE_WORKERS", 1)
    kite = KiteBroker(access, stub.roots, SystemClock(), waits=KiteWaits(queue_s=30.0))
    release = asyncio.Event()
    stub.on(PLACE, Reply(body=PLACED.body, held=release))
    first = asyncio.create_task(kite.place(ANN, ORDER))
    await until(lambda: len(stub.asked) == 1)
    second = asyncio.create_task(kite.place(BEN, ORDER))
    await asyncio.wait({second}, timeout=0.05)
    closing = asyncio.create_task(kite.close())
    assert await second == NotSent(calls.CLOSED)
    release.set()
    assert await first == Accepted("7")
    await closing
    with pytest.raises(BrokerError, match="closed"):
        await kite.orders(ANN)
    assert len(stub.asked) == 1


async def test_calls_of_one_account_go_side_by_side_on_clients_of_their_own(kite: KiteBroker, stub: KiteStub):
    release = asyncio.Event()
    stub.on(PLACE, Reply(body=PLACED.body, held=release))
    placing = [asyncio.create_task(kite.place(ANN, ORDER)) for _ in range(4)]
    await until(lambda: stub.in_flight == 4)
    release.set()
    assert await asyncio.gather(*placing) == [Accepted("7")] * 4


async def test_a_thousand_accounts_are_served_within_bounded_threads(stub: KiteStub):
    accounts = [BrokerAccount(number, f"ZZ{number:04}") for number in range(300)]
    access = Access(
        routes={account: AccountRoute(f"key{account.client_id}") for account in accounts},
        tokens={account: f"token{account.client_id}" for account in accounts},
    )
    kite = KiteBroker(access, stub.roots, SystemClock(), waits=KiteWaits(queue_s=30.0))
    stub.on(PLACE, lambda asked: done({"order_id": asked.headers["Authorization"].partition(":")[2]}))
    outcomes = await asyncio.gather(*(kite.place(account, ORDER) for account in accounts))
    assert outcomes == [Accepted(access.tokens[account]) for account in accounts]
    assert stub.most_in_flight <= calls.PLACE_WORKERS
    await kite.close()


# --- routes ---------------------------------------------------------------------------------------------


async def test_a_call_leaves_by_its_clients_address_and_by_no_proxy_of_the_machine(
    kite: KiteBroker, stub: KiteStub, access: Access, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    stub.on(PLACE, PLACED)
    assert await kite.place(ANN, ORDER) == Accepted("7")
    access.routes[ANN] = AccountRoute("annkey", bind_address="127.0.0.2")
    assert await kite.place(ANN, ORDER) == Accepted("7")
    access.routes[ANN] = AccountRoute("annkey", proxy=stub.base, bind_address="127.0.0.3")
    assert await kite.place(ANN, ORDER) == Accepted("7")
    assert [one.peer for one in stub.asked] == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


def test_orders_go_to_zerodha_or_to_this_machine():
    assert kite_roots(None) == KiteRoots()
    assert not KiteRoots().is_local
    for base in ("http://127.0.0.1:8100", "http://localhost:8100/", "http://[::1]:8100"):
        assert kite_roots(base).is_local
    assert kite_roots("http://localhost:81") == kite_roots("http://127.0.0.1:81")
    assert kite_roots("http://127.0.0.1:81/").login == "http://127.0.0.1:81/connect/login"
    assert kite_roots("http://127.0.0.1:81").stream == "ws://127.0.0.1:81"
    for base in (
        "http://api.kite.trade.example:80",
        "http://127.0.0.1.example.com:80",
        "https://127.0.0.1:80",
        "http://127.0.0.1:80/client7",
        "http://127.0.0.1",
        "http://user:word@127.0.0.1:80",
        "http://10.0.0.1:80",
        "http://127.0.0.1:99999",
        "",
    ):
        with pytest.raises(BadInput, match="kite base url"):
            kite_roots(base)


# --- sessions -------------------------------------------------------------------------------------------


def session(user_id: str | None = "AB1234", **changes: Any) -> Reply:
    data = {
        "user_id": user_id,
        "user_name": "Ann",
        "broker": "ZERODHA",
        "access_token": "freshtoken0123456789",
        "login_time": "2026-11-23 08:00:00",
    }
    return done(data | changes)


async def test_a_login_keeps_the_token_and_later_calls_use_it(
    kite: KiteBroker, stub: KiteStub, access: Access
):
    assert await kite.login_url(ANN) == f"{stub.base}/connect/login?api_key=annkey&v=3"
    assert (await kite.login_url(ANN, "a1")).endswith("&redirect_params=state%3Da1")
    stub.on("GET /trades", done([]))
    await kite.trades(ANN)
    stub.on("POST /session/token", session())
    profile = await kite.exchange_token(ANN, "rt")
    assert (profile.user_id, profile.user_name, profile.broker) == ("AB1234", "Ann", "ZERODHA")
    assert access.tokens[ANN] == "freshtoken0123456789"
    (asked,) = stub.asked_of("POST /session/token")
    assert "Authorization" not in asked.headers
    assert set(asked.form) == {"api_key", "request_token", "checksum"}
    await kite.trades(ANN)
    assert stub.asked[-1].headers["Authorization"] == "token annkey:freshtoken0123456789"


async def test_the_checksum_is_the_documented_one(kite: KiteBroker, stub: KiteStub, access: Access):
    access.routes[ANN], access.secrets = AccountRoute("ak"), {"ak": "sec"}
    stub.on("POST /session/token", session())
    await kite.exchange_token(ANN, "rt")
    expected = "ce96e54d69eec317157d6230db4e93d15cebdd271b1a425ff4e8575fa5ae7a0c"
    assert stub.asked[0].form["checksum"] == expected


async def test_another_users_login_is_not_kept(kite: KiteBroker, stub: KiteStub, access: Access):
    stub.on("POST /session/token", session("CD5678"))
    with pytest.raises(BrokerError, match="This is the session of CD5678") as caught:
        await kite.exchange_token(ANN, "rt")
    assert caught.value.code == "other_user"
    assert access.tokens[ANN] == TOKEN
    stub.on("GET /user/profile", session("CD5678"))
    with pytest.raises(BrokerError) as caught:
        await kite.profile(ANN)
    assert caught.value.code == "other_user"


async def test_a_login_that_fails_says_why(kite: KiteBroker, stub: KiteStub, access: Access):
    stub.on("POST /session/token", refused(403, "TokenException", "Token is invalid or has expired."))
    with pytest.raises(BrokerError, match=r"Token is invalid or has expired\. Sign in again") as caught:
        await kite.exchange_token(ANN, "rt")
    assert caught.value.code == "login_refused"
    assert not isinstance(caught.value, SessionExpired)
    stub.on("POST /session/token", session(access_token=None))
    with pytest.raises(BrokerError, match="access_token"):
        await kite.exchange_token(ANN, "rt")
    with pytest.raises(BrokerError, match="No api secret is stored"):
        await kite.exchange_token(BEN, "rt")
    with pytest.raises(BrokerError, match="has no route"):
        await kite.login_url(BrokerAccount(9, "XX0000"))
    assert access.tokens[ANN] == TOKEN


async def test_no_secret_shows_anywhere(
    kite: KiteBroker, stub: KiteStub, access: Access, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    hidden = (TOKEN, SECRET, "requesttoken01234", "freshtoken0123456789")
    shown: list[str] = [repr(AccountRoute("k", proxy=f"http://u:{SECRET}@h:1"))]
    stub.on(
        "POST /session/token",
        refused(403, "TokenException", f"Bad requesttoken01234 {SECRET}"),
        Reply(200, f'{{"data": {{"access_token": "freshtoken0123456789" {SECRET}', "application/json"),
        session(user_id=None),
        session("CD5678"),
        session(),
    )
    for _ in range(4):
        with pytest.raises(BrokerError) as caught:
            await kite.exchange_token(ANN, "requesttoken01234")
        shown += [str(caught.value), repr(caught.value), repr(caught.value.__context__)]
    stub.on("GET /trades", Reply(raw=b""))
    with pytest.raises(BrokerError) as caught:
        await kite.trades(ANN)
    shown += [str(caught.value), repr(caught.value.__context__)]
    await kite.exchange_token(ANN, "requesttoken01234")

    def locked(_account: BrokerAccount) -> str | None:
        raise OSError(f"vault: {TOKEN}")

    parts = [part for part in vars(kite).values() if type(part).__module__.startswith("brokers.kite.")]
    assert len(parts) > 3
    shown += [repr(vars(part)) for part in (kite, *parts) if hasattr(part, "__dict__")]
    access.token = locked  # type: ignore[method-assign]
    shown += [repr(await kite.place(ANN, ORDER))]
    assert caplog.text.count("POST /session/token") == 0
    for text in [*shown, caplog.text]:
        assert not [secret for secret in hidden if secret in text], text


# --- reads ----------------------------------------------------------------------------------------------


async def test_an_account_is_read(kite: KiteBroker, stub: KiteStub):
    stub.on("GET /orders", done([order_row()]))
    stub.on("GET /user/profile", session())
    stub.on(
        "GET /user/margins/equity",
        done({"available": {"live_balance": 99725.05}, "utilised": {"debits": 8.0, "payout": -0.1}}),
    )
    held = {
        "tradingsymbol": "INFY",
        "exchange": "NSE",
        "isin": "INE009A01021",
        "quantity": 4,
        "used_quantity": 0,
        "t1_quantity": 1,
        "collateral_quantity": 0,
        "average_price": 10.5,
    }
    stub.on("GET /portfolio/holdings", done([held]))
    stub.on("GET /portfolio/positions", done({"net": [], "day": []}))
    assert (await kite.profile(ANN)).user_id == "AB1234"
    (order,) = await kite.orders(ANN)
    assert (order.user_id, order.tags) == ("AB1234", ("t1",))
    funds = await kite.funds(ANN)
    assert (funds.available_paise, funds.blocked_paise) == (99725_05, 10)
    (holding,) = await kite.holdings(ANN)
    assert (holding.free, holding.t1, holding.cost_paise) == (4, 1, 52_50)


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (refused(403, "TokenException", "Gone."), SessionExpired, "TokenException"),
        (refused(503, "NetworkException", "Down."), NoAnswer, "NetworkException"),
        (Reply(429, "<html>", "text/html"), TurnedAway, "rate_limit"),
        (Reply(502, "<html>", "text/html"), NoAnswer, ""),
        (done(None), BrokerError, ""),
        (done({}), BrokerError, "bad_row"),
        (done([None]), BrokerError, ""),
        (Reply(raw=b""), NoAnswer, ""),
        (Reply(200, "[", "application/json"), BrokerError, ""),
    ],
)
async def test_a_read_that_fails_is_an_error(
    kite: KiteBroker, stub: KiteStub, reply: Reply, kind: type[BrokerError], code: str
):
    stub.on("GET /orders", reply)
    with pytest.raises(BrokerError) as caught:
        await kite.orders(ANN)
    assert (type(caught.value), caught.value.code) == (kind, code)


async def test_a_token_that_another_sign_in_has_replaced_ends_no_session(stub: KiteStub, access: Access):
    lost: list[BrokerAccount] = []
    broker = KiteBroker(access, stub.roots, SystemClock(), waits=QUICK, on_session_lost=lost.append)
    await broker.open()
    refusal = refused(403, "TokenException", "Incorrect `api_key` or `access_token`.")

    def renew(_asked: Asked) -> Reply:
        access.tokens[ANN] = "made elsewhere"
        return refusal

    stub.on("GET /orders", renew, refusal)
    with pytest.raises(BrokerError) as first:
        await broker.orders(ANN)
    assert not isinstance(first.value, SessionExpired)
    assert lost == []
    with pytest.raises(SessionExpired):
        await broker.orders(ANN)
    assert lost == [ANN]
    await broker.close()


async def test_a_read_turned_away_for_the_keys_budget_is_tried_again(kite: KiteBroker, stub: KiteStub):
    away = refused(429, "NetworkException", "Too many requests")
    stub.on("GET /orders", away, away, done([order_row(tag="t1")]))
    (order,) = await kite.orders(ANN)
    assert order.tags == ("t1",)
    stub.on("GET /portfolio/holdings", away, away, away, done([]))
    with pytest.raises(BrokerError, match="Too many requests"):
        await kite.holdings(ANN)
    assert len(stub.asked_of("GET /portfolio/holdings")) == 3


HEADER = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,"
    "tick_size,lot_size,instrument_type,segment,exchange\n"
)
DUMP = HEADER + (
    "408065,1594,INFY,INFOSYS,1412.95,,0,0.05,1,EQ,NSE,NSE\n"
    "256265,1001,NIFTY 50,NIFTY 50,23406.85,,0,0,0,EQ,INDICES,NSE\n"
    "12345,48,NIFTY26NOVFUT,,0.0,2026-11-26,0,0.05,65,FUT,NFO-FUT,NFO\n"
    "128083204,500325,RELIANCE,RELIANCE,1234.5,,0,0.05,1,EQ,BSE,BSE\n"
)


async def test_instruments_of_the_dump(kite: KiteBroker, stub: KiteStub):
    with pytest.raises(SessionExpired):
        await kite.instruments()
    await kite.follow([ANN])
    stub.on("GET /instruments", Reply(body=DUMP, content_type="text/csv"))
    rows = await kite.instruments()
    assert [(row.exchange, row.tradingsymbol, row.token, row.last_paise) for row in rows] == [
        ("NSE", "INFY", "408065", 1412_95),
        ("NSE", "NIFTY 50", "256265", 23406_85),
        ("BSE", "RELIANCE", "128083204", 1234_50),
    ]
    stub.on("GET /instruments", Reply(body=gzip.compress(DUMP.encode()), content_type="text/csv"))
    assert await kite.instruments() == rows
    for cut in (DUMP[:-30], HEADER, "", gzip.compress(DUMP.encode())[:-30]):
        stub.on("GET /instruments", Reply(body=cut, content_type="text/csv"))
        with pytest.raises(BrokerError) as caught:
            await kite.instruments()
        assert caught.value.code == "bad_instruments"
    short = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 9999\r\n\r\n" + DUMP.encode()
    stub.on("GET /instruments", Reply(raw=short))
    with pytest.raises(BrokerError):
        await kite.instruments()


async def test_quotes_go_five_hundred_a_call(stub: KiteStub, access: Access):
    clock = ManualClock(datetime(2026, 11, 23, 4, tzinfo=UTC))
    kite = KiteBroker(access, stub.roots, clock)
    await kite.follow([BrokerAccount(9, "XX0000"), ANN, BEN])

    def answer(asked: Asked) -> Reply:
        level = {"open": 1, "high": 1, "low": 1, "close": 1}
        known = [key for _, key in asked.query if key != "NSE:GONE"]
        return done({key: {"last_price": 2.5, "ohlc": level} for key in known})

    stub.on("GET /quote", answer)
    keys = ["NSE:GONE", "NSE:M&M", *(f"NSE:S{number}" for number in range(1_198))]
    asking = asyncio.create_task(kite.quotes(keys))
    while not asking.done():
        await until(lambda: asking.done() or bool(clock.waiting))
        await clock.advance(0.1)
    found = await asking
    assert [len(one.query) for one in stub.asked_of("GET /quote")] == [500, 500, 200]
    assert found.keys() == set(keys) - {"NSE:GONE"}
    assert found["NSE:M&M"].last_paise == 250
    await kite.close()


async def test_reads_of_one_key_keep_to_its_budget_in_their_order():
    clock = ManualClock(datetime(2026, 11, 23, 4, tzinfo=UTC))
    budget = ReadBudget(clock)
    made: list[tuple[int, int]] = []

    async def read(number: int) -> None:
        await budget.turn("key")
        made.append((clock.now().second, number))

    reads = [asyncio.create_task(read(number)) for number in range(20)]
    await clock.advance(0)
    assert len(made) == 8
    assert budget.eta_s({"key": 0}) == pytest.approx(2.0)
    assert budget.eta_s({"other": 9}) == pytest.approx(1.0)
    reads[9].cancel()
    await clock.advance(3)
    await asyncio.gather(*reads, return_exceptions=True)
    assert Counter(second for second, _ in made) == {0: 8, 1: 8, 2: 3}
    assert [number for _, number in made] == [number for number in range(20) if number != 9]
    assert budget.eta_s({"key": 0}) == 0


def test_clients_wait_for_each_other_only_where_they_share_an_api_key(stub: KiteStub, access: Access):
    clock = ManualClock(datetime(2026, 11, 23, 4, tzinfo=UTC))
    broker = KiteBroker(access, stub.roots, clock)
    assert broker.read_eta_s([ANN, BEN, BrokerAccount(3, "NOROUTE")], 8) == 0
    access.routes[BEN] = access.routes[ANN]
    assert broker.read_eta_s([ANN, BEN], 8) == pytest.approx(1.0)


async def test_bars_are_read_by_the_feed_with_an_interval_and_in_india_s_time(
    kite: KiteBroker, stub: KiteStub
):
    stub.on("GET /instruments", Reply(body=DUMP, content_type="text/csv"))
    row = ["2026-11-20T15:15:00+0530", 1500.1, 1501, 1499.95, 1500, 1200]
    stub.on("GET /instruments/historical/408065/15minute", done({"candles": [row, [*row[:-1], None]]}))
    await kite.follow([ANN], heard=())
    until = datetime(2026, 11, 23, 4, tzinfo=UTC)
    bars = await kite.bars("NSE:INFY", BarSpan.FIFTEEN, until - timedelta(days=3), until)
    at = datetime(2026, 11, 20, 9, 45, tzinfo=UTC)
    assert list(bars) == [Bar(at, 150_010, 150_100, 149_995, 150_000, 1_200)], "an odd one is left out"
    (asked,) = stub.asked_of("GET /instruments/historical/408065/15minute")
    assert dict(asked.query)["from"] == "2026-11-20 09:30:00"
    stub.on(
        "GET /instruments/historical/408065/day",
        refused(403, "PermissionException", "Insufficient permission."),
    )
    with pytest.raises(BrokerError, match="Insufficient permission"):
        await kite.bars("NSE:INFY", BarSpan.DAY, until - timedelta(days=3), until)
    assert stub.told == []


@pytest.mark.parametrize("spaced", Spaced)
async def test_reads_with_a_budget_of_their_own_are_spaced_whatever_the_seconds_edges(spaced: Spaced):
    clock = ManualClock(datetime(2026, 11, 23, 4, tzinfo=UTC))
    budget = ReadBudget(clock)
    at: list[float] = []

    async def ask() -> None:
        await budget.spaced_turn("key", spaced)
        at.append(clock.monotonic())

    asking = [asyncio.create_task(ask()) for _ in range(4)]
    await clock.advance(0.95)
    await clock.advance(9)
    await asyncio.gather(*asking)
    assert len(at) == 4
    a_second = 1 if spaced is Spaced.QUOTES else 3
    assert all(later - earlier >= 1 / a_second + 0.05 for earlier, later in pairwise(at)), at


async def test_the_stream_is_joined(kite: KiteBroker, stub: KiteStub, access: Access):
    broker: Broker = kite
    stub.on("GET /instruments", Reply(body=DUMP, content_type="text/csv"))
    ltp = bytes.fromhex("0001 0008 00063a01 0000997f".replace(" ", ""))
    order = json.dumps({"type": "order", "data": order_row(user_id="AB1234", status="COMPLETE")})
    stub.frames = [order, "not json", ltp]
    await kite.follow([ANN])
    await broker.subscribe(["NSE:INFY", "NSE:NOSUCH"])
    events = broker.stream()
    async with asyncio.timeout(10):
        async for event in events:
            if isinstance(event, OrderUpdate):
                assert (event.order.user_id, event.order.status_text) == ("AB1234", "COMPLETE")
                break
        await until(lambda: {"a": "mode", "v": ["full", [408065]]} in stub.told)
    assert kite.read_eta_s([ANN], 9) > 0


async def test_two_who_follow_at_once_do_not_lose_the_prices(kite: KiteBroker, stub: KiteStub):
    stub.on("GET /instruments", Reply(body=DUMP, content_type="text/csv"))
    await asyncio.gather(kite.follow([ANN, BEN]), kite.follow([ANN, BEN]))
    await kite.subscribe(["NSE:INFY"])
    await until(lambda: {"a": "mode", "v": ["full", [408065]]} in stub.told)


async def test_quotes_are_asked_of_the_next_account_where_a_key_has_no_prices(stub: KiteStub, access: Access):
    without: list[BrokerAccount] = []
    kite = KiteBroker(access, stub.roots, SystemClock(), on_no_stream=without.append)

    def answer(one: Asked) -> Reply:
        paid = "benkey" in one.headers["Authorization"]
        return done({}) if paid else refused(403, "PermissionException", "Insufficient permission.")

    stub.on("GET /quote", answer)
    await kite.follow([ANN, BEN], heard=())
    assert await kite.quotes(["NSE:INFY"]) == {}
    assert (without, kite.feed) == ([ANN], BEN)
    await kite.quotes(["NSE:INFY"])
    assert len(stub.asked_of("GET /quote")) == 3
    assert stub.told == []
    await kite.close()


def test_the_official_client_is_not_loaded_with_the_adapter():
    code = (
        "import sys, brokers.kite.broker\n"
        "print(sorted({'kiteconnect', 'twisted', 'requests', 'brokers.simulators.kite'} & set(sys.modules)))"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert child.stdout == "[]\n"


def test_what_kite_can_do(access: Access):
    own = KiteBroker(access, KiteRoots(), SystemClock())
    assert own.name == "zerodha"
    assert (own.capabilities.simulated, own.capabilities.tag_length) == (False, 20)
    assert KiteBroker(access, kite_roots("http://127.0.0.1:81"), SystemClock()).capabilities.simulated


class _TwoFamilies:
    """The resolver of a machine where Kite has an address of each kind; neither leads off loopback."""

    def __init__(self, real: Callable[..., Any]) -> None:
        self._real = real

    def __call__(self, host: Any, port: Any, family: int = 0, *more: Any, **named: Any) -> Any:
        if host not in ("kite.test", b"kite.test"):
            return self._real(host, port, family, *more, **named)
        found = [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]
        return [one for one in found if family in (0, one[0])]


async def test_who_is_listed_with_an_ipv4_address_leaves_by_ipv4(
    access: Access, monkeypatch: pytest.MonkeyPatch
):
    """Where Kite has addresses of both kinds the system would prefer the other, which is on nobody's list."""
    monkeypatch.setattr(socket, "getaddrinfo", _TwoFamilies(socket.getaddrinfo))
    async with running_stub() as four, running_stub("::1", urlsplit(four.base).port or 0) as six:
        for one in (four, six):
            one.on("POST /orders/regular", done({"order_id": "1"}))
        place = f"kite.test:{urlsplit(four.base).port}"
        roots = KiteRoots(f"http://{place}", "", f"ws://{place}")
        for version, (heard, deaf) in {4: (four, six), 6: (six, four)}.items():
            access.routes[ANN] = AccountRoute("annkey", ip_version=version)
            kite = KiteBroker(access, roots, SystemClock())
            assert isinstance(await kite.place(ANN, ORDER), Accepted)
            await kite.follow([ANN])
            await until(lambda heard=heard: len(heard.asked) == 2)
            assert [one.path for one in heard.asked] == ["/orders/regular", "/"]
            assert deaf.asked == []
            heard.asked.clear()
            await kite.close()


class TestAKeyWhoseSocketIsRefused:
    """Whether the api key or the session lacks what a socket takes is for REST to say."""

    async def test_counts_as_without_stream_once_a_read_has_proved_that_the_session_holds(
        self, stub: KiteStub, access: Access
    ):
        without: list[BrokerAccount] = []
        waits = KiteWaits(look_again_s=0.01)
        kite = KiteBroker(access, stub.roots, SystemClock(), waits=waits, on_no_stream=without.append)
        stub.stream_status = 403
        stub.on("GET /user/profile", Reply(status=503, body=HTML, content_type="text/html"))
        await kite.follow([ANN])
        await until(lambda: len(stub.asked_of("GET /user/profile")) > 2)
        assert without == []
        stub.on("GET /user/profile", session())
        await until(lambda: without == [ANN])
        await kite.close()

    @pytest.mark.parametrize("answer", [session(), refused(403, "TokenException", "Incorrect token.")])
    async def test_counts_as_nothing_where_the_client_signs_in_anew_meanwhile(
        self, stub: KiteStub, access: Access, answer: Reply
    ):
        told: list[BrokerAccount] = []
        kite = KiteBroker(
            access, stub.roots, SystemClock(), on_no_stream=told.append, on_session_lost=told.append
        )
        stub.stream_status = 403
        ready = asyncio.Event()
        stub.on("GET /user/profile", replace(answer, held=ready))
        await kite.follow([ANN])
        await until(lambda: len(stub.asked_of("GET /user/profile")) == 1)
        access.keep_token(ANN, "anewtoken0123456789")
        stub.stream_status = 0
        ready.set()
        await kite.follow([ANN])
        await until(lambda: kite.hears(ANN))
        assert told == []
        await kite.close()
