"""Where Kite calls an instrument otherwise than the desk: each hears its own name of it."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from brokers.contract import OrderRequest, OrderUpdate
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import KiteWaits
from data.clock import SystemClock
from data.reference.instruments import BrokerListing, Instrument
from data.vocabulary import OrderType, Product, Side
from tests.brokers.kite_stub import ANN, Access, Asked, KiteStub, Reply, done, order_row, running_stub, until

KEY, TOKEN = "NSE:INFOSYS", 408065
ORDER = OrderRequest("NSE", "INFOSYS", Side.BUY, 1, Product.CNC, OrderType.LIMIT, "t1", price_paise=1500_05)
ELSEWHERE = OrderRequest("BSE", "INFY", Side.BUY, 1, Product.CNC, OrderType.LIMIT, "t2", price_paise=1500_05)


@pytest.fixture
async def stub() -> AsyncIterator[KiteStub]:
    async with running_stub() as stub:
        yield stub


@pytest.fixture
async def kite(stub: KiteStub) -> AsyncIterator[KiteBroker]:
    broker = KiteBroker(Access(), stub.roots, SystemClock(), waits=KiteWaits(turned_away_s=0.0))
    await broker.open()
    otherwise = BrokerListing("zerodha", KEY, str(TOKEN), "INFY")
    every = [otherwise, BrokerListing("zerodha", "BSE:INFY", "1234", "INFY")]
    broker.learn([otherwise], lambda keys: [one for one in every if one.key in keys])
    yield broker
    await broker.close()


async def test_orders_and_margins_are_asked_for_under_kites_symbol(kite: KiteBroker, stub: KiteStub) -> None:
    stub.on("POST /orders/regular", done({"order_id": "7"}), done({"order_id": "8"}))
    stub.on("POST /margins/orders", done([{"type": "equity", "total": 50_000.0}]))
    await kite.place(ANN, ORDER)
    await kite.place(ANN, ELSEWHERE)
    instrument = Instrument("NSE", "INFOSYS", "Infosys", 5)
    assert await kite.margins(ANN, instrument, 1500_00, [Product.MIS]) != {}
    assert [(one.form["exchange"], one.form["tradingsymbol"]) for one in stub.asked[:2]] == [
        ("NSE", "INFY"),
        ("BSE", "INFY"),
    ]
    assert json.loads(stub.asked[2].raw_form)[0]["tradingsymbol"] == "INFY"


async def test_books_are_told_under_the_desks_symbol(kite: KiteBroker, stub: KiteStub) -> None:
    stub.on("GET /orders", done([order_row(), order_row(order_id="2", exchange="BSE")]))
    held = {
        "tradingsymbol": "INFY",
        "exchange": "NSE",
        "isin": "INE009A01021",
        "quantity": 4,
        "used_quantity": 0,
        "t1_quantity": 0,
        "collateral_quantity": 0,
        "average_price": 10.5,
    }
    stub.on("GET /portfolio/holdings", done([held]))
    stub.on("GET /portfolio/positions", done({"net": [], "day": []}))
    book = await kite.orders(ANN)
    assert [(one.exchange, one.tradingsymbol) for one in book] == [("NSE", "INFOSYS"), ("BSE", "INFY")]
    assert [one.tradingsymbol for one in await kite.holdings(ANN)] == ["INFOSYS"]


async def test_a_token_that_a_quote_contradicts_brings_no_prices(
    kite: KiteBroker, stub: KiteStub, caplog: pytest.LogCaptureFixture
) -> None:
    bar = {"open": 1, "high": 1, "low": 1, "close": 1}
    told = {"last_price": 2.5, "ohlc": bar, "instrument_token": 738561}
    stub.on("GET /quote", done({"NSE:INFY": told}))
    await kite.follow([ANN])
    await kite.subscribe([KEY])
    await until(lambda: {"a": "mode", "v": ["full", [738561]]} in stub.told)
    assert f"{KEY} has the token 738561 at Kite, and {TOKEN} in the desk's list" in caplog.text


async def test_prices_come_by_the_desks_keys(kite: KiteBroker, stub: KiteStub) -> None:
    def answer(asked: Asked) -> Reply:
        level = {"open": 1, "high": 1, "low": 1, "close": 1}
        return done({key: {"last_price": 2.5, "ohlc": level} for _, key in asked.query})

    stub.on("GET /quote", answer)
    order = {"type": "order", "data": order_row(user_id="AB1234", status="COMPLETE")}
    stub.frames = [json.dumps(order)]
    await kite.follow([ANN])
    found = await kite.quotes([KEY, "BSE:INFY"])
    assert {key: tick.key for key, tick in found.items()} == {KEY: KEY, "BSE:INFY": "BSE:INFY"}
    assert [key for _, key in stub.asked_of("GET /quote")[0].query] == ["NSE:INFY", "BSE:INFY"]
    await kite.subscribe([KEY])
    async with asyncio.timeout(10):
        async for event in kite.stream():
            if isinstance(event, OrderUpdate):
                assert (event.order.exchange, event.order.tradingsymbol) == ("NSE", "INFOSYS")
                break
        await until(lambda: {"a": "mode", "v": ["full", [TOKEN]]} in stub.told)
