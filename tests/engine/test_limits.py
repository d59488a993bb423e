"""Limits before the order: what they are held against, which of several decides, and what passes them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import BadInput
from data.records import replace
from data.vocabulary import (
    LimitKind,
    LimitScope,
    LimitStrength,
    LimitUnit,
    OrderState,
    OrderType,
    PerClient,
    Product,
    Reason,
    Side,
    SizingKind,
)
from engine.book.watched.limit_views import LimitView
from engine.planning.intent import Leg, LineChange, Sizing
from engine.planning.limits import slips
from engine.planning.limits.figures import NOTHING_AROUND, ClientExposure, WantedOrder
from engine.planning.limits.judging import findings, fits
from engine.planning.limits.typed import LimitWish, figure_from, kind_from
from engine.planning.limits.why import OverLimit
from engine.refusals import ChangeBeyondLimit
from engine.words.trading.why import detail_words
from tests.data.test_share_lists import INDICATOR
from tests.desks import buy, carry_out, paper_desk, sell, there

QTY, CAPITAL = SizingKind.FIXED_QUANTITY, SizingKind.PERCENT_OF_CAPITAL
PRIYA, ROHAN = 15, 8
KIND, HARD, SOFT = LimitKind, LimitStrength.HARD, LimitStrength.SOFT


def of_client(kind: LimitKind, figure: int | None, strength: LimitStrength = HARD, code: str = "PS1015"):
    return LimitWish(LimitScope.CLIENT, code, kind, strength, figure)


def of_desk(kind: LimitKind, figure: int | None = None, strength: LimitStrength = HARD):
    return LimitWish(LimitScope.DESK, "", kind, strength, figure)


async def lines_of(desk, intent):
    """The lines of a preview by client, with what each says."""
    made = await desk.plans.preview(intent)
    return {line.client_id: (line.reason, detail_words(line)) for line in made.lines}


def test_a_kind_of_limit_is_told_as_it_is_typed():
    assert kind_from("order_value") is kind_from("Order-Value") is LimitKind.ORDER_VALUE
    with pytest.raises(BadInput, match="order-value"):
        kind_from("order-valu")
    with pytest.raises(BadInput, match="decimal-slip has no figure"):
        figure_from(LimitKind.DECIMAL_SLIP, "5")


async def test_a_buy_beyond_a_clients_order_value_is_left_out_with_what_would_go(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.limits.set(of_client(KIND.ORDER_VALUE, 50_000_00))
        made = await desk.plans.preview(buy("TCS", QTY, 40, PRIYA, ROHAN))
        by_client = {line.client_id: line for line in made.lines}
        assert by_client[ROHAN].ok
        refused = by_client[PRIYA]
        assert refused.reason is Reason.OVER_LIMIT
        assert detail_words(refused) == "worth ₹1,02,000 at most, PS1015's limit ₹50,000"
        (fewer,) = refused.alternatives
        assert fewer.quantity == 19, "of shares that may cost 2,550.00 each"
        assert (await desk.plans.preview(buy("TCS", QTY, 19, PRIYA))).lines[0].ok


async def test_what_was_set_between_plan_and_send_is_asked_at_the_claim(tmp_path):
    async with paper_desk(tmp_path) as desk:
        made = await desk.plans.freeze(buy("TCS", QTY, 10, PRIYA, ROHAN))
        await desk.limits.set(of_client(KIND.ORDER_VALUE, 20_000_00))
        run = await desk.runs.start(made, confirm=made.digest)
        await desk.settle()
        orders = {order.client_id: order for order in map(desk.orders.get, run.order_ids)}
        assert orders[ROHAN].state is OrderState.FILLED
        assert orders[PRIYA].state is OrderState.DENIED
        assert orders[PRIYA].reason_code == Reason.OVER_LIMIT
        assert orders[PRIYA].reason_text == "worth ₹25,500 at most, PS1015's limit ₹20,000"
        assert desk.funds.of(PRIYA).blocked_paise == desk.funds.of(PRIYA).held_paise


async def test_the_strictest_of_all_over_a_client_holds_wherever_it_was_set(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.groups.add("HNI", [PRIYA, ROHAN])
        await desk.limits.set(of_desk(KIND.ORDER_QUANTITY, 30))
        await desk.limits.set(of_client(KIND.ORDER_QUANTITY, 50))
        group = LimitWish(LimitScope.GROUP, "hni", KIND.ORDER_QUANTITY, HARD, 20)
        await desk.limits.set(group)
        told = "21 shares, group HNI's limit 20"
        assert await lines_of(desk, buy("INFY", QTY, 21, PRIYA)) == {PRIYA: (Reason.OVER_LIMIT, told)}
        told = "31 shares, the desk's limit 30"
        assert await lines_of(desk, buy("INFY", QTY, 31, 1)) == {1: (Reason.OVER_LIMIT, told)}
        uses = await desk.limits.over(PRIYA)
        figures = [(one.limit.scope, one.limit.figure, one.decides) for one in uses if one.limit.figure]
        assert figures == [
            (LimitScope.CLIENT, 50, False),
            (LimitScope.GROUP, 20, True),
            (LimitScope.DESK, 30, False),
        ]
        await desk.limits.remove(group)
        assert (await lines_of(desk, buy("INFY", QTY, 21, PRIYA)))[PRIYA][0] is None


async def test_a_soft_limit_is_passed_by_a_typed_reason_that_the_plan_keeps(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.limits.set(of_desk(KIND.ORDER_QUANTITY, 5, SOFT))
        intent = buy("TCS", QTY, 10, PRIYA)
        told = "10 shares, the desk's soft limit 5"
        assert await lines_of(desk, intent) == {PRIYA: (Reason.OVER_SOFT_LIMIT, told)}
        made, run = await carry_out(desk, replace(intent, override="asked for by phone"))
        assert detail_words(made.lines[0]) == f"{told}, by reason: asked for by phone"
        assert await desk.plans.get(there(made.number)) == made
        assert desk.orders.get(run.order_ids[0]).state is OrderState.FILLED
        frozen = next(row for row in await desk.audit.rows() if row.action == "PLAN_FROZEN")
        assert frozen.details["override"] == "asked for by phone"


async def test_a_reason_passes_what_it_was_typed_for_and_nothing_that_came_later(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.limits.set(of_desk(KIND.ORDER_QUANTITY, 5, SOFT))
        made = await desk.plans.freeze(replace(buy("TCS", QTY, 10, PRIYA), override="asked for"))
        await desk.limits.set(of_desk(KIND.ORDER_VALUE, 20_000_00, SOFT))
        run = await desk.runs.start(made, confirm=made.digest)
        await desk.settle()
        order = desk.orders.get(run.order_ids[0])
        assert (order.state, order.reason_code) == (OrderState.DENIED, Reason.OVER_SOFT_LIMIT)


async def test_a_stock_and_a_sector_are_held_to_a_part_of_the_portfolio(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 5, PRIYA))
        await desk.limits.set(of_desk(KIND.STOCK, 25_00))
        worth = desk.valuation.client(PRIYA).portfolio_paise
        fits = 25_00 * worth // 10_000 // 2500_00 - 5
        made = await desk.plans.preview(buy("TCS", QTY, fits, PRIYA))
        assert made.lines[0].ok
        (line,) = (await desk.plans.preview(buy("TCS", QTY, fits + 1, PRIYA))).lines
        assert line.reason is Reason.OVER_LIMIT
        assert line.alternatives[0].quantity == fits
        assert detail_words(line).startswith("TCS would be 2")
        await desk.limits.remove(of_desk(KIND.STOCK))
        await desk.limits.set(of_desk(KIND.SECTOR, 20_00))
        (line,) = (await desk.plans.preview(buy("INFY", QTY, 5, PRIYA))).lines
        assert detail_words(line).startswith("Information Technology would be 2")


async def test_orders_of_a_day_are_counted_over_a_client_and_over_all_together(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.limits.set(of_desk(KIND.ORDERS, 1))
        await desk.limits.set(of_desk(KIND.TOTAL_ORDERS, 3))
        await carry_out(desk, buy("TCS", QTY, 1, PRIYA))
        told = "it would be order 2 of the day, the desk's limit 1"
        assert await lines_of(desk, buy("INFY", QTY, 1, PRIYA)) == {PRIYA: (Reason.OVER_LIMIT, told)}
        found = await lines_of(desk, buy("INFY", QTY, 1, 1, ROHAN, 5))
        assert sorted(reason or "" for reason, _ in found.values()) == ["", "", Reason.OVER_LIMIT]
        assert "it would be order 4 of the day, the desk's limit 3" in [words for _, words in found.values()]


async def test_a_reached_loss_lets_only_what_makes_a_position_smaller_leave(tmp_path):
    async with paper_desk(tmp_path, pins={"TCS": (240000, 250000)}, shares=True) as desk:
        holder = desk.holdings.holders("NSE:TCS")[0]
        code = desk.clients.get(holder).code
        await desk.price([holder])
        loss = -desk.valuation.client(holder).net_day_pnl_paise
        assert loss > 0
        await desk.limits.set(of_client(KIND.DAILY_LOSS, loss, code=code))
        ((reason, words),) = (await lines_of(desk, buy("TCS", QTY, 1, holder))).values()
        assert reason is Reason.OVER_LIMIT
        assert words.endswith("only what makes a position smaller may leave")
        _, run = await carry_out(desk, sell("TCS", QTY, 1, holder))
        assert desk.orders.get(run.order_ids[0]).state is OrderState.FILLED


async def test_no_limit_stands_before_an_exit(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 10, PRIYA))
        for kind in KIND:
            if kind is not KIND.LIST and kind.unit is not LimitUnit.NONE:
                await desk.limits.set(of_desk(kind, 1))
        _, run = await carry_out(desk, sell("TCS", QTY, 10, PRIYA))
        assert desk.orders.get(run.order_ids[0]).state is OrderState.FILLED


async def test_a_buy_that_would_meet_an_own_clients_sale_waits_for_a_reason(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 10, ROHAN))
        resting = replace(
            sell("TCS", QTY, 10, ROHAN), order_type=OrderType.LIMIT, limit_paise=2510_00, product=Product.CNC
        )
        _, run = await carry_out(desk, resting)
        number = run.order_ids[0]
        told = f"it would meet another client's live order {number} of 10 at 2,510.00"
        met = {PRIYA: (Reason.OVER_SOFT_LIMIT, told)}
        assert await lines_of(desk, buy("TCS", QTY, 1, PRIYA)) == met
        assert (await lines_of(desk, buy("TCS", QTY, 1, PRIYA, limit_paise=2509_90)))[PRIYA][0] is None
        _, run = await carry_out(desk, replace(buy("TCS", QTY, 1, PRIYA), override="both asked for it"))
        assert desk.orders.get(run.order_ids[0]).state is OrderState.FILLED


async def test_slips_of_the_hand_are_asked_about(tmp_path):
    async with paper_desk(tmp_path, pins={"TCS": (250000, 249000)}) as desk:
        told = "2,500 shares at 2,500.00: was a price typed as the quantity?"
        assert await lines_of(desk, buy("TCS", QTY, 2500, PRIYA)) == {PRIYA: (Reason.OVER_SOFT_LIMIT, told)}
        with pytest.raises(BadInput, match=r"a tenth of the last price, 2,500\.00: a decimal slip\?"):
            await desk.plans.preview(buy("TCS", QTY, 1, PRIYA, limit_paise=250_00))
        with pytest.raises(BadInput, match="quantity and price swapped"):
            await desk.plans.preview(buy("TCS", QTY, 2500, PRIYA, limit_paise=10_00))


async def test_a_modify_makes_no_buy_worth_more_than_a_limit_and_any_smaller(tmp_path):
    async with paper_desk(tmp_path) as desk:
        _, run = await carry_out(desk, buy("TCS", QTY, 10, ROHAN, limit_paise=2400_00))
        (number,) = run.order_ids
        await desk.limits.set(of_desk(KIND.ORDER_VALUE, 20_000_00))
        with pytest.raises(ChangeBeyondLimit) as refused:
            await desk.orders.modify(number, quantity=11)
        assert refused.value.told == "worth ₹26,400 at most, the desk's limit ₹20,000"
        await desk.orders.modify(number, quantity=9)
        await desk.settle()
        assert desk.orders.get(number).quantity == 9


async def test_a_modify_passes_a_soft_limit_by_a_reason_and_no_hard_one(tmp_path):
    async with paper_desk(tmp_path) as desk:
        _, run = await carry_out(desk, buy("TCS", QTY, 10, ROHAN, limit_paise=2400_00))
        (number,) = run.order_ids
        await desk.limits.set(of_desk(KIND.ORDER_VALUE, 20_000_00, LimitStrength.SOFT))
        with pytest.raises(ChangeBeyondLimit) as refused:
            await desk.orders.modify(number, quantity=11)
        assert refused.value.soft
        assert refused.value.told == "worth ₹26,400 at most, the desk's soft limit ₹20,000"
        await desk.orders.modify(number, quantity=11, override="he called at 09:20")
        await desk.settle()
        assert desk.orders.get(number).quantity == 11
        (row,) = await desk.audit.rows(5, action="MODIFY_REQUESTED")
        assert row.details["override"] == "he called at 09:20"
        await desk.limits.set(of_desk(KIND.ORDER_VALUE, 27_000_00))
        with pytest.raises(ChangeBeyondLimit) as refused:
            await desk.orders.modify(number, quantity=12, override="again")
        assert not refused.value.soft
        with pytest.raises(BadInput, match="override"):
            await desk.orders.modify(number, quantity=12, override="two\nlines")


async def test_lists_are_told_held_to_and_marked_once_they_are_too_old(tmp_path):
    async with paper_desk(tmp_path) as desk:
        listed = tmp_path / "REG1_IND171126.csv"
        listed.write_text(INDICATOR)
        await desk.share_lists.take(listed)
        told = "on the short-term ASM list (stage 1) of 17 Nov"
        assert await lines_of(desk, buy("RELIANCE", QTY, 1, ROHAN)) == {ROHAN: (None, told)}
        of_list = LimitWish(LimitScope.DESK, "", KIND.LIST, SOFT, list_name="asm_short")
        await desk.limits.set(of_list)
        held = {ROHAN: (Reason.OVER_SOFT_LIMIT, f"{told}, the desk's limit")}
        assert await lines_of(desk, buy("RELIANCE", QTY, 1, ROHAN)) == held
        with pytest.raises(BadInput, match="give one as young"):
            await desk.share_lists.take(listed, as_of=date(2026, 11, 16))
        assert [one.stale for one in desk.share_lists.all()] == [False] * 6
        older = tmp_path / "REG1_IND161126.csv"
        older.write_text(INDICATOR)
        for name in [one.name for one in desk.share_lists.all()]:
            await desk.share_lists.remove(name)
        await desk.share_lists.take(older)
        assert [one.stale for one in desk.share_lists.all()] == [True] * 6
        (words,) = [words for _, words in (await lines_of(desk, buy("RELIANCE", QTY, 1, ROHAN))).values()]
        assert words == "on the short-term ASM list (stage 1) of 16 Nov, stale, the desk's limit"


async def test_what_is_restricted_meanwhile_does_not_leave(tmp_path):
    async with paper_desk(tmp_path) as desk:
        made = await desk.plans.freeze(buy("TCS", QTY, 1, ROHAN))
        (tmp_path / "own.csv").write_text("Symbol,Reason\nTCS,results on Thursday\n")
        await desk.share_lists.take(tmp_path / "own.csv", "restricted")
        run = await desk.runs.start(made, confirm=made.digest)
        await desk.settle()
        order = desk.orders.get(run.order_ids[0])
        assert (order.state, order.reason_code) == (OrderState.DENIED, Reason.OVER_LIMIT)
        assert order.reason_text == "on the restricted list (results on Thursday) of 18 Nov, the desk's limit"


async def test_trade_to_trade_is_bought_for_delivery_alone(tmp_path):
    async with paper_desk(tmp_path) as desk:
        (tmp_path / "sec_list_18112026.csv").write_text("Symbol,Series,Name,Band\nTCS,BE,T,5\n")
        await desk.share_lists.take(tmp_path / "sec_list_18112026.csv")
        ((reason, words),) = (await lines_of(desk, buy("TCS", QTY, 1, PRIYA, product=Product.MTF))).values()
        assert reason is Reason.OVER_LIMIT
        assert words.startswith("trade to trade: bought for delivery in full alone, not MTF")
        assert (await lines_of(desk, buy("TCS", QTY, 1, PRIYA)))[PRIYA][0] is None


async def test_limits_of_a_group_go_with_its_name_and_keep_it_from_being_deleted(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.groups.add("HNI", [PRIYA])
        await desk.limits.set(LimitWish(LimitScope.GROUP, "HNI", KIND.ORDER_QUANTITY, HARD, 5))
        await desk.groups.rename("HNI", "Large")
        told = "6 shares, group Large's limit 5"
        assert await lines_of(desk, buy("TCS", QTY, 6, PRIYA)) == {PRIYA: (Reason.OVER_LIMIT, told)}
        with pytest.raises(BadInput, match="take them away first"):
            await desk.groups.delete("Large")


def exposure(figure: int, portfolio: int, shares: int) -> ClientExposure:
    limit = LimitView(LimitScope.DESK, "", KIND.STOCK, HARD, figure)
    return ClientExposure((limit,), portfolio_paise=portfolio, shares=shares)


paise, count = st.integers(1, 10**9), st.integers(0, 10**6)


@given(st.integers(1, 100_00), st.integers(1, 10**13), count, count, paise)
def test_a_weight_is_beyond_its_limit_exactly_where_the_shares_are_worth_more(
    figure, portfolio, shares, quantity, last
):
    wanted = WantedOrder(1, "A", "TCS", Side.BUY, Product.CNC, quantity, last, last)
    beyond = (shares + quantity) * last * 10_000 > figure * portfolio
    found = findings(wanted, exposure(figure, portfolio, shares), NOTHING_AROUND)
    assert bool(found) is beyond
    if beyond:
        assert isinstance(told := found[0], OverLimit)
        assert told.would > told.figure, "what is told shows that it is beyond"


@given(
    st.integers(1, 100_00), st.integers(1, 10**13), count, st.integers(1, 10**6), paise, st.integers(1, 50)
)
def test_what_fits_goes_and_one_lot_more_does_not(figure, portfolio, shares, quantity, last, lot):
    wanted = WantedOrder(1, "A", "TCS", Side.BUY, Product.CNC, quantity * lot, last, last, lot_size=lot)
    own = exposure(figure, portfolio, shares)
    most = fits(wanted, own, NOTHING_AROUND)
    assert 0 <= most <= wanted.quantity
    assert most % lot == 0
    if most:
        assert not findings(replace(wanted, quantity=most), own, NOTHING_AROUND)
    if most < wanted.quantity:
        assert findings(replace(wanted, quantity=most + lot), own, NOTHING_AROUND)


@given(st.integers(1, 10**8))
def test_a_price_with_its_point_elsewhere_is_told_and_one_near_the_last_never(last):
    assert slips.decimal_slip(last * 10, last) == slips.Slip(10, too_much=True)
    assert slips.decimal_slip(last, last * 10) == slips.Slip(10, too_much=False)
    assert slips.decimal_slip(last * 100, last) == slips.Slip(100, too_much=True)
    for near in (last, last - last // 5, last + last // 5):
        assert slips.decimal_slip(near, last) is None


async def test_legs_of_one_plan_are_held_together_and_may_not_meet(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.limits.set(of_desk(KIND.ORDERS, 1))
        second = Leg(Side.BUY, "NSE:INFY", Sizing(QTY, 1))
        both = replace(buy("TCS", QTY, 1, ROHAN), further=(second,), per_client=PerClient.IN_ORDER)
        made = await desk.plans.preview(both)
        assert [line.reason for part in made.parts for line in part.lines] == [None, Reason.OVER_LIMIT]
        await desk.limits.remove(of_desk(KIND.ORDERS))
        await carry_out(desk, buy("TCS", QTY, 5, ROHAN))
        legs = [
            (Leg(Side.BUY, "NSE:TCS", Sizing(QTY, 5)), [LineChange(PRIYA)]),
            (Leg(Side.SELL, "NSE:TCS", Sizing(QTY, 5)), [LineChange(ROHAN)]),
        ]
        made = await desk.plans.preview(buy("TCS", QTY, 5).listed_for(legs, "both"))
        (bought,), (sold,) = (part.lines for part in made.parts)
        assert (bought.reason, sold.reason) == (Reason.OVER_SOFT_LIMIT, None)
        assert detail_words(bought) == "it would meet another client's order of this plan of 5 at 2,450.00"
