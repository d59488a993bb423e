"""What another process does at a local Kite, as the desk that is open beside it sees it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from data.errors import BadInput
from data.vocabulary import DeskKind, SessionState
from engine.desk import Desk
from tests.desks import WAITS, on_its_books
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk

PEOPLE = [Person(number) for number in range(1, 4)]


@asynccontextmanager
async def beside(morning: Morning) -> AsyncIterator[Desk]:
    """What a command opens on the same home."""
    settings = on_its_books(
        Settings(market="kite", kite_url=morning.kite.url, vault="file", trader="other"), morning.desk.home
    )
    async with compose_desk(
        morning.desk.home,
        DeskKind.COMMAND,
        clock=morning.clock,
        settings=settings,
        waits=WAITS,
        seed=8,
        passphrase=lambda: "only for rehearsals",
    ) as other:
        assert isinstance(other, Desk)
        yield other


async def test_two_processes_do_not_sign_the_same_client_in_at_once(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning, beside(morning) as other:
        one, asked, answered = PEOPLE[0], asyncio.Event(), asyncio.Event()
        broker = morning.desk.connections.feed.broker
        exchange = broker.exchange_token

        async def slowly(*given: Any) -> Any:
            asked.set()
            await answered.wait()
            return await exchange(*given)

        vars(broker)["exchange_token"] = slowly
        first = asyncio.create_task(morning.desk.sessions.sign_in(one.number, morning.token(one)))
        await asked.wait()
        with pytest.raises(BadInput, match="its sign-in is under way"):
            await other.sessions.sign_in(one.number, morning.token(one))
        answered.set()
        await first
        await morning.until(lambda: morning.client(one).session is SessionState.OK)
        assert await morning.desk.sessions.check(one.number)
        await other.sessions.sign_in(one.number, morning.token(one))


async def test_a_sign_in_by_command_brings_the_prices_to_the_open_desk(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        await desk.market.follow({"NSE:TCS"}, "test")  # nobody is signed in; it is wanted all the same
        assert desk.market.quote("NSE:TCS") is None
        async with beside(morning) as other:
            for one in PEOPLE:
                await other.sessions.sign_in(one.number, morning.token(one))
        await morning.until(lambda: desk.gate.counts().ready == len(PEOPLE))
        await morning.until(lambda: desk.market.quote("NSE:TCS") is not None)
        await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
