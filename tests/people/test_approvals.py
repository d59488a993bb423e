"""Maker and checker: what needs a second person, who that may be, how long it counts, what never waits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from data.clock import ManualClock
from data.errors import BadInput
from data.vocabulary import FlattenWhat, HaltScope, Role, RunCount, SizingKind
from engine.desk import Desk
from engine.planning.confirming import worth_paise
from engine.refusals import NeedsApproval, NotConfirmed, NotOfRole, OutOfScope, OwnPlan, PlanTooOld
from tests.desks import START, buy, sell, there
from tests.people.home_of_many import MINE, THEIRS, desk_of_many, password, sit
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
LIMIT = 10_000_00
TCS = buy("TCS", QTY, 10, 42)
"""Ten shares at ₹2,500: above the limit."""


@asynccontextmanager
async def desk_with_limit(
    home: Path, needed: int = 1, clock: ManualClock | None = None
) -> AsyncIterator[Desk]:
    """The desk of many with a limit of ₹10,000, at which the trader sits."""
    async with desk_of_many(home, clock) as desk:
        await desk.people.set_limit(LIMIT, needed)
        await sit(desk, "tara")
        yield desk


async def test_above_the_limit_a_plan_waits_for_somebody_else(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        plan = await desk.plans.freeze(TCS)
        assert plan.number is not None
        assert worth_paise(plan) > LIMIT
        with pytest.raises(NeedsApproval) as refused:
            await desk.runs.start(plan, plan.digest)
        assert (refused.value.needed, refused.value.given, refused.value.value_paise) == (
            1,
            0,
            worth_paise(plan),
        )
        assert desk.orders.all() == []
        await sit(desk, "asha")
        state = await desk.approvals.approve(there(plan.number), plan.short_digest)
        assert (state.missing, state.maker, [one.person for one in state.given]) == (0, "tara", ["asha"])
        await sit(desk, "tara")
        run = await desk.runs.start(plan, plan.digest)
        await desk.settle()
        assert desk.runs.get(run.number).counts[RunCount.FILLED] == 1
        rows = await desk.audit.rows(100)
        story = [
            (row.action, row.actor)
            for row in sorted(rows, key=lambda row: row.seq)
            if row.plan_number == plan.number
        ]
        assert story[:3] == [("PLAN_FROZEN", "tara"), ("PLAN_APPROVED", "asha"), ("RUN_STARTED", "tara")]
        assert any("confirmed by asha" in desk_words for desk_words in map(_words, desk.tape()))
        assert (await desk.audit.verify()).ok


def _words(line):
    from engine.words.tape import news_words

    return news_words(line.news)


async def test_at_the_limit_and_below_nobody_else_is_asked(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        plan = await desk.plans.freeze(buy("TCS", QTY, 3, 42))
        assert worth_paise(plan) <= LIMIT
        await desk.runs.start(plan, plan.digest)
        with pytest.raises(BadInput, match="needs nobody's confirmation"):
            await desk.approvals.approve(there(plan.number), plan.digest)


async def test_two_are_two_others(tmp_path):
    async with desk_with_limit(tmp_path, needed=2) as desk:
        plan = await desk.plans.freeze(TCS)
        await sit(desk, "asha")
        await desk.approvals.approve(there(plan.number), plan.digest)
        with pytest.raises(BadInput, match="already"):
            await desk.approvals.approve(there(plan.number), plan.digest)
        with pytest.raises(NeedsApproval) as refused:
            await desk.runs.start(plan, plan.digest)
        assert refused.value.given == 1
        await sit(desk, "ravi")  # AM1042 is of his clients
        await desk.approvals.approve(there(plan.number), plan.digest)
        await sit(desk, "tara")
        await desk.runs.start(plan, plan.digest)


async def test_nobody_confirms_their_own_plan(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        plan = await desk.plans.freeze(TCS)
        with pytest.raises(OwnPlan):
            await desk.approvals.approve(there(plan.number), plan.digest)
        with pytest.raises(NeedsApproval):
            await desk.runs.start(plan, plan.digest)


@pytest.mark.parametrize(
    "digest", ["", "7f3a", "f" * 64, "'; DROP TABLE approval;--", "[b]", "x" * 1_000_000]
)
async def test_another_digest_confirms_nothing(tmp_path, digest):
    async with desk_with_limit(tmp_path) as desk:
        plan = await desk.plans.freeze(TCS)
        await sit(desk, "asha")
        with pytest.raises(NotConfirmed):
            await desk.approvals.approve(there(plan.number), digest)
        assert (await desk.approvals.of(there(plan.number))).given == ()


async def test_who_may_not_send_or_not_for_these_clients_confirms_nothing(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        theirs = desk.clients.find(THEIRS).id
        plan = await desk.plans.freeze(buy("RELIANCE", QTY, 10, theirs))
        for name, kind in (
            ("anil", NotOfRole),
            ("uma", NotOfRole),
            ("aarav", NotOfRole),
            ("ravi", OutOfScope),
        ):
            await sit(desk, name)
            with pytest.raises(kind):
                await desk.approvals.approve(there(plan.number), plan.digest)
        await sit(desk, "asha")
        assert (await desk.approvals.of(there(plan.number))).given == ()


async def test_a_confirmation_ends_with_its_plan(tmp_path):
    clock = ManualClock(START)
    async with desk_with_limit(tmp_path, clock=clock) as desk:
        plan = await desk.plans.freeze(TCS)
        assert (plan.expires_at - plan.frozen_at).total_seconds() == desk.rules.confirmed_valid_s
        clock.shift(desk.rules.confirmed_valid_s + 1)
        await sit(desk, "asha")
        with pytest.raises(PlanTooOld):
            await desk.approvals.approve(there(plan.number), plan.digest)
        with pytest.raises(PlanTooOld):
            await desk.runs.start(plan, plan.digest)


async def test_a_confirmation_counts_only_while_who_gave_it_may_give_one(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        await sit(desk, "asha")
        await desk.people.add("tilak", Role.TRADER, password("tilak"))
        await sit(desk, "tara")
        plan = await desk.plans.freeze(TCS)
        await sit(desk, "tilak")
        await desk.approvals.approve(there(plan.number), plan.digest)
        await sit(desk, "asha")
        await desk.people.set_role("tilak", Role.ASSISTANT)
        await sit(desk, "tara")
        with pytest.raises(NeedsApproval):
            await desk.runs.start(plan, plan.digest)


async def test_what_makes_positions_smaller_or_stops_waits_for_nobody(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await sit(desk, "tara")
        bought = await desk.plans.freeze(TCS)
        await desk.runs.start(bought, bought.digest)
        await desk.settle()
        await sit(desk, "asha")
        await desk.people.set_limit(0, 2)
        await sit(desk, "tara")
        out = await desk.plans.freeze(sell("TCS", QTY, 4, 42))
        await desk.runs.start(out, out.digest)
        await desk.settle()
        assert await desk.flatten.start(HaltScope.CLIENT, "42", FlattenWhat.ALL)
        made = await desk.halt.fire(desk.actor)
        assert made.ended


async def test_no_modify_lifts_an_order_over_the_limit(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        plan = await desk.plans.freeze(buy("TCS", QTY, 1, 42, limit_paise=2450_00))
        run = await desk.runs.start(plan, plan.digest)
        await desk.settle()
        (order,) = desk.runs.get(run.number).order_ids
        with pytest.raises(NeedsApproval):
            await desk.orders.modify(order, quantity=10)
        await desk.orders.modify(order, quantity=2)
        await desk.settle()
        assert desk.orders.get(order).quantity == 2


async def test_a_limit_is_set_by_an_admin_where_enough_others_could_confirm(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        for above, needed in ((1, 3), (-1, 1), (1, -1)):
            with pytest.raises(BadInput):
                await desk.people.set_limit(above, needed)
        for name in ("ravi", "tara"):
            await desk.people.disable(name)
        with pytest.raises(BadInput, match="nobody else"):
            await desk.people.set_limit(LIMIT, 1)
        await desk.people.set_limit(0, 0)
        assert desk.people.limit is None


async def test_a_confirmation_is_kept_as_it_was_given(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        plan = await desk.plans.freeze(TCS)
        await sit(desk, "asha")
        await desk.approvals.approve(there(plan.number), plan.digest)
        for statement in (
            "UPDATE approval SET person = 'x'",
            "DELETE FROM approval",
            "DELETE FROM approval_rule",
        ):
            with pytest.raises(IntegrityError, match="append-only"):
                await seam(desk).store.write(
                    lambda unit, text=statement: unit.connection.exec_driver_sql(text)
                )


def test_the_scoped_trader_of_these_tests_has_the_first_client():
    assert MINE[0] == "AM1042"
