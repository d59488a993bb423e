"""The local Kite as a command: where its books are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("told", [False, True])
def test_its_books_are_in_no_desks_home_unless_told(tmp_path: Path, told: bool) -> None:
    home, data = tmp_path / "home", tmp_path / "data"
    home.mkdir()
    command = [sys.executable, "-m", "tradedesk.cli", "simulate", "kite", "--port", "0"]
    command += ["--folder", str(home / "kite")] if told else []
    environment = {**os.environ, "TRADEDESK_HOME": str(home), "XDG_DATA_HOME": str(data), "HOME": str(data)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.terminate()
    folder = Path(said.strip().rpartition("its books are in ")[2])
    assert (folder / "exchange.db").exists()
    assert folder == home / "kite" if told else not folder.is_relative_to(home)
    assert [one.name for one in home.iterdir()] == (["kite"] if told else [])
