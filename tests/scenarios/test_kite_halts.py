"""A market's day at a local Kite: alerts, what is held for a phase, and the market-wide breaker."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, time
from pathlib import Path
from typing import Any, TypeVar

from data.clock import IST
from data.vocabulary import (
    AlertKind,
    ChaseWait,
    LimitTo,
    OrderState,
    PauseReason,
    PhaseKind,
    Reason,
    RunCount,
    RunStatus,
    SizingKind,
)
from engine.colon.alert_lines import alert_rule_from
from engine.colon.splitting import words_of
from engine.execution.changes.new_limits import NewLimit
from engine.words.alerts import alert_words
from tests.desks import buy
from tests.scenarios.kite_morning import Morning, Person, kite_morning

ONE, TWO = PEOPLE = [Person(1), Person(2)]
T = TypeVar("T")
QTY = SizingKind.FIXED_QUANTITY
INDEX, CLOSE = "NSE:NIFTY 50", 25_000_00


async def ready(morning: Morning) -> None:
    await morning.sign_in(PEOPLE)
    await morning.until(lambda: all(morning.desk.reconcile.is_compared(one.number) for one in PEOPLE))
    morning.exchange.pin("TCS", 2500_00, 2490_00)
    await morning.priced("NSE:TCS")


def falls(morning: Morning, percent: float) -> None:
    morning.exchange.pin(INDEX, round(CLOSE * (1 + percent / 100)), CLOSE)


async def to(morning: Morning, at: str) -> None:
    day = morning.exchange.trading_day
    moment = datetime.combine(day, time.fromisoformat(at), IST)
    morning.exchange.jump(moment)
    await morning.until(lambda: morning.desk.market_clock.now() >= moment)  # Kite's frames tell it
    await morning.priced("NSE:TCS")


async def while_time_goes(morning: Morning, call: Coroutine[Any, Any, T]) -> T:
    """What a call returns that may wait for its turn at Kite."""
    task = asyncio.create_task(call)
    await morning.until(task.done)
    return await task


async def test_the_breaker_is_seen_by_alert_phase_order_and_chase_until_the_market_reopens(
    tmp_path: Path,
) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        await ready(morning)
        await desk.alert_rules.add(alert_rule_from(words_of("TCS price below 2450"), desk.known()))
        falls(morning, -8.2)
        morning.exchange.pin("TCS", 2449_00, 2490_00)
        await morning.until(lambda: len(desk.alerts.standing) == 2)
        told = {one.kind: alert_words(one) for one in desk.alerts.standing}
        assert told[AlertKind.RULE].startswith("TCS price 2,449.00, at or below 2,450.00")
        assert told[AlertKind.MARKET_FALL].startswith("NIFTY 50 at -8.20 %")

        _, run = await morning.send(buy("TCS", QTY, 4, ONE.number, limit_paise=2400_00))
        (order_id,) = run.order_ids
        await morning.until(lambda: desk.orders.get(order_id).state is OrderState.OPEN)
        plan = await while_time_goes(
            morning, desk.modifies.look([order_id], NewLimit(LimitTo.CHASE, 2410_00))
        )
        falls(morning, -10.2)
        (chase,) = await desk.chases.start(plan, plan.digest)
        await morning.until(lambda: desk.market_halts.standing)
        await morning.until(lambda: not desk.orders.get(order_id).live)
        order = desk.orders.get(order_id)
        assert (order.state, order.blocked_paise) == (OrderState.CANCELLED, 0)
        assert "the whole market is halted" in order.reason_text
        await morning.until(lambda: chase.over.is_set())
        assert chase.told in (None, ChaseWait.MARKET_HALTED)
        assert desk.market.phase_of(fno=True).kind is PhaseKind.HALTED
        wish = buy("TCS", QTY, 1, ONE.number, limit_paise=2440_00)
        halted = await while_time_goes(morning, desk.plans.preview(wish))
        assert halted.lines[0].reason is Reason.MARKET_CLOSED

        await to(morning, "10:05")
        assert desk.market.phase_of(fno=True).kind is PhaseKind.REOPENING
        _, entered = await morning.send(buy("TCS", QTY, 1, ONE.number, limit_paise=2600_00))
        assert desk.orders.get(entered.order_ids[0]).live
        await to(morning, "10:17")
        await morning.until(lambda: desk.orders.get(entered.order_ids[0]).state is OrderState.FILLED)
        assert desk.market.phase_of(fno=True).continuous
        await morning.compared(PEOPLE)
        assert all(check.ok for check in await desk.doctor.run())


async def test_what_waits_as_the_auction_begins_is_kept_and_said_and_leaves_by_the_traders_word(
    tmp_path: Path,
) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        await ready(morning)
        await to(morning, "15:14:30")
        for one in PEOPLE:
            morning.kite.mishaps.add("rate_limited", user_id=one.user_id, route="place")
        plan = await desk.plans.freeze(buy("TCS", QTY, 2, ONE.number, TWO.number, limit_paise=2440_00))
        run = await desk.runs.start(plan, plan.digest)
        await to(morning, "15:15")
        await morning.until(lambda: desk.runs.get(run.number).status is RunStatus.PAUSED)
        held = desk.runs.get(run.number)
        assert (held.pause_reason, held.counts[RunCount.UNSENT]) == (PauseReason.PHASE_CHANGED, 2)
        morning.kite.mishaps.clear()
        await morning.passed(2)
        assert not [row for one in PEOPLE for row in morning.exchange.orders(one.user_id)]
        await to(morning, "15:21")
        await desk.runs.go_on(run.number, 2)
        await morning.until(lambda: desk.runs.get(run.number).counts.get(RunCount.OPEN) == 2)
        assert all(check.ok for check in await desk.doctor.run())
