"""Many limits at once: a frozen list, one digest, each order by its own request; and orders that chase."""

from functools import partial

import pytest

from brokers.contract import Refused
from data.audit import AuditAction
from data.clock import ManualClock
from data.errors import BadInput
from data.records import replace
from data.vocabulary import (
    ChaseEnd,
    DeskKind,
    LimitKind,
    LimitScope,
    LimitStrength,
    LimitTo,
    OrderState,
    RequestState,
    Side,
    SizingKind,
)
from engine.execution.changes.chases import followed
from engine.execution.changes.new_limits import NewLimit, new_limit_from
from engine.planning.limits.typed import LimitWish
from engine.refusals import NotConfirmed, NothingToSend, PlanDrifted, PlanTooOld
from engine.words.tape import news_words
from engine.words.trading.modify_words import beyond_soft, plan_words
from tests.desks import (
    START,
    Wire,
    books_are_sound,
    buy,
    carry_out,
    filed_desk,
    manual_clock,
    on_tape,
    paper_desk,
    until,
)
from tradedesk.compose.brokers.paper import exchange_of

QTY = SizingKind.FIXED_QUANTITY
ROHAN, RV = 8, 12


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)


async def resting(desk, *client_ids, quantity=2, limit_paise=2400_00, symbol="TCS"):
    intent = buy(symbol, QTY, quantity, *client_ids, limit_paise=limit_paise, again=True)
    _, run = await carry_out(desk, intent)
    assert all(desk.orders.get(order_id).state is OrderState.OPEN for order_id in run.order_ids)
    return list(run.order_ids)


def test_a_wish_is_a_price_ticks_or_the_last_price():
    assert new_limit_from(LimitTo.PRICE, "2,450.50") == NewLimit(LimitTo.PRICE, 245050)
    assert [new_limit_from(LimitTo.TICKS, text).value for text in ("2", "+2", "-2")] == [2, 2, -2]
    for typed in ("x", "", "--2", "1.5"):
        with pytest.raises(BadInput):
            new_limit_from(LimitTo.TICKS, typed)


async def test_a_list_says_what_each_order_would_be_and_why_others_stay(desk):
    order_ids = await resting(desk, ROHAN, RV)
    _, filled = await carry_out(desk, buy("INFY", QTY, 1, ROHAN))
    gone = filled.order_ids[0]
    plan = await desk.modifies.look([*order_ids, gone], NewLimit(LimitTo.TICKS, 3))
    assert plan.answer == "modify 2"
    tick = desk.market.index.get("NSE:TCS").tick_paise
    assert [line.limit_paise for line in plan.going] == [2400_00 + 3 * tick] * 2
    assert [(line.order.id, line.why) for line in plan.left] == [
        (gone, "only an OPEN order can be changed; this one is FILLED")
    ]
    last = await desk.modifies.look(order_ids, NewLimit(LimitTo.LAST))
    assert [line.limit_paise for line in last.going] == [2500_00] * 2
    off = await desk.modifies.look(order_ids, NewLimit(LimitTo.PRICE, 2400_03))
    assert off.going == ()
    assert "ticks" in off.left[0].why
    with pytest.raises(NothingToSend):
        await desk.modifies.start(off, off.digest)
    with pytest.raises(BadInput, match="ticks"):
        await desk.modifies.look(order_ids, NewLimit(LimitTo.TICKS, 0))
    again = await desk.modifies.look(order_ids, NewLimit(LimitTo.TICKS, 3))
    assert again.digest == plan.digest, "the digest is of what would be done"
    assert again.digest != last.digest


async def test_a_clients_orders_are_held_against_its_cash_together(desk):
    available = desk.funds.of(ROHAN).available_paise
    each = available * 45 // 100 // 2260_00
    terms = {"quantity": each, "limit_paise": 2260_00}
    first, second = *await resting(desk, ROHAN, **terms), *await resting(desk, ROHAN, **terms)
    left = desk.funds.of(ROHAN).available_paise
    rise = left * 3 // 4 // each // 100 * 100
    wish = NewLimit(LimitTo.PRICE, min(2260_00 + rise, 2740_00))
    plan = await desk.modifies.look([first, second], wish)
    (going,), (short,) = plan.going, plan.left
    assert (going.order.id, short.order.id) == (first, second)
    assert short.needs.short_paise == short.needs.money_paise - (left - going.needs.money_paise)


async def test_a_list_is_done_by_its_hash_alone_and_each_order_tells_its_end(desk):
    order_ids, wire = await resting(desk, ROHAN, RV), Wire(desk)
    plan = await desk.modifies.look(order_ids, NewLimit(LimitTo.PRICE, 2410_00))
    with pytest.raises(NotConfirmed):
        await desk.modifies.start(plan, "00000000")
    assert wire.modified == []

    async def refuse_one(account, broker_order_id, change):
        return (
            Refused("late", "too late")
            if account.client_id == RV
            else await ask(account, broker_order_id, change)
        )

    ask = wire.broker.modify
    wire.on_modify = refuse_one
    ends = await desk.modifies.ended(await desk.modifies.start(plan, plan.digest), 30)
    told = {end.order.client_id: (end.state, end.order.limit_paise) for end in ends}
    assert told == {
        ROHAN: (RequestState.CONFIRMED, 2410_00),
        RV: (RequestState.REFUSED, 2400_00),
    }
    (row,) = [row for row in await desk.audit.rows() if row.action == AuditAction.MODIFIES_ASKED]
    assert (row.details["orders"], row.details["digest"]) == (order_ids, plan.digest)
    later = await desk.modifies.start(plan, plan.digest)
    assert [str(one.problem) for one in later if one.problem] != [], "what is so already is not asked again"


async def test_a_list_goes_beyond_soft_limits_by_a_reason_which_its_hash_and_the_audit_have(desk):
    order_ids = await resting(desk, ROHAN, RV)
    await desk.limits.set(LimitWish(LimitScope.DESK, "", LimitKind.ORDER_VALUE, LimitStrength.SOFT, 4_810_00))
    wish = NewLimit(LimitTo.PRICE, 2410_00)
    plan = await desk.modifies.look(order_ids, wish)
    ends = await desk.modifies.ended(await desk.modifies.start(plan, plan.digest), 30)
    told = beyond_soft(ends)
    assert list(told) == order_ids
    assert "4,810" in told[order_ids[0]]
    assert {desk.orders.get(one).limit_paise for one in order_ids} == {2400_00}

    again = await desk.modifies.look(order_ids, replace(wish, override="he called at 09:20"))
    assert again.digest != plan.digest
    assert "beyond soft limits: he called at 09:20" in plan_words(again)
    ends = await desk.modifies.ended(await desk.modifies.start(again, again.digest), 30)
    assert {end.state for end in ends} == {RequestState.CONFIRMED}
    asked = [row.details.get("override") for row in await desk.audit.rows(action="MODIFIES_ASKED")]
    each = [row.details.get("override") for row in await desk.audit.rows(action="MODIFY_REQUESTED")]
    assert (set(asked), each) == ({None, "he called at 09:20"}, ["he called at 09:20"] * 2)
    (last, *_) = [row.command for row in await desk.audit.commands() if "override" in row.command]
    assert "--to 2410 --override 'he called at 09:20' --yes" in last

    stopped = await chase(desk, [order_ids[0]], 2450_00)
    await until(desk, lambda: stopped.end is not None)
    assert stopped.end is ChaseEnd.REFUSED
    goes = NewLimit(LimitTo.CHASE, 2450_00, "he called at 09:20")
    plan = await desk.modifies.look([order_ids[0]], goes)
    (one,) = await desk.chases.start(plan, plan.digest)
    await until(desk, lambda: one.end is not None)
    assert one.end is ChaseEnd.AT_BOUND
    with pytest.raises(BadInput, match="one line"):
        await desk.modifies.look(order_ids, replace(wish, override="two\nlines"))


async def test_a_list_that_is_old_or_whose_price_moved_is_refused(desk):
    order_ids = await resting(desk, ROHAN)
    plan = await desk.modifies.look(order_ids, NewLimit(LimitTo.LAST))
    assert [line.last_paise for line in plan.going] == [2500_00]
    for beyond in (2512_60, 2487_40):
        await moves_to(desk, beyond)
        with pytest.raises(PlanDrifted):
            await desk.modifies.start(plan, plan.digest)
    await moves_to(desk, 2512_50)
    assert await desk.modifies.confirm(plan, plan.digest)
    plan = await desk.modifies.look(order_ids, NewLimit(LimitTo.TICKS, 1))
    await manual_clock(desk).advance(61)
    with pytest.raises(PlanTooOld):
        await desk.modifies.start(plan, plan.digest)


async def chase(desk, order_ids, bound_paise):
    plan = await desk.modifies.look(order_ids, NewLimit(LimitTo.CHASE, bound_paise))
    return (await desk.chases.start(plan, plan.digest))[0]


async def moves_to(desk, last_paise):
    """The market's next price, whose best bid an order follows."""
    exchange_of(desk).pin("TCS", last_paise, 2490_00)
    await desk.market.fetch(["NSE:TCS"])


async def test_a_chase_stays_at_the_best_price_of_its_side_and_never_goes_back_or_beyond_its_bound(desk):
    await desk.market.fetch(["NSE:TCS"])
    at = partial(replace, desk.market.quote("NSE:TCS"))
    limits, limit = [], 2400_00
    for bid in (2410_03, 2405_00, 2430_00, 2460_00):
        limit = followed(Side.BUY, limit, 2450_00, at(bid_paise=bid), 10)
        limits.append(limit)
    assert limits == [2410_00, 2410_00, 2430_00, 2450_00]
    assert followed(Side.SELL, 2600_00, 2550_00, at(ask_paise=2580_01), 10) == 2580_10
    assert followed(Side.SELL, 2600_00, 2550_00, at(ask_paise=0), 10) == 2550_00


async def test_a_chase_ends_at_its_bound_or_with_its_order_and_tells_it(desk):
    order_id, other = await resting(desk, ROHAN, RV)
    blocked = desk.orders.get(order_id).blocked_paise
    one, two = await chase(desk, [order_id], 2450_00), await chase(desk, [other], 2600_00)
    assert (desk.chases.going, desk.chases.of(order_id)) == ([order_id, other], one)
    await until(desk, lambda: desk.chases.going == [])
    order = desk.orders.get(order_id)
    assert (one.end, order.state, order.limit_paise, one.pricing.moved) == (
        ChaseEnd.AT_BOUND,
        OrderState.OPEN,
        2450_00,
        1,
    )
    assert blocked < order.blocked_paise < blocked * 1.03
    assert (two.end, desk.orders.get(other).state) == (ChaseEnd.ORDER_ENDED, OrderState.FILLED)
    told = [row.action for row in await desk.audit.rows() if "CHASE" in row.action]
    assert sorted(told) == ["CHASE_ENDED", "CHASE_ENDED", "CHASE_STARTED", "CHASE_STARTED"]
    (line,) = [news_words(one.news) for one in desk.tape() if "chase" in news_words(one.news)]
    assert line == f"the chase of order {order_id} ended at 2,450.00 after 1 change: it stands at its bound"


async def test_a_chase_is_let_stand_by_a_word_and_by_a_halt(desk):
    order_id, other = await resting(desk, ROHAN, RV)
    one, two = await chase(desk, [order_id], 2450_00), await chase(desk, [other], 2450_00)
    assert desk.chases.stop([order_id, 999]) == 1
    await one.over.wait()
    assert (one.end, desk.orders.get(order_id).live) == (ChaseEnd.STOPPED, True)
    await desk.halt.fire("tester")
    await until(desk, lambda: two.end is not None)
    assert two.end in (ChaseEnd.HALTED, ChaseEnd.ORDER_ENDED)


async def test_a_chase_whose_change_is_refused_ends_and_its_order_stands(desk):
    (order_id,) = await resting(desk, ROHAN, quantity=40)
    with pytest.raises(NothingToSend):
        await chase(desk, [order_id], 2399_00)
    one = await chase(desk, [order_id], 2450_00)
    funds = desk.funds.of(ROHAN).available_paise
    await carry_out(desk, buy("INFY", QTY, funds // 1402_00, ROHAN, limit_paise=1400_00))
    assert desk.funds.of(ROHAN).available_paise < 40 * 50_00
    await until(desk, lambda: one.end is not None)
    assert one.end is ChaseEnd.REFUSED
    assert "ChangeTooDear" in one.detail
    order = desk.orders.get(order_id)
    assert (order.state, order.limit_paise) == (OrderState.OPEN, 2400_00)


async def by_hand(desk, order_id, **terms):
    number = await desk.orders.modify(order_id, **terms)
    assert (await desk.orders.change_ended(order_id, number)).state is RequestState.CONFIRMED


async def test_what_was_confirmed_is_not_done_to_an_order_that_was_changed_since(desk):
    first, second = await resting(desk, ROHAN, RV)
    plan = await desk.modifies.look([first, second], NewLimit(LimitTo.PRICE, 2410_00))
    shown, wire = desk.orders.get(first), Wire(desk)
    await by_hand(desk, first, quantity=3)
    again = await desk.modifies.look([first, second], NewLimit(LimitTo.PRICE, 2410_00))
    assert again.digest != plan.digest, "the hash is of how many shares too"
    sent = len(wire.modified)
    asked = await desk.modifies.start(plan, plan.digest)
    await desk.modifies.ended(asked, 30)
    assert [str(one.problem) for one in asked if one.problem] == [
        f"order: {first} is not valid; it was changed after it was shown; look at it again"
    ]
    with pytest.raises(BadInput, match="after it was shown"):
        await desk.orders.modify(first, limit_paise=2410_00, shown=shown)
    assert len(wire.modified) == sent + 1
    assert [desk.orders.get(order_id).limit_paise for order_id in (first, second)] == [2400_00, 2410_00]


@pytest.mark.parametrize(("bound_paise", "goes"), [(2399_90, False), (2400_00, False), (2400_10, True)])
async def test_a_chase_has_room_between_its_order_and_its_bound(desk, bound_paise, goes):
    order_ids = await resting(desk, ROHAN)
    (line,) = (await desk.modifies.look(order_ids, NewLimit(LimitTo.CHASE, bound_paise))).lines
    assert (line.ok, line.why) == (goes, "" if goes else "give a bound above the order's limit")


async def test_a_chase_leaves_an_order_alone_that_somebody_else_has_changed(desk):
    first, second = await resting(desk, ROHAN, RV)
    plan = await desk.modifies.look([first], NewLimit(LimitTo.CHASE, 2450_00))
    await by_hand(desk, first, quantity=3)
    (one,) = await desk.chases.start(plan, plan.digest)
    await until(desk, lambda: one.end is not None)
    assert (one.end, one.pricing.moved) == (ChaseEnd.CHANGED, 0)
    two = await chase(desk, [second], 2450_00)
    await by_hand(desk, second, limit_paise=2460_00)  # beyond the bound
    await until(desk, lambda: two.end is not None)
    assert (two.end, desk.orders.get(second).limit_paise) == (ChaseEnd.CHANGED, 2460_00)


async def test_the_log_has_a_list_once_and_every_modify_by_hand_whatever_became_of_lists(desk):
    first, second = await resting(desk, ROHAN, RV)
    plan = await desk.modifies.look([first, second], NewLimit(LimitTo.PRICE, 2410_00))
    await by_hand(desk, first, limit_paise=2405_00)
    await desk.modifies.ended(await desk.modifies.start(plan, plan.digest), 30)
    one = await chase(desk, [second], 2450_00)
    await manual_clock(desk).advance(0.1)  # it goes on, and then its engine ends
    desk.chases.close()
    await one.over.wait()
    await by_hand(desk, first, limit_paise=2420_00)
    await by_hand(desk, second, limit_paise=2430_00)
    told = [row.command for row in await desk.audit.commands() if "modify" in row.command]
    assert sorted(told) == sorted(
        [
            f"modify {first} @2405",
            f"tradedesk modify {first} {second} --to 2410 --yes",
            f"tradedesk modify {second} --chase 2450 --yes",
            f"modify {first} @2420",
            f"modify {second} @2430",
        ]
    )


async def test_a_chase_whose_program_died_is_ended_once_and_its_live_order_is_named(tmp_path):
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock, DeskKind.APP) as desk:
        first, second = await resting(desk, ROHAN, RV)
        plan = await desk.modifies.look([first, second], NewLimit(LimitTo.CHASE, 2450_00))
        await desk.chases.start(plan, plan.digest)
        assert desk.alerts.standing == []
        desk.chases.close()  # as where the process is killed: nobody writes how its chases ended
        await desk.orders.cancel([second])
        await until(desk, lambda: not desk.orders.get(second).live)
    async with filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as desk:
        (alert,) = desk.alerts.standing
        assert [(one.order_id, one.limit_paise, one.bound_paise) for one in alert.orders] == [
            (first, desk.orders.get(first).limit_paise, 2450_00)
        ]
        ends = [row for row in await desk.audit.rows() if row.action == AuditAction.CHASE_ENDED]
        assert {row.order_id: row.details["why"] for row in ends} == {
            first: "engine_ended",
            second: "engine_ended",
        }
    async with filed_desk(tmp_path, clock, DeskKind.APP, seed=9) as desk:
        await until(desk, lambda: desk.alerts.standing)
        (told,) = on_tape(desk, "follows the market no more")
        assert told == f"1 order follows the market no more: its program ended: {first} · !"
        assert len(await desk.audit.rows(action="CHASE_ENDED")) == 2
        one = await chase(desk, [first], 2451_00)
        await until(desk, lambda: desk.alerts.standing == [])
        await until(desk, lambda: one.end is not None)
        await clock.advance(3)
        assert desk.alerts.standing == [], "one that followed its market again is named no more"
        await books_are_sound(desk)


async def test_a_chase_of_a_command_that_died_is_told_by_the_app_beside_it(tmp_path):
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock, DeskKind.APP) as desk:
        (order_id,) = await resting(desk, ROHAN)
        async with filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as other:
            plan = await other.modifies.look([order_id], NewLimit(LimitTo.CHASE, 2450_00))
            await other.chases.start(plan, plan.digest)
            await clock.advance(1)
            assert desk.alerts.standing == []
        await until(desk, lambda: desk.alerts.standing)
        assert on_tape(desk, "follows the market no more")
