"""A broker's figures taken over: to the paisa and the share, whatever our books had to give."""

from datetime import date

import pytest

from data.ledger import Line, Transfer, post
from data.repositories.accounts.comparisons import figures_of
from data.vocabulary import Account, BreakKind, Bucket, TransferKind
from engine.reconciliation.adoption import Adoption, Difference, adopt_figures
from tests.bookkeeping import CLIENT, DAY, STOCKS, Ledger, ledger

TCS = STOCKS["TCS"]


def adopt(books: Ledger, *found: Difference) -> None:
    adoption = Adoption(DAY, "told by the broker", "tester")
    unit = books.unit()
    ours = figures_of(unit, [CLIENT])
    adopt_figures(unit, adoption, {CLIENT: found}, ours, books.timing.calendar, books.market_data.index)
    assert books.faults() == []


def shares(ours: int, theirs: int, **more: int) -> Difference:
    named = (TCS.security, "CNC", TCS.exchange, TCS.tradingsymbol)
    return Difference(BreakKind.SHARES, ours, theirs, *named, **more)


@pytest.mark.parametrize(
    ("more", "available", "shortfall"),
    [(300_00, 1_000_00, 200_00), (500_00, 1_000_00, 0), (800_00, 1_300_00, 0), (-1_200_00, 0, 700_00)],
)
def test_cash_that_the_broker_has_pays_what_is_short_first(more: int, available: int, shortfall: int) -> None:
    with ledger(1_000_00) as books:
        short = [Line(Account.SHORTFALL, -500_00), Line(Account.EXTERNAL, 500_00)]
        post(books.unit(), [Transfer(CLIENT, TransferKind.ADOPT, DAY, short, evidence="test")])
        adopt(books, Difference(BreakKind.CASH, 1_000_00, 1_000_00 + more))
        money = books.money()
        assert (money["available"], money["shortfall"]) == (available, shortfall)


def test_shares_that_the_broker_has_stand_where_it_says_and_are_as_old() -> None:
    with ledger() as books:
        adopt(books, shares(0, 10, cost_paise=1_000_03, today=3, t1=2))
        lots = sorted(books.lots(), key=lambda lot: lot["quantity"])
        assert [(lot["quantity"], lot["bucket"]) for lot in lots] == [
            (2, Bucket.T1.value),
            (3, Bucket.TODAY.value),
            (5, Bucket.FREE.value),
        ]
        assert sum(lot["cost_paise"] for lot in lots) == 1_000_03
        assert [lot["opened_on"] for lot in lots[:2]] == [date(2026, 11, 17), DAY]
        adopt(books, shares(10, 4))
        assert sum(lot["quantity_left"] for lot in books.lots()) == 4
