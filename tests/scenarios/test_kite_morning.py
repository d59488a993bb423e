"""A whole morning of a hundred clients at a local Kite, from the sign-in to the close, through the Desk."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime

import pytest

from brokers.contract import OrderRequest
from data.records import replace
from data.vocabulary import (
    BreakKind,
    ClientStatus,
    Demat,
    GateItem,
    OrderState,
    OrderType,
    Product,
    Reason,
    RouteKind,
    RunCount,
    SessionProblem,
    Side,
    SizingKind,
)
from engine.access.routes import NewRoute
from engine.access.sign_in_queue import SignInState
from engine.halt.certificate import Certificate
from engine.words.gate import verdict_words
from tests.desks import buy, gate_words, sell
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tradedesk.compose.rehearsing.rehearsal import request_token

LIMIT = 2450_40
BIG_ORDERS_AT = datetime(2026, 11, 18, 3, 47, tzinfo=UTC)
"""09:17 IST, when the walk of the seed offers 8,884 shares of RELIANCE up to the limit."""
OFFERED = 8_884
EACH = 112
"""What a quarter of eleven lakh buys at the limit."""

PHONE, BAND, CUT = 5, (6, 7), 8
NO_MONEY, TINY, INACTIVE, PENDING = (89, 90), 91, 92, 93
CONSENT_OVER, SHARED, STRANGER, USED, NO_DDPI, ENDING = 94, (95, 96), 97, 98, 99, 100
TOLD_WRONG = (10, 11, 12)


def person(number: int) -> Person:
    """One of the hundred; most are alike, so that it is known how many of them a given depth serves."""
    one, route = Person(number), NewRoute(RouteKind.OWN, consent="2026-01")
    if number in NO_MONEY:
        return replace(one, cash_paise=1_00_000_00)
    if number == TINY:
        return replace(one, capital_paise=5_000_00)
    if number in (INACTIVE, PENDING):
        return replace(one, status=ClientStatus.INACTIVE if number == INACTIVE else ClientStatus.PENDING)
    if number in TOLD_WRONG:
        return replace(one, told_paise=one.cash_paise + 1_000_00)
    if number == CONSENT_OVER:
        return replace(one, route=replace(route, consent_until=date(2026, 11, 17)))
    if number in SHARED:
        return replace(one, route=replace(route, egress_ip="203.0.113.200"))
    if number == NO_DDPI:
        return replace(one, route=replace(route, demat=Demat.NONE))
    if number == ENDING:
        return replace(one, route=replace(route, consent_until=date(2026, 11, 20)))
    return one


PEOPLE = [person(number) for number in range(1, 101)]
BY_NUMBER = {one.number: one for one in PEOPLE}


@pytest.mark.proof
async def test_a_morning_of_a_hundred_clients(tmp_path):
    async with kite_morning(tmp_path, PEOPLE) as morning:
        await everybody_signs_in(morning)
        await the_gate_is_read(morning)
        await books_are_compared(morning)
        bought = await a_bulk_buy_fills_in_part(morning)
        await the_rest_fills_and_money_agrees(morning, bought)
        await who_was_cut_off_signs_in_again(morning)
        await half_is_sold(morning, bought)
        await resting_orders_are_cancelled_and_certified(morning)
        await the_day_closes(morning)
        assert (await morning.desk.audit.verify()).ok
        assert [check for check in await morning.desk.doctor.run() if not check.ok] == []


async def everybody_signs_in(morning: Morning) -> None:
    desk, kite = morning.desk, morning.kite
    queue = desk.sessions.queue()
    assert len(queue.entries) == 98, "the inactive and the pending client have no sign-in"
    spent = ""
    while (client := queue.current) is not None:
        one = BY_NUMBER[client.id]
        assert one.user_id not in await queue.link()
        if client.id == STRANGER:
            queue.submit(morning.token(one, BY_NUMBER[1]))
        elif client.id == USED:
            spent = await request_token(desk, client)
            await desk.sessions.sign_in(client.id, spent)
            await desk.sessions.expire(client.id, "the test ends it")
            queue.submit(spent)
        else:
            queue.submit(await request_token(desk, client))
    await queue.settled()
    red = {one.client_id: one.words for one in queue.red()}
    assert red.keys() == {STRANGER, USED}
    assert "Token is invalid or has expired." in red[USED]
    assert spent not in red[USED]
    assert "session of ZK0001" in red[STRANGER]
    assert "(client KC0001)" in red[STRANGER]

    queue.retry(USED)
    queue.submit(await request_token(desk, desk.clients.get(USED)))
    await queue.settled()
    assert Counter(one.state for one in queue.entries) == {SignInState.DONE: 97, SignInState.RED: 1}
    assert queue.progress().done == 97
    await morning.until(lambda: len(kite.sockets) == 97)


async def the_gate_is_read(morning: Morning) -> None:
    desk = morning.desk
    counts = desk.gate.counts()
    assert (counts.ready, counts.red, counts.out) == (93, 5, 2)
    assert {row.client_id: row.reason for row in desk.gate.rows() if row.reason is not None} == {
        INACTIVE: Reason.CLIENT_INACTIVE,
        PENDING: Reason.CLIENT_PENDING,
        CONSENT_OVER: Reason.CONSENT_MISSING,
        SHARED[0]: Reason.ROUTE_NOT_READY,
        SHARED[1]: Reason.ROUTE_NOT_READY,
        STRANGER: Reason.SESSION_EXPIRED,
        ENDING: Reason.CONSENT_MISSING,
    }
    waived = await desk.gate.waive(ENDING, GateItem.CONSENT, "renewed by post, seen by A.")
    assert waived.reason is None
    assert desk.gate.counts().ready == 94
    words = {n: gate_words(desk, n, GateItem.SESSION) for n in (STRANGER, USED)}
    assert "(client KC0001)" in words[STRANGER]
    assert words[USED].startswith("signed in")
    route = desk.gate.of(SHARED[0]).check(GateItem.ROUTE).judged
    assert verdict_words(route, desk.shown_at).startswith("shares 203.0.113.200 with KC0096")


async def books_are_compared(morning: Morning) -> None:
    desk = morning.desk
    ready = [BY_NUMBER[row.client_id] for row in desk.gate.rows() if row.reason is None]
    await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in ready))
    await morning.until(lambda: desk.gate.counts().amber == 1)  # who has no DDPI
    adopted = await desk.audit.rows(1_000, action="DAY_OPEN_ADOPTED")
    assert {row.client_id for row in adopted} == set(TOLD_WRONG)
    assert desk.reconcile.breaks() == []
    money_agrees(morning, ready)


def money_agrees(morning: Morning, people: list[Person]) -> None:
    """Free and blocked money together are the same to the paisa at both sides."""
    for one in people:
        ours, theirs = morning.desk.funds.of(one.number), morning.exchange.funds(one.user_id)
        here = ours.available_paise + ours.blocked_paise - ours.shortfall_paise
        assert here == theirs.available_paise + theirs.blocked_paise, one.code


def states(morning: Morning, run: int) -> dict[int, OrderState]:
    return {order.client_id: order.state for order in morning.desk.orders.all(run=run)}


async def a_bulk_buy_fills_in_part(morning: Morning) -> int:
    desk, kite, exchange = morning.desk, morning.kite, morning.exchange
    exchange.pin("ITC", 284_00)
    # One client spends its money on its phone after the books were compared.
    phone = OrderRequest(
        "NSE", "ITC", Side.BUY, 3_900, Product.CNC, OrderType.LIMIT, tag="", price_paise=280_00
    )
    await morning.by_phone(BY_NUMBER[PHONE], phone)
    for number in BAND:
        kite.mishaps.add("rms_reject", user_id=BY_NUMBER[number].user_id, route="place", count=1)
    kite.mishaps.add("token_expired", user_id=BY_NUMBER[CUT].user_id, route="place", count=1)

    await morning.priced("NSE:RELIANCE")
    exchange.jump(BIG_ORDERS_AT)
    plan, run = await morning.send(buy("RELIANCE", SizingKind.PERCENT_OF_CAPITAL, 2500, limit_paise=LIMIT))
    assert plan.orders == 91
    assert {line.quantity for line in plan.ok_lines} == {EACH}
    assert plan.skipped_by_reason == {
        Reason.INSUFFICIENT_FUNDS: 2,
        Reason.QUANTITY_ZERO: 1,
        Reason.CLIENT_INACTIVE: 1,
        Reason.CLIENT_PENDING: 1,
        Reason.CONSENT_MISSING: 1,
        Reason.ROUTE_NOT_READY: 2,
        Reason.SESSION_EXPIRED: 1,
    }
    served, part = divmod(OFFERED, EACH)
    exchange.pin("RELIANCE", 2455_00)  # the price leaves the limit behind, so nothing more trades

    def filled() -> int:
        return sum(order.filled_quantity for order in desk.orders.all(run=run.number))

    await morning.until(lambda: filled() == OFFERED)
    orders = {order.client_id: order for order in desk.orders.all(run=run.number)}
    assert Counter(order.state for order in orders.values()) == {
        OrderState.FILLED: served,
        OrderState.OPEN: 87 - served,
        OrderState.REJECTED: 4,
    }
    partly = [one for one in orders.values() if one.state is OrderState.OPEN and one.filled_quantity]
    assert [one.filled_quantity for one in partly] == [part]
    rejected = {n: one for n, one in orders.items() if one.state is OrderState.REJECTED}
    assert rejected.keys() == {PHONE, *BAND, CUT}
    assert "Insufficient funds" in rejected[PHONE].reason_text
    assert all("circuit limit" in rejected[number].reason_text for number in BAND)
    assert rejected[CUT].reason_code == "session_expired"
    assert all(one.blocked_paise == 0 for one in rejected.values())
    assert sum(kite.received.values()) == plan.orders - 1, "Kite turns who is cut off away at the door"
    assert set(kite.received.values()) == {1}, "every order was sent once"

    session = desk.sessions.of(CUT)
    assert session is not None
    assert session.problem is SessionProblem.ENDED
    assert {row.client_id for row in desk.gate.rows() if row.reason is Reason.SESSION_EXPIRED} == {
        STRANGER,
        CUT,
    }
    return run.number


async def the_rest_fills_and_money_agrees(morning: Morning, bought: int) -> None:
    desk, exchange = morning.desk, morning.exchange
    exchange.pin("RELIANCE", 2450_00)
    await morning.until(lambda: OrderState.OPEN not in states(morning, bought).values())
    orders = desk.orders.all(run=bought)
    assert Counter(one.state for one in orders) == {OrderState.FILLED: 87, OrderState.REJECTED: 4}
    assert sum(one.filled_quantity for one in orders) == 87 * EACH
    paid = {
        one.client_id: sum(
            trade.quantity * trade.price_paise for trade in exchange.trades(BY_NUMBER[one.client_id].user_id)
        )
        for one in orders
    }
    assert {one.client_id: one.filled_notional_paise for one in orders} == paid
    holders = [BY_NUMBER[one.client_id] for one in orders if one.state is OrderState.FILLED]
    money_agrees(morning, holders)
    for one in holders:
        (holding,) = desk.holdings.of(one.number)
        (theirs,) = exchange.holdings(one.user_id)
        assert (holding.quantity, theirs.today) == (EACH, EACH)
        assert desk.funds.of(one.number).blocked_paise == 0


async def who_was_cut_off_signs_in_again(morning: Morning) -> None:
    desk = morning.desk
    queue = desk.sessions.queue()
    assert [one.client_id for one in queue.entries] == [CUT, STRANGER]
    while (client := queue.current) is not None:
        queue.submit(await request_token(desk, client))
    await queue.settled()
    assert queue.progress().done == 2
    assert desk.gate.counts().ready == 95


async def half_is_sold(morning: Morning, bought: int) -> None:
    desk, exchange = morning.desk, morning.exchange
    await morning.priced("NSE:RELIANCE")
    plan, run = await morning.send(sell("RELIANCE", SizingKind.PERCENT_OF_POSITION, 5000))
    assert plan.orders == 87
    assert {line.quantity for line in plan.ok_lines} == {EACH // 2}
    await morning.until(lambda: set(states(morning, run.number).values()) == {OrderState.FILLED})
    people = [BY_NUMBER[line.client_id] for line in plan.ok_lines]
    assert all(desk.holdings.of(one.number)[0].quantity == EACH // 2 for one in people)
    assert all(exchange.holdings(one.user_id)[0].today == EACH // 2 for one in people)
    await morning.compared([*people, BY_NUMBER[PHONE]])
    # Kite does not say what an external order blocks, so that client may only sell until it is gone.
    (one,) = desk.reconcile.breaks()
    spent = 11_00_000_00 - exchange.funds(BY_NUMBER[PHONE].user_id).blocked_paise
    assert (one.client_id, one.kind, one.theirs) == (PHONE, BreakKind.CASH, spent)


async def resting_orders_are_cancelled_and_certified(morning: Morning) -> None:
    desk, exchange = morning.desk, morning.exchange
    await morning.priced("NSE:ITC")
    before = {one.client_id: one for one in desk.funds.all()}
    some = tuple(range(20, 61))
    plan, run = await morning.send(buy("ITC", SizingKind.FIXED_QUANTITY, 100, *some, limit_paise=280_00))
    assert run.counts[RunCount.OPEN] == 41
    blocked = sum(exchange.funds(BY_NUMBER[number].user_id).blocked_paise for number in some)
    assert blocked == 41 * 100 * 280_00
    certificate = await _fire(morning)
    assert (certificate.cancelled, certificate.ended) == (41, True)
    assert certificate.refused + certificate.unknown + certificate.unreachable == 0
    assert certificate.released_paise == plan.reserve_paise
    assert [(one.client_id, one.quantity, one.result) for one in certificate.external] == [
        (PHONE, 3_900, "ended")
    ]
    assert {one.client_id: one for one in desk.funds.all()} == before
    assert [exchange.funds(one.user_id).blocked_paise for one in PEOPLE] == [0] * 100
    await desk.halt.resume(certificate.number, "resume", "tester")
    assert desk.trading_disabled is None
    await morning.compared(PEOPLE[:91])
    assert desk.reconcile.breaks() == []
    money_agrees(morning, PEOPLE[:91])


async def _fire(morning: Morning) -> Certificate:
    task = asyncio.create_task(morning.desk.halt.fire("tester"))
    await morning.until(task.done)
    return await task


async def the_day_closes(morning: Morning) -> None:
    desk, exchange = morning.desk, morning.exchange
    some = tuple(range(30, 40))
    await morning.priced("NSE:ITC")
    _, run = await morning.send(buy("ITC", SizingKind.FIXED_QUANTITY, 50, *some, limit_paise=279_00))
    assert run.counts[RunCount.OPEN] == 10
    exchange.jump(datetime(2026, 11, 18, 10, 30, tzinfo=UTC))
    await morning.until(lambda: desk.market_clock.trading_day == date(2026, 11, 19))
    await morning.until(lambda: set(states(morning, run.number).values()) == {OrderState.EXPIRED})
    assert all(desk.funds.of(number).blocked_paise == 0 for number in some)
    await morning.until(lambda: len(desk.sessions.due()) == 98)
    assert desk.gate.counts().ready == 0
    assert len(morning.kite.sockets) == 0
    assert {one.session for one in desk.clients.all() if one.status is ClientStatus.ACTIVE} == {"expired"}
