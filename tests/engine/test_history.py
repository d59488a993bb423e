"""History: flows that a person classes, days taken from a file, and a month of them."""

import itertools
import random
from datetime import date, timedelta
from fractions import Fraction
from math import prod
from pathlib import Path

import pytest

from data.csvfiles import FileProblem
from data.errors import BadInput
from data.ledger import Line, Transfer, post
from data.money import rupees_of
from data.store import Unit
from data.tables.close import ClientDayRecord
from data.tables.figures import EarlierDay
from data.vocabulary import Account, FlowKind, TransferKind
from engine.desk import Desk
from engine.history.flow_words import kind_from
from engine.words.day.history import returns_line
from tests.desks import paper_desk
from tradedesk.testing import seam

PRIYA, AMIT = 15, 22
DAY = date(2026, 11, 18)


async def came(desk: Desk, client_id: int, paise: int, kind: TransferKind = TransferKind.DAY_OPEN) -> None:
    """Have a difference of a client's cash be adopted."""

    def unit_of_work(unit: Unit) -> None:
        lines = [Line(Account.AVAILABLE, paise), Line(Account.EXTERNAL, -paise)]
        post(unit, [Transfer(client_id, kind, DAY, lines, evidence="test")])
        unit.touched.clients.add(client_id)

    await seam(desk).store.write(unit_of_work)


async def test_a_desk_without_clients_has_no_days_and_says_so(tmp_path: Path) -> None:
    async with paper_desk(tmp_path, demo=False) as desk:
        view = await desk.history.of([], "desk")
        assert (view.days, view.months) == ((), ())
        assert returns_line(view).startswith("TWR — · — this year · — this month · XIRR —")


async def test_returns_wait_until_each_flow_is_classed(tmp_path: Path) -> None:
    async with paper_desk(tmp_path, shares=True) as desk:
        before = await desk.history.of([PRIYA], "PS1015")
        assert before.twr_bps is not None
        assert len(before.days) == 262, "260 of before, what they began with, and today"
        await came(desk, PRIYA, 10_000_00)
        await came(desk, PRIYA, 500_00)
        waiting = await desk.history.of([PRIYA], "PS1015")
        assert [waiting.twr_bps, waiting.twr_month_bps, waiting.xirr_bps] == [None] * 3
        assert "TWR flows unclassed" in returns_line(waiting)
        pay_in, dividend = waiting.unclassed
        await desk.history.classify(pay_in.number, FlowKind.OTHER)
        await desk.history.classify(pay_in.number, kind_from("pay-in"), "seen at the bank")
        await desk.history.classify(dividend.number, FlowKind.DIVIDEND)
        after = await desk.history.of([PRIYA], "PS1015")
        assert after.unclassed == ()
        today = after.days[-1]
        assert (today.flow_paise, today.portfolio_paise) == (
            10_000_00,
            before.days[-1].portfolio_paise + 10_500_00,
        )
        assert today.net_pnl_paise == before.days[-1].net_pnl_paise + 500_00, "a dividend is earned"
        rows = await desk.audit.rows(action="FLOW_CLASSED")
        assert [row.details["kind"] for row in rows] == ["other", "pay_in", "dividend"]
        with pytest.raises(BadInput, match="this came in"):
            await desk.history.classify(dividend.number, FlowKind.PAY_OUT)
        with pytest.raises(BadInput, match="give the number of a flow"):
            await desk.history.classify(1, FlowKind.OTHER)
        assert all(check.ok for check in await desk.doctor.run())


def test_a_kind_of_flow_is_typed_as_it_is_read() -> None:
    assert kind_from(" Pay-Out ") is FlowKind.PAY_OUT
    with pytest.raises(BadInput, match="give pay-in, pay-out, dividend, charge, interest, other"):
        kind_from("gift")


async def test_a_file_with_one_bad_row_is_not_taken_and_names_them_all(tmp_path: Path) -> None:
    file = tmp_path / "earlier.csv"
    file.write_text(
        "code,day,portfolio,flow,net_pnl\n"
        "PS1015,2026-11-16,500000,0,0\n"
        "PS1015,2026-11-17,510000,0,9000\n"
        "XX9999,2026-11-17,1,,\n"
        "PS1015,17 Nov,1,,\n"
        "PS1015,2026-11-18,1,,\n"
        "PS1015,2026-11-16,500000,,\n"
        "AM1042,2026-11-17,ten,,\n"
    )
    async with paper_desk(tmp_path) as desk:
        with pytest.raises(FileProblem) as told:
            await desk.history.take(file)
        assert [(one.row, one.field) for one in told.value.problems] == [
            (3, "net_pnl"),
            (4, "code"),
            (5, "day"),
            (6, "day"),
            (7, "day"),
            (8, "portfolio"),
        ]
        assert len((await desk.history.of([PRIYA], "PS1015")).days) == 2, "what it began with, and today"


def month(seed: int, begins: int) -> list[tuple[date, int, int, int]]:
    """A month of days with flows now and then: day, portfolio, flow and net in whole rupees' paise."""
    dice, days, value = random.Random(seed), list[tuple[date, int, int, int]](), begins
    for at in range(31):
        day = date(2026, 10, 15) + timedelta(days=at)
        flow = dice.choice([0, 0, 0, 0, 20_000_00, -10_000_00]) if at else 0
        net = (value + flow) * dice.randrange(-150, 160) // 10_000 // 100 * 100 if at else 0
        value += flow + net
        days.append((day, value, flow, net))
    return days


async def test_a_month_of_days_of_two_clients_together_returns_what_a_second_way_says(tmp_path: Path) -> None:
    told = {"PS1015": month(1, 5_00_000_00), "AM1042": month(2, 2_00_000_00)}
    file = tmp_path / "earlier.csv"
    rows = [
        f"{code},{day},{rupees_of(value)},{rupees_of(flow)},{rupees_of(net)}\n"
        for code, days in told.items()
        for day, value, flow, net in days
    ]
    file.write_text("code,day,portfolio,flow,net_pnl\n" + "".join(rows))
    async with paper_desk(tmp_path) as desk:
        ids = [desk.clients.find(code).id for code in told]
        assert await desk.history.take(file) == dict.fromkeys(ids, 31)
        assert await desk.history.take(file) == dict.fromkeys(ids, 31), "the same again takes its place"
        view = await desk.history.of(ids, "both")
        days = [one for one in view.days if not one.provisional][1:]
        together = list(zip(*told.values(), strict=True))
        assert [one.portfolio_paise for one in days] == [a[1] + b[1] for a, b in together]
        assert [one.net_pnl_paise for one in days] == [a[3] + b[3] for a, b in together]
        assert [one.flow_paise for one in days] == [a[2] + b[2] for a, b in together]
        ratios = [
            Fraction(a[1] + b[1], before[0][1] + before[1][1] + a[2] + b[2])
            for before, (a, b) in itertools.pairwise(together)
        ]
        last = view.days[-1]
        ratios.append(Fraction(last.portfolio_paise, last.portfolio_paise - last.net_pnl_paise))
        assert view.twr_bps is not None
        assert abs(view.twr_bps - (prod(ratios) - 1) * 10_000) <= Fraction(501, 1_000)
        assert view.xirr_bps is not None
        assert abs(worth_at(view.xirr_bps / 10_000, view.days)) < 0.002 * last.portfolio_paise
        assert view.sources == ("earlier.csv",)
        assert sum(one.net_paise for one in view.months) == sum(one.net_pnl_paise for one in view.days)


@pytest.mark.parametrize("seed", range(3))
async def test_the_drawdown_is_that_of_the_days_as_they_are_told_however_they_are_kept(
    tmp_path: Path, seed: int
) -> None:
    dice, days = random.Random(seed), [DAY - timedelta(days=back) for back in range(30)]
    async with paper_desk(tmp_path) as desk:
        ids = [PRIYA, AMIT, 1]
        blank = dict.fromkeys(ClientDayRecord.model_fields, 0)
        blank |= {"positions": [], "digest": "", "closed_at": desk.clock.now()}
        blank |= {"portfolio_value_paise": 1_00_000_00}
        closed = [
            {
                **blank,
                "client_id": one,
                "day": day,
                "rev": rev,
                "todays_pnl_paise": dice.randrange(-9_00, 9_00),
            }
            for one in ids
            for day in dice.sample(days, 12)
            for rev in range(1, dice.choice([2, 2, 3]))
        ]
        told = {"portfolio_paise": 1_00_000_00, "flow_paise": 0, "source": "x", "imported_by": "x"}
        earlier = [
            {**told, "client_id": one, "day": day, "net_pnl_paise": dice.randrange(-9_00, 9_00)}
            | {"imported_at": desk.clock.now()}
            for one in ids
            for day in dice.sample(days, 15)
        ]

        def unit_of_work(unit: Unit) -> None:
            unit.insert(ClientDayRecord, closed)
            unit.insert(EarlierDay, earlier)
            for day in dice.sample(days, 8):
                lines = [Line(Account.AVAILABLE, 5_00), Line(Account.EXTERNAL, -5_00)]
                post(unit, [Transfer(dice.choice(ids), TransferKind.DAY_OPEN, day, lines, evidence="x")])

        await seam(desk).store.write(unit_of_work)
        for number, flow in enumerate(await desk.history.flows(ids)):
            kind = (FlowKind.DIVIDEND, FlowKind.PAY_IN)[number % 2]
            await desk.history.classify(flow.number, kind)
        for some in (ids, [PRIYA], [AMIT, 1]):
            whole = await desk.history.of(some, "some")
            assert await desk.history.drawdown_paise(some) == whole.drawdown_paise > 0


def worth_at(rate: float, days: tuple) -> float:
    """All that came in and what is there at the end, discounted to the first day."""
    began = days[0].day
    flows = [(began, -days[0].portfolio_paise), *((one.day, -one.flow_paise) for one in days[1:])]
    flows.append((days[-1].day, days[-1].portfolio_paise))
    return sum(amount / (1 + rate) ** ((day - began).days / 365) for day, amount in flows)
