"""The last look at Kite: when the connection stands, and before a byte of the request leaves."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import requests.utils

from brokers.contract import Accepted, NotSent, OrderChange, OrderRequest
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import KiteWaits
from brokers.wire.access import AccountRoute
from data.clock import SystemClock
from data.records import replace
from data.vocabulary import OrderType, Product, Side
from tests.brokers.behind_tls import behind_tls
from tests.brokers.held_line import Line, held_line
from tests.brokers.kite_stub import ANN, Access, KiteStub, done, running_stub, until

PLACE = "POST /orders/regular"
ORDER = OrderRequest("NSE", "INFY", Side.BUY, 1, Product.CNC, OrderType.LIMIT, "t1", price_paise=1500_05)
WAITS = KiteWaits(connect_s=20.0, send_s=20.0)


@pytest.fixture
def line() -> Iterator[Line]:
    with held_line() as line:
        yield line


@pytest.fixture
async def stub() -> AsyncIterator[KiteStub]:
    async with running_stub() as stub:
        stub.on(PLACE, done({"order_id": "7"}))
        yield stub


class Look:
    """A last look whose words a test changes meanwhile."""

    def __init__(self) -> None:
        self.words = ""
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        return self.words


@pytest.mark.parametrize("by", ["", "bind address", "proxy"])
async def test_what_comes_while_it_connects_keeps_an_order_back(stub: KiteStub, line: Line, by: str) -> None:
    """And its next try goes out by the connection that was made."""
    routes = {
        "": AccountRoute("annkey"),
        "bind address": AccountRoute("annkey", bind_address="127.0.0.1"),
        "proxy": AccountRoute(
            "annkey", proxy=stub.base
        ),  # it answers for Kite, as a proxy of plain HTTP would
    }
    broker = KiteBroker(Access(routes={ANN: routes[by]}), stub.roots, SystemClock(), waits=WAITS)
    await broker.open()
    look = Look()
    order = replace(ORDER, last_look=look)
    line.shut()
    placing = asyncio.create_task(broker.place(ANN, order))
    await until(lambda: line.held == 1)
    assert look.asked == 0
    look.words = "the market is halted"
    line.open()
    assert await placing == NotSent("the market is halted")
    assert (stub.asked, line.made, look.asked) == ([], 1, 1)

    look.words = ""
    assert await broker.place(ANN, order) == Accepted("7")
    assert (len(stub.asked_of(PLACE)), line.made, look.asked) == (1, 1, 2)
    assert await broker.place(ANN, order) == Accepted("7")
    assert line.made == 1, "and by the same one after an answer"
    await broker.close()


async def test_what_comes_while_it_connects_keeps_a_change_back(stub: KiteStub, line: Line) -> None:
    modify = "PUT /orders/regular/7"
    stub.on(modify, done({"order_id": "7"}))
    broker = KiteBroker(Access(), stub.roots, SystemClock(), waits=WAITS)
    await broker.open()
    look = Look()
    change = OrderChange(quantity=2, last_look=look)
    line.shut()
    changing = asyncio.create_task(broker.modify(ANN, "7", change))
    await until(lambda: line.held == 1)
    look.words = "the market is halted"
    line.open()
    assert await changing == NotSent("the market is halted")
    assert (stub.asked, look.asked) == ([], 1)

    look.words = ""
    assert await broker.modify(ANN, "7", change) == Accepted("7")
    assert (len(stub.asked_of(modify)), line.made, look.asked) == (1, 1, 2)
    await broker.close()


async def test_the_look_is_taken_behind_the_handshake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind_tls(tmp_path) as (roots, let, heard), held_line() as line:
        monkeypatch.setattr(requests.utils, "DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "certificate.pem"))
        broker = KiteBroker(Access(), roots, SystemClock(), waits=WAITS)
        await broker.open()
        look = Look()
        order = replace(ORDER, last_look=look)
        placing = asyncio.create_task(broker.place(ANN, order))
        await until(lambda: line.made == 1)
        assert look.asked == 0
        look.words = "the market is halted"
        let.set()
        assert await placing == NotSent("the market is halted")
        assert (look.asked, heard) == (1, [])
        look.words = ""
        assert await broker.place(ANN, order) == Accepted("7")
        assert (line.made, b"".join(heard).count(b"POST /orders/regular")) == (1, 1)
        await broker.close()


async def test_an_order_whose_handshake_fails_has_not_left(tmp_path: Path) -> None:
    with behind_tls(tmp_path) as (roots, let, heard):
        broker = KiteBroker(Access(), roots, SystemClock(), waits=WAITS)
        await broker.open()
        let.set()
        look = Look()
        outcome = await broker.place(ANN, replace(ORDER, last_look=look))  # it knows nobody who signed that
        assert outcome == NotSent("no connection to Kite came to stand")
        assert (look.asked, heard) == (0, [])
        await broker.close()


async def test_reading_takes_no_look(stub: KiteStub, line: Line) -> None:
    stub.on("GET /orders", done([]))
    broker = KiteBroker(Access(), stub.roots, SystemClock(), waits=WAITS)
    await broker.open()
    look = Look()
    look.words = "kept back"
    assert await broker.place(ANN, replace(ORDER, last_look=look)) == NotSent("kept back")
    assert list(await broker.orders(ANN)) == []
    assert (look.asked, line.made) == (1, 1)
    await broker.close()
