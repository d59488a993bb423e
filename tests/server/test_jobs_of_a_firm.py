"""Jobs where several desks share a database: a worker beside them, which has nobody's lease."""

import asyncio
from pathlib import Path

import pytest

from brokers.contract import BrokerAccount, OrderRequest
from data.errors import BadInput, NoLease
from data.ledger import Line, Transfer, post
from data.store import Unit
from data.vocabulary import (
    Account,
    BreakKind,
    DeskKind,
    ExportWhat,
    HaltScope,
    JobState,
    OrderState,
    SizingKind,
    TransferKind,
)
from engine.desk import Desk
from engine.jobs.asked import (
    AuditCheckAsked,
    BooksReadAsked,
    ClientImportAsked,
    DayReportAsked,
    ExportAsked,
    JobAsked,
    StatementAsked,
)
from engine.refusals import LooksOnly
from tests.books import database_url
from tests.desks import Wire, books_are_sound, buy, by_phone, carry_out, until
from tests.sharing import Firm
from tradedesk.jobs.doing import digest_of_file
from tradedesk.testing import seam

ROHAN, PRIYA = 8, 15

pytestmark = pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)


@pytest.fixture
def firm(tmp_path: Path, books_engine: str) -> Firm:
    return Firm(tmp_path, database_url(tmp_path))


async def test_a_desk_of_several_has_no_job_done_that_would_miss_the_others_clients(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        rohan = seam(asha).kept.book.clients[ROHAN].code
        await asha.leases.release(rohan)
        async with firm.desk("ravi", rohan, seed=8) as ravi:
            for asked in (DayReportAsked(asha.market_clock.trading_day), ExportAsked(ExportWhat.FUNDS)):
                with pytest.raises(BadInput, match="several desks share these books"):
                    await asha.jobs.ask(asked)
            number = (await asha.jobs.ask(AuditCheckAsked())).job.number
            job = await ravi.jobs.worker.do(number) or await asha.jobs.get(number)
            assert job.state in (JobState.RUNNING, JobState.DONE)


async def test_a_worker_beside_desks_reads_everybodys_books_and_does_their_jobs(firm: Firm) -> None:
    await firm.make()
    file = firm.folder / "clients.csv"
    file.write_text("code,name,broker,capital,cash\nZZ1,Zara Zaveri,zerodha,100000,100000\n")
    async with firm.desk("asha", "free") as asha:
        rohan = seam(asha).kept.book.clients[ROHAN].code
        await asha.leases.release(rohan)
        async with firm.desk("ravi", rohan, seed=8) as ravi:
            await carry_out(ravi, buy("INFY", SizingKind.FIXED_QUANTITY, 3, ROHAN))
            async with firm.desk("works", "free", DeskKind.WORKER, seed=9) as worker:
                everybody = {one.id for one in asha.clients.all()} | {ROHAN}
                assert {one.id for one in worker.clients.all()} == everybody
                assert worker.leases.elsewhere() == {}
                day = worker.market_clock.trading_day

                async def done(asked: JobAsked) -> dict[str, object]:
                    sent = await worker.jobs.ask(asked)
                    job = await worker.jobs.worker.do(sent.job.number)
                    assert job is not None
                    assert (job.state, job.problem) == (JobState.DONE, "")
                    return dict(job.result)

                assert (await done(DayReportAsked(day)))["clients"] == len(everybody)
                assert str((await done(StatementAsked(ROHAN, day)))["file"]).endswith(f"{rohan}.pdf")
                assert (await done(ExportAsked(ExportWhat.ORDERS)))["rows"] == 1
                assert (await done(AuditCheckAsked()))["rows"]
                assert (await done(ClientImportAsked(str(file), digest_of_file(file))))["add"] == 1
                zara = worker.clients.find("ZZ1").id
                assert worker.funds.of(zara).available_paise == 100_000_00
                moved = await asha.leases.take("ZZ1")
                assert moved.moved == ("ZZ1",)
                await until(asha, lambda: zara in seam(asha).kept.book.clients, step_s=0.1)
            assert {one.id for one in ravi.clients.all()} == {ROHAN}
            await books_are_sound(asha)


async def test_what_a_worker_reads_of_a_client_is_taken_up_by_the_desk_that_has_it(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha, firm.desk("works", "free", DeskKind.WORKER) as worker:
        for client_id in (ROHAN, PRIYA):
            assert await asha.reconcile.check(client_id)
        await firm.clock.advance(30)
        compared = {one: asha.reconcile.compared_at(one) for one in (ROHAN, PRIYA)}
        by_phone(worker, PRIYA)
        sent = await worker.jobs.ask(BooksReadAsked((ROHAN, PRIYA)))
        job = await worker.jobs.worker.do(sent.job.number)
        assert job is not None
        assert job.result == {"read": 2, "not_read": 0, "agrees": 1, "differs": 1}
        assert not worker.reconcile.breaks()
        assert not asha.reconcile.breaks()

        def taken_up() -> bool:
            now = {one: asha.reconcile.compared_at(one) for one in compared}
            return now[ROHAN] != compared[ROHAN] and bool(asha.reconcile.breaks(PRIYA))

        await until(asha, taken_up, step_s=0.5)
        assert not asha.reconcile.breaks(ROHAN)
        assert {one.kind for one in asha.reconcile.breaks(PRIYA)} == {BreakKind.CASH, BreakKind.SHARES}


async def test_a_worker_changes_no_order_no_money_and_no_halt_whoever_asks_it_to(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        wire, answered = Wire(asha), asyncio.Event()

        async def place(account: BrokerAccount, request: OrderRequest) -> None:
            await answered.wait()

        wire.on_place = place
        plan = await asha.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 1, ROHAN, PRIYA))
        run = await asha.runs.start(plan, plan.digest)
        await until(asha, lambda: states(asha) == {OrderState.SENDING}, step_s=0.01)
        async with firm.desk("works", "free", DeskKind.WORKER, seed=9) as worker:
            assert not worker.leases.shared
            assert {one.id for one in worker.orders.all()} == {one.id for one in asha.orders.all()}
            made = await worker.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))
            with pytest.raises(LooksOnly):
                await worker.runs.start(made, made.digest)
            with pytest.raises(LooksOnly):
                await worker.halt.fire("works", HaltScope.CLIENT, str(ROHAN))
            with pytest.raises(LooksOnly):
                await worker.runs.stop(run.number, live=True)

            def pay(unit: Unit) -> None:
                lines = [Line(Account.AVAILABLE, 100), Line(Account.EXTERNAL, -100)]
                post(unit, [Transfer(ROHAN, TransferKind.OPENING, worker.market_clock.trading_day, lines)])

            with pytest.raises(NoLease, match="may not change"):
                await seam(worker).kept.store.write(pay)
            assert not worker.halt.active()
            assert not seam(worker).kept.halt_file.exists()
            await seam(worker).engine.beat()
        assert states(asha) == {OrderState.SENDING}
        answered.set()
        await asha.runs.settled(run.number, 60)
        assert states(asha) == {OrderState.FILLED}
        await books_are_sound(asha)


def states(desk: Desk) -> set[OrderState]:
    return {one.state for one in desk.orders.all()}
