"""What another process does at a local Kite, as the desk that is open beside it sees it."""

from pathlib import Path

import pytest

from brokers.contract import SessionExpired
from tests.scenarios.kite_morning import Person, kite_morning
from tradedesk.settings import Settings
from tradedesk.wiring import open_desk

PEOPLE = [Person(number) for number in range(1, 4)]


async def test_a_sign_in_by_command_brings_the_prices_to_the_open_desk(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        with pytest.raises(SessionExpired):  # nobody is signed in; it is wanted all the same
            await desk.market.follow({"NSE:TCS"}, "test")
        settings = Settings(market="kite", kite_url=morning.kite.url, vault="file", trader="other")
        async with open_desk(
            tmp_path,
            "cli",
            clock=morning.clock,
            settings=settings,
            seed=8,
            passphrase=lambda: "only for rehearsals",
        ) as other:
            for one in PEOPLE:
                await other.sessions.sign_in(one.number, morning.token(one))
        await morning.until(lambda: desk.gate.counts().ready == len(PEOPLE))
        await morning.until(lambda: desk.market.quote("NSE:TCS") is not None)
        await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
