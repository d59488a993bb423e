"""The doctor and the opening of a desk find what cannot be read, and do not end by it."""

import pytest
from sqlmodel import SQLModel

from data.proving.readable import unreadable
from data.vocabulary import SizingKind
from engine.refusals import TradingStopped
from engine.review.doctor import examine
from tests.books import read_books
from tests.desks import buy, carry_out, paper_desk
from tests.further import further, further_rows
from tests.refusing import refuses
from tests.tampering import copy_of, tamper
from tests.tradedesk.cli_desk import Terminal
from tests.whole_home import whole_home

EMPTY = ("broker_session", "gate_waiver")
NOTHING_LEFT = ("client_group", "counter")
"""Without their keys, and without what an opening counts up."""

TOLD = 10
"""Columns of one row that are spoilt at once: a look names some findings of a table, and counts the rest."""

TABLES = [table for table in SQLModel.metadata.sorted_tables if table.name not in EMPTY]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_home(tmp_path_factory.mktemp("whole"))


def spoil(column):
    return [f"UPDATE {column.table} SET {column.name} = CAST(x'c328' AS TEXT) WHERE rowid = 1"]


async def bad_checks(desk):
    return {check.name: check.detail for check in await desk.doctor.run() if not check.ok}


@pytest.mark.in_file
@pytest.mark.parametrize(
    ("statement", "words"),
    further_rows(
        [
            ("UPDATE plan SET body = substr(body, 1, 40) WHERE number = 2", "plan 2: body is '{"),
            ("UPDATE plan SET body = x'ff00' WHERE number = 2", "plan 2: body is '\\xff"),
            ("UPDATE posting SET account = 'cash' WHERE txn_id = 3 AND line = 1", "account is 'cash'"),
            (
                "UPDATE posting SET amount_paise = 'much' WHERE txn_id = 3 AND line = 1",
                "amount_paise is 'much'",
            ),
            ("UPDATE orders SET state = 'ALMOST' WHERE id = 2", "orders 2: state is 'ALMOST'"),
            ("UPDATE orders SET side = x'ff' WHERE id = 2", "orders 2: side is '\\xff'"),
            ("UPDATE orders SET created_at = '2026-02-31 03:45:00.000000' WHERE id = 2", "2: created_at is"),
            ("UPDATE funds SET available_paise = 'much' WHERE client_id = 8", "funds 8: available_paise is"),
            ("UPDATE client SET status = 'gone' WHERE id = 8", "client 8: status is 'gone'"),
            ("UPDATE lot SET opened_on = 'once' WHERE id = 1", "lot 1: opened_on is 'once'"),
            ("UPDATE halt_certificate SET body = '{' WHERE version = 1", "halt_certificate 1.1: body is '{'"),
            ("UPDATE audit SET action = 'ODD' WHERE seq = 3", "audit 3: action is 'ODD'"),
            ("UPDATE txn SET kind = 'odd' WHERE id = 3", "txn 3: kind is 'odd'"),
            ("UPDATE run SET status = 'odd' WHERE number = 1", "run 1: status is 'odd'"),
            ("UPDATE trading_day SET state = 'odd'", "trading_day 2026-11-18: state is 'odd'"),
            ("UPDATE instrument SET tick_paise = 'x' WHERE tradingsymbol = 'INFY'", "tick_paise is 'x'"),
        ],
        6,
    ),
)
async def test_what_cannot_be_read_is_named_and_stops_trading(whole, tmp_path, statement, words):
    tamper(copy_of(whole, tmp_path), statement)
    async with paper_desk(tmp_path, demo=False) as desk:
        assert words in (await bad_checks(desk))["values"]
        assert words in desk.trading_disabled


@pytest.mark.in_file
async def test_a_row_put_far_behind_the_others_hides_none_of_them_from_the_opening(whole, tmp_path):
    far = "UPDATE posting SET rowid = 9000000000000000000 WHERE rowid = (SELECT max(rowid) FROM posting)"
    cash = "UPDATE posting SET account = 'cash' WHERE txn_id = 3 AND line = 1"
    tamper(copy_of(whole, tmp_path), far, cash)
    async with paper_desk(tmp_path, demo=False) as desk:
        with refuses(TradingStopped, "account is 'cash'"):
            await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, 8))


@pytest.mark.proof
@pytest.mark.parametrize("table", TABLES, ids=str)
def test_an_unreadable_value_of_any_column_is_named_and_ends_no_look(whole, tmp_path, table):
    columns = list(table.columns)
    for some in (columns[first : first + TOLD] for first in range(0, len(columns), TOLD)):
        database = copy_of(whole, tmp_path)
        tamper(database, *(words for column in some for words in spoil(column)))
        named = {column.name: f": {column.name} is '\\xc3('" for column in some}
        found = list(read_books(database, unreadable))
        assert [name for name, words in named.items() if not any(words in told for told in found)] == []
        if some[0] is columns[0]:
            values = {check.name: check.detail for check in read_books(database, examine)}["values"]
            assert any(words in values for words in named.values())


LEFT = [table for table in TABLES if table.name not in NOTHING_LEFT]


@pytest.mark.in_file
@pytest.mark.parametrize("tables", further(zip(LEFT[::2], [*LEFT[1::2], LEFT[0]], strict=False), 4))
async def test_a_desk_opens_for_cancels_though_no_value_of_two_tables_can_be_read(whole, tmp_path, tables):
    columns = [one for table in tables for one in table.columns]
    spoilt = [one for one in columns if not one.primary_key and not one.foreign_keys]
    tamper(copy_of(whole, tmp_path), *(words for column in spoilt for words in spoil(column)))
    async with paper_desk(tmp_path, demo=False) as desk:
        assert desk.trading_disabled
        assert await bad_checks(desk)


def test_the_command_says_what_is_bad_though_no_desk_can_be_opened(whole, tmp_path):
    tamper(copy_of(whole, tmp_path), "ALTER TABLE funds RENAME TO gone")
    printed = Terminal(tmp_path).run("doctor", "--json")
    assert printed.code == 8
    bad = {check["name"] for check in printed.document["checks"] if not check["ok"]}
    assert {"opening", "balances"} <= bad
