"""The official client's calls by our HTTP session, against the same calls by the one it makes for itself."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import requests.utils

from brokers.contract import Accepted, NotSent, OrderRequest
from brokers.kite.access import KiteRoots
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import KiteWaits
from brokers.kite.client import KiteClient, load
from brokers.kite.outcomes import Failure
from brokers.wire.access import AccountRoute
from data.clock import SystemClock
from data.records import replace
from data.vocabulary import OrderType, Product, Side
from tests.brokers.behind_tls import behind_tls
from tests.brokers.kite_stub import ANN, BEN, TOKEN, Access, Asked, KiteStub, Reply, done, running_stub

ORDER = OrderRequest("NSE", "INFY", Side.BUY, 1, Product.CNC, OrderType.LIMIT, "t1", price_paise=1500_05)
FORM = {
    "variety": "regular",
    "exchange": "NSE",
    "tradingsymbol": "M&M",
    "transaction_type": "BUY",
    "quantity": 10,
    "product": "CNC",
    "order_type": "LIMIT",
    "price": "100.50",
    "tag": "Zürich 7",
}
MARGIN = [{"exchange": "NSE", "tradingsymbol": "M&M", "quantity": 1}]


@pytest.fixture
async def stub() -> AsyncIterator[KiteStub]:
    async with running_stub() as stub:
        yield stub


Ask = Callable[[KiteClient], object]


@pytest.mark.parametrize(
    ("route", "answer", "by_us", "by_official"),
    [
        ("GET /orders", [], KiteClient.orders, lambda kite: kite.orders()),
        (
            "GET /quote",
            {},
            lambda client: client.quotes(["NSE:M&M", "BSE:INFY"]),
            lambda kite: kite.quote(["NSE:M&M", "BSE:INFY"]),
        ),
        (
            "POST /orders/regular",
            {"order_id": "7"},
            lambda client: client.place(FORM, lambda: ""),
            lambda kite: kite.place_order(**FORM),
        ),
        (
            "PUT /orders/amo/7",
            {"order_id": "7"},
            lambda client: client.modify("amo", "7", {"price": "9.05"}, lambda: ""),
            lambda kite: kite.modify_order("amo", "7", price="9.05"),
        ),
        (
            "DELETE /orders/regular/7",
            {"order_id": "7"},
            lambda client: client.cancel("regular", "7"),
            lambda kite: kite.cancel_order("regular", "7"),
        ),
        (
            "POST /margins/orders",
            [],
            lambda client: client.order_margins(MARGIN),
            lambda kite: kite.order_margins(MARGIN),
        ),
        (
            "POST /charges/orders",
            [],
            lambda client: client.order_charges(MARGIN),
            lambda kite: kite.get_virtual_contract_note(MARGIN),
        ),
        (
            "POST /session/token",
            {"access_token": "t", "login_time": ""},
            lambda client: client.generate_session("r", "s"),
            lambda kite: kite.generate_session("r", "s"),
        ),
    ],
)
async def test_a_call_is_sent_as_the_official_client_sends_it(
    stub: KiteStub, route: str, answer: object, by_us: Ask, by_official: Callable[[Any], object]
) -> None:
    stub.on(route, done(answer))
    client = KiteClient(stub.roots, AccountRoute("annkey"), TOKEN)
    official: Any = load()("annkey", access_token=TOKEN, root=stub.base)
    ours = await asyncio.to_thread(client.call, by_us, (2.0, 2.0))
    await asyncio.to_thread(by_official, official)
    assert not isinstance(ours, Failure)
    first, second = stub.asked
    assert said(first) == said(second)
    client.close()


def said(asked: Asked) -> Asked:
    """A request without the port that it came from."""
    return replace(asked, peer="")


async def test_no_cookie_is_sent_back(stub: KiteStub) -> None:
    stub.on("GET /orders", Reply(raw=COOKIE), done([]))
    client = KiteClient(stub.roots, AccountRoute("annkey"), TOKEN)
    for _ in range(2):
        assert await asyncio.to_thread(client.call, KiteClient.orders, (2.0, 2.0)) == []
    assert ["Cookie" in asked.headers for asked in stub.asked] == [False, False]
    client.close()


BODY = b'{"status": "success", "data": []}'
COOKIE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: a=b; Path=/\r\n"
    + b"Content-Length: %d\r\n\r\n" % len(BODY)
    + BODY
)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(stub: KiteStub, status: int) -> None:
    where = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {stub.base}/other\r\nContent-Length: 0\r\n\r\n"
    stub.on("POST /orders/regular", Reply(raw=where.encode()))
    stub.on("POST /other", done({"order_id": "7"}))
    client = KiteClient(stub.roots, AccountRoute("annkey"), TOKEN)
    ended = await asyncio.to_thread(client.call, lambda one: one.place(FORM, lambda: ""), (2.0, 2.0))
    assert isinstance(ended, Failure)
    assert (ended.sent, ended.status) == (True, status)
    assert [asked.path for asked in stub.asked] == ["/orders/regular"]
    client.close()


async def test_all_connections_trust_by_one_reading_of_the_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    load_locations = ssl.SSLContext.load_verify_locations

    def counted(context: ssl.SSLContext, *args: Any, **options: Any) -> None:
        read.append(args)
        load_locations(context, *args, **options)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    with behind_tls(tmp_path) as (roots, let, _):
        let.set()
        monkeypatch.setattr(requests.utils, "DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "certificate.pem"))
        broker = KiteBroker(Access(), roots, SystemClock(), waits=KiteWaits())
        await broker.open()
        outcomes = await asyncio.gather(broker.place(ANN, ORDER), broker.place(BEN, ORDER))
        assert (outcomes, len(read)) == ([Accepted("7"), Accepted("7")], 1)
        await broker.close()


async def test_a_certificate_of_another_name_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind_tls(tmp_path) as (roots, let, heard):
        let.set()
        monkeypatch.setattr(requests.utils, "DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "certificate.pem"))
        other = KiteRoots(roots.rest.replace("127.0.0.1", "localhost"), "", roots.stream)
        broker = KiteBroker(Access(), other, SystemClock(), waits=KiteWaits())
        await broker.open()
        assert isinstance(await broker.place(ANN, ORDER), NotSent)
        assert heard == []
        await broker.close()
