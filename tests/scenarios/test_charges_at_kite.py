"""What a day's trades cost by a local Kite's word, beside what the close reckons by the tables of rates."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from brokers.contract import Bar
from brokers.simulators.exchange.history import PricesBefore
from data.vocabulary import OrderState, SizingKind
from tests.desks import buy
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tradedesk.cli.views.elsewhere import broker_charges_shape, traded_lines

T = TypeVar("T")
LIMIT = 2_500_00
PEOPLE = [Person(1, cash_paise=5_00_000_00, capital_paise=5_00_000_00), Person(2)]
WISH = buy("TCS", SizingKind.FIXED_QUANTITY, 7, 1, limit_paise=LIMIT)


def no_bars(*asked: object) -> list[Bar]:
    """What a local Kite tells that has no past."""
    return []


async def passed(morning: Morning, work: Coroutine[Any, Any, T]) -> T:
    """Have work end while time passes."""
    task = asyncio.create_task(work)
    await morning.until(task.done)
    return await task


async def test_charges_by_the_brokers_word_stand_beside_the_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PricesBefore, "bars", no_bars)  # a year of an index is ten seconds of walks
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        morning.exchange.pin("NSE:TCS", LIMIT, LIMIT)
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: desk.reconcile.is_compared(1))
        await morning.priced(WISH.key)
        await morning.send(WISH)
        (order,) = desk.orders.all()
        await morning.until(lambda: desk.orders.get(order.id).state is OrderState.FILLED)
        account = (await desk.statements.of_day([1], desk.market_clock.trading_day))[1]
        (line,) = lines = traded_lines(account.trades)
        assert (line.tradingsymbol, line.quantity, line.value_paise) == ("TCS", 7, 7 * LIMIT)
        told = (await passed(morning, desk.at_brokers.charges({1: lines})))[1]
        assert told is not None
        assert told.stt_paise == 17_50  # a thousandth of ₹17,500
        assert told.dp_paise == 0
        (day,) = (await passed(morning, desk.close.preview(client_ids=[1]))).clients
        shape = broker_charges_shape(day, told)
        assert shape.apart_paise is not None
        assert abs(shape.apart_paise) <= 100  # the note rounds tax and duty to the rupee
