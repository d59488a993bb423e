"""Halts of strength `reduce`: orders leave that make a position smaller, read again, and never turn it."""

from datetime import timedelta

import pytest

from brokers.contract import Ambiguous
from data.clock import ManualClock
from data.errors import BadInput
from data.records import replace
from data.vocabulary import (
    HaltScope,
    HaltStrength,
    OrderState,
    OrderType,
    Product,
    Reason,
    RunCount,
    Side,
    SizingKind,
)
from engine.book.halt_file import write_halt_file
from engine.execution.sending.reducing import reduces
from engine.refusals import Halted
from engine.words.trading.halted import halted_words
from screens.bulk.plan_figures import answer_words
from screens.frame.strip import strip
from tests.desks import (
    START,
    WAITS,
    Wire,
    books_are_sound,
    buy,
    by_phone,
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
from widgets.statusstrip import fitting

ROHAN, AMIT = 8, 22
TEN = SizingKind.FIXED_QUANTITY, 10
LOW, HIGH = 2300_00, 2600_00


async def holding(desk, *clients, quantity=20, product=Product.CNC):
    """Have clients hold shares of RELIANCE beyond what they came with; returns what each holds of it."""
    await carry_out(
        desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, quantity, *clients, product=product, again=True)
    )
    return {client: held(desk, client, product) for client in clients}


def held(desk, client, product=Product.CNC):
    return sum(
        one.quantity
        for one in desk.holdings.of(client)
        if one.tradingsymbol == "RELIANCE" and one.product is product
    )


async def reduce_only(desk, scope=HaltScope.EVERYTHING, value=""):
    made = await desk.halt.fire("tester", scope, value, HaltStrength.REDUCE)
    assert made.strength is HaltStrength.REDUCE
    return made


async def sent(desk, intent, states=(OrderState.FILLED,)):
    """Start a plan and move the clock until its orders are in one of these states."""
    plan = await desk.plans.freeze(intent)
    assert plan.orders, plan.lines
    run = await desk.runs.start(plan, plan.digest)
    await until(desk, lambda: all(order.state in states for order in of_run(desk, run.number)))
    return of_run(desk, run.number)


def of_run(desk, number):
    return [order for order in desk.orders.all() if order.run_number == number]


@pytest.mark.parametrize(
    ("net", "side", "quantity", "going", "may"),
    [
        (10, Side.SELL, 10, 0, True),
        (10, Side.SELL, 11, 0, False),
        (10, Side.SELL, 4, 6, True),
        (10, Side.SELL, 5, 6, False),
        (10, Side.BUY, 1, 0, False),
        (0, Side.SELL, 1, 0, False),
        (0, Side.BUY, 1, 0, False),
        (-10, Side.BUY, 10, 0, True),
        (-10, Side.BUY, 11, 0, False),
        (-10, Side.SELL, 1, 0, False),
    ],
)
def test_an_order_reduces_up_to_the_whole_position_and_no_further(net, side, quantity, going, may):
    assert reduces(net, side, quantity, going) is may


async def test_words_of_a_halt_are_said_of_whom_it_is_over_alone(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await reduce_only(desk, HaltScope.CLIENT, str(ROHAN))
        halts, whose = desk.halt.active(), [desk.clients.get(ROHAN), desk.clients.get(AMIT)]
        assert halted_words(halts, whose[:1], "NSE:INFY") == "REDUCE ONLY"
        assert halted_words(halts, whose[1:], "NSE:INFY") == ""
        assert halted_words(halts, whose, "NSE:INFY") == "1 of 2 REDUCE ONLY"
        plan = await desk.plans.freeze(buy("RELIANCE", *TEN, AMIT))
        assert "REDUCE" not in answer_words(desk, plan)
        assert "HALTED" not in answer_words(desk, plan)
        _, segments = strip(desk, None, None, (), armed_seconds=0, frozen=False, privacy=False)
        shown = "  ".join(text for text, _ in fitting(segments, 79).parts)
        assert "REDUCE ONLY" in shown
        assert "live 0" in shown
        await desk.halt.fire("tester", HaltScope.CLIENT, str(AMIT), HaltStrength.ALL)
        assert halted_words(desk.halt.active(), whose, "NSE:INFY") == "1 of 2 HALTED, 1 of 2 REDUCE ONLY"
        await desk.halt.fire("tester", HaltScope.EVERYTHING, "", HaltStrength.ALL)
        assert halted_words(desk.halt.active(), whose[:1], "NSE:INFY") == "DESK HALTED, sending is refused"


async def test_everything_is_cancelled_and_then_only_sales_leave(tmp_path):
    async with paper_desk(tmp_path) as desk:
        before = await holding(desk, ROHAN, AMIT)
        await carry_out(desk, buy("INFY", *TEN, ROHAN, limit_paise=1400_00))
        made = await reduce_only(desk)
        assert (made.ended, made.cancelled) == (True, 1)
        assert not (desk.home / "HALT").exists()

        more = await desk.plans.freeze(buy("RELIANCE", *TEN, ROHAN, AMIT, again=True))
        assert {line.reason for line in more.lines} == {Reason.HALTED}
        orders = await sent(desk, sell("RELIANCE", *TEN, ROHAN, AMIT))
        assert len(orders) == 2
        assert {client: held(desk, client) for client in before} == {c: n - 10 for c, n in before.items()}
        assert desk.halt.active()[0].strength is HaltStrength.REDUCE
        await books_are_sound(desk)


async def test_a_sale_waits_until_its_position_has_been_read_since_the_halt(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await holding(desk, ROHAN)
        wire = Wire(desk)
        await reduce_only(desk)
        asked, blind = [], True

        async def read(account):
            asked.append(account)
            if blind:
                raise ConnectionError("no answer")

        wire.on_read = read
        plan = await desk.plans.freeze(sell("RELIANCE", *TEN, ROHAN))
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: len(asked) >= 2)
        assert wire.placed == []
        assert [order.state for order in of_run(desk, run.number)] == [OrderState.RESERVED]
        blind = False
        await until(desk, lambda: desk.runs.get(run.number).finished_at is not None)
        assert [order.state for order in of_run(desk, run.number)] == [OrderState.FILLED]
        await books_are_sound(desk)


async def test_a_position_read_long_ago_is_read_again(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await holding(desk, ROHAN)
        await reduce_only(desk)
        await sent(desk, sell("RELIANCE", *TEN, ROHAN))
        known = there(desk.reconcile.compared_at(ROHAN))
        wire = Wire(desk)
        await manual_clock(desk).advance(2 * WAITS.position_valid_s)
        await sent(desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 3, ROHAN))
        assert len(wire.placed) == 1
        assert there(desk.reconcile.compared_at(ROHAN)) >= known + timedelta(seconds=WAITS.position_valid_s)


async def test_what_the_broker_has_less_of_counts(tmp_path):
    async with paper_desk(tmp_path) as desk:
        whole = (await holding(desk, ROHAN))[ROHAN]
        by_phone(desk, ROHAN, Side.SELL, whole - 2, symbol="RELIANCE")
        await manual_clock(desk).advance(5)
        await reduce_only(desk)
        plan = await desk.plans.freeze(sell("RELIANCE", *TEN, ROHAN))
        wire = Wire(desk)
        if plan.orders:
            (order,) = await sent(desk, sell("RELIANCE", *TEN, ROHAN), (OrderState.DENIED,))
            assert order.reason_code == Reason.HALTED
        assert wire.placed == []
        (order,) = await sent(desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 2, ROHAN))
        assert order.filled_quantity == 2


async def test_live_sales_together_never_exceed_the_position(tmp_path):
    async with paper_desk(tmp_path) as desk:
        whole = (await holding(desk, ROHAN))[ROHAN]
        await reduce_only(desk)
        await sent(desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        exchange_of(desk).pin("RELIANCE", 245050, 239520)
        resting = by_phone(desk, ROHAN, Side.SELL, whole - 6, HIGH, symbol="RELIANCE")
        assert resting
        await manual_clock(desk).advance(WAITS.position_valid_s + 1)
        wire = Wire(desk)
        (order,) = await sent(
            desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 6, ROHAN), (OrderState.DENIED,)
        )
        assert (order.reason_code, order.blocked_paise, wire.placed) == (Reason.HALTED, 0, [])
        (order,) = await sent(desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 5, ROHAN))
        assert held(desk, ROHAN) == whole - 6
        await books_are_sound(desk)


async def test_each_product_is_a_position_of_its_own(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await holding(desk, ROHAN, product=Product.CNC)
        await holding(desk, ROHAN, product=Product.MTF)
        before = {product: held(desk, ROHAN, product) for product in (Product.CNC, Product.MTF)}
        await reduce_only(desk, HaltScope.CLIENT, str(ROHAN))
        orders = await sent(desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 2, ROHAN))
        sold = {order.product: order.quantity for order in orders}
        assert {product: held(desk, ROHAN, product) for product in before} == {
            product: quantity - sold.get(product, 0) for product, quantity in before.items()
        }
        await books_are_sound(desk)


async def test_an_order_in_doubt_leaves_the_position_unknown(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await holding(desk, ROHAN)
        await reduce_only(desk)
        await sent(desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        wire = Wire(desk)

        async def in_doubt(account, request):
            return Ambiguous("the line was lost")

        wire.on_place = in_doubt
        await sent(desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 2, ROHAN), (OrderState.UNKNOWN,))
        wire.on_place = None
        await manual_clock(desk).advance(WAITS.position_valid_s + 1)
        plan = await desk.plans.freeze(sell("RELIANCE", SizingKind.FIXED_QUANTITY, 3, ROHAN))
        if plan.orders:
            await desk.runs.start(plan, plan.digest)
            await manual_clock(desk).advance(5)
        assert len(wire.placed) == 1


async def test_the_file_and_a_halt_of_all_stop_what_reduces_too(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await holding(desk, ROHAN)
        first = await reduce_only(desk)
        write_halt_file(desk.home / "HALT", "somebody", desk.clock.now())
        plan = await desk.plans.freeze(sell("RELIANCE", *TEN, ROHAN))
        with refuses(Halted, "resume it first"):
            await desk.runs.start(plan, plan.digest)
        (standing, file) = desk.halt.active()
        assert (standing.number, file.strength) == (first.number, HaltStrength.ALL)
        (desk.home / "HALT").unlink()
        second = await desk.halt.fire("tester", HaltScope.CLIENT, str(ROHAN))
        again = await desk.plans.freeze(sell("RELIANCE", *TEN, ROHAN))
        assert {line.reason for line in again.lines} == {Reason.HALTED}
        await desk.halt.resume(second.number, "resume", "tester")
        await sent(desk, sell("RELIANCE", *TEN, ROHAN))


async def test_a_halt_that_came_after_the_claim_stops_what_was_claimed(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await holding(desk, ROHAN)
        await reduce_only(desk, HaltScope.CLIENT, str(ROHAN))
        wire = Wire(desk)

        async def halted_meanwhile(account, request):
            await reduce_only(desk, HaltScope.SYMBOL, "NSE:RELIANCE")
            assert request.last_look is not None
            assert request.last_look()

        wire.on_place = halted_meanwhile
        plan = await desk.plans.freeze(sell("RELIANCE", *TEN, ROHAN))
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.runs.get(run.number).finished_at is not None)
        (order,) = of_run(desk, run.number)
        assert order.filled_quantity == 0


async def test_no_modify_leaves_and_sales_sent_under_the_halt_are_not_swept(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await holding(desk, ROHAN)
        made = await reduce_only(desk)
        intent = sell("RELIANCE", *TEN, ROHAN)
        priced = replace(intent, order_type=OrderType.LIMIT, limit_paise=HIGH)
        (order,) = await sent(desk, priced, (OrderState.OPEN,))
        await manual_clock(desk).advance(10)
        assert desk.orders.get(order.id).state is OrderState.OPEN
        assert there(desk.halt.certificate(made.number)).cancelled == made.cancelled
        with refuses(Halted, "a halt covers this order"):
            await desk.orders.modify(order.id, limit_paise=HIGH - 100_00)


async def test_resume_ends_it_by_number(tmp_path):
    async with paper_desk(tmp_path) as desk:
        made = await reduce_only(desk)
        with pytest.raises(BadInput, match=f"halts that stand: {made.number}"):
            await desk.halt.resume(made.number + 1, "resume", "tester")
        await desk.halt.resume(made.number, "resume", "tester")
        _, run = await carry_out(desk, buy("RELIANCE", *TEN, ROHAN))
        assert run.counts[RunCount.FILLED] == 1


async def test_a_desk_opened_again_knows_its_strength(tmp_path):
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        made = await reduce_only(desk)
    async with filed_desk(tmp_path, clock) as desk:
        (standing,) = desk.halt.active()
        assert (standing.number, standing.strength) == (made.number, HaltStrength.REDUCE)
        assert there(desk.halt.certificate(made.number)).strength is HaltStrength.REDUCE
        assert not (desk.home / "HALT").exists()
        plan = await desk.plans.freeze(buy("RELIANCE", *TEN, ROHAN))
        assert {line.reason for line in plan.lines} == {Reason.HALTED}
