"""Risk and dispersion of a desk: by the demonstration's shipped closes, its runs, and what closes keep."""

import csv
from datetime import date, timedelta
from fractions import Fraction
from heapq import nsmallest
from itertools import pairwise
from pathlib import Path

import pytest

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.reference.seed import demo_closes
from data.repositories.history.closes import BrokersClose, keep_told_closes
from data.repositories.history.days import StoredRisk, keep_risks
from data.repositories.mtf import StoredAction, keep_actions
from data.store import Unit
from data.vocabulary import CorporateAction, SizingKind
from engine.risk.closes import DailyCloses
from engine.risk.service import DESK, INDEX
from tests import demo_closes as made
from tests.desks import buy, carry_out, paper_desk
from tradedesk.testing import seam

PRIYA, AMIT = 15, 22
DAY = date(2026, 11, 18)


def test_the_shipped_closes_are_those_of_the_markets_own_walk() -> None:
    with made.FILE.open(encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == made.DAYS
    assert {day: int(row["NSE:TCS"]) for day, row in zip((r["day"] for r in rows), rows, strict=True)} == {
        day: closes["NSE:TCS"] for day, closes in made.closes_of(["NSE:TCS"]).items()
    }
    week = made.closes_of([INDEX], timedelta(days=7))
    assert week
    assert {day: closes[INDEX] for day, closes in week.items()} == {
        row["day"]: int(row[INDEX]) for row in rows if row["day"] in week
    }


async def test_the_desks_risk_is_its_clients_by_date(tmp_path: Path) -> None:
    async with paper_desk(tmp_path, pins={}, shares=True) as desk:
        ids = [one.id for one in desk.clients.all()]
        await desk.price()
        view = await desk.risk.of(ids)
        assert (view.days, view.last, view.left_out) == (250, date(2026, 11, 17), ())
        # A second way: by fractions, shares of the whole desk at once.
        worth: dict[str, int] = {}
        for one in desk.holdings.all():
            worth[one.key] = worth.get(one.key, 0) + desk.valuation.holding(one).value_paise
        closes, days = demo_closes(), sorted(demo_closes()[INDEX])[-251:]
        outcomes = [
            sum(
                (
                    value * (Fraction(closes[key][now], closes[key][before]) - 1)
                    for key, value in worth.items()
                ),
                Fraction(),
            )
            for before, now in pairwise(days)
        ]
        assert view.var95_paise == pytest.approx(-float(nsmallest(13, outcomes)[-1]), abs=len(ids))
        assert view.var99_paise == pytest.approx(-float(nsmallest(3, outcomes)[-1]), abs=len(ids))
        assert view.total_value_paise == sum(one.value_paise for one in view.clients)
        assert view.todays_pnl_paise == desk.valuation.total(ids).net_day_pnl_paise
        assert view.profitable + view.losing <= len(ids)
        priya = next(one for one in view.clients if one.client_id == PRIYA)
        alone = await desk.risk.of([PRIYA])
        assert (alone.var95_paise, alone.beta_bps) == (priya.var95_paise, priya.beta_bps)
        assert priya.lacking == ()


async def test_a_close_that_a_bonus_came_after_is_counted_in_shares_of_today(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        workings = seam(desk)
        closes = DailyCloses(workings.kept, workings.timing, desk.connections.feed)
        before = (await closes.of(["NSE:TCS"]))["NSE:TCS"]

        def bonus(unit: Unit) -> None:
            made_of = ("NSE:TCS", DAY, "Bonus 1:1", CorporateAction.BONUS, "CF.csv")
            keep_actions(unit, [StoredAction(*made_of, unit.now)])
            told = BrokersClose("NSE:TCS", date(2026, 11, 16), 1_250_00, DAY, "tried")
            keep_told_closes(unit, [told])
            unit.audit(AuditEntry(AuditAction.ACTIONS_IMPORTED, "tester"))

        await workings.store.write(bonus)
        after = (await closes.of(["NSE:TCS"]))["NSE:TCS"]
        assert after[date(2026, 11, 17)] == before[date(2026, 11, 17)] // 2
        assert after[date(2026, 11, 16)] == 1_250_00, "told on the ex-date, the bonus is in it"


async def test_days_beyond_what_was_at_risk_at_the_close_before_are_counted(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        for number, (brought, at_95) in enumerate(
            [(None, 1_000), (-999, 1_000), (-1_001, 1_000), (-5_000, None)]
        ):
            day = date(2026, 11, 10) + timedelta(days=number)
            row = (100_00, at_95, 3_000, 9_000, brought)
            await seam(desk).store.write(
                lambda unit, day=day, row=row: keep_risks(
                    unit, day, [StoredRisk(one, day, *row) for one in (DESK, PRIYA)]
                )
            )
        alone = await desk.risk.of([PRIYA])
        assert (alone.breaches.days, alone.breaches.at_95, alone.breaches.at_99) == (3, 2, 1)
        everybody = await desk.risk.of([one.id for one in desk.clients.all()])
        assert everybody.breaches == alone.breaches, "of the desk's own closes"
        assert (await desk.risk.of([PRIYA, AMIT])).breaches.days == 0, "of a part of the desk none are kept"


async def test_a_run_says_what_each_client_got_and_the_month_counts_it(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        plan, run = await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 2))
        found = await desk.dispersion.of_run(run.number)
        assert [one.place for one in found.places] == list(range(1, len(plan.ok_lines) + 1))
        assert {one.client_id for one in found.parts} == {one.client_id for one in plan.ok_lines}
        assert (found.seed is not None, found.final) == (True, True)
        assert found.slippage_paise == sum(
            one.notional_paise - one.filled * plan.last_paise for one in found.parts
        )
        with pytest.raises(BadInput, match="no run has this number"):
            await desk.dispersion.of_run(99)
        view = await desk.dispersion.of_day()
        assert [one.number for one in view.runs] == [run.number]
        await seam(desk).store.write(await desk.dispersion.at_close(DAY))
        assert (await desk.dispersion.of_day()).month == view.month, "a day that is kept is not counted twice"
        later = await desk.dispersion.of_day(date(2026, 11, 19))
        assert {one.client_id: one.runs for one in later.month} == {one.client_id: 1 for one in found.parts}
