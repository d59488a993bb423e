"""Flatten at a local Kite: by its positions, the stop and a GTT first, CNC untouched, and while halted."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from brokers.contract import OrderRequest
from data.records import replace
from data.vocabulary import (
    ConversionState,
    FlattenLineState,
    FlattenReason,
    FlattenWhat,
    HaltScope,
    OrderState,
    OrderType,
    Product,
    SessionState,
    Side,
    SizingKind,
)
from tests.desks import buy, sell
from tests.scenarios.kite_morning import Morning, Person, kite_morning

T = TypeVar("T")

ONE, TWO = PEOPLE = [Person(1), Person(2)]
QTY, MIS = SizingKind.FIXED_QUANTITY, Product.MIS


async def in_time(morning: Morning, work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.create_task(work)
    await morning.until(task.done)
    return await task


async def lay(morning: Morning) -> int:
    """MIS +40 TCS under a stop and a GTT, MIS -100 INFY from a phone, CNC beside; the stop's number."""
    await morning.sign_in(PEOPLE)
    await morning.until(lambda: all(morning.desk.reconcile.is_compared(one.number) for one in PEOPLE))
    for symbol, price in (("TCS", 2500_00), ("INFY", 1500_00), ("HDFCBANK", 1600_00)):
        morning.exchange.pin(symbol, price, price)
        await morning.priced(f"NSE:{symbol}")
    await morning.send(buy("TCS", QTY, 40, ONE.number, product=MIS))
    await morning.send(buy("HDFCBANK", QTY, 5, TWO.number))
    await morning.until(lambda: not morning.desk.orders.all(live=True))
    assert [one.state for one in morning.desk.orders.all()] == [OrderState.FILLED] * 2
    stop = replace(
        sell("TCS", QTY, 40, ONE.number), product=MIS, order_type=OrderType.SL_M, trigger_paise=2400_00
    )
    _, run = await morning.send(stop)
    phone = OrderRequest("NSE", "INFY", Side.SELL, 100, MIS, OrderType.MARKET, "", protection_bps=200)
    await morning.by_phone(TWO, phone)
    condition = {"exchange": "NSE", "tradingsymbol": "TCS", "trigger_values": [2400.0], "last_price": 2500.0}
    order = {
        "transaction_type": "SELL",
        "quantity": 40,
        "product": "MIS",
        "order_type": "LIMIT",
        "price": 2390,
    }
    morning.kite.conditionals.add_gtt(ONE.user_id, "single", condition, [order])
    assert {one.session for one in map(morning.client, PEOPLE)} == {SessionState.OK}
    traded = [trade for entry in morning.kite.journal.book(TWO.user_id) for trade in entry.trades]
    assert {(one.tradingsymbol, one.quantity) for one in traded} == {("HDFCBANK", 5), ("INFY", 100)}
    return run.order_ids[0]


async def test_who_may_owe_shares_since_its_session_was_cut_short_is_left_and_named(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        morning.exchange.pin("INFY", 1500_00, 1500_00)
        found = await in_time(morning, desk.flatten.prospect(HaltScope.EVERYTHING, "", FlattenWhat.MIS))
        assert (found.positions, found.not_signed_in) == ((), (ONE.code, TWO.code))
        await morning.sign_in([TWO])
        await morning.until(lambda: desk.reconcile.is_compared(TWO.number))
        phone = OrderRequest("NSE", "INFY", Side.SELL, 100, MIS, OrderType.MARKET, "", protection_bps=200)
        await morning.by_phone(TWO, phone)
        morning.kite.sessions.end_user(TWO.user_id)
        assert not await in_time(morning, desk.sessions.check(TWO.number))
        number = await in_time(morning, desk.flatten.start(HaltScope.EVERYTHING, "", FlattenWhat.MIS))
        made = await in_time(morning, desk.flatten.follow(number))
        assert [(one.code, one.state, one.reason, one.net) for one in made.lines] == [
            (TWO.code, FlattenLineState.LEFT, FlattenReason.NOT_SIGNED_IN, None)
        ]
        assert made.not_signed_in == (ONE.code,)


@pytest.mark.parametrize("halted", [False, True])
async def test_kites_own_net_is_what_goes_once(tmp_path: Path, halted: bool) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        stop = await lay(morning)
        if halted:
            await morning.halted()
        number = await in_time(morning, desk.flatten.start(HaltScope.EVERYTHING, "", FlattenWhat.MIS))
        made = await in_time(morning, desk.flatten.follow(number))
        assert (made.flat, made.left) == (2, 0), made.lines
        traded = Counter[tuple[str, str, Side]]()
        for person in PEOPLE:
            for trade in morning.exchange.trades(person.user_id):
                traded[person.code, trade.tradingsymbol, trade.side] += trade.quantity
        assert traded == {
            (ONE.code, "TCS", Side.BUY): 40,
            (ONE.code, "TCS", Side.SELL): 40,
            (TWO.code, "INFY", Side.SELL): 100,
            (TWO.code, "INFY", Side.BUY): 100,
            (TWO.code, "HDFCBANK", Side.BUY): 5,
        }
        assert desk.orders.get(stop).state is OrderState.CANCELLED
        assert not morning.kite.conditionals.gtts.get(ONE.user_id)
        assert [one.product for one in morning.exchange.holdings(TWO.user_id)] == [Product.CNC]
        assert all(check.ok for check in await desk.doctor.run())


async def test_a_position_at_kite_is_converted_and_both_books_agree(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: desk.reconcile.is_compared(ONE.number))
        morning.exchange.pin("TCS", 2500_00, 2500_00)
        await morning.priced("NSE:TCS")
        await morning.send(buy("TCS", QTY, 40, ONE.number, product=MIS))
        await morning.until(lambda: not desk.orders.all(live=True))
        made = await in_time(morning, desk.conversions.convert(ONE.number, "NSE:TCS", (MIS, Product.CNC)))
        assert made.state is ConversionState.DONE, made.detail
        assert [(one.product, one.quantity) for one in desk.holdings.of(ONE.number)] == [(Product.CNC, 40)]
        await morning.compared([ONE])
        assert desk.reconcile.breaks(ONE.number) == []
        assert all(check.ok for check in await desk.doctor.run())
