"""Days that were closed, as history and risk read them: their equity, returns and what was at risk."""

from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import prod
from pathlib import Path

import pytest

from data.repositories.history.days import closed_days, counted_breaches
from data.vocabulary import SizingKind
from engine.desk import Desk
from engine.history.returns import Day
from engine.risk.service import DESK
from tests.desks import books_are_sound, buy, carry_out, in_time, paper_desk
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

WHOSE = (1, 4, 15)


async def close_day(desk: Desk) -> date:
    """End the day that is traded on, and close it."""
    day = desk.market_clock.trading_day
    await desk.close.note_before()
    await desk.price()
    exchange_of(desk).jump(seam(desk).calendar.session_close(day))
    await desk.workings.days.keep()
    prospect = await in_time(desk, desk.close.look(day))
    await in_time(desk, desk.close.close(day, prospect.closing))
    return day


async def through(home: Path, days: int) -> None:
    """Close so many days, and hold what is told of them against a second way of computing it."""
    async with paper_desk(home, pins={}, shares=True) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 2, *WHOSE))
        report = await desk.close.preview()
        assert report.risk.var95_paise is not None
        assert report.risk.beta is not None
        done = [await close_day(desk) for _ in range(days)]
        view = await desk.history.of([15], "PS1015")
        async with seam(desk).store.reader() as reader:
            counted = await counted_breaches(reader, [DESK, 15], done[0])
        stored = {one.day: one for one in await seam(desk).store.read_aside(lambda on: closed_days(on, [15]))}
        assert sorted(stored) == done
        told = {one.day: one for one in view.days}
        for day in done:
            assert told[day] == Day(
                day, stored[day].portfolio_value_paise, stored[day].flows_paise, stored[day].todays_pnl_paise
            )
        assert view.unclassed == ()
        # No day begins with anything but what the one before left, so that either way returns the same.
        assert all(
            before.portfolio_paise + day.flow_paise + day.net_pnl_paise == day.portfolio_paise
            for before, day in pairwise(view.days)
        )
        by_hand = prod(
            Fraction(day.portfolio_paise, before.portfolio_paise + day.flow_paise)
            for before, day in pairwise(view.days)
        )
        assert view.twr_bps is not None
        assert abs(view.twr_bps - (by_hand - 1) * 10_000) <= Fraction(501, 1_000)
        assert view.xirr_bps is not None
        span = (view.days[-1].day - view.days[0].day).days
        # With no flow the yearly rate is that of the whole span, compounded.
        assert view.xirr_bps == pytest.approx((float(by_hand) ** (365 / span) - 1) * 10_000, abs=1)
        assert counted[DESK].days == counted[15].days == days - 1
        assert (await desk.close.report(done[0])).risk.var95_paise is not None
        month = await desk.dispersion.of_day(done[1])  # the day after its run
        assert {one.client_id for one in month.month} == set(WHOSE)
        await books_are_sound(desk)


async def test_closed_days_have_their_equity_their_returns_and_their_risk(tmp_path: Path) -> None:
    await through(tmp_path, 2)


@pytest.mark.proof
async def test_a_fortnight_of_closed_days_returns_what_a_second_way_says(tmp_path: Path) -> None:
    await through(tmp_path, 9)
