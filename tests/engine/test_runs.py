"""Runs: once, only as confirmed, and what happens to a plan that the world has overtaken."""

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest

from brokers.contract import Ambiguous, Refused
from data.clock import ManualClock
from data.errors import BadInput
from data.records import replace
from data.vocabulary import (
    ClientStatus,
    DeskKind,
    HaltScope,
    OrderState,
    Product,
    Reason,
    RunCount,
    RunStatus,
    Side,
    SizingKind,
)
from engine.planning.plan_record import record_digest, to_json
from engine.refusals import AlreadyRun, CannotGoOn, Halted, NotConfirmed, PlanDrifted, PlanExpired
from tests.desks import (
    START,
    Wire,
    books_are_sound,
    buy,
    carry_out,
    filed_desk,
    manual_clock,
    paper_desk,
    sell,
    there,
    until,
)
from tests.refusing import refuses
from tradedesk.compose.brokers.paper import exchange_of

ROHAN, PRIYA, AMIT = 8, 15, 22


async def test_a_plan_runs_once_whoever_starts_it(tmp_path):
    clock = ManualClock(START)
    async with (
        filed_desk(tmp_path, clock) as desk,
        filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as other,
    ):
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        same = await other.plans.by_digest(plan.digest[:8])
        assert same == plan
        results = await asyncio.gather(
            desk.runs.start(plan, plan.digest),
            other.runs.start(same, plan.digest[:8]),
            desk.runs.start(plan, plan.digest),
            return_exceptions=True,
        )
        assert sorted(type(result).__name__ for result in results) == ["AlreadyRun", "AlreadyRun", "RunView"]
        await until(desk, lambda: any(order.filled_quantity for order in desk.orders.all()))
        assert (
            len(await desk.connections.feed.broker.orders(desk.connections.account(desk.clients.get(ROHAN))))
            == 1
        )
        await until(other, lambda: desk.orders.all() == other.orders.all())
        with refuses(AlreadyRun, "was sent before"):
            await other.runs.start(same, plan.digest)
        await books_are_sound(desk)


async def test_a_run_that_is_finished_is_not_paused(tmp_path):
    async with paper_desk(tmp_path) as desk:
        _, run = await carry_out(desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1))
        await until(desk, lambda: desk.runs.get(run.number).finished_at is not None)
        with pytest.raises(BadInput, match="it is finished: nothing of it waits to be sent"):
            await desk.runs.pause(run.number)


async def test_what_is_refused_reserves_nothing(tmp_path):
    async with paper_desk(tmp_path) as desk:
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1))
        before = desk.funds.all()
        changed = replace(plan, reserve_price_paise=1)
        for given, confirm in ((plan, plan.digest[:7]), (plan, "0" * 64), (changed, plan.digest)):
            with pytest.raises(NotConfirmed):
                await desk.runs.start(given, confirm)
        for paise, moved in ((2470_00, r"\+0.80"), (2462_80, r"\+0.50"), (2438_20, "-0.50")):
            exchange_of(desk).pin("RELIANCE", paise, 2395_20)
            await desk.market.fetch(["NSE:RELIANCE"])
            with refuses(PlanDrifted, f"moved {moved} %"):
                await desk.runs.start(plan, plan.digest)
        exchange_of(desk).pin("RELIANCE", 2450_50, 2395_20)
        (desk.home / "HALT").touch()
        with pytest.raises(Halted):
            await desk.runs.start(plan, plan.digest)
        (desk.home / "HALT").unlink()
        manual_clock(desk).shift(60.1)
        with refuses(PlanExpired, "older than 60 s"):
            await desk.runs.start(plan, plan.digest)
        assert (desk.orders.all(), desk.funds.all()) == ([], before)


@pytest.mark.in_file
@pytest.mark.parametrize("sealed_anew", [True, False])
async def test_a_plan_whose_record_was_changed_is_not_carried_out(tmp_path, sealed_anew):
    async with paper_desk(tmp_path) as desk:
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1))
        record = to_json(replace(plan, reserve_price_paise=1))
        if sealed_anew:
            record["digest"] = record_digest(record)
        with closing(sqlite3.connect(desk.home / "desk.db", isolation_level=None)) as other:
            other.execute("DROP TRIGGER plan_no_update")
            changed = (json.dumps(record), plan.number)
            other.execute("UPDATE plan SET body = ? WHERE number = ?", changed)
        with pytest.raises(NotConfirmed):
            await desk.runs.start(plan, plan.digest)
        assert desk.orders.all() == []


async def test_lines_whose_money_shares_or_standing_went_since_the_plan_are_denied(tmp_path):
    async with paper_desk(tmp_path) as desk:
        base = desk.funds.of(PRIYA).available_paise
        quantity = base // 2550_00
        plans = [
            await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, n, PRIYA, ROHAN, AMIT, again=True))
            for n in (quantity - 1, quantity - 2)
        ]
        first = await desk.runs.start(plans[0], plans[0].digest)
        await desk.clients.set_status(ROHAN, ClientStatus.INACTIVE, "asked us to")
        await desk.halt.fire("tester", HaltScope.CLIENT, str(AMIT))
        run = await desk.runs.start(plans[1], plans[1].digest)
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.FINISHED)
        why = {order.client_id: order.reason_code for order in desk.orders.all(run=run.number)}
        assert why == {
            PRIYA: Reason.INSUFFICIENT_FUNDS,
            ROHAN: Reason.CLIENT_INACTIVE,
            AMIT: Reason.HALTED,
        }
        assert desk.runs.get(run.number).counts[RunCount.DENIED] == 3
        assert desk.runs.get(run.number).counts[RunCount.SENT] == 0
        await until(desk, lambda: not [o for o in desk.orders.all(live=True) if o.run_number == first.number])
        await desk.halt.resume(desk.halt.active()[0].number, "resume", "tester")
        await books_are_sound(desk)


async def test_the_mtf_limit_that_went_since_the_plan_is_named(tmp_path):
    async with paper_desk(tmp_path) as desk:
        room = desk.clients.get(AMIT).mtf_limit_paise
        quantity = int(room * 0.6) // (1530_00 * 8 // 10)
        intents = [
            buy("INFY", SizingKind.FIXED_QUANTITY, quantity - n, AMIT, product=Product.MTF) for n in (0, 1)
        ]
        plans = [await desk.plans.freeze(intent) for intent in intents]
        if not all(plan.orders for plan in plans):
            pytest.fail("the demonstration's figures have changed")
        await desk.runs.start(plans[0], plans[0].digest)
        run = await desk.runs.start(plans[1], plans[1].digest)
        (order,) = desk.orders.all(run=run.number)
        assert order.state is OrderState.DENIED
        assert order.reason_code in (Reason.MTF_LIMIT, Reason.INSUFFICIENT_FUNDS)
        short = desk.funds.of(AMIT).available_paise < plans[1].lines[0].reserve_paise
        assert (order.reason_code == Reason.INSUFFICIENT_FUNDS) == short


async def test_the_same_intent_within_a_minute_is_a_duplicate_unless_said_again(tmp_path):
    async with paper_desk(tmp_path) as desk:
        intent = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN)
        await carry_out(desk, intent)
        (line,) = (await desk.plans.preview(intent)).lines
        assert line.reason is Reason.DUPLICATE_INTENT
        others = (
            replace(intent, again=True),
            buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, ROHAN),
            buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN),
            sell("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN),
        )
        for other in others:
            assert (await desk.plans.preview(other)).lines[0].ok
        await manual_clock(desk).advance(60.1)
        assert (await desk.plans.preview(intent)).lines[0].ok


async def test_pause_keeps_back_go_on_sends_and_stop_frees(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        go = asyncio.Event()

        async def place(account, request):
            await go.wait()

        wire.on_place = place
        runs = []
        for quantity in range(1, 7):  # a client's lane takes four at once
            plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, quantity, ROHAN))
            runs.append((await desk.runs.start(plan, plan.digest)).number)
        paused, stopped = runs[4:]
        await until(desk, lambda: len(wire.placed) == 4, step_s=0.05)
        await desk.runs.pause(paused)
        blocked = desk.funds.of(ROHAN).blocked_paise
        (unsent,) = desk.orders.all(run=stopped)
        assert (await desk.runs.stop(stopped, live=False)).counts[RunCount.CANCELLED] == 1
        assert desk.funds.of(ROHAN).blocked_paise == blocked - unsent.blocked_paise
        go.set()
        await until(desk, lambda: all(desk.runs.get(number).counts[RunCount.FILLED] for number in runs[:4]))
        await manual_clock(desk).advance(5)
        assert desk.runs.get(paused).counts[RunCount.UNSENT] == 1
        assert len(wire.placed) == 4
        await desk.runs.go_on(paused, 1)
        await until(desk, lambda: desk.runs.get(paused).status is RunStatus.FINISHED)
        with refuses(CannotGoOn, "has ended"):
            await desk.runs.go_on(stopped, 1)
        assert desk.runs.get(stopped).counts[RunCount.CANCELLED] == 1
        assert len(wire.placed) == 5
        await books_are_sound(desk)


async def test_repair_retries_proven_failures_only_and_reverse_undoes_fills(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)
        answers = {ROHAN: Refused("margin", "no"), PRIYA: Ambiguous("lost")}

        async def place(account, request):
            return answers.get(account.client_id)

        wire.on_place = place
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2))
        skipped = {line.client_id for line in plan.skipped_lines}
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.runs.get(run.number).settled)
        again = await desk.runs.repair_intent(run.number)
        assert again is not None
        assert set(again.selection.client_ids) == skipped | {ROHAN}
        back = await desk.runs.reverse_intent(run.number)
        assert back is not None
        filled = {line.client_id for line in plan.ok_lines} - {ROHAN, PRIYA}
        assert (back.side, set(back.selection.client_ids)) == (Side.SELL, filled)
        await carry_out(desk, back)
        assert all(not desk.holdings.of(client_id) for client_id in filled)
        assert await desk.runs.repair_intent(run.number) is not None
        assert await desk.runs.reverse_intent(run.number) is None, "all of it was turned back"
        answers.clear()
        _, mended = await carry_out(desk, again)
        assert ROHAN in {desk.orders.get(one).client_id for one in mended.order_ids}
        rest = await desk.runs.repair_intent(run.number)
        assert rest is not None
        assert set(rest.selection.client_ids) == skipped, "who was repaired is not planned again"
        await books_are_sound(desk)


@pytest.mark.in_file
async def test_a_stored_plan_that_was_changed_is_found_by_the_doctor(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, 8))
        await books_are_sound(desk)
    tampered = sqlite3.connect(tmp_path / "desk.db")
    with pytest.raises(sqlite3.IntegrityError, match="plan is append-only"):
        tampered.execute("UPDATE plan SET title = 'x'")
    tampered.execute("DROP TRIGGER plan_no_update")
    tampered.execute("UPDATE plan SET body = json_set(body, '$.last_paise', 1)")
    tampered.commit()
    tampered.close()
    async with paper_desk(tmp_path, demo=False) as desk:
        found = {check.name for check in await desk.doctor.run() if not check.ok}
    assert found == {"plans", "append-only triggers"}


async def test_orders_freed_before_they_were_sent_are_not_counted_as_sent(tmp_path):
    async with paper_desk(tmp_path) as desk:
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        run = await desk.runs.start(plan, plan.digest)
        await desk.halt.fire("tester")
        await desk.settle()
        counts = desk.runs.get(run.number).counts
        left = [order for order in desk.orders.all(run=run.number) if order.broker_order_id]
        assert counts[RunCount.SENT] == len(left)
        assert counts[RunCount.SENT] + counts[RunCount.CANCELLED] >= counts[RunCount.TOTAL]


async def test_what_is_left_of_a_run_is_told_by_the_budgets_until_the_last_order_has_left(tmp_path):
    async with paper_desk(tmp_path) as desk:
        lane, began = desk.connections.lane(ROHAN), desk.clock.now()
        for _ in range(300):  # what orders may use of a minute
            lane.take(began)
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN, PRIYA))
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == 1)
        now, left = desk.clock.now(), desk.runs.get(run.number).eta_s
        assert left == pytest.approx(60 - now.timestamp() % 60)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == 2)
        last = max(there(order.sent_at) for order in desk.orders.all(run=run.number))
        late = (last - now).total_seconds() - left
        assert -0.01 <= late < 10, "later only by steps that the clock took while the order was claimed"
        assert desk.runs.get(run.number).eta_s == 0
