"""Jobs carried by Celery over a real Redis: to workers that die, past servers that forget, more than once."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from redis import Redis

from data.clock import SystemClock
from data.errors import BadInput
from data.repositories.jobs import Job
from data.vocabulary import DeskKind, ExportWhat, JobState, OrderState, SizingKind
from engine.desk import Desk
from engine.jobs.asked import AuditCheckAsked, ClientImportAsked, DayReportAsked, ExportAsked
from engine.jobs.carrier import NotCarried
from tests.books import database_url, empty_books
from tests.desks import books_are_sound, buy, paper_desk
from tests.redis_server import address_in, fresh_address, missing, start
from tests.sharing import Firm
from tests.tradedesk.cli_desk import Terminal
from tradedesk.compose.brokers.paper import prepare_demo
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.jobs.doing import digest_of_file

PATIENCE_S = 90.0
"""How long a test waits for what processes do; the longest of it takes a few seconds."""

pytestmark = pytest.mark.skipif(bool(missing()) and "CI" not in os.environ, reason=missing())


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something has happened that other processes do."""
    clock = SystemClock()
    async with asyncio.timeout(PATIENCE_S):
        while not await happened():
            await clock.sleep(0.05)


@asynccontextmanager
async def asking(home: Path, redis: str) -> AsyncIterator[Desk]:
    """A desk on the demonstration in a home, whose jobs go to workers."""
    settings = Settings(redis_url=redis, database_url=database_url(home), trader="tester")
    opening = compose_desk(empty_books(home), DeskKind.COMMAND, settings=settings, latency=(0.0, 0.0))
    async with opening as desk:
        await prepare_demo(desk, shares=False)
        yield desk


Begins = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begins]:
    """What begins a worker or a beat as a process, once it is up; all are gone after the test."""
    begun: list[subprocess.Popen[str]] = []

    def begin_one(what: str, home: Path, redis: str, **given: str) -> "subprocess.Popen[str]":
        root = Path(__file__).parents[2]
        environment = {**os.environ, "PYTHONPATH": str(root), "TRADEDESK_REDIS_URL": redis, **given}
        if "TRADEDESK_DATABASE_URL" not in given and (address := database_url(home)):
            environment["TRADEDESK_DATABASE_URL"] = address
        program = [sys.executable, str(Path(__file__).with_name("worker_process.py")), what, str(home)]
        errors = (tmp_path / f"{what}-{len(begun)}.err").open("w")
        process = subprocess.Popen(
            program, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n", Path(errors.name).read_text()
        return process

    yield begin_one
    for process in begun:
        process.kill()
        process.wait()


@pytest.fixture
def own_server() -> Iterator[Path]:
    """A folder for a server of this test's own, which it may end and start again."""
    with tempfile.TemporaryDirectory(prefix="tdrd-") as folder:
        yield Path(folder)
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((Path(folder) / "pid").read_text()), signal.SIGKILL)


async def ended(desk: Desk, *numbers: int) -> list[Job]:
    """These jobs, once all have ended."""

    async def all_have() -> bool:
        return all([(await desk.jobs.get(one)).ended_at is not None for one in numbers])

    await until(all_have)
    return [await desk.jobs.get(one) for one in numbers]


async def test_nothing_but_a_kind_and_a_number_goes_to_redis_and_comes_out_again(tmp_path):
    from tradedesk.firm.celery_carrier import QUEUE, CeleryCarrier

    address = fresh_address()
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        carrier = desk.jobs.carrier = CeleryCarrier(address)
        desk.jobs.works_here = False
        sent = await desk.jobs.ask(ExportAsked(ExportWhat.FUNDS))
        assert sent.waits == ""
        url = address.replace("redis+socket", "unix").replace("virtual_host", "db")
        with Redis.from_url(url) as server:
            (message,) = server.lrange(QUEUE, 0, -1)  # pyright: ignore
        told = json.loads(message)
        assert told["headers"]["task"] == "tradedesk.export"
        assert told["headers"]["argsrepr"] == f"[{sent.job.number}]"
        assert "funds" not in str(told)
        assert desk.home.name not in str(told)

        come = asyncio.Queue[int]()
        working = asyncio.create_task(carrier.work(come.put))
        assert await asyncio.wait_for(come.get(), PATIENCE_S) == sent.job.number
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working


async def test_a_redis_that_is_not_there_is_told_and_the_job_waits(tmp_path):
    settings = Settings(redis_url=f"redis+socket://{tmp_path}/nobody?virtual_host=0", trader="tester")
    async with paper_desk(tmp_path, settings=settings, kind=DeskKind.COMMAND) as desk:
        sent = await desk.jobs.ask(AuditCheckAsked())
        assert sent.waits.startswith("Redis ")
        assert (await desk.jobs.get(sent.job.number)).state is JobState.QUEUED
        with pytest.raises(NotCarried, match="Redis "):
            await desk.jobs.carrier.send(sent.job)
        assert (await desk.jobs.look()).waits.startswith("Redis ")


def test_a_worker_without_redis_says_what_to_set(tmp_path, monkeypatch):
    terminal = Terminal(tmp_path)
    assert terminal.run("init", "--demo", "--bare").code == 0
    for what in ("worker", "beat"):
        printed = terminal.run(what)
        assert printed.code == 2
        assert "redis_url" in printed.err


def test_an_address_is_shown_without_its_password_and_a_wrong_one_is_refused(tmp_path, monkeypatch):
    terminal = Terminal(tmp_path)
    printed = terminal.run("config", "set", "redis_url", "redis://desk:s3cret@127.0.0.1:6379/4", "--json")
    assert printed.document["value"] == "redis://desk:***@127.0.0.1:6379/4"
    shown = terminal.run("config")
    assert "s3cret" not in shown.out + shown.err
    assert "redis://desk:***@" in shown.out
    refused = terminal.run("config", "set", "redis_url", "http://127.0.0.1")
    assert refused.code == 2


# --- processes ----------------------------------------------------------------------------------------------

CLIENTS = """code,name,broker,capital,cash
ZZ1,Zara Zaveri,zerodha,100000,100000
ZZ2,Zubin Zacharia,zerodha,200000,200000
"""


@pytest.mark.proof
@pytest.mark.both
async def test_a_worker_that_is_killed_in_mid_job_has_it_done_by_another_once(tmp_path, begin):
    redis, home = fresh_address(), tmp_path / "home"
    file, begun = tmp_path / "clients.csv", tmp_path / "begun"
    file.write_text(CLIENTS)
    begun.touch()
    async with asking(home, redis) as desk:
        killed = begin("worker", home, redis, TRADEDESK_TEST_STOPS_AT=str(begun))
        number = (await desk.jobs.ask(ClientImportAsked(str(file), digest_of_file(file)))).job.number

        async def has_begun() -> bool:
            return begun.read_text() == f"{number}\n"

        await until(has_begun)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert (await desk.jobs.get(number)).state is JobState.RUNNING

        begin("worker", home, redis)
        begin("beat", home, redis)
        (job,) = await ended(desk, number)
        assert (job.state, job.attempts, job.problem) == (JobState.DONE, 2, "")
        assert len(await desk.audit.rows(action="JOB_DONE")) == 1
        assert len(await desk.audit.rows(action="CLIENTS_IMPORTED")) == 1
        assert (await desk.audit.verify()).ok


@pytest.mark.proof
async def test_all_that_waits_is_done_once_though_redis_forgets_it_and_two_beats_send_it(tmp_path, begin):
    redis, home = fresh_address(), tmp_path / "home"
    async with asking(home, redis) as desk:
        codes = [one.id for one in desk.clients.all()]
        numbers = [
            (await desk.jobs.ask(ExportAsked(ExportWhat.FUNDS, client_ids=(one,)))).job.number
            for one in codes[:20]
        ]
        url = redis.replace("redis+socket", "unix").replace("virtual_host", "db")
        with Redis.from_url(url) as server:
            server.flushdb()  # all that this test has in it

        for what in ("beat", "beat", "worker", "worker"):
            begin(what, home, redis)
        jobs = await ended(desk, *numbers)
        assert {(job.state, job.attempts, job.result["rows"]) for job in jobs} == {(JobState.DONE, 1, 1)}
        assert len(await desk.audit.rows(action="JOB_DONE")) == 20
        await books_are_sound(desk)


@pytest.mark.proof
async def test_a_redis_that_is_killed_and_comes_back_empty_loses_no_job(tmp_path, begin, own_server):
    server, home, redis = start(own_server), tmp_path / "home", address_in(own_server)
    async with asking(home, redis) as desk:
        begin("worker", home, redis)
        begin("beat", home, redis)
        first = (await desk.jobs.ask(AuditCheckAsked(), key="first")).job.number
        await ended(desk, first)

        server.kill()
        server.wait()
        sent = await desk.jobs.ask(AuditCheckAsked(), key="second")
        assert sent.waits.startswith("Redis ")
        start(own_server)
        (job,) = await ended(desk, sent.job.number)
        assert (job.state, job.attempts) == (JobState.DONE, 1)


@pytest.mark.proof
async def test_a_worker_whose_redis_dies_while_it_works_ends_that_job_and_takes_the_next(
    tmp_path, begin, own_server
):
    server, home, redis = start(own_server), tmp_path / "home", address_in(own_server)
    begun = tmp_path / "begun"
    begun.touch()
    async with asking(home, redis) as desk:
        begin("worker", home, redis, TRADEDESK_TEST_STOPS_AT=str(begun))
        first = (await desk.jobs.ask(AuditCheckAsked())).job.number

        async def has_begun() -> bool:
            return begun.read_text() == f"{first}\n"

        await until(has_begun)
        server.kill()
        server.wait()
        begun.with_name("begun.go").touch()
        (job,) = await ended(desk, first)
        assert (job.state, job.attempts) == (JobState.DONE, 1)

        start(own_server)
        second = await desk.jobs.ask(ExportAsked(ExportWhat.FUNDS))
        assert second.waits == ""
        (job,) = await ended(desk, second.job.number)
        assert (job.state, job.attempts) == (JobState.DONE, 1)


@pytest.mark.proof
async def test_a_number_that_is_carried_many_times_is_done_once(tmp_path, begin):
    redis, home = fresh_address(), tmp_path / "home"
    async with asking(home, redis) as desk:
        sent = await desk.jobs.ask(AuditCheckAsked(), key="nightly")
        for _ in range(9):
            assert not (await desk.jobs.ask(AuditCheckAsked(), key="nightly")).fresh
            await desk.jobs.carrier.send(sent.job)
        last = await desk.jobs.ask(ExportAsked(ExportWhat.CLIENTS))
        for _ in range(2):
            begin("worker", home, redis)
        job, _ = await ended(desk, sent.job.number, last.job.number)
        assert (job.state, job.attempts) == (JobState.DONE, 1)
        assert len(await desk.audit.rows(action="JOB_DONE")) == 2


@pytest.mark.proof
async def test_a_worker_that_is_told_to_end_ends_its_job_first(tmp_path, begin):
    redis, home = fresh_address(), tmp_path / "home"
    async with asking(home, redis) as desk:
        process = begin("worker", home, redis)
        number = (await desk.jobs.ask(AuditCheckAsked())).job.number

        async def is_begun() -> bool:
            return (await desk.jobs.get(number)).state is not JobState.QUEUED

        await until(is_begun)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0
        assert (await desk.jobs.get(number)).state is JobState.DONE


def test_jobs_of_a_home_without_celery_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tradedesk.firm.celery_carrier", None)

    async def ask() -> None:
        settings = Settings(redis_url="redis://127.0.0.1:1/0", trader="tester")
        async with paper_desk(tmp_path, settings=settings, kind=DeskKind.COMMAND) as desk:
            sent = await desk.jobs.ask(AuditCheckAsked())
            assert "tradedesk-workstation[firm]" in sent.waits
            with pytest.raises(BadInput, match="redis_url"):
                await desk.jobs.work()

    asyncio.run(ask())


@pytest.mark.proof
@pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)
async def test_a_worker_killed_beside_three_desks_has_its_job_done_once_and_no_desk_feels_it(
    tmp_path, begin, books_engine
):
    redis, venue, begun = fresh_address(), tmp_path / "venue.db", tmp_path / "begun"
    begun.touch()
    shared = {"TRADEDESK_TEST_VENUE": str(venue), "TRADEDESK_DESK_CLIENTS": "free"}
    address = database_url(tmp_path / "home")
    shared["TRADEDESK_DATABASE_URL"] = address
    firm = Firm(tmp_path, address, redis, SystemClock())
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        (first, *_, last) = sorted(one.code for one in asha.clients.all())
        await asha.leases.release(f"{first} {last}")
        async with firm.desk("ravi", first, seed=8) as ravi, firm.desk("mira", last, seed=9) as mira:
            killed = begin("worker", tmp_path / "w1", redis, TRADEDESK_TEST_STOPS_AT=str(begun), **shared)
            asked = DayReportAsked(asha.market_clock.trading_day)
            number = (await asha.jobs.ask(asked)).job.number

            async def has_begun() -> bool:
                return begun.read_text() == f"{number}\n"

            await until(has_begun)
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            begin("worker", tmp_path / "w2", redis, **shared)
            begin("beat", tmp_path / "w2", redis, **shared)
            (job,) = await ended(mira, number)
            assert (job.state, job.attempts, job.problem) == (JobState.DONE, 2, "")
            everybody = sum(len(desk.clients.all()) for desk in (asha, ravi, mira))
            assert job.result["clients"] == everybody
            assert [one.clients.all()[0].code for one in (ravi, mira)] == [first, last]
            assert len(await asha.audit.rows(action="JOB_DONE")) == 1
            await books_are_sound(asha)


@pytest.mark.proof
@pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)
async def test_a_worker_killed_in_a_shard_has_it_reserved_once_and_each_client_gets_one_order(
    tmp_path, begin, books_engine
):
    redis, begun = fresh_address(), tmp_path / "begun"
    begun.touch()
    address = database_url(tmp_path / "home")
    shared = {
        "TRADEDESK_TEST_VENUE": str(tmp_path / "venue.db"),
        "TRADEDESK_DESK_CLIENTS": "free",
        "TRADEDESK_DATABASE_URL": address,
    }
    firm = Firm(tmp_path, address, redis, SystemClock())
    await firm.make()
    async with firm.desk("asha", "free") as asha, firm.desk("works", "free", DeskKind.WORKER) as planner:
        for one in asha.clients.all():
            await asha.reconcile.check(one.id)
        plan = await planner.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 1))
        killed = begin("worker", tmp_path / "w1", redis, TRADEDESK_TEST_STOPS_AT=str(begun), **shared)
        run = await planner.firm_wide.begin(plan, plan.digest)
        (shard,) = run.shards

        async def has_begun() -> bool:
            return begun.read_text() == f"{shard.job_number}\n"

        await until(has_begun)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        begin("worker", tmp_path / "w2", redis, **shared)
        begin("beat", tmp_path / "w2", redis, **shared)
        (job,) = await ended(planner, shard.job_number)
        assert (job.state, job.attempts, job.result["reserved"]) == (JobState.DONE, 2, plan.orders)

        async def all_are_filled() -> bool:
            return [one.state for one in asha.orders.all()] == [OrderState.FILLED] * plan.orders

        await until(all_are_filled)
        assert len({one.client_id for one in asha.orders.all()}) == plan.orders
        await books_are_sound(asha)
