"""Leases as the server has them: how long they last, by whose clock, and what another's batch comes to."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from data.clock import ManualClock
from data.engines.driver import fetch, run, sql
from data.engines.fates import Fate, fate_of
from data.engines.shared.leases import (
    LeaseHolder,
    break_fence,
    hand_clients,
    has_run_out,
    lease_holders,
    leased_to,
)
from data.errors import BadInput, LeaseLost
from data.leasing.leases import LEASE_S, SPARE_S, DeskName, Leases, holder_lives
from data.leasing.processes import this_host
from data.leasing.taking import hand_over, take_clients
from data.records import replace
from data.repositories.instances import Engine, add_engine, end_engine
from data.tables.books import Client
from data.writing.locks import process_start
from data.writing.unit import Unit
from data.writing.writer import take_turn
from tests.books import database_of
from tests.desks import START

CALL_S = 10.0
ONE, TWO = 1, 2

pytestmark = pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)
"""A file is one home's alone."""


class Machine:
    """A desk's leases, with a clock that the test sets and units that it commits."""

    def __init__(self, home: Path, number: int) -> None:
        self.database, self.number, self.now = database_of(home), number, 100.0
        self.passes = 0.0
        """How many seconds go by between a look at the clock and the next."""
        self.leases = Leases(
            self.database, DeskName(f"home {number}", f"desk {number}"), CALL_S, self._seconds
        )
        with self.unit() as unit:
            engine = Engine(number, "api", os.getpid(), process_start(os.getpid()), unit.now, unit.now)
            add_engine(unit, engine)
            self.leases.begin(unit, number)
        self.leases.instance_id = number
        assert self.leases.beat()

    def _seconds(self) -> float:
        now, self.now = self.now, self.now + self.passes
        return now

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        engine = self.database.writer()
        try:
            with engine.connect() as connection:
                take_turn(self.database, connection)
                yield Unit(connection, ManualClock(START).now())
                connection.exec_driver_sql("COMMIT")
        finally:
            engine.dispose()

    def take(self, *client_ids: int) -> set[int]:
        with self.unit() as unit:
            taken = take_clients(unit, self.leases, lambda row, _: row.client_id in client_ids)
            self.leases.owned(unit.connection)
            return set(taken.clients)


@pytest.fixture
def home(tmp_path: Path, books_engine: str) -> Path:
    """Books with two clients."""
    first = Machine(tmp_path, 1)
    with first.unit() as unit:
        given = {"broker": "zerodha", "status": "active", "session": "ok", "capital_paise": 1}
        unit.insert(
            Client,
            [
                {"id": i, "code": f"C{i}", "name": f"client {i}", "broker_user_id": f"U{i}", **given}
                | {"created_at": unit.now, "updated_at": unit.now}
                for i in (ONE, TWO)
            ],
        )
    return tmp_path


def over(home: Path, number: int) -> None:
    """The time of an engine's leases has run out by the server's clock."""
    engine = database_of(home).writer()
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("UPDATE lease_beat SET until_ms = 1 WHERE instance_id = ?", (number,))
    finally:
        engine.dispose()


def has(home: Path, number: int) -> set[int]:
    return set(database_of(home).read(lambda connection: leased_to(connection, number)))


def test_a_client_is_taken_once_and_only_from_whom_nobody_has_heard_for_long(home: Path) -> None:
    one, two = Machine(home, 11), Machine(home, 12)
    assert one.take(ONE, TWO) == {ONE, TWO}
    assert two.take(ONE) == set()
    over(home, 11)
    assert two.take(ONE) == {ONE}
    assert (has(home, 11), has(home, 12)) == ({TWO}, {ONE})
    assert one.leases.beat()  # heard of again: what is left is its own
    assert two.take(TWO) == set()


def test_the_dead_of_this_machine_are_not_waited_for(home: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    one, two = Machine(home, 11), Machine(home, 12)
    assert one.take(ONE) == {ONE}
    with two.unit() as unit:
        sql(unit).exec_driver_sql("UPDATE instance SET pid = ? WHERE id = 11", (gone.pid,))
    assert two.take(ONE) == {ONE}
    here = LeaseHolder(1, gone.pid, "", this_host(), "", "", "api", True, False)
    assert not holder_lives(here)
    assert holder_lives(replace(here, host="another machine"))


def test_leases_last_from_before_the_beat_was_sent_by_the_clock_of_this_machine(home: Path) -> None:
    one = Machine(home, 11)
    one.take(ONE)
    one.passes = 7.0  # the answer took seven seconds, or the machine slept so long
    assert one.leases.beat()
    assert one.leases.left_s() == LEASE_S - 7.0


def test_no_call_begins_that_could_end_after_the_leases(home: Path) -> None:
    one = Machine(home, 11)
    one.take(ONE)
    one.now += LEASE_S - CALL_S - SPARE_S
    assert one.leases.sends_for(ONE)
    assert not one.leases.sends_for(TWO)
    one.now += 0.001
    assert not one.leases.sends_for(ONE)
    assert one.leases.beat()
    assert one.leases.sends_for(ONE)
    one.leases.leave([ONE])
    assert not one.leases.sends_for(ONE)


def test_what_was_claimed_before_the_leases_had_run_out_is_of_an_earlier_term(home: Path) -> None:
    one, two = Machine(home, 11), Machine(home, 12)
    one.take(ONE, TWO)
    term = one.leases.term()
    one.now += LEASE_S - 1.0
    assert one.leases.beat()
    assert one.leases.term() == term
    one.now += LEASE_S + 1.0  # frozen, and thawed as its thread beats first
    assert one.leases.beat()
    assert one.leases.term() != term
    term = one.leases.term()
    over(home, 11)
    assert two.take(ONE) == {ONE}
    assert one.leases.beat()
    assert one.leases.term() != term


def test_a_batch_of_who_has_lost_a_client_is_not_kept(home: Path) -> None:
    one, two = Machine(home, 11), Machine(home, 12)
    one.take(ONE, TWO)
    over(home, 11)
    two.take(ONE)
    with one.unit() as unit:
        one.leases.require(unit, {TWO})
        with pytest.raises(LeaseLost) as lost:
            one.leases.require(unit, {ONE, TWO})
    assert lost.value.client_ids == {ONE}


def test_who_takes_waits_for_a_batch_under_way_and_a_batch_that_comes_later_is_run_again(home: Path) -> None:
    one, two = Machine(home, 11), Machine(home, 12)
    one.take(ONE)
    over(home, 11)
    engine, other = one.database.writer(), two.database.writer()
    try:
        with engine.connect() as batch, other.connect() as taking:
            run(batch, "BEGIN ISOLATION LEVEL REPEATABLE READ")
            run(taking, "BEGIN ISOLATION LEVEL REPEATABLE READ")
            one.leases.require(Unit(batch, START), {ONE})
            done = threading.Event()

            def take() -> None:
                break_fence(taking, 11)
                done.set()

            thread = threading.Thread(target=take)
            thread.start()
            assert not done.wait(0.3), "it did not wait for the batch"
            run(batch, "COMMIT")
            assert done.wait(10)
            thread.join()
            assert has_run_out(taking, 11)
            run(batch, "BEGIN ISOLATION LEVEL REPEATABLE READ")
            fetch(batch, "SELECT count(*) FROM client_lease")  # its snapshot is of before the taking
            hand_clients(taking, {ONE}, 11, 12, "2026-11-18 04:00:00")
            run(taking, "COMMIT")
            with pytest.raises(DBAPIError) as refused:
                one.leases.require(Unit(batch, START), {ONE})
            assert fate_of(batch, refused.value) is Fate.AGAIN
            run(batch, "ROLLBACK")
    finally:
        engine.dispose()
        other.dispose()
    assert has(home, 12) == {ONE}


def test_a_client_is_handed_to_a_desk_that_lives_and_to_no_other(home: Path) -> None:
    one, two = Machine(home, 11), Machine(home, 12)
    one.take(ONE)
    with one.unit() as unit:
        hand_over(unit, one.leases, {ONE}, 12)
    assert has(home, 12) == {ONE}
    two.leases.end()
    assert one.take(ONE) == {ONE}
    with one.unit() as unit, pytest.raises(BadInput, match="no such desk is open"):
        hand_over(unit, one.leases, {ONE}, 12)


def test_who_ended_and_has_nobody_is_forgotten_as_another_begins(home: Path) -> None:
    one, two = Machine(home, 11), Machine(home, 12)
    one.take(ONE)
    for number in (11, 12):
        with one.unit() as unit:
            end_engine(unit, number, unit.now)
    Machine(home, 13)
    known = set(database_of(home).read(lease_holders))
    assert 11 in known, "its client is to be taken from it"
    assert 12 not in known
    assert not two.leases.beat()
