"""What orders cost by Kite's own word, and by the local Kite's."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from brokers.contract import BrokerError, TellsCharges, TradedLine
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import KiteWaits
from brokers.kite.charges import MOST_ASKED
from data.clock import SystemClock
from data.records import replace
from data.reference.rates import Charges
from data.vocabulary import Product, Side
from tests.brokers.kite_stub import ANN, Access, Asked, KiteStub, Reply, done, running_stub

ROUTE = "POST /charges/orders"
BOUGHT = TradedLine("NSE", "INFY", Side.BUY, Product.CNC, 3, 4_500_05)
SOLD = replace(BOUGHT, side=Side.SELL, product=Product.MIS)


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


def row(order: dict[str, Any], **of: Any) -> dict[str, Any]:
    """An answer as Kite's documentation shows it, with the noise of its floats."""
    charges = {
        "transaction_tax": 4.50005,
        "transaction_tax_type": "stt",
        "exchange_turnover_charge": 0.13815153500000002,
        "sebi_turnover_charge": 0.0045,
        "brokerage": 0.01,
        "stamp_duty": 0.68,
        "gst": {"igst": 0.0284773, "cgst": 0, "sgst": 0, "total": 0.0284773},
        "total": 5.361178835,
    }
    names = ("transaction_type", "tradingsymbol", "exchange", "variety", "product", "order_type", "quantity")
    told = {name: order[name] for name in names} | {"price": order["average_price"]}
    return told | {"charges": charges | of.pop("charges", {})} | of


def echoed(asked: Asked) -> Reply:
    return done([row(order) for order in json.loads(asked.raw_form)])


async def test_orders_are_asked_for_in_turn_and_their_charges_are_whole_paise(
    kite: KiteBroker, stub: KiteStub
) -> None:
    stub.on(ROUTE, echoed)
    assert kite.capabilities.order_charges
    assert isinstance(kite, TellsCharges)
    found = await kite.order_charges(ANN, [BOUGHT, SOLD])
    assert found == [Charges(1, 450, 14, 0, 68, 3)] * 2
    (asked,) = stub.asked
    first, second = json.loads(asked.raw_form)
    assert first == {
        "order_id": "1",
        "exchange": "NSE",
        "tradingsymbol": "INFY",
        "transaction_type": "BUY",
        "variety": "regular",
        "product": "CNC",
        "order_type": "MARKET",
        "quantity": 3,
        "average_price": 450005 / 3 / 100,
    }
    assert (second["order_id"], second["transaction_type"], second["product"]) == ("2", "SELL", "MIS")
    assert await kite.order_charges(ANN, []) == []


async def test_many_orders_are_asked_for_in_several_calls(kite: KiteBroker, stub: KiteStub) -> None:
    stub.on(ROUTE, echoed)
    assert len(await kite.order_charges(ANN, [BOUGHT] * (MOST_ASKED + 1))) == MOST_ASKED + 1
    assert [len(json.loads(asked.raw_form)) for asked in stub.asked] == [MOST_ASKED, 1]


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ({"tradingsymbol": "TCS"}, "tradingsymbol: 'TCS'; it must be INFY"),
        ({"quantity": 4}, "quantity: 4; it must be 3"),
        ({"transaction_type": "SELL"}, "it must be BUY"),
        ({"charges": {"total": 5.43}}, "total: 5.43; it must be about 5.36"),
        ({"charges": {"brokerage": None}}, "brokerage: None"),
        ({"charges": None}, "charges"),
    ],
)
async def test_an_answer_of_other_orders_is_none(
    kite: KiteBroker, stub: KiteStub, of: dict[str, Any], words: str
) -> None:
    wrong = of if of.get("charges", {}) is not None else {}

    def answer(asked: Asked) -> Reply:
        (order,) = json.loads(asked.raw_form)
        return done([row(order, **wrong) | ({"charges": None} if wrong is not of else {})])

    stub.on(ROUTE, answer)
    with pytest.raises(BrokerError, match=words):
        await kite.order_charges(ANN, [BOUGHT])


async def test_an_answer_of_fewer_orders_is_none(kite: KiteBroker, stub: KiteStub) -> None:
    stub.on(ROUTE, done([]))
    with pytest.raises(BrokerError, match="charges of 1 orders came in 0 rows"):
        await kite.order_charges(ANN, [BOUGHT])
