"""Books at rest are read without opening a desk, and printed as an open one prints them."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from cli_desk import Printed, Terminal
from open_app import Captured

from tests.further import further
from tests.short_reads import FILE, written
from tradedesk.cli.printing.output import printer
from tradedesk.cli.short import read_short

pytestmark = pytest.mark.in_file  # at rest, and read with nothing imported

LOOKS = (
    "orders",
    "orders --client AM1042",
    "orders --run 1",
    "funds",
    "funds --client=AM1042",
    "funds --client 42",
    "transactions",
    "transactions --client AM1042",
    "certificate",
    "certificate 1",
    "runs",
    "runs --day 2026-11-16",
    "runs --day=2026-11-13",
    "clients",
    "clients --status active",
    "clients --status INACTIVE",
    "clients --group Family",
    "clients --search am10",
    "clients --search a --status pending",
)


@pytest.fixture(scope="module")
def rested(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A home with a round trip, a certificate, a session that ended and a difference, where nothing lives."""
    home = tmp_path_factory.mktemp("rested") / "home"
    shutil.copytree(demo_home, home)
    at = Terminal(home)
    at.order("AM1042", "buy", "TCS", "2")
    at.order("AM1042", "sell", "TCS", "1")
    at.run("cancel-all", "--yes", "--json")
    at.run("resume", "--yes")
    with closing(sqlite3.connect(home / "desk.db")) as books, books:
        books.execute("UPDATE client SET session = 'expired' WHERE id = 42")
        books.execute(
            "INSERT INTO account_break (id, client_id, kind, security, product, tradingsymbol, ours, theirs, "
            "detail, opened_at, trading_date, closed_how) "
            "VALUES (1, 41, 'cash', '', '', '', 1, 2, '', '2026-11-16 04:00:00.000000', '2026-11-16', '')"
        )
    return at


def short(home: Path, *words: str) -> Printed | None:
    """What a short read prints; None where a desk has to be opened."""
    to = Captured()
    before = printer.set(to)
    try:
        code = read_short(home, words)
    finally:
        printer.reset(before)
    if code is None:
        assert to.stdout == to.stderr == []
        return None
    return Printed(code, "".join(to.stdout), "".join(to.stderr))


def same(printed: Printed | None) -> tuple[int, str, str] | None:
    """Without the market's time, which goes on while a desk is open."""
    return printed and (printed.code, re.sub(r"market time [^(]*", "", printed.out), printed.err)


@pytest.mark.parametrize("words", further(LOOKS, 19))
@pytest.mark.parametrize("how", ["table", "json"])
def test_a_short_read_prints_what_an_open_desk_prints(rested: Terminal, words: str, how: str) -> None:
    given = [*words.split(), *(["--json"] if how == "json" else [])]
    assert same(short(rested.home, *given)) == same(rested.run(*given))


@pytest.mark.parametrize(
    "words",
    [
        "orders --live",
        "orders --needs-me",
        "orders show 1",
        "orders --client NOBODY",
        "orders --run x",
        "funds --client",
        "funds --what",
        "certificate 99",
        "clients set AM1042",
        "clients --group nobody",
        "clients --status odd",
        "runs --day yesterday",
        "positions",
        "",
    ],
)
def test_whatever_is_not_plain_opens_a_desk(rested: Terminal, words: str) -> None:
    assert short(rested.home, *words.split()) is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE orders SET state = 'OPEN', ended_at = NULL WHERE id = 1",
        "UPDATE orders SET state = 'UNKNOWN' WHERE id = 1",
        "UPDATE run SET finished_at = NULL, status = 'PAUSED' WHERE number = 1",
        "UPDATE trading_day SET day = '2026-11-17'",
        "UPDATE trading_day SET state = 'ended'",
        "UPDATE trading_day SET state = 'odd'",
        "UPDATE connection SET identity = 'another'",
        "UPDATE connection SET kind = 'live'",
        "INSERT INTO connection VALUES ('kite', 'sim', 'zerodha', 'http://127.0.0.1:8100', '')",
        "UPDATE alembic_version SET version_num = '0001'",
        "UPDATE client SET connection = '' WHERE id = 7",
        "INSERT INTO connection VALUES ('kite', 'LIVE', 'zerodha', '', '')",
        "UPDATE orders SET state = 'ODD' WHERE id = 1",
        "UPDATE orders SET created_at = 'never' WHERE id = 1",
        "UPDATE orders SET quantity = 'many' WHERE id = 1",
        "ALTER TABLE orders RENAME TO lost",
    ],
)
def test_books_that_are_not_at_rest_or_odd_open_a_desk(rested: Terminal, tmp_path: Path, change: str) -> None:
    for name in ("desk.db", "paper.db"):
        with (
            closing(sqlite3.connect(rested.home / name)) as one,
            closing(sqlite3.connect(tmp_path / name)) as to,
        ):
            one.backup(to)
    assert short(tmp_path, "orders") is not None
    with closing(sqlite3.connect(tmp_path / "desk.db")) as books, books:
        books.execute(change)
    assert short(tmp_path, "orders") is None


def test_a_home_at_kite_or_without_books_opens_a_desk(
    rested: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert short(tmp_path, "orders") is None
    monkeypatch.setenv("TRADEDESK_MARKET", "kite")
    assert short(rested.home, "orders") is None


@pytest.mark.parametrize("words", ["orders", "funds", "transactions", "certificate", "runs", "clients"])
def test_a_short_read_imports_nothing_heavy(rested: Terminal, words: str) -> None:
    program = (
        "import sys\n"
        "from tradedesk.cli.entry import run\n"
        "try:\n    run(sys.argv[1:])\n"
        "finally:\n    sys.stderr.write(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    made = subprocess.run(
        [sys.executable, "-c", program, words, "--json"],
        env=rested.environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(made.stdout)
    heavy = {"asyncio", "sqlalchemy", "sqlmodel", "pydantic", "typer", "textual", "aiosqlite"}
    assert set(made.stderr.split()) & heavy == set()


def test_the_sql_of_short_reads_is_that_of_the_repositories() -> None:
    def bare(text: str) -> str:
        return re.sub(r"[\s(),\"']", "", text)

    again = "`python -m tests.short_reads` writes it anew"
    assert bare(FILE.read_text(encoding="utf-8")) == bare(written()), again
