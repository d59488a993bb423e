"""Shares on margin at a local Kite: ladder, floor by pay-ins and pay-outs, pledges, interest, consent."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from brokers.simulators.exchange.accounts import pay
from data.records import replace
from data.reference.mtf import interest_between
from data.vocabulary import (
    AlertKind,
    Demat,
    MtfLevel,
    OrderState,
    PledgeState,
    Product,
    Reason,
    RouteKind,
    SizingKind,
)
from engine.access.routes import NewRoute
from tests.desks import buy
from tests.scenarios.kite_morning import Morning, Person, kite_morning

LAKH = 1_00_000_00
OWN = NewRoute(RouteKind.OWN, consent="2026-01")
PEOPLE = [
    Person(1, cash_paise=LAKH, capital_paise=LAKH, mtf_limit_paise=5 * LAKH),
    Person(2, mtf_limit_paise=5 * LAKH, route=replace(OWN, mtf_enabled=False)),
    Person(3, mtf_limit_paise=5 * LAKH),
]
LIMIT = 2_500_00
WISH = buy("TCS", SizingKind.FIXED_QUANTITY, 100, product=Product.MTF, limit_paise=LIMIT)


@pytest.fixture
async def morning(tmp_path: Path) -> AsyncIterator[Morning]:
    """Everybody is signed in, and whoever agreed to MTF has bought 100 TCS by it."""
    async with kite_morning(tmp_path, PEOPLE) as one:
        one.exchange.pin("NSE:TCS", LIMIT, LIMIT)
        await one.sign_in(PEOPLE)
        await one.until(lambda: all(one.desk.reconcile.is_compared(who.number) for who in PEOPLE))
        await one.priced(WISH.key)
        yield one


async def bought(morning: Morning) -> None:
    plan, _ = await morning.send(WISH)
    assert {line.client_id: line.reason for line in plan.lines} == {
        1: None,
        2: Reason.MTF_NO_CONSENT,
        3: None,
    }
    orders = morning.desk.orders.all()
    await morning.until(
        lambda: {morning.desk.orders.get(one.id).state for one in orders} == {OrderState.FILLED}
    )
    await morning.compared([PEOPLE[0], PEOPLE[2]])
    await morning.desk.mtf.read()


async def finished(morning: Morning, work: Coroutine[Any, Any, object]) -> None:
    """Have work end while time passes."""
    task = asyncio.create_task(work)
    await morning.until(task.done)
    await task


async def test_who_has_not_agreed_is_skipped_and_the_ladder_of_the_others_is_told(morning: Morning) -> None:
    await bought(morning)
    view = morning.desk.mtf.of(1)
    assert view.base_paise == LAKH  # what the first comparison adopted is what the client came with
    assert view.loan_paise == sum(stock.loan_paise for stock in view.stocks) > 0
    assert [rung.threshold.level for rung in view.rungs] == list(MtfLevel)
    assert not any(rung.reached for rung in view.rungs)
    assert next(iter(morning.desk.mtf.all())).client_id == 1  # the least cash is nearest a call


async def test_a_pledge_waits_unless_the_broker_tells_of_a_ddpi(morning: Morning) -> None:
    await bought(morning)
    states = {one.client_id: one.state for one in morning.desk.mtf.pledges()}
    routes = {one.client_id: one for one in morning.desk.routes.all()}
    for who, state in states.items():
        by_itself = routes[who].demat in (Demat.DDPI, Demat.POA)
        assert state is (PledgeState.AUTOMATIC if by_itself else PledgeState.PENDING)


async def test_a_fall_alerts_and_a_withdrawal_does_not(morning: Morning) -> None:
    await bought(morning)
    desk, exchange = morning.desk, morning.exchange
    with exchange.transaction():
        pay(exchange.books, PEOPLE[0].user_id, -40_000_00)
    await finished(morning, desk.reconcile.check(1))
    (found,) = desk.reconcile.breaks(1)
    assert found.theirs - found.ours == -40_000_00
    await finished(morning, desk.reconcile.adopt(1, "paid out to the client"))
    await desk.mtf.read()
    view = desk.mtf.of(1)
    assert view.base_paise == 60_000_00
    assert view.portfolio_paise < 70_000_00
    assert not view.rungs[0].reached

    exchange.pin("NSE:TCS", 2_310_00, LIMIT)
    await morning.priced(WISH.key)
    await desk.mtf_alerts.look()
    await desk.alerts.read()
    told = {one.told["of"] for one in desk.alerts.standing if one.kind is AlertKind.MTF}
    assert "floor" in told
    assert desk.mtf.restoring(1)[0].pay_in_paise > 0


async def test_the_next_day_costs_the_loan_as_the_broker_counts_it(morning: Morning) -> None:
    await bought(morning)
    desk, exchange = morning.desk, morning.exchange
    loan, first = desk.funds.of(1).mtf_loan_paise, desk.market_clock.trading_day
    exchange.jump(datetime(2026, 11, 18, 10, 30, tzinfo=UTC))
    await morning.until(lambda: desk.market_clock.trading_day > first)
    await morning.until(lambda: desk.valuation.client(1).interest_today_paise)
    cost = interest_between(desk.clients.get(1).broker, first, desk.market_clock.trading_day, loan)
    assert desk.valuation.client(1).interest_today_paise == cost == desk.funds.of(1).charges_due_paise
    assert exchange.books.account(PEOPLE[0].user_id).charges_due_paise == cost
