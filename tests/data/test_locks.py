"""Held locks: one holder, looking does not disturb it, and the system frees a dead one's."""

import subprocess
import sys

import pytest

from data.errors import BadInput
from data.writing.locks import HeldLock, is_held, process_start


def test_one_holder_at_a_time_and_looking_changes_nothing(tmp_path):
    path = tmp_path / "locks" / "app.lock"
    assert not is_held(path)
    one, two = HeldLock(path), HeldLock(path)
    assert one.take()
    written = path.read_text()
    assert not two.take()
    assert is_held(path)
    assert path.read_text() == written == one.holder() + "\n"
    one.free()
    assert not is_held(path)
    assert two.take(wait=True)
    two.free()


def test_a_dead_process_holds_nothing(tmp_path):
    path = tmp_path / "app.lock"
    code = (
        "import sys; from pathlib import Path; from data.writing.locks import HeldLock\n"
        f"assert HeldLock(Path({str(path)!r})).take(); print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    assert is_held(path)
    assert HeldLock(path).holder() == str(child.pid)
    assert process_start(child.pid)
    child.kill()
    child.communicate()
    assert not is_held(path)
    assert process_start(child.pid) == ""


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="home"):
        HeldLock(tmp_path / "file" / "app.lock").take()
