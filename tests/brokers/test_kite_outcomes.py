"""What is proven of a call to Kite, over real sockets: each trap of its transport ends in the right word."""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from brokers.contract import Accepted, Ambiguous, BrokerAccount, NotSent, OrderChange, OrderRequest, Refused
from brokers.kite.access import KiteRoots
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import KiteWaits
from brokers.wire.access import AccountRoute
from data.clock import SystemClock
from data.vocabulary import OrderType, Product, Side
from tests.brokers.kite_stub import (
    ANN,
    DROP,
    HTML,
    TOKEN,
    Access,
    KiteStub,
    Reply,
    done,
    refused,
    running_stub,
)

PLACE = "POST /orders/regular"
ORDER = OrderRequest("NSE", "INFY", Side.BUY, 1, Product.CNC, OrderType.LIMIT, "t1", price_paise=1500_05)
QUICK = KiteWaits(connect_s=0.5, send_s=0.5, cancel_s=0.5, read_s=2.0, cool_down_s=0.0)


@pytest.fixture
async def stub() -> AsyncIterator[KiteStub]:
    async with running_stub() as stub:
        yield stub


@pytest.fixture
def access() -> Access:
    return Access()


@pytest.fixture
def lost() -> list[BrokerAccount]:
    return []


@pytest.fixture
async def kite(stub: KiteStub, access: Access, lost: list[BrokerAccount]) -> AsyncIterator[KiteBroker]:
    broker = KiteBroker(access, stub.roots, SystemClock(), waits=QUICK, on_session_lost=lost.append)
    await broker.open()
    yield broker
    await broker.close()


MARGIN = (
    "Insufficient funds. Required margin is 9 but available margin is 1. Check the orderbook for open orders."
)
TIMED_OUT = "Order request timed out. Please check the order book and confirm before placing again."
NO_ADDRESS = "No IPs configured for this app. Add allowed IPs on the Kite Connect developer console."
OTHER_ADDRESS = "IP (203.0.113.7) is not allowed to place orders for this app."
CAPPED = "Maximum allowed order requests exceeded."
PROTECT = "Market orders without market protection are not allowed via API."


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (done({"order_id": "1895678901234567890"}), Accepted("1895678901234567890")),
        # Turned down before the order management was asked.
        (refused(400, "InputException", PROTECT), Refused("InputException", PROTECT)),
        (refused(400, "MarginException", MARGIN), Refused("MarginException", MARGIN)),
        (refused(400, "HoldingException", "Too few."), Refused("HoldingException", "Too few.")),
        (refused(400, "OrderException", "No."), Refused("OrderException", "No.")),
        (refused(404, "GeneralException", "No."), Refused("GeneralException", "No.")),
        (refused(400, "NetworkException", CAPPED), Refused("NetworkException", CAPPED)),
        (refused(403, "PermissionException", "IP 1.2.3.4."), Refused("route", "IP 1.2.3.4.")),
        # The address is not the client's, in whatever envelope.
        *(
            (refused(status, kind, words), Refused("route", words))
            for status in (400, 403)
            for kind in ("PermissionException", "InputException", "GeneralException")
            for words in (NO_ADDRESS, OTHER_ADDRESS)
        ),
        (refused(403, "TokenException", "Gone."), Refused("session_expired", "Gone.")),
        # The day's orders are used up: trying again only uses up more.
        *(
            (refused(s, "NetworkException", CAPPED), Refused("NetworkException", CAPPED))
            for s in (403, 429, 503)
        ),
        # Turned away at the gate, whatever the page looks like.
        (refused(429, "NetworkException", "Too many requests"), NotSent),
        (Reply(429, HTML, "text/html"), NotSent),
        # Nobody knows.
        (refused(400, "OrderException", TIMED_OUT), Ambiguous(TIMED_OUT)),
        (refused(400, "NetworkException", "No confirmation."), Ambiguous),
        (refused(400, "DataException", "Odd."), Ambiguous),
        (refused(400, None, "No type."), Ambiguous),
        (Reply(400, HTML, "text/html"), Ambiguous),
        (Reply(403, HTML, "text/html"), Ambiguous),
        *((Reply(status, HTML, "text/html"), Ambiguous) for status in (404, 405, 410)),
        *((refused(404, kind, "Route not found."), Ambiguous) for kind in (None, "NetworkException")),
        *((refused(status, "GeneralException", OTHER_ADDRESS), Ambiguous) for status in (500, 503)),
        (refused(500, "GeneralException", "Oops."), Ambiguous("Oops.")),
        (refused(503, "NetworkException", "request timed out"), Ambiguous),
        (Reply(502, HTML, "text/html"), Ambiguous),
        (Reply(504, HTML, "text/html"), Ambiguous),
        (Reply(500, '{"status":"success","data":{"order_id":"1"}}'), Ambiguous),
        (refused(200, "InputException", "An error as a success."), Ambiguous),
        (Reply(200, HTML, "text/html"), Ambiguous),
        (Reply(200, '{"status":"succ'), Ambiguous),
        (Reply(200, '{"status":"success"}'), Ambiguous),
        (done(None), Ambiguous),
        (done({}), Ambiguous),
        (done({"order_id": ""}), Ambiguous),
        (done({"order_id": None}), Ambiguous),
        (
            Reply(raw=b"HTTP/1.1 307 Moved\r\nLocation: /orders/regular\r\nContent-Length: 0\r\n\r\n"),
            Ambiguous,
        ),
        (DROP, Ambiguous),
        (Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), Ambiguous),
        (
            Reply(raw=b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"a'),
            Ambiguous,
        ),
        (Reply(raw=b"no http at all\r\n\r\n"), Ambiguous),
    ],
)
async def test_a_placement_ends_in_what_is_proven(
    kite: KiteBroker, stub: KiteStub, reply: Reply, expected: object
):
    stub.on(PLACE, reply)
    outcome = await kite.place(ANN, ORDER)
    if isinstance(expected, type):
        assert isinstance(outcome, expected), outcome
    else:
        assert outcome == expected
    assert len(stub.asked_of(PLACE)) == 1  # never sent twice


async def test_a_silent_kite_leaves_the_order_in_doubt(kite: KiteBroker, stub: KiteStub):
    release = asyncio.Event()
    stub.on(PLACE, Reply(held=release))
    assert await kite.place(ANN, ORDER) == Ambiguous("no answer from Kite in time")
    release.set()


async def test_what_never_left_may_be_sent_again(access: Access):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        roots = KiteRoots(f"http://127.0.0.1:{port}", "", "ws://127.0.0.1:1")
        kite = KiteBroker(access, roots, SystemClock(), waits=QUICK)
        assert await kite.place(ANN, ORDER) == NotSent("no connection to Kite")
        await kite.close()
        access.routes[ANN] = AccountRoute("annkey", proxy=f"http://127.0.0.1:{port}")
        kite = KiteBroker(
            access, KiteRoots(rest="http://127.0.0.1:1", stream="ws://127.0.0.1:1"), SystemClock()
        )
        assert await kite.place(ANN, ORDER) == NotSent("no connection to the proxy of this route")
        await kite.close()
    kite = KiteBroker(access, KiteRoots("http://no.such.host.invalid", "", "ws://x"), SystemClock())
    access.routes[ANN] = AccountRoute("annkey")
    assert isinstance(await kite.place(ANN, ORDER), NotSent)
    await kite.close()
    assert isinstance(await kite.place(ANN, ORDER), NotSent)


@contextmanager
def proxy(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that takes what is sent, gives one answer and hangs up."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line:
                    heard.append(line.recv(65_536))
                    line.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard


async def test_a_proxy_that_breaks_after_the_order_went_out_proves_nothing(access: Access):
    # urllib3 reports this very break as an error of connecting to the proxy.
    with proxy(b"") as (address, heard):
        access.routes[ANN] = AccountRoute("annkey", proxy=address)
        kite = KiteBroker(access, KiteRoots("http://kite.invalid", "", "ws://x"), SystemClock(), waits=QUICK)
        assert isinstance(await kite.place(ANN, ORDER), Ambiguous)
        await kite.close()
    assert heard[0].startswith(b"POST http://kite.invalid/orders/regular")


async def test_a_proxy_that_opens_no_tunnel_has_sent_nothing(access: Access):
    with proxy(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as (address, heard):
        access.routes[ANN] = AccountRoute("annkey", proxy=address)
        kite = KiteBroker(access, KiteRoots("https://kite.invalid", "", "ws://x"), SystemClock(), waits=QUICK)
        assert isinstance(await kite.place(ANN, ORDER), NotSent)
        await kite.close()
    assert heard[0].startswith(b"CONNECT kite.invalid:443")


async def test_a_lost_session_is_told_once_and_not_for_a_token_replaced_meanwhile(
    kite: KiteBroker, stub: KiteStub, access: Access, lost: list[BrokerAccount]
):
    stub.on(PLACE, refused(403, "TokenException", "Incorrect `api_key` or `access_token`."))
    assert isinstance(await kite.place(ANN, ORDER), Refused)
    assert lost == [ANN]
    release = asyncio.Event()
    stub.on("DELETE /orders/regular/7", Reply(403, refused(403, "TokenException").body, held=release))
    stub.seen.clear()
    cancelling = asyncio.create_task(kite.cancel(ANN, "7"))
    await stub.seen.wait()
    access.tokens[ANN] = "afreshone"
    release.set()
    assert isinstance(await cancelling, Refused)
    assert lost == [ANN]


async def test_without_token_or_route_nothing_is_sent(
    kite: KiteBroker, stub: KiteStub, access: Access, lost: list[BrokerAccount]
):
    access.drop_token(ANN)
    outcome = await kite.place(ANN, ORDER)
    assert isinstance(outcome, Refused)
    assert outcome.code == "session_expired"
    outcome = await kite.place(BrokerAccount(9, "XX0000"), ORDER)
    assert outcome == Refused("route", "XX0000 has no route.")
    assert stub.asked == []
    assert lost == []


async def test_shares_to_be_authorised_come_with_the_link(kite: KiteBroker, stub: KiteStub):
    words = "10 quantity needs authorisation at depository."
    stub.on(PLACE, refused(428, "OrderException", words))
    stub.on("POST /portfolio/holdings/authorise", done({"request_id": "r1"}))
    page = "https://kite.zerodha.com/connect/portfolio/authorise/holdings/annkey/r1"
    assert await kite.place(ANN, ORDER) == Refused(
        "authorisation", f"{words} AB1234 must authorise the sale at {page}"
    )
    stub.on("POST /portfolio/holdings/authorise", refused(403, "PermissionException", "No."))
    outcome = await kite.place(ANN, ORDER)
    assert isinstance(outcome, Refused)
    assert outcome.message == f"{words} AB1234 must authorise the sale in Kite under Portfolio, Holdings."


async def test_a_cancel_or_change_that_kite_would_not_settle_is_in_doubt(kite: KiteBroker, stub: KiteStub):
    words = "Order cannot be cancelled as it is being processed. Try later."
    stub.on("DELETE /orders/regular/7", refused(400, "InputException", words))
    assert await kite.cancel(ANN, "7") == Ambiguous(words)
    stub.on("PUT /orders/regular/7", refused(400, "InputException", words.replace("cancelled", "modified")))
    assert isinstance(await kite.modify(ANN, "7", OrderChange(quantity=2)), Ambiguous)
    assert len(stub.asked) == 2


async def test_a_gate_that_was_met_rests_an_accounts_placements_and_not_its_cancels(
    stub: KiteStub, access: Access
):
    kite = KiteBroker(access, stub.roots, SystemClock(), waits=KiteWaits(cool_down_s=60))
    stub.on(PLACE, Reply(429, HTML, "text/html"))
    stub.on("DELETE /orders/regular/7", done({"order_id": "7"}))
    for _ in range(3):
        assert isinstance(await kite.place(ANN, ORDER), NotSent)
    assert len(stub.asked_of(PLACE)) == 1
    assert await kite.cancel(ANN, "7") == Accepted("7")
    await kite.close()


async def test_words_are_shown_without_control_characters_and_secrets(
    kite: KiteBroker, stub: KiteStub, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    stub.on(PLACE, refused(400, "InputException", f"Bad\x1b[2J \u202etoken {TOKEN}\nhere"))
    assert await kite.place(ANN, ORDER) == Refused("InputException", "Bad[2J token *** here")
    assert TOKEN not in caplog.text
