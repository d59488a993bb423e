"""Output and input in trouble: what was done is told truly, exit codes hold, and nobody sees a traceback."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cli_desk import Terminal

COMMAND = [sys.executable, "-m", "tradedesk.cli"]
ORDER = ("order", "AM1042", "buy", "SBIN", "1", "--yes", "--wait", "5")


def shell(
    at: Terminal, *args: str, redirect: str = "", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command under a shell that redirects its streams."""
    line = f'exec "$@" {redirect}'
    return subprocess.run(
        ["bash", "-c", line, "bash", *COMMAND, *args],
        env={**at.environment, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )


def further(*values: object) -> Any:
    """Another case of what a plain run has one of; each starts whole processes."""
    return pytest.param(*values, marks=pytest.mark.proof)


def filled(at: Terminal) -> list[str]:
    return [order["state"] for order in at.done("orders")]


STREAMS = {
    "full": ">/dev/full",
    "closed": ">&-",
    "closed with stdin": ">&- <&-",
}


@pytest.mark.parametrize(
    ("name", "as_json"),
    [
        ("full", ()),
        further("closed", ("--json",)),
        further("closed with stdin", ()),
    ],
)
def test_an_order_whose_output_is_lost_was_sent_and_is_told_so(
    demo: Terminal, name: str, as_json: tuple[str, ...]
) -> None:
    ended = shell(demo, *ORDER, *as_json, redirect=STREAMS[name])

    assert ended.returncode == 0, ended.stderr
    told = ended.stderr.decode()
    assert "the output could not be written" in told
    assert "What the command did stands" in told
    assert "Traceback" not in told
    assert "nothing can be written in" not in told
    assert filled(demo) == ["FILLED"]
    assert demo.done("doctor")["ok"]


@pytest.mark.parametrize(
    "redirect",
    [further(">&- 2>&- <&-"), further("2>/dev/full <&-")],
)
def test_no_stream_at_all_leaves_the_work_and_the_books_whole(demo: Terminal, redirect: str) -> None:
    assert shell(demo, *ORDER, redirect=redirect).returncode == 0
    assert shell(demo, "orders", "show", "99", redirect=redirect).returncode == 2
    with closing(sqlite3.connect(demo.home / "desk.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert filled(demo) == ["FILLED"]


@pytest.mark.proof
def test_a_cancel_all_on_a_full_stdout_is_no_full_home(demo: Terminal) -> None:
    lowest = demo.done("detail", "TCS")["lower_circuit_paise"] // 100
    assert demo.order("AM1042", "buy", "TCS", "1", "--limit", str(lowest + 1))["state"] == "OPEN"

    ended = shell(demo, "cancel-all", "--yes", redirect=">/dev/full")

    assert ended.returncode == 0, ended.stderr
    assert b"nothing can be written in" not in ended.stderr
    assert b"the output could not be written" in ended.stderr
    assert filled(demo) == ["CANCELLED"]


@pytest.mark.proof
def test_a_reader_that_goes_away_changes_no_exit_code(demo: Terminal) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        for args, code in ((ORDER, 0), (("clients",), 0), (("orders", "show", "99", "--json"), 2)):
            ended = subprocess.run(
                [*COMMAND, *args],
                env=demo.environment,
                stdin=subprocess.DEVNULL,
                stdout=write,
                stderr=subprocess.PIPE,
                timeout=120,
                check=False,
            )
            assert ended.returncode == code, ended.stderr
            assert b"Traceback" not in ended.stderr
            assert b"Broken pipe" not in ended.stderr
    finally:
        os.close(write)
    assert filled(demo) == ["FILLED"]


@pytest.mark.proof
def test_an_encoding_without_our_signs_loses_signs_and_nothing_else(demo: Terminal) -> None:
    encoding = "ascii"
    ended = shell(demo, *ORDER, PYTHONIOENCODING=encoding)
    assert ended.returncode == 0, ended.stderr
    assert b"Traceback" not in ended.stderr
    plan = shell(demo, "plan", "buy", "TCS", "--amount", "50000", PYTHONIOENCODING=encoding)
    assert "Rs 50,000" in plan.stdout.decode(encoding)

    as_json = shell(demo, "plan", "buy", "TCS", "--amount", "60000", "--json", PYTHONIOENCODING=encoding)
    assert json.loads(as_json.stdout.decode(encoding))["plan"]["title"] == "BUY TCS ₹60,000.00 each"


@pytest.mark.proof
def test_a_closed_stdin_answers_nothing(demo: Terminal) -> None:
    ended = shell(demo, *ORDER[:5], redirect="<&-")
    assert ended.returncode == 3
    assert b"Traceback" not in ended.stderr
    assert b"nothing was done" in ended.stderr
    screen = shell(demo, redirect="<&-")
    assert (screen.returncode, b"needs a terminal" in screen.stderr) == (2, True)


def test_an_argument_that_is_no_text_is_named(demo: Terminal) -> None:
    ended = subprocess.run(
        [*COMMAND, "order", b"AM\xff1042", "buy", "SBIN", "1", "--yes"],
        env=demo.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert b"UTF-8" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_file_opened_after_a_closed_stdout_is_never_written_to_by_print(
    demo: Terminal, tmp_path: Path
) -> None:
    """The lowest free descriptor goes to the next file opened; it must not be a database."""
    script = tmp_path / "look.py"
    script.write_text(
        "import os, sys\n"
        "from tradedesk.cli.printing.streams import stand_in\n"
        "stand_in()\n"
        "sys.stderr.write(str(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)))\n"
    )
    line = f'exec "{sys.executable}" "{script}" "{tmp_path}/file" >&- <&-'
    ended = subprocess.run(["bash", "-c", line], capture_output=True, timeout=60, check=False)
    assert int(ended.stderr) > 2
