"""A counter that something else set back or spoilt: no emergency dies of it, and the doctor finds it."""

import sqlite3
from contextlib import closing

import pytest

from data.vocabulary import HaltScope, RunCount
from data.writing.counters import KINDS, counter_faults
from engine.review.doctor import examine
from tests.books import POSTGRES, engine_now, read_books
from tests.desks import buy, carry_out, paper_desk
from tests.further import further
from tests.tampering import copy_of, tamper
from tests.tradedesk.cli_desk import Terminal
from tests.whole_home import PRIYA, QTY, whole_home

SPOILT = [1, "'none'", "x'00'", 2**63 - 1, -(2**63)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_home(tmp_path_factory.mktemp("whole"))


@pytest.mark.in_file
@pytest.mark.parametrize("change", [f"UPDATE counter SET next = {one}" for one in SPOILT])
async def test_a_halt_is_certified_and_orders_are_sent_whatever_the_counters_say(tmp_path, change):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 2, PRIYA))
        first = await desk.halt.fire("tester", HaltScope.CLIENT, str(PRIYA))
        await desk.halt.resume(first.number, "resume", "tester")
        tamper(tmp_path / "desk.db", change)
        made = await desk.halt.fire("tester")
        assert made.ended
        assert made.number == first.number + 1
        await desk.halt.resume(made.number, "resume", "tester")
        _, run = await carry_out(desk, buy("INFY", QTY, 2, PRIYA))
        assert run.counts[RunCount.FILLED] == 1
        assert {check.name for check in await desk.doctor.run() if not check.ok} <= {"counters", "values"}


@pytest.mark.proof  # half a minute until the round gives up on books that no exchange has
def test_the_command_certifies_though_its_halt_counter_was_set_back(whole, tmp_path):
    tamper(copy_of(whole, tmp_path), "UPDATE counter SET next = 1", "DELETE FROM counter WHERE name = 'txn'")
    printed = Terminal(tmp_path).run("cancel-all", "--yes")
    assert "HALT 2 everything" in printed.out, printed.err
    assert printed.code != 7


@pytest.mark.proof  # half a minute until the round gives up on books that no exchange has
def test_a_halt_far_beyond_leaves_a_number_for_the_next(whole, tmp_path):
    forged = f"INSERT INTO halt SELECT {2**63 - 1}, scope, value, at, by, resumed_at, resumed_by, ended_at,"
    tamper(copy_of(whole, tmp_path), f"{forged} members, before, strength, home FROM halt")
    assert "HALT 2 everything" in Terminal(tmp_path).run("cancel-all", "--yes").out


@pytest.mark.parametrize("name", further(KINDS, 12))
def test_the_doctor_finds_a_counter_that_would_give_a_number_out_twice(whole, tmp_path, name):
    database = copy_of(whole, tmp_path)
    no_number = () if engine_now() == POSTGRES else ("SET next = 'none'",)
    for change in ("SET next = 1", *no_number, None):
        words = f"UPDATE counter {change}" if change else "DELETE FROM counter"
        tamper(database, f"{words} WHERE name = '{name}'")
        assert any(f"the counter {name} is " in told for told in read_books(database, counter_faults))
    (check,) = [one for one in read_books(database, examine) if one.name == "counters"]
    assert not check.ok
    assert f"the counter {name} is " in check.detail


@pytest.mark.in_file
def test_each_numbered_table_has_its_counter(whole):
    with closing(sqlite3.connect(whole)) as connection:
        kept = {name for (name,) in connection.execute("SELECT name FROM counter")}
    assert kept == set(KINDS)
