"""Plans of several legs: one digest, one reservation, and each order with its leg, through the whole desk."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from brokers.contract import Refused
from data.errors import BadInput
from data.records import replace
from data.vocabulary import (
    OrderState,
    OrderType,
    PerClient,
    Product,
    Reason,
    RunCount,
    RunStatus,
    Side,
    SizingKind,
)
from engine.accounts.client_edit import ClientEdit
from engine.planning.by_client import clients_of, with_affordable
from engine.planning.entry.leg_words import intent_of
from engine.planning.intent import Intent, Leg, LineChange, Selection, Sizing
from engine.planning.plan_record import from_json, to_json, verify_record
from engine.refusals import DuplicateIntent, NotConfirmed
from tests.desks import (
    Wire,
    books_are_sound,
    buy,
    carry_out,
    exchange_of,
    on_tape,
    paper_desk,
    sends_nothing,
    there,
    until,
)
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
TEN = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
AMIT = 22


def sell_then_buy(*client_ids: int, per_client: PerClient = PerClient.ALL, again: bool = False) -> Intent:
    """Sell of TCS what is held, then buy of INFY and RELIANCE."""
    return Intent(
        side=Side.SELL,
        key="NSE:TCS",
        sizing=Sizing(QTY, 2),
        product=None,
        selection=Selection(client_ids=client_ids),
        further=(
            Leg(Side.BUY, "NSE:INFY", Sizing(QTY, 3)),
            Leg(Side.BUY, "NSE:RELIANCE", Sizing(QTY, 1), OrderType.LIMIT, limit_paise=2400_00),
        ),
        per_client=per_client,
        again=again,
    )


async def with_tcs(desk, *client_ids):
    await carry_out(desk, buy("TCS", QTY, 2, *client_ids))


async def going(desk, ids):
    """Which of these clients may trade in the demonstration."""
    plan = await desk.plans.preview(buy("TCS", QTY, 2, *ids))
    return tuple(sorted(line.client_id for line in plan.ok_lines))


async def test_three_legs_for_ten_clients_are_reserved_in_one_commit_sent_filled_and_cancelled(
    tmp_path: Path,
) -> None:
    async with paper_desk(tmp_path) as desk:
        clients = await going(desk, TEN)
        assert len(clients) >= 6
        await with_tcs(desk, *clients)
        plan = await desk.plans.freeze(sell_then_buy(*clients))
        assert [part.leg for part in plan.parts] == [1, 2, 3]
        assert (plan.orders, plan.answer) == (3 * len(clients), f"sell {len(clients)} buy {2 * len(clients)}")
        assert plan.title == "SELL TCS 2 shares each and 2 legs more"
        one = clients_of(plan)[0]
        worth = [one.worth_paise(part) for part in plan.parts]
        assert worth[2] == 2400_00, "at its limit, not at the last price"
        assert worth[:2] == [2 * plan.parts[0].last_paise, 3 * plan.parts[1].last_paise]
        before = desk.commits
        run = await desk.runs.start(plan, plan.digest)
        assert desk.commits == before + 1
        run = await desk.runs.settled(run.number, 30)
        await desk.settle()
        orders = [desk.orders.get(order_id) for order_id in run.order_ids]
        of_legs = {leg: [order for order in orders if order.leg == leg] for leg in (1, 2, 3)}
        assert {leg: {order.tradingsymbol for order in of_leg} for leg, of_leg in of_legs.items()} == {
            1: {"TCS"},
            2: {"INFY"},
            3: {"RELIANCE"},
        }
        assert {order.state for order in of_legs[1] + of_legs[2]} == {OrderState.FILLED}
        assert {order.state for order in of_legs[3]} == {OrderState.OPEN}
        by_client = [order.leg for order in orders[:3]]
        assert by_client == [1, 2, 3], "a client's sale leaves before its buys"
        stopped = await desk.runs.stop(run.number, live=True)
        await until(desk, lambda: desk.runs.get(run.number).finished_at is not None)
        assert stopped.status is RunStatus.STOPPED
        assert {desk.orders.get(order.id).state for order in of_legs[3]} == {OrderState.CANCELLED}
        await books_are_sound(desk)


async def test_a_plan_of_legs_is_read_back_as_it_was_and_only_as_it_was(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        clients = await going(desk, TEN)
        await with_tcs(desk, *clients)
        plan = await desk.plans.freeze(sell_then_buy(*clients, per_client=PerClient.IN_ORDER))
        record = json.loads(json.dumps(to_json(plan)))
        assert verify_record(record)
        assert from_json(record) == plan
        assert await desk.plans.get(there(plan.number)) == plan
        assert (record["format"], record["per_client"]) == (2, "in_order")
        assert [(leg["leg"], leg["key"], leg["side"], leg["stage"]) for leg in record["legs"]] == [
            (1, "NSE:TCS", "SELL", 0),
            (2, "NSE:INFY", "BUY", 0),
            (3, "NSE:RELIANCE", "BUY", 0),
        ]
        other = replace(plan, further=(plan.further[0],))
        with pytest.raises(NotConfirmed):
            await desk.runs.start(other, plan.digest)
        assert desk.runs.all()[0].plan_number != plan.number


async def test_a_run_of_legs_is_paused_resumed_at_prices_of_now_and_ends(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        clients = (await going(desk, TEN))[:2]
        await with_tcs(desk, *clients)
        sends_nothing(desk)
        plan = await desk.plans.freeze(sell_then_buy(*clients))
        run = await desk.runs.start(plan, plan.digest)
        del seam(desk).workers.dispatcher.submit
        await desk.runs.pause(run.number)
        exchange_of(desk).pin("INFY", 1510_00, 1491_00)
        await desk.market.fetch(["NSE:INFY"])
        prospect = await desk.runs.prospect(run.number)
        assert prospect.unsent == 6
        assert {leg: price.last_paise for leg, price in prospect.prices.items()} == {
            1: 2500_00,
            2: 1510_00,
            3: 2450_50,
        }
        await desk.runs.go_on(run.number, 6)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.UNSENT] == 0)
        await desk.settle()
        assert desk.runs.get(run.number).counts[RunCount.FILLED] == 4
        await books_are_sound(desk)


async def test_a_move_of_one_leg_beyond_its_limit_pauses_the_run(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        clients = (await going(desk, TEN))[:2]
        await with_tcs(desk, *clients)
        plan = await desk.plans.freeze(sell_then_buy(*clients))
        submit = seam(desk).workers.dispatcher.submit
        sends_nothing(desk)
        run = await desk.runs.start(plan, plan.digest)
        exchange_of(desk).pin("INFY", 1530_00, 1491_00)
        await desk.market.fetch(["NSE:INFY"])
        submit(list(run.order_ids))
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.PAUSED)
        assert desk.runs.get(run.number).counts[RunCount.UNSENT] >= 2


async def test_a_client_that_lacks_one_leg_has_none_or_the_others(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        holder, other = (await going(desk, TEN))[:2]
        await with_tcs(desk, holder)
        plan = await desk.plans.preview(sell_then_buy(holder, other))
        assert {line.client_id for line in plan.ok_lines} == {holder}
        skipped = {(part.leg, line.reason) for part in plan.parts for line in part.skipped_lines}
        assert skipped == {(1, Reason.INSUFFICIENT_HOLDING), (2, Reason.OTHER_LEG), (3, Reason.OTHER_LEG)}
        plan = await desk.plans.preview(sell_then_buy(holder, other, per_client=PerClient.IN_ORDER))
        assert [(part.leg, len(part.ok_lines)) for part in plan.parts] == [(1, 1), (2, 2), (3, 2)]
        await desk.plans.freeze(sell_then_buy(holder, other))
        assert on_tape(desk, "and 2 legs more, 3 of 6, ")


async def test_money_is_given_to_the_legs_in_their_order(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        (client,) = (await going(desk, TEN))[:1]
        most = desk.funds.of(client).available_paise // 1500_00
        rich = Leg(Side.BUY, "NSE:INFY", Sizing(QTY, most * 6 // 10))
        for per_client, orders in ((PerClient.ALL, 0), (PerClient.IN_ORDER, 1)):
            intent = Intent(
                side=Side.BUY,
                key="NSE:HDFCBANK",
                sizing=Sizing(QTY, most * 6 // 10),
                selection=Selection(client_ids=(client,)),
                further=(rich,),
                per_client=per_client,
            )
            assert (await desk.plans.preview(intent)).orders == orders


@pytest.mark.parametrize("per_client", PerClient)
async def test_who_lost_its_money_since_the_plan_is_denied_every_leg_or_the_later_one(
    tmp_path: Path, per_client: PerClient
) -> None:
    async with paper_desk(tmp_path) as desk:
        (client,) = (await going(desk, TEN))[:1]
        most = desk.funds.of(client).available_paise // 1600_00
        part = Sizing(QTY, most * 4 // 10)
        intent = Intent(
            side=Side.BUY,
            key="NSE:HDFCBANK",
            sizing=part,
            selection=Selection(client_ids=(client,)),
            further=(Leg(Side.BUY, "NSE:INFY", part),),
            per_client=per_client,
        )
        plan = await desk.plans.freeze(intent)
        assert plan.orders == 2
        await carry_out(desk, buy("TCS", QTY, most * 3 // 10, client, limit_paise=2400_00))
        run = await desk.runs.start(plan, plan.digest)
        states = {desk.orders.get(i).leg: desk.orders.get(i).state for i in run.order_ids}
        assert states[2] is OrderState.DENIED
        assert (states[1] is OrderState.DENIED) is (per_client is PerClient.ALL)
        await desk.settle()
        await books_are_sound(desk)


def basket(*client_ids: int, per_client: PerClient = PerClient.ALL, again: bool = False) -> Intent:
    """A percentage of capital of three securities."""
    percent = SizingKind.PERCENT_OF_CAPITAL
    return Intent(
        side=Side.BUY,
        key="NSE:RELIANCE",
        sizing=Sizing(percent, 1500),
        selection=Selection(client_ids=client_ids),
        further=(
            Leg(Side.BUY, "NSE:TCS", Sizing(percent, 2000)),
            Leg(Side.BUY, "NSE:INFY", Sizing(percent, 2500)),
        ),
        per_client=per_client,
        again=again,
    )


async def test_a_basket_is_repaired_leg_by_leg_for_whom_it_failed(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        first, second, third = (await going(desk, TEN))[:3]
        wire = Wire(desk)

        async def place(account, request):
            fails = account.client_id == second and request.tradingsymbol == "TCS" and not wire.placed[9:]
            return Refused("margin", "no") if fails else None

        wire.on_place = place
        plan = await desk.plans.freeze(basket(first, second, third, per_client=PerClient.IN_ORDER))
        assert plan.orders == 9
        run = await desk.runs.start(plan, plan.digest)
        await desk.settle()
        orders = [desk.orders.get(order_id) for order_id in run.order_ids]
        (failed,) = [one for one in orders if one.state is OrderState.REJECTED]
        intent = await desk.runs.repair_intent(run.number)
        assert intent is not None
        assert await desk.runs.repair_intent(run.number, failed.key) == intent
        spared = next(order.key for order in orders if order.key != failed.key)
        assert await desk.runs.repair_intent(run.number, spared) is None
        again = await desk.plans.freeze(intent)
        assert again.title.startswith(f"repair of run {run.number}: BUY {failed.tradingsymbol}")
        assert [(line.client_id, line.quantity) for line in again.ok_lines] == [(second, failed.quantity)]
        assert from_json(json.loads(json.dumps(to_json(again)))) == again
        mended = await desk.runs.start(again, again.digest)
        await desk.settle()
        assert desk.runs.get(mended.number).counts[RunCount.FILLED] == 1
        assert await desk.runs.repair_intent(run.number) is None, "who was served by a repair is served"
        await books_are_sound(desk)


async def test_a_basket_is_reversed_leg_by_leg_with_what_each_client_filled(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        clients = (await going(desk, TEN))[:4]
        plan = await desk.plans.freeze(basket(*clients))
        run = await desk.runs.start(plan, plan.digest)
        await desk.settle()
        bought = {(o.client_id, o.key): o.filled_quantity for o in map(desk.orders.get, run.order_ids)}
        assert len(bought) == 12
        alone = await desk.runs.reverse_intent(run.number, "NSE:TCS")
        assert alone is not None
        assert (alone.side, alone.key, alone.further) == (Side.SELL, "NSE:TCS", ())
        assert {(one.client_id, alone.key): one.quantity for one in alone.line_changes} == {
            place: filled for place, filled in bought.items() if place[1] == "NSE:TCS"
        }
        with pytest.raises(BadInput, match="it has RELIANCE, TCS, INFY"):
            await desk.runs.reverse_intent(run.number, "NSE:ITC")
        intent = await desk.runs.reverse_intent(run.number)
        assert intent is not None
        back = await desk.plans.freeze(intent)
        assert (back.answer, back.per_client) == ("sell 12", PerClient.IN_ORDER)
        run = await desk.runs.start(back, back.digest)
        await desk.settle()
        sold = {(o.client_id, o.key): o.filled_quantity for o in map(desk.orders.get, run.order_ids)}
        assert sold == bought
        assert await desk.runs.reverse_intent(1) is None, "what was turned back is not turned back again"
        await books_are_sound(desk)


async def test_a_leg_dropped_by_hand_keeps_no_other_back(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        client = (await going(desk, TEN))[0]
        dropped = replace(basket(client), line_changes=(LineChange(client, 0, leg=2),))
        plan = await desk.plans.freeze(dropped)
        assert [part.leg for part in plan.parts if part.ok_lines] == [1, 3]
        assert from_json(json.loads(json.dumps(to_json(plan)))) == plan
        run = await desk.runs.start(plan, plan.digest)
        await desk.settle()
        assert desk.runs.get(run.number).counts[RunCount.FILLED] == 2
        with pytest.raises(BadInput, match="leg"):
            await desk.plans.preview(replace(basket(client), line_changes=(LineChange(client, 0, leg=4),)))


async def test_who_lacks_money_is_offered_every_leg_smaller_in_the_same_measure(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        client = (await going(desk, TEN))[0]
        cash = desk.funds.of(client).available_paise
        plan = await desk.plans.preview(basket(client))
        wanted = sum(line.reserve_paise for line in plan.ok_lines)
        await carry_out(desk, buy("HDFCBANK", QTY, (cash - wanted // 2) // 1640_00, client))
        cash = desk.funds.of(client).available_paise
        plan = await desk.plans.preview(basket(client))
        assert plan.orders == 0
        (row,) = clients_of(plan)
        assert row.problem is not None
        assert row.problem.short_paise == sum(p.lines[0].reserve_paise for p in plan.parts) - cash
        assert row.available_after_paise == cash
        smaller = await desk.plans.freeze(with_affordable(plan))
        assert smaller.orders == 3
        assert cash * 8 // 10 < smaller.reserve_paise <= cash
        sizes = [
            part.lines[0].quantity / wanted.lines[0].wanted
            for part, wanted in zip(smaller.parts, plan.parts, strict=True)
        ]
        assert max(sizes) - min(sizes) < 0.2


async def test_who_could_pay_some_of_its_legs_alone_is_left_out_of_all_with_its_reason(
    tmp_path: Path,
) -> None:
    async with paper_desk(tmp_path) as desk:
        client = (await going(desk, TEN))[0]
        legs = tuple(
            Leg(Side.BUY, f"NSE:{symbol}", Sizing(QTY, shares))
            for symbol, shares in (("RELIANCE", 1), ("TCS", 1), ("INFY", 9))
        )
        cash = desk.funds.of(client).available_paise
        await carry_out(desk, buy("HDFCBANK", QTY, (cash - 8000_00) // 1640_00, client))
        plan = await desk.plans.preview(replace(intent_of(legs), selection=Selection((client,))))
        smaller = await desk.plans.freeze(with_affordable(plan))
        assert (plan.orders, smaller.orders) == (0, 0), "a measure that takes a whole leg away is none"
        (row,) = clients_of(smaller)
        assert row.problem is not None
        assert (row.problem.reason, row.affordable) == (Reason.INSUFFICIENT_FUNDS, {})


async def test_smaller_legs_together_stay_within_what_may_be_lent(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        await desk.clients.edit(AMIT, ClientEdit(mtf_limit_paise=2_00_000_00))
        first, second = (
            Leg(Side.BUY, f"NSE:{symbol}", Sizing(QTY, quantity), product=Product.MTF)
            for symbol, quantity in (("INFY", 150), ("TCS", 50))
        )
        intent = replace(intent_of((first, second)), selection=Selection((AMIT,)))
        plan = await desk.plans.preview(intent)
        assert {part.lines[0].reason for part in plan.parts} & {Reason.MTF_LIMIT}
        smaller = await desk.plans.freeze(with_affordable(plan))
        lent = sum(part.lines[0].loan_paise for part in smaller.parts)
        assert (smaller.orders, lent) == (2, min(lent, 2_00_000_00))
        assert lent > 1_90_000_00


async def test_a_percentage_of_available_is_of_what_there_is_before_the_basket(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        client = (await going(desk, TEN))[0]
        of_available = Sizing(SizingKind.PERCENT_OF_AVAILABLE, 4000)
        intent = replace(
            basket(client), sizing=of_available, further=(Leg(Side.BUY, "NSE:INFY", of_available),)
        )
        plan = await desk.plans.preview(intent)
        first, second = (part.lines[0].allocation_paise for part in plan.parts)
        assert first == second == desk.funds.of(client).available_paise * 4 // 10


async def test_a_security_stands_in_two_listed_legs_for_different_clients_alone(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        one, other = (await going(desk, TEN))[:2]
        cheap = Leg(Side.BUY, "NSE:TCS", Sizing(QTY, 2), OrderType.LIMIT, limit_paise=2400_00)
        listed = Intent(
            side=Side.BUY,
            key="NSE:TCS",
            sizing=Sizing(QTY, 1),
            selection=Selection(client_ids=(one, other)),
            further=(cheap,),
            line_changes=(LineChange(one, 1), LineChange(other, 2, leg=2)),
            listed=True,
        )
        plan = await desk.plans.freeze(listed)
        assert [(part.leg, line.client_id, line.quantity) for part in plan.parts for line in part.lines] == [
            (1, one, 1),
            (2, other, 2),
        ]
        assert from_json(json.loads(json.dumps(to_json(plan)))) == plan
        run = await desk.runs.start(plan, plan.digest)
        await desk.settle()
        assert len(run.order_ids) == 2
        both = replace(listed, line_changes=(*listed.line_changes, LineChange(one, 2, leg=2)))
        with pytest.raises(BadInput, match="one leg only"):
            await desk.plans.preview(both)


async def test_a_leg_that_another_run_has_just_sent_is_not_sent_twice(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        clients = (await going(desk, TEN))[:2]
        await with_tcs(desk, *clients)
        plan = await desk.plans.freeze(sell_then_buy(*clients))
        twin = await desk.plans.freeze(sell_then_buy(*clients))
        await desk.runs.start(plan, plan.digest)
        with pytest.raises(DuplicateIntent):
            await desk.runs.start(twin, twin.digest)
        alone = await desk.plans.preview(buy("INFY", QTY, 3, *clients))
        assert {line.reason for line in alone.lines} == {Reason.DUPLICATE_INTENT}
        await desk.settle()


@pytest.mark.parametrize(
    ("leg", "field"),
    [
        (Leg(Side.SELL, "NSE:TCS", Sizing(QTY, 1), product=Product.CNC), "legs"),
        (Leg(Side.BUY, "NSE:INFY", Sizing(QTY, 1), stage=1), "stage"),
        (Leg(Side.BUY, "NSE:INFY", Sizing(QTY, 0)), "quantity"),
    ],
)
async def test_legs_that_do_not_go_together_are_refused(tmp_path: Path, leg: Leg, field: str) -> None:
    async with paper_desk(tmp_path) as desk:
        with pytest.raises(BadInput) as refused:
            await desk.plans.preview(replace(sell_then_buy(1), further=(leg,)))
        assert refused.value.field == field


@pytest.mark.in_file
async def test_a_plans_legs_are_append_only(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 2, *await going(desk, TEN)))
    with closing(sqlite3.connect(tmp_path / "desk.db")) as books:
        assert books.execute("SELECT count(*) FROM plan_leg").fetchone()[0] > 0
        for statement in ("UPDATE plan_leg SET leg = 9", "DELETE FROM plan_leg"):
            with pytest.raises(sqlite3.IntegrityError, match="plan_leg is append-only"):
                books.execute(statement)
