"""What the doctor found stops trading at every later opening, until it is accepted or found mended."""

import json
import re
import sqlite3
from contextlib import closing

import pytest

from data.vocabulary import ClientStatus, DeskKind
from engine.refusals import TradingStopped
from tests.desks import buy, paper_desk, there, until
from tests.further import further_rows
from tests.refusing import refuses
from tests.tampering import copy_of, tamper
from tests.tradedesk.cli_desk import Terminal
from tests.whole_home import LENT, PRIYA, QTY, whole_home


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_home(tmp_path_factory.mktemp("whole"))


async def bad_checks(desk):
    return {check.name: check.detail for check in await desk.doctor.run() if not check.ok}


FOUND = [
    ("UPDATE client SET phone = '+91' WHERE id = 8", "proofs: client 8 is not as row"),
    ("UPDATE funds SET available_paise = available_paise + 5 WHERE client_id = 22", "balances: client 22"),
    ("DELETE FROM attempt WHERE order_id = 1", "proofs: attempt 1|1 is not there"),
    ("UPDATE counter SET next = 1 WHERE name = 'plan'", "counters: the counter plan is at 1"),
]


@pytest.mark.parametrize(("change", "words"), further_rows(FOUND))
async def test_what_only_the_doctor_finds_stops_trading_for_good(whole, tmp_path, change, words):
    tamper(copy_of(whole, tmp_path), change)
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        await bad_checks(desk)
    for _ in range(2):
        async with paper_desk(tmp_path, demo=False) as desk:
            assert words in desk.trading_disabled
            assert "tradedesk audit accept" in there(desk.trading_disabled)
            plan = await desk.plans.freeze(buy("INFY", QTY, 1, PRIYA))
            with refuses(TradingStopped, re.escape(words)):
                await desk.runs.start(plan, plan.digest)
    async with paper_desk(tmp_path, demo=False) as desk:
        await desk.audit.accept("known")
        await until(desk, lambda: desk.trading_disabled is None, step_s=5)
        assert await bad_checks(desk) == {}
        await desk.clients.set_status(LENT, ClientStatus.INACTIVE, "asked us to")
    async with paper_desk(tmp_path, demo=False) as desk:
        assert desk.trading_disabled is None
        assert await bad_checks(desk) == {}


async def test_a_desk_that_is_open_hears_of_it_and_of_its_end(whole, tmp_path):
    database = copy_of(whole, tmp_path)
    async with paper_desk(tmp_path, demo=False) as desk:
        before = desk.trading_disabled
        assert before is None
        tamper(database, "UPDATE client SET phone = phone || '1' WHERE id = 8")
        async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as another:
            assert "proofs" in await bad_checks(another)
        await until(desk, lambda: desk.trading_disabled, step_s=5)
        assert "client 8 is not as row" in there(desk.trading_disabled)
        tamper(database, "UPDATE client SET phone = substr(phone, 1, length(phone) - 1) WHERE id = 8")
        async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as another:
            assert await bad_checks(another) == {}
        await until(desk, lambda: desk.trading_disabled is None, step_s=5)


async def test_what_a_verification_of_the_audit_finds_stops_every_engine(whole, tmp_path):
    database = copy_of(whole, tmp_path)
    async with paper_desk(tmp_path, demo=False) as desk:
        tamper(database, "UPDATE audit SET actor = 'nobody' WHERE seq = 5")
        async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as another:
            assert another.trading_disabled is None  # only what is new is verified at an opening
            assert not (await another.audit.examine(whole=True)).ok
            before = (await another.audit.chain_state()).rows
            assert not (await another.audit.examine(whole=True)).ok
            assert (await another.audit.chain_state()).rows == before
        await until(desk, lambda: desk.trading_disabled, step_s=5)
        assert "row 5" in there(desk.trading_disabled)


def test_a_head_that_is_not_in_the_chain_stops_nothing(whole, tmp_path):
    copy_of(whole, tmp_path)
    terminal = Terminal(tmp_path)
    assert terminal.run("audit", "verify", "--head", "0" * 63 + "1").code == 8
    assert terminal.run("audit", "verify").code == 0
    assert terminal.run("audit", "state").code == 0


UNGROUPED = (
    "DELETE FROM client_group WHERE (client_id, name) ="
    " (SELECT client_id, name FROM client_group ORDER BY client_id, name LIMIT 1)"
)
"""Deletes the first row, whichever that is."""


@pytest.mark.parametrize(
    ("forged", "again"),
    [
        ("UPDATE client SET phone = '1' WHERE id = 8", "UPDATE client SET phone = '2' WHERE id = 8"),
        (
            f"INSERT INTO client_group VALUES ({LENT}, 'forged')",
            f"UPDATE client_group SET name = 'another' WHERE client_id = {LENT} AND name = 'forged'",
        ),
        (UNGROUPED, UNGROUPED),
    ],
)
async def test_a_row_that_was_accepted_is_held_as_it_was_accepted(whole, tmp_path, forged, again):
    database = copy_of(whole, tmp_path)
    tamper(database, forged)
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        assert (await desk.audit.accept("known")).ok
        assert await bad_checks(desk) == {}
        tamper(database, again)
        assert "proofs" in await bad_checks(desk)
        assert not (await desk.audit.verify()).ok


@pytest.mark.in_file
def test_verify_names_a_changed_schema_and_accept_lists_all_that_is_wrong(whole, tmp_path):
    database = copy_of(whole, tmp_path)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE VIEW another AS SELECT * FROM orders")
    terminal = Terminal(tmp_path)
    printed = terminal.run("audit", "verify", "--json")
    assert printed.code == 8
    assert "view another of another is not tradedesk's" in json.dumps(printed.document)
    assert "view another" in terminal.run("audit", "accept", "--reason", "known").err
    assert terminal.run("audit", "accept", "--reason", "known", "--word", "accept").code == 0
    assert terminal.run("audit", "verify").code == 0
