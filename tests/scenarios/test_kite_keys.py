"""Clients whose api keys have no stream, at a local Kite: their sessions stand, and their books are
polled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from brokers.simulators.kite.apps import own_app
from data.vocabulary import DeskKind, GateItem, OrderState, Reason, SessionProblem, SizingKind
from engine.desk import Desk
from tests.desks import buy, gate_words, on_its_books, on_tape
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk

PEOPLE = [Person(number) for number in range(1, 7)]
PAID, FREE = PEOPLE[3], [one for one in PEOPLE if one is not PEOPLE[3]]
TCS = "NSE:TCS"


def key_of(person: Person) -> str:
    return own_app(person.user_id)[0]


def without_stream(morning: Morning, people: list[Person]) -> None:
    morning.kite.switches.change({"no_stream": {key_of(one): 403 for one in people}})


def told(desk: Desk, words: str) -> list[str]:
    return on_tape(desk, words)


def sockets_of(morning: Morning) -> list[str]:
    return morning.kite.sockets.users


@asynccontextmanager
async def beside(morning: Morning, kind: DeskKind = DeskKind.COMMAND) -> AsyncIterator[Desk]:
    settings = on_its_books(
        Settings(market="kite", kite_url=morning.kite.url, vault="file", trader="other"), morning.desk.home
    )
    async with compose_desk(
        morning.desk.home,
        kind,
        clock=morning.clock,
        settings=settings,
        seed=8,
        passphrase=lambda: "only for rehearsals",
    ) as other:
        assert isinstance(other, Desk)
        yield other


@pytest.mark.proof
async def test_one_paid_key_is_enough_for_everybody_to_trade(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        without_stream(morning, FREE)
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: told(desk, "no stream for the api keys of 5 of 6 clients"))
        assert sockets_of(morning) == [PAID.user_id]
        assert desk.gate.counts().ready == len(PEOPLE), "REST goes on for all of them"
        sessions = [desk.sessions.of(one.number) for one in PEOPLE]
        assert {one.problem for one in sessions if one is not None} == {SessionProblem.NONE}
        words = {one.code: gate_words(desk, one.number, GateItem.SESSION) for one in PEOPLE}
        assert {code for code, said in words.items() if "its api key has no stream" in said} == {
            one.code for one in FREE
        }
        assert told(desk, "prices"), "the first who signed in was to bring the prices"
        await morning.passed(10)
        assert len(told(desk, "no stream for the api keys")) == 1

        await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
        await desk.market.follow({TCS}, "test")
        await morning.until(lambda: (age := desk.market.age(TCS)) is not None and age < 1)
        morning.exchange.pin(TCS, 2_500_00)
        await morning.until(lambda: (q := desk.market.quote(TCS)) is not None and q.last_paise == 2_500_00)
        limit = buy("TCS", SizingKind.FIXED_QUANTITY, 10, limit_paise=2_480_00)
        _, run = await morning.send(limit)
        orders = desk.orders.all(run=run.number)
        await morning.until(lambda: all(desk.orders.get(o.id).state is OrderState.OPEN for o in orders))
        began = morning.clock.monotonic()
        morning.exchange.pin(TCS, 2_470_00)
        await morning.until(lambda: all(desk.orders.get(o.id).state is OrderState.FILLED for o in orders))
        assert morning.clock.monotonic() - began < 12, "the books of those with orders are read every 5 s"


async def test_what_a_key_lacks_is_kept_and_tried_again_on_a_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        without_stream(morning, FREE)
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: told(morning.desk, "no stream for the api keys"))
        asked: list[str] = []
        serve = morning.kite.stream_refusal
        monkeypatch.setattr(morning.kite, "stream_refusal", lambda key: asked.append(key) or serve(key))
        async with beside(morning, DeskKind.SCRIPT) as other:
            await morning.until(lambda: told(other, "no stream for the api keys of 5 of 6 clients"))
            assert set(asked) == {key_of(PAID)}, "what is known is not tried again"
        morning.kite.switches.change({"no_stream": {key_of(FREE[0]): None}})
        await morning.sign_in([FREE[0]])
        await morning.until(lambda: sockets_of(morning) == sorted([FREE[0].user_id, PAID.user_id]))


async def test_without_any_feed_plans_are_refused_by_age(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE[:2]) as morning:
        desk = morning.desk
        without_stream(morning, PEOPLE[:2])
        await morning.sign_in(PEOPLE[:2])
        await morning.until(lambda: told(desk, "plans are refused by the age of prices"))
        await morning.until(lambda: told(desk, "no api key brings prices"))
        await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE[:2]))
        assert desk.gate.counts().ready == 2
        assert desk.market.feed_age() is None
        asked = asyncio.create_task(desk.plans.preview(buy("TCS", SizingKind.FIXED_QUANTITY, 1)))
        await morning.until(asked.done)
        assert {line.reason for line in (await asked).lines} == {Reason.PRICE_STALE}


async def test_a_session_that_rest_refuses_too_is_over(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE[:2]) as morning:
        await morning.sign_in(PEOPLE[:2])
        await morning.until(lambda: len(sockets_of(morning)) == 2)
        morning.kite.sessions.end_user(PEOPLE[0].user_id)
        await morning.until(lambda: morning.desk.gate.counts().ready == 1)
        session = morning.desk.sessions.of(PEOPLE[0].number)
        assert session is not None
        assert session.problem is SessionProblem.ENDED
        assert not told(morning.desk, "no stream")


async def test_a_command_opens_sockets_for_those_alone_whose_orders_it_waits_for(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        await morning.sign_in(PEOPLE)
        own = sorted(one.user_id for one in PEOPLE)
        await morning.until(lambda: sockets_of(morning) == own)
        async with beside(morning) as other:
            asked = asyncio.create_task(other.market.fetch([TCS]))
            await morning.until(asked.done)
            assert set(await asked) == {TCS}
            await morning.passed(3)
            assert sockets_of(morning) == own
            await other.hear({2, 5})
            both = sorted([*own, PEOPLE[1].user_id, PEOPLE[4].user_id])
            await morning.until(lambda: sockets_of(morning) == both)
        await morning.until(lambda: sockets_of(morning) == own)


async def test_a_command_asks_for_prices_whoever_has_them(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        without_stream(morning, FREE)
        async with beside(morning) as other:
            for one in PEOPLE:
                await other.sessions.sign_in(one.number, morning.token(one))
            await morning.close_desk()
            asked = asyncio.create_task(other.market.fetch([TCS]))
            await morning.until(asked.done)
            assert set(await asked) == {TCS}
            sessions = [other.sessions.of(one.number) for one in PEOPLE]
            assert {one.problem for one in sessions if one is not None} == {SessionProblem.NONE}
