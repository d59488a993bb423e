"""A morning of a hundred clients at three brokers in one desk, each of two of which fails in its turn."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime

import pytest

from data.vocabulary import OrderState, Reason, RunCount, SessionProblem, SizingKind
from engine.halt.certificate import Certificate
from tests.desks import buy, sell
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tests.scenarios.ledgers import money_agrees, sent_once
from tradedesk.compose.desk_access import GROWW, UPSTOX, ZERODHA
from tradedesk.compose.rehearsing.rehearsal import request_token

AT_KITE, AT_UPSTOX, AT_GROWW = range(1, 51), range(51, 76), range(76, 101)
WHERE = {ZERODHA: AT_KITE, UPSTOX: AT_UPSTOX, GROWW: AT_GROWW}
PEOPLE = [Person(number, broker=broker) for broker, numbers in WHERE.items() for number in numbers]
BY_NUMBER = {one.number: one for one in PEOPLE}

OPENS = datetime(2026, 11, 18, 3, 47, tzinfo=UTC)
"""09:17 IST, when the walk of the seed offers 8,884 shares of RELIANCE up to the limit."""
LIMIT, EACH = 2450_40, 112
OFFERED = 8_884

REJECTED, CUT = (70, 90), 72


@pytest.mark.proof
async def test_a_morning_of_a_hundred_clients_at_three_brokers(tmp_path):
    async with kite_morning(tmp_path, PEOPLE) as morning:
        await everybody_signs_in_by_one_queue(morning)
        bought = await a_bulk_buy_fills_in_part_at_all(morning)
        await all_of_it_fills_and_money_agrees(morning, bought)
        await upstox_freezes_in_the_middle_of_a_bulk(morning)
        await a_cancel_all_finds_one_broker_dead(morning)
        await the_day_closes_at_all(morning)
        assert (await morning.desk.audit.verify()).ok
        assert [check for check in await morning.desk.doctor.run() if not check.ok] == []


async def everybody_signs_in_by_one_queue(morning: Morning) -> None:
    desk = morning.desk
    queue = desk.sessions.queue()
    assert {desk.clients.get(one.client_id).broker for one in queue.entries} == set(WHERE)
    while (client := queue.current) is not None:
        queue.submit(await request_token(desk, client))
    await queue.settled()
    assert queue.progress().done == 100
    await morning.listed()
    await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
    assert desk.gate.counts().ready == 100
    assert desk.reconcile.breaks() == []


def states(morning: Morning, run: int, numbers: range = range(1, 101)) -> Counter[OrderState]:
    return Counter(one.state for one in morning.desk.orders.all(run=run) if one.client_id in numbers)


async def a_bulk_buy_fills_in_part_at_all(morning: Morning) -> int:
    desk, exchange = morning.desk, morning.exchange
    for number in REJECTED:
        at = morning.others[BY_NUMBER[number].broker]
        at.mishaps.add("rms_reject", user_id=BY_NUMBER[number].user_id, route="place", count=1)
    morning.upstox.mishaps.add("token_expired", user_id=BY_NUMBER[CUT].user_id, route="place", count=1)
    await morning.priced("NSE:RELIANCE")
    exchange.jump(OPENS)
    plan, run = await morning.send(buy("RELIANCE", SizingKind.PERCENT_OF_CAPITAL, 2500, limit_paise=LIMIT))
    assert plan.orders == 100
    assert {line.quantity for line in plan.ok_lines} == {EACH}
    exchange.pin("RELIANCE", 2455_00)  # the price leaves the limit behind, so nothing more trades

    def filled() -> int:
        return sum(order.filled_quantity for order in desk.orders.all(run=run.number))

    await morning.until(lambda: filled() == OFFERED)
    served, part = divmod(OFFERED, EACH)
    assert states(morning, run.number) == {
        OrderState.FILLED: served,
        OrderState.OPEN: 97 - served,
        OrderState.REJECTED: 3,
    }
    partly = [one for one in desk.orders.all(run=run.number, live=True) if one.filled_quantity]
    assert [one.filled_quantity for one in partly] == [part]
    rejected = {
        one.client_id: one for one in desk.orders.all(run=run.number) if one.state is OrderState.REJECTED
    }
    assert rejected.keys() == {*REJECTED, CUT}
    assert all(one.blocked_paise == 0 for one in rejected.values())
    session = desk.sessions.of(CUT)
    assert session is not None
    assert session.problem is SessionProblem.ENDED
    assert {row.client_id for row in desk.gate.rows() if row.reason is Reason.SESSION_EXPIRED} == {CUT}
    sent_once(morning)
    return run.number


async def all_of_it_fills_and_money_agrees(morning: Morning, bought: int) -> None:
    desk = morning.desk
    morning.exchange.pin("RELIANCE", 2450_00)
    await morning.until(lambda: OrderState.OPEN not in states(morning, bought))
    assert states(morning, bought) == {OrderState.FILLED: 97, OrderState.REJECTED: 3}
    await desk.sessions.sign_in(CUT, morning.token(BY_NUMBER[CUT]))
    await morning.until(lambda: desk.gate.counts().ready == 100)
    money_agrees(morning, PEOPLE)


async def upstox_freezes_in_the_middle_of_a_bulk(morning: Morning) -> None:
    """For a minute Upstox answers nothing: its orders are UNKNOWN, all other clients are served as ever."""
    desk, upstox = morning.desk, morning.upstox
    morning.exchange.pin("INFY", 1500_00)
    await morning.priced("NSE:INFY")
    upstox.mishaps.add("frozen", seconds=60)
    plan = await desk.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 10))
    assert plan.orders == 100
    run = await desk.runs.start(plan, plan.digest)
    await morning.until(lambda: states(morning, run.number, AT_GROWW) == {OrderState.FILLED: 25})
    await morning.until(lambda: states(morning, run.number, AT_KITE) == {OrderState.FILLED: 50})
    assert states(morning, run.number, AT_UPSTOX).keys() <= {OrderState.SENDING, OrderState.RESERVED}
    await morning.until(lambda: states(morning, run.number, AT_UPSTOX)[OrderState.UNKNOWN])
    reds = {row.client_id for row in desk.gate.rows() if row.reason is not None}
    assert reds <= set(AT_UPSTOX), "only its own clients are kept out"
    await morning.passed(60)
    await morning.until(lambda: states(morning, run.number) == {OrderState.FILLED: 100})
    sent_once(morning)
    await morning.compared(PEOPLE)
    money_agrees(morning, PEOPLE)


async def a_cancel_all_finds_one_broker_dead(morning: Morning) -> None:
    desk, exchange = morning.desk, morning.exchange
    await morning.priced("NSE:ITC")
    exchange.pin("ITC", 284_00)
    before = {one.client_id: one for one in desk.funds.all()}
    plan, run = await morning.send(buy("ITC", SizingKind.FIXED_QUANTITY, 100, limit_paise=280_00))
    assert run.counts[RunCount.OPEN] == 100
    morning.groww.mishaps.add("unavailable")
    certificate = await fire(morning)
    assert (certificate.cancelled, certificate.ended) == (75, False)
    assert {one.client_id for one in certificate.unread} == set(AT_GROWW)
    assert desk.funds.of(AT_GROWW[0]).blocked_paise > 0, "nothing is freed without proof"
    morning.groww.mishaps.clear()
    again = await fire(morning)
    assert again.ended
    assert states(morning, run.number) == {OrderState.CANCELLED: 100}
    assert certificate.released_paise + again.released_paise == plan.reserve_paise
    assert {one.client_id: one for one in desk.funds.all()} == before
    assert [exchange.funds(one.user_id).blocked_paise for one in PEOPLE] == [0] * 100
    for number in {certificate.number, again.number}:
        await desk.halt.resume(number, "resume", "tester")
    assert desk.trading_disabled is None


async def fire(morning: Morning) -> Certificate:
    task = asyncio.create_task(morning.desk.halt.fire("tester"))
    await morning.until(task.done)
    return await task


async def the_day_closes_at_all(morning: Morning) -> None:
    desk, exchange = morning.desk, morning.exchange
    await morning.priced("NSE:RELIANCE")
    plan, run = await morning.send(sell("RELIANCE", SizingKind.PERCENT_OF_POSITION, 5000))
    assert plan.orders == 97
    await morning.until(lambda: states(morning, run.number) == {OrderState.FILLED: 97})
    await morning.priced("NSE:ITC")
    _, resting = await morning.send(buy("ITC", SizingKind.FIXED_QUANTITY, 50, limit_paise=279_00))
    assert resting.counts[RunCount.OPEN] == 100
    await morning.compared(PEOPLE)
    money_agrees(morning, PEOPLE)
    exchange.jump(datetime(2026, 11, 18, 10, 30, tzinfo=UTC))
    await morning.until(lambda: desk.market_clock.trading_day == date(2026, 11, 19))
    await morning.until(lambda: states(morning, resting.number) == {OrderState.EXPIRED: 100})
    assert all(desk.funds.of(one.number).blocked_paise == 0 for one in PEOPLE)
    sent_once(morning)
