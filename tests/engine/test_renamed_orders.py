"""What is planned, sent and undone across a rename is that of the security, whatever its name was then."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from brokers.contract import NotSent
from data.vocabulary import Reason
from tests.desks import Wire, books_are_sound, buy, carry_out, paper_desk, until
from tests.engine.test_renames import AMIT, QTY, ROHAN, read, told
from tradedesk.compose.paper_desk import PaperDesk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[PaperDesk]:
    """The demonstration without ISINs, as a broker's dump tells it."""
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)
        assert (await one.audit.verify()).ok


async def test_the_same_intent_under_the_new_name_is_a_duplicate(desk: PaperDesk) -> None:
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN))
    await read(desk, told(desk, INFY="INFYSYS"))
    await desk.market.fetch(["NSE:INFYSYS"])
    lines = (await desk.plans.preview(buy("INFYSYS", QTY, 10, ROHAN, AMIT))).lines
    assert {line.client_id: line.reason for line in lines} == {ROHAN: Reason.DUPLICATE_INTENT, AMIT: None}


async def test_a_share_that_took_the_name_is_no_duplicate(desk: PaperDesk) -> None:
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN))
    await read(desk, told(desk, INFY="TCS", TCS="INFY"))
    await desk.market.fetch(["NSE:INFY", "NSE:TCS"])
    reasons = {
        name: (await desk.plans.preview(buy(name, QTY, 10, ROHAN))).lines[0].reason
        for name in ("INFY", "TCS")
    }
    assert reasons == {"INFY": None, "TCS": Reason.DUPLICATE_INTENT}


async def test_what_waits_under_the_old_name_counts_under_the_new_one(desk: PaperDesk) -> None:
    wire = Wire(desk)

    async def place(account, request):
        return NotSent("429")

    wire.on_place = place
    plan = await desk.plans.freeze(buy("INFY", QTY, 2, ROHAN, limit_paise=1500_00))
    run = (await desk.runs.start(plan, plan.digest)).number
    await until(desk, lambda: wire.placed and desk.runs.get(run).counts["unsent"] == 1)
    await desk.runs.pause(run)
    await read(desk, told(desk, INFY="INFYSYS"))
    await desk.market.fetch(["NSE:INFYSYS"])
    again = await desk.plans.preview(buy("INFYSYS", QTY, 2, ROHAN, limit_paise=1500_00))
    assert again.lines[0].reason is Reason.DUPLICATE_INTENT
