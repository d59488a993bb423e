"""Orders for the next session at a local Kite: taken before it, changed, cancelled, and traded in it."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from unittest.mock import patch

import pytest

from data.records import replace
from data.vocabulary import OrderState, OrderType, Reason, RunCount, Side, SizingKind
from engine.book.views import OrderView
from engine.planning.intent import Intent, Selection, Sizing
from engine.refusals import CannotGoOn, PlanExpired
from engine.words.trading.why import detail_words
from tests.refusing import refuses
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tradedesk.testing import seam

PEOPLE = [Person(number) for number in range(1, 5)]
DAY = date(2026, 11, 18)
OPEN = datetime(2026, 11, 18, 3, 45, 1, tzinfo=UTC)
WISH = Intent(
    Side.BUY,
    "NSE:TCS",
    Sizing(SizingKind.FIXED_QUANTITY, 10),
    OrderType.LIMIT,
    limit_paise=2_500_00,
    after_market=True,
)


@pytest.fixture
async def morning(tmp_path: Path) -> AsyncIterator[Morning]:
    """Half past eight, everybody signed in and compared."""
    async with kite_morning(tmp_path, PEOPLE, begins=time(8, 30)) as one:
        one.exchange.pin("NSE:TCS", 2_500_00)
        await one.sign_in(PEOPLE)
        await one.until(lambda: all(one.desk.reconcile.is_compared(each.number) for each in PEOPLE))
        yield one


def orders(morning: Morning) -> list[OrderView]:
    return sorted(morning.desk.orders.all(), key=lambda order: order.client_id)


async def test_orders_wait_at_the_broker_and_trade_once_the_market_opens(morning: Morning) -> None:
    desk = morning.desk
    await morning.priced(WISH.key)
    usual = await desk.plans.preview(replace(WISH, after_market=False))
    assert usual.skipped_by_reason == {Reason.MARKET_CLOSED: len(PEOPLE)}
    assert detail_words(usual.lines[0]) == "AMO would wait for 18 Nov; phase closed takes no LIMIT order"
    plan, run = await morning.send(WISH)
    assert (plan.orders, plan.trading_day, run.counts[RunCount.OPEN]) == (4, DAY, 4)
    stays, smaller, gone, also_gone = orders(morning)
    await morning.until(lambda: {order.sub_status for order in orders(morning)} == {"AMO REQ RECEIVED"})
    assert {order.standing for order in orders(morning)} == {"AMO for 18 Nov"}

    await desk.orders.modify(smaller.id, 6, None, None)
    await desk.orders.cancel([gone.id], "by hand")
    await morning.until(
        lambda: (
            desk.orders.get(smaller.id).quantity == 6
            and desk.orders.get(gone.id).state is OrderState.CANCELLED
        )
    )

    morning.exchange.jump(OPEN)
    await morning.until(lambda: desk.orders.get(stays.id).state is OrderState.FILLED)
    await morning.until(lambda: desk.orders.get(also_gone.id).state is OrderState.FILLED)
    await morning.until(lambda: desk.orders.get(smaller.id).state is OrderState.FILLED)
    assert [order.filled_quantity for order in orders(morning)] == [10, 6, 0, 10]
    await morning.compared(PEOPLE)
    assert not any(desk.reconcile.breaks(one.number) for one in PEOPLE)


async def test_what_was_not_sent_before_its_session_is_never_sent_and_its_money_is_free(
    morning: Morning,
) -> None:
    desk = morning.desk
    await morning.priced(WISH.key)
    plan = await desk.plans.freeze(WISH)
    late = await desk.plans.freeze(replace(WISH, sizing=Sizing(SizingKind.FIXED_QUANTITY, 3)))
    with patch.object(seam(desk).workers.dispatcher, "submit"):  # it was paused before the first claim
        run = await desk.runs.start(plan, plan.digest)
    await desk.runs.pause(run.number)
    unsent = orders(morning)
    assert {order.state for order in unsent} == {OrderState.RESERVED}
    free = desk.funds.of(unsent[0].client_id).available_paise
    morning.exchange.jump(OPEN)
    await morning.until(lambda: desk.market.now() >= OPEN)
    with refuses(PlanExpired, "has begun since; plan again"):
        await desk.runs.start(late, late.digest)
    with refuses(CannotGoOn, "session of run"):
        await desk.runs.go_on(run.number, len(unsent))
    await morning.until(lambda: desk.orders.get(unsent[0].id).state is OrderState.CANCELLED, step_s=1.0)
    for order in (desk.orders.get(one.id) for one in unsent):
        assert (order.broker_order_id, order.sent_at, order.blocked_paise) == (None, None, 0)
        assert "its session began before it was sent" in order.reason_text
    assert desk.funds.of(unsent[0].client_id).available_paise > free


async def test_an_order_that_rests_in_its_session_is_changed_as_any_other(morning: Morning) -> None:
    desk = morning.desk
    await morning.priced(WISH.key)
    await morning.send(replace(WISH, limit_paise=2_400_00, selection=Selection((1,))))
    (order,) = orders(morning)
    morning.exchange.jump(OPEN)
    await morning.until(lambda: desk.orders.get(order.id).sub_status == "OPEN")
    await desk.orders.modify(order.id, 6, None, None)
    await morning.until(lambda: desk.orders.get(order.id).quantity == 6)


async def test_cancel_all_takes_back_what_waits_for_the_open(morning: Morning) -> None:
    desk = morning.desk
    await morning.priced(WISH.key)
    await morning.send(WISH)
    blocked = sum(order.blocked_paise for order in orders(morning))
    firing = desk.halt.fire_now("rehearsal")
    await morning.until(firing.done)
    certificate = await firing
    assert {order.state for order in orders(morning)} == {OrderState.CANCELLED}
    assert certificate.released_paise == blocked
