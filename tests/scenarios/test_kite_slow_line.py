"""What comes while an order's connection to Kite is made: the order leaves on what stands then, or stays."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from brokers.kite.broker import KiteBroker
from data.records import replace
from data.vocabulary import OrderState, RunCount, RunStatus, SizingKind
from engine.execution.views import RunView
from engine.planning.intent import Intent
from tests.brokers.held_line import Line, held_line
from tests.desks import buy
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tradedesk.testing import seam

ONE, TWO = PEOPLE = [Person(1), Person(2)]
KEY = "NSE:TCS"
PRICE = 2500_00


@pytest.fixture
async def morning(tmp_path: Path) -> AsyncIterator[Morning]:
    async with kite_morning(tmp_path, PEOPLE) as one:
        one.exchange.pin(KEY, PRICE)
        await one.sign_in(PEOPLE)
        await one.until(lambda: all(one.desk.reconcile.is_compared(each.number) for each in PEOPLE))
        await one.priced(KEY)
        seam(one.desk).waits = replace(seam(one.desk).waits, claim_valid_s=1.0)
        yield one


def arrived(morning: Morning) -> int:
    """Orders that reached the broker."""
    return sum(count for (route, _, _), count in morning.kite.received.items() if route == "place")


async def begun(morning: Morning, line: Line, intent: Intent) -> RunView:
    """A run whose orders are all on their way, each waiting for its connection."""
    plan = await morning.desk.plans.freeze(intent)
    broker = morning.desk.connections.feed.broker
    assert isinstance(broker, KiteBroker)
    broker.close_idle()  # as the broker does with what stands since the sign-in
    line.shut()
    run = await morning.desk.runs.start(plan, plan.digest)
    await morning.at_once(lambda: line.held == len(PEOPLE))
    return run


MARKET = buy("TCS", SizingKind.FIXED_QUANTITY, 1)
LIMIT = buy("TCS", SizingKind.FIXED_QUANTITY, 1, limit_paise=2480_00)


async def test_a_halt_while_it_connects_lets_nothing_leave(morning: Morning) -> None:
    with held_line() as line:
        run = await begun(morning, line, LIMIT)
        firing = morning.desk.halt.fire_now("tester")
        await morning.at_once(lambda: morning.desk.halt.active())
        line.open()
        await morning.until(firing.done)
        await firing
    assert arrived(morning) == 0
    orders = morning.desk.orders.all(run=run.number)
    assert [(order.state, order.blocked_paise) for order in orders] == [(OrderState.CANCELLED, 0)] * 2


async def test_a_price_that_moves_while_it_connects_lets_nothing_leave(morning: Morning) -> None:
    desk = morning.desk
    with held_line() as line:
        run = await begun(morning, line, MARKET)
        morning.exchange.pin(KEY, PRICE * 104 // 100)
        await morning.clock.advance(1.1)
        line.open()
        await morning.until(lambda: desk.runs.get(run.number).counts[RunCount.UNSENT] == 2)
        await morning.priced(KEY)
        await morning.until(lambda: desk.runs.get(run.number).status is RunStatus.PAUSED)
    assert arrived(morning) == 0
    assert [order.state for order in desk.orders.all(run=run.number)] == [OrderState.RESERVED] * 2


async def test_where_connecting_takes_longer_than_a_claim_is_good_for_the_next_try_goes_out(
    morning: Morning,
) -> None:
    desk = morning.desk
    with held_line() as line:
        run = await begun(morning, line, LIMIT)
        await morning.clock.advance(1.1)
        line.open()
        await morning.until(lambda: desk.runs.get(run.number).counts[RunCount.OPEN] == 2)
    assert arrived(morning) == 2
    for order_id in desk.runs.get(run.number).order_ids:
        attempts = (await desk.orders.life(order_id)).attempts
        assert [row.outcome for row in attempts] == ["not_sent", "accepted"]
        assert "its claim is 1." in attempts[0].detail
