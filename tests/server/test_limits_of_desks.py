"""Limits over clients of several desks: a sum that two add to at once is passed by neither."""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from data.repositories.base import On
from data.repositories.trading.before_sending import sent_by_all
from data.vocabulary import LimitKind, LimitScope, LimitStrength, OrderState, Reason, SizingKind
from engine.execution.sending import limiting
from engine.planning.limits.typed import LimitWish
from engine.words.firm.leases import alone_words
from tests.books import database_url
from tests.desks import books_are_sound, buy, carry_out, until
from tests.sharing import Firm
from tradedesk.testing import seam

ROHAN, PRIYA = 8, 15

pytestmark = pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)


@pytest.fixture
def firm(tmp_path: Path, books_engine: str) -> Firm:
    return Firm(tmp_path, database_url(tmp_path))


class BothRead:
    """Has two desks each count what was sent before either has committed; once."""

    def __init__(self) -> None:
        self._meet = threading.Barrier(2)
        self.reads = 0

    def __call__(self, on: On, day: date) -> Mapping[int, int]:
        self.reads += 1
        found = sent_by_all(on, day)
        if self.reads <= 2:
            with suppress(threading.BrokenBarrierError):
                self._meet.wait(30)
        return found


async def test_two_desks_at_once_send_no_more_together_than_a_limit_over_both_lets(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        rohan = seam(asha).kept.book.clients[ROHAN].code
        await asha.leases.release(rohan)
        async with firm.desk("ravi", rohan, seed=8) as ravi:
            wish = LimitWish(LimitScope.DESK, "", LimitKind.TOTAL_ORDERS, LimitStrength.HARD, 2)
            await asha.limits.set(wish)
            await until(ravi, lambda: len(seam(ravi).kept.book.limits.all) > 0, step_s=0.1)
            told = alone_words("they count", asha.leases.elsewhere())
            assert told == " · they count this desk's clients alone"
            await carry_out(asha, buy("TCS", SizingKind.FIXED_QUANTITY, 1, PRIYA))
            both = BothRead()
            monkeypatch.setattr(limiting, "sent_by_all", both)
            plans = [
                await desk.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 1, client_id))
                for desk, client_id in ((asha, PRIYA), (ravi, ROHAN))
            ]
            runs = await asyncio.gather(
                *(desk.runs.start(plan, plan.digest) for desk, plan in zip((asha, ravi), plans, strict=True))
            )
            ends = {OrderState.FILLED, OrderState.DENIED}
            last = [(desk, run.order_ids[0]) for desk, run in zip((asha, ravi), runs, strict=True)]
            for desk, order in last:
                await until(desk, lambda d=desk, o=order: d.orders.get(o).state in ends)
            found = [desk.orders.get(order) for desk, order in last]
            assert sorted(one.state for one in found) == [OrderState.DENIED, OrderState.FILLED]
            (denied,) = [one for one in found if one.state is OrderState.DENIED]
            assert denied.reason_code == Reason.OVER_LIMIT
            assert both.reads >= 3, "who came second has counted again"
            await books_are_sound(asha)
