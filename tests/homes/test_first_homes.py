"""What the first build wrote is opened, brought up to date, verified, shown, and traded on."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data.clock import ManualClock
from data.engines.sqlite import read_file
from data.migrating import prepare
from data.vocabulary import BreakKind, HaltScope, OrderState, RunCount, RunStatus, SizingKind
from data.writing.locks import HeldLock
from engine.desk import Desk
from engine.review.doctor import examine
from tests.desks import buy, carry_out, filed_desk, until
from tests.further import further
from tests.homes import unpack
from tests.tradedesk.cli_desk import Terminal
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

LATER = datetime(2026, 11, 18, 3, 50, tzinfo=UTC)
"""A minute and a half after the books were last written."""

ADDED = {"meta": "name != 'audit_verified'"}
"""Rows of a table that a migration adds, and a condition that leaves them out."""

MOVED = {"halt": {"certificate"}, "instrument": {"token"}, "client_route": {"consent", "consent_until"}}
"""Columns whose values stand in a table of their own since."""

NAMES = ("paused", "halted", "after_market")


@asynccontextmanager
async def first_desk(name: str, home: Path) -> AsyncIterator[Desk]:
    """A desk of today on a home of the first build."""
    unpack(name, home)
    async with filed_desk(home, ManualClock(LATER), seed=70) as desk:
        yield desk


def rows(database: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as file:
        return file.execute(statement).fetchall()


def _all(name: str, columns: list[str]) -> str:
    return f"SELECT {', '.join(columns)} FROM {name} WHERE {ADDED.get(name, '1')} ORDER BY rowid"


@pytest.mark.parametrize("name", further(NAMES))
def test_a_migration_loses_no_row_and_leaves_sound_books(name: str, tmp_path: Path) -> None:
    database = unpack(name, tmp_path)
    names = [row[0] for row in rows(database, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    kept = [one for one in names if not one.startswith(("sqlite_", "alembic_"))]
    columns = {one: [row[1] for row in rows(database, f"PRAGMA table_info({one})")] for one in kept}
    before = {one: rows(database, _all(one, held)) for one, held in columns.items()}
    prepare(database)
    for one, held in columns.items():
        stay = [row[1] for row in rows(database, f"PRAGMA table_info({one})")]
        assert set(held) - set(stay) == MOVED.get(one, set())
        kept_places = [place for place, column in enumerate(held) if column in stay]
        was = [tuple(row[place] for place in kept_places) for row in before[one]]
        now = rows(database, _all(one, [column for column in held if column in stay]))
        assert [row for row in now if row in was] == was, one
        assert len(now) == len(was) or one == "counter", f"{one}: only what is counted may have become more"
    assert read_file(database, lambda file: [one for one in examine(file) if not one.ok]) == []


@pytest.mark.parametrize("name", further(NAMES))
def test_its_broker_lists_each_instrument_under_the_token_that_it_had(name: str, tmp_path: Path) -> None:
    database = unpack(name, tmp_path)
    symbols = "exchange || ':' || tradingsymbol, CAST(token AS TEXT), tradingsymbol"
    had = rows(database, f"SELECT {symbols} FROM instrument ORDER BY 1")
    twice = f"UPDATE instrument SET token = {had[0][1]} WHERE tradingsymbol = '{had[1][2]}'"
    unlisted = f"UPDATE instrument SET token = 0 WHERE tradingsymbol = '{had[2][2]}'"
    with closing(sqlite3.connect(database)) as file, file:
        file.execute(twice)
        file.execute(unlisted)
    prepare(database)
    broker = "zerodha" if name == "after_market" else "paper"
    listed = rows(database, "SELECT broker, key, token, symbol FROM listing ORDER BY key")
    assert listed[:3] == [(broker, key, None, symbol) for key, _, symbol in had[:3]], "they name nothing"
    assert listed[3:] == [(broker, *one) for one in had[3:]]
    assert len(listed) > 200


DAYS = "SELECT day, state, opened_at FROM trading_day ORDER BY day"


@pytest.mark.parametrize("name", further(NAMES))
def test_the_day_that_it_opened_last_is_open(name: str, tmp_path: Path) -> None:
    database = unpack(name, tmp_path)
    (day,) = rows(database, "SELECT value FROM meta WHERE name = 'last_trading_day'")
    (at,) = rows(database, "SELECT max(at) FROM audit WHERE action = 'DAY_OPENED'")
    prepare(database)
    assert rows(database, DAYS) == [(*day, "open", *at)]


async def test_its_open_day_ends_with_the_next(tmp_path: Path) -> None:
    async with first_desk("paused", tmp_path) as desk:
        day = desk.market_clock.trading_day
        exchange_of(desk).jump(seam(desk).calendar.session_close(day))
        today = desk.market_clock.trading_day
        await until(desk, lambda: seam(desk).day == today)
        states = [(one[0], one[1]) for one in rows(tmp_path / "desk.db", DAYS)]
        assert states == [(day.isoformat(), "ended"), (today.isoformat(), "open")]
        assert [check for check in await desk.doctor.run() if not check.ok] == []


async def test_a_paused_run_of_it_waits_and_goes_on_by_typed_words_alone(tmp_path: Path) -> None:
    async with first_desk("paused", tmp_path) as desk:
        run = desk.runs.get(6)
        assert (run.status, run.counts[RunCount.UNSENT], run.counts[RunCount.FILLED]) == (
            RunStatus.PAUSED,
            43,
            3,
        )
        await until(desk, lambda: desk.reconcile.is_compared(1))
        assert desk.runs.get(6).counts[RunCount.UNSENT] == 43, "nothing of it went out by itself"
        await desk.runs.stop(6, live=False)
        assert desk.runs.get(6).counts[RunCount.UNSENT] == 0
        assert [check for check in await desk.doctor.run() if not check.ok] == []


async def test_an_order_in_doubt_of_it_is_still_in_doubt_until_the_broker_proves_it(tmp_path: Path) -> None:
    async with first_desk("paused", tmp_path) as desk:
        (doubt,) = [order for order in desk.orders.all() if order.state is OrderState.UNKNOWN]
        blocked = doubt.blocked_paise
        assert blocked > 0
        await until(desk, lambda: not desk.orders.get(doubt.id).live, step_s=5)
        assert desk.orders.get(doubt.id).state is OrderState.NOT_RECEIVED
        assert desk.orders.get(doubt.id).blocked_paise == 0


async def test_its_breaks_halts_and_certificates_are_shown(tmp_path: Path) -> None:
    async with first_desk("halted", tmp_path) as desk:
        found = {one.kind: (one.ours, one.theirs) for one in desk.reconcile.breaks(9)}
        assert found[BreakKind.SHARES] == (0, 3)
        (halt,) = desk.halt.active()
        assert (halt.scope, halt.value) == (HaltScope.CLIENT, "6")
        certificate = desk.halt.certificate(1)
        assert certificate is not None
        assert (certificate.cancelled, certificate.unsent_freed, certificate.released_paise) == (2, 1, 347542)
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, 6, 7))
        assert plan.orders == 1, "a client under a halt is passed over"


async def test_its_plans_are_shown_under_their_digests_and_new_ones_trade(tmp_path: Path) -> None:
    async with first_desk("halted", tmp_path) as desk:
        for number in range(1, 7):
            plan = await desk.plans.get(number)
            assert (
                plan.digest
                == rows(tmp_path / "desk.db", f"SELECT digest FROM plan WHERE number = {number}")[0][0]
            )
        _, run = await carry_out(desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, 11, 12))
        assert run.counts[RunCount.FILLED] == 2
        assert desk.runs.get(run.number).plan_number == 7


def test_the_command_line_shows_it(tmp_path: Path) -> None:
    unpack("halted", tmp_path)
    desk = Terminal(tmp_path)
    assert desk.done("run", "6")["counts"]["unsent"] == 42
    assert len(desk.done("orders")) == 98
    assert desk.run("audit", "verify").code == 0
    assert "HALT 1" in desk.run("certificate").out


def test_cancel_all_leaves_its_version_and_cancels_from_the_brokers_books(tmp_path: Path) -> None:
    database = unpack("paused", tmp_path)
    desk, stamp = Terminal(tmp_path), "SELECT version_num FROM alembic_version"
    before = rows(database, stamp)
    resting = {row[0] for row in rows(database, "SELECT id FROM orders WHERE state = 'OPEN'")}
    made = desk.run("cancel-all", "--yes", "--json")
    assert made.code == 7
    assert "an emergency changes no version" in made.document["error"]["message"]
    results = {order["order_id"]: order["result"] for order in made.document["orders"]}
    assert {number for number, result in results.items() if result == "cancelled"} == resting
    assert rows(database, stamp) == before
    assert (tmp_path / "HALT").exists()
    assert list(tmp_path.glob("desk-before-*")) == []

    told = desk.run("certificate")
    assert "as it was before, it is kept in desk-before-" in told.err
    checks = {one["name"]: one["detail"] for one in desk.run("doctor", "--json").document["checks"]}
    (copy,) = tmp_path.glob("desk-before-*")
    assert checks["copies"].startswith(f"{copy.name} is desk.db as it was before")
    assert rows(database, stamp) != before
    assert "2 cancelled" in told.out, "what the file told is in the books"
    states = rows(database, "SELECT DISTINCT state FROM orders WHERE state IN ('OPEN', 'RESERVED')")
    assert states == []


def test_an_engine_at_work_on_it_ends_every_command_but_cancel_all_with_7(tmp_path: Path) -> None:
    unpack("halted", tmp_path)
    lock = HeldLock(tmp_path / "locks" / "engine-9.lock")
    lock.take()
    refused = Terminal(tmp_path).run("orders", "--json")
    assert (refused.code, refused.error["reason"], refused.error["field"]) == (7, "store_unusable", "home")
    assert f"process {os.getpid()} (an engine) is at work" in refused.error["message"]
    lock.free()
    assert len(Terminal(tmp_path).done("orders")) == 98
