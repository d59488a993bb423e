"""Jobs are asked for, seen and done within the rights and the clients of who asks."""

import asyncio
from typing import Any

import pytest

from data.acting import Actor
from data.errors import BadInput
from data.repositories.jobs import Job
from data.vocabulary import ExportWhat, JobState
from engine.desk import Desk
from engine.jobs.asked import (
    AuditCheckAsked,
    ClientImportAsked,
    DayReportAsked,
    ExportAsked,
    ReconciliationAsked,
    StatementAsked,
)
from engine.jobs.carrier import DoJob
from engine.refusals import NotOfRole, OutOfScope
from tests.people.home_of_many import MINE, THEIRS, desk_of_many, sit


class Nowhere:
    """Carries nothing: the test has its jobs done itself."""

    async def send(self, job: Job) -> None:
        pass

    async def work(self, do: DoJob) -> None:
        await asyncio.Event().wait()


def by_hand(desk: Desk) -> None:
    desk.jobs.carrier, desk.jobs.works_here = Nowhere(), False


async def done(desk: Desk, number: int) -> Any:
    with desk.acting(Actor("worker")):  # by nobody's asking, as a worker's process does
        return await desk.jobs.worker.do(number)


async def test_somebody_with_a_scope_has_only_jobs_of_their_clients_and_sees_only_their_own(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        by_hand(desk)
        mine, theirs = desk.clients.find(MINE[0]).id, desk.clients.find(THEIRS).id
        day = desk.market_clock.trading_day
        of_all = (await desk.jobs.ask(AuditCheckAsked())).job
        await sit(desk, "ravi")
        for asked in (
            DayReportAsked(day),
            DayReportAsked(day, (mine, theirs)),
            StatementAsked(theirs, day),
            ExportAsked(ExportWhat.ORDERS),
            ReconciliationAsked(theirs),
        ):
            with pytest.raises(OutOfScope):
                await desk.jobs.ask(asked)
        sent = await desk.jobs.ask(DayReportAsked(day, (mine,), "ravi"))
        assert [one.number for one in await desk.jobs.all()] == [sent.job.number]
        for call in (desk.jobs.get, desk.jobs.cancel, desk.jobs.retry):
            with pytest.raises(BadInput, match="no job of this number"):
                await call(of_all.number)

        job = await done(desk, sent.job.number)
        assert (job.state, job.asked_by, job.result["clients"]) == (JobState.DONE, "ravi", 1)
        assert job.result["folder"].endswith("-ravi")


async def test_a_role_asks_for_what_it_may_do_and_nothing_else(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        by_hand(desk)
        file = ClientImportAsked("/nowhere.csv", "0" * 64)
        await sit(desk, "uma")
        assert (await desk.jobs.ask(AuditCheckAsked())).fresh
        for asked in (file, ReconciliationAsked(desk.clients.find(THEIRS).id)):
            with pytest.raises(NotOfRole):
                await desk.jobs.ask(asked)
        await sit(desk, "aarav")
        with pytest.raises(NotOfRole):
            await desk.jobs.ask(AuditCheckAsked())


async def test_a_job_of_somebody_who_may_no_more_is_not_done(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        by_hand(desk)
        mine = desk.clients.find(MINE[0]).id
        await sit(desk, "ravi")
        asked = [
            StatementAsked(mine, desk.market_clock.trading_day),
            ExportAsked(ExportWhat.FUNDS, client_ids=(mine,)),
        ]
        first, second = [(await desk.jobs.ask(one)).job.number for one in asked]
        await sit(desk, "asha")
        await desk.people.set_scope("ravi", [THEIRS])
        job = await done(desk, first)
        assert (job.state, job.attempts) == (JobState.FAILED, 1)
        assert "does not see any more" in job.problem
        await desk.people.disable("ravi")
        job = await done(desk, second)
        assert "may not have it done any more" in job.problem

        assert (await desk.jobs.retry(second)).job.asked_by == "asha"
        assert (await done(desk, second)).state is JobState.DONE
