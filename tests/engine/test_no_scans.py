"""What is done many times a day looks at the day's rows alone, however long the history is."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from data.clock import ManualClock
from data.home import books_file
from data.vocabulary import DeskKind, SizingKind
from tests.desks import START, buy, carry_out, filed_desk, sell
from tradedesk.cli.short import AT_REST

GROWING = "orders|attempt|fill|txn|posting|share_posting|closed_lot|audit|plan|run|staged_line"
"""Tables that only ever grow."""

_SCAN = re.compile(rf"^SCAN (?:{GROWING})\b")
_ALL_OF_CLIENTS = re.compile(rf"^SEARCH (?:{GROWING}) USING (?:COVERING )?INDEX \w+ \(client_id=\?\)$")
"""A walk through all that clients ever did, which is the whole table where all clients are meant."""


@contextmanager
def statements() -> Iterator[set[str]]:
    """Every statement that is run meanwhile, as its text."""
    found: set[str] = set()

    def seen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.add(statement)

    event.listen(Engine, "before_cursor_execute", seen)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", seen)


def explained(books: sqlite3.Connection, statement: str) -> list[tuple[int, int, int, str]]:
    """How SQLite would go about a statement, whatever its values."""
    question = f"EXPLAIN QUERY PLAN {statement}"
    try:
        return books.execute(question).fetchall()
    except sqlite3.ProgrammingError as wanted:
        (count,) = re.findall(r"uses (\d+)", str(wanted))
        return books.execute(question, [None] * int(count)).fetchall()


def scans(home: Path, found: set[str]) -> list[str]:
    """Which of these statements walk the whole of a table that grows, and how."""
    told: list[str] = []
    with closing(sqlite3.connect(books_file(home))) as books:
        for statement in sorted(found):
            if not statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")):
                continue
            try:
                steps = explained(books, statement)
            except sqlite3.OperationalError:  # it speaks of temporary tables of the writer
                continue
            told += [
                f"{step[3]}: {statement}"
                for step in steps
                if (_SCAN.match(step[3]) or _ALL_OF_CLIENTS.match(step[3])) and " LIMIT " not in statement
            ]
    return told


_WALKS_DAY = re.compile(r"^SEARCH (?:orders|fill|closed_lot) USING INDEX \w+_by_day \(trading_date=\?\)")


def walk_the_day(home: Path, found: set[str]) -> list[str]:
    """Which of these statements look at all of a day's rows for a few clients' own, and how."""
    of_clients = {statement for statement in found if "client_id IN (SELECT value" in statement}
    with closing(sqlite3.connect(books_file(home))) as books:
        return [
            f"{step[3]}: {statement}"
            for statement in sorted(of_clients)
            for step in explained(books, statement)
            if _WALKS_DAY.match(step[3])
        ]


async def test_a_commit_looks_at_its_own_clients_rows_of_the_day_alone(tmp_path: Path) -> None:
    async with filed_desk(tmp_path, ManualClock(START)) as desk:
        with statements() as found:
            await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, 1, 2, 3))
    assert any("closed_lot.trading_date = ?" in statement for statement in found)
    assert not (told := walk_the_day(tmp_path, found)), "\n".join(told)


async def test_opening_planning_sending_and_reading_the_day_walk_no_history(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, 1, 2, 3))
    with statements() as found:
        async with filed_desk(tmp_path, clock, DeskKind.APP, seed=8) as desk:
            await desk.reconcile.check(1)
            await carry_out(desk, buy("INFY", SizingKind.FIXED_QUANTITY, 1, 1, 2, 3))
            await desk.runs.of_day(desk.market_clock.trading_day)
    assert not (told := scans(tmp_path, found)), "\n".join(told)


async def test_a_short_read_asks_whether_all_rests_and_walks_no_history(tmp_path: Path) -> None:
    async with filed_desk(tmp_path, ManualClock(START)) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, 1, 2, 3))
    told = [one for one in scans(tmp_path, {AT_REST}) if not one.startswith("SCAN run:")]  # a few a day
    assert not told, "\n".join(told)


@pytest.mark.in_file
async def test_a_commit_and_a_sale_look_at_no_lots_that_are_sold(tmp_path: Path) -> None:
    async with filed_desk(tmp_path, ManualClock(START)) as desk:
        with statements() as found:
            await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, 1, 2, 3))
            await carry_out(desk, sell("TCS", SizingKind.FIXED_QUANTITY, 1, 1, 2, 3))
    reads = re.compile(r"SELECT\b(?!.*proof\().*\blot\b", re.DOTALL)
    of_lots = [one for one in found if reads.match(one)]
    with closing(sqlite3.connect(books_file(tmp_path))) as books:
        steps = {step[3] for one in of_lots for step in explained(books, one) if " lot " in step[3]}
    assert any("lots_left" in step for step in steps)
    assert not [step for step in steps if "SCAN" in step or "lot_by_client (client_id=?)" in step]
