"""A day opens for a thousand clients at once: settled, collected, compared, adopted in a few statements."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from brokers.contract import BrokerFunds, BrokerHolding, BrokerRows
from data.clock import IST, ManualClock, WallMarketClock
from data.ledger import Line, Transfer, post
from data.records import replace
from data.reference.instruments import Instrument
from data.store import Unit
from data.vocabulary import Account, Product, TransferKind
from engine.days import roll_day
from engine.desk import Desk
from engine.reconciliation.differences import Theirs, compare
from tests.bench.homes import lay
from tests.desks import books_are_sound, paper_desk, there
from tests.statements import counted
from tradedesk.testing import seam

CLIENTS = 1_000
CASH, SHORT, DUE = 1_00_000_00, 1_250_00, 75_00


def told(stock: Instrument, at: datetime, cash: int, **shares: int) -> Theirs:
    """What a broker says of a client: its money, and shares of one stock for delivery and on margin."""
    loan = shares.pop("loan", 0)
    held = {"free": 0, "t1": 0, "today": 0, "blocked": 0, "pledged": 0, "cost_paise": 0}
    named = (stock.exchange, stock.tradingsymbol, stock.isin)
    rows = [BrokerHolding(*named, Product.CNC, **held | shares)] if shares else []
    if loan:
        rows.append(BrokerHolding(*named, Product.MTF, **held | {"free": 4, "cost_paise": 4 * 2_450_50}))
    return Theirs(BrokerFunds(cash, 0, 0, loan, at), BrokerRows(tuple(rows)), at, bracketed=True)


def compared(desk: Desk, day: date, brokers: dict[int, Theirs]) -> Callable[[Unit], int]:
    """A unit that compares these clients on a day; returns how many statements it takes."""
    inside = seam(desk)
    noon = ManualClock(datetime(day.year, day.month, day.day, 12, tzinfo=IST))
    timing = replace(inside.timing, market=WallMarketClock(noon))

    def unit_of_work(unit: Unit) -> int:
        with counted() as statements:
            done = compare(unit, brokers, inside.book, timing, inside.engine, inside.market_data.index)
        assert {one.adopted for one in done.values()} == {True}
        return len(statements)

    return unit_of_work


@pytest.mark.both
async def test_a_day_of_a_thousand_clients_opens_in_a_few_statements_whoever_differs(tmp_path: Path) -> None:
    async with paper_desk(tmp_path, demo=False) as desk:
        await lay(desk, CLIENTS)
        inside = seam(desk)
        ids = [client.id for client in desk.clients.all()]
        stock = there(desk.market.index.get("NSE:RELIANCE"))
        day, now = desk.market_clock.trading_day, desk.clock.now()
        morrow = there(desk.next_trading_day)
        shares = {"today": 6, "t1": 3, "free": 1, "cost_paise": 24_505_00}
        brokers = {one: told(stock, now, CASH, **shares, loan=5_000_00) for one in ids}

        first = await inside.store.write(compared(desk, day, brokers))

        def of_yesterday(unit: Unit) -> None:
            """Proceeds that have not settled, a shortfall and charges that are due, of everybody."""
            lines = [
                Line(Account.UNSETTLED, 5_000_00),
                Line(Account.SHORTFALL, -SHORT),
                Line(Account.CHARGES_DUE, -DUE),
                Line(Account.EXTERNAL, SHORT + DUE - 5_000_00),
            ]
            post(unit, [Transfer(one, TransferKind.ADOPT, day, lines, evidence="test") for one in ids])

        await inside.store.write(of_yesterday)

        def roll(unit: Unit) -> int:
            with counted() as statements:
                assert roll_day(unit, morrow, inside.timing.calendar, desk.actor)
            return len(statements)

        opened = await inside.store.write(roll)
        settled = CASH + 5_000_00 - SHORT - DUE
        assert {desk.funds.of(one).available_paise for one in ids} == {settled}

        more = told(stock, now, settled + 200_00, t1=9, free=4, cost_paise=34_000_00, loan=4_000_00)
        fewer = told(stock, now, settled - 300_00, t1=5, cost_paise=12_000_00)
        brokers = {one: more if one % 2 else fewer for one in ids}
        again = await inside.store.write(compared(desk, morrow, brokers))

        assert desk.reconcile.breaks() == []
        odd, even = ids[0] | 1, ids[0] + ids[0] % 2
        assert [desk.funds.of(one).available_paise - settled for one in (odd, even)] == [200_00, -300_00]
        assert [desk.funds.of(one).mtf_loan_paise for one in (odd, even)] == [4_000_00, 0]
        held = [
            sum(h.quantity for h in desk.holdings.of(one) if h.product is Product.CNC) for one in (odd, even)
        ]
        assert held == [13, 5]
        await books_are_sound(desk)
        assert opened <= 20
        assert max(first, again) <= 22
