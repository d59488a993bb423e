"""Odd rows of a local Kite: the readable ones count, buys stop, nothing is proven absent, a halt goes on."""

import asyncio
from pathlib import Path

from brokers.simulators.serving.orders.laid_rows import LaidRow
from data.vocabulary import BreakKind, SizingKind
from engine.halt.certificate import Certificate
from engine.words.breaks import break_words
from engine.words.trading.why import detail_words
from tests.desks import buy, sell
from tests.scenarios.kite_morning import Morning, Person, kite_morning

ONE, TWO = PEOPLE = [Person(1), Person(2)]


def odd(morning: Morning, book: str, of: str, **fields: object) -> None:
    morning.kite.laid_rows.lay(LaidRow(ONE.user_id, book, fields, of))


async def ready(morning: Morning) -> None:
    await morning.sign_in(PEOPLE)
    await morning.until(lambda: all(morning.desk.reconcile.is_compared(one.number) for one in PEOPLE))
    await morning.priced("NSE:TCS")


async def rested(morning: Morning) -> str:
    """A resting buy of the first client; returns the broker's id."""
    await morning.send(buy("TCS", SizingKind.FIXED_QUANTITY, 1, ONE.number, limit_paise=LIMIT))
    await morning.until(lambda: any(one.broker_order_id for one in morning.desk.orders.all(live=True)))
    (order,) = morning.desk.orders.all(live=True)
    assert order.broker_order_id is not None
    return order.broker_order_id


LIMIT = 2300_00


async def halted(morning: Morning) -> Certificate:
    firing = morning.desk.halt.fire_now("tester")
    await morning.until(firing.done)
    return await firing


async def test_an_odd_order_row_stops_buys_and_hides_no_other(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        await ready(morning)
        number = await rested(morning)
        odd(morning, "orders", number, order_timestamp=None)
        await morning.until(lambda: desk.reconcile.breaks(ONE.number))
        (found,) = desk.reconcile.breaks(ONE.number)
        assert found.kind is BreakKind.UNREAD
        assert break_words(found).startswith("1 row unread: orders: TCS: order row 1, order_timestamp: None")
        await morning.priced("NSE:TCS")
        again = buy("TCS", SizingKind.FIXED_QUANTITY, 2, ONE.number, TWO.number)
        lines = {line.client_id: line for line in (await desk.plans.freeze(again)).lines}
        assert lines[ONE.number].reason is not None
        assert "1 row unread" in detail_words(lines[ONE.number])
        assert lines[TWO.number].reason is None
        morning.kite.laid_rows.clear()
        await morning.until(lambda: not desk.reconcile.breaks(ONE.number))


async def test_a_halt_cancels_what_an_odd_row_names_and_waits_for_none(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        await ready(morning)
        number = await rested(morning)
        odd(morning, "orders", number, order_timestamp=None)
        odd(morning, "orders", "", exchange="NSE", product="CNC", status="OPEN", tradingsymbol="INFY")
        began = morning.clock.monotonic()
        made = await halted(morning)
        assert morning.clock.monotonic() - began < 10
        assert [(row.broker_order_id, row.may_live) for row in made.unread_rows] == [
            (number, False),
            ("", True),
        ]
        assert (made.ended, made.unread) == (False, ())
        entry = morning.kite.journal.find(ONE.user_id, number)
        assert entry is not None
        assert entry.status == "CANCELLED"


async def test_an_odd_holding_proves_nothing_absent_and_no_more_is_sold_than_is_read(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        await ready(morning)
        await morning.send(buy("TCS", SizingKind.FIXED_QUANTITY, 2, ONE.number))
        await morning.until(lambda: desk.holdings.of(ONE.number))
        await morning.compared([ONE])
        assert desk.reconcile.breaks(ONE.number) == []
        odd(morning, "positions", "TCS", day_buy_quantity=None)
        await morning.compared([ONE])
        kinds = {one.kind for one in desk.reconcile.breaks(ONE.number)}
        assert kinds == {BreakKind.UNREAD, BreakKind.SHARES}
        await morning.passed(4)
        adopting = asyncio.create_task(desk.reconcile.adopt(ONE.number, "the broker is right"))
        await morning.until(adopting.done)
        await adopting
        assert [one.quantity for one in desk.holdings.of(ONE.number)] == [2]
        await morning.priced("NSE:TCS")
        (line,) = (await desk.plans.freeze(sell("TCS", SizingKind.FIXED_QUANTITY, 2, ONE.number))).lines
        assert line.reason is not None
        morning.kite.laid_rows.clear()
        await morning.compared([ONE])
        assert desk.reconcile.breaks(ONE.number) == []
