"""Books on PostgreSQL: what differs there from a file, and that nobody else needs it.

All other tests run there too, by hand: `uv run pytest --on postgres tests/scenarios`.
"""

import pkgutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

import data.repositories
from data.clock import ManualClock
from data.engines.driver import fetch, run
from data.engines.postgres import PostgresBooks, placed
from data.engines.sqlite import SqliteFile
from data.errors import BadInput
from data.home import books_file
from data.repositories.base import every_statement
from data.schema import HEAD
from data.server.belonging import belong
from data.server.copying import copy_books
from data.server.schema import ROOMY, check_ready, differing_tables, faults, mend, upgrade
from data.tables.books import APPEND_ONLY
from data.vocabulary import RunCount, SizingKind
from data.writing.writer import take_turn
from engine.review.doctor import examine
from tests.books import POSTGRES, SQLITE, database_of, empty_books, standing_on
from tests.desks import START, books_are_sound, buy, carry_out, filed_desk, paper_desk

on_server = pytest.mark.parametrize("books_engine", [POSTGRES], indirect=True)


def server_of(home: Path) -> PostgresBooks:
    database = database_of(home)
    assert isinstance(database, PostgresBooks)
    return database


def changed(database: PostgresBooks, *statements: str) -> None:
    """Change books as somebody with a client of the server would."""
    engine = database.writer()
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def wrong(connection: Connection) -> Sequence[str]:
    return [f"{check.name}: {check.detail}" for check in examine(connection) if not check.ok]


@pytest.mark.proof
def test_a_home_of_its_own_file_imports_nothing_of_a_server(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from engine.jobs.asked import AuditCheckAsked\n"
        "from tradedesk.compose.wiring import compose_desk\n"
        "import tradedesk.cli.main\n"
        "async def main():\n"
        "    async with compose_desk(Path(sys.argv[1])) as desk:\n"
        "        await desk.doctor.run()\n"
        "        job = (await desk.jobs.ask(AuditCheckAsked())).job\n"
        "        assert (await desk.jobs.finished(job.number, 60)).state == 'done'\n"
        "asyncio.run(main())\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted({'psycopg', 'redis', 'celery', 'kombu'} & loaded))\n"
    )
    home = empty_books(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", program, str(home)], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


@on_server
def test_the_tables_are_as_they_are_declared_and_are_guarded(tmp_path: Path, books_engine: str) -> None:
    database = server_of(empty_books(tmp_path))
    check_ready(database)
    assert database.read(differing_tables) == database.read(faults) == []
    assert upgrade(database) == HEAD, "it is of this version, and nothing is done"
    roomy = "SELECT relname FROM pg_class WHERE reloptions IS NOT NULL AND relkind = 'r' ORDER BY 1"
    assert [name for (name,) in database.read(lambda reader: fetch(reader, roomy))] == sorted(ROOMY)
    some, other = sorted(APPEND_ONLY)[:2]
    changed(
        database,
        f"DROP TRIGGER {some}_no_delete ON {some}",
        f"ALTER TABLE {other} DISABLE TRIGGER {other}_no_update",
        "CREATE OR REPLACE FUNCTION note_orders() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER odd AFTER INSERT ON meta FOR EACH STATEMENT EXECUTE FUNCTION note_meta()",
    )
    found = database.read(faults)
    assert [words.partition(" of ")[0] for words in found] == [
        f"trigger {other}_no_update",
        "trigger odd",
        "function note_orders is not as tradedesk made it",
        f"trigger {some}_no_delete is missing",
    ]
    engine = database.writer()
    with engine.connect() as connection:
        mend(connection)
    engine.dispose()
    assert database.read(faults) == []


@on_server
def test_the_server_takes_every_statement_of_the_repositories(tmp_path: Path, books_engine: str) -> None:
    for module in pkgutil.walk_packages(data.repositories.__path__, "data.repositories."):
        import_module(module.name)
    engine = server_of(empty_books(tmp_path)).writer()
    with engine.connect() as connection:
        own: Any = connection.connection.driver_connection
        count = 0
        for count, statement in enumerate(every_statement(), 1):
            text = statement.text(connection.dialect).sql
            own.execute(f"PREPARE s{count} AS {placed(text)}")
    engine.dispose()
    assert count > 400


@on_server
async def test_a_bulk_is_planned_reserved_sent_and_booked(tmp_path: Path, books_engine: str) -> None:
    async with paper_desk(tmp_path) as desk:
        plan, made = await carry_out(desk, buy("RELIANCE", SizingKind.PERCENT_OF_CAPITAL, 2500))
        assert (made.counts[RunCount.FILLED], plan.orders) == (45, 45)
        await books_are_sound(desk)
    database = server_of(tmp_path)
    assert database.read(wrong) == []
    changed(
        database, "UPDATE orders SET reason_text = 'x' WHERE id = 7", "UPDATE funds SET blocked_paise = 1"
    )
    found = " ".join(database.read(wrong))
    assert "orders 7 is not as row" in found
    assert "blocked_paise is" in found
    with pytest.raises(Exception, match="audit is append-only"):
        changed(database, "TRUNCATE audit")


@on_server
async def test_a_program_that_ends_leaves_what_it_had_sent_to_the_next(
    tmp_path: Path, books_engine: str
) -> None:
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        await carry_out(desk, buy("INFY", SizingKind.PERCENT_OF_CAPITAL, 2500))
        before = desk.orders.all()
    async with filed_desk(tmp_path, clock, seed=8) as desk:
        assert desk.orders.all() == before
        assert len(before) > 40
        await books_are_sound(desk)


async def test_books_are_copied_to_a_server_whole_or_not_at_all(tmp_path: Path) -> None:
    home = tmp_path / "home"
    clock = ManualClock(START)
    with standing_on(SQLITE):
        async with filed_desk(home, clock) as desk:
            await carry_out(desk, buy("INFY", SizingKind.PERCENT_OF_CAPITAL, 2500))
            before = desk.orders.all()
    file = books_file(home)
    with standing_on(POSTGRES):
        server = server_of(empty_books(home))
        with pytest.raises(BadInput, match="nothing was copied: no"):
            copy_books(file, server, lambda connection: ["no"])
        refusals = iter(([], ["no"]))
        with pytest.raises(BadInput, match="nothing was copied: no"):
            copy_books(file, server, lambda connection: next(refusals))
        assert server.read(lambda one: fetch(one, "SELECT count(*) FROM audit")) == [(0,)], "not at all"
        made = copy_books(file, server, wrong)
        held = SqliteFile(file).read(lambda one: fetch(one, "SELECT seq, hash FROM audit ORDER BY seq"))
        assert (made.audit_rows, made.audit_head) == held[-1]
        assert server.read(lambda one: fetch(one, "SELECT seq, hash FROM audit ORDER BY seq")) == held
        with pytest.raises(BadInput, match="has rows already"):
            copy_books(file, server, wrong)
        async with filed_desk(home, clock, seed=8) as desk:
            assert desk.orders.all() == before
            await carry_out(desk, buy("TCS", SizingKind.PERCENT_OF_CAPITAL, 2500))
            assert len(desk.orders.all()) > len(before)
            await books_are_sound(desk)


@on_server
def test_books_are_of_one_home(tmp_path: Path, books_engine: str) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    database = server_of(empty_books(one))
    for _ in range(2):
        belong(database, one, "tester", START)
    with pytest.raises(BadInput, match="its books are another home's"):
        belong(database, other, "tester", START)
    assert database.read(wrong) == [], "the audit tells of it"


@on_server
def test_whoever_writes_is_alone(tmp_path: Path, books_engine: str) -> None:
    database = server_of(empty_books(tmp_path))
    engine = database.writer()
    with engine.connect() as first, engine.connect() as second:
        take_turn(database, first)
        assert not database.begin(second, 0.05), "another has its turn"
        run(first, "INSERT INTO meta (name, value) VALUES ('a', 'b')")
        run(first, "COMMIT")
        assert database.begin(second, 5.0)
        assert fetch(second, "SELECT value FROM meta WHERE name = 'a'") == [("b",)], "it sees what was kept"
        run(second, "ROLLBACK")
    engine.dispose()
