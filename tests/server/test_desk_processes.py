"""Two desks in two processes on two homes and one database: each trades its own, and one dies."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.books import database_url

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)]


class DeskProcess:
    """One of them."""

    def __init__(self, folder: Path, name: str, clients: str) -> None:
        words = [sys.executable, "-m", "tests.server.desk_process"]
        self.words = folder / f"{name}.log"
        self.child = subprocess.Popen(
            [*words, str(folder), name, database_url(folder), clients],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.words.open("w"),
            text=True,
        )
        self.clients: list[str] = self.told()

    def told(self) -> Any:
        """What it answers."""
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        assert line, self.words.read_text()
        return json.loads(line)

    def begin(self, words: str) -> None:
        """Have it do something."""
        assert self.child.stdin is not None
        self.child.stdin.write(f"{words}\n")
        self.child.stdin.flush()

    def ask(self, words: str) -> Any:
        """Have it do something, and wait until that is done."""
        self.begin(words)
        return self.told()


@contextmanager
def desk_process(folder: Path, name: str, clients: str) -> Iterator[DeskProcess]:
    """A desk that is open."""
    desk = DeskProcess(folder, name, clients)
    try:
        yield desk
    finally:
        assert desk.child.stdin is not None
        desk.child.stdin.close()
        try:
            desk.child.wait(60)
        finally:
            desk.child.kill()


@pytest.mark.parametrize("dies_by", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_two_desks_trade_their_own_and_one_that_dies_leaves_no_doubt(
    tmp_path: Path, books_engine: str, dies_by: signal.Signals
) -> None:
    with desk_process(tmp_path, "maker", "free") as maker:
        codes = maker.ask("make")
    ours = codes[: len(codes) // 2]
    with ExitStack() as stack:
        asha = stack.enter_context(desk_process(tmp_path, "asha", " ".join(ours)))
        ravi = stack.enter_context(desk_process(tmp_path, "ravi", "free"))
        assert (asha.clients, ravi.clients) == (ours, codes[len(ours) :])
        for symbol in ("INFY", "TCS", "RELIANCE"):
            for desk in (asha, ravi):
                desk.begin(f"trade {symbol} 1")
            for desk in (asha, ravi):
                assert desk.told().keys() == {"FILLED"}
        assert asha.ask("half INFY") > 0
        asha.child.send_signal(dies_by)  # one that stands still is ended by its watchdog
        assert asha.child.wait(60) == -signal.SIGKILL
        assert ravi.ask(f"has {len(codes)}") == codes
        assert ravi.ask("differs") == {}
