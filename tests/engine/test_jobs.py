"""Jobs: asked for by a row, claimed once, done once, whatever ends the process that does them."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from data.clock import ManualClock
from data.errors import BadInput
from data.repositories.jobs import Job
from data.vocabulary import AlertKind, DeskKind, ExportWhat, JobKind, JobState
from engine.desk import Desk
from engine.jobs.asked import (
    AuditCheckAsked,
    BackupCheckAsked,
    ClientImportAsked,
    DayReportAsked,
    ExportAsked,
    ReconciliationAsked,
    StatementAsked,
)
from engine.jobs.carrier import DoJob, NotCarried
from engine.jobs.working import AGAIN_S, MOST_ATTEMPTS, JobAtWork
from engine.rules import Waits
from engine.words.alerts import alert_words
from tests.desks import START, books_are_sound, filed_desk, in_time, manual_clock, paper_desk
from tradedesk.jobs.doing import digest_of_file

CLAIM_S = Waits().job_claim_s


class Slip:
    """A carrier that a test carries for: numbers lie here until it has them done."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.away = ""

    async def send(self, job: Job) -> None:
        if self.away:
            raise NotCarried(self.away)
        self.numbers.append(job.number)

    async def work(self, do: DoJob) -> None:
        raise AssertionError("the test does them")


def carried_by_hand(desk: Desk) -> Slip:
    desk.jobs.carrier = slip = Slip()
    desk.jobs.works_here = False
    return slip


def read(path: str) -> bytes:
    return Path(path).read_bytes()


def doing(desk: Desk, kind: JobKind, doer: Any) -> None:
    desk.jobs.worker.doers = {**desk.jobs.worker.doers, kind: doer}


async def test_a_job_that_is_asked_for_is_done_in_the_process_and_keeps_what_it_brought(tmp_path):
    async with paper_desk(tmp_path) as desk:
        day = desk.market_clock.trading_day
        sent = await desk.jobs.ask(DayReportAsked(day))
        assert (sent.fresh, sent.job.state, sent.job.asked_by) == (True, JobState.QUEUED, "tester")

        job = await in_time(desk, desk.jobs.finished(sent.job.number, 60))
        assert read(job.result["folder"] + f"/{day}-desk.json")
        assert (job.state, job.attempts, job.problem) == (JobState.DONE, 1, "")
        assert job.result["clients"] == len(desk.clients.all())
        told = await desk.audit.rows(action="JOB_DONE")
        assert [row.details["job"] for row in told] == [job.number]
        await books_are_sound(desk)


async def test_a_command_does_its_own_job_before_it_ends(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        one = desk.clients.all()[0]
        asked = StatementAsked(one.id, desk.market_clock.trading_day)
        job = await desk.jobs.finished((await desk.jobs.ask(asked)).job.number, 60)
        assert job.state is JobState.DONE
        assert read(job.result["file"]).startswith(b"%PDF")


@pytest.mark.both
async def test_a_key_stands_once_and_the_same_is_not_asked_for_twice_while_it_waits(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        slip = carried_by_hand(desk)
        first = await desk.jobs.ask(AuditCheckAsked(), key="nightly 2026-11-18")
        again = await desk.jobs.ask(AuditCheckAsked(), key="nightly 2026-11-18")
        assert (again.job.number, again.fresh, slip.numbers) == (first.job.number, False, [first.job.number])
        with pytest.raises(BadInput, match="something else"):
            await desk.jobs.ask(BackupCheckAsked(), key="nightly 2026-11-18")

        unkeyed = await desk.jobs.ask(AuditCheckAsked())
        assert (await desk.jobs.ask(AuditCheckAsked())).job.number == unkeyed.job.number
        await desk.jobs.worker.do(first.job.number)
        await desk.jobs.worker.do(unkeyed.job.number)
        done = await desk.jobs.ask(AuditCheckAsked(), key="nightly 2026-11-18")
        assert (done.job.number, done.job.state) == (first.job.number, JobState.DONE)
        assert (await desk.jobs.ask(AuditCheckAsked())).fresh, "what was done without a key is done anew"


@pytest.mark.both
async def test_a_number_that_comes_twice_is_done_once(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        carried_by_hand(desk)
        done = list[int]()

        async def count(at_work: JobAtWork) -> Mapping[str, Any]:
            done.append(at_work.job.number)
            return {}

        doing(desk, JobKind.AUDIT_CHECK, count)
        number = (await desk.jobs.ask(AuditCheckAsked())).job.number
        await asyncio.gather(*(desk.jobs.worker.do(number) for _ in range(5)))
        assert done == [number]


@pytest.mark.both
async def test_a_claim_that_ran_out_is_taken_by_another_and_its_own_worker_writes_nothing_more(tmp_path):
    stopped, clock = ManualClock(START), ManualClock(START)
    async with (
        filed_desk(tmp_path, stopped) as frozen,
        filed_desk(tmp_path, clock, DeskKind.COMMAND) as other,
    ):
        carried_by_hand(frozen)
        carried_by_hand(other)
        begun, thawed = asyncio.Event(), asyncio.Event()

        async def freeze(at_work: JobAtWork) -> Mapping[str, Any]:
            begun.set()
            await thawed.wait()
            with at_work.ends_with({"by": "the frozen one"}):
                await frozen.clients.pause(1, "by the frozen one")
            return {}

        async def at_once(at_work: JobAtWork) -> Mapping[str, Any]:
            return {"by": "the other"}

        doing(frozen, JobKind.AUDIT_CHECK, freeze)
        doing(other, JobKind.AUDIT_CHECK, at_once)
        number = (await frozen.jobs.ask(AuditCheckAsked())).job.number
        work = asyncio.create_task(frozen.jobs.worker.do(number))
        await begun.wait()
        assert await other.jobs.worker.do(number) is None, "it is claimed"

        await clock.advance(CLAIM_S + 1)
        assert (await other.jobs.look()).due == 1
        assert (taken := await other.jobs.worker.do(number)) is not None
        thawed.set()
        await work
        job = await other.jobs.get(number)
        assert (
            (job.state, job.attempts, job.result)
            == (JobState.DONE, 2, {"by": "the other"})
            == (
                taken.state,
                taken.attempts,
                taken.result,
            )
        )
        assert not frozen.clients.get(1).paused
        assert len(await other.audit.rows(action="JOB_DONE")) == 1


async def test_a_claim_lasts_as_long_as_it_is_worked_at(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        carried_by_hand(desk)
        go_on = asyncio.Event()

        async def long(at_work: JobAtWork) -> Mapping[str, Any]:
            await go_on.wait()
            return {}

        doing(desk, JobKind.AUDIT_CHECK, long)
        number = (await desk.jobs.ask(AuditCheckAsked())).job.number
        work = asyncio.create_task(desk.jobs.worker.do(number))
        for _ in range(10):
            await manual_clock(desk).advance(CLAIM_S / 3)
            renewed = desk.clock.now()
            job = await desk.jobs.get(number)
            while job.claimed_until is None or job.claimed_until <= renewed:
                job = await desk.jobs.get(number)
            assert (await desk.jobs.look()).due == 0
        go_on.set()
        await work
        assert (await desk.jobs.get(number)).attempts == 1


@pytest.mark.both
async def test_what_fails_is_tried_five_times_and_then_told(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        carried_by_hand(desk)

        async def fails(at_work: JobAtWork) -> Mapping[str, Any]:
            raise RuntimeError("the printer is on fire")

        doing(desk, JobKind.AUDIT_CHECK, fails)
        number = (await desk.jobs.ask(AuditCheckAsked())).job.number
        job = None
        for attempt in range(1, MOST_ATTEMPTS + 1):
            job = await desk.jobs.worker.do(number)
            assert job is not None
            assert (job.attempts, job.problem) == (attempt, "RuntimeError: the printer is on fire")
            if attempt < MOST_ATTEMPTS:
                assert job.state is JobState.QUEUED
                assert await desk.jobs.worker.do(number) is None, "it is not due yet"
                await manual_clock(desk).advance(AGAIN_S[attempt - 1])
        assert job is not None
        assert job.state is JobState.FAILED
        await desk.alerts.read()
        (alert,) = [one for one in desk.alerts.standing if one.kind is AlertKind.JOB_FAILED]
        assert alert_words(alert) == f"job {number}, check of the audit, failed: {job.problem}"
        assert (await desk.jobs.look()).due == 0


async def test_a_job_whose_workers_die_five_times_has_failed(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        carried_by_hand(desk)

        async def dies(at_work: JobAtWork) -> Mapping[str, Any]:
            raise asyncio.CancelledError

        doing(desk, JobKind.AUDIT_CHECK, dies)
        number = (await desk.jobs.ask(AuditCheckAsked())).job.number
        for _ in range(MOST_ATTEMPTS):
            await desk.jobs.worker.do(number)
            assert (await desk.jobs.get(number)).state is JobState.RUNNING
            await manual_clock(desk).advance(CLAIM_S + 1)
        await desk.jobs.worker.do(number)
        job = await desk.jobs.get(number)
        assert (job.state, job.problem.split(",")[0]) == (JobState.FAILED, "it was begun 5 times")


async def test_what_cannot_be_carried_waits_and_goes_with_a_later_look(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        slip = carried_by_hand(desk)
        slip.away = "Redis does not answer"
        sent = await desk.jobs.ask(AuditCheckAsked())
        assert (sent.waits, sent.job.state) == ("Redis does not answer", JobState.QUEUED)
        looked = await desk.jobs.look()
        assert (looked.sent, looked.due, looked.waits) == ((), 1, "Redis does not answer")

        slip.away = ""
        assert (await desk.jobs.look()).sent == (sent.job.number,)
        assert (await desk.jobs.look()).sent == (), "it is on its way"
        slip.numbers.clear()  # whatever carried it has lost it
        await manual_clock(desk).advance(10)
        assert (await desk.jobs.look()).sent == (sent.job.number,)


async def test_what_waits_can_be_taken_back_and_what_failed_be_tried_again(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        slip = carried_by_hand(desk)
        number = (await desk.jobs.ask(ExportAsked(ExportWhat.FUNDS))).job.number
        assert (await desk.jobs.cancel(number)).state is JobState.CANCELLED
        assert await desk.jobs.worker.do(number) is None
        with pytest.raises(BadInput, match="it is cancelled"):
            await desk.jobs.cancel(number)
        slip.numbers.clear()
        assert (await desk.jobs.retry(number)).job.state is JobState.QUEUED
        assert slip.numbers == [number]
        job = await desk.jobs.worker.do(number)
        assert job is not None
        assert job.state is JobState.DONE
        assert b"code,client,broker,available" in read(job.result["file"])
        with pytest.raises(BadInput, match="it is done"):
            await desk.jobs.retry(number)
        assert [one.number for one in await desk.jobs.all()] == [number]


CLIENTS = """code,name,broker,capital,cash
ZZ1,Zara Zaveri,zerodha,100000,100000
ZZ2,Zubin Zacharia,zerodha,200000,200000
"""


@pytest.mark.both
async def test_clients_are_taken_in_by_the_commit_that_ends_the_job(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        carried_by_hand(desk)
        file = tmp_path / "clients.csv"
        file.write_text(CLIENTS)
        asked = ClientImportAsked(str(file), digest_of_file(file))
        number = (await desk.jobs.ask(asked)).job.number
        job = await desk.jobs.worker.do(number)
        assert job is not None
        assert (job.state, job.problem, job.result["add"]) == (JobState.DONE, "", 2)
        assert desk.clients.find("ZZ2").name == "Zubin Zacharia"
        imported, done = [
            (await desk.audit.rows(action=one))[-1].seq for one in ("CLIENTS_IMPORTED", "JOB_DONE")
        ]
        assert abs(imported - done) <= 4, "one commit"
        await books_are_sound(desk)


async def test_a_file_that_has_changed_since_is_not_taken(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        carried_by_hand(desk)
        file = tmp_path / "clients.csv"
        file.write_text(CLIENTS)
        number = (await desk.jobs.ask(ClientImportAsked(str(file), digest_of_file(file)))).job.number
        file.write_text(CLIENTS.replace("200000", "900000"))
        job = await desk.jobs.worker.do(number)
        assert job is not None
        assert (job.state, job.attempts) == (JobState.FAILED, 1), "no other attempt would mend it"
        assert "ask again" in job.problem
        assert not [one for one in desk.clients.all() if one.code.startswith("ZZ")]


async def test_each_kind_does_what_it_says_and_a_second_time_changes_nothing(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        carried_by_hand(desk)
        await desk.keeping.back_up()
        one = desk.clients.all()[0]
        for asked, key in (
            (ReconciliationAsked(one.id), "breaks"),
            (AuditCheckAsked(), "head"),
            (BackupCheckAsked(), "audit_head"),
            (ExportAsked(ExportWhat.AUDIT), "rows"),
            (ExportAsked(ExportWhat.CLIENTS, client_ids=(one.id,)), "rows"),
        ):
            number = (await desk.jobs.ask(asked)).job.number
            job = await desk.jobs.worker.do(number)
            assert job is not None
            assert (job.state, job.problem) == (JobState.DONE, ""), asked
            assert key in job.result
            rows = len(await desk.audit.rows(limit=10_000))
            assert await desk.jobs.worker.do(number) is None
            assert len(await desk.audit.rows(limit=10_000)) == rows
        assert job.result["rows"] == 1
        await books_are_sound(desk)


async def test_jobs_that_a_dead_process_left_are_done_by_the_next_desk(tmp_path):
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        carried_by_hand(desk)
        number = (await desk.jobs.ask(AuditCheckAsked())).job.number
    async with filed_desk(tmp_path, clock) as desk:
        job = await in_time(desk, desk.jobs.finished(number, 60))
        assert (job.state, job.attempts) == (JobState.DONE, 1)
        assert clock.now() - START < timedelta(seconds=30)
