"""The course of the day's results: a minute apart, kept over a restart, with gaps where nobody looked."""

import asyncio
from datetime import date
from pathlib import Path

from data.home import equity_file
from data.vocabulary import SizingKind
from engine.accounts.equity import Equity, EquityLines, keep_line, read_lines
from engine.accounts.limits import client_limits
from engine.accounts.sectors import by_sector
from engine.book.views import FundsView
from tests.desks import buy, carry_out, paper_desk, until

DAY = date(2026, 11, 18)


def test_a_minute_that_was_not_noted_is_a_gap_for_a_client_and_for_all() -> None:
    lines = EquityLines()
    lines.note(DAY, 555, {1: 100, 2: -50})
    lines.note(DAY, 558, {1: 120})
    lines.note(DAY, 557, {1: 999})
    assert (lines.began, lines.of(1), lines.of(2)) == (555, [100, None, None, 120], [-50, None, None, None])
    assert lines.total() == [50, None, None, 120]
    lines.note(DAY, 558, {1: 130, 3: 7})
    assert (lines.of(1)[-1], lines.of(3), lines.of(4)) == (130, [None, None, None, 7], [])
    lines.note(date(2026, 11, 19), 556, {1: 1})
    assert (lines.began, lines.of(1), lines.of(2), lines.total()) == (556, [1], [], [1])


def test_a_line_that_was_cut_hides_no_other(tmp_path: Path) -> None:
    file = tmp_path / "equity.jsonl"
    assert read_lines(file) == []
    keep_line(file, DAY, 554, {9: 9}, anew=True)
    keep_line(file, DAY, 555, {1: -100}, anew=True)
    with file.open("a") as cut:
        cut.write('["2026-11-18",556,{"1":-1\n7\n')
        for minute, net in (("1e12", "1"), ("-1", "1"), ("1e999", "1"), ("556", "1e30"), ("556", "[" * 9999)):
            cut.write(f'["2026-11-18",{minute},{{"1":{net}}}]\n')
    keep_line(file, DAY, 557, {1: 3}, anew=False)
    assert read_lines(file) == [(DAY, 555, {1: -100}), (DAY, 557, {1: 3})]


async def test_the_morning_is_there_after_a_restart(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        client, file = desk.clients.all()[0].id, equity_file(desk.home)
        await desk.market.follow(["NSE:TCS"], "test")
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 2, client))
        await until(desk, lambda: not desk.market.feed_stale())
        await desk.equity.look()
        await desk.equity.look()
        assert len(read_lines(file)) == 1, "a line a minute"
        with file.open("a") as of_today:
            of_today.write(f'["{DAY}",560,{{"{client}":-700}}]\n')

        again = Equity(
            desk.workings.timing, desk.valuation, lambda: [client], lambda: True, equity_file(desk.home)
        )
        keeping = asyncio.create_task(again.keep())
        await until(desk, lambda: again.began is not None)
        keeping.cancel()
        net = desk.valuation.client(client).net_day_pnl_paise
        assert again.began == 9 * 60 + 15
        assert again.course(client) == [net, None, None, None, None, -700]


async def test_limits_say_what_is_used_of_money_loan_and_portfolio(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        client = desk.clients.all()[0]
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 2, client.id))
        await carry_out(desk, buy("INFY", SizingKind.FIXED_QUANTITY, 9, client.id))
        holdings, funds = desk.holdings.of(client.id), desk.funds.of(client.id)
        limits = client_limits(funds, holdings, desk.valuation)
        assert limits.largest is not None
        values = {one.tradingsymbol: desk.valuation.holding(one).value_paise for one in holdings}
        assert limits.largest.used_paise == max(values.values()) == values[limits.largest_symbol]
        assert limits.money is not None
        assert limits.money.used_paise == funds.blocked_paise
        assert limits.money.whole_paise == funds.blocked_paise + funds.available_paise
        nothing = client_limits(FundsView(client.id), (), desk.valuation)
        assert (nothing.money, nothing.mtf, nothing.largest) == (None, None, None)


async def test_sectors_add_up_to_all_that_is_held(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        for symbol in ("TCS", "INFY", "HDFCBANK"):
            await carry_out(
                desk, buy(symbol, SizingKind.FIXED_QUANTITY, 3, *(one.id for one in desk.clients.all()[:3]))
            )
        held = desk.holdings.all()
        sectors = by_sector(held, desk.valuation, lambda key: desk.market.detail(key).instrument.sector)
        assert len(sectors) > 1
        assert sum(one.value_paise for one in sectors) == sum(
            desk.valuation.holding(one).value_paise for one in held
        )
        assert abs(sum(one.share_bps or 0 for one in sectors) - 10_000) <= len(sectors)
        assert [one.value_paise for one in sectors] == sorted((s.value_paise for s in sectors), reverse=True)
