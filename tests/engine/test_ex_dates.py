"""A desk across an ex-date: day P&L by the adjusted previous close, dividends, shares that are due."""

from datetime import date
from pathlib import Path

import pytest

from data.errors import BadInput
from data.reference.tax import year_of
from data.vocabulary import ActionState, GainTerm, SizingKind
from engine.desk import Desk
from engine.words.day.actions import client_action_words, view_words
from tests.desks import books_are_sound, carry_out, in_time, paper_desk, sell
from tests.engine.test_days import next_day
from tradedesk.compose.brokers.paper import exchange_of

DAY, EX = date(2026, 11, 18), date(2026, 11, 19)
HOLDER = "SK1013"
"""Came with 20 TCS."""


async def told(desk: Desk, folder: Path, *rows: str) -> None:
    file = folder / "actions.csv"
    file.write_text("\n".join(["symbol,purpose,ex_date,allotment_date,paid_to,becomes", *rows]) + "\n")
    await desk.actions.take(file)


async def close(desk: Desk, day: date) -> None:
    await in_time(desk, desk.close.close(day, (await in_time(desk, desk.close.look(day))).closing))


@pytest.mark.proof
async def test_the_day_of_a_bonus_and_a_dividend_brings_what_prices_and_dividends_did(tmp_path: Path) -> None:
    async with paper_desk(tmp_path, shares=True) as desk:
        exchange, client = exchange_of(desk), desk.clients.find(HOLDER)
        exchange.pin("TCS", 2_500_00)
        await told(desk, tmp_path, f"TCS,Bonus 1:1,{EX},,,", f"TCS,Dividend - Rs 12.50 Per Share,{EX},,,")
        exchange.jump(desk.workings.timing.calendar.session_close(DAY))
        await desk.workings.days.keep()
        await close(desk, DAY)
        (was,) = [one for one in (await desk.close.report(DAY)).clients if one.client_id == client.id]
        (held,) = [one for one in desk.holdings.of(client.id) if one.tradingsymbol == "TCS"]
        assert (held.free, held.due, held.quantity, held.sellable) == (20, 20, 40, 20)
        exchange.pin("TCS", 1_260_00, 1_250_00)  # half of the close before, and a rupee up in the hundred
        await desk.market.fetch(["NSE:TCS"])
        preview = {one.client_id: one for one in (await desk.close.preview()).clients}
        others = sum(
            (position.close_paise or 0) * position.quantity - was_worth(was, position.key)
            for position in preview[client.id].positions
            if position.key != "NSE:TCS"
        )
        now = preview[client.id]
        assert now.gross_pnl_paise == 40 * 10_00 + others
        assert now.dividends_paise == 20 * 12_50
        assert now.todays_pnl_paise == now.gross_pnl_paise + now.dividends_paise - now.charges_paise
        assert now.opening_paise == was.portfolio_value_paise
        assert now.flows_paise == -now.dividends_paise
        assert now.opening_paise + now.flows_paise + now.todays_pnl_paise == now.portfolio_value_paise
        assert desk.valuation.client(client.id).dividends_today_paise == 20 * 12_50
        history = await desk.history.of([client.id], HOLDER)
        assert history.unclassed == ()
        await books_are_sound(desk)


def was_worth(day: object, key: str) -> int:
    return sum(one.value_paise for one in day.positions if one.key == key)  # type: ignore[attr-defined]


async def test_the_tax_follows_a_split_a_bonus_and_a_sale(tmp_path: Path) -> None:
    async with paper_desk(tmp_path, shares=True) as desk:
        client = desk.clients.find(HOLDER).id
        before = (await desk.tax.lots(client, DAY))["INE467B01029"]
        await told(
            desk, tmp_path, f"TCS,Split from Rs 10/- to Rs 5/-,{EX},,,", f"TCS,Bonus 1:4,{EX},2026-11-20,,"
        )
        await next_day(desk)
        lots = (await desk.tax.lots(client, EX))["INE467B01029"]
        assert sum(lot.quantity for lot in lots) == 45
        assert sum(lot.cost_paise for lot in lots) == sum(lot.cost_paise for lot in before)
        assert [lot.bought_on for lot in lots[:-1]] == [lot.bought_on for lot in before]
        assert (lots[-1].bought_on, lots[-1].quantity, lots[-1].cost_paise) == (date(2026, 11, 20), 5, 0)
        await carry_out(desk, sell("TCS", SizingKind.FIXED_QUANTITY, 2, client))
        (year,) = await desk.tax.year([client], year_of(EX))
        (sale,) = [one.sale for one in year.sales if one.sale.sold_on == EX]
        assert (sale.quantity, sale.cost_paise) == (2, before[0].cost_paise * 2 // (2 * before[0].quantity))
        assert sale.term is not GainTerm.UNKNOWN
        await books_are_sound(desk)


async def test_what_became_of_an_action_is_told_client_by_client_and_undone_by_name(tmp_path: Path) -> None:
    async with paper_desk(tmp_path, shares=True) as desk:
        client = desk.clients.find(HOLDER).id
        await told(desk, tmp_path, f"TCS,Bonus 1:3,{EX},,,", f"TCS,Rights 1:4,{EX},,,")
        bonus, rights = await desk.company_actions.all([client])
        assert (bonus.counts, rights.state) == ({ActionState.COMING: 1}, ActionState.UNSAID)
        with pytest.raises(BadInput, match="booked as that day begins"):
            await desk.company_actions.book_again(client, "NSE:TCS", EX)
        await next_day(desk)
        (bonus, _) = await desk.company_actions.all([client])
        assert view_words(bonus) == "TCS Bonus 1:3, ex-date 19 Nov: booked for 1 client"
        (own,) = bonus.clients
        assert client_action_words(own) == (
            "booked: of 20 shares, 6 made, 2/3 of a share is paid in cash: not booked, a person has to"
        )
        await desk.company_actions.undo(client, "NSE:TCS", EX, "put off")
        (bonus, _) = await desk.company_actions.all([client])
        assert bonus.counts == {ActionState.UNDONE: 1}
        assert await desk.company_actions.book() == 0
        again = await desk.company_actions.book_again(client, "NSE:TCS", EX)
        assert [(one.purpose, one.shares, one.turn) for one in again] == [("Bonus 1:3", 6, 3)]
        rows = await desk.audit.rows(action="ACTION_UNDONE")
        assert [row.details["reason"] for row in rows] == ["put off"]
        await books_are_sound(desk)


@pytest.mark.parametrize(
    ("purpose", "shares", "price"), [("Split 1:5", 100, 500_00), ("Bonus 1:2", 30, 1_666_60)]
)
async def test_at_paper_the_shares_come_and_the_price_falls_with_the_ex_date(
    tmp_path: Path, purpose: str, shares: int, price: int
) -> None:
    async with paper_desk(tmp_path, shares=True) as desk:
        exchange, client = exchange_of(desk), desk.clients.find(HOLDER).id
        exchange.pin("TCS", 2_500_00)
        await desk.market.fetch(["NSE:TCS"])
        desk.valuation.refresh([client])
        await told(desk, tmp_path, f"TCS,{purpose},{EX},,,", f"TCS,Dividend Rs 3 Per Share,{EX},,broker,")
        assert await desk.company_actions.book() == 0
        assert await desk.company_actions.book() == 0
        await next_day(desk)
        await in_time(desk, desk.reconcile.check(client))
        assert desk.reconcile.breaks(client) == []
        (held,) = [one for one in desk.holdings.of(client) if one.tradingsymbol == "TCS"]
        assert (held.free, held.due) == (shares, 0)
        assert desk.funds.of(client).dividends_due_paise == 0
        assert await desk.history.flows([client]) == []
        quote = desk.market.quote("NSE:TCS")
        assert quote is not None
        assert (quote.last_paise, quote.prev_close_paise) == (price, price)
        assert desk.valuation.holding(held).day_pnl_paise == 0
        await books_are_sound(desk)
