"""What a buy takes of the client's own money, as Kite's margin calculation tells it."""

import json
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from brokers.contract import BrokerError, SessionExpired, TellsMargins
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import KiteWaits
from data.clock import SystemClock
from data.reference.instruments import Instrument
from data.vocabulary import Product
from tests.brokers.kite_stub import ANN, TOKEN, Access, Asked, KiteStub, Reply, done, refused, running_stub

ROUTE = "POST /margins/orders"
BOTH = (Product.MTF, Product.MIS)
INFY = Instrument("NSE", "INFY", "Infosys", 5)
PRICE = 2450_40
VALUE = 40 * PRICE
"""Forty shares are what fits into a lakh."""


@pytest.fixture
async def stub() -> AsyncIterator[KiteStub]:
    async with running_stub() as stub:
        yield stub


@pytest.fixture
async def kite(stub: KiteStub) -> AsyncIterator[KiteBroker]:
    broker = KiteBroker(Access(), stub.roots, SystemClock(), waits=KiteWaits(turned_away_s=0.0))
    await broker.open()
    yield broker
    await broker.close()


def told(total: object) -> Reply:
    row = {"type": "equity", "tradingsymbol": "INFY", "exchange": "NSE", "leverage": 1, "total": total}
    return done([row])


def by_product(**answers: Reply) -> Callable[[Asked], Reply]:
    return lambda asked: answers[json.loads(asked.raw_form)[0]["product"]]


async def test_each_product_is_asked_for_by_an_order_of_its_own(kite: KiteBroker, stub: KiteStub) -> None:
    stub.on(ROUTE, by_product(MTF=told(VALUE * 0.25 / 100), MIS=told(VALUE * 0.2 / 100)))
    assert isinstance(kite, TellsMargins)
    assert await kite.margins(ANN, INFY, PRICE, BOTH) == {Product.MTF: 2_500, Product.MIS: 2_000}
    first, second = stub.asked
    (order,) = json.loads(first.raw_form)
    assert order == {
        "exchange": "NSE",
        "tradingsymbol": "INFY",
        "transaction_type": "BUY",
        "variety": "regular",
        "product": "MTF",
        "order_type": "LIMIT",
        "quantity": 40,
        "price": 2450.4,
        "trigger_price": 0,
    }
    assert json.loads(second.raw_form) == [order | {"product": "MIS"}]
    assert first.headers["Content-Type"] == "application/json"
    assert first.headers["Authorization"] == f"token annkey:{TOKEN}"


@pytest.mark.parametrize(
    ("price", "lot_size", "quantity"),
    [(1_30_000_00, 1, 1), (99_99, 600, 600), (99_99, 400, 800), (5, 1, 2_000_000)],
)
async def test_a_calculation_is_of_whole_lots_worth_about_a_lakh(
    kite: KiteBroker, stub: KiteStub, price: int, lot_size: int, quantity: int
) -> None:
    stub.on(ROUTE, told(quantity * price / 400))
    instrument = Instrument("NSE", "SOME", "Some", 5, lot_size)
    assert await kite.margins(ANN, instrument, price, [Product.MIS]) == {Product.MIS: 2_500}
    assert json.loads(stub.asked[0].raw_form)[0]["quantity"] == quantity


@pytest.mark.parametrize(
    ("total", "share"),
    [
        (VALUE * 3_333 / 10_000 / 100, 3_333),  # with more digits than paise
        (32_669.01, 3_334),  # a paisa and more above a third of it
        (24_504.000000000004, 2_500),
        (24_504.01, 2_500),  # rounded up to the paisa
        (VALUE / 100, 10_000),
        (VALUE / 100 * 1.3, 10_000),
        (VALUE / 10 / 100, 1_000),
    ],
)
async def test_a_share_is_rounded_up_and_never_above_the_whole(
    kite: KiteBroker, stub: KiteStub, total: float, share: int
) -> None:
    stub.on(ROUTE, told(total))
    assert await kite.margins(ANN, INFY, PRICE, [Product.MTF]) == {Product.MTF: share}


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (told(0), "margin row 1, total: 0; it must be at least"),
        (told(-24_504.0), "total: -24504.0; it must be at least"),
        (told(1.0), "total: 1.0; it must be at least 98"),
        (done([{"type": "commodity", "total": 24_504}]), "type: 'commodity'; it must be equity"),
        (told(None), "total: None; it must be a number"),
        (told("24504"), "total: '24504'; it must be a number"),
        (told(1e300), "it must be a finite number"),
        (done([{"type": "equity"}]), "margin row 1, total: missing"),
        (done([]), "came in 0 rows"),
        (done([{"total": 1}, {"total": 2}]), "came in 2 rows"),
        (done([None]), "margin row 1 must be an object"),
        (done({"total": 1}), "must be a list"),
        (done(None), "must be a list"),
        (Reply(502, "<html>", "text/html"), "HTTP 502"),
        (Reply(raw=b""), "the connection to Kite broke"),
        (refused(503, "NetworkException", "Down."), "Down."),
    ],
)
async def test_an_answer_that_is_none_is_an_error_and_no_share(
    kite: KiteBroker, stub: KiteStub, reply: Reply, words: str
) -> None:
    stub.on(ROUTE, reply)
    with pytest.raises(BrokerError) as caught:
        await kite.margins(ANN, INFY, PRICE, BOTH)
    assert words in str(caught.value)


async def test_a_refused_product_is_not_offered_and_leaves_the_other(
    kite: KiteBroker, stub: KiteStub
) -> None:
    no = refused(400, "InputException", "MTF is not allowed for INFY.")
    stub.on(ROUTE, by_product(MTF=no, MIS=told(VALUE / 500), CNC=told(VALUE / 100)))
    assert await kite.margins(ANN, INFY, PRICE, BOTH) == {Product.MTF: None, Product.MIS: 2_000}
    stub.on(ROUTE, by_product(MTF=no, MIS=no, CNC=told(VALUE / 100)))
    assert await kite.margins(ANN, INFY, PRICE, BOTH) == {Product.MTF: None, Product.MIS: None}


async def test_what_is_refused_for_delivery_too_tells_nothing_of_products(
    kite: KiteBroker, stub: KiteStub
) -> None:
    stub.on(ROUTE, refused(400, "InputException", "Invalid `tradingsymbol`."))
    with pytest.raises(BrokerError, match="Invalid `tradingsymbol`"):
        await kite.margins(ANN, INFY, PRICE, BOTH)


async def test_it_is_asked_again_where_the_budget_was_used_up(kite: KiteBroker, stub: KiteStub) -> None:
    stub.on(ROUTE, refused(429, "NetworkException", "Too many requests"), told(VALUE / 400))
    assert await kite.margins(ANN, INFY, PRICE, [Product.MTF]) == {Product.MTF: 2_500}
    assert len(stub.asked) == 2


async def test_an_ended_session_is_told_without_its_token(
    kite: KiteBroker, stub: KiteStub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stub.on(ROUTE, refused(403, "TokenException", f"Token {TOKEN} is over."))
    with pytest.raises(SessionExpired) as caught:
        await kite.margins(ANN, INFY, PRICE, BOTH)
    assert len(stub.asked) == 1
    shown = [str(caught.value), repr(caught.value.__context__), caplog.text]
    assert not [text for text in shown if TOKEN in text]
