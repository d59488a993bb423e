"""A bulk over the clients of every desk: planned, confirmed, reserved in shards, sent by who has them."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from data.errors import BadInput
from data.ledger import Line, Transfer, post
from data.store import Unit
from data.vocabulary import (
    Account,
    ClientStatus,
    DeskKind,
    HaltScope,
    JobState,
    OrderState,
    RunStatus,
    SizingKind,
    TransferKind,
)
from engine.desk import Desk
from engine.execution.over_firm import shards
from engine.jobs.asked import BooksReadAsked
from engine.jobs.firm_wide import FirmRunView
from engine.planning.plan import Plan
from engine.refusals import AlreadyRun, Halted
from tests.books import database_url
from tests.desks import books_are_sound, buy, until
from tests.sharing import Firm
from tradedesk.testing import seam

ROHAN, PRIYA = 8, 15

pytestmark = pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)


class Three:
    """Two desks that share the clients, and a worker beside them."""

    def __init__(self, asha: Desk, ravi: Desk, worker: Desk) -> None:
        self.asha, self.ravi, self.worker = asha, ravi, worker

    async def read(self) -> None:
        """Have every client's books read, which plans ask for."""
        for desk in (self.asha, self.ravi):
            for one in desk.clients.all():
                await desk.reconcile.check(one.id)
        ready = [one.id for one in self.worker.clients.all() if one.status is ClientStatus.ACTIVE]
        sent = await self.worker.jobs.ask(BooksReadAsked(tuple(ready)))
        await self.worker.jobs.worker.do(sent.job.number)

    async def planned(self) -> Plan:
        await self.read()
        return await self.worker.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 1))

    async def reserve(self, run: FirmRunView, *places: int) -> FirmRunView:
        """Have the jobs of these shards done, of all where none is named."""
        for one in run.shards:
            if not places or one.shard in places:
                await self.worker.jobs.worker.do(one.job_number)
        return await self.worker.firm_wide.get(run.number)

    async def sent(self, number: int) -> Counter[str]:
        """How the orders of a run stand once none of either desk is on its way."""

        def ended() -> bool:
            run = self.worker.workings.kept.book.runs.get(number)
            return run is not None and run.finished_at is not None

        await until(self.asha, ended, step_s=0.5)
        return Counter(
            order.state.value
            for desk in (self.asha, self.ravi)
            for order in desk.orders.all()
            if order.run_number == number
        )


@pytest.fixture
async def three(tmp_path: Path, books_engine: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Three]:
    monkeypatch.setattr(shards, "SHARD", 20)
    async with _three(Firm(tmp_path, database_url(tmp_path))) as made:
        yield made
        await books_are_sound(made.asha)


@asynccontextmanager
async def _three(firm: Firm) -> AsyncIterator[Three]:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        code = asha.clients.get(ROHAN).code
        await asha.leases.release(code)
        async with (
            firm.desk("ravi", code, seed=8) as ravi,
            firm.desk("works", "free", DeskKind.WORKER, seed=9) as worker,
        ):
            yield Three(asha, ravi, worker)


async def test_each_desk_sends_what_was_reserved_for_its_clients_once_all_shards_have_ended(three: Three):
    plan = await three.planned()
    assert {ROHAN, PRIYA} <= {line.client_id for line in plan.ok_lines}
    run = await three.worker.firm_wide.begin(plan, plan.digest)
    assert run.status is RunStatus.RESERVING
    assert len(run.shards) > 1
    with pytest.raises(AlreadyRun):
        await three.worker.firm_wide.begin(plan, plan.digest)

    first = await three.reserve(run, 1)
    assert (first.status, first.reserved) == (RunStatus.RESERVING, len(first.shards[0].client_ids))
    for desk in (three.asha, three.ravi):
        await desk.firm_orders.keep()
        await desk.settle()
        assert {one.state for one in desk.orders.all()} <= {OrderState.RESERVED}

    done = await three.reserve(run)
    again = await three.reserve(run)
    assert done == again
    assert (done.status, done.reserved, done.missing) == (RunStatus.RUNNING, plan.orders, ())
    assert await three.sent(run.number) == {"FILLED": plan.orders}
    assert [one.client_id for one in three.ravi.orders.all()] == [ROHAN]
    assert ROHAN not in {one.client_id for one in three.asha.orders.all()}
    placed = Counter(one.client_id for desk in (three.asha, three.ravi) for one in desk.orders.all())
    assert set(placed.values()) == {1}


async def test_a_halt_between_plan_and_reserving_lets_no_shard_reserve_and_names_who_is_missing(three: Three):
    plan = await three.planned()
    run = await three.reserve(await three.worker.firm_wide.begin(plan, plan.digest), 1)
    await three.asha.halt.fire("asha", HaltScope.EVERYTHING)
    halted = await three.reserve(run)
    assert halted.status is RunStatus.RUNNING
    rest = {whose for one in run.shards[1:] for whose in one.client_ids}
    assert set(halted.missing) == rest
    assert {one.problem for one in halted.shards[1:]} == {"a halt stands"}
    assert not {one.state for one in three.asha.orders.all()} & {OrderState.SENDING, OrderState.OPEN}
    with pytest.raises(Halted):
        await three.worker.firm_wide.begin(plan, plan.digest)


async def test_what_nobody_reserves_in_time_ends_and_money_that_has_gone_is_no_order(three: Three):
    plan = await three.planned()
    run = await three.worker.firm_wide.begin(plan, plan.digest)
    whose = run.shards[0].client_ids[0]
    owner = three.ravi if whose == ROHAN else three.asha

    def spend(unit: Unit) -> None:
        left = three.worker.funds.of(whose).available_paise
        lines = [Line(Account.AVAILABLE, -left), Line(Account.EXTERNAL, left)]
        post(unit, [Transfer(whose, TransferKind.OPENING, plan.trading_day, lines)])

    await seam(owner).kept.store.write(spend)
    first = await three.reserve(run, 1)
    assert (first.shards[0].denied, first.shards[0].reserved) == (1, len(run.shards[0].client_ids) - 1)

    clock = seam(three.asha).timing.wall
    clock.shift(120)  # pyright: ignore
    await three.asha.firm_orders.keep()
    late = await three.worker.firm_wide.get(run.number)
    assert late.status is RunStatus.RUNNING
    assert {one.problem for one in late.shards[1:]} == {"nobody had reserved it in time"}
    job = await three.worker.jobs.worker.do(run.shards[1].job_number)
    assert job is not None
    assert (job.state, job.result["reserved"]) == (JobState.DONE, 0)


async def test_a_desk_of_its_own_clients_begins_nothing_for_all(three: Three):
    plan = await three.asha.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 1, PRIYA))
    with pytest.raises(BadInput, match="firm bulk"):
        await three.asha.firm_wide.begin(plan, plan.digest)
