"""Halts of the whole market: by the breaker's table as an index tells it, or as a trader types it."""

from datetime import datetime
from datetime import time as time_of

import pytest

from data.clock import IST, ManualClock
from data.errors import BadInput
from data.records import replace
from data.vocabulary import (
    AlertKind,
    ChaseEnd,
    DeskKind,
    LimitTo,
    OrderState,
    PhaseKind,
    Reason,
    SizingKind,
)
from engine.execution.changes.new_limits import NewLimit
from engine.words.market import market_halt_words
from engine.words.trading.why import detail_words
from tests.desks import books_are_sound, buy, carry_out, manual_clock, on_tape, paper_desk, until
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
AARAV = 1
CLOSE = 25_000_00
"""A previous close of the index."""


def to(desk, time: str) -> None:
    day = desk.market_clock.trading_day
    exchange_of(desk).jump(datetime.combine(day, time_of.fromisoformat(time), IST))


def moved(desk, percent: float) -> None:
    exchange_of(desk).pin("NSE:NIFTY 50", round(CLOSE * (1 + percent / 100)), CLOSE)


@pytest.mark.parametrize(
    ("at", "percent", "until", "reopens"),
    [
        ("09:30", 10, "10:15", "10:30"),
        ("12:59", 10, "13:44", "13:59"),
        ("13:00", 10, "13:15", "13:30"),
        ("14:29", 10, "14:44", "14:59"),
        ("12:59", 15, "14:44", "14:59"),
        ("13:00", 15, "13:45", "14:00"),
        ("14:00", 15, None, None),
        ("09:30", 20, None, None),
        ("14:45", 20, None, None),
    ],
)
async def test_a_level_halts_by_the_table_of_the_hour(tmp_path, at, percent, until, reopens):
    async with paper_desk(tmp_path) as desk:
        to(desk, at)
        halt = await desk.market_halts.halt(percent)
        shown = [t and f"{t.astimezone(IST):%H:%M}" for t in (halt.until, halt.reopens_at)]
        assert shown == [until, reopens]
        assert desk.market.phase_of(fno=True).kind is PhaseKind.HALTED
        if until:
            to(desk, until)
            assert desk.market.phase_of(fno=True).kind is PhaseKind.REOPENING
            to(desk, reopens)
            assert desk.market.phase_of(fno=True).continuous
            assert desk.market_halts.standing is None
        else:
            to(desk, "15:22")  # no closing auction on a day that the breaker has ended
            assert desk.market.phase_of(fno=True).kind is PhaseKind.HALTED


async def test_ten_percent_after_half_past_two_halts_nothing_and_another_level_is_none(tmp_path):
    async with paper_desk(tmp_path) as desk:
        to(desk, "14:30")
        with pytest.raises(BadInput, match="at 14:30 a move of 10 % halts nothing"):
            await desk.market_halts.halt(10)
        with pytest.raises(BadInput, match="give 10, 15, 20, or none"):
            await desk.market_halts.halt(12)
        with pytest.raises(BadInput, match="is not halted"):
            await desk.market_halts.open_again()


async def test_a_typed_halt_stands_until_it_is_opened_and_is_in_the_audit(tmp_path):
    async with paper_desk(tmp_path) as desk:
        instrument = desk.market.index.resolve("TCS")
        await desk.market_halts.halt(reason="NSE notice")
        phase = desk.market.phase(instrument)
        assert (phase.kind, phase.ends_at, phase.continuous) == (PhaseKind.HALTED, None, False)
        made = await desk.plans.preview(buy("TCS", QTY, 1, AARAV))
        assert made.lines[0].reason is Reason.MARKET_CLOSED
        assert detail_words(made.lines[0]) == "the whole market is halted: no MARKET order is taken"
        standing = desk.market_halts.standing
        assert standing is not None
        assert market_halt_words(standing) == (
            "until it is opened again, at most to the day's end: by tester (NSE notice)"
        )
        await desk.market_halts.open_again("resumed")
        assert desk.market.phase(instrument).continuous
        halted = await desk.audit.rows(action="MARKET_HALTED")
        opened = await desk.audit.rows(action="MARKET_OPENED")
        assert [halted[0].details["reason"], opened[0].details["reason"]] == ["NSE notice", "resumed"]
    async with paper_desk(tmp_path, demo=False) as desk:
        assert [one.ended_by for one in desk.market_halts.of_day()] == ["tester"]


async def test_an_index_near_the_breaker_is_told_once_and_one_odd_print_halts_nothing(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        clock = manual_clock(desk)
        moved(desk, -1)
        await clock.advance(3)
        moved(desk, -12)  # seen once
        await desk.market_halts.fetch()
        await desk.market_halts.look()
        moved(desk, -1)
        await clock.advance(5)
        assert desk.market_halts.standing is None
        assert desk.alerts.standing == []
        moved(desk, -8.2)
        await until(desk, lambda: desk.alerts.standing, step_s=1)
        (alert,) = desk.alerts.standing
        assert alert.kind is AlertKind.MARKET_FALL
        assert alert.index is not None
        assert (alert.index.moved_bps, alert.index.level_bps) == (-820, 1000)
        (line,) = on_tape(desk, "NIFTY 50")
        assert line == "NIFTY 50 at -8.20 %: at 10 % the whole market is halted"
        assert desk.market_halts.standing is None


async def test_an_index_that_reaches_the_breaker_halts_the_market_once(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        moved(desk, -10.2)
        await until(desk, lambda: desk.market_halts.standing, step_s=1)
        halt = desk.market_halts.standing
        assert halt is not None
        assert (halt.index_key, halt.index_bps, halt.move_bps) == ("NSE:NIFTY 50", -1020, 1000)
        await desk.market_halts.open_again()
        await manual_clock(desk).advance(10)  # the level is told; a trader's word stands
        assert desk.market_halts.standing is None
        assert len(desk.market_halts.of_day()) == 1


async def test_another_process_hears_of_a_halt(tmp_path):
    async with (
        paper_desk(tmp_path, kind=DeskKind.APP) as app,
        paper_desk(tmp_path, kind=DeskKind.COMMAND, demo=False) as command,
    ):
        await command.market_halts.halt(reason="typed there")
        await until(app, lambda: app.market_halts.standing, step_s=1)
        assert app.market.phase_of(fno=False).kind is PhaseKind.HALTED


async def test_an_after_market_order_is_not_taken_between_the_brokers_hours_and_the_session(tmp_path):
    async with paper_desk(tmp_path) as desk:
        timing = seam(desk).timing
        day = desk.market_clock.trading_day
        for at, taken in (("08:57", True), ("08:58", False), ("08:59", False), ("09:00", True)):
            moment = datetime.combine(day, time_of.fromisoformat(at), IST)
            asked = replace(timing, market=ManualClock(moment))
            assert asked.takes_after_market("zerodha") is taken, at
            assert asked.takes_after_market("groww"), "of it no hours are known"


async def test_a_fall_is_carried_through_halt_auction_and_reopening_by_desk_and_venue_alike(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        clock, free = manual_clock(desk), desk.funds.of(AARAV).available_paise
        _, run = await carry_out(desk, buy("TCS", QTY, 2, AARAV, limit_paise=2400_00))
        plan = await desk.modifies.look(list(run.order_ids), NewLimit(LimitTo.CHASE, 2410_00))
        (chase,) = await desk.chases.start(plan, plan.digest)
        moved(desk, -10.2)
        await until(desk, lambda: desk.market_halts.standing, step_s=1)
        await until(desk, lambda: not desk.orders.get(run.order_ids[0]).live, step_s=1)
        order = desk.orders.get(run.order_ids[0])
        assert (order.state, order.reason_text) == (
            OrderState.CANCELLED,
            "Order cancelled by the exchange: the whole market is halted.",
        )
        assert desk.funds.of(AARAV).available_paise == free
        await until(desk, lambda: chase.end is not None)
        assert chase.end is ChaseEnd.ORDER_ENDED
        assert desk.market.phase_of(fno=True).kind is PhaseKind.HALTED
        halted = await desk.plans.preview(buy("TCS", QTY, 1, AARAV))
        assert halted.lines[0].reason is Reason.MARKET_CLOSED
        to(desk, "10:05")
        assert desk.market.phase_of(fno=True).kind is PhaseKind.REOPENING
        await desk.market.fetch(["NSE:TCS"])
        limit = buy("TCS", QTY, 1, AARAV, limit_paise=2600_00)
        _, entered = await carry_out(desk, limit)
        assert desk.orders.get(entered.order_ids[0]).state is OrderState.OPEN
        to(desk, "10:17")
        await clock.advance(2)
        await until(desk, lambda: desk.orders.get(entered.order_ids[0]).state is OrderState.FILLED, step_s=1)
        assert desk.market.phase_of(fno=True).continuous
        await books_are_sound(desk)
