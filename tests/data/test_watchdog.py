"""The child that ends a program at a stand, and what is told of processes by their numbers."""

import os
import subprocess
import sys
from pathlib import Path

from data.leasing import watchdog
from data.leasing.processes import end_process, is_running
from data.writing.locks import process_start

STANDS = "import time; print('up', flush=True); time.sleep(600)"


def watched(code: str, silent_s: str) -> "subprocess.Popen[str]":
    """A program that begins a watchdog of itself, then does this."""
    words = [sys.executable, "-I", "-S", str(Path(watchdog.__file__))]
    begun = (
        "import os, subprocess, sys\n"
        f"dog = subprocess.Popen({words!r} + [str(os.getpid()), '{silent_s}'], stdin=subprocess.PIPE)\n"
    )
    return subprocess.Popen([sys.executable, "-c", begun + code], stdout=subprocess.PIPE, text=True)


def test_a_program_that_says_nothing_for_too_long_is_ended() -> None:
    stands = watched(STANDS, "0.2")
    assert stands.wait(30) == -9


def test_one_that_turns_lives_and_takes_its_watchdog_along() -> None:
    turns = (
        "for _ in range(20):\n    dog.stdin.write(b'.'); dog.stdin.flush()\n"
        "dog.stdin.close()\nsys.exit(dog.wait())\n"
    )
    assert watched(turns, "30").wait(60) == 0


def test_a_process_is_ended_by_its_number_only_while_it_is_the_one_that_started_then() -> None:
    child = subprocess.Popen([sys.executable, "-c", STANDS], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    started = process_start(child.pid)
    assert is_running(child.pid, started)
    if started:
        assert not is_running(child.pid, f"{started}1")
        assert end_process(child.pid, f"{started}1")
        assert child.poll() is None, "another process of this number was ended"
    assert not end_process(child.pid, started) or child.wait(30) == -9
    assert child.wait(30) == -9
    assert not is_running(child.pid, started)
    assert is_running(os.getpid(), process_start(os.getpid()))
