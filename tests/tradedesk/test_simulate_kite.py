"""The local Kite as a command: where its books are, and what it says where it cannot serve."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tradedesk.cli.main import app


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


PORTS = [("kite", "--port"), ("upstox", "--port"), ("groww", "--port"), ("all", "--groww-port")]
"""Which option names the port that is taken."""


@pytest.mark.parametrize("command", PORTS)
def test_a_folder_or_a_port_that_cannot_be_had_is_named(tmp_path: Path, command: tuple[str, str]) -> None:
    name, option = command
    options = [f"--{one}-port" for one in ("kite", "upstox", "groww")] if name == "all" else ["--port"]
    ports = [text for one in options for text in (one, "0")]
    (tmp_path / "taken").touch()
    refused = CliRunner().invoke(app, ["simulate", name, *ports, "--folder", str(tmp_path / "taken")])
    assert refused.output.startswith(f"tradedesk: folder: {str(tmp_path / 'taken')!r} is not valid")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = ["simulate", name, *ports, option, port, "--folder", str(tmp_path / "own")]
        refused = CliRunner().invoke(app, given)
    (said,) = [one for one in refused.output.splitlines() if one.startswith("tradedesk: ")]
    assert said.startswith(f"tradedesk: {option.removeprefix('--')}: {port} is not valid; another program")
    assert f"give {option} another one" in said
    assert refused.exit_code == 2
