"""Who did what, and by which way they came, as the audit tells it."""

import asyncio

import pytest

from data.acting import Actor
from data.vocabulary import DeskKind, SizingKind, Via
from tests.desks import buy, paper_desk, there
from tests.tampering import tamper

QTY = SizingKind.FIXED_QUANTITY


async def told(desk):
    return {row.action: (row.actor, row.via) for row in await desk.audit.rows(50)}


async def test_the_homes_own_trader_comes_by_the_way_the_desk_was_opened(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        plan = await desk.plans.freeze(buy("INFY", QTY, 1, 1))
        await desk.runs.start(plan, plan.digest)
        await desk.settle()
        rows = await told(desk)
    assert rows["PLAN_FROZEN"] == rows["RUN_STARTED"] == ("tester", "cli")
    assert rows["ORDER_SENDING"] == ("tester", ""), "the desk sends by itself"


async def test_somebody_else_acts_only_within_what_was_asked_in_their_name(tmp_path):
    meera = Actor("meera", Via.SOCKET)
    async with paper_desk(tmp_path) as desk:
        with desk.acting(meera):
            plan = await desk.plans.freeze(buy("INFY", QTY, 1, 1, 2))
            assert desk.actor == "meera"
            started = asyncio.create_task(desk.runs.start(plan, plan.digest))
        assert desk.actor == "tester"
        await started
        await desk.settle()
        rows = await told(desk)
        assert rows["PLAN_FROZEN"] == rows["RUN_STARTED"] == ("meera", "socket")
        assert rows["ORDER_SENDING"] == ("tester", "")
        own = await desk.plans.freeze(buy("TCS", QTY, 1, 1))
        assert (await told(desk))["PLAN_FROZEN"] == ("tester", "api")
        assert own.number == there(plan.number) + 1
        assert (await desk.audit.verify()).ok


@pytest.mark.in_file
async def test_the_way_somebody_came_is_part_of_the_chain(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.plans.freeze(buy("INFY", QTY, 1, 1))
        tamper(
            tmp_path / "desk.db",
            "UPDATE audit SET via = 'app' WHERE action = 'PLAN_FROZEN'",
        )
        report = await desk.audit.verify()
    assert not report.ok
    assert "does not follow from" in report.message
