"""An order leaves only under the conditions that were confirmed: its run's age, and the price."""

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from typing import Any, cast

import pytest

from brokers.contract import NotSent
from data.clock import ManualClock
from data.records import replace
from data.vocabulary import (
    ClientStatus,
    Drift,
    OrderState,
    OrderType,
    PauseReason,
    Policy,
    Reason,
    RunCount,
    RunStatus,
    Side,
    SizingKind,
)
from engine.desk import Desk
from engine.execution.views import RunView
from engine.planning.intent import Leg, Sizing
from engine.refusals import CannotGoOn, Halted, PlanDrifted
from engine.words.refusals import refusal_words
from engine.words.trading.runs import run_why
from engine.words.trading.tickets import review_sentence
from tests.desks import Wire, books_are_sound, buy, manual_clock, on_tape, paper_desk, sell, there, until
from tests.refusing import refuses
from tests.tampering import tamper
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

ROHAN, PRIYA, AMIT = 8, 15, 22
KEY, LAST = "NSE:RELIANCE", 2450_50
MARKET = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, ROHAN, PRIYA, AMIT)
LIMIT = replace(MARKET, order_type=OrderType.LIMIT, limit_paise=2440_00)
STOP = replace(MARKET, order_type=OrderType.SL_M, trigger_paise=2460_00)


class Held:
    """A run whose broker turns every placement away at its gate until it is let go."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.wire, self.number, self.shut = desk, Wire(desk), 0, True
        self.wire.on_place = self._place

    async def _place(self, account, request):
        return NotSent("429") if self.shut else None

    @property
    def run(self) -> RunView:
        return self.desk.runs.get(self.number)

    async def start(self, intent) -> RunView:
        """Started, and tried once with every order."""
        plan = await self.desk.plans.freeze(intent)
        self.number = (await self.desk.runs.start(plan, plan.digest)).number
        await until(self.desk, lambda: len(self.wire.placed) >= plan.orders, step_s=0.1)
        return self.run

    async def price(self, paise: int) -> None:
        """The price moves, and the desk hears of it."""
        exchange_of(self.desk).pin("RELIANCE", paise, 2395_20)
        await self.desk.market.fetch([KEY])

    async def at_broker(self) -> int:
        """Orders that have left."""
        desk = self.desk
        accounts = [desk.connections.account(client) for client in desk.clients.all()]
        return sum([len(await desk.connections.feed.broker.orders(account)) for account in accounts])


@asynccontextmanager
async def held(tmp_path, policy: Policy = Policy.WORST) -> AsyncIterator[Held]:
    async with paper_desk(tmp_path, policy) as desk:
        yield Held(desk)


async def test_an_unsent_rest_older_than_the_plan_said_pauses_by_itself(tmp_path):
    async with held(tmp_path) as it:
        run = await it.start(LIMIT)
        plan = await it.desk.plans.get(run.plan_number)
        assert plan.send_within_s == 60
        manual_clock(it.desk).shift(75)
        it.shut = False
        await until(it.desk, lambda: it.run.status is RunStatus.PAUSED)
        await manual_clock(it.desk).advance(30)
        assert await it.at_broker() == 0
        assert (it.run.pause_reason, it.run.counts[RunCount.UNSENT]) == (PauseReason.TOO_OLD, 3)
        assert re.fullmatch(r"confirmed [78]\d s ago, its orders may leave for 60 s", run_why(it.run))
        assert any("3 unsent keep" in line for line in on_tape(it.desk, "PAUSED"))
        await books_are_sound(it.desk)


@pytest.mark.parametrize(("move", "pauses"), [(1.00498, False), (1.00502, True), (0.994, True)])
async def test_market_orders_pause_beyond_the_drift_that_was_confirmed(tmp_path, move, pauses):
    async with held(tmp_path) as it:
        await it.start(MARKET)
        await it.price(round(LAST * move / 5) * 5)
        it.shut = False
        await until(it.desk, lambda: it.run.status is not RunStatus.RUNNING)
        if pauses:
            await manual_clock(it.desk).advance(30)
            assert await it.at_broker() == 0
            assert it.run.pause_reason is PauseReason.DRIFTED
            assert "the price moved" in run_why(it.run)
        else:
            assert it.run.counts[RunCount.FILLED] == 3
        await books_are_sound(it.desk)


async def test_without_a_price_limit_market_orders_leave_however_far_the_price_has_moved(tmp_path):
    async with held(tmp_path) as it:
        free = replace(MARKET, drift=Drift.NONE)
        plan = await it.desk.plans.freeze(free)
        assert (plan.drift_limit_bps, plan.bound_paise) == (None, None)
        sentence = review_sentence(plan, masked=False)
        assert "MARKET" in sentence
        assert ", no drift limit, reserves ₹" in sentence
        limited = await it.desk.plans.freeze(replace(LIMIT, drift=Drift.NONE))
        assert "LIMIT 2,440.00, max ₹" in review_sentence(limited, masked=False)
        assert await it.desk.plans.get(there(plan.number)) == plan
        await it.start(free)
        await it.price(2600_00)
        it.shut = False
        await until(it.desk, lambda: it.run.counts[RunCount.FILLED] == 3)
        assert it.run.pause_reason is None
        await books_are_sound(it.desk)


async def test_a_plan_without_a_price_limit_is_started_after_any_move_and_one_with_it_is_not(tmp_path):
    async with paper_desk(tmp_path) as desk:
        bound = await desk.plans.freeze(MARKET)
        free = await desk.plans.freeze(replace(MARKET, drift=Drift.NONE))
        exchange_of(desk).pin("RELIANCE", 2500_00, 2395_20)
        await desk.market.fetch([KEY])
        with pytest.raises(PlanDrifted):
            await desk.runs.start(bound, bound.digest)
        run = await desk.runs.start(free, free.digest)
        run = await desk.runs.settled(run.number, 30)
        assert run.counts[RunCount.FILLED] == 3


async def test_a_stop_without_a_price_limit_pauses_at_its_trigger_all_the_same(tmp_path):
    async with held(tmp_path) as it:
        await it.start(replace(STOP, drift=Drift.NONE))
        await it.price(2460_00)
        it.shut = False
        await until(it.desk, lambda: it.run.status is RunStatus.PAUSED)
        assert await it.at_broker() == 0


@pytest.mark.in_file
async def test_each_leg_has_a_price_limit_of_its_own_or_none(tmp_path):
    async with held(tmp_path) as it:
        tcs = Leg(Side.BUY, "NSE:TCS", Sizing(SizingKind.FIXED_QUANTITY, 1), drift=Drift.NONE)
        plan = await it.desk.plans.freeze(replace(MARKET, further=(tcs,)))
        assert [part.drift_limit_bps for part in plan.parts] == [50, None]
        assert await it.desk.plans.get(there(plan.number)) == plan
        with closing(sqlite3.connect(tmp_path / "desk.db")) as file:
            stored = file.execute("SELECT drift_limit_bps FROM plan_leg ORDER BY leg").fetchall()
        assert stored == [(50,), (None,)]
        await it.start(plan.intent)
        exchange_of(it.desk).pin("TCS", 2650_00, 2490_00)
        await it.desk.market.fetch([tcs.key])
        it.shut = False
        await until(it.desk, lambda: it.run.counts[RunCount.FILLED] == 6)
        assert it.run.pause_reason is None


async def test_a_wall_clock_that_is_set_back_hides_no_move_of_the_price(tmp_path):
    async with held(tmp_path) as it:
        await it.start(MARKET)
        clock, now = it.desk.clock, it.desk.clock.now
        clock.now = lambda: now() - timedelta(seconds=30)
        await it.price(round(LAST * 1.02 / 5) * 5)
        it.shut = False
        await until(it.desk, lambda: it.run.status is RunStatus.PAUSED)
        assert await it.at_broker() == 0
        assert it.run.pause_reason is PauseReason.DRIFTED


async def test_a_limit_says_its_own_price_and_a_stop_pauses_at_its_trigger(tmp_path):
    async with held(tmp_path) as it:
        await it.start(LIMIT)
        await it.price(2470_00)
        it.shut = False
        await until(it.desk, lambda: it.run.counts[RunCount.OPEN] == 3)
    async with held(tmp_path / "stop") as it:
        await it.start(STOP)
        await it.price(2459_90)
        await manual_clock(it.desk).advance(5)
        assert it.run.status is RunStatus.RUNNING, "it has not reached its trigger"
        await it.price(2460_00)
        it.shut = False
        await until(it.desk, lambda: it.run.status is RunStatus.PAUSED)
        await manual_clock(it.desk).advance(30)
        assert await it.at_broker() == 0
        with refuses(CannotGoOn, "waits above the last price"):
            await it.desk.runs.go_on(it.number, 3)


async def test_without_a_young_price_claims_wait_and_only_age_pauses(tmp_path):
    async with held(tmp_path) as it:
        await it.start(MARKET)
        quotes = it.desk.connections.feed.broker.quotes
        asked = []

        async def none(keys):
            asked.append(keys)
            return {}

        it.desk.connections.feed.broker.quotes = none
        seam(it.desk).quotes.age = lambda key, now: 60.0
        it.shut = False
        await manual_clock(it.desk).advance(20)
        for _ in range(3):
            await until(it.desk, lambda: len(asked) > 1)
        assert (it.run.status, await it.at_broker()) == (RunStatus.RUNNING, 0)
        del seam(it.desk).quotes.age
        it.desk.connections.feed.broker.quotes = quotes
        await until(it.desk, lambda: it.run.counts[RunCount.FILLED] == 3)


async def test_without_any_price_a_run_pauses_when_it_is_too_old(tmp_path):
    async with held(tmp_path) as it:
        await it.start(MARKET)
        seam(it.desk).quotes.age = lambda key, now: 60.0
        it.shut = False
        await until(it.desk, lambda: it.run.status is RunStatus.PAUSED)
        assert (it.run.pause_reason, await it.at_broker()) == (PauseReason.TOO_OLD, 0)


async def test_a_wall_clock_set_back_makes_nothing_younger(tmp_path):
    async with held(tmp_path) as it:
        await it.start(LIMIT)
        clock = it.desk.clock
        assert isinstance(clock, ManualClock)
        clock.shift(90)
        now = clock.now
        clock.now = lambda: now() - timedelta(seconds=80)
        it.shut = False
        await until(it.desk, lambda: it.run.status is RunStatus.PAUSED)
        assert (it.run.pause_reason, await it.at_broker()) == (PauseReason.TOO_OLD, 0)


async def test_a_run_that_needs_longer_by_its_budgets_may_take_longer_and_the_plan_says_so(tmp_path):
    async with paper_desk(tmp_path) as desk:
        connection = desk.connections.feed
        kept = connection.broker
        can = replace(kept.capabilities, key_orders_per_second=2)

        class Slow:
            def __getattr__(self, name):
                return can if name == "capabilities" else getattr(kept, name)

        connection.broker = cast(Any, Slow())
        everyone = sorted(client.id for client in desk.clients.all() if client.gate is None)
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, *everyone))
        assert plan.orders > 40
        assert plan.eta_s >= plan.orders - 2, "one a second beside the share of cancels"
        assert plan.send_within_s == round(1.5 * plan.eta_s + 15)
        assert (await desk.plans.get(there(plan.number))) == plan, "it is stored, and under the digest"


# --- going on ---


async def paused(it: Held, intent=MARKET, paise: int = 2480_00) -> None:
    await it.start(intent)
    await it.price(paise)
    await until(it.desk, lambda: it.run.status is RunStatus.PAUSED)


async def test_going_on_takes_the_number_that_is_unsent_and_prices_anew(tmp_path):
    async with held(tmp_path) as it:
        await paused(it)
        desk, before = it.desk, {o.id: o for o in it.desk.orders.all(run=it.number)}
        found = await desk.runs.prospect(it.number)
        assert (found.unsent, found.answer, found.drift_bps) == (3, "send 3", 120)
        assert found.need_paise > found.blocked_paise > 0
        assert desk.runs.get(it.number).status is RunStatus.PAUSED, "looking changes nothing"
        for wrong in (2, 4, 0):
            with refuses(CannotGoOn, f"3 orders of run {it.number} are unsent now, not {wrong}"):
                await desk.runs.go_on(it.number, wrong)
        assert await it.at_broker() == 0
        await desk.runs.go_on(it.number, 3)
        after = {o.id: o for o in desk.orders.all(run=it.number)}
        assert {o.quantity for o in after.values()} == {2}, "quantities never change"
        assert {o.reserve_price_paise for o in after.values()} == {2529_60}
        assert sum(o.blocked_paise for o in after.values()) == found.need_paise
        assert all(after[i].blocked_paise > before[i].blocked_paise for i in after)
        it.shut = False
        await until(desk, lambda: it.run.counts[RunCount.FILLED] == 3)
        await books_are_sound(desk)
        rows = await desk.audit.rows(limit=1000)
        told = next(row for row in rows if row.action == "RUN_RESUMED")
        assert (told.details["priced_before_paise"], told.details["priced_paise"]) == (LAST, 2480_00)


async def test_a_fallen_price_gives_the_surplus_back(tmp_path):
    async with held(tmp_path) as it:
        await paused(it, paise=2420_00)
        free = it.desk.funds.of(ROHAN).available_paise
        await it.desk.runs.go_on(it.number, 3)
        assert it.desk.funds.of(ROHAN).available_paise > free
        await books_are_sound(it.desk)


async def test_price_and_age_begin_anew(tmp_path):
    async with held(tmp_path) as it:
        await paused(it)
        manual_clock(it.desk).shift(300)
        await it.desk.runs.go_on(it.number, 3)
        await manual_clock(it.desk).advance(20)
        assert it.run.status is RunStatus.RUNNING
        await it.price(2500_00)
        await until(it.desk, lambda: it.run.status is RunStatus.PAUSED)
        assert it.run.pause_reason is PauseReason.DRIFTED
        await it.desk.runs.go_on(it.number, 3)
        manual_clock(it.desk).shift(61)
        await it.price(2500_00)
        await until(it.desk, lambda: it.run.status is RunStatus.PAUSED)
        assert it.run.pause_reason is PauseReason.TOO_OLD


async def test_who_cannot_pay_or_may_not_trade_is_denied_and_its_money_freed(tmp_path):
    async with held(tmp_path) as it:
        desk = it.desk
        poor, closed, good = sorted((ROHAN, PRIYA, AMIT), key=lambda c: desk.funds.of(c).available_paise)
        shares = desk.funds.of(poor).available_paise // 2510_00  # all of its money at 2499.60
        await paused(it, replace(MARKET, sizing=Sizing(SizingKind.FIXED_QUANTITY, shares)))
        await desk.clients.set_status(closed, ClientStatus.INACTIVE, "asked us to")
        await it.price(2620_00)
        found = await desk.runs.prospect(it.number)
        why = {client_id: refusal.reason for client_id, refusal in found.barred.items()}
        assert why == {poor: Reason.INSUFFICIENT_FUNDS, closed: Reason.CLIENT_INACTIVE}
        await desk.runs.go_on(it.number, 3)
        orders = {order.client_id: order for order in desk.orders.all(run=it.number)}
        assert {c: (o.state, o.reason_code) for c, o in orders.items()} == {
            good: (OrderState.RESERVED, ""),
            poor: (OrderState.DENIED, Reason.INSUFFICIENT_FUNDS),
            closed: (OrderState.DENIED, Reason.CLIENT_INACTIVE),
        }
        assert orders[poor].blocked_paise == orders[closed].blocked_paise == 0
        it.shut = False
        await until(desk, lambda: it.run.counts[RunCount.FILLED] == 1)
        await books_are_sound(desk)


async def test_a_run_all_of_whose_rest_is_barred_stays_paused(tmp_path):
    async with held(tmp_path) as it:
        desk = it.desk
        await paused(it)
        blocked = [desk.funds.of(client).blocked_paise for client in (ROHAN, PRIYA, AMIT)]
        for client in (ROHAN, PRIYA, AMIT):
            await desk.clients.set_status(client, ClientStatus.INACTIVE, "asked us to")
        with pytest.raises(CannotGoOn) as refused:
            await desk.runs.go_on(it.number, 3)
        assert refusal_words(refused.value).endswith("may go: 3 client inactive; stop it")
        assert it.run.paused
        assert [desk.funds.of(client).blocked_paise for client in (ROHAN, PRIYA, AMIT)] == blocked
        await desk.runs.stop(it.number, live=False)
        assert it.run.counts[RunCount.CANCELLED] == 3
        await books_are_sound(desk)


async def test_a_halted_desk_goes_on_with_nothing(tmp_path):
    async with held(tmp_path) as it:
        await paused(it)
        (it.desk.home / "HALT").touch()
        with refuses(Halted, "resume it first"):
            await it.desk.runs.go_on(it.number, 3)
        assert it.run.paused


async def test_the_same_sent_by_another_run_meanwhile_bars_going_on(tmp_path):
    async with held(tmp_path) as it:
        desk = it.desk
        late = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, ROHAN))
        await paused(it, replace(MARKET, selection=replace(MARKET.selection, client_ids=(PRIYA, AMIT))))
        other = await desk.plans.freeze(replace(MARKET, again=True))
        await desk.runs.start(other, other.digest)
        with pytest.raises(CannotGoOn) as refused:
            await desk.runs.go_on(it.number, 2)
        assert "2 same just sent" in refusal_words(refused.value)
        assert late.orders == 1


async def test_a_pause_of_the_traders_own_goes_on_by_the_number_too_and_sells_keep_their_shares(tmp_path):
    async with held(tmp_path) as it:
        desk = it.desk
        it.shut = False
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 9, ROHAN))
        done = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.runs.get(done.number).counts[RunCount.FILLED] == 1)
        it.wire.placed.clear()
        it.shut = True
        await it.start(sell("RELIANCE", SizingKind.FIXED_QUANTITY, 4, ROHAN))
        await desk.runs.pause(it.number)
        await until(desk, lambda: it.run.counts[RunCount.UNSENT] == 1)
        assert (it.run.pause_reason, it.run.needs_attention) == (PauseReason.TRADER, False)
        await it.price(2300_00)
        await desk.runs.go_on(it.number, 1)
        it.shut = False
        await until(desk, lambda: it.run.counts[RunCount.FILLED] == 1)
        await books_are_sound(desk)


# --- the last look ---


@pytest.mark.parametrize("act", ["pause", "stop"])
async def test_what_was_claimed_before_a_pause_or_a_stop_does_not_leave_after_it(tmp_path, act):
    async with paper_desk(tmp_path) as desk:
        wire = Wire(desk)

        async def place(account, request):
            number = desk.runs.all()[0].number
            if desk.runs.get(number).status is RunStatus.RUNNING:
                await (desk.runs.pause(number) if act == "pause" else desk.runs.stop(number, live=False))
            return  # and now to the broker

        wire.on_place = place
        plan = await desk.plans.freeze(LIMIT)
        run = await desk.runs.start(plan, plan.digest)
        kept = RunCount.UNSENT if act == "pause" else RunCount.CANCELLED
        await until(desk, lambda: desk.runs.get(run.number).counts[kept] == 3, step_s=0.05)
        accounts = [desk.connections.account(desk.clients.get(client)) for client in (ROHAN, PRIYA, AMIT)]
        assert sum([len(await desk.connections.feed.broker.orders(account)) for account in accounts]) == 0
        await books_are_sound(desk)


@pytest.mark.parametrize(
    ("shifted_s", "wall_set_s"), [(1.1, 0.0), (1.1, -1.1), (0.0, 1.1)], ids=["both", "steady", "wall"]
)
async def test_a_claim_that_is_older_than_a_second_by_either_clock_does_not_leave_and_is_claimed_again(
    tmp_path, shifted_s, wall_set_s
):
    async with paper_desk(tmp_path) as desk:
        seam(desk).waits = replace(seam(desk).waits, claim_valid_s=1.0)
        wire = Wire(desk)

        async def place(account, request):
            if len(wire.placed) == 1:
                manual_clock(desk).shift(shifted_s)  # the program stood still on its way to the broker
                manual_clock(desk).set_wall(wall_set_s)
            return

        wire.on_place = place
        one = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, ROHAN, limit_paise=2440_00)
        plan = await desk.plans.freeze(one)
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.OPEN] == 1, step_s=0.05)
        life = await desk.orders.life(desk.runs.get(run.number).order_ids[0])
        assert [row.outcome for row in life.attempts] == ["not_sent", "accepted"]
        assert re.match(r"its claim is 1\.\d s old", life.attempts[0].detail)
        assert (
            len(await desk.connections.feed.broker.orders(desk.connections.account(desk.clients.get(ROHAN))))
            == 1
        )


@pytest.mark.parametrize("change", ["quantity = 20", "side = 'SELL'", "tradingsymbol = 'TCS'"])
async def test_orders_that_were_changed_behind_the_desk_do_not_go_on(tmp_path, change):
    async with held(tmp_path) as it:
        await paused(it)
        tamper(it.desk.home / "desk.db", f"UPDATE orders SET {change} WHERE state = 'RESERVED'")
        it.shut = False
        with refuses(CannotGoOn, r"is not what plan \d+ says: stop run"):
            await it.desk.runs.go_on(it.number, 3)
        assert await it.at_broker() == 0
