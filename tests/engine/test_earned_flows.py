"""What came to an account by no trade and was no capital: a day, its statement and returns count it once."""

from datetime import date
from pathlib import Path

from brokers.simulators.exchange.accounts import pay
from data.repositories.accounts.lent import capital_brought
from data.repositories.close.stored import read_client_days
from data.vocabulary import FlowKind, TransferKind
from engine.close.sealing import digest_of
from engine.close.views import ClientDay
from engine.desk import Desk
from tests.desks import books_are_sound, in_time
from tests.engine.test_close import DAY, closed, day_over, total_net, traded
from tests.engine.test_history import came
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

CHARGE, OF = -45_00, 4


def take(desk: Desk) -> None:
    """Have the broker take it."""
    exchange = exchange_of(desk)
    with exchange.transaction():
        pay(exchange.books, desk.clients.get(OF).code, CHARGE)


async def broker_took(desk: Desk) -> int:
    """The broker takes it, and the books adopt the difference; returns the flow's number."""
    take(desk)
    await came(desk, OF, CHARGE)
    (flow,) = await desk.history.flows([OF])
    assert flow.amount_paise == CHARGE
    return flow.number


async def day_of_client(desk: Desk, closed_on: date | None = None) -> ClientDay:
    report = await (desk.close.preview() if closed_on is None else desk.close.report(closed_on))
    (day,) = [one for one in report.clients if one.client_id == OF]
    return day


async def test_a_flow_that_was_a_charge_is_a_charge_of_the_day_and_no_flow(tmp_path: Path) -> None:
    async with traded(tmp_path, over=False) as desk:
        clean, page = await day_of_client(desk), await total_net(desk, OF)
        number = await broker_took(desk)
        before = await day_of_client(desk)
        assert (before.flows_paise, before.todays_pnl_paise) == (CHARGE, clean.todays_pnl_paise)
        await desk.history.classify(number, FlowKind.CHARGE)
        after = await day_of_client(desk)
        assert (after.flows_paise, after.earned_paise) == (0, CHARGE)
        assert after.other_charges_paise == clean.other_charges_paise - CHARGE
        assert after.charges_paise == clean.charges_paise - CHARGE
        assert after.todays_pnl_paise == clean.todays_pnl_paise + CHARGE
        assert after.total_pnl_paise == clean.total_pnl_paise + CHARGE
        assert await total_net(desk, OF) == page + CHARGE, "the client's page tells the same"
        assert after.opening_paise == clean.opening_paise
        await desk.history.classify(number, FlowKind.PAY_OUT)
        again = await day_of_client(desk)
        assert (again.flows_paise, again.earned_paise) == (CHARGE, 0), "the newest word counts"


async def test_each_kind_stands_where_a_statement_has_it(tmp_path: Path) -> None:
    async with traded(tmp_path, over=False) as desk:
        clean = await day_of_client(desk)
        kinds = (FlowKind.DIVIDEND, FlowKind.INTEREST, FlowKind.OTHER, FlowKind.PAY_IN)
        for place, kind in enumerate(kinds):
            await came(desk, OF, 10 ** (place + 2))
            (flow,) = [one for one in await desk.history.flows([OF]) if one.kind is None]
            await desk.history.classify(flow.number, kind)
        day = await day_of_client(desk)
        assert day.dividends_paise == clean.dividends_paise + 100
        assert day.interest_paise == clean.interest_paise - 1_000
        assert day.other_charges_paise == clean.other_charges_paise - 10_000
        assert (day.flows_paise, day.earned_paise) == (100_000, 11_100)
        net = day.gross_pnl_paise + day.dividends_paise - day.charges_paise - day.interest_paise
        assert day.todays_pnl_paise == net
        assert day.opening_paise + day.flows_paise + net == day.portfolio_value_paise


async def test_returns_count_it_once_whether_it_was_classed_before_the_close_or_after(tmp_path: Path) -> None:
    async with traded(tmp_path, over=False) as desk:
        number = await broker_took(desk)
        await desk.history.classify(number, FlowKind.CHARGE)
        running = (await desk.history.of([OF], "x")).days[-1]
        await day_over(desk)
        await closed(desk)
        day = await day_of_client(desk, DAY)
        view = await desk.history.of([OF], "x")
        assert (running.flow_paise, view.days[-2].flow_paise) == (0, 0)
        assert (view.days[-2].net_pnl_paise, day.earned_paise) == (day.todays_pnl_paise, CHARGE)
        assert await desk.history.drawdown_paise([OF]) == view.drawdown_paise
        await books_are_sound(desk)


async def test_a_class_of_a_closed_day_makes_its_next_revision(tmp_path: Path) -> None:
    async with traded(tmp_path, over=False) as desk:
        number = await broker_took(desk)
        await day_over(desk)
        await closed(desk)
        first = await day_of_client(desk, DAY)
        assert first.flows_paise == CHARGE
        await desk.history.classify(number, FlowKind.CHARGE)
        waiting = await desk.history.of([OF], "x")
        assert waiting.days[-2].net_pnl_paise == first.todays_pnl_paise + CHARGE
        prospect = await desk.close.prospect(DAY)
        assert (prospect.rev, prospect.closing, prospect.closed) == (2, 1, False)
        await in_time(desk, desk.close.close(DAY, 1))
        second, view = await day_of_client(desk, DAY), await desk.history.of([OF], "x")
        assert (second.flows_paise, second.todays_pnl_paise) == (0, first.todays_pnl_paise + CHARGE)
        assert view.days == waiting.days
        assert await desk.history.drawdown_paise([OF]) == view.drawdown_paise == waiting.drawdown_paise
        async with seam(desk).store.reader() as reader:
            assert all(digest_of(one) == one.digest for one in await read_client_days(reader, DAY))
        await books_are_sound(desk)


async def test_what_ends_a_notes_difference_against_adopted_cash_is_a_charge_by_itself(
    tmp_path: Path,
) -> None:
    async with traded(tmp_path, over=False) as desk:
        await in_time(desk, desk.reconcile.check(OF))
        take(desk)
        await day_over(desk)
        await in_time(desk, desk.reconcile.check(OF))
        await closed(desk)
        (adopted,) = await desk.history.flows([OF])
        await desk.history.classify(adopted.number, FlowKind.CHARGE)
        before = await total_net(desk, OF)
        charged = (await day_of_client(desk, DAY)).charges
        told = charged.total_paise - charged.dp_paise - CHARGE
        assert await desk.contract_notes.note(OF, DAY, {"total": told}, "note 77") != []
        _, ended = await desk.history.flows([OF])
        assert (ended.transfer, ended.amount_paise, ended.kind) == (
            TransferKind.NOTE,
            -CHARGE,
            FlowKind.CHARGE,
        )
        assert await total_net(desk, OF) == before, "the broker took it once"


async def test_what_a_client_brought_has_no_charge_in_it(tmp_path: Path) -> None:
    async with traded(tmp_path, over=False) as desk:

        async def brought() -> int:
            async with seam(desk).store.reader() as reader:
                return (await capital_brought(reader, [OF]))[OF]

        clean = await brought()
        await came(desk, OF, CHARGE, TransferKind.ADOPT)
        assert await brought() == clean + CHARGE
        (flow,) = await desk.history.flows([OF])
        await desk.history.classify(flow.number, FlowKind.CHARGE)
        assert await brought() == clean
