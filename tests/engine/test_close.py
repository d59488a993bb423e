"""The day's close: figures at any time, its steps, who stays open, revisions, and kills on its way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest

from data.repositories.close.prices import StoredClose, keep_closes
from data.repositories.close.stored import DoneStep, keep_step, read_client_days, read_seals
from data.vocabulary import CloseSource, CloseStepKind, SizingKind, WhyOpen
from engine.accounts.statement import standing
from engine.close.closing import ClosingSteps, Rev
from engine.close.refused import CloseChanged, DayNotOver
from engine.close.sealing import digest_of
from engine.desk import Desk
from engine.words.day.closing import netted_words
from engine.words.formats import rupees
from tests.desks import books_are_sound, buy, carry_out, in_time, paper_desk, sell
from tests.engine.test_days import next_day
from tests.faults.close_runs import kill_closes
from tests.further import further
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

DAY = date(2026, 11, 18)
SHARES = SizingKind.FIXED_QUANTITY


@asynccontextmanager
async def traded(home: Path, over: bool = True) -> AsyncIterator[Desk]:
    """Clients 1 and 4 bought 3 TCS at 2,500, client 4 sold 2 of them again; client 7 bought 2 INFY."""
    async with paper_desk(home) as desk:
        await carry_out(desk, buy("TCS", SHARES, 3, 1, 4))
        await carry_out(desk, sell("TCS", SHARES, 2, 4))
        await carry_out(desk, buy("INFY", SHARES, 2, 7))
        await desk.close.note_before()
        if over:
            await day_over(desk)
        yield desk


async def day_over(desk: Desk) -> None:
    exchange = exchange_of(desk)
    exchange.jump(seam(desk).calendar.session_close(desk.market_clock.trading_day))
    await desk.workings.days.keep()


async def closed(desk: Desk) -> None:
    prospect = await in_time(desk, desk.close.look(DAY))
    await in_time(desk, desk.close.close(DAY, prospect.closing))


async def total_net(desk: Desk, client_id: int) -> int:
    """What a client's page tells of its total."""
    brought, value = await desk.statements.contributed(client_id), desk.valuation.client(client_id)
    client, funds = desk.clients.get(client_id), desk.funds.of(client_id)
    return standing(client, funds, value, brought).total_net_paise


async def test_a_clients_page_and_its_closed_day_tell_one_total(tmp_path: Path):
    async with traded(tmp_path, over=False) as desk:
        await carry_out(desk, sell("TCS", SHARES, 3, 1))
        before = await total_net(desk, 1)
        await day_over(desk)
        await closed(desk)
        (day,) = [one for one in (await desk.close.report(DAY)).clients if one.client_id == 1]
        assert await total_net(desk, 1) == day.total_pnl_paise != before, "the note nets what was sold again"
        await next_day(desk)
        assert await total_net(desk, 1) == day.total_pnl_paise


async def test_figures_are_told_at_any_time_and_nothing_is_written(tmp_path: Path):
    async with traded(tmp_path, over=False) as desk:
        report = await desk.close.preview()
        assert report.provisional
        assert report.day == DAY
        one, four = report.clients[0], next(c for c in report.clients if c.client_id == 4)
        assert {c.client_id: c for c in report.clients}[1].active_trades == 1
        # One of the three that client 4 bought is left: the two sold again are taxed as intraday.
        assert (four.charges.stt_paise, four.charges.stamp_paise, four.orders) == (4_00, 1_00, 2)
        for one in report.clients:
            assert one.opening_paise + one.flows_paise + one.todays_pnl_paise == one.portfolio_value_paise
            assert one.todays_pnl_paise == one.gross_pnl_paise - one.charges_paise - one.interest_paise
        assert report.risk.total_value_paise == sum(one.portfolio_value_paise for one in report.clients)
        with pytest.raises(DayNotOver):
            await desk.close.close(DAY, 50)


async def test_a_day_is_closed_after_its_last_session_with_the_figures_of_its_end(tmp_path: Path):
    async with traded(tmp_path, over=False) as desk:
        before = {one.client_id: one for one in (await desk.close.preview()).clients}
        await day_over(desk)
        await closed(desk)
        report = await desk.close.report(DAY)
        assert report.seal
        assert report.audit_head
        assert (report.provisional, report.rev) == (False, 1)
        assert len(report.clients) == 50
        for one in report.clients:
            was = before[one.client_id]
            assert (one.portfolio_value_paise, one.todays_pnl_paise) == (
                was.portfolio_value_paise,
                was.todays_pnl_paise,
            )
        async with seam(desk).store.reader() as reader:
            stored, seals = await read_client_days(reader, DAY), await read_seals(reader, DAY)
        assert [digest_of(one) == one.digest for one in stored] == [True] * 50
        assert [(seal.rev, seal.seal) for seal in seals] == [(1, report.seal)]
        prospect = await desk.close.prospect(DAY)
        assert prospect.closed
        assert set(prospect.done) == set(CloseStepKind)
        await books_are_sound(desk)


async def test_the_next_opening_is_what_the_close_said(tmp_path: Path):
    async with traded(tmp_path) as desk:
        await closed(desk)
        closing = {one.client_id: one.portfolio_value_paise for one in (await desk.close.report(DAY)).clients}
        opening = {one.client_id: one.opening_paise for one in (await desk.close.preview()).clients}
        assert opening == closing


async def test_a_client_with_a_difference_stays_open_by_name_and_is_closed_in_a_revision(tmp_path: Path):
    async with traded(tmp_path) as desk:
        from brokers.simulators.exchange.accounts import pay

        exchange, code = exchange_of(desk), desk.clients.get(4).code
        await in_time(desk, desk.reconcile.check(4))  # its opening's figures are adopted
        with exchange.transaction():
            pay(exchange.books, code, 5_000_00)
        prospect = await in_time(desk, desk.close.look(DAY))
        assert [(one.code, one.why) for one in prospect.open] == [(code, WhyOpen.DIFFERS)]
        with pytest.raises(CloseChanged):
            await in_time(desk, desk.close.close(DAY, 50))
        report = await in_time(desk, desk.close.close(DAY, prospect.closing))
        assert prospect.closing == 49 == len(report.clients)
        await in_time(desk, desk.reconcile.adopt(4, "paid in"))
        again = await in_time(desk, desk.close.look(DAY))
        assert (again.rev, again.closing, again.open) == (2, 1, ())
        report = await in_time(desk, desk.close.close(DAY, 1))
        assert (report.rev, len(report.clients)) == (2, 50)
        async with seam(desk).store.reader() as reader:
            first, second = await read_seals(reader, DAY)
        assert second.before == first.seal
        assert first.left_open == {"4": "differs"}


async def test_a_later_price_makes_a_revision_of_whoever_held_the_share(tmp_path: Path):
    async with traded(tmp_path) as desk:
        await closed(desk)

        def corrected(unit: object) -> None:
            now = desk.clock.now()
            keep_closes(unit, [StoredClose(DAY, "NSE:INFY", 2, 151_000, CloseSource.FILE, now)])  # type: ignore[arg-type]

        await seam(desk).store.write(corrected)
        prospect = await desk.close.prospect(DAY)
        assert (prospect.closed, prospect.rev, prospect.closing) == (False, 2, 1)
        was = {one.client_id: one for one in (await desk.close.report(DAY)).clients}
        report = await in_time(desk, desk.close.close(DAY, 1))
        now = {one.client_id: one for one in report.clients}
        assert now[7].portfolio_value_paise - was[7].portfolio_value_paise == 2 * 10_00
        assert now[1] == was[1]


async def test_a_close_goes_on_as_another_engine_has_decided_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with traded(tmp_path) as desk:
        prospect = await in_time(desk, desk.close.look(DAY))
        decide = ClosingSteps.decide

        async def others_first(steps: ClosingSteps, rev: Rev) -> None:
            detail = {"closing": [1], "open": []}
            step = DoneStep(DAY, 1, CloseStepKind.RECONCILED, desk.clock.now(), "another", detail)
            await seam(desk).store.write(lambda unit: keep_step(unit, step))
            await decide(steps, rev)

        monkeypatch.setattr(ClosingSteps, "decide", others_first)
        report = await in_time(desk, desk.close.close(DAY, prospect.closing))
        assert [one.client_id for one in report.clients] == [1]


@pytest.mark.proof
def test_a_close_that_is_killed_anywhere_goes_on_where_it_was():
    told: list[str] = []
    assert kill_closes(3, 5, told.append) == 0, told


@pytest.mark.parametrize("late", further([False, True]))
async def test_what_a_note_differs_in_is_taken_once_by_both_books(tmp_path: Path, late: bool):
    """Client 4's round trip costs less as intraday; the books agree the next day and the one after."""
    async with traded(tmp_path) as desk:
        if late:  # the broker's figures were adopted before the day was closed
            await in_time(desk, desk.reconcile.check(4))
        await closed(desk)
        for _ in range(2):
            assert await in_time(desk, desk.reconcile.check(4))
            assert desk.reconcile.breaks() == []
            assert abs(desk.funds.of(4).available_paise - broker_cash(desk, 4)) <= desk_due(desk, 4)
            await day_over(desk)
        assert desk.funds.of(4).charges_due_paise == 0
        await books_are_sound(desk)


def broker_cash(desk: Desk, client_id: int) -> int:
    exchange = exchange_of(desk)
    return exchange.books.account(desk.clients.get(client_id).code).available_paise


def desk_due(desk: Desk, client_id: int) -> int:
    return 100 + abs(desk.funds.of(client_id).charges_due_paise)


async def test_a_provisional_net_says_by_what_charges_it_is_another_than_the_desks(tmp_path: Path):
    async with traded(tmp_path, over=False) as desk:
        report = await desk.close.preview()
        booked = sum(desk.valuation.client(one).charges_today_paise for one in (1, 4, 7))
        assert booked == sum(one.charges_booked_paise for one in report.clients)
        words = netted_words(report)
        assert words.endswith(f"{rupees(booked)} booked so far")
        await day_over(desk)
        await closed(desk)
        assert netted_words(await desk.close.report(DAY)) == ""
