"""A basket that spans three brokers over sockets: one plan, one answer, and each broker's own books."""

from pathlib import Path

import pytest

from data.vocabulary import OrderState, Side, SizingKind
from engine.book.views import OrderView
from engine.planning.entry.leg_words import intent_of, legs_from_words
from tests.desks import buy
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tests.scenarios.ledgers import money_agrees, sent_once
from tradedesk.compose.desk_access import GROWW, UPSTOX, ZERODHA

PEOPLE = [
    Person(number, broker=broker)
    for number, broker in enumerate((ZERODHA, UPSTOX, GROWW, ZERODHA, UPSTOX, GROWW), 1)
]
REJECTED, LOST = PEOPLE[4], PEOPLE[5]
"""Whose orders Upstox's risk checks turn down; of whose first order Groww's answer is lost."""

PRICES = {"TCS": 2500_00, "INFY": 1500_00, "ITC": 284_00}
LIMIT = 280_00


@pytest.mark.proof
async def test_a_basket_of_a_sale_and_two_buys_at_three_brokers(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        await prepared(morning)
        words = ("sell", "TCS:50%", "buy", "INFY:10%", f"ITC:100@{LIMIT // 100}")
        intent = intent_of(legs_from_words(words, desk.market.index))
        plan, run = await morning.send(intent)
        assert (plan.answer, plan.orders) == ("sell 6 buy 12", 18)
        assert len({line.client_id for part in plan.parts for line in part.ok_lines}) == len(PEOPLE)
        legs = {"INFY", "TCS"}
        await morning.until(lambda: not legs & {one.tradingsymbol for one in desk.orders.all(live=True)})
        for order in desk.orders.all(run=run.number):
            assert order.side is (Side.SELL if order.tradingsymbol == "TCS" else Side.BUY)
            assert order.state is ended(order), order
        sent_once(morning)
        await morning.compared(PEOPLE)
        assert desk.reconcile.breaks() == []
        money_agrees(morning, PEOPLE)
        certificate = await morning.halted()
        assert (certificate.cancelled, certificate.ended, certificate.unread) == (5, True, ())
        assert {desk.funds.of(one.number).blocked_paise for one in PEOPLE} == {0}
        money_agrees(morning, PEOPLE)
        assert [check for check in await desk.doctor.run() if not check.ok] == []


def ended(order: OrderView) -> OrderState:
    """What becomes of an order; ITC's limit rests below the market."""
    if order.client_id == REJECTED.number:
        return OrderState.REJECTED
    return OrderState.OPEN if order.tradingsymbol == "ITC" else OrderState.FILLED


async def prepared(morning: Morning) -> None:
    """Everybody is signed in and holds 40 TCS, and two of them shall meet a fault."""
    desk = morning.desk
    await morning.sign_in(PEOPLE)
    await morning.listed()
    await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
    for symbol, price in PRICES.items():
        morning.exchange.pin(symbol, price, price)
        await morning.priced(f"NSE:{symbol}")
    await morning.send(buy("TCS", SizingKind.FIXED_QUANTITY, 40))
    await morning.until(lambda: not desk.orders.all(live=True))
    morning.groww.mishaps.add("drop_connection", user_id=LOST.user_id, route="place", count=1)
    morning.upstox.mishaps.add("rms_reject", user_id=REJECTED.user_id, route="place")
