"""Chases wait where market, desk or a halt says so, and go on by themselves only where that is safe."""

from datetime import datetime, time

import pytest

from data.clock import IST
from data.errors import BadInput
from data.records import replace
from data.vocabulary import ChaseEnd, ChaseWait, HaltScope, LimitTo, OrderType, PhaseKind, SizingKind
from engine.book.halt_scope import HaltView
from engine.execution.changes.new_limits import NewLimit
from engine.halt.booked import block_scope
from engine.refusals import OrderHalted
from tests.desks import books_are_sound, buy, carry_out, manual_clock, on_tape, paper_desk, sell, until
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
ROHAN, RV = 8, 12
BREAK = """[[session]]
date = {day}
name = "a pause in the morning"
source = "a circular"
author = "asha"
hours = [
    {{ kind = "continuous", start = 09:15:00, end = 09:20:00 }},
    {{ kind = "pre_open", start = 09:20:00, end = 09:25:00 }},
    {{ kind = "continuous", start = 09:25:00, end = 15:30:00 }},
]
"""


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)


async def chasing(desk, client_id=ROHAN, bound_paise=2450_00):
    """A chase that has not moved its order yet: that rests at 2,400.00 while TCS stands at 2,500.00."""
    intent = buy("TCS", QTY, 2, client_id, limit_paise=2400_00, again=True)
    _, run = await carry_out(desk, intent)
    plan = await desk.modifies.look(list(run.order_ids), NewLimit(LimitTo.CHASE, bound_paise))
    return (await desk.chases.start(plan, plan.digest))[0]


async def to(desk, at):
    day = desk.market_clock.trading_day
    exchange_of(desk).jump(datetime.combine(day, time.fromisoformat(at), IST))
    await desk.market.fetch(["NSE:TCS"])


async def seconds(desk, count):
    for _ in range(count):
        await desk.market.fetch(["NSE:TCS"])
        await manual_clock(desk).advance(1)


def limit(desk, chase):
    return desk.orders.get(chase.order_id).limit_paise


async def moved(desk, chase):
    """It goes on, to its bound."""
    await until(desk, lambda: chase.end is not None)
    assert (chase.end, limit(desk, chase)) == (ChaseEnd.AT_BOUND, 2450_00)


async def test_a_phase_without_continuous_trading_holds_a_chase_which_goes_on_after_it(desk, tmp_path):
    one = await chasing(desk)
    (tmp_path / "calendar.toml").write_text(BREAK.format(day=desk.market_clock.trading_day))
    desk.calendar.read_again()
    await to(desk, "09:21")
    await seconds(desk, 10)
    assert one.pause is not None
    assert (one.pause.why, one.pause.phase) == (ChaseWait.PHASE, PhaseKind.PRE_OPEN)
    assert limit(desk, one) == 2400_00, "nothing is priced anew in a phase that trades nothing"
    assert on_tape(desk, "waits") == [f"the chase of order {one.order_id} waits: pre-open until 09:25"]
    await to(desk, "09:25")
    await moved(desk, one)
    assert on_tape(desk, "goes on") == [f"the chase of order {one.order_id} goes on"]
    actions = [row.action for row in await desk.audit.rows() if row.action.startswith("CHASE")]
    assert sorted(actions) == ["CHASE_ENDED", "CHASE_PAUSED", "CHASE_RESUMED", "CHASE_STARTED"]


async def test_a_halt_of_the_market_holds_a_chase_until_the_trader_says_so(desk):
    one = await chasing(desk)
    await desk.market_halts.halt(10)
    await seconds(desk, 5)
    assert one.pause is not None
    assert one.pause.why is ChaseWait.MARKET_HALTED
    with pytest.raises(BadInput, match="the whole market is halted"):
        await desk.chases.go_on([one.order_id], "chase")
    await desk.market_halts.open_again()
    await seconds(desk, 10)
    assert limit(desk, one) == 2400_00, "the market that it was confirmed in is no more"
    with pytest.raises(BadInput, match="type chase"):
        await desk.chases.go_on([one.order_id], "yes")
    assert await desk.chases.go_on([one.order_id], "chase") == 1
    with pytest.raises(BadInput, match="waits for your word"):
        await desk.chases.go_on([one.order_id], "chase")
    await moved(desk, one)
    (row,) = [row for row in await desk.audit.rows() if row.action == "CHASE_RESUMED"]
    assert (row.actor, row.order_id) == ("tester", one.order_id)


async def test_a_guards_halt_holds_the_chase_of_an_exit_that_it_lets_live(desk):
    await carry_out(desk, buy("TCS", QTY, 4, ROHAN))
    exit_ = replace(sell("TCS", QTY, 2, ROHAN), order_type=OrderType.LIMIT, limit_paise=2600_00)
    _, run = await carry_out(desk, exit_)
    plan = await desk.modifies.look(list(run.order_ids), NewLimit(LimitTo.CHASE, 2550_00))
    (one,) = await desk.chases.start(plan, plan.digest)
    other = await chasing(desk, RV)

    def halts(unit):
        return block_scope(unit, HaltView(0, HaltScope.CLIENT, str(ROHAN), unit.now, "guard 1"), ())

    halt, _ = await seam(desk).store.write(halts)
    await moved(desk, other)
    assert one.pause is not None
    assert one.pause.why is ChaseWait.HALTED
    assert desk.orders.get(one.order_id).live
    with pytest.raises(OrderHalted):
        await desk.chases.go_on([one.order_id], "chase")
    await desk.halt.resume(halt.number, "resume", "tester")
    await seconds(desk, 10)
    assert limit(desk, one) == 2600_00, "however soon the halt is over"
    await desk.chases.go_on([one.order_id], "chase")
    await until(desk, lambda: one.end is ChaseEnd.AT_BOUND)
    assert limit(desk, one) == 2550_00


async def test_a_desk_that_sends_nothing_holds_a_chase_which_goes_on_with_it(desk):
    one = await chasing(desk)
    seam(desk).engine.trading_disabled = "the audit is damaged"
    await seconds(desk, 5)
    assert one.pause is not None
    assert (one.pause.why, one.pause.detail) == (ChaseWait.TRADING_DISABLED, "the audit is damaged")
    assert limit(desk, one) == 2400_00
    seam(desk).engine.trading_disabled = None
    await moved(desk, one)


async def test_one_that_waits_ends_with_its_order_or_where_it_is_let_stand(desk):
    first, second = await chasing(desk), await chasing(desk, RV)
    await desk.market_halts.halt()
    await until(desk, lambda: first.pause and second.pause)
    await desk.chases.ended([first, second])  # who waits for them hears that they wait for the trader
    await desk.orders.cancel([first.order_id])
    await until(desk, lambda: first.end is not None)
    assert first.end is ChaseEnd.ORDER_ENDED
    desk.chases.stop([second.order_id])
    await second.over.wait()
    assert second.end is ChaseEnd.STOPPED
