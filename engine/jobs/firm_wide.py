"""A bulk over the clients of every desk: confirmed in one commit, reserved by jobs, sent by their desks."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from data.errors import BadInput
from data.repositories.trading.firm_runs import FirmShard, read_shards
from data.store import Unit
from data.vocabulary import RunStatus
from engine.book.kept import Kept
from engine.book.reading import read_runs
from engine.execution.over_firm.shards import ReservesWith, begin_firm_wide, reserve_shard
from engine.execution.reservation import check_not_halted_since
from engine.execution.rotation import rotated
from engine.execution.starting import MadeOf, Starting
from engine.instances import ThisEngine
from engine.jobs.asked import FirmReserveAsked
from engine.jobs.jobs import Jobs
from engine.jobs.working import JobAtWork
from engine.market.venues import Venues
from engine.planning.plan import Plan
from engine.timing import Timing


class FirmRunView(Struct, frozen=True):
    """A run over all desks: how far it is, and each of its shards."""

    number: int
    plan_number: int
    status: RunStatus
    shards: tuple[FirmShard, ...]

    @property
    def reserved(self) -> int:
        """Orders that were reserved."""
        return sum(one.reserved for one in self.shards)

    @property
    def missing(self) -> tuple[int, ...]:
        """The clients of shards of which nothing was reserved."""
        return tuple(whose for one in self.shards if one.problem for whose in one.client_ids)


class FirmWide:
    """Begins such runs, reserves their shards and tells how far they are."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, venues: Venues, made_of: MadeOf, jobs: Jobs
    ) -> None:
        self._kept = kept
        self._engine = engine
        self._market_data = venues.market_data
        self._plans, self._rng, self._confirmed = made_of.plans, made_of.rng, made_of.confirmed
        self._rules = made_of.rules
        self._jobs = jobs
        self._starting = Starting(kept, timing, engine, venues.market_data, made_of.rules, made_of.plans)
        self._with = ReservesWith(kept.book, timing.wall, engine, made_of.rules)

    async def begin(self, plan: Plan, confirm: str) -> FirmRunView:
        """Begin a stored plan for all desks, confirmed by (the first eight or more digits of) its hash.

        The commit writes the run and the jobs that reserve. Raises a `Refusal`, `BadInput` where no desk
        shares these books or this one does not know all of them, `StoreError`; then nothing was written.
        """
        if not (self._engine.shares_books and self._engine.has_everybody):
            raise BadInput("books", "", "`tradedesk firm bulk` does it beside desks that share their books")
        self._jobs.require(FirmReserveAsked(0, 0))
        newest = self._kept.book.newest_halt
        await self._starting.look_at(plan, confirm)
        rotation = rotated(plan, self._rng)
        begun = list[Any]()

        def unit_of_work(unit: Unit) -> int:
            begun.clear()
            check_not_halted_since(unit, plan, newest, self._kept.book)
            self._confirmed(unit, plan)

            def ask(run: int, shard: int) -> int:
                sent = self._jobs.add(unit, FirmReserveAsked(run, shard), f"reserve:{run}:{shard}")
                begun.append(sent)
                return sent.job.number

            return begin_firm_wide(unit, plan, rotation, self._engine, self._rules, ask)

        number = await self._engine.write_signed_on(unit_of_work)
        for sent in begun:
            await self._jobs.carry(sent)
        return await self.get(number)

    async def reserve(self, at_work: JobAtWork) -> Mapping[str, Any]:
        """Do the job of one shard: what it reserves and its end are one commit."""
        asked: FirmReserveAsked = at_work.asked
        async with self._kept.store.reader() as reader:
            found = await reader.run_sync(lambda plain: read_runs(plain, [asked.run]))
        if asked.run not in found:
            raise BadInput("run", asked.run, "no run has this number")
        plan = await self._plans.get(found[asked.run].plan_number)
        against = "" if await self._plans.is_as_stored(plan) else "the plan is not as it was stored"
        await self._market_data.fetch([part.instrument.key for part in plan.parts])
        if not against and any(self._plans.drifted(part) for part in plan.parts):
            against = "the price has moved beyond the plan's limit"
        done = await self._kept.store.write(
            lambda unit: reserve_shard(unit, plan, asked.run, asked.shard, self._with, against)
        )
        return {"reserved": done.reserved, "denied": done.denied, "problem": done.problem}

    async def get(self, number: int) -> FirmRunView:
        """A run over all desks as it stands. Raises `BadInput` for any other."""
        async with self._kept.store.reader() as reader:
            shards = await read_shards(reader, number)
            found = await reader.run_sync(lambda plain: read_runs(plain, [number]))
        if not shards or number not in found:
            raise BadInput("run", number, "no run over all desks has this number")
        return FirmRunView(number, found[number].plan_number, found[number].status, tuple(shards))
