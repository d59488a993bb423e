"""Maker and checker: what needs a second person, who that may be, how long it counts, what never waits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from data.clock import ManualClock
from data.errors import BadInput
from data.vocabulary import FlattenWhat, HaltScope, Role, RunCount, Side, SizingKind
from engine.accounts.client_edit import ClientEdit
from engine.desk import Desk
from engine.execution.views import RunView
from engine.planning.confirming import COUNTED_FOR, worth_paise
from engine.planning.intent import Intent, Leg, Sizing
from engine.refusals import (
    NeedsApproval,
    NoLongerStands,
    NotConfirmed,
    NotOfRole,
    OutOfScope,
    OwnPlan,
    PlanDrifted,
    PlanTooOld,
)
from engine.words.refusals import refusal_words
from tests.desks import START, buy, sell, there
from tests.further import case
from tests.people.home_of_many import MINE, THEIRS, desk_of_many, password, sit
from tradedesk.compose.brokers.paper import exchange_of
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


OTHER_DIGESTS = ["", "7f3a", "f" * 64, "'; DROP TABLE approval;--", "[b]", "x" * 1_000_000]


async def test_another_digest_confirms_nothing(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        for digest in OTHER_DIGESTS:
            with case(digest):
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
        for name in ("ravi", "tara", "sunil"):
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


# --- the limit in pieces -----------------------------------------------------------------------------------

HALF = buy("TCS", QTY, 3, 42, again=True)
"""Three shares, reserved at about ₹7,650: two of them are above the limit."""


async def sent(desk: Desk, intent: Intent) -> RunView:
    """A plan frozen and sent by who sits at the desk, in fills."""
    plan = await desk.plans.freeze(intent)
    run = await desk.runs.start(plan, plan.digest)
    await desk.settle()
    return desk.runs.get(run.number)


async def test_two_halves_of_a_buy_are_added_up(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        first = await sent(desk, HALF)
        plan = await desk.plans.freeze(HALF)
        assert plan.number is not None
        assert (plan.expires_at - plan.frozen_at).total_seconds() == desk.rules.confirmed_valid_s
        with pytest.raises(NeedsApproval) as refused:
            await desk.runs.start(plan, plan.digest)
        assert refused.value.value_paise == worth_paise(plan) <= LIMIT
        (order,) = first.order_ids
        reserve = seam(desk).book.orders[order].reserve_price_paise
        assert refused.value.before_paise == 3 * reserve
        assert "bought of it before" in refusal_words(refused.value)
        await sit(desk, "asha")
        assert (await desk.approvals.approve(plan.number, plan.digest)).missing == 0
        await sit(desk, "tara")
        await desk.runs.start(plan, plan.digest)
        await desk.settle()
        with pytest.raises(NeedsApproval) as refused:
            await sent(desk, HALF)
        assert refused.value.before_paise == 3 * reserve, "what was confirmed does not count again"


@pytest.mark.parametrize(
    "other",
    [
        buy("TCS", QTY, 3, 48),
        buy("INFY", QTY, 1, 48).with_legs(
            [Leg(Side.BUY, "NSE:INFY", Sizing(QTY, 1)), Leg(Side.BUY, "NSE:TCS", Sizing(QTY, 3))]
        ),
    ],
)
async def test_another_client_or_a_basket_is_no_way_round(tmp_path, other):
    async with desk_with_limit(tmp_path) as desk:
        await sent(desk, HALF)
        with pytest.raises(NeedsApproval):
            await sent(desk, other)


async def test_somebody_elses_plan_of_the_other_half_is_no_way_round(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        await sent(desk, HALF)
        await sit(desk, "anil")
        plan = await desk.plans.freeze(HALF)
        await sit(desk, "tara")
        with pytest.raises(NeedsApproval):
            await desk.runs.start(plan, plan.digest)


async def test_other_securities_other_people_later_ones_and_what_was_not_bought_do_not_count(tmp_path):
    clock = ManualClock(START)
    async with desk_with_limit(tmp_path, clock=clock) as desk:
        await sent(desk, HALF)
        await sent(desk, buy("INFY", QTY, 5, 42))
        await sit(desk, "ravi")
        resting = await sent(desk, buy("TCS", QTY, 3, 42, limit_paise=2400_00, again=True))
        with pytest.raises(NeedsApproval):
            await sent(desk, HALF)
        await desk.orders.cancel(resting.order_ids)
        await desk.settle()
        await sent(desk, HALF)
        with pytest.raises(NeedsApproval):
            await sent(desk, HALF)
        clock.shift(COUNTED_FOR.total_seconds() + 1)
        await sit(desk, "ravi")
        await sent(desk, HALF)


async def test_a_paused_half_goes_on_only_as_far_as_the_limit(tmp_path):
    clock = ManualClock(START)
    async with desk_with_limit(tmp_path, clock=clock) as desk:
        plan = await desk.plans.freeze(HALF)
        seam(desk).workers.dispatcher.submit = lambda order_ids: None
        run = await desk.runs.start(plan, plan.digest)
        await desk.runs.pause(run.number)
        clock.shift(COUNTED_FOR.total_seconds() + 1)
        await sit(desk, "tara")
        other = await desk.plans.freeze(buy("TCS", QTY, 3, 48))
        await desk.runs.start(other, other.digest)
        with pytest.raises(NeedsApproval):
            await desk.runs.go_on(run.number, 1)


async def test_many_small_lifts_are_added_up(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        run = await sent(desk, buy("TCS", QTY, 1, 42, 48, limit_paise=2400_00))
        first, second = run.order_ids
        await desk.orders.modify(first, quantity=3)
        await desk.settle()
        with pytest.raises(NeedsApproval) as refused:
            await desk.orders.modify(second, quantity=2)
        assert refused.value.before_paise == 4 * 2400_00
        with pytest.raises(NeedsApproval):
            await sent(desk, buy("TCS", QTY, 2, 42, again=True))
        await desk.orders.modify(first, quantity=2)
        await desk.settle()
        await desk.orders.modify(second, limit_paise=2410_00)


async def test_a_lift_of_what_was_confirmed_or_bought_long_ago_counts_by_itself(tmp_path):
    clock = ManualClock(START)
    async with desk_with_limit(tmp_path, clock=clock) as desk:
        plan = await desk.plans.freeze(buy("TCS", QTY, 4, 42, 48, limit_paise=2400_00))
        await sit(desk, "asha")
        await desk.approvals.approve(there(plan.number), plan.digest)
        await sit(desk, "tara")
        run = await desk.runs.start(plan, plan.digest)
        await desk.settle()
        first, second = desk.runs.get(run.number).order_ids
        await desk.orders.modify(first, limit_paise=2410_00)
        await desk.settle()
        with pytest.raises(NeedsApproval):
            await desk.orders.modify(second, quantity=8)
        assert desk.orders.get(second).quantity == 4


async def test_a_larger_multiplier_after_a_confirmation_changes_no_frozen_plan(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        plan = await desk.plans.freeze(TCS)
        await sit(desk, "asha")
        await desk.approvals.approve(there(plan.number), plan.digest)
        await desk.clients.edit(42, ClientEdit(multiplier_bps=30_000))
        await sit(desk, "tara")
        run = await desk.runs.start(plan, plan.digest)
        assert [desk.orders.get(one).quantity for one in run.order_ids] == [10]


async def test_a_confirmed_plan_whose_price_moved_is_planned_anew(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        plan = await desk.plans.freeze(TCS)
        await sit(desk, "asha")
        await desk.approvals.approve(there(plan.number), plan.digest)
        await sit(desk, "tara")
        exchange_of(desk).pin("TCS", 2550_00)
        await desk.market.fetch(["NSE:TCS"])
        with pytest.raises(PlanDrifted):
            await desk.runs.start(plan, plan.digest)


async def test_a_confirmation_that_nobody_gave_counts_for_nothing(tmp_path):
    async with desk_with_limit(tmp_path) as desk:
        plan = await desk.plans.freeze(TCS)
        row = (plan.number, "asha", plan.digest, "2026-11-18 03:45:00.000000")
        written = "INSERT INTO approval (plan_number, person, digest, at) VALUES (?, ?, ?, ?)"
        await seam(desk).store.write(lambda unit: unit.connection.exec_driver_sql(written, row))
        with pytest.raises(NeedsApproval) as refused:
            await desk.runs.start(plan, plan.digest)
        assert refused.value.given == 0


@pytest.mark.parametrize("edit", ["role = 'admin'", "scope = NULL", "disabled_at = NULL, role = 'trader'"])
async def test_a_person_whose_row_was_edited_may_write_nothing(tmp_path, edit):
    async with desk_of_many(tmp_path) as desk:
        await sit(desk, "ravi")
        await desk.notes.on_client(42, "as he may")
        edited = f"UPDATE person SET {edit} WHERE name = 'ravi'"
        changes = {"role = 'admin'", "scope = NULL"}
        await seam(desk).store.write(lambda unit: unit.connection.exec_driver_sql(edited))
        if edit in changes:
            with pytest.raises(NoLongerStands, match="not as the audit left it"):
                await desk.notes.on_client(42, "as he may not")
        else:
            await desk.notes.on_client(42, "the same as before is no edit")
