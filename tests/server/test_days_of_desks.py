"""The change of day over several desks: each opens it for its own clients, once and for every one."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from data.engines.driver import fetch
from data.vocabulary import SizingKind, TransferKind
from engine.desk import Desk
from tests.books import database_of, database_url
from tests.desks import books_are_sound, buy, carry_out, sell, until
from tests.sharing import Firm
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

ROHAN, PRIYA, AMIT = 8, 15, 22

pytestmark = pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)


@pytest.fixture
def firm(tmp_path: Path, books_engine: str) -> Firm:
    return Firm(tmp_path, database_url(tmp_path))


def code_of(desk: Desk, client_id: int) -> str:
    return seam(desk).kept.book.clients[client_id].code


def night(desk: Desk) -> date:
    """The market goes on to its next trading day; returns that."""
    exchange_of(desk).jump(seam(desk).calendar.session_close(desk.market_clock.trading_day))
    return desk.market_clock.trading_day


def opened(firm: Firm, day: date) -> tuple[Counter[int], Counter[int], set[int]]:
    """How often each client was settled and sized on a day, and whose books are open for it."""

    def look(on):
        settled = fetch(
            on,
            "SELECT client_id FROM txn WHERE kind = ? AND trading_date = ? AND EXISTS"
            " (SELECT 1 FROM posting p WHERE p.txn_id = txn.id)",
            (TransferKind.SETTLE.value, day),
        )
        sized = fetch(on, "SELECT client_id FROM sizing_base WHERE trading_date = ?", (day,))
        rolled = fetch(on, "SELECT client_id FROM client_lease WHERE rolled_on = ?", (day,))
        return (
            Counter(one for (one,) in settled),
            Counter(one for (one,) in sized),
            {one for (one,) in rolled},
        )

    return database_of(firm.folder).read(look)


async def sold(desk: Desk, *client_ids: int) -> None:
    """Each has bought and sold for more, so that something is due as the next day opens."""
    await carry_out(desk, buy("HDFCBANK", SizingKind.FIXED_QUANTITY, 10, *client_ids))
    exchange_of(desk).pin("HDFCBANK", 1650_00, 1590_00)
    await desk.market.fetch(["NSE:HDFCBANK"])
    await carry_out(desk, sell("HDFCBANK", SizingKind.FIXED_QUANTITY, 6, *client_ids))


async def test_each_opens_the_day_for_its_own_and_who_takes_a_client_opens_it_for_that(
    firm: Firm,
) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        priya, rohan = code_of(asha, PRIYA), code_of(asha, ROHAN)
        everybody = set(seam(asha).kept.book.clients)
        await sold(asha, ROHAN, PRIYA, AMIT)
        await asha.leases.release(f"{rohan} {priya}")
        async with firm.desk("ravi", rohan, seed=8) as ravi:
            day = night(asha)
            for desk in (asha, ravi):
                await until(desk, lambda d=desk: seam(d).day == day, step_s=0.1)
            settled, sized, rolled = opened(firm, day)
            assert settled == {ROHAN: 1, AMIT: 1}, "nobody has opened it for who is nobody's"
            assert rolled == everybody - {PRIYA}
            assert sized == dict.fromkeys(rolled, 1)

            leases = seam(ravi).store.leases
            assert leases is not None
            leases.beat = lambda: False
            firm.run_out(leases.instance_id)  # it dies, and a night passes before another has its client
            day = night(asha)
            await until(asha, lambda: seam(asha).day == day, step_s=0.1)
            # whether it has opened the day for its client by then or not: it is opened once
            moved = await asha.leases.take(f"{rohan} {priya}")
            assert len(moved.moved) == 2
            settled, sized, rolled = opened(firm, day)
            assert (rolled, sized) == (everybody, dict.fromkeys(everybody, 1))
            assert settled == {ROHAN: 1, PRIYA: 1, AMIT: 1}
            assert await asha.leases.take(rohan)
            await until(asha, lambda: ROHAN in seam(asha).kept.book.clients)
            assert opened(firm, day)[0] == settled
        await books_are_sound(asha)
