"""Homes of any name: nothing is written outside of them, and what is inside is its user's alone."""

import logging
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from cli_desk import Terminal

from tests.further import further
from tradedesk.compose.foundation import PrivateLog
from tradedesk.compose.home import books_address, shared_clients

NAMES = [
    "a?b",
    "a?mode=memory",
    "a?mode=memory&cache=shared",
    "a%41",
    "%",
    "a%2Fb",
    "%3Fx",
    "a#b",
    "a;b&c=d",
    ":memory:",
    "file::memory:",
    "file:a?mode=ro",
    "a'b",
    'a"b',
    "a b",
    "a\\b",
    "ä ₹ क",
    "-a",
    "~a",
    "$HOME",
]


def everything(folder: Path, but: Path) -> dict[str, int]:
    """Every file and folder with its size, but for those of one home."""
    found = (path for path in folder.rglob("*") if path != but and but not in path.parents)
    return {str(path): path.stat().st_size if path.is_file() else -1 for path in found}


@pytest.mark.in_file  # of the file that is called so
@pytest.mark.parametrize("name", further(NAMES, plain=4))
def test_a_home_of_any_name_keeps_all_its_books_inside(tmp_path: Path, name: str) -> None:
    for decoy in ("a", "aA", "file:a", "file:"):
        (tmp_path / decoy).mkdir()
    home = tmp_path / name
    before = everything(tmp_path, home)
    at = Terminal(home)

    at.done("init")
    path = tmp_path / "clients.csv"
    path.write_text("code,name,broker,broker_user_id,status,capital,available\nA1,Asha,paper,P1,active,5,4\n")
    at.done("clients", "import", str(path))
    path.unlink()
    at.done("cancel-all", "--yes")

    assert at.done("funds", "--client", "A1")[0]["available_paise"] == 400
    assert at.done("doctor")["ok"]
    assert everything(tmp_path, home) == before
    with closing(sqlite3.connect(home / "desk.db")) as connection:
        assert connection.execute("SELECT code FROM client").fetchall() == [("A1",)]


def test_the_doctor_names_a_database_that_an_earlier_version_left_outside(tmp_path: Path) -> None:
    at = Terminal(tmp_path / "a?b")
    at.done("init")
    assert all("outside" not in check["detail"] for check in at.done("doctor")["checks"])
    astray = tmp_path / "a"
    with closing(sqlite3.connect(astray)) as connection:
        connection.execute("CREATE TABLE client (id INTEGER)")
    before = astray.read_bytes()

    found = at.done("doctor")

    (told,) = [check for check in found["checks"] if check["name"] == "home"]
    assert str(astray) in told["detail"]
    assert found["ok"], "these books are sound"
    assert astray.read_bytes() == before


@pytest.mark.proof
def test_logs_are_readable_by_their_user_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    old = home / "logs" / "tradedesk.log.1"
    old.write_text("of an earlier version")
    old.chmod(0o644)
    command = [sys.executable, "-m", "tradedesk.cli", "init"]
    subprocess.run(command, env=Terminal(home).environment, umask=0o022, check=True, capture_output=True)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home / "logs").iterdir()}
    assert modes == {"tradedesk.log": 0o600, "tradedesk.log.1": 0o600}


def test_a_log_that_cannot_be_written_says_nothing_over_the_screen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = PrivateLog("/dev/full")
    record = logging.LogRecord("engine", logging.ERROR, "x.py", 1, "orders wait for the store", None, None)
    handler.handle(record)
    handler.flush = lambda: None  # type: ignore[method-assign]
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")


def test_whose_books_they_are_is_read_of_settings_of_which_others_cannot_be_taken(tmp_path, monkeypatch):
    for name in ("DATABASE_URL", "DESK_CLIENTS"):
        monkeypatch.delenv(f"TRADEDESK_{name}", raising=False)
    assert (books_address(tmp_path), shared_clients(tmp_path)) == ("", "")
    given = 'database_url = "postgresql://a/b"\ndesk_clients = "g:MEHTA"\ntrader = 7\nno_such_key = "x"\n'
    (tmp_path / "config.toml").write_text(given)
    assert (books_address(tmp_path), shared_clients(tmp_path)) == ("postgresql://a/b", "g:MEHTA")
    monkeypatch.setenv("TRADEDESK_DESK_CLIENTS", "free")
    assert shared_clients(tmp_path) == "free"
