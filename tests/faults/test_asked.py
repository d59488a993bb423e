"""An app that dies or freezes as it answers: nothing is done twice, and what was done is found."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from data.vocabulary import DeskKind
from tests.books import copied_home, rows_of
from tests.faults.forks import Child, fork
from tests.tradedesk.cli_desk import Terminal
from tests.tradedesk.open_app import Beside
from tradedesk.compose.wiring import compose_desk
from tradedesk.socket.server import listening

BUY = ("bulk", "buy", "TCS", "--quantity", "1", "--clients", "AM1042", "--yes", "--wait", "5", "--json")
HALT = ("cancel-all", "--yes", "--json")
READY_S = 120.0


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("asked") / "home"
    Terminal(home).done("init", "--demo", "--bare")
    return home


@pytest.fixture
def home(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TRADEDESK_PAPER_LATENCY_MS", "[0, 0]")
    monkeypatch.setenv("TRADEDESK_TRADER", "tester")
    with copied_home(prepared, tmp_path / "home") as home:
        yield home


def app(pipe: Connection, home: Path, point: str, number: int) -> None:
    """Hold an app open that is struck by a signal the first time it comes to a point."""

    left = [point]

    def reached(here: str) -> None:
        if left == [here]:
            left.clear()
            os.kill(os.getpid(), number)

    async def hold() -> None:
        async with compose_desk(home, DeskKind.APP) as desk, listening(desk, reached=reached):
            pipe.send("open")
            await asyncio.Event().wait()

    asyncio.run(hold())


@contextmanager
def struck_app(home: Path, point: str, number: int) -> Iterator[Child]:
    child = fork(app, home, point, number, words=home.parent / "app.log")
    try:
        assert child.receive(READY_S) == "open"
        yield child
    finally:
        child.kill()
        child.wait()


def count(home: Path, table: str) -> int:
    return int(rows_of(home, f"SELECT count(*) FROM {table}")[0][0])


def request_ids(home: Path) -> list[str]:
    return [str(number) for (number,) in rows_of(home, "SELECT request_id FROM asked_command ORDER BY at")]


def test_an_app_that_dies_behind_taken_has_done_nothing(home: Path) -> None:
    """The command's `go` may still have reached the dying process; then nobody does it."""
    with struck_app(home, "taken", signal.SIGKILL):
        beside = Beside(home)
        printed = beside.run(*BUY)
    assert (printed.code, len(beside.own_way)) in ((0, 1), (5, 0))
    assert (count(home, "run"), count(home, "asked_command")) == (len(beside.own_way), 0)


def test_an_app_that_dies_behind_go_has_done_nothing_and_never_will(home: Path) -> None:
    with struck_app(home, "gone", signal.SIGKILL):
        beside = Beside(home)
        printed = beside.run(*BUY)
    assert (printed.code, beside.own_way) == (5, [])
    asked = printed.error["request_id"]
    found = beside.run("--request", asked, "--json")
    assert (found.code, found.document["closed"], found.document["runs"]) == (3, True, [])
    assert (count(home, "run"), count(home, "plan")) == (0, 0)


def test_what_an_app_had_committed_before_it_died_is_found(home: Path) -> None:
    with struck_app(home, "kept", signal.SIGKILL):
        beside = Beside(home)
        printed = beside.run("cancel-all", "--yes", "--scope", "client", "--value", "AM1042", "--json")
    assert printed.code == 0, printed
    assert (printed.document["number"], count(home, "halt")) == (1, 1)
    (asked,) = request_ids(home)
    assert beside.run("--request", asked, "--json").document["halts"] == [1]


@pytest.mark.proof
def test_an_app_frozen_before_taken_does_nothing_once_it_thaws(home: Path) -> None:
    """Whatever came of the command's own way: the frozen app may hold the exchange's file."""
    with struck_app(home, "asked", signal.SIGSTOP) as child:
        beside = Beside(home)
        beside.run(*BUY)
        assert len(beside.own_way) == 1
        before = count(home, "run"), count(home, "plan")
        os.kill(child.pid, signal.SIGCONT)
        assert Beside(home).run("orders", "--json").code == 0  # answered behind what it had before it
        assert (count(home, "run"), count(home, "plan")) == before
    assert count(home, "asked_command") == 0


def test_cancel_all_halts_once_past_an_app_that_is_frozen_behind_go_and_thaws(home: Path) -> None:
    with struck_app(home, "gone", signal.SIGSTOP) as child:
        beside = Beside(home)
        printed = beside.run(*HALT)
        assert (printed.code, len(beside.own_way)) == (0, 1)
        os.kill(child.pid, signal.SIGCONT)
        assert Beside(home).run("orders", "--json").code == 0
    assert (printed.document["number"], count(home, "halt")) == (1, 1)
