"""Interest on what is lent on shares: charged at each opening, in net P&L, and as the broker does."""

from datetime import date
from itertools import pairwise

from data.reference.mtf import interest_between
from data.vocabulary import Product, SizingKind, TransferKind
from engine.accounts.statement import standing
from engine.desk import Desk
from tests.desks import books_are_sound, buy, carry_out, paper_desk
from tests.engine.test_days import next_day

AMIT = 22


async def realised(desk: Desk) -> int:
    """What Amit's sales and loans have brought, charges taken off."""
    brought = await desk.statements.contributed(AMIT)
    value, funds = desk.valuation.client(AMIT), desk.funds.of(AMIT)
    return standing(desk.clients.get(AMIT), funds, value, brought).realised_net_paise


async def test_a_loan_costs_its_nights_in_the_next_days_net_pnl(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("INFY", SizingKind.FIXED_QUANTITY, 300, AMIT, product=Product.MTF))
        loan = desk.funds.of(AMIT).mtf_loan_paise
        assert desk.valuation.client(AMIT).interest_today_paise == 0
        before = await realised(desk)
        opened = desk.market_clock.trading_day
        await next_day(desk)
        day = desk.market_clock.trading_day
        broker = desk.clients.get(AMIT).broker
        cost = interest_between(broker, opened, day, loan)
        value = desk.valuation.client(AMIT)
        assert cost > 0
        assert value.interest_today_paise == cost
        assert value.net_day_pnl_paise == value.day_pnl_paise - value.charges_today_paise - cost
        assert desk.valuation.desk_total().interest_today_paise == cost
        assert desk.funds.of(AMIT).charges_due_paise == cost
        moves = [one.move for one in await desk.statements.lines(AMIT)]
        noted = sum(one.cash_paise for one in moves if one.kind is TransferKind.RERATE)
        assert await realised(desk) == before - cost + noted
        (line,) = [one for one in await desk.statements.lines(AMIT) if one.move.kind is TransferKind.INTEREST]
        assert (line.move.cash_paise, line.move.trading_date) == (-cost, day)
        await books_are_sound(desk)


async def test_the_paper_broker_charges_the_same_over_a_weekend(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("INFY", SizingKind.FIXED_QUANTITY, 300, AMIT, product=Product.MTF))
        days: list[date] = [desk.market_clock.trading_day]
        while len(days) < 5:
            await next_day(desk)
            days.append(desk.market_clock.trading_day)
            broker, account = desk.connections.broker_of(AMIT)
            theirs, ours = await broker.funds(account), desk.funds.of(AMIT)
            assert (theirs.available_paise, theirs.mtf_loan_paise) == (
                ours.available_paise,
                ours.mtf_loan_paise,
            )
            nights = (days[-1] - days[-2]).days
            loan, house = ours.mtf_loan_paise, desk.clients.get(AMIT).broker
            assert ours.charges_due_paise == nights * interest_between(house, days[0], days[1], loan)
        assert max((b - a).days for a, b in pairwise(days)) > 1
        assert desk.reconcile.breaks(AMIT) == []
        await books_are_sound(desk)
