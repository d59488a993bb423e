"""A home that takes nothing more: cancel-all reads its books and reaches the brokers all the same."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from data.migrating import books_as_they_are
from data.schema import HEAD
from tests.further import further
from tests.homes import unpack
from tests.homes.test_other_versions import live_at_broker, stamp
from tests.read_only import make_read_only
from tests.tradedesk.cli_desk import Terminal

PAPER = ("paper.db", "paper.db-wal", "paper.db-shm")
"""The broker's own files, which stand for a broker elsewhere."""


def contents(home: Path) -> dict[str, bytes]:
    return {
        file.name: file.read_bytes()
        for file in sorted(home.iterdir())
        if file.name not in PAPER and file.is_file()
    }


@pytest.mark.parametrize("current", further([True, False]), ids=["this version", "an earlier one"])
def test_cancel_all_cancels_from_the_brokers_books_and_says_what_it_could_not_write(
    current: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack("paused", tmp_path)
    if current:
        Terminal(tmp_path).done("orders")
    assert (stamp(tmp_path) == HEAD) is current
    before, live = contents(tmp_path), live_at_broker(tmp_path)
    make_read_only(monkeypatch, tmp_path, *PAPER)
    printed = Terminal(tmp_path).run("cancel-all", "--yes", "--json")
    assert live > live_at_broker(tmp_path) == 0
    assert (printed.code, printed.document["cancelled"]) == (7, live)
    assert printed.document["unbooked"] == "desk.db cannot be written (Read-only file system)"
    assert "the HALT file cannot be written (Read-only file system); going on to cancel" in printed.err
    told = printed.error["message"]
    assert f"the brokers took {live} cancels all the same" in told
    assert "its certificate could not be kept in a file either" in told
    assert "NOT HALTED: no file HALT could be written either" in told
    assert contents(tmp_path) == before


def test_what_was_committed_and_not_yet_moved_into_the_file_is_read_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, elsewhere = tmp_path / "desk.db", tmp_path / "another" / "desk.db"
    elsewhere.parent.mkdir()
    unpack("paused", elsewhere.parent)
    Terminal(elsewhere.parent).done("orders")
    with closing(sqlite3.connect(elsewhere)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("UPDATE client SET name = 'renamed'")
        writer.commit()
        for part in ("", "-wal"):  # as they lie where the power went
            path.with_name(f"desk.db{part}").write_bytes(elsewhere.with_name(f"desk.db{part}").read_bytes())
    make_read_only(monkeypatch, tmp_path)

    def refuses(file: Path, to: Path) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr("data.engines.at_rest.copy_file", refuses)
    with books_as_they_are(path) as books, closing(sqlite3.connect(books.path)) as file:
        assert books.path != path
        assert file.execute("SELECT DISTINCT name FROM client").fetchall() == [("renamed",)]
    assert not books.path.exists()


def test_a_command_reads_and_cancels_and_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack("paused", tmp_path)
    desk = Terminal(tmp_path)
    standing = [order["order_id"] for order in desk.done("orders") if order["state"] == "OPEN"]
    before, live = contents(tmp_path), live_at_broker(tmp_path)
    make_read_only(monkeypatch, tmp_path, *PAPER)
    assert [order["order_id"] for order in desk.done("orders") if order["state"] == "OPEN"] == standing
    refused = desk.run("order", "AM1042", "buy", "SBIN", "1", "--yes", "--json")
    assert (refused.code, "Read-only file system" in refused.error["message"]) == (7, True)
    assert live_at_broker(tmp_path) == live
    assert desk.run("cancel", str(standing[0]), "--yes", "--json").code == 7
    assert live_at_broker(tmp_path) == live - 1
    assert contents(tmp_path) == before
