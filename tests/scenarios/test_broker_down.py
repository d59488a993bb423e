"""Two brokers in one home, over sockets: the clients of one that freezes are red, and may sell and cancel."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from brokers.upstox.broker import UpstoxBroker
from brokers.wire.calls import CallWaits
from data.vocabulary import GateColour, GateItem, OrderState, Reason, SessionState, SizingKind
from engine.planning.intent import Intent
from engine.planning.plan import Plan
from engine.words.gate import verdict_words
from engine.words.tape import news_words
from engine.words.trading.why import detail_words
from tests.desks import buy, on_its_books, sell
from tests.scenarios.kite_morning import PASSPHRASE, Morning, Person, kite_morning
from tests.scenarios.kite_morning import WAITS as MORNING_WAITS
from tradedesk.compose.brokers import upstox
from tradedesk.compose.desk_access import UPSTOX, ZERODHA
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

T = TypeVar("T")

AT_KITE, AT_UPSTOX = range(1, 4), range(4, 7)
PEOPLE = [Person(number) for number in AT_KITE] + [Person(number, broker=UPSTOX) for number in AT_UPSTOX]


FROZEN_S = 240
"""Longer than a round of reads takes; what is asked meanwhile is answered at its end."""

WAITS = CallWaits(read_s=0.2)
"""Real seconds that a call waits for an answer."""


def colours(morning: Morning, numbers: range) -> set[GateColour]:
    """Of the sessions of these clients at the gate."""
    return {morning.desk.gate.of(number).check(GateItem.SESSION).colour for number in numbers}


def reasons(morning: Morning, numbers: range) -> set[Reason | None]:
    return {morning.desk.gate.of(number).reason for number in numbers}


@pytest.mark.proof
async def test_a_broker_that_is_down_turns_its_own_clients_red_and_only_their_buys_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstox, "UpstoxBroker", partial(UpstoxBroker, waits=WAITS))
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
        await morning.until(lambda: desk.market.index.listing(UPSTOX, "NSE:INFY"))
        morning.exchange.pin("INFY", 1500_00)
        await morning.priced("NSE:INFY")
        _, held = await morning.send(buy("INFY", SizingKind.FIXED_QUANTITY, 10))
        await morning.until(lambda: states(morning, held.number) == {OrderState.FILLED})
        _, resting = await morning.send(buy("INFY", SizingKind.FIXED_QUANTITY, 1, limit_paise=1450_00))
        await morning.until(lambda: states(morning, resting.number) == {OrderState.OPEN})

        morning.upstox.mishaps.add("frozen", seconds=FROZEN_S)
        await morning.until(lambda: reads_fail(morning), 1.0)
        assert reasons(morning, AT_UPSTOX) == {None}, "one read that fails keeps nothing back"

        await morning.until(lambda: reasons(morning, AT_UPSTOX) == {Reason.BROKER_DOWN}, 2.0)
        assert colours(morning, AT_UPSTOX) == {GateColour.RED}
        assert desk.clients.ready_count() == len(AT_KITE)
        assert reasons(morning, AT_KITE) == {None}
        assert colours(morning, AT_KITE) == {GateColour.GREEN}
        judged = desk.gate.of(AT_UPSTOX[0]).check(GateItem.SESSION).judged
        told = verdict_words(judged, desk.shown_at)
        assert told.startswith("Upstox does not answer since ")

        await morning.priced("NSE:INFY")
        wish = buy("INFY", SizingKind.FIXED_QUANTITY, 2)
        plan = await previewed(morning, wish)
        lines = {line.client_id: line for line in plan.lines}
        assert {number for number, line in lines.items() if line.ok} == set(AT_KITE)
        assert {lines[number].reason for number in AT_UPSTOX} == {Reason.BROKER_DOWN}
        assert detail_words(lines[AT_UPSTOX[0]]) == told
        sale = await previewed(morning, sell("INFY", SizingKind.FIXED_QUANTITY, 2))
        assert all(line.ok for line in sale.lines), "a sale is tried"

        await morning.until(lambda: reasons(morning, AT_UPSTOX) == {None}, 2.0)
        assert colours(morning, AT_UPSTOX) == {GateColour.GREEN}
        tape = [news_words(line.news) for line in desk.tape()]
        assert f"{told}: 3 clients red; sales and cancels are tried" in tape
        assert "Upstox answers again" in tape


def states(morning: Morning, run: int) -> set[OrderState]:
    return {one.state for one in morning.desk.orders.all(run=run)}


async def previewed(morning: Morning, wish: Intent) -> Plan:
    """A preview, for which time goes by as long as it asks the brokers."""
    asked = asyncio.create_task(morning.desk.plans.preview(wish))
    await morning.until(asked.done)
    return await asked


def reads_fail(morning: Morning) -> bool:
    """Whether the books of none at Upstox could be read when they were last."""
    watcher = seam(morning.desk).workers.watcher
    return all(watcher.why_unread(number) for number in AT_UPSTOX)


async def in_time(morning: Morning, work: Coroutine[Any, Any, T]) -> T:
    """What this returns; the clock moves on meanwhile, since what is under way has its patience."""
    under_way = asyncio.create_task(work)
    await morning.until(under_way.done)
    return await under_way


@pytest.mark.parametrize("down", [UPSTOX, ZERODHA])
async def test_a_desk_opens_beside_a_broker_that_is_down(tmp_path: Path, down: str) -> None:
    people = [Person(1), Person(2, broker=UPSTOX)]
    async with kite_morning(tmp_path, people) as morning:
        day = morning.desk.market_clock.trading_day
        await morning.sign_in(people)
        await in_time(morning, close(morning))
        await (morning.upstox if down == UPSTOX else morning.kite).stop()
        settings = on_its_books(
            Settings(market="kite", kite_url=morning.kite.url, vault="file", trader="tester"), tmp_path
        )
        again = compose_desk(
            tmp_path,
            clock=morning.clock,
            settings=settings,
            waits=MORNING_WAITS,
            passphrase=lambda: PASSPHRASE,
        )
        async with AsyncExitStack() as stack:
            desk = await in_time(morning, stack.enter_async_context(again))
            assert desk.market_clock.trading_day == day
            up = next(one.number for one in people if one.broker != down)
            await in_time(morning, desk.reconcile.check(up))
            assert desk.clients.get(up).session is SessionState.OK
            await in_time(morning, stack.aclose())


async def close(morning: Morning) -> None:
    await morning.close_desk()
