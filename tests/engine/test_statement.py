"""The statement against the ledger: its balance is the sum of the postings, at every row and on every day."""

import sqlite3

import pytest

from data.home import books_file
from data.records import replace
from data.repositories.accounts.statement import CASH, LOANS
from data.vocabulary import Product, SizingKind
from tests.desks import books_are_sound, buy, carry_out, paper_desk, sell
from tests.engine.test_days import next_day

QTY = SizingKind.FIXED_QUANTITY
ROHAN, AMIT = 8, 22


def posted(desk, client_id, accounts, until):
    """The sum of a client's postings to these accounts up to a transfer, as the ledger has them."""
    marks = ", ".join("?" * len(accounts))
    query = (
        "SELECT COALESCE(SUM(amount_paise), 0) FROM posting "
        f"WHERE client_id = ? AND txn_id <= ? AND account IN ({marks})"
    )
    with sqlite3.connect(books_file(desk.home)) as books:
        return books.execute(query, (client_id, until, *(one.value for one in accounts))).fetchone()[0]


async def agrees(desk, client_id):
    """Fail unless each row's balance is the ledger's, and the last one is what the client has now."""
    lines, funds = await desk.statements.lines(client_id), desk.funds.of(client_id)
    assert lines
    for line in lines:
        assert line.balance_paise == posted(desk, client_id, CASH, line.move.id)
        assert line.loan_paise == -posted(desk, client_id, LOANS, line.move.id)
    loans = funds.mtf_loan_paise + funds.intraday_loan_paise
    assert lines[-1].balance_paise == funds.net_cash_paise + loans
    assert lines[-1].loan_paise == loans
    return len(lines)


@pytest.mark.in_file
async def test_every_row_of_a_statement_is_the_ledgers_through_trades_and_days(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("RELIANCE", QTY, 20, ROHAN))
        await carry_out(desk, sell("RELIANCE", QTY, 5, ROHAN))
        await carry_out(desk, buy("HDFCBANK", QTY, 10, ROHAN, product=Product.MIS))
        await carry_out(desk, replace(sell("HDFCBANK", QTY, 10, ROHAN), product=Product.MIS))
        await carry_out(desk, buy("INFY", QTY, 20, AMIT, product=Product.MTF))
        rows = [await agrees(desk, one) for one in (ROHAN, AMIT)]
        for _ in range(3):
            await next_day(desk)
            await carry_out(desk, replace(sell("INFY", QTY, 5, AMIT), again=True))
            now = [await agrees(desk, one) for one in (ROHAN, AMIT)]
            assert now[1] > rows[1]
            rows = now
        await books_are_sound(desk)
